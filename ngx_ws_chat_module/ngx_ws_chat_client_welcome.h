
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The first event a client gets.
 */


#ifndef _NGX_WS_CHAT_CLIENT_WELCOME_H_INCLUDED_
#define _NGX_WS_CHAT_CLIENT_WELCOME_H_INCLUDED_


#include "ngx_ws_chat_client.h"


/*
 * Once in a worker for each location: writes what all its clients are told
 * alike.  NGX_OK or NGX_ERROR (no memory).
 */
ngx_int_t ngx_ws_chat_client_terms(ngx_cycle_t *cycle,
    const ngx_ws_chat_main_conf_t *mcf, ngx_ws_chat_loc_conf_t *conf);

void ngx_ws_chat_client_welcome(ngx_ws_chat_client_t *cl);


#endif /* _NGX_WS_CHAT_CLIENT_WELCOME_H_INCLUDED_ */

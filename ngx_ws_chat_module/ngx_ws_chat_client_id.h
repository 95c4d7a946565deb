
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a client is called in `welcome` and in logs.
 */


#ifndef _NGX_WS_CHAT_CLIENT_ID_H_INCLUDED_
#define _NGX_WS_CHAT_CLIENT_ID_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/wsc_base.h"


#define NGX_WS_CHAT_CLIENT_ID  16        /* octets of one as text */


/* A session id that nobody can guess.  NGX_OK or NGX_ERROR. */
ngx_int_t ngx_ws_chat_client_id(uint64_t *id);

/* Writes it as text, and returns that. */
wsc_str_t ngx_ws_chat_client_id_text(uint64_t id, u_char *text);


#endif /* _NGX_WS_CHAT_CLIENT_ID_H_INCLUDED_ */

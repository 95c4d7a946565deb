
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * From the HTTP request to the 101 and beyond its release.
 */


#ifndef _NGX_WS_CHAT_UPGRADE_H_INCLUDED_
#define _NGX_WS_CHAT_UPGRADE_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


/* The content handlers of ws_chat and ws_chat_echo. */
ngx_int_t ngx_ws_chat_upgrade_handler(ngx_http_request_t *r);
ngx_int_t ngx_ws_chat_upgrade_echo_handler(ngx_http_request_t *r);


#endif /* _NGX_WS_CHAT_UPGRADE_H_INCLUDED_ */

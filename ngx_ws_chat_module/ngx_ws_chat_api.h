
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_api: what other programs call by HTTP.
 */


#ifndef _NGX_WS_CHAT_API_H_INCLUDED_
#define _NGX_WS_CHAT_API_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


ngx_int_t ngx_ws_chat_api_handler(ngx_http_request_t *r);


#endif /* _NGX_WS_CHAT_API_H_INCLUDED_ */

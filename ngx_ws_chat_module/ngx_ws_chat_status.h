
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_health and ws_chat_status.
 */


#ifndef _NGX_WS_CHAT_STATUS_H_INCLUDED_
#define _NGX_WS_CHAT_STATUS_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


ngx_int_t ngx_ws_chat_health_handler(ngx_http_request_t *r);
ngx_int_t ngx_ws_chat_status_handler(ngx_http_request_t *r);


#endif /* _NGX_WS_CHAT_STATUS_H_INCLUDED_ */


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

/*
 * What this worker wants of load balancers, as an HTTP status, with the word
 * for it and, unless that is "ready", the reason; both are static.
 */
ngx_uint_t ngx_ws_chat_health(ngx_ws_chat_main_conf_t *mcf,
    const char **state, const char **reason);

/* Sends the buffer as a whole answer in JSON that nobody may cache. */
ngx_int_t ngx_ws_chat_status_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_buf_t *b);


#endif /* _NGX_WS_CHAT_STATUS_H_INCLUDED_ */

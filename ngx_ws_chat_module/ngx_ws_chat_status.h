
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_health and ws_chat_status.
 */


#ifndef _NGX_WS_CHAT_STATUS_H_INCLUDED_
#define _NGX_WS_CHAT_STATUS_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "ngx_ws_chat_stat.h"
#include "core/wsc_buf.h"


ngx_int_t ngx_ws_chat_health_handler(ngx_http_request_t *r);
ngx_int_t ngx_ws_chat_status_handler(ngx_http_request_t *r);

/* NGX_OK for GET and HEAD, whose body is dropped; else what to return. */
ngx_int_t ngx_ws_chat_status_start(ngx_http_request_t *r);

/* The status as a page, or in JSON, appended to the buffer. */
void ngx_ws_chat_status_page(ngx_http_request_t *r, wsc_buf_t *buf);
void ngx_ws_chat_status_json(ngx_http_request_t *r, wsc_buf_t *buf);

/*
 * The busiest chats of all workers, at most NGX_WS_CHAT_STAT_BUSY, the first
 * one first; returns how many there are.
 */
ngx_uint_t ngx_ws_chat_status_busy(ngx_ws_chat_busy_t *busy);

/* Sends what is in the buffer, which nobody may cache, and frees it. */
ngx_int_t ngx_ws_chat_status_reply(ngx_http_request_t *r, ngx_str_t *type,
    wsc_buf_t *buf);

/*
 * Sends the buffer as a whole answer in JSON that nobody may cache.  Returns
 * what the request is to be finalized with, never NGX_AGAIN.
 */
ngx_int_t ngx_ws_chat_status_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_buf_t *b);


#endif /* _NGX_WS_CHAT_STATUS_H_INCLUDED_ */

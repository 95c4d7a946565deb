
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The body of a request, in one piece.
 */


#ifndef _NGX_WS_CHAT_BODY_H_INCLUDED_
#define _NGX_WS_CHAT_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * Copies what ngx_http_read_client_request_body() has read into the request's
 * pool.  NGX_OK; NGX_DECLINED: it came in chunks, and is larger than max; or
 * a status.
 */
ngx_int_t ngx_ws_chat_body(ngx_http_request_t *r, size_t max,
    ngx_str_t *body);


#endif /* _NGX_WS_CHAT_BODY_H_INCLUDED_ */

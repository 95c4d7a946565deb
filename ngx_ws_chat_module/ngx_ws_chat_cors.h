
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who may ask: the origins of ws_chat_origins, and the headers of the Fetch
 * standard (CORS protocol) that let their scripts read the answer.
 */


#ifndef _NGX_WS_CHAT_CORS_H_INCLUDED_
#define _NGX_WS_CHAT_CORS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * 1 if the request's origin may come in: it is one of `origins` (ngx_str_t;
 * NULL: any), or there is none, since then it is not a browser.
 */
ngx_uint_t ngx_ws_chat_cors_allowed(ngx_http_request_t *r,
    const ngx_array_t *origins);

/*
 * Adds to the answer what lets a script of the request's origin, which must be
 * an allowed one, read it: with cookies if origins are named, since otherwise
 * any page could read what its visitors may.  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_cors_headers(ngx_http_request_t *r,
    const ngx_array_t *origins);

/*
 * Answers a preflight of an allowed origin by 204; `methods` is what it may
 * use, a static text like "GET, POST".  NGX_DECLINED: it is no such request;
 * otherwise what the handler returns.
 */
ngx_int_t ngx_ws_chat_cors_preflight(ngx_http_request_t *r,
    const ngx_array_t *origins, const char *methods);

/* How many lines there are of a header; value is that of the last one. */
ngx_uint_t ngx_ws_chat_cors_find(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/*
 * Adds a header line to the answer; name and value are not copied.  NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_cors_add(ngx_http_request_t *r, const char *name,
    const u_char *value, size_t len);


#endif /* _NGX_WS_CHAT_CORS_H_INCLUDED_ */

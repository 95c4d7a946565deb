
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One call of the API, and how it is answered.
 */


#ifndef _NGX_WS_CHAT_API_CALL_H_INCLUDED_
#define _NGX_WS_CHAT_API_CALL_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


#define NGX_WS_CHAT_API_PARAMS  2


typedef struct ngx_ws_chat_api_call_s  ngx_ws_chat_api_call_t;


/* What can be called. */

typedef struct {
    ngx_uint_t                         method;    /* NGX_HTTP_GET: HEAD, too */
    const char                        *path;      /* behind the location's
                                                     name; a "*" is a
                                                     parameter, not empty */
    size_t                             max_body;  /* 0: it is not read */

    /*
     * Answers: what ngx_ws_chat_api_reply() or _error() returned, or NGX_AGAIN
     * if the request is answered and finalized later.
     */
    ngx_int_t                        (*run)(ngx_ws_chat_api_call_t *call);
} ngx_ws_chat_api_route_t;


/* Lives in the request's pool. */

struct ngx_ws_chat_api_call_s {
    ngx_http_request_t                *request;
    ngx_ws_chat_loc_conf_t            *conf;
    const ngx_ws_chat_api_route_t     *route;
    ngx_str_t                          params[NGX_WS_CHAT_API_PARAMS];
    ngx_str_t                          body;
};


/* Answers by the JSON in the buffer; what the content handler returns. */
ngx_int_t ngx_ws_chat_api_reply(ngx_ws_chat_api_call_t *call,
    ngx_uint_t status, ngx_buf_t *b);

/* Answers by {code, message}; both are short ASCII. */
ngx_int_t ngx_ws_chat_api_error(ngx_ws_chat_api_call_t *call,
    ngx_uint_t status, const char *code, const char *message);

/* Adds a header line to the answer; name and value are not copied. */
ngx_int_t ngx_ws_chat_api_header(ngx_ws_chat_api_call_t *call,
    const char *name, const char *value);


#endif /* _NGX_WS_CHAT_API_CALL_H_INCLUDED_ */

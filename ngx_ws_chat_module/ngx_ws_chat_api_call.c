
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_api_call.h"
#include "ngx_ws_chat_status.h"


#define NGX_WS_CHAT_API_ERROR  256    /* {code, message} at its longest */


ngx_int_t
ngx_ws_chat_api_reply(ngx_ws_chat_api_call_t *call, ngx_uint_t status,
    ngx_buf_t *b)
{
    return ngx_ws_chat_status_send(call->request, status, b);
}


ngx_int_t
ngx_ws_chat_api_error(ngx_ws_chat_api_call_t *call, ngx_uint_t status,
    const char *code, const char *message)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_http_request_t  *r;

    r = call->request;

    /* it may be refused before its body was read */

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, NGX_WS_CHAT_API_ERROR);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_slprintf(b->last, b->end,
                           "{\"code\":\"%s\",\"message\":\"%s\"}\n", code,
                           message);

    return ngx_ws_chat_api_reply(call, status, b);
}


ngx_int_t
ngx_ws_chat_api_header(ngx_ws_chat_api_call_t *call, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&call->request->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return NGX_OK;
}

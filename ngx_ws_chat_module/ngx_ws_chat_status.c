
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_status.h"
#include "ngx_ws_chat_health.h"
#include "ngx_ws_chat_mem.h"


#define NGX_WS_CHAT_HEALTH_TEXT  1024


static ngx_uint_t ngx_ws_chat_status_browser(ngx_http_request_t *r);
static ngx_int_t ngx_ws_chat_status_answer(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_buf_t *b);


ngx_int_t
ngx_ws_chat_health_handler(ngx_http_request_t *r)
{
    ngx_int_t    rc;
    ngx_str_t    live;
    ngx_buf_t   *b;
    ngx_uint_t   status;
    const char  *state, *reason;

    rc = ngx_ws_chat_status_start(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_arg(r, (u_char *) "live", 4, &live) == NGX_OK
        || (r->args.len == 4 && ngx_strncmp(r->args.data, "live", 4) == 0))
    {
        status = NGX_HTTP_OK;
        state = "live";
        reason = NULL;

    } else {
        status = ngx_ws_chat_health(ngx_http_get_module_main_conf(r,
                                                          ngx_ws_chat_module),
                                    &state, &reason);
    }

    b = ngx_create_temp_buf(r->pool, NGX_WS_CHAT_HEALTH_TEXT);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_sprintf(b->last, "{\"status\":\"%s\"", state);

    if (reason != NULL) {
        b->last = ngx_sprintf(b->last, ",\"reason\":\"%s\"", reason);
    }

    b->last = ngx_sprintf(b->last, "}\n");

    return ngx_ws_chat_status_send(r, status, b);
}


ngx_int_t
ngx_ws_chat_status_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;
    wsc_buf_t  buf;

    static ngx_str_t  html = ngx_string("text/html; charset=utf-8");
    static ngx_str_t  json = ngx_string("application/json");

    rc = ngx_ws_chat_status_start(r);
    if (rc != NGX_OK) {
        return rc;
    }

    wsc_buf_init(&buf, &ngx_ws_chat_alloc);

    ngx_ws_chat_stat_want();

    if (ngx_ws_chat_status_browser(r)) {
        ngx_ws_chat_status_page(r, &buf);
        return ngx_ws_chat_status_reply(r, &html, &buf);
    }

    ngx_ws_chat_status_json(r, &buf);

    return ngx_ws_chat_status_reply(r, &json, &buf);
}


/* No program asks for HTML by name. */

static ngx_uint_t
ngx_ws_chat_status_browser(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == 6
                && ngx_strncasecmp(h[i].key.data, (u_char *) "Accept", 6) == 0
                && ngx_strlcasestrn(h[i].value.data,
                                    h[i].value.data + h[i].value.len,
                                    (u_char *) "text/html", 8)
                   != NULL)
            {
                return 1;
            }
        }
    }

    return 0;
}


ngx_int_t
ngx_ws_chat_status_start(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    return ngx_http_discard_request_body(r);
}


ngx_int_t
ngx_ws_chat_status_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_buf_t *b)
{
    static ngx_str_t  json = ngx_string("application/json");

    return ngx_ws_chat_status_answer(r, status, &json, b);
}


ngx_int_t
ngx_ws_chat_status_reply(ngx_http_request_t *r, ngx_str_t *type,
    wsc_buf_t *buf)
{
    ngx_buf_t  *b;

    b = buf->failed ? NULL : ngx_create_temp_buf(r->pool, buf->len);

    if (b != NULL) {
        b->last = ngx_cpymem(b->last, buf->data, buf->len);
    }

    wsc_buf_free(buf);

    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_status_answer(r, NGX_HTTP_OK, type, b);
}


static ngx_int_t
ngx_ws_chat_status_answer(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_buf_t *b)
{
    ngx_int_t         rc;
    ngx_chain_t       out;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    r->headers_out.status = status;
    r->headers_out.content_length_n = b->last - b->pos;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type = *type;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return (rc == NGX_AGAIN) ? NGX_OK : rc;
    }

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    /* what the socket does not take now, NGINX writes when it ends r */

    rc = ngx_http_output_filter(r, &out);

    return (rc == NGX_AGAIN) ? NGX_OK : rc;
}

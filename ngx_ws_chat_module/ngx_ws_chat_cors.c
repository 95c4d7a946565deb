
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_cors.h"


static ngx_uint_t ngx_ws_chat_cors_matches(const ngx_str_t *pattern,
    const ngx_str_t *origin);
static ngx_int_t ngx_ws_chat_cors_text(ngx_http_request_t *r,
    const char *name, const char *value);


ngx_uint_t
ngx_ws_chat_cors_allowed(ngx_http_request_t *r, const ngx_array_t *origins)
{
    ngx_str_t   *patterns, origin;
    ngx_uint_t   i, lines;

    lines = ngx_ws_chat_cors_find(r, "origin", &origin);

    if (origins == NULL || lines == 0) {
        return 1;
    }

    if (lines > 1) {
        return 0;
    }

    patterns = origins->elts;

    for (i = 0; i < origins->nelts; i++) {
        if (ngx_ws_chat_cors_matches(&patterns[i], &origin)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_ws_chat_cors_find(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    size_t            len;
    ngx_uint_t        i, lines;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    lines = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                *value = h[i].value;
                lines++;
            }
        }
    }

    return lines;
}


/* The host of a pattern may be "*." and a domain: any host below it. */

static ngx_uint_t
ngx_ws_chat_cors_matches(const ngx_str_t *pattern, const ngx_str_t *origin)
{
    u_char  *p;
    size_t   head, tail, host;

    p = (u_char *) ngx_strnstr(pattern->data, "://*.", pattern->len);

    if (p == NULL) {
        return pattern->len == origin->len
               && ngx_strncasecmp(pattern->data, origin->data, origin->len)
                  == 0;
    }

    head = p + sizeof("://") - 1 - pattern->data;
    tail = pattern->len - head - 1;

    if (origin->len <= head + tail
        || ngx_strncasecmp(pattern->data, origin->data, head) != 0
        || ngx_strncasecmp(pattern->data + head + 1,
                           origin->data + origin->len - tail, tail)
           != 0)
    {
        return 0;
    }

    /* what stands for the asterisk is labels of a host name */

    host = origin->len - head - tail;

    for (p = origin->data + head; host; p++, host--) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9')
              || *p == '-' || *p == '_' || *p == '.'))
        {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_ws_chat_cors_headers(ngx_http_request_t *r, const ngx_array_t *origins)
{
    ngx_int_t  rc;
    ngx_str_t  origin;

    rc = ngx_ws_chat_cors_text(r, "Vary", "Origin");

    if (ngx_ws_chat_cors_find(r, "origin", &origin) != 1) {
        return rc;
    }

    if (origins == NULL) {
        rc |= ngx_ws_chat_cors_text(r, "Access-Control-Allow-Origin", "*");

    } else {
        rc |= ngx_ws_chat_cors_add(r, "Access-Control-Allow-Origin",
                                   origin.data, origin.len);
        rc |= ngx_ws_chat_cors_text(r, "Access-Control-Allow-Credentials",
                                    "true");
    }

    rc |= ngx_ws_chat_cors_text(r, "Access-Control-Expose-Headers",
                                "Retry-After");

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_ws_chat_cors_preflight(ngx_http_request_t *r, const ngx_array_t *origins,
    const char *methods)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    if (r->method != NGX_HTTP_OPTIONS
        || ngx_ws_chat_cors_find(r, "origin", &value) != 1
        || ngx_ws_chat_cors_find(r, "access-control-request-method", &value)
           == 0
        || !ngx_ws_chat_cors_allowed(r, origins))
    {
        return NGX_DECLINED;
    }

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_ws_chat_cors_headers(r, origins);
    rc |= ngx_ws_chat_cors_text(r, "Access-Control-Allow-Methods", methods);
    rc |= ngx_ws_chat_cors_text(r, "Access-Control-Allow-Headers",
                                "Authorization, Content-Type, Last-Event-ID");

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


static ngx_int_t
ngx_ws_chat_cors_text(ngx_http_request_t *r, const char *name,
    const char *value)
{
    return ngx_ws_chat_cors_add(r, name, (u_char *) value, ngx_strlen(value));
}


ngx_int_t
ngx_ws_chat_cors_add(ngx_http_request_t *r, const char *name,
    const u_char *value, size_t len)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = len;

    return NGX_OK;
}

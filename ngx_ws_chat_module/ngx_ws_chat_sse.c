
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a request for events asks for.
 */


#include "ngx_ws_chat_sse.h"
#include "ngx_ws_chat_sse_stream.h"
#include "ngx_ws_chat_admit.h"
#include "ngx_ws_chat_client_id.h"
#include "ngx_ws_chat_cors.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_post.h"


#define NGX_WS_CHAT_SSE_METHODS  "GET, HEAD, POST"


static ngx_int_t ngx_ws_chat_sse_get(ngx_http_request_t *r,
    ngx_ws_chat_admit_t *a);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_sse_read(
    ngx_ws_chat_sse_t *s);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_sse_chats(
    ngx_ws_chat_sse_t *s);
static ngx_uint_t ngx_ws_chat_sse_known(ngx_ws_chat_sse_t *s,
    const wsc_str_t *chat);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_sse_history(
    ngx_ws_chat_sse_t *s);
static ngx_int_t ngx_ws_chat_sse_last_id(ngx_ws_chat_sse_t *s);
static ngx_int_t ngx_ws_chat_sse_positions(ngx_ws_chat_sse_t *s,
    ngx_str_t *id);
static ngx_int_t ngx_ws_chat_sse_header(ngx_http_request_t *r);


ngx_ws_chat_refusal(memory, NGX_HTTP_SERVICE_UNAVAILABLE, ngx_null_string, 1,
                    4, "out of memory");

ngx_ws_chat_refusal(method, NGX_HTTP_NOT_ALLOWED, ngx_null_string, 0, 0,
                    "events come by GET, commands go by POST");

ngx_ws_chat_bad(chat_id, "bad chat_id: 1 to 128 of A-Z a-z 0-9 . _ : @ -");
ngx_ws_chat_bad(no_chat, "chat_id is missing");
ngx_ws_chat_bad(chats, "a stream has at most 32 chats");
ngx_ws_chat_bad(history, "history must be from 0 to 500");


ngx_int_t
ngx_ws_chat_sse_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_ws_chat_admit_t           a;
    ngx_ws_chat_loc_conf_t       *conf;
    const ngx_ws_chat_refusal_t  *refusal;

    if (r != r->main) {
        return NGX_HTTP_BAD_REQUEST;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);

    rc = ngx_ws_chat_cors_preflight(r, conf->origins,
                                    NGX_WS_CHAT_SSE_METHODS);
    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_memzero(&a, sizeof(ngx_ws_chat_admit_t));
    a.socket = (r->method == NGX_HTTP_GET);

    refusal = ngx_ws_chat_admit(r, &a);

    if (refusal == NULL && a.named != NGX_OK) {
        refusal = &ngx_ws_chat_refusal_user;
    }

    if (refusal) {
        return ngx_ws_chat_admit_refuse(r, refusal);
    }

    if (r->method == NGX_HTTP_POST) {
        return ngx_ws_chat_post(r, &a);
    }

    if (r->method == NGX_HTTP_GET || r->method == NGX_HTTP_HEAD) {
        return ngx_ws_chat_sse_get(r, &a);
    }

    if (ngx_ws_chat_cors_add(r, "Allow", (u_char *) NGX_WS_CHAT_SSE_METHODS,
                             sizeof(NGX_WS_CHAT_SSE_METHODS) - 1)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_admit_refuse(r, &ngx_ws_chat_refusal_method);
}


static ngx_int_t
ngx_ws_chat_sse_get(ngx_http_request_t *r, ngx_ws_chat_admit_t *a)
{
    ngx_int_t                     rc;
    ngx_ws_chat_sse_t            *s;
    ngx_ws_chat_client_t         *cl;
    const ngx_ws_chat_refusal_t  *refusal;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    s = ngx_pcalloc(r->pool, sizeof(ngx_ws_chat_sse_t) + a->user.len);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->request = r;
    s->claims = a->claims;

    refusal = ngx_ws_chat_sse_read(s);
    if (refusal) {
        return ngx_ws_chat_admit_refuse(r, refusal);
    }

    cl = &s->client;

    cl->conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);
    ngx_ws_chat_client_set_user(cl, sizeof(ngx_ws_chat_sse_t), &a->user);

    if (ngx_ws_chat_client_id(&cl->session) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_ws_chat_sse_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    ngx_ws_chat_sse_start(s);

    return NGX_DONE;
}


static const ngx_ws_chat_refusal_t *
ngx_ws_chat_sse_read(ngx_ws_chat_sse_t *s)
{
    const ngx_ws_chat_refusal_t  *refusal;

    refusal = ngx_ws_chat_sse_chats(s);
    if (refusal) {
        return refusal;
    }

    s->after = ngx_pcalloc(s->request->pool, s->n * sizeof(wsc_pos_t));

    if (s->after == NULL || ngx_ws_chat_sse_last_id(s) != NGX_OK) {
        return &ngx_ws_chat_refusal_memory;
    }

    return ngx_ws_chat_sse_history(s);
}


/* Each chat_id of the arguments, once. */

static const ngx_ws_chat_refusal_t *
ngx_ws_chat_sse_chats(ngx_ws_chat_sse_t *s)
{
    u_char              *p, *end, *last, *src, *dst;
    wsc_str_t            chat;
    ngx_http_request_t  *r;

    r = s->request;

    s->chats = ngx_palloc(r->pool, WSC_SSE_MAX_CHATS * sizeof(wsc_str_t));
    if (s->chats == NULL) {
        return &ngx_ws_chat_refusal_memory;
    }

    last = r->args.data + r->args.len;

    for (p = r->args.data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        if (end - p < 8 || ngx_strncmp(p, "chat_id=", 8) != 0) {
            continue;
        }

        src = p + 8;

        chat.data = ngx_pnalloc(r->pool, end - src + 1);
        if (chat.data == NULL) {
            return &ngx_ws_chat_refusal_memory;
        }

        dst = chat.data;
        ngx_unescape_uri(&dst, &src, end - src, 0);
        chat.len = dst - chat.data;

        if (!wsc_chat_id_valid(&chat)) {
            return &ngx_ws_chat_refusal_chat_id;
        }

        if (ngx_ws_chat_sse_known(s, &chat)) {
            continue;
        }

        if (s->n == WSC_SSE_MAX_CHATS) {
            return &ngx_ws_chat_refusal_chats;
        }

        s->chats[s->n++] = chat;
    }

    return s->n ? NULL : &ngx_ws_chat_refusal_no_chat;
}


static ngx_uint_t
ngx_ws_chat_sse_known(ngx_ws_chat_sse_t *s, const wsc_str_t *chat)
{
    ngx_uint_t  i;

    for (i = 0; i < s->n; i++) {
        if (wsc_str_same(&s->chats[i], chat)) {
            return 1;
        }
    }

    return 0;
}


static const ngx_ws_chat_refusal_t *
ngx_ws_chat_sse_history(ngx_ws_chat_sse_t *s)
{
    ngx_int_t  n;
    ngx_str_t  value;

    if (ngx_http_arg(s->request, (u_char *) "history", 7, &value) != NGX_OK) {
        return NULL;
    }

    n = ngx_atoi(value.data, value.len);

    if (n < 0 || n > WSC_MAX_LIMIT) {
        return &ngx_ws_chat_refusal_history;
    }

    s->history = (uint32_t) n;

    return NULL;
}


/*
 * The header is what a reader has sent by itself, and newer than the argument
 * of clients that cannot set one.
 */

static ngx_int_t
ngx_ws_chat_sse_last_id(ngx_ws_chat_sse_t *s)
{
    ngx_str_t            id;
    ngx_http_request_t  *r;

    r = s->request;

    if (ngx_ws_chat_cors_find(r, "last-event-id", &id) == 0 || id.len == 0) {

        if (ngx_ws_chat_admit_arg(r, "last_event_id", &id) != NGX_OK) {
            return NGX_ERROR;
        }

        if (id.len == 0) {
            return NGX_OK;
        }
    }

    switch (ngx_ws_chat_sse_positions(s, &id)) {

    case NGX_OK:
        s->resume = 1;
        return NGX_OK;

    case NGX_DECLINED:
        s->foreign = 1;
        ngx_memzero(s->after, s->n * sizeof(wsc_pos_t));
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_ws_chat_sse_positions(ngx_ws_chat_sse_t *s, ngx_str_t *id)
{
    ngx_str_t  cursor;
    wsc_str_t  text;

    text.data = id->data;
    text.len = id->len;

    if (s->n == 1) {
        return (wsc_sse_pos_read(&text, s->after) == WSC_OK) ? NGX_OK
                                                             : NGX_DECLINED;
    }

    if (ngx_base64_decoded_length(id->len) > WSC_SSE_MAX_CURSOR + 3) {
        return NGX_DECLINED;
    }

    cursor.data = ngx_pnalloc(s->request->pool,
                              ngx_base64_decoded_length(id->len));
    if (cursor.data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_decode_base64url(&cursor, id) != NGX_OK) {
        return NGX_DECLINED;
    }

    text.data = cursor.data;
    text.len = cursor.len;

    return (wsc_sse_cursor_read(&text, s->chats, s->after, s->n) == WSC_OK)
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_ws_chat_sse_header(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_ws_chat_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);

    /* a rate limit would hold events back */

    r->limit_rate = 0;
    r->limit_rate_set = 1;

    r->headers_out.status = NGX_HTTP_OK;
    ngx_str_set(&r->headers_out.content_type, "text/event-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    rc = ngx_ws_chat_cors_headers(r, conf->origins);
    rc |= ngx_ws_chat_cors_add(r, "Cache-Control", (u_char *) "no-store", 8);
    rc |= ngx_ws_chat_cors_add(r, "X-Accel-Buffering", (u_char *) "no", 2);

    return (rc == NGX_OK) ? ngx_http_send_header(r)
                          : NGX_HTTP_INTERNAL_SERVER_ERROR;
}

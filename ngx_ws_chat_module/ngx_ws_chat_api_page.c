
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Messages of a chat, a page at a time.
 */


#include "ngx_ws_chat_api_message.h"
#include "ngx_ws_chat_api_message_int.h"
#include "ngx_ws_chat_reply.h"
#include "core/wsc_sse.h"


#define NGX_WS_CHAT_API_LIMIT  50      /* messages read, unless it says */


static ngx_int_t ngx_ws_chat_api_message_range(ngx_ws_chat_api_message_t *m,
    const char **reason);
static ngx_int_t ngx_ws_chat_api_message_bound(ngx_ws_chat_api_message_t *m,
    const char *name, wsc_pos_t *pos);
static void ngx_ws_chat_api_message_found(ngx_ws_chat_read_t *r);
static ngx_int_t ngx_ws_chat_api_message_page(ngx_ws_chat_api_message_t *m);


ngx_int_t
ngx_ws_chat_api_message_read(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t                   rc;
    wsc_str_t                   chat_id;
    ngx_uint_t                  limit;
    const char                 *reason;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reason = "bad chat_id";
    rc = ngx_ws_chat_api_message_chat(call, &chat_id);

    if (rc == NGX_OK) {
        rc = ngx_ws_chat_api_message_range(m, &reason);
    }

    if (rc == NGX_OK) {
        reason = "limit must be from 1 to 500";
        rc = ngx_ws_chat_api_message_limit(call, &limit);
    }

    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    m->next = ngx_ws_chat_api_message_page;
    m->u.read.done = ngx_ws_chat_api_message_found;

    ngx_ws_chat_api_message_ask(m, limit);

    return ngx_ws_chat_api_message_wait(m);
}


static ngx_int_t
ngx_ws_chat_api_message_range(ngx_ws_chat_api_message_t *m,
    const char **reason)
{
    ngx_int_t            after, before;
    ngx_ws_chat_read_t  *read;

    read = &m->u.read;

    *reason = "before and after are positions, <epoch>:<seq>";

    after = ngx_ws_chat_api_message_bound(m, "after", &read->after);
    before = ngx_ws_chat_api_message_bound(m, "before", &read->before);

    read->has_after = (after == NGX_OK);
    read->has_before = (before == NGX_OK);

    if (read->has_after && read->has_before) {
        *reason = "there can be before or after, not both";
        return NGX_DECLINED;
    }

    return (after == NGX_ABORT || before == NGX_ABORT) ? NGX_DECLINED
           : (after == NGX_ERROR || before == NGX_ERROR) ? NGX_ERROR
           : NGX_OK;
}


/* NGX_OK; NGX_DECLINED: it is not there; NGX_ABORT: it is none; NGX_ERROR. */

static ngx_int_t
ngx_ws_chat_api_message_bound(ngx_ws_chat_api_message_t *m, const char *name,
    wsc_pos_t *pos)
{
    ngx_int_t  rc;
    wsc_str_t  text;

    rc = ngx_ws_chat_api_message_arg(m->call, name, &text);

    if (rc == NGX_OK && wsc_sse_pos_read(&text, pos) != WSC_OK) {
        return NGX_ABORT;
    }

    return rc;
}


ngx_int_t
ngx_ws_chat_api_message_arg(ngx_ws_chat_api_call_t *call, const char *name,
    wsc_str_t *value)
{
    u_char     *p;
    ngx_str_t   arg;

    if (ngx_http_arg(call->request, (u_char *) name, ngx_strlen(name), &arg)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(call->request->pool, arg.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    ngx_unescape_uri(&p, &arg.data, arg.len, 0);
    value->len = p - value->data;

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_api_message_limit(ngx_ws_chat_api_call_t *call,
    ngx_uint_t *limit)
{
    ngx_int_t  n;
    ngx_str_t  value;

    *limit = NGX_WS_CHAT_API_LIMIT;

    if (ngx_http_arg(call->request, (u_char *) "limit", 5, &value)
        != NGX_OK)
    {
        return NGX_OK;
    }

    n = ngx_atoi(value.data, value.len);

    if (n < 1 || n > WSC_MAX_LIMIT) {
        return NGX_DECLINED;
    }

    *limit = n;

    return NGX_OK;
}


/* The entries are gone when this returns. */

static void
ngx_ws_chat_api_message_found(ngx_ws_chat_read_t *r)
{
    wsc_id_t                    id;
    wsc_history_t               h;
    ngx_ws_chat_api_message_t  *m;

    m = (ngx_ws_chat_api_message_t *) r;
    m->reading = 0;

    if (r->err == WSC_ERR_NONE) {
        ngx_ws_chat_reply_fit(r);

        ngx_memzero(&id, sizeof(wsc_id_t));
        ngx_memzero(&h, sizeof(wsc_history_t));

        h.messages = r->entries;
        h.n = r->n;
        h.more = r->more;
        h.complete_to = r->chat.head;

        wsc_event_history(&m->text, WSC_ENC_JSON, &id, &r->chat_id, &h);
    }

    ngx_post_event(&m->event, &ngx_posted_events);
}


static ngx_int_t
ngx_ws_chat_api_message_page(ngx_ws_chat_api_message_t *m)
{
    if (m->u.read.err != WSC_ERR_NONE) {
        return ngx_ws_chat_api_message_store_error(m, m->u.read.err);
    }

    return ngx_ws_chat_api_message_answer(m, NGX_HTTP_OK);
}

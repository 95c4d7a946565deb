
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_api_change.h"
#include "ngx_ws_chat_api_body.h"
#include "ngx_ws_chat_api_message_int.h"
#include "core/wsc_sse.h"
#include "core/wsc_writer.h"


#define NGX_WS_CHAT_API_ERASE_TIME  600000    /* ms: there may be much to do */


static ngx_int_t ngx_ws_chat_api_change(ngx_ws_chat_api_message_t *m,
    ngx_uint_t retract);
static ngx_int_t ngx_ws_chat_api_change_place(ngx_ws_chat_api_message_t *m,
    const char **reason);
static void ngx_ws_chat_api_change_done(ngx_ws_chat_change_t *c);
static ngx_int_t ngx_ws_chat_api_change_answer(ngx_ws_chat_api_message_t *m);
static void ngx_ws_chat_api_change_erased(ngx_ws_chat_erase_t *e);
static ngx_int_t ngx_ws_chat_api_change_gone(ngx_ws_chat_api_message_t *m);


ngx_int_t
ngx_ws_chat_api_change_edit(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t                   rc;
    const char                 *reason;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_ws_chat_api_change_place(m, &reason);

    if (rc == NGX_OK) {
        rc = ngx_ws_chat_api_body_check(call, &reason);
    }

    if (rc == NGX_OK) {
        rc = ngx_ws_chat_api_message_text(m, &reason);
    }

    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    return ngx_ws_chat_api_change(m, 0);
}


ngx_int_t
ngx_ws_chat_api_change_retract(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t                   rc;
    const char                 *reason;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_ws_chat_api_change_place(m, &reason);
    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    return ngx_ws_chat_api_change(m, 1);
}


/* Reads the chat and the position of the path. */

static ngx_int_t
ngx_ws_chat_api_change_place(ngx_ws_chat_api_message_t *m,
    const char **reason)
{
    wsc_str_t              text;
    ngx_ws_chat_change_t  *c;

    c = &m->u.change;
    text.data = m->call->params[1].data;
    text.len = m->call->params[1].len;

    *reason = "bad chat_id";

    if (ngx_ws_chat_api_message_chat(m->call, &c->chat_id) != NGX_OK) {
        return NGX_DECLINED;
    }

    *reason = "the position must be <epoch>:<seq>";

    return (wsc_sse_pos_read(&text, &c->change.pos) == WSC_OK)
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_ws_chat_api_change(ngx_ws_chat_api_message_t *m, ngx_uint_t retract)
{
    ngx_ws_chat_change_t  *c;

    c = &m->u.change;

    c->zone = m->call->conf->zone;
    c->limits = m->call->conf->history;
    c->any = 1;
    c->change.timestamp = m->timestamp;
    c->change.retracted = retract;
    c->done = ngx_ws_chat_api_change_done;

    if (!retract) {
        c->change.message = m->message;
    }

    m->next = ngx_ws_chat_api_change_answer;
    m->changing = 1;

    c->zone->store->change(c);

    return ngx_ws_chat_api_message_wait(m);
}


static void
ngx_ws_chat_api_change_done(ngx_ws_chat_change_t *c)
{
    ngx_ws_chat_api_message_t  *m;

    m = (ngx_ws_chat_api_message_t *) c;

    m->changing = 0;
    ngx_post_event(&m->event, &ngx_posted_events);
}


static ngx_int_t
ngx_ws_chat_api_change_answer(ngx_ws_chat_api_message_t *m)
{
    wsc_writer_t           w;
    ngx_ws_chat_change_t  *c;

    c = &m->u.change;

    if (c->err == WSC_ERR_NOT_FOUND) {
        return ngx_ws_chat_api_error(m->call, NGX_HTTP_NOT_FOUND, "not_found",
                                     "there is no such message any more");
    }

    if (c->err != WSC_ERR_NONE) {
        return ngx_ws_chat_api_message_store_error(m, c->err);
    }

    wsc_writer_init(&w, &m->text, WSC_ENC_JSON);
    wsc_writer_map(&w);

    wsc_writer_key(&w, "epoch");
    wsc_writer_uint(&w, c->change.pos.epoch);
    wsc_writer_key(&w, "seq");
    wsc_writer_uint(&w, c->change.pos.seq);
    wsc_writer_key(&w, "timestamp");
    wsc_writer_uint(&w, c->change.timestamp);

    wsc_writer_end(&w);

    return ngx_ws_chat_api_message_answer(m, NGX_HTTP_OK);
}


ngx_int_t
ngx_ws_chat_api_change_erase(ngx_ws_chat_api_call_t *call)
{
    ngx_ws_chat_erase_t        *e;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    e = &m->u.erase;

    e->zone = call->conf->zone;
    e->limits = call->conf->history;
    e->timestamp = m->timestamp;
    e->user.data = call->params[0].data;
    e->user.len = call->params[0].len;
    e->done = ngx_ws_chat_api_change_erased;

    if (!wsc_user_valid(&e->user)) {
        return ngx_ws_chat_api_message_refuse(m, NGX_DECLINED, "bad user");
    }

    m->next = ngx_ws_chat_api_change_gone;
    m->erasing = 1;

    e->zone->store->erase(e);

    ngx_add_timer(&m->event, NGX_WS_CHAT_API_ERASE_TIME);

    return NGX_AGAIN;
}


static void
ngx_ws_chat_api_change_erased(ngx_ws_chat_erase_t *e)
{
    ngx_ws_chat_api_message_t  *m;

    m = (ngx_ws_chat_api_message_t *) e;

    m->erasing = 0;
    ngx_post_event(&m->event, &ngx_posted_events);
}


static ngx_int_t
ngx_ws_chat_api_change_gone(ngx_ws_chat_api_message_t *m)
{
    wsc_writer_t          w;
    ngx_ws_chat_erase_t  *e;

    e = &m->u.erase;

    if (e->err == WSC_ERR_UNKNOWN_OP) {
        return ngx_ws_chat_api_error(m->call, NGX_HTTP_NOT_FOUND, "unknown_op",
                                     "it takes ws_chat_history_pass");
    }

    if (e->err != WSC_ERR_NONE) {
        return ngx_ws_chat_api_message_store_error(m, e->err);
    }

    wsc_writer_init(&w, &m->text, WSC_ENC_JSON);
    wsc_writer_map(&w);

    wsc_writer_key(&w, "messages");
    wsc_writer_uint(&w, e->n);
    wsc_writer_key(&w, "timestamp");
    wsc_writer_uint(&w, e->timestamp);

    wsc_writer_end(&w);

    return ngx_ws_chat_api_message_answer(m, NGX_HTTP_OK);
}

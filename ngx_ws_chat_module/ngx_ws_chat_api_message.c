
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A store may answer from within its own work, so what follows an answer is
 * done in an event of its own.
 */


#include "ngx_ws_chat_api_message.h"
#include "ngx_ws_chat_api_message_int.h"
#include "ngx_ws_chat_api_body.h"
#include "ngx_ws_chat_cors.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_reply.h"
#include "core/wsc_msgpack.h"
#include "core/wsc_writer.h"
#include <openssl/rand.h>


#define NGX_WS_CHAT_API_TIME   30000   /* ms: no store takes so long */


static ngx_int_t ngx_ws_chat_api_message_cid(ngx_ws_chat_api_message_t *m,
    const char **reason);
static void ngx_ws_chat_api_message_handler(ngx_event_t *ev);
static void ngx_ws_chat_api_message_published(ngx_ws_chat_publish_t *p);
static ngx_int_t ngx_ws_chat_api_message_sent(ngx_ws_chat_api_message_t *m);
static void ngx_ws_chat_api_message_compared(ngx_ws_chat_read_t *r);
static ngx_uint_t ngx_ws_chat_api_message_same(const wsc_value_t *a,
    const wsc_value_t *b);
static ngx_int_t ngx_ws_chat_api_message_known(ngx_ws_chat_api_message_t *m);
static const char *ngx_ws_chat_api_code(wsc_err_e err);
static const char *ngx_ws_chat_api_reason(wsc_err_e err);
static void ngx_ws_chat_api_message_stop(ngx_ws_chat_api_message_t *m);
static void ngx_ws_chat_api_message_cleanup(void *data);


ngx_int_t
ngx_ws_chat_api_message_send(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t                   rc;
    const char                 *reason;
    wsc_str_t                   chat_id;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reason = "bad chat_id";
    rc = ngx_ws_chat_api_message_chat(call, &chat_id);

    if (rc == NGX_OK) {
        rc = ngx_ws_chat_api_message_body(m, &reason);
    }

    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    m->next = ngx_ws_chat_api_message_sent;
    ngx_ws_chat_api_message_publish(m, &chat_id);

    return ngx_ws_chat_api_message_wait(m);
}


ngx_ws_chat_api_message_t *
ngx_ws_chat_api_message_create(ngx_ws_chat_api_call_t *call)
{
    ngx_event_t                *ev;
    ngx_http_cleanup_t         *cln;
    ngx_http_request_t         *r;
    ngx_ws_chat_api_message_t  *m;

    r = call->request;

    m = ngx_pcalloc(r->pool, sizeof(ngx_ws_chat_api_message_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (m == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_ws_chat_api_message_cleanup;
    cln->data = m;

    m->call = call;
    m->timestamp = ngx_ws_chat_now();
    wsc_buf_init(&m->text, &ngx_ws_chat_alloc);

    ev = &m->event;

    ev->handler = ngx_ws_chat_api_message_handler;
    ev->data = m;
    ev->log = r->connection->log;

    return m;
}


ngx_int_t
ngx_ws_chat_api_message_body(ngx_ws_chat_api_message_t *m,
    const char **reason)
{
    ngx_int_t                rc;
    wsc_str_t                value;
    ngx_ws_chat_api_call_t  *call;

    call = m->call;

    rc = ngx_ws_chat_api_body_check(call, reason);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_ws_chat_api_message_text(m, reason);
    if (rc != NGX_OK) {
        return rc;
    }

    *reason = "sender must be a user's name";

    if (ngx_ws_chat_api_body_field(call, "sender", &value) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_ws_chat_api_body_string(call, &value, &m->sender);
    if (rc != NGX_OK) {
        return rc;
    }

    if (!wsc_user_valid(&m->sender)) {
        return NGX_DECLINED;
    }

    return ngx_ws_chat_api_message_cid(m, reason);
}


ngx_int_t
ngx_ws_chat_api_message_text(ngx_ws_chat_api_message_t *m,
    const char **reason)
{
    if (ngx_ws_chat_api_body_field(m->call, "message", &m->message.data)
        != NGX_OK)
    {
        *reason = "message is missing";
        return NGX_DECLINED;
    }

    if (m->message.data.len > m->call->conf->max_message) {
        *reason = "the message is too large";
        return NGX_BUSY;
    }

    return NGX_OK;
}


/* The key that makes a repeated call harmless is the message's cid. */

static ngx_int_t
ngx_ws_chat_api_message_cid(ngx_ws_chat_api_message_t *m,
    const char **reason)
{
    uint64_t             random;
    ngx_str_t            key;
    ngx_http_request_t  *r;

    r = m->call->request;

    if (ngx_ws_chat_cors_find(r, "idempotency-key", &key)) {
        m->keyed = 1;
        m->cid.data = key.data;
        m->cid.len = key.len;

        *reason = "Idempotency-Key must be 1 to 64 printable characters";
        return wsc_cid_valid(&m->cid) ? NGX_OK : NGX_DECLINED;
    }

    m->cid.data = ngx_pnalloc(r->pool, sizeof("api-0123456789abcdef"));

    if (m->cid.data == NULL
        || RAND_bytes((u_char *) &random, sizeof(random)) != 1)
    {
        return NGX_ERROR;
    }

    m->cid.len = ngx_sprintf(m->cid.data, "api-%016xL", (int64_t) random)
                 - m->cid.data;

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_api_message_chat(ngx_ws_chat_api_call_t *call,
    wsc_str_t *chat_id)
{
    chat_id->data = call->params[0].data;
    chat_id->len = call->params[0].len;

    return wsc_chat_id_valid(chat_id) ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_ws_chat_api_message_refuse(ngx_ws_chat_api_message_t *m, ngx_int_t rc,
    const char *reason)
{
    if (rc == NGX_BUSY) {
        return ngx_ws_chat_api_error(m->call,
                                     NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                     "too_large", reason);
    }

    if (rc != NGX_DECLINED) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_api_error(m->call, NGX_HTTP_BAD_REQUEST, "bad_request",
                                 reason);
}


ngx_int_t
ngx_ws_chat_api_message_wait(ngx_ws_chat_api_message_t *m)
{
    ngx_add_timer(&m->event, NGX_WS_CHAT_API_TIME);

    return NGX_AGAIN;
}


static void
ngx_ws_chat_api_message_handler(ngx_event_t *ev)
{
    ngx_int_t                   rc;
    ngx_connection_t           *c;
    ngx_http_request_t         *r;
    ngx_ws_chat_api_message_t  *m;

    m = ev->data;
    r = m->call->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ev->timedout) {
        rc = ngx_ws_chat_api_message_store_error(m, WSC_ERR_UNKNOWN);

    } else {
        rc = m->next(m);
    }

    if (rc != NGX_AGAIN) {
        ngx_ws_chat_api_message_stop(m);
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


void
ngx_ws_chat_api_message_publish(ngx_ws_chat_api_message_t *m,
    const wsc_str_t *chat_id)
{
    ngx_ws_chat_publish_t  *p;

    p = &m->u.publish;
    ngx_memzero(p, sizeof(ngx_ws_chat_publish_t));

    p->zone = m->call->conf->zone;
    p->chat_id = *chat_id;
    p->limits = m->call->conf->history;
    p->entry.sender = m->sender;
    p->entry.cid = m->cid;
    p->entry.message = m->message;
    p->entry.timestamp = m->timestamp;
    p->retry = m->keyed;
    p->place = (m->chats == NULL);
    p->done = ngx_ws_chat_api_message_published;

    m->publishing = 1;
    p->zone->store->publish(p);
}


static void
ngx_ws_chat_api_message_published(ngx_ws_chat_publish_t *p)
{
    ngx_ws_chat_api_message_t  *m;

    m = (ngx_ws_chat_api_message_t *) p;

    m->publishing = 0;
    ngx_post_event(&m->event, &ngx_posted_events);
}


static ngx_int_t
ngx_ws_chat_api_message_sent(ngx_ws_chat_api_message_t *m)
{
    ngx_ws_chat_publish_t  *p;

    p = &m->u.publish;

    if (p->err != WSC_ERR_NONE) {
        return ngx_ws_chat_api_message_store_error(m, p->err);
    }

    if (!m->keyed || !p->known
        || (!p->dup && !m->call->conf->zone->durable))
    {
        ngx_ws_chat_api_message_position(&m->text, p, NULL);

        return ngx_ws_chat_api_message_answer(m, NGX_HTTP_CREATED);
    }

    /* is it the same message, or another one under the same key? */

    m->pos = p->entry.pos;
    m->timestamp = p->entry.timestamp;
    m->next = ngx_ws_chat_api_message_known;

    ngx_memzero(&m->u.read, sizeof(ngx_ws_chat_read_t));

    m->u.read.after = m->pos;
    m->u.read.after.seq--;
    m->u.read.has_after = 1;
    m->u.read.done = ngx_ws_chat_api_message_compared;

    ngx_ws_chat_api_message_ask(m, 1);

    return NGX_AGAIN;
}


void
ngx_ws_chat_api_message_ask(ngx_ws_chat_api_message_t *m, ngx_uint_t limit)
{
    ngx_ws_chat_read_t  *r;

    r = &m->u.read;

    r->zone = m->call->conf->zone;
    r->chat_id.data = m->call->params[0].data;
    r->chat_id.len = m->call->params[0].len;
    r->limits = m->call->conf->history;
    r->limit = limit;
    r->max_bytes = NGX_WS_CHAT_REPLY_BYTES;

    m->reading = 1;
    r->zone->store->read(r);
}


/*
 * What is kept no more, or not as it was, cannot be compared: then it counts
 * as the same.  What cannot be read now may be another one: then it is to be
 * asked again.  In a durable chat it may be the one that was sent just now.
 */

static void
ngx_ws_chat_api_message_compared(ngx_ws_chat_read_t *r)
{
    wsc_entry_t                *e;
    ngx_ws_chat_api_message_t  *m;

    m = (ngx_ws_chat_api_message_t *) r;
    m->reading = 0;
    m->dup = 1;
    e = r->entries;

    if (r->err == WSC_ERR_NONE && r->n && wsc_pos_cmp(e->pos, m->pos) == 0) {
        m->dup = !(r->zone->durable && e->timestamp == m->timestamp);
        m->timestamp = e->timestamp;
        m->other = !e->edited && !e->retracted
                   && !ngx_ws_chat_api_message_same(&m->message, &e->message);
    }

    ngx_post_event(&m->event, &ngx_posted_events);
}


/* The same value, perhaps in another form: a record may be msgpack. */

static ngx_uint_t
ngx_ws_chat_api_message_same(const wsc_value_t *a, const wsc_value_t *b)
{
    wsc_buf_t   one, other;
    ngx_uint_t  same;

    if (a->binary || b->binary) {
        return 0;
    }

    if (wsc_str_same(&a->data, &b->data)) {
        return 1;
    }

    wsc_buf_init(&one, &ngx_ws_chat_alloc);
    wsc_buf_init(&other, &ngx_ws_chat_alloc);

    same = (wsc_json_to_msgpack(a->data.data, a->data.len, &one) == WSC_OK
            && wsc_json_to_msgpack(b->data.data, b->data.len, &other)
               == WSC_OK
            && !one.failed && !other.failed && one.len == other.len
            && ngx_memcmp(one.data, other.data, one.len) == 0);

    wsc_buf_free(&one);
    wsc_buf_free(&other);

    return same;
}


static ngx_int_t
ngx_ws_chat_api_message_known(ngx_ws_chat_api_message_t *m)
{
    ngx_ws_chat_publish_t  *p;

    if (m->u.read.err != WSC_ERR_NONE) {
        return ngx_ws_chat_api_message_store_error(m, m->u.read.err);
    }

    if (m->other) {
        return ngx_ws_chat_api_error(m->call, NGX_HTTP_CONFLICT, "conflict",
                                     "this Idempotency-Key was used with "
                                     "another message");
    }

    p = &m->u.publish;
    ngx_memzero(p, sizeof(ngx_ws_chat_publish_t));

    p->known = 1;
    p->dup = m->dup;
    p->entry.pos = m->pos;
    p->entry.timestamp = m->timestamp;

    ngx_ws_chat_api_message_position(&m->text, p, NULL);

    return ngx_ws_chat_api_message_answer(m, NGX_HTTP_CREATED);
}


void
ngx_ws_chat_api_message_position(wsc_buf_t *b, const ngx_ws_chat_publish_t *p,
    const wsc_str_t *chat_id)
{
    wsc_writer_t  w;

    wsc_writer_init(&w, b, WSC_ENC_JSON);
    wsc_writer_map(&w);

    if (chat_id) {
        wsc_writer_key(&w, "chat_id");
        wsc_writer_str(&w, chat_id);
    }

    if (p->err != WSC_ERR_NONE) {
        wsc_writer_key(&w, "code");
        wsc_writer_text(&w, ngx_ws_chat_api_code(p->err));
        wsc_writer_key(&w, "message");
        wsc_writer_text(&w, ngx_ws_chat_api_reason(p->err));
        wsc_writer_end(&w);
        return;
    }

    if (p->known) {
        wsc_writer_key(&w, "epoch");
        wsc_writer_uint(&w, p->entry.pos.epoch);
        wsc_writer_key(&w, "seq");
        wsc_writer_uint(&w, p->entry.pos.seq);
    }

    wsc_writer_key(&w, "timestamp");
    wsc_writer_uint(&w, p->entry.timestamp);
    wsc_writer_key(&w, "dup");
    wsc_writer_bool(&w, p->dup);

    wsc_writer_end(&w);
}


/* A store finds nothing wrong with a message but its size. */

static const char *
ngx_ws_chat_api_code(wsc_err_e err)
{
    return (err == WSC_ERR_BAD_REQUEST) ? "too_large" : wsc_err_name(err);
}


static const char *
ngx_ws_chat_api_reason(wsc_err_e err)
{
    switch (err) {

    case WSC_ERR_BAD_REQUEST:
        return "the message is too large to be stored";

    case WSC_ERR_UNKNOWN:
        return "it is not known whether this was done";

    default:
        return "not done, try again later";
    }
}


ngx_int_t
ngx_ws_chat_api_message_store_error(ngx_ws_chat_api_message_t *m,
    wsc_err_e err)
{
    if (err == WSC_ERR_BAD_REQUEST) {
        return ngx_ws_chat_api_error(m->call,
                                     NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                     ngx_ws_chat_api_code(err),
                                     ngx_ws_chat_api_reason(err));
    }

    if (ngx_ws_chat_api_header(m->call, "Retry-After", "1") != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_api_error(m->call, NGX_HTTP_SERVICE_UNAVAILABLE,
                                 ngx_ws_chat_api_code(err),
                                 ngx_ws_chat_api_reason(err));
}


ngx_int_t
ngx_ws_chat_api_message_answer(ngx_ws_chat_api_message_t *m,
    ngx_uint_t status)
{
    ngx_buf_t  *b;

    if (m->text.failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_create_temp_buf(m->call->request->pool, m->text.len + 1);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_cpymem(b->last, m->text.data, m->text.len);
    *b->last++ = LF;

    return ngx_ws_chat_api_reply(m->call, status, b);
}


/* Nothing goes on any more. */

static void
ngx_ws_chat_api_message_stop(ngx_ws_chat_api_message_t *m)
{
    const ngx_ws_chat_store_t  *store;

    store = m->call->conf->zone->store;

    if (m->event.posted) {
        ngx_delete_posted_event(&m->event);
    }

    if (m->event.timer_set) {
        ngx_del_timer(&m->event);
    }

    if (m->publishing) {
        store->cancel_publish(&m->u.publish);
    }

    if (m->reading) {
        store->cancel_read(&m->u.read);
    }

    if (m->banning) {
        ngx_ws_chat_ban_cancel(&m->u.ban);
    }

    if (m->visiting) {
        ngx_ws_chat_room_visited(&m->u.visit);
    }

    if (m->changing) {
        store->cancel_change(&m->u.change);
    }

    if (m->erasing) {
        store->cancel_erase(&m->u.erase);
    }

    m->publishing = 0;
    m->reading = 0;
    m->banning = 0;
    m->visiting = 0;
    m->changing = 0;
    m->erasing = 0;
}


static void
ngx_ws_chat_api_message_cleanup(void *data)
{
    ngx_ws_chat_api_message_t *m = data;

    if (m->call) {
        ngx_ws_chat_api_message_stop(m);
        wsc_buf_free(&m->text);
    }
}

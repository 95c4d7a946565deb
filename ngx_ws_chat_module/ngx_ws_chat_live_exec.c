
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The second half of a transaction: all is known, it is stored or it is not.
 */


#include "ngx_ws_chat_live_append.h"


#define NGX_WS_CHAT_LIVE_RENEW     3600000         /* ms between renewals */
#define NGX_WS_CHAT_LIVE_LONGER    3600000         /* ms that a stream outlives
                                                      its epoch */
#define NGX_WS_CHAT_LIVE_DEDUPE    86400000        /* ms */


static void ngx_ws_chat_live_exec_item(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it);
static void ngx_ws_chat_live_exec_target(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_target_t *t);
static void ngx_ws_chat_live_on_exec(void *data, const redisReply *r);
static ngx_int_t ngx_ws_chat_live_place(ngx_ws_chat_live_node_t *n,
    const redisReply *r);
static void ngx_ws_chat_live_complete(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it);


void
ngx_ws_chat_live_exec(ngx_ws_chat_live_node_t *n)
{
    ngx_uint_t                  i, any;
    ngx_ws_chat_redis_t        *rc;
    ngx_ws_chat_live_batch_t   *b;

    b = &n->batch;
    rc = n->append;
    any = 0;

    for (i = 0; i < b->nitems; i++) {
        any |= (b->items[i].p && b->items[i].append);
    }

    if (!any) {
        (void) ngx_ws_chat_live_send(ngx_ws_chat_live_cmd("UNWATCH"), rc,
                                     NULL, NULL);
        ngx_ws_chat_live_finish(n);
        return;
    }

    (void) ngx_ws_chat_live_send(ngx_ws_chat_live_cmd("MULTI"), rc, NULL,
                                 NULL);

    for (i = 0; i < b->ntargets; i++) {
        b->targets[i].n = 0;
        b->targets[i].renew = 0;
    }

    for (i = 0; i < b->nitems; i++) {
        if (b->items[i].p && b->items[i].append) {
            ngx_ws_chat_live_exec_item(n, &b->items[i]);
            b->items[i].p->sent = 1;

        } else {
            b->items[i].append = 0;
        }
    }

    for (i = 0; i < b->ntargets; i++) {
        if (b->targets[i].n) {
            ngx_ws_chat_live_exec_target(n, &b->targets[i]);
        }
    }

    if (ngx_ws_chat_live_send(ngx_ws_chat_live_cmd("EXEC"), rc,
                              ngx_ws_chat_live_on_exec, n)
        != NGX_OK)
    {
        ngx_ws_chat_redis_break(rc, "out of memory");
    }
}


static void
ngx_ws_chat_live_exec_item(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it)
{
    u_char                      buf[WSC_ID_LEN];
    wsc_str_t                   s;
    wsc_buf_t                  *b;
    ngx_ws_chat_live_cmd_t     *c;
    ngx_ws_chat_live_chat_t    *chat;
    ngx_ws_chat_live_target_t  *t;

    t = &n->batch.targets[it->chat];

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

    it->p->entry.prev = t->top;
    wsc_envelope_entry(b, &it->p->entry, t->fresh && t->n == 0);

    s.data = b->data;
    s.len = b->len;

    c = ngx_ws_chat_live_cmd("XADD");
    ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_STREAM, &t->chat_id);

    if (t->limits.messages) {
        ngx_ws_chat_live_word(c, "MAXLEN");
        ngx_ws_chat_live_word(c, "=");
        ngx_ws_chat_live_num(c, t->limits.messages);
    }

    ngx_ws_chat_live_text(c, buf, ngx_sprintf(buf, "%uL-*", t->epoch) - buf);
    ngx_ws_chat_live_word(c, "m");
    ngx_ws_chat_live_str(c, &s);

    if (b->failed
        || ngx_ws_chat_live_send(c, n->append, ngx_ws_chat_live_on_queued, n)
           != NGX_OK)
    {
        /* a transaction without it must not be executed */
        ngx_ws_chat_redis_break(n->append, "out of memory");
        return;
    }

    t->n++;

    /* where it is looked for, should this be all that is known of it */

    it->dedupe.placed = 0;
    it->dedupe.pos.epoch = t->epoch;
    it->dedupe.pos.seq = 0;

    chat = ngx_ws_chat_live_find(n->live, &t->chat_id);

    if (chat && chat->headed && chat->hold.last.epoch == t->epoch) {
        it->dedupe.pos.seq = chat->hold.last.seq;
    }

    c = ngx_ws_chat_live_cmd("SET");
    ngx_ws_chat_live_dedupe(c, n->live, it->p);
    ngx_ws_chat_live_text(c, buf, wsc_dedupe_print(buf, &it->dedupe));
    ngx_ws_chat_live_word(c, "PX");
    ngx_ws_chat_live_num(c, NGX_WS_CHAT_LIVE_DEDUPE);
    (void) ngx_ws_chat_live_send(c, n->append, NULL, NULL);
}


/* Once for each chat: the hint, and how long its keys live. */

static void
ngx_ws_chat_live_exec_target(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_target_t *t)
{
    u_char                    buf[20];
    uint64_t                  age;
    wsc_str_t                 s;
    wsc_buf_t                *b;
    ngx_msec_t                period;
    ngx_ws_chat_live_cmd_t   *c;
    ngx_ws_chat_live_chat_t  *chat;

    age = t->limits.age;
    chat = ngx_ws_chat_live_find(n->live, &t->chat_id);

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_envelope_number(b, WSC_ENVELOPE_HINT, t->n);

    s.data = b->data;
    s.len = b->len;

    c = ngx_ws_chat_live_cmd_publish(n->live);
    ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_CHANNEL, &t->chat_id);
    ngx_ws_chat_live_str(c, &s);
    (void) ngx_ws_chat_live_send(c, n->append, NULL, NULL);

    period = ngx_min(NGX_WS_CHAT_LIVE_RENEW, age / 4);

    if (t->fresh
        || (age && chat
            && (!chat->renewable
                || ngx_current_msec - chat->renewed >= period)))
    {
        c = ngx_ws_chat_live_cmd("SET");
        ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_EPOCH, &t->chat_id);
        ngx_ws_chat_live_text(c, buf, wsc_epoch_print(buf, t->epoch));

        if (age) {
            ngx_ws_chat_live_word(c, "PX");
            ngx_ws_chat_live_num(c, age);
        }

        (void) ngx_ws_chat_live_send(c, n->append, NULL, NULL);

        t->renew = 1;
    }

    if (age) {
        c = ngx_ws_chat_live_cmd("PEXPIRE");
        ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_STREAM, &t->chat_id);
        ngx_ws_chat_live_num(c, age + NGX_WS_CHAT_LIVE_LONGER);
        (void) ngx_ws_chat_live_send(c, n->append, NULL, NULL);
    }
}


static void
ngx_ws_chat_live_on_exec(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    ngx_uint_t                 i;
    ngx_ws_chat_live_batch_t  *b;

    if (r == NULL) {
        return;
    }

    b = &n->batch;

    for (i = 0; i < b->nitems; i++) {
        if (r->type != REDIS_REPLY_ARRAY && b->items[i].p) {
            b->items[i].p->sent = 0;
        }
    }

    if (r->type == REDIS_REPLY_NIL) {
        n->live->stat.aborted++;
        ngx_ws_chat_live_again(n);
        return;
    }

    if (r->type != REDIS_REPLY_ARRAY) {
        ngx_ws_chat_live_on_error(n, r, "EXEC");
        return;
    }

    if (ngx_ws_chat_live_place(n, r) != NGX_OK) {
        ngx_ws_chat_redis_break(n->append, "XADD failed");
        return;
    }

    for (i = 0; i < b->nitems; i++) {
        if (b->items[i].append) {
            ngx_ws_chat_live_complete(n, &b->items[i]);
        }
    }

    for (i = 0; i < b->nitems; i++) {
        if (b->items[i].append) {
            n->live->stat.appended++;
            ngx_ws_chat_live_known(n, &b->items[i]);
        }
    }

    ngx_ws_chat_live_finish(n);
}


/* Reads the ids that EXEC's reply tells: XADD, SET for each. */

static ngx_int_t
ngx_ws_chat_live_place(ngx_ws_chat_live_node_t *n, const redisReply *r)
{
    size_t                      k;
    wsc_str_t                   id;
    ngx_uint_t                  i;
    ngx_ws_chat_live_chat_t    *chat;
    ngx_ws_chat_live_item_t    *it;
    ngx_ws_chat_live_batch_t   *b;
    ngx_ws_chat_live_target_t  *t;

    b = &n->batch;

    for (i = 0, k = 0; i < b->nitems; i++) {
        it = &b->items[i];

        if (!it->append) {
            continue;
        }

        if (k >= r->elements
            || ngx_ws_chat_live_reply_str(r->element[k], &id) == NULL
            || wsc_stream_id_parse(&id, &it->dedupe.pos) != WSC_OK)
        {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "Redis did not store a message of chat \"%*s\"",
                          b->targets[it->chat].chat_id.len,
                          b->targets[it->chat].chat_id.data);
            return NGX_ERROR;
        }

        it->dedupe.placed = 1;
        k += 2;
    }

    for (i = 0; i < b->ntargets; i++) {
        t = &b->targets[i];

        if (t->n) {
            b->shard->seen = ngx_max(b->shard->seen, t->epoch);
        }

        if (!t->renew) {
            continue;
        }

        chat = ngx_ws_chat_live_find(n->live, &t->chat_id);

        if (chat) {
            chat->renewed = ngx_current_msec;
            chat->renewable = 1;
        }
    }

    return NGX_OK;
}


/* Its position is known: tells everybody, and the next one who asks. */

static void
ngx_ws_chat_live_complete(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it)
{
    u_char                      buf[WSC_ID_LEN];
    wsc_buf_t                  *b;
    wsc_str_t                   s;
    wsc_entry_t                *e;
    ngx_ws_chat_live_cmd_t     *c;
    ngx_ws_chat_live_target_t  *t;

    if (it->p == NULL) {
        /* called off: readers take it from the stream */
        return;
    }

    t = &n->batch.targets[it->chat];
    e = &it->p->entry;

    e->pos = it->dedupe.pos;

    if (wsc_stream_prev(e->pos, &e->prev) != WSC_OK) {
        e->prev = t->top;
    }

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_envelope_message(b, e);

    s.data = b->data;
    s.len = b->len;

    if (!b->failed) {
        c = ngx_ws_chat_live_cmd_publish(n->live);
        ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_CHANNEL,
                             &t->chat_id);
        ngx_ws_chat_live_str(c, &s);
        (void) ngx_ws_chat_live_send(c, n->append, NULL, NULL);
    }

    c = ngx_ws_chat_live_cmd("SET");
    ngx_ws_chat_live_dedupe(c, n->live, it->p);
    ngx_ws_chat_live_text(c, buf, wsc_dedupe_print(buf, &it->dedupe));
    ngx_ws_chat_live_word(c, "XX");
    ngx_ws_chat_live_word(c, "KEEPTTL");
    (void) ngx_ws_chat_live_send(c, n->append, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The second half of a transaction: all is known, it is stored or it is not.
 */


#include "ngx_ws_chat_live_append.h"
#include "ngx_ws_chat_live_durable.h"
#include "ngx_ws_chat_kafka.h"
#include "ngx_ws_chat_stat.h"
#include "core/wsc_number.h"
#include "core/wsc_record.h"


static void ngx_ws_chat_live_expect(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_target_t *t);
static void ngx_ws_chat_live_exec_item(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it);
static void ngx_ws_chat_live_exec_record(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it);
static void ngx_ws_chat_live_exec_records(ngx_ws_chat_live_node_t *n,
    ngx_uint_t stored);
static void ngx_ws_chat_live_exec_break(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_exec_dedupe(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it);
static void ngx_ws_chat_live_exec_publish(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it);
static void ngx_ws_chat_live_exec_target(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_target_t *t);
static void ngx_ws_chat_live_exec_life(ngx_ws_chat_live_node_t *n,
    const ngx_ws_chat_live_target_t *t, const char *when);
static void ngx_ws_chat_live_on_exec(void *data, const redisReply *r);
static ngx_uint_t ngx_ws_chat_live_place(ngx_ws_chat_live_node_t *n,
    const redisReply *r);
static void ngx_ws_chat_live_undo(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it, ngx_uint_t gone);
static void ngx_ws_chat_live_epochs(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_complete(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it);


void
ngx_ws_chat_live_exec(ngx_ws_chat_live_node_t *n)
{
    ngx_uint_t                 i, any;
    ngx_ws_chat_live_batch_t  *b;

    b = &n->batch;
    any = 0;

    for (i = 0; i < b->nitems; i++) {
        any |= (b->items[i].p && b->items[i].append);
    }

    if (!any) {
        ngx_ws_chat_live_unwatch(n);
        ngx_ws_chat_live_finish(n);
        return;
    }

    ngx_ws_chat_live_ask(n, ngx_ws_chat_live_cmd("MULTI"), NULL, NULL);

    for (i = 0; i < b->ntargets; i++) {
        b->targets[i].n = 0;
        b->targets[i].renew = 0;
        ngx_ws_chat_live_expect(n, &b->targets[i]);
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

    ngx_ws_chat_live_ask(n, ngx_ws_chat_live_cmd("EXEC"),
                         ngx_ws_chat_live_on_exec, n);

    ngx_ws_chat_live_arm(n);
}


/* Behind which position will the next message be?  See core/wsc_follow.h. */

static void
ngx_ws_chat_live_expect(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_target_t *t)
{
    ngx_ws_chat_live_chat_t  *chat;

    t->base = t->top;
    t->sure = 1;

    if (t->fresh) {
        return;
    }

    t->base.epoch = t->epoch;
    t->base.seq = 0;
    t->sure = 0;

    chat = ngx_ws_chat_live_find(n->live, &t->chat_id);

    if (chat && chat->headed && chat->follow.last.epoch == t->epoch) {
        t->base = chat->follow.last;
        t->sure = chat->follow.aligned;
    }
}


static void
ngx_ws_chat_live_exec_item(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it)
{
    u_char                      buf[WSC_ID_LEN], *last;
    wsc_str_t                   s;
    wsc_buf_t                  *b;
    wsc_entry_t                *e;
    ngx_ws_chat_live_cmd_t     *c;
    ngx_ws_chat_live_target_t  *t;

    t = &n->batch.targets[it->chat];
    e = &it->p->entry;

    e->prev = t->base;
    e->pos.epoch = t->epoch;
    e->pos.seq = (t->base.epoch == t->epoch) ? t->base.seq + 1 : 1;

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_envelope_entry(b, e, t->fresh && t->n == 0);

    s.data = b->data;
    s.len = b->len;

    c = ngx_ws_chat_live_cmd("XADD");
    ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_STREAM, &t->chat_id);

    if (!t->fresh) {
        /* one that begins anew would use its positions again */
        ngx_ws_chat_live_word(c, "NOMKSTREAM");
    }

    if (t->limits.messages) {
        ngx_ws_chat_live_word(c, "MAXLEN");
        ngx_ws_chat_live_word(c, "=");
        ngx_ws_chat_live_num(c, t->limits.messages);
    }

    last = buf + wsc_number_print_uint(buf, t->epoch);
    *last++ = '-';
    *last++ = '*';

    ngx_ws_chat_live_text(c, buf, last - buf);
    ngx_ws_chat_live_word(c, "m");
    ngx_ws_chat_live_str(c, &s);

    c->failed |= b->failed;
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_queued, n);

    ngx_ws_chat_live_exec_dedupe(n, it);
    ngx_ws_chat_live_exec_publish(n, it);

    if (n->live->zone->kafka) {
        it->prev = t->top;
        it->chained = (t->fresh && t->n == 0);
        ngx_ws_chat_live_exec_record(n, it);
    }

    t->n++;
    t->base = e->pos;
}


/* Its sender may be gone before it is known where it is. */

static void
ngx_ws_chat_live_exec_record(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it)
{
    ngx_ws_chat_zone_t  *z;

    z = n->live->zone;

    wsc_buf_init(&it->record, &ngx_ws_chat_alloc);
    wsc_record_message(&it->record, z->kafka->format, &it->p->chat_id,
                       &it->p->entry);
}


/* Those that are stored go to Kafka, with their positions. */

static void
ngx_ws_chat_live_exec_records(ngx_ws_chat_live_node_t *n, ngx_uint_t stored)
{
    ngx_uint_t                 i;
    ngx_ws_chat_live_item_t   *it;
    ngx_ws_chat_live_batch_t  *b;

    b = &n->batch;

    for (i = 0; i < b->nitems; i++) {
        it = &b->items[i];

        if (it->record.data == NULL) {
            continue;
        }

        if (stored && it->append) {
            ngx_ws_chat_live_record(n->live, &b->targets[it->chat].chat_id,
                                    &it->record, it->dedupe.pos,
                                    it->chained ? &it->prev : NULL);
        }

        wsc_buf_free(&it->record);
    }
}


/* Nobody asks again for those whose senders are gone. */

static void
ngx_ws_chat_live_exec_break(ngx_ws_chat_live_node_t *n)
{
    ngx_uint_t  i;

    for (i = 0; i < n->batch.nitems; i++) {
        if (n->batch.items[i].record.data && n->batch.items[i].p == NULL) {
            n->live->zone->stat->counters.unrecorded++;
        }
    }

    ngx_ws_chat_live_exec_records(n, 0);
}


/* Where it is looked for, should this be all that is known of it. */

static void
ngx_ws_chat_live_exec_dedupe(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it)
{
    u_char                   buf[WSC_ID_LEN];
    ngx_ws_chat_live_cmd_t  *c;

    it->dedupe.placed = 0;
    it->dedupe.pos = it->p->entry.pos;
    it->dedupe.pos.seq--;

    c = ngx_ws_chat_live_cmd("SET");
    ngx_ws_chat_live_dedupe(c, n->live, it->p);
    ngx_ws_chat_live_text(c, buf, wsc_dedupe_print(buf, &it->dedupe));
    ngx_ws_chat_live_word(c, "PX");
    ngx_ws_chat_live_num(c, NGX_WS_CHAT_LIVE_DEDUPE);
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_queued, n);
}


/* The message as it is expected to be, or that there is one. */

static void
ngx_ws_chat_live_exec_publish(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it)
{
    wsc_str_t                   s;
    wsc_buf_t                  *b;
    ngx_ws_chat_live_cmd_t     *c;
    ngx_ws_chat_live_target_t  *t;

    t = &n->batch.targets[it->chat];

    it->told = (t->sure || t->n == 0);

    if (!it->told) {
        return;
    }

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

    if (t->sure) {
        wsc_envelope_message(b, &it->p->entry);

    } else {
        wsc_envelope_number(b, WSC_ENVELOPE_HINT, 1);
    }

    s.data = b->data;
    s.len = b->len;

    c = ngx_ws_chat_live_cmd_publish(n->live);
    ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_CHANNEL, &t->chat_id);
    ngx_ws_chat_live_str(c, &s);

    c->failed |= b->failed;
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_queued, n);
}


/*
 * Once for each chat: how long its keys live.  Whoever appends may know
 * another time than this worker; the stream outlives the epoch with all of
 * them.  What was told at a renewal lasts until the next one.
 */

static void
ngx_ws_chat_live_exec_target(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_target_t *t)
{
    u_char                    buf[20];
    ngx_ws_chat_live_cmd_t   *c;
    ngx_ws_chat_live_chat_t  *chat;

    chat = ngx_ws_chat_live_find(n->live, &t->chat_id);

    t->renew = t->fresh
               || (chat && (!chat->renewable
                            || ngx_current_msec - chat->renewed
                               >= NGX_WS_CHAT_LIVE_RENEW));

    if (t->renew) {
        c = ngx_ws_chat_live_cmd("SET");
        ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_EPOCH, &t->chat_id);
        ngx_ws_chat_live_text(c, buf, wsc_epoch_print(buf, t->epoch));

        if (t->limits.age) {
            ngx_ws_chat_live_word(c, "PX");
            ngx_ws_chat_live_num(c, t->limits.age + NGX_WS_CHAT_LIVE_SPARE);
        }

        ngx_ws_chat_live_ask(n, c, NULL, NULL);
    }

    if (t->limits.age == 0
        || (chat && !t->renew && t->epoch == chat->epoch
            && t->limits.age <= chat->age))
    {
        return;
    }

    if (t->fresh) {
        ngx_ws_chat_live_exec_life(n, t, NULL);
        return;
    }

    if (t->renew) {
        ngx_ws_chat_live_exec_life(n, t, "NX");
    }

    ngx_ws_chat_live_exec_life(n, t, "GT");
}


static void
ngx_ws_chat_live_exec_life(ngx_ws_chat_live_node_t *n,
    const ngx_ws_chat_live_target_t *t, const char *when)
{
    ngx_ws_chat_live_cmd_t  *c;

    c = ngx_ws_chat_live_cmd("PEXPIRE");
    ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_STREAM, &t->chat_id);
    ngx_ws_chat_live_num(c, t->limits.age + NGX_WS_CHAT_LIVE_LONGER);

    if (when) {
        ngx_ws_chat_live_word(c, when);
    }

    ngx_ws_chat_live_ask(n, c, NULL, NULL);
}


static void
ngx_ws_chat_live_on_exec(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    ngx_uint_t                 i, failed;
    ngx_ws_chat_live_batch_t  *b;

    if (r == NULL) {
        ngx_ws_chat_live_exec_break(n);
        return;
    }

    if (r->type != REDIS_REPLY_ARRAY) {
        ngx_ws_chat_live_exec_records(n, 0);
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

    failed = ngx_ws_chat_live_place(n, r);

    ngx_ws_chat_live_exec_records(n, 1);

    ngx_ws_chat_live_epochs(n);

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

    if (failed) {
        ngx_ws_chat_live_again(n);
        return;
    }

    n->live->stat.quick += b->quick;

    ngx_ws_chat_live_finish(n);
}


/*
 * Reads the ids that EXEC's reply tells: XADD, SET and perhaps PUBLISH for
 * each; the number of those that were not stored.
 */

static ngx_uint_t
ngx_ws_chat_live_place(ngx_ws_chat_live_node_t *n, const redisReply *r)
{
    size_t                     k;
    wsc_str_t                  id;
    ngx_uint_t                 i, failed;
    ngx_ws_chat_live_item_t   *it;
    ngx_ws_chat_live_batch_t  *b;

    b = &n->batch;
    failed = 0;

    for (i = 0, k = 0; i < b->nitems; i++) {
        it = &b->items[i];

        if (!it->append) {
            continue;
        }

        if (k < r->elements
            && ngx_ws_chat_live_reply_str(r->element[k], &id)
            && wsc_stream_id_parse(&id, &it->dedupe.pos) == WSC_OK)
        {
            it->dedupe.placed = 1;

        } else {
            ngx_ws_chat_live_undo(n, it, k < r->elements
                                         && r->element[k]->type
                                            == REDIS_REPLY_NIL);
            failed++;
        }

        k += it->told ? 3 : 2;
    }

    return failed;
}


/*
 * The stream refused it, for its epoch had ended: who took it for the quick
 * way was asleep for long.  Or it is gone, so that its epoch has to end.  The
 * message is not stored and must not seem so.
 */

static void
ngx_ws_chat_live_undo(ngx_ws_chat_live_node_t *n, ngx_ws_chat_live_item_t *it,
    ngx_uint_t gone)
{
    ngx_ws_chat_live_cmd_t     *c;
    ngx_ws_chat_live_chat_t    *chat;
    ngx_ws_chat_live_target_t  *t;

    t = &n->batch.targets[it->chat];

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "Redis did not store a message of chat \"%*s\"",
                  t->chat_id.len, t->chat_id.data);

    t->n = 0;
    it->append = 0;

    chat = ngx_ws_chat_live_find(n->live, &t->chat_id);

    if (chat) {
        chat->renewable = 0;
    }

    if (gone || !n->batch.quick) {
        c = ngx_ws_chat_live_cmd("DEL");
        ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_EPOCH, &t->chat_id);
        ngx_ws_chat_live_ask(n, c, NULL, NULL);
    }

    if (it->p) {
        it->p->sent = 0;

        c = ngx_ws_chat_live_cmd("DEL");
        ngx_ws_chat_live_dedupe(c, n->live, it->p);
        ngx_ws_chat_live_ask(n, c, NULL, NULL);
    }
}


/* What is known of the epochs from now on. */

static void
ngx_ws_chat_live_epochs(ngx_ws_chat_live_node_t *n)
{
    ngx_uint_t                  i;
    ngx_ws_chat_live_chat_t    *chat;
    ngx_ws_chat_live_batch_t   *b;
    ngx_ws_chat_live_target_t  *t;

    b = &n->batch;

    for (i = 0; i < b->ntargets; i++) {
        t = &b->targets[i];

        if (t->n == 0) {
            continue;
        }

        b->shard->seen = ngx_max(b->shard->seen, t->epoch);

        chat = t->renew ? ngx_ws_chat_live_find(n->live, &t->chat_id) : NULL;

        if (chat) {
            chat->epoch = t->epoch;
            chat->under = b->inc.epoch;
            chat->age = t->limits.age;
            chat->renewed = ngx_current_msec;
            chat->renewable = 1;
        }
    }
}


/* Its position is known: tells the next one who asks. */

static void
ngx_ws_chat_live_complete(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it)
{
    u_char                   buf[WSC_ID_LEN];
    ngx_ws_chat_live_cmd_t  *c;

    if (it->p == NULL) {
        return;
    }

    c = ngx_ws_chat_live_cmd("SET");
    ngx_ws_chat_live_dedupe(c, n->live, it->p);
    ngx_ws_chat_live_text(c, buf, wsc_dedupe_print(buf, &it->dedupe));
    ngx_ws_chat_live_word(c, "XX");
    ngx_ws_chat_live_word(c, "KEEPTTL");

    if (!c->failed) {
        (void) ngx_ws_chat_redis_later(n->command, c->n, c->words);
    }
}

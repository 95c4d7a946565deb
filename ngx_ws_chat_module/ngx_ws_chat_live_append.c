
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Sends to the stream: one transaction at a time and node, for all that came
 * up meanwhile in one of its shards.
 *
 *     WATCH inc e.. d..   MGET inc e.. d..         what is there
 *     INFO TIME, MULTI SET inc EXEC                another incarnation
 *     XREVRANGE.. TIME                             a chat without epoch
 *     XRANGE..                                     a cid stored, but where?
 *     MULTI XADD.. SET d.. PUBLISH.. EXEC          all or nothing
 *     WATCH inc   GET inc                          for the next one
 *     SET d XX..                                   some time later: positions
 *
 * What was there changed: EXEC gives nil, and it starts again.  After a break
 * the dedupe records tell what was stored.
 *
 * When inc is watched already and the epochs were renewed a moment ago, the
 * questions are left out.  PEXPIRE touches a record that is there, and only
 * that, so that a known cid makes EXEC give nil:
 *
 *     WATCH d..   PEXPIRE d..   MULTI ...
 *
 * Who publishes does not know the position yet, but expects one, see
 * core/wsc_follow.h.
 */


#include "ngx_ws_chat_live_append.h"
#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_live_durable.h"
#include "ngx_ws_chat_kafka.h"
#include "ngx_ws_chat_stat.h"
#include "core/wsc_record.h"


#define NGX_WS_CHAT_LIVE_BYTES     (256 * 1024)    /* of a transaction */
#define NGX_WS_CHAT_LIVE_PENDING   10000
#define NGX_WS_CHAT_LIVE_DEADLINE  3000            /* ms to be stored */
#define NGX_WS_CHAT_LIVE_ATTEMPTS  50
#define NGX_WS_CHAT_LIVE_RETRY     1000            /* ms, told to senders */


static void ngx_ws_chat_live_answer(ngx_ws_chat_publish_t *p, wsc_err_e err);
static void ngx_ws_chat_live_lost(ngx_ws_chat_live_t *l,
    const ngx_ws_chat_publish_t *p);
static void ngx_ws_chat_live_expire_shard(ngx_ws_chat_live_shard_t *shard,
    ngx_uint_t all);
static ngx_uint_t ngx_ws_chat_live_waits(ngx_ws_chat_live_shard_t *shard);
static void ngx_ws_chat_live_unqueue(ngx_ws_chat_live_shard_t *shard);
static void ngx_ws_chat_live_begin(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_shard_t *shard);
static void ngx_ws_chat_live_start(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_shard_t *shard);
static void ngx_ws_chat_live_gather(ngx_ws_chat_live_node_t *n);
static ngx_uint_t ngx_ws_chat_live_twice(ngx_ws_chat_live_batch_t *b,
    const ngx_ws_chat_publish_t *p);
static ngx_uint_t ngx_ws_chat_live_target(ngx_ws_chat_live_node_t *n,
    const ngx_ws_chat_publish_t *p);
static void ngx_ws_chat_live_found(ngx_ws_chat_live_node_t *n,
    const ngx_ws_chat_publish_t *p, wsc_pos_t pos);
static void ngx_ws_chat_live_fail(ngx_ws_chat_live_node_t *n, wsc_err_e err);
static void ngx_ws_chat_live_put_back(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_pause(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_append_up(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_append_down(ngx_ws_chat_redis_t *rc,
    const char *reason);


const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_append_ops = {
    ngx_ws_chat_live_append_up,
    ngx_ws_chat_live_append_down,
    NULL,
    NULL
};


/* sends */

void
ngx_ws_chat_live_publish(ngx_ws_chat_publish_t *p)
{
    ngx_ws_chat_live_t        *l;
    ngx_ws_chat_live_shard_t  *shard;

    l = p->zone->data;
    shard = ngx_ws_chat_live_shard(l, &p->chat_id);

    p->sent = 0;
    p->doubt = 0;

    if (ngx_ws_chat_live_stale(shard) || l->exiting) {
        ngx_ws_chat_live_answer(p, WSC_ERR_UNAVAILABLE);
        return;
    }

    if (l->stat.pending >= NGX_WS_CHAT_LIVE_PENDING) {
        ngx_ws_chat_live_answer(p, WSC_ERR_OVERLOADED);
        return;
    }

    p->deadline = ngx_current_msec + NGX_WS_CHAT_LIVE_DEADLINE;

    ngx_queue_insert_tail(&shard->pending, &p->queue);
    l->stat.pending++;

    ngx_ws_chat_live_queue(shard);
}


void
ngx_ws_chat_live_cancel_publish(ngx_ws_chat_publish_t *p)
{
    ngx_uint_t                 i;
    ngx_ws_chat_live_t        *l;
    ngx_ws_chat_live_batch_t  *b;
    ngx_ws_chat_live_shard_t  *shard;

    l = p->zone->data;
    shard = ngx_ws_chat_live_shard(l, &p->chat_id);
    b = shard->at ? &shard->at->batch : NULL;

    l->stat.pending--;
    ngx_ws_chat_live_lost(l, p);

    for (i = 0; b && i < b->nitems; i++) {
        if (b->items[i].p == p) {
            b->items[i].p = NULL;
            return;
        }
    }

    ngx_queue_remove(&p->queue);
}


static void
ngx_ws_chat_live_answer(ngx_ws_chat_publish_t *p, wsc_err_e err)
{
    p->err = err;
    p->retry_ms = (err == WSC_ERR_NONE)
                  ? 0
                  : NGX_WS_CHAT_LIVE_RETRY
                    + ngx_random() % NGX_WS_CHAT_LIVE_RETRY;

    if (err != WSC_ERR_NONE) {
        p->known = 0;
        p->dup = 0;
    }

    p->done(p);
}


/* What may be stored since a break is not recorded, then. */

static void
ngx_ws_chat_live_lost(ngx_ws_chat_live_t *l, const ngx_ws_chat_publish_t *p)
{
    if (p->doubt && l->zone->kafka) {
        l->zone->stat->counters.unrecorded++;
    }
}


void
ngx_ws_chat_live_expire(ngx_ws_chat_live_t *l, ngx_uint_t all)
{
    ngx_uint_t  i;

    for (i = 0; i < l->nshards && l->stat.pending; i++) {
        ngx_ws_chat_live_expire_shard(&l->shards[i], all);
    }
}


static void
ngx_ws_chat_live_expire_shard(ngx_ws_chat_live_shard_t *shard, ngx_uint_t all)
{
    ngx_queue_t            *q;
    ngx_ws_chat_publish_t  *p;

    /* who is told may call off others: each time from the start */

    while (!ngx_queue_empty(&shard->pending)) {
        q = ngx_queue_head(&shard->pending);
        p = ngx_queue_data(q, ngx_ws_chat_publish_t, queue);

        if (!all && (ngx_msec_int_t) (p->deadline - ngx_current_msec) > 0) {
            return;
        }

        ngx_queue_remove(q);
        shard->live->stat.pending--;
        ngx_ws_chat_live_lost(shard->live, p);

        ngx_ws_chat_live_answer(p, p->doubt ? WSC_ERR_UNKNOWN
                                            : WSC_ERR_UNAVAILABLE);
    }
}


void
ngx_ws_chat_live_queue(ngx_ws_chat_live_shard_t *shard)
{
    ngx_ws_chat_live_node_t  *n;

    n = shard->node;

    if (shard->paused || shard->live->exiting) {
        /* at the end the node may be gone before its shards */
        return;
    }

    if (!shard->queued) {
        shard->queued = 1;
        ngx_queue_insert_tail(&n->ready, &shard->queue);
    }

    if (!n->flush.posted) {
        ngx_post_event(&n->flush, &ngx_posted_events);
    }
}


/* 1: it has sends or changes. */

static ngx_uint_t
ngx_ws_chat_live_waits(ngx_ws_chat_live_shard_t *shard)
{
    return !ngx_queue_empty(&shard->pending)
           || !ngx_queue_empty(&shard->changes);
}


static void
ngx_ws_chat_live_unqueue(ngx_ws_chat_live_shard_t *shard)
{
    if (shard->queued) {
        shard->queued = 0;
        ngx_queue_remove(&shard->queue);
    }
}


void
ngx_ws_chat_live_append_moved(ngx_ws_chat_live_shard_t *shard,
    ngx_ws_chat_live_node_t *node)
{
    ngx_ws_chat_live_unqueue(shard);

    shard->node = node;
    shard->paused = 0;

    if (ngx_ws_chat_live_waits(shard)) {
        ngx_ws_chat_live_queue(shard);
    }
}


void
ngx_ws_chat_live_flush(ngx_event_t *ev)
{
    ngx_queue_t               *q;
    ngx_ws_chat_live_node_t   *n;
    ngx_ws_chat_live_shard_t  *shard;

    n = ev->data;

    if (n->batch.busy || !n->live->agreed
        || !ngx_ws_chat_redis_is_up(n->append))
    {
        return;
    }

    for (q = ngx_queue_head(&n->ready);
         q != ngx_queue_sentinel(&n->ready);
         q = ngx_queue_head(&n->ready))
    {
        shard = ngx_queue_data(q, ngx_ws_chat_live_shard_t, queue);

        ngx_ws_chat_live_unqueue(shard);

        if (shard->at == NULL && ngx_ws_chat_live_waits(shard)) {
            ngx_ws_chat_live_begin(n, shard);
            return;
        }

        /* what another node has under way for it queues it again */
    }
}


/* the transaction */

/* Of changes and sends, if there are both, one after the other. */

static void
ngx_ws_chat_live_begin(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_shard_t *shard)
{
    shard->turn = !ngx_queue_empty(&shard->changes)
                  && (ngx_queue_empty(&shard->pending) || !shard->turn);

    if (shard->turn) {
        ngx_ws_chat_live_change_start(n, shard);

    } else {
        ngx_ws_chat_live_start(n, shard);
    }
}


static void
ngx_ws_chat_live_start(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_shard_t *shard)
{
    ngx_ws_chat_live_batch_t  *b;

    b = &n->batch;

    b->shard = shard;
    b->attempts = 0;
    b->busy = 1;

    shard->at = n;

    ngx_ws_chat_live_gather(n);

    if (ngx_ws_chat_live_quick(n) != NGX_OK) {
        ngx_ws_chat_live_watch(n);
    }
}


static void
ngx_ws_chat_live_gather(ngx_ws_chat_live_node_t *n)
{
    size_t                     size;
    ngx_queue_t               *q;
    ngx_ws_chat_publish_t     *p;
    ngx_ws_chat_live_item_t   *it;
    ngx_ws_chat_live_batch_t  *b;

    b = &n->batch;

    b->nitems = 0;
    b->ntargets = 0;
    size = 0;

    while (!ngx_queue_empty(&b->shard->pending)
           && b->nitems < NGX_WS_CHAT_LIVE_BATCH
           && size < NGX_WS_CHAT_LIVE_BYTES)
    {
        q = ngx_queue_head(&b->shard->pending);
        p = ngx_queue_data(q, ngx_ws_chat_publish_t, queue);

        if (ngx_ws_chat_live_twice(b, p)) {
            break;
        }

        ngx_queue_remove(q);
        size += p->entry.message.data.len;

        it = &b->items[b->nitems++];
        ngx_memzero(it, sizeof(ngx_ws_chat_live_item_t));

        it->p = p;
        it->node = n;
        it->chat = ngx_ws_chat_live_target(n, p);
    }
}


/* The same cid of the same sender is among those already gathered. */

static ngx_uint_t
ngx_ws_chat_live_twice(ngx_ws_chat_live_batch_t *b,
    const ngx_ws_chat_publish_t *p)
{
    ngx_uint_t                    i;
    const ngx_ws_chat_publish_t  *o;

    for (i = 0; i < b->nitems; i++) {
        o = b->items[i].p;

        if (o->entry.cid.len == p->entry.cid.len
            && o->entry.sender.len == p->entry.sender.len
            && o->chat_id.len == p->chat_id.len
            && ngx_memcmp(o->entry.cid.data, p->entry.cid.data,
                          p->entry.cid.len) == 0
            && ngx_memcmp(o->entry.sender.data, p->entry.sender.data,
                          p->entry.sender.len) == 0
            && ngx_memcmp(o->chat_id.data, p->chat_id.data,
                          p->chat_id.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_ws_chat_live_target(ngx_ws_chat_live_node_t *n,
    const ngx_ws_chat_publish_t *p)
{
    ngx_uint_t                  i;
    ngx_ws_chat_live_batch_t   *b;
    ngx_ws_chat_live_target_t  *t;

    b = &n->batch;

    for (i = 0; i < b->ntargets; i++) {
        t = &b->targets[i];

        if (wsc_str_same(&t->chat_id, &p->chat_id)) {
            return i;
        }
    }

    t = &b->targets[b->ntargets++];
    ngx_memzero(t, sizeof(ngx_ws_chat_live_target_t));

    /* the caller's may go before the transaction is over */

    t->chat_id.data = t->name;
    t->chat_id.len = ngx_min(p->chat_id.len, WSC_MAX_CHAT_ID);
    ngx_memcpy(t->name, p->chat_id.data, t->chat_id.len);

    t->limits = p->limits;
    t->node = n;

    return i;
}


void
ngx_ws_chat_live_ask(ngx_ws_chat_live_node_t *n, ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_redis_reply_pt reply, void *data)
{
    if (ngx_ws_chat_live_send(c, n->append, reply, data) != NGX_OK) {
        ngx_ws_chat_redis_break(n->append, "out of memory");
    }
}


/* answers */

/* It is stored. */

void
ngx_ws_chat_live_known(ngx_ws_chat_live_node_t *n, ngx_ws_chat_live_item_t *it)
{
    ngx_ws_chat_publish_t  *p;

    p = it->p;

    if (p == NULL) {
        return;
    }

    it->p = NULL;
    n->live->stat.pending--;

    /* what was sent before a break is no repetition of its sender's */

    if (!it->append && p->doubt && n->live->zone->kafka) {
        if (it->dedupe.placed) {
            ngx_ws_chat_live_found(n, p, it->dedupe.pos);

        } else {
            ngx_ws_chat_live_lost(n->live, p);
        }
    }

    p->dup = (!it->append && !p->doubt);
    p->known = it->dedupe.placed;
    p->entry.pos = it->dedupe.pos;

    n->live->stat.duplicates += p->dup;

    ngx_ws_chat_live_answer(p, WSC_ERR_NONE);
}


/* It was stored before the break, which kept it from Kafka. */

static void
ngx_ws_chat_live_found(ngx_ws_chat_live_node_t *n,
    const ngx_ws_chat_publish_t *p, wsc_pos_t pos)
{
    wsc_buf_t  *b;

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_record_message(b, n->live->zone->kafka->format, &p->chat_id,
                       &p->entry);

    ngx_ws_chat_live_record(n->live, &p->chat_id, b, pos, NULL);
}


/* The same once more, for those that are left. */

void
ngx_ws_chat_live_again(ngx_ws_chat_live_node_t *n)
{
    if (++n->batch.attempts == NGX_WS_CHAT_LIVE_ATTEMPTS) {
        ngx_ws_chat_live_fail(n, WSC_ERR_UNAVAILABLE);
        return;
    }

    ngx_ws_chat_live_watch(n);
}


void
ngx_ws_chat_live_finish(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_shard_t  *shard;

    shard = n->batch.shard;

    n->batch.busy = 0;
    shard->at = NULL;

    if (ngx_ws_chat_live_waits(shard)) {
        ngx_ws_chat_live_queue(shard);
    }

    if (!ngx_queue_empty(&n->ready) && !n->flush.posted) {
        ngx_post_event(&n->flush, &ngx_posted_events);
    }
}


static void
ngx_ws_chat_live_fail(ngx_ws_chat_live_node_t *n, wsc_err_e err)
{
    ngx_uint_t              i;
    ngx_ws_chat_publish_t  *p;

    for (i = 0; i < n->batch.nitems; i++) {
        p = n->batch.items[i].p;

        if (p) {
            n->batch.items[i].p = NULL;
            n->live->stat.pending--;
            ngx_ws_chat_live_lost(n->live, p);

            ngx_ws_chat_live_answer(p, p->doubt ? WSC_ERR_UNKNOWN : err);
        }
    }

    ngx_ws_chat_live_change_fail(n, err);
    ngx_ws_chat_live_unwatch(n);
    ngx_ws_chat_live_finish(n);
}


void
ngx_ws_chat_live_on_queued(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    if (r == NULL || r->type != REDIS_REPLY_ERROR || n->batch.bare) {
        return;
    }

    n->batch.bare = 1;
    n->batch.later = ngx_ws_chat_live_later(n->live, r);
    (void) ngx_cpystrn((u_char *) n->batch.why, (u_char *) r->str,
                       sizeof(n->batch.why));
}


void
ngx_ws_chat_live_on_error(ngx_ws_chat_live_node_t *n, const redisReply *r,
    const char *what)
{
    const char  *why;

    if (n->batch.bare ? n->batch.later : ngx_ws_chat_live_later(n->live, r)) {
        ngx_ws_chat_live_pause(n);
        return;
    }

    why = n->batch.why[0] ? n->batch.why
          : r->type == REDIS_REPLY_ERROR ? r->str : "unexpected reply";

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "Redis of zone \"%V\" refused %s: %s",
                  &n->live->zone->name, what, why);

    ngx_ws_chat_live_fail(n, WSC_ERR_UNAVAILABLE);
}


/* the connection */

static void
ngx_ws_chat_live_append_up(ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_live_node_t  *n;

    n = ngx_ws_chat_redis_data(rc);

    ngx_memzero(n->replid, WSC_REPLID_LEN);
    n->armed = NULL;
    n->arming = 0;

    ngx_ws_chat_live_listens(n);

    if (!n->flush.posted) {
        ngx_post_event(&n->flush, &ngx_posted_events);
    }
}


static void
ngx_ws_chat_live_append_down(ngx_ws_chat_redis_t *rc, const char *reason)
{
    ngx_ws_chat_live_append_lost(ngx_ws_chat_redis_data(rc));
}


void
ngx_ws_chat_live_append_lost(ngx_ws_chat_live_node_t *n)
{
    if (n->batch.busy) {
        ngx_ws_chat_live_put_back(n);
        ngx_ws_chat_live_finish(n);
    }

    ngx_ws_chat_live_map_want(n->live);
}


/* It is decided anew, by what there is then. */

static void
ngx_ws_chat_live_put_back(ngx_ws_chat_live_node_t *n)
{
    ngx_uint_t                 i;
    ngx_ws_chat_publish_t     *p;
    ngx_ws_chat_live_batch_t  *b;

    b = &n->batch;

    ngx_ws_chat_live_change_put_back(n);

    for (i = b->nitems; i > 0; i--) {
        p = b->items[i - 1].p;

        if (p) {
            b->items[i - 1].p = NULL;

            p->doubt |= p->sent;
            p->sent = 0;

            ngx_queue_insert_head(&b->shard->pending, &p->queue);
        }
    }
}


/* The slot is another node's, or moves, or the Cluster is down. */

static void
ngx_ws_chat_live_pause(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_put_back(n);

    n->batch.shard->paused = 1;

    ngx_ws_chat_live_unwatch(n);
    ngx_ws_chat_live_finish(n);
}


void
ngx_ws_chat_live_append_tick(ngx_ws_chat_live_t *l)
{
    ngx_uint_t  i;

    for (i = 0; i < l->nshards; i++) {
        if (l->shards[i].paused) {
            l->shards[i].paused = 0;
            ngx_ws_chat_live_queue(&l->shards[i]);
        }
    }
}

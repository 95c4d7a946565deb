
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A change of a message, in a transaction of its own on the connection for
 * appends, in turns with these.
 *
 *     WATCH u.. s..   HGET u ID   XRANGE s ID ID   PTTL s   HLEN u
 *     XREVRANGE s                                  whose is it, what is it
 *     MULTI HSET u ID.. PEXPIRE u.. PUBLISH.. EXEC
 *
 * Where the head was is part of it, so the stream is watched, too; in a chat
 * where so much is sent that this fails, the place stays unknown, which only
 * means that who resumes is told of it once more.
 */


#include "ngx_ws_chat_live_append.h"
#include "ngx_ws_chat_live_archive.h"
#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_live_durable.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_stat.h"
#include "core/wsc_event.h"
#include "core/wsc_record.h"
#include "core/wsc_sweep.h"


#define NGX_WS_CHAT_LIVE_CHANGE_TIME   3000       /* ms to be stored */
#define NGX_WS_CHAT_LIVE_CHANGE_RETRY  1000       /* ms, told to clients */
#define NGX_WS_CHAT_LIVE_CHANGE_PLACE  3          /* tries to know the head */
#define NGX_WS_CHAT_LIVE_CHANGE_TRIES  50
#define NGX_WS_CHAT_LIVE_CHANGE_MAX    10000      /* that wait, of a shard */
#define NGX_WS_CHAT_LIVE_CHANGE_SWEEP  64         /* changes between looks for
                                                     those of what is gone */


/* Looks for changes of messages that are not in the stream any more. */

typedef struct {
    ngx_ws_chat_live_t              *live;
    wsc_sweep_t                      sweep;
    u_char                           name[WSC_MAX_CHAT_ID];
    wsc_str_t                        chat_id;
} ngx_ws_chat_live_sweep_t;


static void ngx_ws_chat_live_change_ask(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_change_words(ngx_ws_chat_live_cmd_t *cmd,
    ngx_ws_chat_live_node_t *n, u_char kind);
static void ngx_ws_chat_live_change_id(ngx_ws_chat_live_cmd_t *cmd,
    wsc_pos_t pos);
static void ngx_ws_chat_live_change_on_mine(void *data, const redisReply *r);
static void ngx_ws_chat_live_change_on_entry(void *data, const redisReply *r);
static void ngx_ws_chat_live_change_on_life(void *data, const redisReply *r);
static void ngx_ws_chat_live_change_on_count(void *data, const redisReply *r);
static void ngx_ws_chat_live_change_on_head(void *data, const redisReply *r);
static void ngx_ws_chat_live_change_exec(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_change_note(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_change_record(ngx_ws_chat_live_node_t *n,
    ngx_uint_t stored);
static void ngx_ws_chat_live_change_life(ngx_ws_chat_live_node_t *n,
    const char *when);
static void ngx_ws_chat_live_change_on_exec(void *data, const redisReply *r);
static void ngx_ws_chat_live_change_end(ngx_ws_chat_live_node_t *n,
    wsc_err_e err);
static void ngx_ws_chat_live_change_expire_shard(
    ngx_ws_chat_live_shard_t *shard, ngx_uint_t all);
static void ngx_ws_chat_live_sweep(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_sweep_on_first(void *data, const redisReply *r);
static void ngx_ws_chat_live_sweep_on_changes(void *data,
    const redisReply *r);
static ngx_uint_t ngx_ws_chat_live_sweep_drops(ngx_ws_chat_live_sweep_t *sw,
    const redisReply *r, wsc_pos_t *pos);


/* Redis does not keep all of a durable chat. */

ngx_uint_t
ngx_ws_chat_live_erases(ngx_ws_chat_live_t *l)
{
    return !l->zone->durable || ngx_ws_chat_live_archive_is(l->zone);
}


void
ngx_ws_chat_live_change(ngx_ws_chat_change_t *c)
{
    ngx_ws_chat_live_t        *l;
    ngx_ws_chat_live_shard_t  *shard;

    l = c->zone->data;
    shard = ngx_ws_chat_live_shard(l, &c->chat_id);

    c->sent = 0;
    c->doubt = 0;
    c->dup = 0;

    if (l->zone->durable || c->bare) {
        ngx_ws_chat_live_revise(c);
        return;
    }

    if (ngx_ws_chat_live_stale(shard) || l->exiting) {
        ngx_ws_chat_live_change_answer(c, WSC_ERR_UNAVAILABLE);
        return;
    }

    if (shard->nchanges >= NGX_WS_CHAT_LIVE_CHANGE_MAX) {
        ngx_ws_chat_live_change_answer(c, WSC_ERR_OVERLOADED);
        return;
    }

    c->deadline = ngx_current_msec + NGX_WS_CHAT_LIVE_CHANGE_TIME;

    ngx_queue_insert_tail(&shard->changes, &c->queue);
    shard->nchanges++;

    ngx_ws_chat_live_queue(shard);
}


void
ngx_ws_chat_live_cancel_change(ngx_ws_chat_change_t *c)
{
    ngx_ws_chat_live_shard_t  *shard;

    if (c->zone->durable || c->bare) {
        ngx_ws_chat_live_cancel_revise(c);
        return;
    }

    shard = ngx_ws_chat_live_shard(c->zone->data, &c->chat_id);

    if (shard->at && shard->at->change.c == c) {
        shard->at->change.c = NULL;
        return;
    }

    ngx_queue_remove(&c->queue);
    shard->nchanges--;
}


void
ngx_ws_chat_live_change_answer(ngx_ws_chat_change_t *c, wsc_err_e err)
{
    c->err = err;
    c->retry_ms = wsc_err_temporary(err)
                  ? NGX_WS_CHAT_LIVE_CHANGE_RETRY
                    + ngx_random() % NGX_WS_CHAT_LIVE_CHANGE_RETRY
                  : 0;

    c->done(c);
}


void
ngx_ws_chat_live_change_start(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_shard_t *shard)
{
    ngx_queue_t           *q;
    ngx_ws_chat_change_t  *c;

    q = ngx_queue_head(&shard->changes);
    c = ngx_queue_data(q, ngx_ws_chat_change_t, queue);

    ngx_queue_remove(q);
    shard->nchanges--;
    shard->at = n;

    n->batch.shard = shard;
    n->batch.attempts = 0;
    n->batch.nitems = 0;
    n->batch.ntargets = 0;
    n->batch.busy = 1;

    /* the caller's may go before the transaction is over */

    n->change.c = c;
    n->change.chat_id.data = n->change.name;
    n->change.chat_id.len = ngx_min(c->chat_id.len, WSC_MAX_CHAT_ID);
    ngx_memcpy(n->change.name, c->chat_id.data, n->change.chat_id.len);

    ngx_ws_chat_live_change_ask(n);
}


static void
ngx_ws_chat_live_change_ask(ngx_ws_chat_live_node_t *n)
{
    wsc_pos_t                pos;
    ngx_ws_chat_live_cmd_t  *cmd;

    pos = n->change.c->change.pos;

    n->armed = NULL;
    n->batch.bare = 0;
    n->batch.later = 0;
    n->batch.why[0] = '\0';
    n->change.err = WSC_ERR_NOT_FOUND;
    n->change.gone = 0;

    cmd = ngx_ws_chat_live_cmd("WATCH");
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_CHANGES);

    if (n->batch.attempts < NGX_WS_CHAT_LIVE_CHANGE_PLACE) {
        ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_STREAM);
    }

    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_on_queued, n);

    cmd = ngx_ws_chat_live_cmd("HGET");
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_CHANGES);
    ngx_ws_chat_live_change_id(cmd, pos);
    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_change_on_mine, n);

    cmd = ngx_ws_chat_live_cmd("XRANGE");
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_STREAM);
    ngx_ws_chat_live_change_id(cmd, pos);
    ngx_ws_chat_live_change_id(cmd, pos);
    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_change_on_entry, n);

    cmd = ngx_ws_chat_live_cmd("PTTL");
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_STREAM);
    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_change_on_life, n);

    cmd = ngx_ws_chat_live_cmd("HLEN");
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_CHANGES);
    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_change_on_count, n);

    cmd = ngx_ws_chat_live_cmd("XREVRANGE");
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_STREAM);
    ngx_ws_chat_live_word(cmd, "+");
    ngx_ws_chat_live_word(cmd, "-");
    ngx_ws_chat_live_word(cmd, "COUNT");
    ngx_ws_chat_live_word(cmd, "1");
    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_change_on_head, n);
}


static void
ngx_ws_chat_live_change_words(ngx_ws_chat_live_cmd_t *cmd,
    ngx_ws_chat_live_node_t *n, u_char kind)
{
    ngx_ws_chat_live_key(cmd, n->live, kind, &n->change.chat_id);
}


/* Both the id of the entry and the field of what became of it. */

static void
ngx_ws_chat_live_change_id(ngx_ws_chat_live_cmd_t *cmd, wsc_pos_t pos)
{
    u_char  buf[WSC_ID_LEN];

    /* no message is there */

    if (pos.seq == 0) {
        pos.epoch = 0;
        pos.seq = 2;
    }

    ngx_ws_chat_live_text(cmd, buf, wsc_stream_id_print(buf, pos));
}


/* answers */

static void
ngx_ws_chat_live_change_on_mine(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    wsc_str_t       s;
    wsc_envelope_t  v;

    ngx_ws_chat_live_on_queued(n, r);

    if (r && ngx_ws_chat_live_reply_str(r, &s)
        && wsc_envelope_is(&ngx_ws_chat_alloc, &s, WSC_ENVELOPE_CHANGE, &v))
    {
        n->change.gone = v.change.retracted;
    }
}


static void
ngx_ws_chat_live_change_on_entry(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    wsc_entry_t            e;
    ngx_ws_chat_change_t  *c;

    ngx_ws_chat_live_on_queued(n, r);

    c = n->change.c;

    if (c == NULL || r == NULL || r->type != REDIS_REPLY_ARRAY
        || r->elements == 0
        || ngx_ws_chat_live_reply_entry(n->live, r->element[0], &e) != NGX_OK
        || ngx_ws_chat_live_old(&c->limits, e.timestamp))
    {
        return;
    }

    if (!c->any && !wsc_str_same(&e.sender, &c->change.by)) {
        n->change.err = WSC_ERR_FORBIDDEN;
        return;
    }

    n->change.err = WSC_ERR_NONE;
}


ngx_uint_t
ngx_ws_chat_live_old(const wsc_shmlog_limits_t *limits, uint64_t timestamp)
{
    return limits->age && timestamp + limits->age < ngx_ws_chat_now();
}


/* How long the stream lives at most, as far as it is known. */

static void
ngx_ws_chat_live_change_on_life(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    ngx_ws_chat_live_on_queued(n, r);

    n->change.forever = (r && r->type == REDIS_REPLY_INTEGER
                         && r->integer == -1);
    n->change.life = (r && r->type == REDIS_REPLY_INTEGER && r->integer > 0)
                     ? (uint64_t) r->integer : 0;
    n->change.life = ngx_max(n->change.life, n->live->zone->keep)
                     + NGX_WS_CHAT_LIVE_LONGER;
}


static void
ngx_ws_chat_live_change_on_count(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    ngx_ws_chat_live_on_queued(n, r);

    n->change.count = (r && r->type == REDIS_REPLY_INTEGER)
                      ? (ngx_uint_t) r->integer : 0;
}


/* The last answer: all is known. */

static void
ngx_ws_chat_live_change_on_head(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    ngx_ws_chat_change_t  *c;

    if (r == NULL) {
        return;
    }

    ngx_ws_chat_live_on_queued(n, r);

    if (n->batch.bare) {
        ngx_ws_chat_live_on_error(n, r, "a change");
        return;
    }

    c = n->change.c;

    if (c == NULL) {
        ngx_ws_chat_live_change_end(n, WSC_ERR_NONE);
        return;
    }

    if (n->change.err == WSC_ERR_NONE && n->change.gone) {
        c->dup = c->change.retracted;
        n->change.err = c->dup ? WSC_ERR_NONE : WSC_ERR_NOT_FOUND;

        if (c->dup) {
            /* the one before it may not have got to Kafka */
            ngx_ws_chat_live_change_note(n);
            ngx_ws_chat_live_change_record(n, 1);
        }

    } else if (n->change.err == WSC_ERR_NONE) {
        ngx_memzero(&c->change.at, sizeof(wsc_pos_t));

        if (n->batch.attempts < NGX_WS_CHAT_LIVE_CHANGE_PLACE) {
            c->change.at = ngx_ws_chat_live_reply_head(r);
        }

        ngx_ws_chat_live_change_exec(n);
        return;
    }

    ngx_ws_chat_live_change_end(n, n->change.err);
}


static void
ngx_ws_chat_live_change_exec(ngx_ws_chat_live_node_t *n)
{
    wsc_str_t                s;
    wsc_buf_t               *b;
    ngx_ws_chat_live_cmd_t  *cmd;

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_envelope_change(b, &n->change.c->change);

    s.data = b->data;
    s.len = b->len;

    ngx_ws_chat_live_ask(n, ngx_ws_chat_live_cmd("MULTI"), NULL, NULL);

    cmd = ngx_ws_chat_live_cmd("HSET");
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_CHANGES);
    ngx_ws_chat_live_change_id(cmd, n->change.c->change.pos);
    ngx_ws_chat_live_str(cmd, &s);
    cmd->failed |= b->failed;
    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_on_queued, n);

    if (n->change.forever) {
        cmd = ngx_ws_chat_live_cmd("PERSIST");
        ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_CHANGES);
        ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_on_queued, n);

    } else {
        ngx_ws_chat_live_change_life(n, "NX");
        ngx_ws_chat_live_change_life(n, "GT");
    }

    cmd = ngx_ws_chat_live_cmd_publish(n->live);
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_CHANNEL);
    ngx_ws_chat_live_str(cmd, &s);
    cmd->failed |= b->failed;
    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_on_queued, n);

    n->change.c->sent = 1;
    ngx_ws_chat_live_change_note(n);

    ngx_ws_chat_live_ask(n, ngx_ws_chat_live_cmd("EXEC"),
                         ngx_ws_chat_live_change_on_exec, n);

    ngx_ws_chat_live_arm(n);
}


/* What goes to Kafka, whatever becomes of the caller. */

static void
ngx_ws_chat_live_change_note(ngx_ws_chat_live_node_t *n)
{
    wsc_buf_t             *b;
    ngx_ws_chat_change_t  *c;

    c = n->change.c;

    if (c->zone->kafka == NULL) {
        return;
    }

    b = &n->change.record;
    wsc_buf_init(b, &ngx_ws_chat_alloc);
    wsc_record_change(b, c->zone->kafka->format, &c->chat_id, &c->change,
                      c->any);
}


static void
ngx_ws_chat_live_change_record(ngx_ws_chat_live_node_t *n, ngx_uint_t stored)
{
    wsc_buf_t  *b;

    b = &n->change.record;

    if (b->alloc == NULL) {
        return;
    }

    if (stored) {
        ngx_ws_chat_live_record_change(n->live, &n->change.chat_id, b);
    }

    wsc_buf_free(b);
    ngx_memzero(b, sizeof(wsc_buf_t));
}


/* They outlive all that they change, else that would be as it was. */

static void
ngx_ws_chat_live_change_life(ngx_ws_chat_live_node_t *n, const char *when)
{
    ngx_ws_chat_live_cmd_t  *cmd;

    cmd = ngx_ws_chat_live_cmd("PEXPIRE");
    ngx_ws_chat_live_change_words(cmd, n, NGX_WS_CHAT_LIVE_CHANGES);
    ngx_ws_chat_live_num(cmd, n->change.life);
    ngx_ws_chat_live_word(cmd, when);
    ngx_ws_chat_live_ask(n, cmd, ngx_ws_chat_live_on_queued, n);
}


static void
ngx_ws_chat_live_change_on_exec(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    ngx_ws_chat_change_t  *c;

    if (r == NULL) {
        return;
    }

    c = n->change.c;

    if (c && r->type != REDIS_REPLY_ARRAY) {
        c->sent = 0;
    }

    ngx_ws_chat_live_change_record(n, r->type == REDIS_REPLY_ARRAY);

    if (r->type == REDIS_REPLY_NIL) {

        if (c && ++n->batch.attempts < NGX_WS_CHAT_LIVE_CHANGE_TRIES) {
            ngx_ws_chat_live_change_ask(n);
            return;
        }

        ngx_ws_chat_live_change_end(n, WSC_ERR_UNAVAILABLE);
        return;
    }

    if (r->type != REDIS_REPLY_ARRAY) {
        ngx_ws_chat_live_on_error(n, r, "EXEC");
        return;
    }

    if ((n->change.count + 1) % NGX_WS_CHAT_LIVE_CHANGE_SWEEP == 0) {
        ngx_ws_chat_live_sweep(n);
    }

    ngx_ws_chat_live_change_end(n, WSC_ERR_NONE);
}


/* It is over, with nothing watched but what the next transaction needs. */

static void
ngx_ws_chat_live_change_end(ngx_ws_chat_live_node_t *n, wsc_err_e err)
{
    ngx_ws_chat_live_change_fail(n, err);
    ngx_ws_chat_live_unwatch(n);
    ngx_ws_chat_live_finish(n);
}


void
ngx_ws_chat_live_change_fail(ngx_ws_chat_live_node_t *n, wsc_err_e err)
{
    ngx_ws_chat_change_t  *c;

    c = n->change.c;
    ngx_ws_chat_live_change_record(n, 0);

    if (c) {
        n->change.c = NULL;
        ngx_ws_chat_live_change_answer(c, (c->doubt && wsc_err_temporary(err))
                                          ? WSC_ERR_UNKNOWN : err);
    }
}


/* To do it twice does no harm. */

void
ngx_ws_chat_live_change_put_back(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_change_t  *c;

    c = n->change.c;

    if (c == NULL && n->change.record.alloc) {
        /* it may be stored, and nobody asks again */
        n->live->zone->stat->counters.unrecorded++;
    }

    ngx_ws_chat_live_change_record(n, 0);

    if (c) {
        n->change.c = NULL;

        c->doubt |= c->sent;
        c->sent = 0;

        ngx_queue_insert_head(&n->batch.shard->changes, &c->queue);
        n->batch.shard->nchanges++;
    }
}


void
ngx_ws_chat_live_change_expire(ngx_ws_chat_live_t *l, ngx_uint_t all)
{
    ngx_uint_t  i;

    for (i = 0; i < l->nshards; i++) {
        ngx_ws_chat_live_change_expire_shard(&l->shards[i], all);
    }
}


static void
ngx_ws_chat_live_change_expire_shard(ngx_ws_chat_live_shard_t *shard,
    ngx_uint_t all)
{
    ngx_queue_t           *q;
    ngx_ws_chat_change_t  *c;

    /* who is told may call off others: each time from the start */

    while (!ngx_queue_empty(&shard->changes)) {
        q = ngx_queue_head(&shard->changes);
        c = ngx_queue_data(q, ngx_ws_chat_change_t, queue);

        if (!all && (ngx_msec_int_t) (c->deadline - ngx_current_msec) > 0) {
            return;
        }

        ngx_queue_remove(q);
        shard->nchanges--;

        if (c->doubt && c->zone->kafka) {
            /* it may be stored */
            c->zone->stat->counters.unrecorded++;
        }

        ngx_ws_chat_live_change_answer(c, c->doubt ? WSC_ERR_UNKNOWN
                                                   : WSC_ERR_UNAVAILABLE);
    }
}


/* what is gone */

static void
ngx_ws_chat_live_sweep(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_cmd_t    *cmd;
    ngx_ws_chat_live_sweep_t  *sw;

    sw = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_live_sweep_t));
    if (sw == NULL) {
        return;
    }

    ngx_memzero(sw, sizeof(ngx_ws_chat_live_sweep_t));

    sw->live = n->live;
    sw->chat_id.data = sw->name;
    sw->chat_id.len = n->change.chat_id.len;
    ngx_memcpy(sw->name, n->change.name, sw->chat_id.len);

    cmd = ngx_ws_chat_live_cmd("XRANGE");
    ngx_ws_chat_live_key(cmd, n->live, NGX_WS_CHAT_LIVE_STREAM, &sw->chat_id);
    ngx_ws_chat_live_word(cmd, "-");
    ngx_ws_chat_live_word(cmd, "+");
    ngx_ws_chat_live_word(cmd, "COUNT");
    ngx_ws_chat_live_word(cmd, "1");

    if (ngx_ws_chat_live_send(cmd, n->command, ngx_ws_chat_live_sweep_on_first,
                              sw)
        != NGX_OK)
    {
        wsc_free(&ngx_ws_chat_alloc, sw);
    }
}


static void
ngx_ws_chat_live_sweep_on_first(void *data, const redisReply *r)
{
    ngx_ws_chat_live_sweep_t *sw = data;

    wsc_entry_t              e;
    ngx_ws_chat_live_cmd_t  *cmd;

    ngx_memzero(&e, sizeof(wsc_entry_t));

    if (r && r->type == REDIS_REPLY_ARRAY && r->elements) {
        (void) ngx_ws_chat_live_reply_entry(sw->live, r->element[0], &e);
    }

    sw->sweep.first = e.pos;
    sw->sweep.from = e.prev;
    sw->sweep.now = ngx_ws_chat_now();
    sw->sweep.age = ngx_ws_chat_live_archive_is(sw->live->zone)
                    ? sw->live->zone->keep : 0;

    if (e.pos.seq) {
        cmd = ngx_ws_chat_live_cmd("HVALS");
        ngx_ws_chat_live_key(cmd, sw->live, NGX_WS_CHAT_LIVE_CHANGES,
                             &sw->chat_id);

        if (ngx_ws_chat_live_send(cmd,
                                  ngx_ws_chat_live_command_for(sw->live,
                                                               &sw->chat_id),
                                  ngx_ws_chat_live_sweep_on_changes, sw)
            == NGX_OK)
        {
            return;
        }
    }

    wsc_free(&ngx_ws_chat_alloc, sw);
}


static void
ngx_ws_chat_live_sweep_on_changes(void *data, const redisReply *r)
{
    ngx_ws_chat_live_sweep_t *sw = data;

    size_t                   i;
    wsc_pos_t                pos;
    ngx_uint_t               n;
    ngx_ws_chat_live_cmd_t  *cmd;

    n = 0;
    cmd = ngx_ws_chat_live_cmd("HDEL");
    ngx_ws_chat_live_key(cmd, sw->live, NGX_WS_CHAT_LIVE_CHANGES,
                         &sw->chat_id);

    for (i = 0; r && r->type == REDIS_REPLY_ARRAY && i < r->elements
                && n < NGX_WS_CHAT_LIVE_CHANGE_SWEEP * 2; i++)
    {
        if (ngx_ws_chat_live_sweep_drops(sw, r->element[i], &pos)) {
            ngx_ws_chat_live_change_id(cmd, pos);
            n++;
        }
    }

    if (n) {
        (void) ngx_ws_chat_live_send(cmd,
                                     ngx_ws_chat_live_command_for(sw->live,
                                                              &sw->chat_id),
                                     NULL, NULL);
    }

    wsc_free(&ngx_ws_chat_alloc, sw);
}


static ngx_uint_t
ngx_ws_chat_live_sweep_drops(ngx_ws_chat_live_sweep_t *sw,
    const redisReply *r, wsc_pos_t *pos)
{
    wsc_str_t       s;
    wsc_envelope_t  v;

    if (ngx_ws_chat_live_reply_str(r, &s) == NULL
        || !wsc_envelope_is(&ngx_ws_chat_alloc, &s, WSC_ENVELOPE_CHANGE, &v))
    {
        return 0;
    }

    *pos = v.change.pos;

    return wsc_sweep_drops(&sw->sweep, &v.change);
}

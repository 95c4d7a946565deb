
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Where a partition stands in Redis, and transactions that depend on it.
 */


#include <stdio.h>
#include <string.h>
#include <hiredis/hiredis.h>

#include "bk_log.h"
#include "bk_relay.h"
#include "bk_relay_int.h"


static int bk_relay_empty(bk_relay_t *r, int32_t partition, uint64_t goal);
static wsc_progress_e bk_relay_decided(bk_relay_t *r, const redisReply *reply,
    uint64_t from);


bk_relay_rc_e
bk_relay_locate(bk_relay_t *r, int32_t partition, uint64_t goal,
    wsc_progress_t *p)
{
    unsigned           i;
    wsc_progress_e     what;
    const redisReply  *reply;

    /* it may be set by another one meanwhile */

    for (i = 0; i < 3; i++) {

        if (bk_redis_connect(r->redis) == -1) {
            return BK_RELAY_AGAIN;
        }

        bk_redis_begin(r->redis, "GET");
        bk_relay_word(r, partition, "progress", NULL);
        bk_redis_end(r->redis);

        reply = bk_redis_good(r->redis, "GET");
        if (reply == NULL) {
            return BK_RELAY_AGAIN;
        }

        what = bk_relay_decided(r, reply, 0);

        switch (what) {

        case WSC_PROGRESS_OK:
        case WSC_PROGRESS_DUP:
        case WSC_PROGRESS_GAP:
            *p = r->progress;
            return BK_RELAY_OK;

        case WSC_PROGRESS_NEW:
            bk_log(BK_LOG_ERROR, "Redis is of a later epoch",
                   bk_num("epoch", r->epoch),
                   bk_num("redis", r->progress.epoch));
            return BK_RELAY_OVER;

        default:
            if (bk_relay_empty(r, partition, goal) == -1) {
                return BK_RELAY_AGAIN;
            }
        }
    }

    return BK_RELAY_AGAIN;
}


/* Redis knows nothing of this partition, or of its epoch. */

static int
bk_relay_empty(bk_relay_t *r, int32_t partition, uint64_t goal)
{
    int             old;
    int64_t         low, high, committed;
    wsc_progress_t   p, had;

    had = r->progress;
    old = (had.epoch != 0);

    committed = bk_kafka_committed(r->kafka, partition);

    if (committed == -2
        || bk_kafka_range(r->kafka, partition, &low, &high) == -1)
    {
        return -1;
    }

    if (committed > high || old) {
        committed = -1;
    }

    if (committed > (int64_t) goal) {
        goal = committed;
    }

    wsc_progress_begin(&p, r->epoch, low, old ? 0 : goal, r->keep);

    if (old) {
        p.floor = had.floor ? had.floor : (uint64_t) low;
    }

    bk_log(BK_LOG_INFO, "a partition begins in Redis",
           bk_num("partition", partition), bk_num("next", p.next),
           bk_num("goal", p.goal), bk_num("first", low));

    if (p.goal > p.next) {
        bk_metric_add(&bk_relay_metrics[BK_RELAY_REBUILDS], 1);
    }

    if (!old) {
        bk_relay_set(r, partition, &p, "NX");
        return bk_redis_good(r->redis, "SET") ? 0 : -1;
    }

    if (bk_relay_decide(r, partition, 0) == BK_RELAY_AGAIN) {
        return -1;
    }

    /* what another relay did meanwhile stays */

    if (r->progress.epoch != had.epoch) {
        return 0;
    }

    bk_redis_begin(r->redis, "MULTI");
    bk_redis_end(r->redis);
    bk_relay_set(r, partition, &p, NULL);

    return (bk_relay_exec(r, 2) == BK_RELAY_AGAIN) ? -1 : 0;
}


static wsc_progress_e
bk_relay_decided(bk_relay_t *r, const redisReply *reply, uint64_t from)
{
    wsc_str_t  s;

    return wsc_progress_decide(bk_redis_str(reply, &s), r->epoch, from,
                              &r->progress);
}


bk_relay_rc_e
bk_relay_decide(bk_relay_t *r, int32_t partition, uint64_t from)
{
    const redisReply  *reply;

    bk_redis_begin(r->redis, "WATCH");
    bk_relay_word(r, partition, "progress", NULL);
    bk_redis_end(r->redis);

    bk_redis_begin(r->redis, "GET");
    bk_relay_word(r, partition, "progress", NULL);
    bk_redis_end(r->redis);

    if (bk_redis_skip(r->redis, 1) == -1) {
        return BK_RELAY_AGAIN;
    }

    reply = bk_redis_good(r->redis, "GET");
    if (reply == NULL) {
        return BK_RELAY_AGAIN;
    }

    switch (bk_relay_decided(r, reply, from)) {

    case WSC_PROGRESS_OK:
        return BK_RELAY_OK;

    case WSC_PROGRESS_DUP:
        bk_metric_add(&bk_relay_metrics[BK_RELAY_STALE], 1);
        return BK_RELAY_MOVED;

    case WSC_PROGRESS_GAP:
        bk_metric_add(&bk_relay_metrics[BK_RELAY_GAPS], 1);
        return BK_RELAY_MOVED;

    default:
        return BK_RELAY_MOVED;
    }
}


void
bk_relay_set(bk_relay_t *r, int32_t partition, const wsc_progress_t *p,
    const char *flag)
{
    u_char  buf[WSC_PROGRESS_LEN];

    bk_redis_begin(r->redis, "SET");
    bk_relay_word(r, partition, "progress", NULL);
    bk_redis_octets(r->redis, buf, wsc_progress_print(buf, p));

    if (flag) {
        bk_redis_word(r->redis, flag);
    }

    bk_redis_end(r->redis);
}


bk_relay_rc_e
bk_relay_look(bk_relay_t *r, int32_t partition, uint64_t from)
{
    bk_relay_rc_e  rc;

    if (bk_redis_connect(r->redis) == -1) {
        return BK_RELAY_AGAIN;
    }

    rc = bk_relay_decide(r, partition, from);

    if (rc == BK_RELAY_AGAIN) {
        return rc;
    }

    bk_redis_begin(r->redis, "UNWATCH");
    bk_redis_end(r->redis);

    return (bk_redis_skip(r->redis, 1) == -1) ? BK_RELAY_AGAIN : rc;
}


bk_relay_rc_e
bk_relay_pass(bk_relay_t *r, int32_t partition, uint64_t from, uint64_t to)
{
    bk_relay_rc_e  rc;

    if (bk_redis_connect(r->redis) == -1) {
        return BK_RELAY_AGAIN;
    }

    rc = bk_relay_decide(r, partition, from);
    if (rc != BK_RELAY_OK) {
        return rc;
    }

    r->progress.next = to;
    r->progress.floor = to;

    bk_redis_begin(r->redis, "MULTI");
    bk_redis_end(r->redis);
    bk_relay_set(r, partition, &r->progress, NULL);

    return bk_relay_exec(r, 2);
}


bk_relay_rc_e
bk_relay_exec(bk_relay_t *r, size_t commands)
{
    size_t             i;
    const redisReply  *reply;

    bk_redis_begin(r->redis, "EXEC");
    bk_redis_end(r->redis);

    if (bk_redis_skip(r->redis, commands) == -1) {
        return BK_RELAY_AGAIN;
    }

    reply = bk_redis_good(r->redis, "EXEC");
    if (reply == NULL) {
        return BK_RELAY_AGAIN;
    }

    if (reply->type == REDIS_REPLY_NIL) {
        return BK_RELAY_MOVED;
    }

    for (i = 0; i < reply->elements; i++) {
        if (reply->element[i]->type == REDIS_REPLY_ERROR) {
            bk_log(BK_LOG_ERROR, "Redis did not take a part",
                   bk_str("error", reply->element[i]->str));
            bk_metric_add(&bk_relay_metrics[BK_RELAY_FAILED], 1);
        }
    }

    bk_metric_add(&bk_relay_metrics[BK_RELAY_TRANSACTIONS], 1);

    return BK_RELAY_OK;
}


void
bk_relay_word(bk_relay_t *r, int32_t partition, const char *kind,
    const wsc_str_t *chat_id)
{
    int   n;
    char  key[BK_RELAY_KEY];

    n = snprintf(key, sizeof(key), "%.64s{%d}:%s%s%.*s", r->prefix, partition,
                 kind, chat_id ? ":" : "", chat_id ? (int) chat_id->len : 0,
                 chat_id ? (char *) chat_id->data : "");

    bk_redis_octets(r->redis, key, n);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>
#include <string.h>
#include <hiredis/hiredis.h>

#include "wsc_envelope.h"
#include "wsc_epoch.h"
#include "wsc_number.h"
#include "bk_ask.h"
#include "bk_log.h"
#include "bk_mem.h"
#include "bk_relay.h"
#include "bk_relay_int.h"


#define BK_RELAY_ASK     2000            /* ms that batches may wait */
#define BK_RELAY_DEDUPE  86400000        /* ms */


static bk_relay_rc_e bk_relay_ask(bk_relay_t *r, int32_t partition,
    bk_relay_item_t **items, size_t n);
static bk_relay_rc_e bk_relay_heads(bk_relay_t *r, bk_relay_item_t **items,
    size_t n);
static bk_relay_rc_e bk_relay_dedupes(bk_relay_t *r, bk_relay_item_t **items,
    size_t n);
static void bk_relay_doubt(bk_relay_t *r, bk_relay_item_t **items, size_t n);
static void bk_relay_chain(bk_relay_t *r, bk_relay_item_t **items, size_t i);
static bk_relay_rc_e bk_relay_move(bk_relay_t *r, bk_relay_item_t **items,
    size_t n);
static size_t bk_relay_commands(bk_relay_t *r, int32_t partition,
    bk_relay_item_t **items, size_t n);
static int bk_relay_last(bk_relay_item_t **items, size_t i, size_t n);
static size_t bk_relay_append(bk_relay_t *r, int32_t partition,
    bk_relay_item_t *it);
static size_t bk_relay_place(bk_relay_t *r, int32_t partition,
    const bk_relay_item_t *it);
static size_t bk_relay_end(bk_relay_t *r, int32_t partition,
    const bk_relay_item_t *it);
static void bk_relay_position(bk_relay_t *r, wsc_pos_t pos);
static size_t bk_relay_settled(bk_relay_t *r, int32_t partition,
    const bk_relay_item_t *it);
static void bk_relay_dedupe(bk_relay_t *r, int32_t partition,
    const bk_record_t *record);
static void bk_relay_count(bk_relay_item_t **items, size_t n);


bk_metric_t  bk_relay_metrics[] = {
    bk_counter("records_total", "Records that were dealt with."),
    bk_counter("messages_total", "Messages appended."),
    bk_counter("duplicates_total", "Repetitions, answered by settled."),
    bk_counter("changes_total", "Messages edited or retracted."),
    bk_counter("vain_changes_total", "Changes that are repeated or not "
                                     "allowed."),
    bk_counter("refused_total", "Messages that members may not get."),
    bk_counter("bad_records_total", "Records that are no messages."),
    bk_counter("filtered_total", "Records of chats that are not ours."),
    bk_counter("misrouted_total", "Records moved to their partition."),
    bk_counter("transactions_total", "Transactions of Redis."),
    bk_counter("stale_total", "Times that another relay was faster."),
    bk_counter("gaps_total", "Times that Redis had lost its end."),
    bk_counter("rebuilds_total", "Times that Redis had lost everything."),
    bk_counter("lost_total", "Times that records were gone before."),
    bk_counter("failed_total", "Messages that a stream did not take."),
    bk_counter("untold_total", "Repetitions that history could not tell."),
    bk_gauge("partitions", "Partitions that are ours."),
    bk_gauge("lag", "Records of these that were not dealt with yet."),
    { NULL, NULL, NULL, 0, 0 }
};


bk_relay_rc_e
bk_relay_store(bk_relay_t *r, int32_t partition, uint64_t from,
    bk_relay_item_t **items, size_t n)
{
    size_t          commands;
    bk_relay_rc_e   rc;

    if (bk_redis_connect(r->redis) == -1) {
        return BK_RELAY_AGAIN;
    }

    rc = bk_relay_decide(r, partition, from);

    if (rc == BK_RELAY_OK) {
        rc = bk_relay_ask(r, partition, items, n);
    }

    if (rc == BK_RELAY_OK) {
        rc = bk_relay_move(r, items, n);
    }

    if (rc != BK_RELAY_OK) {
        return rc;
    }

    bk_relay_doubt(r, items, n);

    wsc_buf_reset(&r->octets, BK_RELAY_KEEP);

    bk_redis_begin(r->redis, "MULTI");
    bk_redis_end(r->redis);

    commands = 1 + bk_relay_commands(r, partition, items, n);

    r->progress.next = bk_kafka_offset(items[n - 1]->m) + 1;
    bk_relay_set(r, partition, &r->progress, NULL);

    rc = bk_relay_exec(r, commands + 1);

    if (rc == BK_RELAY_OK) {
        bk_relay_count(items, n);
        bk_relay_change_done(r, partition, items, n);
    }

    return rc;
}


/* What becomes of each; how many commands that are. */

static size_t
bk_relay_commands(bk_relay_t *r, int32_t partition, bk_relay_item_t **items,
    size_t n)
{
    size_t            i, commands;
    bk_relay_item_t  *it;

    commands = 0;

    /* which are repetitions has to be known of all of them first */

    for (i = 0; i < n; i++) {
        if (items[i]->append || items[i]->change) {
            bk_relay_chain(r, items, i);
        }
    }

    for (i = 0; i < n; i++) {
        it = items[i];

        if (!it->append && !it->change) {
            continue;
        }

        if (it->change) {
            if (bk_relay_change_decide(items, i)) {
                commands += bk_relay_change(r, partition, it);
            }

        } else if (it->dup) {
            commands += bk_relay_settled(r, partition, it);

        } else {
            commands += bk_relay_append(r, partition, it);

            if (bk_relay_last(items, i, n)) {
                commands += bk_relay_end(r, partition, it);
            }
        }
    }

    return commands;
}


/* 1: the batch has no later message of the chat. */

static int
bk_relay_last(bk_relay_item_t **items, size_t i, size_t n)
{
    size_t  k;

    for (k = i + 1; k < n; k++) {
        if (items[k]->append && !items[k]->dup
            && wsc_str_same(&items[k]->record.chat_id,
                            &items[i]->record.chat_id))
        {
            return 0;
        }
    }

    return 1;
}


/* The chats' last positions, and where the cids are. */

static bk_relay_rc_e
bk_relay_ask(bk_relay_t *r, int32_t partition, bk_relay_item_t **items,
    size_t n)
{
    size_t          i, heads, cids;
    bk_relay_rc_e   rc;

    heads = 0;
    cids = 0;

    bk_redis_begin(r->redis, "MGET");

    for (i = 0; i < n; i++) {
        if (items[i]->append || items[i]->change) {
            bk_relay_word(r, partition, "h", &items[i]->record.chat_id);
            heads++;
        }
    }

    if (heads == 0) {
        return BK_RELAY_OK;
    }

    bk_redis_end(r->redis);

    bk_redis_begin(r->redis, "MGET");

    for (i = 0; i < n; i++) {
        if (items[i]->append && items[i]->record.cid.len) {
            bk_relay_dedupe(r, partition, &items[i]->record);
            cids++;
        }
    }

    if (cids) {
        bk_redis_end(r->redis);
    }

    for (i = 0; i < n; i++) {
        if (items[i]->change) {
            bk_relay_change_ask(r, partition, &items[i]->record);
        }
    }

    rc = bk_relay_heads(r, items, n);

    if (rc == BK_RELAY_OK && cids) {
        rc = bk_relay_dedupes(r, items, n);
    }

    for (i = 0; i < n && rc == BK_RELAY_OK; i++) {
        if (items[i]->change) {
            rc = bk_relay_change_read(r, items[i]);
        }
    }

    return rc;
}


static bk_relay_rc_e
bk_relay_heads(bk_relay_t *r, bk_relay_item_t **items, size_t n)
{
    size_t             i, k;
    wsc_str_t          s;
    wsc_dedupe_t       d;
    const redisReply  *reply;

    reply = bk_redis_reply(r->redis);

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        bk_redis_close(r->redis);
        return BK_RELAY_AGAIN;
    }

    for (i = 0, k = 0; i < n; i++) {
        if (!items[i]->append && !items[i]->change) {
            continue;
        }

        items[i]->has_head = 0;

        if (k < reply->elements && bk_redis_str(reply->element[k], &s)
            && wsc_dedupe_parse(&s, &d) == WSC_OK)
        {
            items[i]->has_head = 1;
            items[i]->prev = d.pos;
        }

        k++;
    }

    return BK_RELAY_OK;
}


static bk_relay_rc_e
bk_relay_dedupes(bk_relay_t *r, bk_relay_item_t **items, size_t n)
{
    size_t             i, k;
    wsc_str_t          s;
    wsc_dedupe_t       d;
    const redisReply  *reply;

    reply = bk_redis_reply(r->redis);

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        bk_redis_close(r->redis);
        return BK_RELAY_AGAIN;
    }

    for (i = 0, k = 0; i < n; i++) {
        if (!items[i]->append || items[i]->record.cid.len == 0) {
            continue;
        }

        items[i]->dup = 0;

        if (k < reply->elements && bk_redis_str(reply->element[k], &s)
            && wsc_dedupe_parse(&s, &d) == WSC_OK
            && (d.pos.epoch != r->epoch
                || d.pos.seq != (uint64_t) bk_kafka_offset(items[i]->m) + 1))
        {
            items[i]->dup = 1;
            items[i]->first = d.pos;
        }

        k++;
    }

    return BK_RELAY_OK;
}


/*
 * Redis was empty once: of what may have been sent before the archive knows
 * more.  Where it does not tell in time, the archiver will, too late for
 * members: the message is new.
 */

static void
bk_relay_doubt(bk_relay_t *r, bk_relay_item_t **items, size_t n)
{
    size_t             i;
    bk_ask_e           rc;
    bk_relay_item_t   *it;

    if (!bk_ask_whom() || (r->progress.floor == 0 && r->progress.goal == 0)) {
        return;
    }

    rc = BK_ASK_UNKNOWN;

    for (i = 0; i < n; i++) {
        it = items[i];

        if (!it->append || it->dup || !it->record.retry
            || it->record.cid.len == 0)
        {
            continue;
        }

        it->pos.epoch = r->epoch;
        it->pos.seq = bk_kafka_offset(it->m) + 1;

        if (r->patience == 0) {
            r->patience = bk_ticks() + BK_RELAY_ASK;
        }

        /* who does not answer has used it up */

        if (rc != BK_ASK_AWAY) {
            rc = bk_ask(&it->record, it->pos, r->patience, &it->first);
        }

        it->dup = (rc == BK_ASK_FOUND);

        bk_metric_add(&bk_relay_metrics[BK_RELAY_UNTOLD],
                      rc == BK_ASK_UNKNOWN || rc == BK_ASK_AWAY);
    }
}


/* The item's place behind those before it in the batch. */

static void
bk_relay_chain(bk_relay_t *r, bk_relay_item_t **items, size_t i)
{
    size_t             k;
    uint64_t           offset;
    bk_relay_item_t   *it, *o;

    it = items[i];
    offset = bk_kafka_offset(it->m);

    it->pos.epoch = r->epoch;
    it->pos.seq = offset + 1;

    for (k = i; k > 0; k--) {
        o = items[k - 1];

        if (o->append && !o->dup && !it->dup && it->record.cid.len
            && wsc_str_same(&o->record.chat_id, &it->record.chat_id)
            && wsc_str_same(&o->record.sender, &it->record.sender)
            && wsc_str_same(&o->record.cid, &it->record.cid))
        {
            it->dup = 1;
            it->first = o->pos;
        }
    }

    for (k = i; k > 0; k--) {
        o = items[k - 1];

        if (o->append && !o->dup
            && wsc_str_same(&o->record.chat_id, &it->record.chat_id))
        {
            it->prev = o->pos;
            return;
        }
    }

    it->prev = wsc_progress_prev(&r->progress, it->has_head ? &it->prev : NULL,
                                offset);
}


/* Strays have to be in their own partition before this one moves on. */

static bk_relay_rc_e
bk_relay_move(bk_relay_t *r, bk_relay_item_t **items, size_t n)
{
    size_t            i;
    const wsc_str_t  *chat_id;

    for (i = 0; i < n; i++) {
        chat_id = &items[i]->record.chat_id;

        if (items[i]->stray
            && bk_kafka_out_move(r->out, items[i]->m, chat_id,
                                 wsc_shard(chat_id, r->partitions))
               == -1)
        {
            return BK_RELAY_AGAIN;
        }
    }

    return BK_RELAY_OK;
}


/* Gathers the commands of a message; how many. */

static size_t
bk_relay_append(bk_relay_t *r, int32_t partition, bk_relay_item_t *it)
{
    size_t         n;
    u_char         buf[WSC_ID_LEN];
    wsc_buf_t     *b;
    wsc_entry_t    e;
    bk_record_t   *record;

    b = &r->envelope;
    record = &it->record;

    memset(&e, 0, sizeof(wsc_entry_t));

    e.pos = it->pos;
    e.prev = it->prev;
    e.timestamp = record->timestamp;
    e.sender = record->sender;
    e.cid = record->cid;

    if (bk_record_value(record, &r->octets, &e.message) != WSC_OK) {
        bk_redis_close(r->redis);
        return 0;
    }

    wsc_buf_reset(b, BK_RELAY_KEEP);
    wsc_envelope_entry(b, &e, 1);

    bk_redis_begin(r->redis, "XADD");
    bk_relay_word(r, partition, "s", &record->chat_id);
    bk_redis_word(r->redis, "MAXLEN");
    bk_redis_word(r->redis, "~");
    bk_redis_number(r->redis, r->messages);
    bk_redis_octets(r->redis, buf, wsc_stream_id_print(buf, it->pos));
    bk_redis_word(r->redis, "m");
    bk_redis_octets(r->redis, b->data, b->len);
    bk_redis_end(r->redis);

    n = 1 + bk_relay_place(r, partition, it);

    if (it->pos.seq <= r->progress.goal) {
        return n;
    }

    wsc_buf_reset(b, BK_RELAY_KEEP);
    wsc_envelope_message(b, &e);

    bk_redis_begin(r->redis, "PUBLISH");
    bk_relay_word(r, partition, "c", &record->chat_id);
    bk_redis_octets(r->redis, b->data, b->len);
    bk_redis_end(r->redis);

    return n + 1;
}


/* Where the cid is. */

static size_t
bk_relay_place(bk_relay_t *r, int32_t partition, const bk_relay_item_t *it)
{
    if (it->record.cid.len == 0) {
        return 0;
    }

    bk_redis_begin(r->redis, "SET");
    bk_relay_dedupe(r, partition, &it->record);
    bk_relay_position(r, it->pos);
    bk_redis_word(r->redis, "PX");
    bk_redis_number(r->redis, BK_RELAY_DEDUPE);
    bk_redis_end(r->redis);

    return 1;
}


/* Where the chat ends now, and how long it lives. */

static size_t
bk_relay_end(bk_relay_t *r, int32_t partition, const bk_relay_item_t *it)
{
    bk_redis_begin(r->redis, "SET");
    bk_relay_word(r, partition, "h", &it->record.chat_id);
    bk_relay_position(r, it->pos);
    bk_redis_end(r->redis);

    bk_redis_begin(r->redis, "PEXPIRE");
    bk_relay_word(r, partition, "s", &it->record.chat_id);
    bk_redis_number(r->redis, r->age);
    bk_redis_end(r->redis);

    return 2 + bk_relay_change_live(r, partition, &it->record.chat_id);
}


static void
bk_relay_position(bk_relay_t *r, wsc_pos_t pos)
{
    u_char        buf[WSC_ID_LEN];
    wsc_dedupe_t  d;

    d.pos = pos;
    d.placed = 1;

    bk_redis_octets(r->redis, buf, wsc_dedupe_print(buf, &d));
}


/* Tells the sender of a repetition where the first one is. */

static size_t
bk_relay_settled(bk_relay_t *r, int32_t partition, const bk_relay_item_t *it)
{
    wsc_news_t   news;
    wsc_note_t   note;

    if (it->pos.seq <= r->progress.goal) {
        return 0;
    }

    memset(&news, 0, sizeof(wsc_news_t));
    memset(&note, 0, sizeof(wsc_note_t));

    note.key = it->record.cid;
    note.sender = it->record.sender;
    note.n[0] = it->first.epoch;
    note.n[1] = it->first.seq;

    news.type = WSC_NEWS_SETTLED;
    news.to = WSC_TO_CHAT;
    news.name = it->record.chat_id;
    news.notes = &note;
    news.count = 1;

    wsc_buf_reset(&r->envelope, BK_RELAY_KEEP);
    wsc_envelope_news(&r->envelope, &news);

    bk_redis_begin(r->redis, "PUBLISH");
    bk_relay_word(r, partition, "c", &it->record.chat_id);
    bk_redis_octets(r->redis, r->envelope.data, r->envelope.len);
    bk_redis_end(r->redis);

    return 1;
}


static void
bk_relay_count(bk_relay_item_t **items, size_t n)
{
    size_t        i;
    bk_metric_t  *m;

    m = bk_relay_metrics;

    for (i = 0; i < n; i++) {
        bk_metric_add(&m[BK_RELAY_RECORDS], 1);
        bk_metric_add(&m[BK_RELAY_MISROUTED], items[i]->stray);
        bk_metric_add(&m[BK_RELAY_DUPLICATES],
                      items[i]->append && items[i]->dup);
        bk_metric_add(&m[BK_RELAY_MESSAGES],
                      items[i]->append && !items[i]->dup);
        bk_metric_add(&m[BK_RELAY_CHANGES],
                      items[i]->change && !items[i]->vain);
        bk_metric_add(&m[BK_RELAY_VAIN],
                      items[i]->change && items[i]->vain);
    }
}


static void
bk_relay_dedupe(bk_relay_t *r, int32_t partition, const bk_record_t *record)
{
    int   n;
    char  key[BK_RELAY_KEY];

    n = snprintf(key, sizeof(key), "%.64s{%d}:d:%.*s %zu %.*s %.*s",
                 r->prefix, partition,
                 (int) record->chat_id.len, (char *) record->chat_id.data,
                 record->sender.len,
                 (int) record->sender.len, (char *) record->sender.data,
                 (int) record->cid.len, (char *) record->cid.data);

    bk_redis_octets(r->redis, key, n);
}

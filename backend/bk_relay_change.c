
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records of what becomes of messages.  It is kept in a hash beside the chat's
 * stream, as nodes do for live chats, and published.  What the stream still
 * has is looked at again: nobody edits what is another user's, or retracted.
 */


#include <string.h>
#include <hiredis/hiredis.h>

#include "wsc_envelope.h"
#include "wsc_epoch.h"
#include "wsc_sweep.h"
#include "bk_mem.h"
#include "bk_relay_int.h"


#define BK_RELAY_OUTLIVE  60000          /* ms that changes outlive streams */
#define BK_RELAY_SWEEP    64             /* changes between looks for those of
                                            what is gone */
#define BK_RELAY_FIELDS   128            /* dropped at a time */


static void bk_relay_change_id(bk_relay_t *r, wsc_pos_t pos);
static void bk_relay_change_mine(bk_relay_item_t *it,
    const redisReply *reply);
static void bk_relay_change_entry(bk_relay_item_t *it,
    const redisReply *reply);
static int bk_relay_change_same(const bk_record_t *record,
    const wsc_value_t *v);
static void bk_relay_change_behind(bk_relay_item_t *it,
    const bk_relay_item_t *o);
static void bk_relay_sweep(bk_relay_t *r, int32_t partition,
    const wsc_str_t *chat_id);
static void bk_relay_sweep_first(const redisReply *reply, wsc_sweep_t *s);
static size_t bk_relay_sweep_find(const redisReply *reply, wsc_sweep_t *s,
    wsc_pos_t *gone);


void
bk_relay_change_ask(bk_relay_t *r, int32_t partition,
    const bk_record_t *record)
{
    bk_redis_begin(r->redis, "HGET");
    bk_relay_word(r, partition, "u", &record->chat_id);
    bk_relay_change_id(r, record->target);
    bk_redis_end(r->redis);

    bk_redis_begin(r->redis, "XRANGE");
    bk_relay_word(r, partition, "s", &record->chat_id);
    bk_relay_change_id(r, record->target);
    bk_relay_change_id(r, record->target);
    bk_redis_end(r->redis);
}


/* Both the id of the entry and the field of what became of it. */

static void
bk_relay_change_id(bk_relay_t *r, wsc_pos_t pos)
{
    u_char  buf[WSC_ID_LEN];

    /* no message is there, and Redis takes no 0-0 */

    if (pos.epoch == 0 && pos.seq == 1) {
        pos.seq = 2;
    }

    bk_redis_octets(r->redis, buf, wsc_stream_id_print(buf, pos));
}


bk_relay_rc_e
bk_relay_change_read(bk_relay_t *r, bk_relay_item_t *it)
{
    const redisReply  *reply;

    it->theirs = 0;
    it->gone = 0;
    it->same = 0;

    reply = bk_redis_reply(r->redis);

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        /* it may be retracted */
        bk_redis_refused("HGET", reply);
        reply = NULL;
    }

    if (reply) {
        bk_relay_change_mine(it, reply);
        reply = bk_redis_reply(r->redis);
    }

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        bk_redis_close(r->redis);
        return BK_RELAY_AGAIN;
    }

    bk_relay_change_entry(it, reply);

    return BK_RELAY_OK;
}


/* What became of the message before. */

static void
bk_relay_change_mine(bk_relay_item_t *it, const redisReply *reply)
{
    wsc_str_t       s;
    wsc_envelope_t  v;

    if (bk_redis_str(reply, &s)
        && wsc_envelope_is(&bk_alloc, &s, WSC_ENVELOPE_CHANGE, &v))
    {
        it->gone = v.change.retracted;
        it->same = it->gone
                   ? it->record.op == BK_OP_RETRACT
                   : it->record.op == BK_OP_EDIT
                     && bk_relay_change_same(&it->record, &v.change.message);
    }
}


/* Whose message it is: an entry is its id and one field. */

static void
bk_relay_change_entry(bk_relay_item_t *it, const redisReply *reply)
{
    wsc_str_t          s;
    wsc_envelope_t     v;
    const redisReply  *entry;

    if (reply->elements != 1) {
        return;
    }

    entry = reply->element[0];

    if (entry->type == REDIS_REPLY_ARRAY && entry->elements == 2
        && entry->element[1]->type == REDIS_REPLY_ARRAY
        && entry->element[1]->elements == 2
        && bk_redis_str(entry->element[1]->element[1], &s)
        && wsc_envelope_is(&bk_alloc, &s, WSC_ENVELOPE_ENTRY, &v))
    {
        it->theirs = !wsc_str_same(&v.entry.sender, &it->record.sender);
    }
}


static int
bk_relay_change_same(const bk_record_t *record, const wsc_value_t *v)
{
    int          same;
    wsc_buf_t    octets;
    wsc_value_t  mine;

    wsc_buf_init(&octets, &bk_alloc);

    same = (bk_record_value(record, &octets, &mine) == WSC_OK
            && mine.binary == v->binary
            && wsc_str_same(&mine.data, &v->data));

    wsc_buf_free(&octets);

    return same;
}


int
bk_relay_change_decide(bk_relay_item_t **items, size_t i)
{
    size_t            k;
    bk_relay_item_t  *it;

    it = items[i];

    for (k = 0; k < i; k++) {
        if (wsc_str_same(&items[k]->record.chat_id, &it->record.chat_id)) {
            bk_relay_change_behind(it, items[k]);
        }
    }

    it->vain = (wsc_pos_cmp(it->record.target, it->pos) >= 0
                || (it->theirs && !it->record.moderate)
                || it->gone || it->same);

    return !it->vain;
}


/* One before it in the batch: its message, or a change of that. */

static void
bk_relay_change_behind(bk_relay_item_t *it, const bk_relay_item_t *o)
{
    if (o->append && !o->dup && wsc_pos_cmp(o->pos, it->record.target) == 0) {
        it->theirs = !wsc_str_same(&o->record.sender, &it->record.sender);
    }

    if (o->change && !o->vain
        && wsc_pos_cmp(o->record.target, it->record.target) == 0)
    {
        it->gone = (o->record.op == BK_OP_RETRACT);
        it->same = (o->record.op == it->record.op
                    && o->record.base64 == it->record.base64
                    && wsc_str_same(&o->record.message, &it->record.message));
    }
}


size_t
bk_relay_change(bk_relay_t *r, int32_t partition, bk_relay_item_t *it)
{
    wsc_buf_t     *b;
    wsc_change_t   c;
    bk_record_t   *record;

    b = &r->envelope;
    record = &it->record;

    memset(&c, 0, sizeof(wsc_change_t));

    c.pos = record->target;
    c.at = it->prev;
    c.timestamp = record->timestamp;
    c.by = record->sender;
    c.retracted = (record->op == BK_OP_RETRACT);

    if (!c.retracted
        && bk_record_value(record, &r->octets, &c.message) != WSC_OK)
    {
        bk_redis_close(r->redis);
        return 0;
    }

    wsc_buf_reset(b, BK_RELAY_KEEP);
    wsc_envelope_change(b, &c);

    bk_redis_begin(r->redis, "HSET");
    bk_relay_word(r, partition, "u", &record->chat_id);
    bk_relay_change_id(r, record->target);
    bk_redis_octets(r->redis, b->data, b->len);
    bk_redis_end(r->redis);

    (void) bk_relay_change_live(r, partition, &record->chat_id);

    /* the stream may have been given longer once */

    bk_redis_begin(r->redis, "PEXPIRE");
    bk_relay_word(r, partition, "s", &record->chat_id);
    bk_redis_number(r->redis, r->age);
    bk_redis_word(r->redis, "LT");
    bk_redis_end(r->redis);

    if (it->pos.seq <= r->progress.goal) {
        return 3;
    }

    bk_redis_begin(r->redis, "PUBLISH");
    bk_relay_word(r, partition, "c", &record->chat_id);
    bk_redis_octets(r->redis, b->data, b->len);
    bk_redis_end(r->redis);

    return 4;
}


size_t
bk_relay_change_live(bk_relay_t *r, int32_t partition,
    const wsc_str_t *chat_id)
{
    bk_redis_begin(r->redis, "PEXPIRE");
    bk_relay_word(r, partition, "u", chat_id);
    bk_redis_number(r->redis, r->age + BK_RELAY_OUTLIVE);
    bk_redis_end(r->redis);

    return 1;
}


void
bk_relay_change_done(bk_relay_t *r, int32_t partition,
    bk_relay_item_t **items, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (items[i]->change && !items[i]->vain
            && ++r->changes % BK_RELAY_SWEEP == 0)
        {
            bk_relay_sweep(r, partition, &items[i]->record.chat_id);
        }
    }
}


/* Drops changes of messages that the stream has no more. */

static void
bk_relay_sweep(bk_relay_t *r, int32_t partition, const wsc_str_t *chat_id)
{
    size_t             i, n;
    wsc_pos_t          gone[BK_RELAY_FIELDS];
    wsc_sweep_t        sweep;
    const redisReply  *reply;

    bk_redis_begin(r->redis, "XRANGE");
    bk_relay_word(r, partition, "s", chat_id);
    bk_redis_word(r->redis, "-");
    bk_redis_word(r->redis, "+");
    bk_redis_word(r->redis, "COUNT");
    bk_redis_word(r->redis, "1");
    bk_redis_end(r->redis);

    bk_redis_begin(r->redis, "HVALS");
    bk_relay_word(r, partition, "u", chat_id);
    bk_redis_end(r->redis);

    reply = bk_redis_reply(r->redis);

    if (reply == NULL) {
        return;
    }

    memset(&sweep, 0, sizeof(wsc_sweep_t));

    sweep.now = bk_now();
    sweep.age = r->age;

    bk_relay_sweep_first(reply, &sweep);

    reply = bk_redis_reply(r->redis);

    if (reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        return;
    }

    n = bk_relay_sweep_find(reply, &sweep, gone);

    if (n == 0) {
        return;
    }

    bk_redis_begin(r->redis, "HDEL");
    bk_relay_word(r, partition, "u", chat_id);

    for (i = 0; i < n; i++) {
        bk_relay_change_id(r, gone[i]);
    }

    bk_redis_end(r->redis);

    (void) bk_redis_skip(r->redis, 1);
}


static void
bk_relay_sweep_first(const redisReply *reply, wsc_sweep_t *s)
{
    wsc_str_t  id;

    if (reply->type == REDIS_REPLY_ARRAY && reply->elements
        && reply->element[0]->type == REDIS_REPLY_ARRAY
        && reply->element[0]->elements
        && bk_redis_str(reply->element[0]->element[0], &id))
    {
        (void) wsc_stream_id_parse(&id, &s->first);
        s->from = s->first;
    }
}


/* Those to be dropped, at most BK_RELAY_FIELDS; how many. */

static size_t
bk_relay_sweep_find(const redisReply *reply, wsc_sweep_t *s, wsc_pos_t *gone)
{
    size_t          i, n;
    wsc_str_t       value;
    wsc_envelope_t  v;

    n = 0;

    for (i = 0; i < reply->elements && n < BK_RELAY_FIELDS; i++) {

        if (bk_redis_str(reply->element[i], &value)
            && wsc_envelope_is(&bk_alloc, &value, WSC_ENVELOPE_CHANGE, &v)
            && wsc_sweep_drops(s, &v.change))
        {
            gone[n++] = v.change.pos;
        }
    }

    return n;
}

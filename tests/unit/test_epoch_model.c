
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Writers and readers, driven by the decisions of wsc_epoch and wsc_follow,
 * over a model of Redis that is promoted, restarted, flushed and lets keys
 * expire, while writers crash between any two of their steps.  Checked: no
 * position is given twice, what was acknowledged stays unless Redis lost it,
 * a cid is stored once, prev is what stood before, every reader gets
 * everything that is still there, in order and once, whether a writer expected
 * the right position or not.
 *
 * WSC_SEED=n WSC_SCHEDULES=n repeat a run.
 */


#include <stdio.h>

#include "wsc_test_redis.h"
#include "wsc_follow.h"


#define MODEL_SCHEDULES  24000
#define MODEL_STEPS      220
#define MODEL_WRITERS    3
#define MODEL_READERS    2
#define MODEL_BATCH      3
#define MODEL_EVER       2048     /* appends in a schedule */
#define MODEL_INBOX      4096
#define MODEL_COPIES     4
#define MODEL_PAGE       8        /* entries that a read brings */

#define MODEL_LIFE_E     400      /* ms */
#define MODEL_LIFE_S     (MODEL_LIFE_E + 100)
#define MODEL_LIFE_D     5000
#define MODEL_QUICK      200      /* ms: so long an epoch need not be asked */


typedef enum {
    MODEL_IDLE = 0,
    MODEL_WATCHED,
    MODEL_TOPS,
    MODEL_INC,
    MODEL_DECIDED,
    MODEL_QUICK_SENT,
    MODEL_DONE
} model_state_e;


/* Every append ever, in the order of Redis. */

typedef struct {
    unsigned            chat;
    unsigned            cid;
    wsc_pos_t           pos;
    uint64_t            at;
    unsigned            lost:1;
} model_append_t;


typedef struct {
    unsigned            cid;
    unsigned            append:1;     /* not known before */
    wsc_pos_t           pos;
} model_item_t;


typedef struct {
    model_state_e       state;
    u_char              replid[WSC_REPLID_LEN];
    uint32_t            boot;         /* of the server it talks to */
    uint32_t            touched[WSC_TEST_KEYS];
    uint64_t            seen;
    wsc_inc_t           inc;
    unsigned            chat;
    unsigned            fresh:1;      /* a new epoch */
    unsigned            armed:1;      /* inc is watched, and as it was */
    uint32_t            inc_touched;
    uint64_t            epoch;
    uint64_t            sent;
    uint64_t            known[WSC_TEST_CHATS];      /* epochs, */
    uint64_t            renewed[WSC_TEST_CHATS];    /* since when, */
    uint64_t            under[WSC_TEST_CHATS];      /* under which inc */
    wsc_pos_t           top;
    wsc_pos_t           base;         /* behind it the next one is expected;
                                         seq 0: no idea */
    unsigned            sure:1;       /* base is known */
    unsigned            n;
    unsigned            next;         /* to be published */
    model_item_t        items[MODEL_BATCH];
} model_writer_t;


typedef struct {
    unsigned            hint:1;
    unsigned            chat;
    unsigned            cid;
    wsc_entry_t         entry;        /* pos is expected */
} model_event_t;


typedef struct {
    wsc_follow_t        follow[WSC_TEST_CHATS];
    wsc_pos_t           from[WSC_TEST_CHATS];       /* a read is asked for, */
    u_char              read[WSC_TEST_CHATS];       /* or was executed */
    wsc_test_stream_t   answer[WSC_TEST_CHATS];     /* to it */
    u_char              got[WSC_TEST_CHATS][MODEL_EVER];
    uint32_t            head;
    uint32_t            tail;
    model_event_t       inbox[MODEL_INBOX];
} model_reader_t;


typedef struct {
    uint32_t            seed;
    uint64_t            now;
    uint32_t            boot;
    wsc_test_redis_t    redis;
    wsc_test_redis_t    copies[MODEL_COPIES];
    model_writer_t      writers[MODEL_WRITERS];
    model_reader_t      readers[MODEL_READERS];
    uint32_t            n;
    model_append_t      ever[MODEL_EVER];
    wsc_pos_t           acked[WSC_TEST_CHATS][WSC_TEST_CIDS];
    uint64_t            gaps;
    uint64_t            dups;
    uint64_t            losses;
    uint64_t            aborts;
    uint64_t            quick;
    uint64_t            taken;        /* messages that came by the bus */
    uint64_t            strays;       /* those that had to be read */
    uint64_t            pages;        /* reads that did not bring all */
    uint64_t            trims;
    uint64_t            tails;        /* found by the last check only */
} model_t;


static model_t   m;
static uint32_t  model_seed;


static uint32_t
model_random(uint32_t n)
{
    return wsc_test_random(&m.seed) % n;
}


static model_append_t *
model_find(unsigned chat, wsc_pos_t pos)
{
    uint32_t  i;

    for (i = 0; i < m.n; i++) {
        if (m.ever[i].chat == chat && wsc_pos_cmp(m.ever[i].pos, pos) == 0) {
            return &m.ever[i];
        }
    }

    return NULL;
}


/* What the server has no more is lost. */

static void
model_account(void)
{
    uint32_t            i, k;
    wsc_test_stream_t  *st;

    for (i = 0; i < m.n; i++) {
        if (m.ever[i].lost) {
            continue;
        }

        st = &m.redis.streams[m.ever[i].chat];

        for (k = 0; k < st->n; k++) {
            if (wsc_pos_cmp(st->entries[k].pos, m.ever[i].pos) == 0) {
                break;
            }
        }

        if (k == st->n) {
            m.ever[i].lost = 1;
            m.losses++;
        }
    }
}


static void
model_tick(void)
{
    m.now += 1 + model_random(3);

    if (wsc_test_redis_expire(&m.redis, m.now)) {
        model_account();
    }
}


/* readers */

static void
model_deliver(model_reader_t *r, unsigned chat, unsigned cid,
    const wsc_entry_t *e)
{
    uint32_t         i;
    model_append_t  *a;

    a = model_find(chat, e->pos);
    assert_non_null(a);
    assert_int_equal(a->cid, cid);

    /* once, and a cid again only after it was lost or forgotten */

    assert_int_equal(r->got[chat][a - m.ever], 0);
    r->got[chat][a - m.ever] = 1;

    for (i = 0; i < m.n; i++) {
        if (&m.ever[i] != a && m.ever[i].chat == chat
            && m.ever[i].cid == a->cid && r->got[chat][i])
        {
            assert_true(m.ever[i].lost || a->at - m.ever[i].at >= MODEL_LIFE_D
                        || m.ever[i].at - a->at >= MODEL_LIFE_D);
        }
    }
}


static void
model_take(model_reader_t *r)
{
    model_event_t  *ev;
    wsc_follow_t   *f;

    if (r->head == r->tail) {
        return;
    }

    ev = &r->inbox[r->head++];
    f = &r->follow[ev->chat];

    if (ev->hint) {
        wsc_follow_astray(f);
        return;
    }

    if (wsc_follow_message(f, &ev->entry) == WSC_OK) {
        m.taken++;
        model_deliver(r, ev->chat, ev->cid, &ev->entry);
        return;
    }

    m.strays++;
}


static void
model_read_start(model_reader_t *r, unsigned chat)
{
    wsc_follow_read(&r->follow[chat]);

    r->from[chat] = r->follow[chat].last;
    r->read[chat] = 0;
}


/* Redis has its turn: XRANGE from + COUNT page. */

static void
model_read_run(model_reader_t *r, unsigned chat)
{
    uint32_t            i;
    wsc_test_stream_t  *st, *to;

    st = &m.redis.streams[chat];
    to = &r->answer[chat];
    to->n = 0;

    for (i = 0; i < st->n && to->n < MODEL_PAGE; i++) {
        if (wsc_pos_cmp(st->entries[i].pos, r->from[chat]) >= 0) {
            to->entries[to->n++] = st->entries[i];
        }
    }

    r->read[chat] = 1;
}


static void
model_read_end(model_reader_t *r, unsigned chat)
{
    uint32_t           i;
    wsc_pos_t          last;
    wsc_entry_t        e;
    wsc_test_entry_t  *from;

    if (!r->read[chat]) {
        model_read_run(r, chat);
    }

    memset(&e, 0, sizeof(e));

    for (i = 0; i < r->answer[chat].n; i++) {
        from = &r->answer[chat].entries[i];
        last = r->follow[chat].last;

        e.pos = from->pos;

        if (wsc_stream_prev(e.pos, &e.prev) != WSC_OK) {
            assert_true(from->first);
            e.prev = from->prev;
        }

        if (wsc_follow_entry(&r->follow[chat], &e) != WSC_OK) {
            continue;
        }

        m.gaps += (wsc_pos_cmp(e.prev, last) > 0);
        model_deliver(r, chat, from->cid, &e);
    }

    m.pages += (i == MODEL_PAGE);

    wsc_follow_was_read(&r->follow[chat], i < MODEL_PAGE);
}


/* A step of a read; or the connection breaks, not that of the bus. */

static void
model_read(model_reader_t *r, unsigned chat)
{
    if (model_random(32) == 0) {
        wsc_follow_was_read(&r->follow[chat], 0);

    } else if (!r->read[chat]) {
        model_read_run(r, chat);

    } else {
        model_read_end(r, chat);
    }
}


static void
model_reader(model_reader_t *r)
{
    unsigned  chat;

    chat = model_random(WSC_TEST_CHATS);

    switch (model_random(4)) {

    case 0:
        if (r->follow[chat].reading) {
            model_read(r, chat);
        }

        return;

    case 1:
        /* or it looks at the end, whether there is a reason or not */

        if (wsc_follow_due(&r->follow[chat])
            || (!r->follow[chat].reading && model_random(16) == 0))
        {
            model_read_start(r, chat);
        }

        return;

    default:
        model_take(r);
        return;
    }
}


/* The connection broke: what was under way is lost; it reads on its return. */

static void
model_reader_cut(model_reader_t *r)
{
    unsigned  chat;

    r->head = r->tail;

    for (chat = 0; chat < WSC_TEST_CHATS; chat++) {

        if (r->follow[chat].reading) {
            wsc_follow_was_read(&r->follow[chat], 0);
        }

        wsc_follow_astray(&r->follow[chat]);
    }
}


/* What the writer expects. */

static void
model_publish(model_writer_t *w, unsigned cid)
{
    unsigned        i;
    model_event_t  *ev;
    model_reader_t *r;

    for (i = 0; i < MODEL_READERS; i++) {
        r = &m.readers[i];

        assert_true(r->tail < MODEL_INBOX);
        ev = &r->inbox[r->tail++];

        memset(ev, 0, sizeof(model_event_t));
        ev->hint = !w->sure;
        ev->chat = w->chat;
        ev->cid = cid;
        ev->entry.prev = w->base;
        ev->entry.pos.epoch = w->epoch;
        ev->entry.pos.seq = (w->base.epoch == w->epoch) ? w->base.seq + 1 : 1;
    }

    w->base.seq = (w->base.epoch == w->epoch) ? w->base.seq + 1 : 1;
    w->base.epoch = w->epoch;
}


/* When the transaction is sent: what does the writer think is the last? */

static void
model_expect(model_writer_t *w)
{
    wsc_follow_t  *f;

    if (w->fresh) {
        w->base = w->top;
        w->sure = 1;
        return;
    }

    f = &m.readers[(w - m.writers) % MODEL_READERS].follow[w->chat];

    w->base = f->last;
    w->sure = (f->aligned && f->last.epoch == w->epoch);
}


/* writers */

static void
model_ack(model_writer_t *w, const model_item_t *item)
{
    wsc_pos_t  *pos;

    pos = &m.acked[w->chat][item->cid];

    if (item->pos.seq == 0) {
        /* only the record is left of it */
        return;
    }

    assert_non_null(model_find(w->chat, item->pos));

    *pos = item->pos;
}


static void
model_watch(model_writer_t *w)
{
    unsigned  i;

    if (w->boot != m.boot) {
        w->boot = m.boot;
        w->armed = 0;
        memcpy(w->replid, m.redis.replid, WSC_REPLID_LEN);
    }

    w->chat = model_random(WSC_TEST_CHATS);
    w->n = 1 + model_random(MODEL_BATCH);
    w->next = 0;
    w->fresh = 0;
    w->state = MODEL_WATCHED;

    for (i = 0; i < w->n; i++) {
        memset(&w->items[i], 0, sizeof(model_item_t));
        w->items[i].cid = (model_random(WSC_TEST_CIDS / MODEL_BATCH)
                           * MODEL_BATCH + i) % WSC_TEST_CIDS;
    }

    if (w->armed && w->known[w->chat] && w->under[w->chat] == w->inc.epoch
        && m.now - w->renewed[w->chat] < MODEL_QUICK)
    {
        w->epoch = w->known[w->chat];
        w->sent = m.now;
        w->state = MODEL_QUICK_SENT;
        model_expect(w);
    }
}


/* Behind each EXEC: WATCH inc, GET inc. */

static void
model_arm(model_writer_t *w)
{
    wsc_str_t  s;
    wsc_inc_t  inc;

    w->armed = (wsc_inc_decide(wsc_test_redis_get(&m.redis, WSC_TEST_INC, &s),
                               w->replid, m.now, w->seen, &inc)
                == WSC_OK);

    if (w->armed) {
        w->inc = inc;
        w->inc_touched = m.redis.keys[WSC_TEST_INC].touched;
    }
}


static void
model_known(model_writer_t *w, model_item_t *item)
{
    wsc_str_t                s;
    wsc_dedupe_t             d;
    const wsc_test_entry_t  *found;

    if (wsc_test_redis_get(&m.redis, WSC_TEST_D(w->chat, item->cid), &s)
        == NULL)
    {
        item->append = 1;
        return;
    }

    assert_int_equal(wsc_dedupe_parse(&s, &d), WSC_OK);

    m.dups++;
    item->append = 0;
    item->pos = d.pos;

    if (!d.placed) {
        found = wsc_test_redis_find(&m.redis, w->chat, item->cid, d.pos);
        memset(&item->pos, 0, sizeof(wsc_pos_t));

        if (found) {
            item->pos = found->pos;
        }
    }
}


/* WATCH and MGET have been answered: what next? */

static void
model_decide(model_writer_t *w)
{
    unsigned          i, any;
    wsc_str_t         s;
    const wsc_str_t  *value;

    for (i = 0; i < WSC_TEST_KEYS; i++) {
        w->touched[i] = m.redis.keys[i].touched;
    }

    value = wsc_test_redis_get(&m.redis, WSC_TEST_INC, &s);

    if (wsc_inc_decide(value, w->replid, m.now, w->seen, &w->inc)
        == WSC_AGAIN)
    {
        w->state = MODEL_INC;
        return;
    }

    any = 0;

    for (i = 0; i < w->n; i++) {
        model_known(w, &w->items[i]);

        if (w->items[i].append) {
            any = 1;

        } else {
            model_ack(w, &w->items[i]);
        }
    }

    if (!any) {
        /* UNWATCH */
        w->armed = 0;
        w->state = MODEL_IDLE;
        return;
    }

    value = wsc_test_redis_get(&m.redis, WSC_TEST_E(w->chat), &s);

    w->fresh = (wsc_epoch_decide(value, w->inc.epoch, &w->epoch)
                == WSC_AGAIN);
    w->state = w->fresh ? MODEL_TOPS : MODEL_DECIDED;
    model_expect(w);
}


/* WATCH d, PEXPIRE d: it is touched if it is there.  inc is watched. */

static int
model_quick_aborted(model_writer_t *w)
{
    unsigned  i, aborted;

    aborted = (m.redis.keys[WSC_TEST_INC].touched != w->inc_touched);

    for (i = 0; i < w->n; i++) {
        w->items[i].append = 1;
        aborted |= (m.redis.keys[WSC_TEST_D(w->chat, w->items[i].cid)].len
                    != 0);
    }

    return aborted;
}


static int
model_aborted(model_writer_t *w)
{
    unsigned  i;

    if (w->state == MODEL_QUICK_SENT) {
        return model_quick_aborted(w);
    }

    if (m.redis.keys[WSC_TEST_INC].touched != w->touched[WSC_TEST_INC]) {
        return 1;
    }

    i = WSC_TEST_E(w->chat);

    if (m.redis.keys[i].touched != w->touched[i]) {
        return 1;
    }

    for (i = 0; i < w->n; i++) {
        if (m.redis.keys[WSC_TEST_D(w->chat, w->items[i].cid)].touched
            != w->touched[WSC_TEST_D(w->chat, w->items[i].cid)])
        {
            return 1;
        }
    }

    return 0;
}


/* One more append: the checks that need no reader. */

static void
model_append(model_writer_t *w, model_item_t *item, wsc_test_entry_t *e)
{
    uint32_t            i;
    wsc_pos_t           prev;
    wsc_test_stream_t  *st;

    st = &m.redis.streams[w->chat];

    for (i = 0; i < st->n; i++) {
        assert_true(st->entries[i].cid != item->cid
                    || m.now - st->entries[i].at >= MODEL_LIFE_D);
    }

    e->prev = st->top;

    item->pos = wsc_test_redis_xadd(&m.redis, w->chat, w->epoch, e,
                                    m.now + MODEL_LIFE_S);

    /* what the first of an epoch says stood before it did so */

    if (wsc_stream_prev(item->pos, &prev) != WSC_OK) {
        assert_true(w->fresh);
        prev = w->top;
        st->entries[st->n - 1].first = 1;
        st->entries[st->n - 1].prev = w->top;
    }

    /* the stream may have expired since its top was read */

    assert_true(wsc_pos_cmp(prev, e->prev) == 0 || st->n == 1);
    assert_null(model_find(w->chat, item->pos));

    assert_true(m.n < MODEL_EVER);
    m.ever[m.n].chat = w->chat;
    m.ever[m.n].cid = item->cid;
    m.ever[m.n].pos = item->pos;
    m.ever[m.n].at = m.now;
    m.ever[m.n].lost = 0;
    m.n++;
}


static void
model_exec(model_writer_t *w)
{
    u_char            buf[WSC_ID_LEN];
    unsigned          i;
    wsc_dedupe_t      d;
    wsc_test_entry_t  e;

    if (model_aborted(w)) {
        m.aborts++;
        w->state = MODEL_WATCHED;
        model_arm(w);
        return;
    }

    if (w->state == MODEL_QUICK_SENT) {
        m.quick++;

    } else if (w->fresh || w->known[w->chat] == 0
               || m.now - w->renewed[w->chat] >= MODEL_QUICK)
    {
        wsc_test_redis_set(&m.redis, WSC_TEST_E(w->chat), buf,
                           wsc_epoch_print(buf, w->epoch),
                           m.now + MODEL_LIFE_E);
        w->known[w->chat] = w->epoch;
        w->renewed[w->chat] = m.now;
        w->under[w->chat] = w->inc.epoch;
    }

    d.placed = 0;
    d.pos.epoch = w->epoch;
    d.pos.seq = w->fresh ? 0 : model_random(2) * w->top.seq;

    if (w->top.epoch != w->epoch) {
        d.pos.seq = 0;
    }

    for (i = 0; i < w->n; i++) {
        if (!w->items[i].append) {
            continue;
        }

        memset(&e, 0, sizeof(e));
        e.cid = w->items[i].cid;
        e.at = m.now;

        model_append(w, &w->items[i], &e);
        model_publish(w, e.cid);

        wsc_test_redis_set(&m.redis, WSC_TEST_D(w->chat, e.cid), buf,
                           wsc_dedupe_print(buf, &d), m.now + MODEL_LIFE_D);

        w->top = w->items[i].pos;
    }

    w->seen = w->epoch > w->seen ? w->epoch : w->seen;
    w->state = MODEL_DONE;
    model_arm(w);
}


/* After EXEC: one record at a time. */

static void
model_complete(model_writer_t *w)
{
    u_char          buf[WSC_ID_LEN];
    unsigned        key;
    model_item_t   *item;
    wsc_dedupe_t    d;
    wsc_test_key_t *k;

    if (w->next == w->n) {
        w->state = MODEL_IDLE;
        return;
    }

    item = &w->items[w->next++];

    if (!item->append) {
        return;
    }

    /* SET d XX KEEPTTL */

    key = WSC_TEST_D(w->chat, item->cid);
    k = &m.redis.keys[key];

    if (k->len) {
        d.placed = 1;
        d.pos = item->pos;
        wsc_test_redis_set(&m.redis, key, buf, wsc_dedupe_print(buf, &d),
                           k->expire);
    }

    model_ack(w, item);
}


static void
model_writer(model_writer_t *w)
{
    u_char  buf[WSC_INC_LEN];

    if (w->state != MODEL_IDLE && w->boot != m.boot) {
        /* the connection broke */
        w->state = MODEL_IDLE;
        w->armed = 0;
    }

    if (w->state == MODEL_QUICK_SENT && m.now - w->sent >= MODEL_QUICK) {
        /* nobody keeps commands for so long */
        w->state = MODEL_IDLE;
        w->armed = 0;
    }

    switch (w->state) {

    case MODEL_IDLE:
        model_watch(w);
        return;

    case MODEL_WATCHED:
        model_decide(w);
        return;

    case MODEL_INC:
        if (model_aborted(w)) {
            m.aborts++;

        } else {
            wsc_test_redis_set(&m.redis, WSC_TEST_INC, buf,
                               wsc_inc_print(buf, &w->inc), 0);
            w->seen = w->inc.epoch;
        }

        w->state = MODEL_WATCHED;
        return;

    case MODEL_TOPS:
        w->top = m.redis.streams[w->chat].top;
        w->epoch = wsc_epoch_next(m.now, w->inc.epoch, w->seen, w->top);
        w->state = MODEL_DECIDED;
        model_expect(w);
        return;

    case MODEL_DECIDED:
    case MODEL_QUICK_SENT:
        model_exec(w);
        return;

    default:
        model_complete(w);
        return;
    }
}


/* what happens to Redis */

static void
model_break(const wsc_test_redis_t *to)
{
    unsigned  i;

    m.redis = *to;
    wsc_test_redis_incarnate(&m.redis, ++m.boot);
    (void) wsc_test_redis_expire(&m.redis, m.now);
    model_account();

    /* replicas follow the new one */

    for (i = 0; i < MODEL_COPIES; i++) {
        m.copies[i] = m.redis;
    }

    for (i = 0; i < MODEL_READERS; i++) {
        model_reader_cut(&m.readers[i]);
    }
}


/* What is too much of a stream goes; its last id stays. */

static void
model_trim(unsigned chat)
{
    uint32_t            n;
    wsc_test_stream_t  *st;

    st = &m.redis.streams[chat];
    n = model_random(st->n + 1);

    st->n -= n;
    memmove(st->entries, st->entries + n, st->n * sizeof(wsc_test_entry_t));

    m.trims += (n != 0);
    model_account();
}


static void
model_event(void)
{
    static wsc_test_redis_t  copy;

    switch (model_random(16)) {

    case 0:
        /* a replica that lags is promoted, or the log's end was not synced */
        copy = m.copies[model_random(MODEL_COPIES)];
        model_break(&copy);
        return;

    case 1:
        copy = m.redis;
        model_break(&copy);
        return;

    case 2:
        wsc_test_redis_flushall(&m.redis);
        model_account();
        return;

    case 3:
        m.now += model_random(2 * MODEL_LIFE_E);
        return;

    case 4:
        m.now += model_random(2 * MODEL_LIFE_D);
        return;

    case 5:
        model_reader_cut(&m.readers[model_random(MODEL_READERS)]);
        return;

    case 6:
    case 7:
    case 8:
        memset(&m.writers[model_random(MODEL_WRITERS)], 0,
               sizeof(model_writer_t));
        return;

    case 9:
    case 10:
        model_trim(model_random(WSC_TEST_CHATS));
        return;

    default:
        m.copies[model_random(MODEL_COPIES)] = m.redis;
        return;
    }
}


/* Writers come to rest, time goes on: everybody has everything. */

static void
model_settle(model_reader_t *r)
{
    uint32_t            i;
    unsigned            chat;
    wsc_pos_t           last;
    wsc_test_stream_t  *st;
    model_append_t     *a;

    while (r->head != r->tail) {
        model_take(r);
    }

    for (chat = 0; chat < WSC_TEST_CHATS; chat++) {

        if (r->follow[chat].reading) {
            model_read_end(r, chat);
        }

        for (i = 0; wsc_follow_due(&r->follow[chat]); i++) {
            assert_true(i < WSC_TEST_ENTRIES);
            model_read_start(r, chat);
            model_read_end(r, chat);
        }

        /* the periodic check of the end, for what nothing told of */

        last = r->follow[chat].last;

        do {
            model_read_start(r, chat);
            model_read_end(r, chat);
        } while (wsc_follow_due(&r->follow[chat]));

        m.tails += (wsc_pos_cmp(last, r->follow[chat].last) != 0);

        st = &m.redis.streams[chat];

        for (i = 0; i < st->n; i++) {
            a = model_find(chat, st->entries[i].pos);
            assert_non_null(a);

            /* a replica may bring back what FLUSHALL had dropped */

            assert_true(a->lost || r->got[chat][a - m.ever]);
        }
    }
}


static void
model_check_acks(void)
{
    unsigned         chat, cid;
    wsc_pos_t        none = { 0, 0 };
    model_append_t  *a;

    for (chat = 0; chat < WSC_TEST_CHATS; chat++) {
        for (cid = 0; cid < WSC_TEST_CIDS; cid++) {

            if (m.acked[chat][cid].seq == 0) {
                continue;
            }

            a = model_find(chat, m.acked[chat][cid]);
            assert_non_null(a);
            assert_int_equal(a->cid, cid);

            assert_true(a->lost
                        || wsc_test_redis_find(&m.redis, chat, cid, none));
        }
    }
}


static void
model_schedule(uint32_t seed)
{
    unsigned   i, chat;

    memset(&m.writers, 0, sizeof(m.writers));
    memset(&m.acked, 0, sizeof(m.acked));

    m.seed = seed;
    m.now = 1000000;
    m.n = 0;
    m.boot++;

    wsc_test_redis_init(&m.redis);
    wsc_test_redis_incarnate(&m.redis, m.boot);

    for (i = 0; i < MODEL_COPIES; i++) {
        m.copies[i] = m.redis;
    }

    for (i = 0; i < MODEL_READERS; i++) {
        m.readers[i].head = 0;
        m.readers[i].tail = 0;
        memset(&m.readers[i].got, 0, sizeof(m.readers[i].got));

        for (chat = 0; chat < WSC_TEST_CHATS; chat++) {
            wsc_follow_init(&m.readers[i].follow[chat]);
            wsc_follow_astray(&m.readers[i].follow[chat]);
        }
    }

    for (i = 0; i < MODEL_STEPS; i++) {
        model_tick();

        switch (model_random(16)) {

        case 0:
            model_event();
            break;

        case 1: case 2: case 3: case 4: case 5: case 6: case 7:
            model_reader(&m.readers[model_random(MODEL_READERS)]);
            break;

        default:
            model_writer(&m.writers[model_random(MODEL_WRITERS)]);
            break;
        }
    }

    for (i = 0; i < MODEL_READERS; i++) {
        model_settle(&m.readers[i]);
    }

    model_check_acks();
}


static void
test_epoch_model(void **state)
{
    const char  *text;
    uint32_t     i, n;

    text = getenv("WSC_SEED");
    model_seed = text ? strtoul(text, NULL, 0) : 1;

    text = getenv("WSC_SCHEDULES");
    n = text ? strtoul(text, NULL, 0) : MODEL_SCHEDULES;

    for (i = 0; i < n; i++) {
        fprintf(stderr, "\rschedule of WSC_SEED=%u", model_seed + i);
        model_schedule(model_seed + i);
    }

    fprintf(stderr, "\r%u schedules from WSC_SEED=%u: %u positions in the "
            "last, %llu lost, %llu aborted, %llu dups, %llu gaps, %llu late, "
            "%llu quick, %llu taken, %llu read, %llu pages, %llu trims\n",
            n, model_seed, m.n, (unsigned long long) m.losses,
            (unsigned long long) m.aborts, (unsigned long long) m.dups,
            (unsigned long long) m.gaps, (unsigned long long) m.tails,
            (unsigned long long) m.quick, (unsigned long long) m.taken,
            (unsigned long long) m.strays, (unsigned long long) m.pages,
            (unsigned long long) m.trims);

    /* the schedules do what they are for */

    assert_true(m.aborts > n / 100);
    assert_true(m.losses > n / 100);
    assert_true(m.dups > n / 100);
    assert_true(m.quick > n);
    assert_true(m.taken > n);
    assert_true(m.strays > n);
    assert_true(m.pages > n / 100);
    assert_true(m.trims > n / 100);

    /* the bus tells of everything but what went with a FLUSHALL */
    assert_true(m.tails <= n / 100);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_epoch_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

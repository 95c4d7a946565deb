
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store, call by call.  Crashes: see test_shmlog_crash.c.
 */


#include <stdio.h>
#include <time.h>

#include "wsc_test.h"
#include "wsc_shmlog.h"
#include "wsc_shmlog_check.h"


#define TEST_SHMLOG_NOW   UINT64_C(1700000000000)
#define TEST_SHMLOG_TEXT  8192


static const wsc_shmlog_limits_t  unlimited;

static wsc_shmlog_t  store;
static u_char       *area;
static char          text[TEST_SHMLOG_TEXT];


static int
test_shmlog_setup(void **state)
{
    size_t  i;

    area = malloc(WSC_SHMLOG_MIN_SIZE);
    assert_non_null(area);
    memset(area, 0xa5, WSC_SHMLOG_MIN_SIZE);

    for (i = 0; i < TEST_SHMLOG_TEXT; i++) {
        text[i] = 'a' + i % 23;
    }

    assert_int_equal(wsc_shmlog_init(&store, area, WSC_SHMLOG_MIN_SIZE),
                     WSC_OK);

    return 0;
}


static int
test_shmlog_teardown(void **state)
{
    wsc_shmlog_check(&store);
    free(area);

    return 0;
}


static wsc_str_t
test_shmlog_str(const char *s)
{
    wsc_str_t  str;

    str.data = (u_char *) s;
    str.len = strlen(s);

    return str;
}


static uint32_t
test_shmlog_make(const char *name)
{
    wsc_str_t  s;

    s = test_shmlog_str(name);

    return wsc_shmlog_make(&store, &s, TEST_SHMLOG_NOW);
}


static uint32_t
test_shmlog_find(const char *name)
{
    wsc_str_t  s;

    s = test_shmlog_str(name);

    return wsc_shmlog_find(&store, &s);
}


static wsc_entry_t
test_shmlog_entry(const char *sender, const char *cid, size_t len)
{
    wsc_entry_t  e;

    memset(&e, 0, sizeof(e));

    e.timestamp = TEST_SHMLOG_NOW;
    e.sender = test_shmlog_str(sender);
    e.cid = test_shmlog_str(cid);
    e.message.data.data = (u_char *) text;
    e.message.data.len = len;

    return e;
}


/* A message without a cid. */

static ssize_t
test_shmlog_say(uint32_t chat, size_t len)
{
    wsc_entry_t  e;

    e = test_shmlog_entry("u", "", len);

    return wsc_shmlog_append(&store, chat, &e, &unlimited);
}


static wsc_shmlog_chat_t
test_shmlog_chat(uint32_t chat)
{
    wsc_shmlog_chat_t  c;

    wsc_shmlog_stat_chat(&store, chat, TEST_SHMLOG_NOW, &unlimited, &c);

    return c;
}


static wsc_shmlog_stat_t
test_shmlog_stat(void)
{
    wsc_shmlog_stat_t  st;

    wsc_shmlog_stat(&store, &st);

    return st;
}


/* Fills the pool with one-chunk messages of a chat until n are left. */

static void
test_shmlog_fill(uint32_t chat, size_t n)
{
    while (test_shmlog_stat().chunks_free > n) {
        assert_int_equal(test_shmlog_say(chat, 10), WSC_OK);
    }
}


static void
test_shmlog_area(void **state)
{
    wsc_shmlog_t       other;
    wsc_shmlog_stat_t  st;

    st = test_shmlog_stat();
    assert_in_range(st.chunks, 400, WSC_SHMLOG_MIN_SIZE / 256);
    assert_int_equal(st.chunks_free, st.chunks);
    assert_int_equal(st.chats, 0);
    assert_int_equal(st.messages, 0);

    assert_int_equal(test_shmlog_find("room"), 0);
    assert_int_not_equal(test_shmlog_make("room"), 0);

    memset(&other, 0xff, sizeof(other));
    assert_int_equal(wsc_shmlog_open(&other, area), WSC_OK);
    assert_null(other.hook);
    assert_ptr_equal(other.area, area);
    wsc_shmlog_stat(&other, &st);
    assert_int_equal(st.chats, 1);

    assert_int_equal(wsc_shmlog_open(&other, text), WSC_DECLINED);
    assert_int_equal(wsc_shmlog_init(&other, area, WSC_SHMLOG_MIN_SIZE - 1),
                     WSC_DECLINED);
    assert_int_equal(test_shmlog_stat().chats, 1);
}


/* The last octet of areas of all sizes can be used, and none behind it. */

static void
test_shmlog_area_sizes(void **state)
{
    size_t        size;
    u_char       *p;
    uint32_t      chat;
    wsc_entry_t   e;
    wsc_shmlog_t  l;
    wsc_str_t     name;

    name = test_shmlog_str("room");

    for (size = WSC_SHMLOG_MIN_SIZE; size < 2500000; size += size / 7) {
        p = malloc(size);
        assert_non_null(p);
        assert_int_equal(wsc_shmlog_init(&l, p, size), WSC_OK);

        chat = wsc_shmlog_make(&l, &name, 1);
        wsc_shmlog_interest(&l, chat, 255, 1);

        do {
            e = test_shmlog_entry("u", "", 2000);
            assert_int_equal(wsc_shmlog_append(&l, chat, &e, &unlimited),
                             WSC_OK);
        } while (e.pos.seq < 2 * size / 2000);

        wsc_shmlog_check(&l);
        free(p);
    }
}


static void
test_shmlog_names(void **state)
{
    char       name[WSC_MAX_CHAT_ID + 2];
    uint32_t   a, b;
    wsc_str_t  s;

    a = test_shmlog_make("room");
    b = test_shmlog_make("rooms");
    assert_int_not_equal(a, b);
    assert_int_equal(test_shmlog_make("room"), a);
    assert_int_equal(test_shmlog_find("room"), a);
    assert_int_equal(test_shmlog_find("rooms"), b);
    assert_int_equal(test_shmlog_find("roo"), 0);
    assert_int_equal(test_shmlog_stat().chats, 2);

    memset(name, 'x', sizeof(name));
    s.data = (u_char *) name;

    for (s.len = 1; s.len <= WSC_MAX_CHAT_ID; s.len++) {
        a = wsc_shmlog_make(&store, &s, 5);
        assert_int_equal(wsc_shmlog_find(&store, &s), a);
        wsc_shmlog_name(&store, a, &s);
        assert_memory_equal(s.data, name, s.len);
        s.data = (u_char *) name;
    }

    assert_int_equal(wsc_shmlog_make(&store, &s, 5), 0);
    s.len = 0;
    assert_int_equal(wsc_shmlog_make(&store, &s, 5), 0);
    assert_int_equal(test_shmlog_stat().chats, WSC_MAX_CHAT_ID + 2);
}


/* Greater than any before, whatever the clock does. */

static void
test_shmlog_epochs(void **state)
{
    size_t     i;
    char       name[8];
    uint32_t   chat;
    uint64_t   last;
    wsc_str_t  s;

    static const uint64_t  clock[] = { 50, 50, 60, 10, 0, 61, 1000, 999 };

    last = 0;

    for (i = 0; i < wsc_test_count(clock); i++) {
        snprintf(name, sizeof(name), "c%zu", i);
        s = test_shmlog_str(name);
        chat = wsc_shmlog_make(&store, &s, clock[i]);

        assert_true(test_shmlog_chat(chat).head.epoch > last);
        assert_true(test_shmlog_chat(chat).head.epoch >= clock[i]);
        last = test_shmlog_chat(chat).head.epoch;
    }

    assert_true(last == 1001);

    /* found, not made: its epoch stays */
    s = test_shmlog_str("c0");
    chat = wsc_shmlog_make(&store, &s, 5000);
    assert_true(test_shmlog_chat(chat).head.epoch == 50);
}


static void
test_shmlog_chain(void **state)
{
    uint32_t           chat, i;
    wsc_entry_t        e;
    wsc_shmlog_chat_t  c;

    chat = test_shmlog_make("room");
    c = test_shmlog_chat(chat);
    assert_true(c.head.seq == 0);
    assert_true(c.first.seq == 0);
    assert_true(c.lost.seq == 0);
    assert_int_equal(c.count, 0);

    for (i = 1; i <= 5; i++) {
        e = test_shmlog_entry("ann", "", i);
        assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited),
                         WSC_OK);
        assert_true(e.pos.epoch == c.head.epoch);
        assert_true(e.pos.seq == i);
        assert_true(e.prev.seq == i - 1);
        assert_true(e.prev.epoch == (i > 1 ? c.head.epoch : 0));
    }

    c = test_shmlog_chat(chat);
    assert_true(c.head.seq == 5);
    assert_true(c.first.seq == 1);
    assert_true(c.lost.seq == 0);
    assert_int_equal(c.count, 5);
}


/* All lengths around the borders of chunks come back as they were. */

static void
test_shmlog_octets(void **state)
{
    u_char       buf[TEST_SHMLOG_TEXT];
    size_t       size, len;
    uint32_t     chat, at;
    wsc_pos_t    pos;
    wsc_entry_t  e, got;

    chat = test_shmlog_make("room");

    for (len = 0; len < 2000; len = (len < 1000) ? len + 1 : len + 97) {
        e = test_shmlog_entry(len % 3 ? "ann" : "", len % 2 ? "cid-1" : "",
                              len);
        e.timestamp += len;
        e.message.binary = len & 1;
        e.cid.len -= len % 2 ? 1 : 0;
        e.message.data.data += len % 50;

        if (wsc_shmlog_append(&store, chat, &e, &unlimited) == WSC_DECLINED) {
            /* the first of these cids leaves the log at some time */
            continue;
        }

        at = 0;
        assert_int_equal(wsc_shmlog_back(&store, chat, NULL, &at, &pos, &size),
                         WSC_OK);
        assert_int_equal(size, e.sender.len + e.cid.len + len);
        assert_int_equal(wsc_pos_cmp(pos, e.pos), 0);

        memset(&got, 0xff, sizeof(got));
        wsc_shmlog_copy(&store, at, &got, buf);

        assert_int_equal(wsc_pos_cmp(got.pos, e.pos), 0);
        assert_int_equal(wsc_pos_cmp(got.prev, e.prev), 0);
        assert_true(got.timestamp == e.timestamp);
        assert_int_equal(got.sender.len, e.sender.len);
        assert_memory_equal(got.sender.data, e.sender.data, e.sender.len);
        assert_int_equal(got.cid.len, e.cid.len);
        assert_memory_equal(got.cid.data, e.cid.data, e.cid.len);
        assert_int_equal(got.message.data.len, len);
        assert_memory_equal(got.message.data.data, e.message.data.data, len);
        assert_int_equal(got.message.binary, len & 1);
    }
}


static void
test_shmlog_walk(void **state)
{
    size_t     size;
    uint32_t   chat, at, first;
    uint64_t   seq;
    wsc_pos_t  pos, before;

    chat = test_shmlog_make("room");
    at = 0;
    assert_int_equal(wsc_shmlog_back(&store, chat, NULL, &at, &pos, &size),
                     WSC_DONE);

    for (seq = 1; seq <= 20; seq++) {
        assert_int_equal(test_shmlog_say(chat, seq), WSC_OK);
    }

    before = test_shmlog_chat(chat).head;
    before.seq = 12;
    at = 0;

    for (seq = 11; seq; seq--) {
        assert_int_equal(wsc_shmlog_back(&store, chat, &before, &at, &pos,
                                         &size), WSC_OK);
        assert_true(pos.seq == seq);
        assert_int_equal(size, seq + 1);
    }

    first = at;
    assert_int_equal(wsc_shmlog_back(&store, chat, &before, &at, &pos, &size),
                     WSC_DONE);
    assert_int_equal(at, first);

    for (seq = 2; seq <= 20; seq++) {
        assert_int_equal(wsc_shmlog_forward(&store, &at, &pos, &size), WSC_OK);
        assert_true(pos.seq == seq);
        assert_int_equal(size, seq + 1);
    }

    assert_int_equal(wsc_shmlog_forward(&store, &at, &pos, &size), WSC_DONE);

    /* another epoch: all of it, or nothing */
    before.epoch++;
    at = 0;
    assert_int_equal(wsc_shmlog_back(&store, chat, &before, &at, &pos, &size),
                     WSC_OK);
    assert_true(pos.seq == 20);
    before.epoch -= 2;
    at = 0;
    assert_int_equal(wsc_shmlog_back(&store, chat, &before, &at, &pos, &size),
                     WSC_DONE);
}


static void
test_shmlog_dedupe(void **state)
{
    size_t                i;
    uint32_t              a, b;
    wsc_entry_t           e;
    wsc_shmlog_limits_t   limits;

    static const struct {
        int               chat;
        const char       *sender;
        const char       *cid;
        ssize_t           rc;
    }  cases[] = {
        { 0, "ann", "1", WSC_OK },
        { 0, "ann", "2", WSC_OK },
        { 0, "bob", "1", WSC_OK },
        { 1, "ann", "1", WSC_OK },
        { 0, "an", "n1", WSC_OK },
        { 0, "", "1", WSC_OK },
        { 0, "ann", "", WSC_OK },
        { 0, "ann", "", WSC_OK },
        { 0, "ann", "1", WSC_DECLINED },
        { 0, "", "1", WSC_DECLINED },
    };

    a = test_shmlog_make("a");
    b = test_shmlog_make("b");

    for (i = 0; i < wsc_test_count(cases); i++) {
        e = test_shmlog_entry(cases[i].sender, cases[i].cid, 5);
        assert_int_equal(wsc_shmlog_append(&store, cases[i].chat ? b : a, &e,
                                           &unlimited), cases[i].rc);
    }

    e = test_shmlog_entry("bob", "1", 700);
    e.timestamp += 99;
    assert_int_equal(wsc_shmlog_append(&store, a, &e, &unlimited),
                     WSC_DECLINED);
    assert_true(e.pos.seq == 3);
    assert_true(e.prev.seq == 2);
    assert_true(e.timestamp == TEST_SHMLOG_NOW);
    assert_int_equal(test_shmlog_chat(a).count, 7);

    /* what the log no longer keeps is not known any more */
    limits = unlimited;
    limits.messages = 2;
    e = test_shmlog_entry("cyd", "1", 5);
    assert_int_equal(wsc_shmlog_append(&store, a, &e, &limits), WSC_OK);
    e = test_shmlog_entry("bob", "1", 5);
    assert_int_equal(wsc_shmlog_append(&store, a, &e, &limits), WSC_OK);
    assert_true(e.pos.seq == 9);
}


/* Names as long as they may be, which end in the second chunk. */

static void
test_shmlog_dedupe_long(void **state)
{
    char         cid[WSC_MAX_CID + 2], sender[WSC_MAX_USER + 2];
    uint32_t     chat;
    wsc_entry_t  e;

    chat = test_shmlog_make("room");
    memset(cid, 'c', sizeof(cid));
    memset(sender, 's', sizeof(sender));
    cid[WSC_MAX_CID] = '\0';
    sender[WSC_MAX_USER] = '\0';

    e = test_shmlog_entry(sender, cid, 5);
    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited), WSC_OK);
    e = test_shmlog_entry(sender, cid, 6);
    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited),
                     WSC_DECLINED);

    cid[WSC_MAX_CID - 1] = 'd';
    e = test_shmlog_entry(sender, cid, 6);
    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited), WSC_OK);

    e.cid.len++;
    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited),
                     WSC_ERROR);
    e.cid.len = 0;
    e.sender.len++;
    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited),
                     WSC_ERROR);
    e.sender.len = 0;
    e.message.data.len = SIZE_MAX;
    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited),
                     WSC_ERROR);
    assert_int_equal(test_shmlog_chat(chat).count, 2);
}


static void
test_shmlog_limits(void **state)
{
    size_t             i, n;
    char               name[8];
    uint32_t           chat;
    wsc_entry_t        e;
    wsc_shmlog_chat_t  c;

    static const struct {
        wsc_shmlog_limits_t  limits;
        size_t               len;
        uint32_t             kept;     /* of 20, 10 ms apart */
    }  cases[] = {
        { { 0, 0, 0 }, 10, 20 },
        { { 7, 0, 0 }, 10, 7 },
        { { 1, 0, 0 }, 10, 1 },
        { { 0, 0, 256 * 5 }, 10, 5 },
        { { 0, 0, 256 * 5 + 255 }, 10, 5 },
        { { 0, 0, 256 * 9 }, 1000, 1 },
        { { 0, 0, 256 * 10 }, 1000, 2 },
        { { 0, 0, 1 }, 1000, 1 },
        { { 0, 50, 0 }, 10, 6 },
        { { 0, 49, 0 }, 10, 5 },
        { { 0, 1, 0 }, 10, 1 },
        { { 4, 50, 256 * 5 }, 10, 4 },
        { { UINT32_MAX, UINT64_MAX, UINT64_MAX }, 10, 20 },
    };

    for (i = 0; i < wsc_test_count(cases); i++) {
        snprintf(name, sizeof(name), "c%zu", i);
        chat = test_shmlog_make(name);

        for (n = 1; n <= 20; n++) {
            e = test_shmlog_entry("u", "", cases[i].len);
            e.timestamp += 10 * n;
            assert_int_equal(wsc_shmlog_append(&store, chat, &e,
                                               &cases[i].limits), WSC_OK);
        }

        c = test_shmlog_chat(chat);
        assert_int_equal(c.count, cases[i].kept);
        assert_true(c.head.seq == 20);
        assert_true(c.first.seq == 21 - cases[i].kept);
        assert_true(c.lost.seq == 20 - cases[i].kept);
        assert_true(c.lost.epoch == c.head.epoch);
        wsc_shmlog_check(&store);
    }
}


/* Time passes without an append: everything goes, but the head stays. */

static void
test_shmlog_age(void **state)
{
    uint32_t             chat;
    uint64_t             free;
    wsc_entry_t          e;
    wsc_shmlog_chat_t    c;
    wsc_shmlog_limits_t  limits;

    limits = unlimited;
    limits.age = 1000;
    chat = test_shmlog_make("room");
    wsc_shmlog_interest(&store, chat, 3, 1);
    free = test_shmlog_stat().chunks_free;

    test_shmlog_say(chat, 10);
    test_shmlog_say(chat, 1000);

    /* a clock that goes back makes nothing old */
    wsc_shmlog_stat_chat(&store, chat, 5, &limits, &c);
    assert_int_equal(c.count, 2);
    wsc_shmlog_stat_chat(&store, chat, TEST_SHMLOG_NOW + 1000, &limits, &c);
    assert_int_equal(c.count, 2);
    wsc_shmlog_stat_chat(&store, chat, TEST_SHMLOG_NOW + 1001, &limits, &c);
    assert_int_equal(c.count, 0);
    assert_true(c.head.seq == 2);
    assert_true(c.lost.seq == 2);
    assert_true(c.first.seq == 0);
    assert_int_equal(test_shmlog_stat().chunks_free, free);
    wsc_shmlog_check(&store);

    e = test_shmlog_entry("u", "x", 1);
    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &limits), WSC_OK);
    assert_true(e.pos.seq == 3);
    assert_true(e.prev.seq == 2);
}


static void
test_shmlog_interest(void **state)
{
    uint32_t         a, b, i;
    const uint64_t  *mask;

    a = test_shmlog_make("a");
    b = test_shmlog_make("b");
    mask = wsc_shmlog_mask(&store, a);

    for (i = 0; i < WSC_SHMLOG_SLOTS; i++) {
        wsc_shmlog_interest(&store, a, i, 1);
        wsc_shmlog_interest(&store, a, i, 1);
        assert_true(mask[i / 64] >> i % 64 & 1);
    }

    wsc_shmlog_interest(&store, a, WSC_SHMLOG_SLOTS, 1);
    wsc_shmlog_interest(&store, b, 64, 1);
    wsc_shmlog_check(&store);

    wsc_shmlog_clear_slot(&store, 64);
    wsc_shmlog_clear_slot(&store, WSC_SHMLOG_SLOTS);
    assert_true(mask[0] == UINT64_MAX);
    assert_true(mask[1] == UINT64_MAX - 1);
    assert_true(wsc_shmlog_mask(&store, b)[1] == 0);
    wsc_shmlog_check(&store);

    for (i = 0; i < WSC_SHMLOG_SLOTS; i++) {
        wsc_shmlog_interest(&store, a, i, 0);
        wsc_shmlog_interest(&store, b, i, 0);
        assert_false(mask[i / 64] >> i % 64 & 1);
    }
}


/* Many chats with the slot, among others, in both lists. */

static void
test_shmlog_clear_slot(void **state)
{
    char       name[8];
    uint32_t   i, chat;

    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "c%u", i);
        chat = test_shmlog_make(name);

        if (i % 2) {
            wsc_shmlog_interest(&store, chat, 1, 1);
        }

        if (i % 3) {
            wsc_shmlog_interest(&store, chat, 2, 1);
        }

        if (i % 5) {
            test_shmlog_say(chat, 10);
        }
    }

    wsc_shmlog_clear_slot(&store, 1);
    wsc_shmlog_check(&store);

    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "c%u", i);
        chat = test_shmlog_find(name);
        assert_true(wsc_shmlog_mask(&store, chat)[0] == (i % 3 ? 4 : 0));
        assert_int_equal(test_shmlog_chat(chat).count, i % 5 ? 1 : 0);
    }
}


/* Who goes first when the pool is full. */

static void
test_shmlog_evict(void **state)
{
    uint32_t           a, b, c, d, i;
    uint64_t           epoch;
    wsc_shmlog_stat_t  st;

    a = test_shmlog_make("a");
    b = test_shmlog_make("b");
    c = test_shmlog_make("c");
    d = test_shmlog_make("d");

    wsc_shmlog_interest(&store, a, 0, 1);
    wsc_shmlog_interest(&store, d, 0, 1);

    for (i = 0; i < 10; i++) {
        test_shmlog_say(a, 10);
        test_shmlog_say(c, 10);
        test_shmlog_say(b, 10);
    }

    epoch = test_shmlog_chat(c).head.epoch;
    test_shmlog_fill(d, 0);
    wsc_shmlog_check(&store);

    /* c is the least recently used without a listener, and goes wholly */
    assert_int_equal(test_shmlog_say(d, 10), WSC_OK);
    assert_int_equal(test_shmlog_find("c"), 0);
    assert_int_equal(test_shmlog_find("b"), b);
    st = test_shmlog_stat();
    assert_int_equal(st.evicted, 1);
    assert_int_equal(st.chunks_free, 10);
    assert_int_equal(test_shmlog_chat(a).count, 10);
    wsc_shmlog_check(&store);

    /* then b; then a's oldest; then d's own */
    test_shmlog_fill(d, 0);
    assert_int_equal(test_shmlog_say(d, 10), WSC_OK);
    assert_int_equal(test_shmlog_find("b"), 0);
    test_shmlog_fill(d, 0);

    for (i = 1; i <= 10; i++) {
        assert_int_equal(test_shmlog_say(d, 10), WSC_OK);
        assert_int_equal(test_shmlog_chat(a).count, 10 - i);
        assert_true(test_shmlog_chat(a).lost.seq == i);
    }

    assert_true(test_shmlog_chat(d).lost.seq == 0);
    assert_int_equal(test_shmlog_say(d, 10), WSC_OK);
    assert_true(test_shmlog_chat(d).lost.seq == 1);
    assert_int_equal(test_shmlog_find("a"), a);
    wsc_shmlog_check(&store);

    /* back again, in a greater epoch */
    c = test_shmlog_make("c");
    assert_int_not_equal(c, 0);
    assert_true(test_shmlog_chat(c).head.epoch > epoch);
    assert_true(test_shmlog_chat(c).head.seq == 0);
    assert_int_equal(test_shmlog_stat().evicted, 2);
}


/* Names that were only looked at do not push out what somebody said. */

static void
test_shmlog_evict_empty(void **state)
{
    char               name[16];
    uint32_t           i, a, chat;
    wsc_shmlog_stat_t  st;

    a = test_shmlog_make("a");
    test_shmlog_say(a, 10);
    st = test_shmlog_stat();
    chat = 0;

    for (i = 0; i < 2 * st.chunks; i++) {
        snprintf(name, sizeof(name), "x%u", i);
        chat = test_shmlog_make(name);
        assert_int_not_equal(chat, 0);
        wsc_shmlog_interest(&store, chat, 0, 1);
        wsc_shmlog_interest(&store, chat, 0, 0);
    }

    wsc_shmlog_check(&store);
    assert_int_equal(test_shmlog_find("a"), a);
    assert_int_equal(test_shmlog_chat(a).count, 1);

    /* one that is spoken in takes the room of the others */
    assert_int_equal(test_shmlog_say(chat, 600), WSC_OK);
    assert_int_equal(test_shmlog_find(name), chat);
    assert_int_equal(test_shmlog_find("a"), a);
    wsc_shmlog_check(&store);
}


/* A chat nobody listens to gives its own entries before those of others. */

static void
test_shmlog_evict_own(void **state)
{
    uint32_t  a, b;

    a = test_shmlog_make("a");
    b = test_shmlog_make("b");
    wsc_shmlog_interest(&store, a, 0, 1);
    test_shmlog_say(a, 10);
    test_shmlog_fill(b, 0);

    assert_int_equal(test_shmlog_say(b, 600), WSC_OK);
    assert_true(test_shmlog_chat(b).lost.seq == 3);
    assert_int_equal(test_shmlog_chat(a).count, 1);

    /* use counts: of two idle ones the one spoken in stays */
    wsc_shmlog_interest(&store, a, 0, 0);
    assert_int_equal(test_shmlog_say(b, 10), WSC_OK);
    assert_int_equal(test_shmlog_find("a"), 0);
    assert_int_equal(test_shmlog_find("b"), b);
}


/* The limits of the chat itself make room before anybody is evicted. */

static void
test_shmlog_evict_limits(void **state)
{
    uint32_t             a, b, i;
    wsc_entry_t          e;
    wsc_shmlog_limits_t  limits;

    a = test_shmlog_make("a");
    b = test_shmlog_make("b");
    test_shmlog_say(a, 10);
    test_shmlog_fill(b, 0);

    limits = unlimited;
    limits.messages = test_shmlog_chat(b).count;

    for (i = 1; i < 10; i++) {
        e = test_shmlog_entry("u", "", 10);
        assert_int_equal(wsc_shmlog_append(&store, b, &e, &limits), WSC_OK);
        assert_int_equal(test_shmlog_chat(b).count, limits.messages);
    }

    assert_int_equal(test_shmlog_find("a"), a);
}


/* One that cannot be kept is refused, and nothing else suffers. */

static void
test_shmlog_too_large(void **state)
{
    char               *huge;
    size_t              max;
    uint32_t            a, b;
    wsc_entry_t         e;
    wsc_shmlog_stat_t   st;

    a = test_shmlog_make("a");
    b = test_shmlog_make("b");
    wsc_shmlog_interest(&store, a, 7, 1);
    test_shmlog_say(a, 1000);
    test_shmlog_say(b, 1000);

    huge = calloc(WSC_SHMLOG_MIN_SIZE, 1);
    assert_non_null(huge);
    st = test_shmlog_stat();

    for (max = WSC_SHMLOG_MIN_SIZE; ; max--) {
        e = test_shmlog_entry("u", "", 0);
        e.message.data.data = (u_char *) huge;
        e.message.data.len = max;

        if (wsc_shmlog_append(&store, a, &e, &unlimited) == WSC_OK) {
            break;
        }

        assert_int_equal(test_shmlog_chat(a).count, 1);
        assert_int_equal(test_shmlog_chat(b).count, 1);
        assert_int_equal(test_shmlog_stat().chunks_free, st.chunks_free);
    }

    /* all but a's record */
    assert_int_equal(test_shmlog_stat().chunks_free, 0);
    assert_int_equal(test_shmlog_stat().messages, 1);
    assert_int_equal(test_shmlog_find("b"), 0);
    assert_true(e.pos.seq == 2);
    wsc_shmlog_check(&store);

    assert_int_equal(test_shmlog_say(a, 1), WSC_OK);
    assert_int_equal(test_shmlog_chat(a).count, 1);
    free(huge);
}


/* Chats alone fill the pool: the next is refused until somebody leaves. */

static void
test_shmlog_full(void **state)
{
    char      name[16];
    uint32_t  i, n, chat;

    n = test_shmlog_stat().chunks;
    chat = 0;

    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "chat-%u", i);
        chat = test_shmlog_make(name);
        assert_int_not_equal(chat, 0);
        wsc_shmlog_interest(&store, chat, i % WSC_SHMLOG_SLOTS, 1);
    }

    assert_int_equal(test_shmlog_make("one-more"), 0);
    assert_int_equal(test_shmlog_say(chat, 10), WSC_ERROR);
    assert_int_equal(test_shmlog_stat().chats, n);
    wsc_shmlog_check(&store);

    wsc_shmlog_clear_slot(&store, 5);
    assert_int_not_equal(test_shmlog_make("one-more"), 0);
    assert_int_equal(test_shmlog_say(chat, 10), WSC_OK);

    /* a message makes way for a chat that somebody wants to join */
    n = test_shmlog_stat().chunks - test_shmlog_stat().chats;
    assert_true(n >= 1);
    test_shmlog_fill(chat, 0);

    do {
        snprintf(name, sizeof(name), "late-%u", i++);
        n = test_shmlog_make(name);

        if (n) {
            wsc_shmlog_interest(&store, n, 0, 1);
        }
    } while (n);

    assert_int_equal(test_shmlog_stat().messages, 0);
    assert_int_equal(test_shmlog_stat().chunks_free, 0);
}


static void
test_shmlog_notices(void **state)
{
    uint32_t  a, b, chat, i;
    uint64_t  cursor, other;

    a = test_shmlog_make("a");
    b = test_shmlog_make("b");
    wsc_shmlog_interest(&store, a, 0, 1);
    wsc_shmlog_interest(&store, b, 0, 1);
    test_shmlog_say(a, 1);
    cursor = wsc_shmlog_cursor(&store);
    assert_int_equal(wsc_shmlog_notice(&store, &cursor, &chat), WSC_DONE);

    test_shmlog_say(a, 1);
    test_shmlog_say(b, 1);
    assert_int_equal(wsc_shmlog_notice(&store, &cursor, &chat), WSC_OK);
    assert_int_equal(chat, a);
    assert_int_equal(wsc_shmlog_notice(&store, &cursor, &chat), WSC_OK);
    assert_int_equal(chat, b);
    assert_int_equal(wsc_shmlog_notice(&store, &cursor, &chat), WSC_DONE);

    /* one who sleeps too long is told so */
    other = cursor;

    for (i = 0; i < 1023; i++) {
        test_shmlog_say(a, 1);
    }

    for (i = 0; i < 1023; i++) {
        assert_int_equal(wsc_shmlog_notice(&store, &cursor, &chat), WSC_OK);
        assert_int_equal(chat, a);
    }

    assert_int_equal(wsc_shmlog_notice(&store, &cursor, &chat), WSC_DONE);

    test_shmlog_say(b, 1);
    assert_int_equal(wsc_shmlog_notice(&store, &other, &chat), WSC_DECLINED);
    assert_true(other == wsc_shmlog_cursor(&store));
    assert_int_equal(wsc_shmlog_notice(&store, &other, &chat), WSC_DONE);

    /* nonsense from another life of the area */
    other = cursor + 1000000;
    assert_int_equal(wsc_shmlog_notice(&store, &other, &chat), WSC_DECLINED);
}


static void
test_shmlog_notices_evicted(void **state)
{
    uint32_t  a, b, chat;
    uint64_t  cursor;

    a = test_shmlog_make("a");
    b = test_shmlog_make("b");
    cursor = wsc_shmlog_cursor(&store);
    test_shmlog_say(a, 1);
    test_shmlog_fill(b, 0);
    test_shmlog_say(b, 1);
    assert_int_equal(test_shmlog_find("a"), 0);

    while (wsc_shmlog_notice(&store, &cursor, &chat) == WSC_OK) {
        assert_int_equal(chat, b);
    }
}


/* The order of use survives a repair. */

static void
test_shmlog_repair_order(void **state)
{
    char      name[8];
    uint32_t  i, big;

    static const u_char  use[] = { 3, 1, 4, 0, 2 };

    for (i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "c%u", i);
        test_shmlog_make(name);
    }

    for (i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "c%u", use[i]);
        test_shmlog_say(test_shmlog_find(name), 10);
    }

    wsc_shmlog_repair(&store);
    wsc_shmlog_check(&store);
    assert_int_equal(test_shmlog_stat().repairs, 1);
    assert_int_equal(test_shmlog_stat().messages, 5);

    big = test_shmlog_make("big");

    for (i = 0; i < 5; i++) {
        test_shmlog_fill(big, 0);
        test_shmlog_say(big, 10);
        snprintf(name, sizeof(name), "c%u", use[i]);
        assert_int_equal(test_shmlog_find(name), 0);
        assert_int_equal(test_shmlog_stat().evicted, i + 1);
    }
}


/* Whatever is written over the chunks, repair ends and leaves sound lists. */

static void
test_shmlog_repair_garbage(void **state)
{
    u_char             *p;
    size_t              at, kept;
    uint32_t            i, n, seed, chat;
    wsc_shmlog_stat_t   st;

    seed = 11;
    kept = 0;
    p = malloc(WSC_SHMLOG_MIN_SIZE);
    assert_non_null(p);

    chat = test_shmlog_make("room");

    for (i = 0; i < 300; i++) {
        test_shmlog_say(chat, i * 3);
    }

    memcpy(p, area, WSC_SHMLOG_MIN_SIZE);
    at = WSC_SHMLOG_MIN_SIZE - 256 * test_shmlog_stat().chunks;

    for (i = 0; i < 2000; i++) {
        memcpy(area, p, WSC_SHMLOG_MIN_SIZE);

        for (n = wsc_test_random(&seed) % 50; n; n--) {
            /* not the chat's record, which comes first */
            area[at + 512 + wsc_test_random(&seed)
                            % (WSC_SHMLOG_MIN_SIZE - at - 512)]
                = wsc_test_random(&seed) % 3 ? wsc_test_random(&seed) : 0;
        }

        wsc_shmlog_repair(&store);
        wsc_shmlog_stat(&store, &st);
        kept += st.messages;
        assert_int_equal(test_shmlog_find("room"), chat);
    }

    assert_true(kept > 2000);
    memcpy(area, p, WSC_SHMLOG_MIN_SIZE);
    free(p);
}


static void
test_shmlog_speed(void **state)
{
    char                 cid[16];
    double               seconds;
    u_char              *p;
    uint32_t             chats[100], i;
    wsc_str_t            name;
    wsc_entry_t          e;
    wsc_shmlog_t         l;
    struct timespec      begin, end;
    wsc_shmlog_limits_t  limits;

    p = malloc(64 << 20);
    assert_non_null(p);
    assert_int_equal(wsc_shmlog_init(&l, p, 64 << 20), WSC_OK);
    limits = unlimited;
    limits.messages = 1000;

    for (i = 0; i < 100; i++) {
        snprintf(cid, sizeof(cid), "c%u", i);
        name = test_shmlog_str(cid);
        chats[i] = wsc_shmlog_make(&l, &name, 1);
    }

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);

    for (i = 0; i < 500000; i++) {
        snprintf(cid, sizeof(cid), "%u", i);
        e = test_shmlog_entry("somebody", cid, 100);
        (void) wsc_shmlog_append(&l, chats[i % 100], &e, &limits);
    }

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    seconds = end.tv_sec - begin.tv_sec
              + (end.tv_nsec - begin.tv_nsec) / 1e9;
    print_message("%.0f appends of 100 octets a second\n", i / seconds);

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    wsc_shmlog_repair(&l);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    seconds = end.tv_sec - begin.tv_sec
              + (end.tv_nsec - begin.tv_nsec) / 1e9;
    print_message("repair of 100,000 entries: %.1f ms\n", seconds * 1000);

    wsc_shmlog_check(&l);
    free(p);
}


#define test_shmlog_unit(name)                                                \
    cmocka_unit_test_setup_teardown(name, test_shmlog_setup,                  \
                                    test_shmlog_teardown)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        test_shmlog_unit(test_shmlog_area),
        test_shmlog_unit(test_shmlog_area_sizes),
        test_shmlog_unit(test_shmlog_names),
        test_shmlog_unit(test_shmlog_epochs),
        test_shmlog_unit(test_shmlog_chain),
        test_shmlog_unit(test_shmlog_octets),
        test_shmlog_unit(test_shmlog_walk),
        test_shmlog_unit(test_shmlog_dedupe),
        test_shmlog_unit(test_shmlog_dedupe_long),
        test_shmlog_unit(test_shmlog_limits),
        test_shmlog_unit(test_shmlog_age),
        test_shmlog_unit(test_shmlog_interest),
        test_shmlog_unit(test_shmlog_clear_slot),
        test_shmlog_unit(test_shmlog_evict),
        test_shmlog_unit(test_shmlog_evict_empty),
        test_shmlog_unit(test_shmlog_evict_own),
        test_shmlog_unit(test_shmlog_evict_limits),
        test_shmlog_unit(test_shmlog_too_large),
        test_shmlog_unit(test_shmlog_full),
        test_shmlog_unit(test_shmlog_notices),
        test_shmlog_unit(test_shmlog_notices_evicted),
        test_shmlog_unit(test_shmlog_repair_order),
        test_shmlog_unit(test_shmlog_repair_garbage),
        test_shmlog_unit(test_shmlog_speed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Envelopes against the golden ones of tests/vectors/envelopes, which another
 * library made.  Run from the top of the tree.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_envelope.h"


#define TEST_EPOCH  1700000000000
#define TEST_STAMP  1700000001234
#define TEST_LAST   (WSC_MAX_INTEGER - 1)

#define TEST_NO_NEWS  { 0, 0, wsc_null_string, NULL, 0 }


typedef struct {
    const char      *name;
    wsc_envelope_e   kind;
    int              first;
    uint64_t         n;
    wsc_entry_t      entry;
    wsc_news_t       news;
} test_envelope_t;


typedef struct {
    const char      *name;
    wsc_change_t     change;
} test_change_t;


static const wsc_note_t  notes[] = {
    { wsc_string("pos"), wsc_string("Zo\xc3\xab \xe2\x82\xac"),
      { wsc_string("{\"x\":1.50}"), 0 }, { 0, 0, 0, 0 } },
    { wsc_string("blob"), wsc_string("ann"),
      { wsc_string("\x00\xff\x10"), 1 }, { 1, TEST_EPOCH, 3, TEST_LAST } }
};

static const wsc_note_t  notice = {
    wsc_string(""), wsc_string("root"), { wsc_string("\"hi\""), 0 },
    { TEST_STAMP, 0, 0, 0 }
};


static const wsc_note_t  settled = {
    wsc_string("c1"), wsc_string("ann"), { wsc_null_string, 0 },
    { TEST_EPOCH, TEST_LAST, 0, 0 }
};


static const test_envelope_t  envelopes[] = {
    { "entry", WSC_ENVELOPE_ENTRY, 0, 0,
      { { 0, 0 }, { 0, 0 }, TEST_STAMP, wsc_string("ann"), wsc_string("c1"),
        { wsc_string("{\"text\":\"hi\"}"), 0 }, 0, 0 }, TEST_NO_NEWS },

    { "entry_first", WSC_ENVELOPE_ENTRY, 1, 0,
      { { 0, 0 }, { TEST_EPOCH - 1, TEST_LAST }, TEST_STAMP,
        wsc_string("Zo\xc3\xab \xe2\x82\xac"), wsc_string("c\"2"),
        { wsc_string("\"\xc3\xa9\""), 0 }, 0, 0 }, TEST_NO_NEWS },

    { "entry_binary", WSC_ENVELOPE_ENTRY, 0, 0,
      { { 0, 0 }, { 0, 0 }, TEST_STAMP, wsc_string("ann"), wsc_string("c3"),
        { wsc_string("\x00\xff\x10"), 1 }, 0, 0 }, TEST_NO_NEWS },

    { "message", WSC_ENVELOPE_MESSAGE, 0, 0,
      { { TEST_EPOCH, 2 }, { TEST_EPOCH, 1 }, TEST_STAMP, wsc_string("ann"),
        wsc_string("c1"), { wsc_string("{\"text\":\"hi\"}"), 0 }, 0, 0 },
      TEST_NO_NEWS },

    { "message_first", WSC_ENVELOPE_MESSAGE, 0, 0,
      { { TEST_EPOCH, 1 }, { 0, 0 }, TEST_STAMP, wsc_string("ann"),
        wsc_string("c1"), { wsc_string("null"), 0 }, 0, 0 }, TEST_NO_NEWS },

    { "hint", WSC_ENVELOPE_HINT, 0, 17, { .timestamp = 0 },
      TEST_NO_NEWS },
    { "canary", WSC_ENVELOPE_CANARY, 0, TEST_LAST, { .timestamp = 0 },
      TEST_NO_NEWS },

    { "news", WSC_ENVELOPE_NEWS, 0, 0, { .timestamp = 0 },
      { WSC_NEWS_SIGNAL, WSC_TO_CHAT, wsc_string("lobby"), notes, 2 } },
    { "news_user", WSC_ENVELOPE_NEWS, 0, 0, { .timestamp = 0 },
      { WSC_NEWS_MESSAGE, WSC_TO_USER, wsc_string("ann"), &notice, 1 } },
    { "news_settled", WSC_ENVELOPE_NEWS, 0, 0, { .timestamp = 0 },
      { WSC_NEWS_SETTLED, WSC_TO_CHAT, wsc_string("room"), &settled, 1 } },
    { "news_zone", WSC_ENVELOPE_NEWS, 0, 0, { .timestamp = 0 },
      { WSC_NEWS_TYPES - 1, WSC_TO_ZONE, wsc_string(""), NULL, 0 } }
};


static const test_change_t  changes[] = {
    { "change", { { TEST_EPOCH, 2 }, { TEST_EPOCH, 7 }, TEST_STAMP,
                  wsc_string("Zo\xc3\xab \xe2\x82\xac"),
                  { wsc_string("{\"text\":\"ho\"}"), 0 }, 0 } },
    { "change_binary", { { TEST_EPOCH, TEST_LAST }, { 0, 0 }, TEST_STAMP,
                         wsc_string("ann"),
                         { wsc_string("\x00\xff\x10"), 1 }, 0 } },
    { "change_retracted", { { TEST_EPOCH - 1, 1 }, { TEST_EPOCH, TEST_LAST },
                            TEST_STAMP, wsc_string(""),
                            { wsc_null_string, 0 }, 1 } }
};


static void
test_write(wsc_buf_t *b, const test_envelope_t *t)
{
    switch (t->kind) {

    case WSC_ENVELOPE_ENTRY:
        wsc_envelope_entry(b, &t->entry, t->first);
        return;

    case WSC_ENVELOPE_MESSAGE:
        wsc_envelope_message(b, &t->entry);
        return;

    case WSC_ENVELOPE_NEWS:
        wsc_envelope_news(b, &t->news);
        return;

    default:
        wsc_envelope_number(b, t->kind, t->n);
    }
}


static void
test_same(const wsc_str_t *a, const wsc_str_t *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}


static void
test_same_news(const wsc_news_t *a, const wsc_news_t *b)
{
    size_t  i;

    assert_int_equal(a->type, b->type);
    assert_int_equal(a->to, b->to);
    assert_int_equal(a->count, b->count);
    test_same(&a->name, &b->name);

    for (i = 0; i < a->count; i++) {
        test_same(&a->notes[i].key, &b->notes[i].key);
        test_same(&a->notes[i].sender, &b->notes[i].sender);
        test_same(&a->notes[i].value.data, &b->notes[i].value.data);
        assert_int_equal(a->notes[i].value.binary, b->notes[i].value.binary);
        assert_memory_equal(a->notes[i].n, b->notes[i].n,
                            sizeof(a->notes[i].n));
    }
}


static void
test_envelope_golden(void **state)
{
    u_char                  data[512];
    size_t                  i, len;
    wsc_buf_t               b;
    wsc_str_t               s;
    const char             *reason;
    wsc_test_mem_t          mem;
    wsc_envelope_t          v;
    const test_envelope_t  *t;

    for (i = 0; i < wsc_test_count(envelopes); i++) {
        t = &envelopes[i];

        len = wsc_test_vector("envelopes", t->name, "msgpack", data,
                              sizeof(data));

        wsc_test_mem_init(&mem, 0);
        wsc_buf_init(&b, &mem.alloc);
        test_write(&b, t);

        assert_int_equal(b.len, len);
        assert_memory_equal(b.data, data, len);

        s.data = wsc_test_copy(data, len);
        s.len = len;

        assert_int_equal(wsc_envelope_read(&mem.alloc, &s, &v, &reason),
                         WSC_OK);
        assert_true(wsc_envelope_is(&mem.alloc, &s, t->kind, &v));
        assert_false(wsc_envelope_is(&mem.alloc, &s, WSC_ENVELOPE_CHANGE + 1,
                                     &v));
        assert_int_equal(v.kind, t->kind);
        assert_int_equal(v.n, t->n);
        assert_int_equal(v.has_prev,
                         t->first || t->kind == WSC_ENVELOPE_MESSAGE);
        assert_int_equal(wsc_pos_cmp(v.entry.pos, t->entry.pos), 0);
        assert_int_equal(wsc_pos_cmp(v.entry.prev, t->entry.prev), 0);
        assert_int_equal(v.entry.timestamp, t->entry.timestamp);
        assert_int_equal(v.entry.message.binary, t->entry.message.binary);
        test_same(&v.entry.sender, &t->entry.sender);
        test_same(&v.entry.cid, &t->entry.cid);
        test_same(&v.entry.message.data, &t->entry.message.data);
        test_same_news(&v.news, &t->news);

        free(s.data);
        wsc_buf_free(&b);
        wsc_test_mem_check(&mem);
    }
}


/* Those of changes: the same, cut at each octet, each octet changed. */

static void
test_envelope_changes(void **state)
{
    u_char               data[512];
    size_t               i, k, len;
    wsc_buf_t            b;
    wsc_str_t            s;
    const char          *reason;
    wsc_test_mem_t       mem;
    wsc_envelope_t       v;
    const wsc_change_t  *c;

    for (i = 0; i < wsc_test_count(changes); i++) {
        c = &changes[i].change;

        len = wsc_test_vector("envelopes", changes[i].name, "msgpack", data,
                              sizeof(data));

        wsc_test_mem_init(&mem, 0);
        wsc_buf_init(&b, &mem.alloc);
        wsc_envelope_change(&b, c);

        assert_int_equal(b.len, len);
        assert_memory_equal(b.data, data, len);

        s.data = wsc_test_copy(data, len);
        s.len = len;

        assert_int_equal(wsc_envelope_read(&mem.alloc, &s, &v, &reason),
                         WSC_OK);
        assert_int_equal(v.kind, WSC_ENVELOPE_CHANGE);
        assert_int_equal(wsc_pos_cmp(v.change.pos, c->pos), 0);
        assert_int_equal(wsc_pos_cmp(v.change.at, c->at), 0);
        assert_int_equal(v.change.timestamp, c->timestamp);
        assert_int_equal(v.change.retracted, c->retracted);
        assert_int_equal(v.change.message.binary, c->message.binary);
        test_same(&v.change.by, &c->by);
        test_same(&v.change.message.data, &c->message.data);

        for (k = 0; k < len * 256; k++) {
            s.data[k / 256] = k;
            assert_int_not_equal(wsc_envelope_read(&mem.alloc, &s, &v,
                                                   &reason), WSC_ERROR);
            s.data[k / 256] = data[k / 256];
        }

        free(s.data);

        for (k = 0; k < len; k++) {
            s.data = wsc_test_copy(data, k);
            s.len = k;
            assert_int_equal(wsc_envelope_read(&mem.alloc, &s, &v, &reason),
                             WSC_DECLINED);
            free(s.data);
        }

        wsc_buf_free(&b);
        wsc_test_mem_check(&mem);
    }
}


/* Cut at each octet, and with each octet changed: never read too far. */

static void
test_envelope_broken(void **state)
{
    size_t          i, k, len;
    wsc_buf_t       b;
    wsc_str_t       s;
    const char     *reason;
    wsc_test_mem_t  mem;
    wsc_envelope_t  v;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    for (i = 0; i < wsc_test_count(envelopes); i++) {
        wsc_buf_reset(&b, 0);
        test_write(&b, &envelopes[i]);

        for (len = 0; len < b.len; len++) {
            s.data = wsc_test_copy(b.data, len);
            s.len = len;
            reason = NULL;

            assert_int_equal(wsc_envelope_read(&mem.alloc, &s, &v, &reason),
                             WSC_DECLINED);
            assert_non_null(reason);
            free(s.data);
        }

        s.data = wsc_test_copy(b.data, b.len);
        s.len = b.len;

        for (k = 0; k < b.len * 256; k++) {
            s.data[k / 256] = k;
            assert_int_not_equal(wsc_envelope_read(&mem.alloc, &s, &v,
                                                   &reason), WSC_ERROR);
            s.data[k / 256] = b.data[k / 256];
        }

        free(s.data);
    }

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static const struct {
    const char  *data;
    size_t       len;
    ssize_t      rc;
} refused[] = {
    /* elements of later versions are ignored */
    { "\x94\x01\x03\x05\xc0", 5, WSC_OK },
    { "\x96\x01\x01\x01\xa1" "a\xa1" "c\xa1" "1", 10, WSC_OK },
    { "\x97\x01\x01\x01\xa1" "a\xa1" "c\xa1" "1\xc0", 11, WSC_OK },
    { "\x93\x02\x03\x05", 4, WSC_DECLINED },
    { "\x93\x01\x09\x05", 4, WSC_DECLINED },
    { "\x92\x01\x03", 3, WSC_DECLINED },
    { "\x93\x01\x03\xff", 4, WSC_DECLINED },
    { "\x93\x01\x03\xa1" "x", 5, WSC_DECLINED },
    { "\x93\x01\x03\xcf\x00\x20\x00\x00\x00\x00\x00\x00", 12,
      WSC_DECLINED },
    /* no sender, a bad cid, text that is no JSON, UTF-8 */
    { "\x96\x01\x01\x01\xa0\xa1" "c\xa1" "1", 9, WSC_DECLINED },
    { "\x96\x01\x01\x01\xa1" "a\xa1" "\x01\xa1" "1", 10, WSC_DECLINED },
    { "\x96\x01\x01\x01\xa1" "a\xa1" "c\xa1" "x", 10, WSC_DECLINED },
    { "\x96\x01\x01\x01\xa1" "\xff\xa1" "c\xa1" "1", 10, WSC_DECLINED },
    /* position 0, prev not before it */
    { "\x9a\x01\x02\x01\xa1" "a\xa1" "c\xa1" "1\x05\x00\x00\x00", 14,
      WSC_DECLINED },
    { "\x9a\x01\x02\x01\xa1" "a\xa1" "c\xa1" "1\x05\x02\x05\x02", 14,
      WSC_DECLINED },
    { "\x9a\x01\x02\x01\xa1" "a\xa1" "c\xa1" "1\x05\x02\x05\x01", 14,
      WSC_OK },
    /* news: of no type, to nobody, a bad name, too many notes, too few */
    { "\x96\x01\x05\x01\x01\xa1" "a\x00", 8, WSC_OK },
    { "\x97\x01\x05\x01\x01\xa1" "a\x00\xc0", 9, WSC_OK },
    { "\x96\x01\x05\x00\x01\xa1" "a\x00", 8, WSC_DECLINED },
    { "\x96\x01\x05\x40\x01\xa1" "a\x00", 8, WSC_DECLINED },
    { "\x96\x01\x05\x01\x00\xa1" "a\x00", 8, WSC_DECLINED },
    { "\x96\x01\x05\x01\x04\xa1" "a\x00", 8, WSC_DECLINED },
    { "\x96\x01\x05\x01\x01\xa1" "/\x00", 8, WSC_DECLINED },
    { "\x96\x01\x05\x01\x02\xa1" "\x01\x00", 8, WSC_DECLINED },
    { "\x96\x01\x05\x01\x03\xa1" "a\x00", 8, WSC_DECLINED },
    { "\x96\x01\x05\x01\x01\xa1" "a\x01", 8, WSC_DECLINED },
    { "\x96\x01\x05\x01\x01\xa1" "a\x11", 8, WSC_DECLINED },
    /* its note: text that is no JSON, a bad key, a bad sender */
    { "\x9d\x01\x05\x01\x01\xa1" "a\x01\xa1k\xa1s\xa1" "1\x00\x00\x00\x00",
      18, WSC_OK },
    { "\x9d\x01\x05\x01\x01\xa1" "a\x01\xa0\xa0\xa0\x00\x00\x00\x00",
      15, WSC_OK },
    { "\x9d\x01\x05\x01\x01\xa1" "a\x01\xa1k\xa1s\xa1" "x\x00\x00\x00\x00",
      18, WSC_DECLINED },
    { "\x9d\x01\x05\x01\x01\xa1" "a\x01\xa1\xff\xa1s\xa1" "1\x00\x00\x00"
      "\x00", 18, WSC_DECLINED },
    { "\x9d\x01\x05\x01\x01\xa1" "a\x01\xa1k\xa1\x01\xa1" "1\x00\x00\x00"
      "\x00", 18, WSC_DECLINED },
    /* a change: of nothing, neither edit nor retraction, text that is none,
       text that should be gone, a bad user */
    { "\x9a\x01\x06\x01\xa1" "a\x05\x01\x00\xa1" "1\x00\x00", 13, WSC_OK },
    { "\x9a\x01\x06\x01\xa0\x05\x01\x01\xa0\x05\x02", 11, WSC_OK },
    { "\x9a\x01\x06\x01\xa1" "a\x05\x00\x00\xa1" "1\x00\x00", 13,
      WSC_DECLINED },
    { "\x9a\x01\x06\x01\xa1" "a\x05\x01\x02\xa1" "1\x00\x00", 13,
      WSC_DECLINED },
    { "\x9a\x01\x06\x01\xa1" "a\x05\x01\x00\xa1" "x\x00\x00", 13,
      WSC_DECLINED },
    { "\x9a\x01\x06\x01\xa1" "a\x05\x01\x00\xa0\x00\x00", 12,
      WSC_DECLINED },
    { "\x9a\x01\x06\x01\xa1" "a\x05\x01\x01\xa1" "1\x00\x00", 13,
      WSC_DECLINED },
    { "\x9a\x01\x06\x01\xa1" "\x01\x05\x01\x00\xa1" "1\x00\x00", 13,
      WSC_DECLINED },
    { "\x99\x01\x06\x01\xa1" "a\x05\x01\x00\xa1" "1\x00", 12,
      WSC_DECLINED },
};


static void
test_envelope_refused(void **state)
{
    size_t          i;
    wsc_str_t       s;
    const char     *reason;
    wsc_test_mem_t  mem;
    wsc_envelope_t  v;

    wsc_test_mem_init(&mem, 0);

    for (i = 0; i < wsc_test_count(refused); i++) {
        s.data = wsc_test_copy(refused[i].data, refused[i].len);
        s.len = refused[i].len;

        assert_int_equal(wsc_envelope_read(&mem.alloc, &s, &v, &reason),
                         refused[i].rc);
        free(s.data);
    }

    wsc_test_mem_check(&mem);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_envelope_golden),
        cmocka_unit_test(test_envelope_changes),
        cmocka_unit_test(test_envelope_broken),
        cmocka_unit_test(test_envelope_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

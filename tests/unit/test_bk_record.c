
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records of the topic, as any producer may write them.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "bk_record.h"


#define TEST_STAMP  1700000000000


typedef struct {
    const char  *key;
    const char  *value;
    const char  *reason;      /* NULL: it is good */
    const char  *chat_id;
    const char  *sender;
    const char  *cid;
    const char  *message;
    uint64_t     timestamp;
    const char  *rule;
} test_record_t;


#define GOOD  NULL, "room", "ann", "c1"


static const test_record_t  records[] = {
    { "room", "{\"chat_id\":\"room\",\"sender\":\"ann\",\"message\":1,"
      "\"timestamp\":\"2023-11-14T22:13:20.007Z\",\"cid\":\"c1\"}",
      GOOD, "1", TEST_STAMP + 7, NULL },

    /* mended: from the key, from the broker; unknown fields are nothing */

    { "room", " {\"sender\":\"ann\",\"message\":{\"a\": 1.0},\"x\":[1],"
      "\"cid\":\"c1\"} ", GOOD, "{\"a\": 1.0}", TEST_STAMP, NULL },

    { NULL, "{\"chat_id\":\"r\\u006fom\",\"sender\":\"\\u0061nn\","
      "\"cid\":\"c\\u0031\",\"timestamp\":5,\"message\":\"a\\u0062\"}",
      GOOD, "\"a\\u0062\"", 5, NULL },

    { "other", "{\"chat_id\":\"room\",\"sender\":\"ann\",\"message\":null}",
      NULL, "room", "ann", "", "null", TEST_STAMP, NULL },

    /* JSON that members may not get */

    { "room", "{\"sender\":\"ann\",\"cid\":\"c1\",\"message\":\"\\u0000\"}",
      GOOD, "\"\\u0000\"", TEST_STAMP, "\\u0000 in a string" },

    { "room", "{\"sender\":\"ann\",\"cid\":\"c1\",\"message\":1e400}",
      GOOD, "1e400", TEST_STAMP, "a number is out of range" },

    { "room", "{\"sender\":\"ann\",\"cid\":\"c1\",\"message\":"
      "{\"a\":1,\"a\":1}}", GOOD, "{\"a\":1,\"a\":1}", TEST_STAMP,
      "a key is repeated in an object" },

    { "room", "{\"sender\":\"ann\",\"cid\":\"c1\",\"x\":\"\\u0000\","
      "\"message\":2}", GOOD, "2", TEST_STAMP, NULL },

    /* bad ones */

    { "room", "", "no value", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "[]", "not an object", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"sender\":\"ann\"}", "no message",
      NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1}", "bad or no sender",
      NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":5}", "bad or no sender",
      NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"\\ud800\"}", "bad or no sender",
      NULL, NULL, NULL, NULL, 0, NULL },
    { NULL, "{\"message\":1,\"sender\":\"ann\"}", "bad or no chat_id",
      NULL, NULL, NULL, NULL, 0, NULL },
    { "a b", "{\"message\":1,\"sender\":\"ann\"}", "bad or no chat_id",
      NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"cid\":\"\"}", "bad cid",
      NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"cid\":7}", "bad cid",
      NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"message\":2}",
      "a field twice", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"timestamp\":-1}",
      "bad timestamp", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"timestamp\":1.5}",
      "bad timestamp", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"timestamp\":\"now\"}",
      "bad timestamp", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"timestamp\":null}",
      "bad timestamp", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"enc\":\"gzip\"}",
      "bad enc", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":1,\"sender\":\"ann\",\"enc\":\"base64\"}",
      "not base64", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":\"AA\",\"sender\":\"ann\",\"enc\":\"base64\"}",
      "not base64", NULL, NULL, NULL, NULL, 0, NULL },
    { "room", "{\"message\":\"A A=\",\"sender\":\"ann\",\"enc\":\"base64\"}",
      "not base64", NULL, NULL, NULL, NULL, 0, NULL }
};


static void
test_str(wsc_str_t *s, const char *text)
{
    s->data = (u_char *) text;
    s->len = text ? strlen(text) : 0;
}


static int
test_is(const wsc_str_t *s, const char *text)
{
    return s->len == strlen(text)
           && (s->len == 0 || memcmp(s->data, text, s->len) == 0);
}


static void
test_records(void **state)
{
    size_t                i;
    ssize_t               rc;
    bk_raw_t              raw;
    bk_record_t           r;
    const char           *reason;
    wsc_test_mem_t        mem;
    const test_record_t  *t;

    for (i = 0; i < wsc_test_count(records); i++) {
        t = &records[i];

        memset(&raw, 0, sizeof(raw));
        test_str(&raw.key, t->key);
        raw.value.len = strlen(t->value);
        raw.value.data = wsc_test_copy(t->value, raw.value.len);
        raw.timestamp = TEST_STAMP;

        wsc_test_mem_init(&mem, 0);
        rc = bk_record_read(&mem.alloc, &raw, &r, &reason);

        if (t->reason) {
            assert_int_equal(rc, WSC_DECLINED);
            assert_string_equal(reason, t->reason);

        } else {
            assert_int_equal(rc, WSC_OK);
            assert_true(test_is(&r.chat_id, t->chat_id));
            assert_true(test_is(&r.sender, t->sender));
            assert_true(test_is(&r.cid, t->cid));
            assert_true(test_is(&r.message, t->message));
            assert_int_equal(r.timestamp, t->timestamp);
            assert_int_equal(r.rule != NULL, t->rule != NULL);

            if (t->rule) {
                assert_string_equal(r.rule, t->rule);
            }
        }

        bk_record_free(&r);
        wsc_test_mem_check(&mem);
        free(raw.value.data);
    }
}


typedef struct {
    const char  *headers[BK_HEADER_N];
    int          good;
    wsc_pos_t    pos;
    wsc_pos_t    prev;
} test_headers_t;


static const test_headers_t  headers[] = {
    { { NULL }, 1, { 0, 0 }, { 0, 0 } },
    { { "7", "5" }, 1, { 7, 5 }, { 0, 0 } },
    { { "7", "5", "7", "4", "1" }, 1, { 7, 5 }, { 7, 4 } },
    { { "7", "1", "6", "900" }, 1, { 7, 1 }, { 6, 900 } },
    { { "7" }, 0, { 0, 0 }, { 0, 0 } },
    { { NULL, "7" }, 0, { 0, 0 }, { 0, 0 } },
    { { "7", "0" }, 0, { 0, 0 }, { 0, 0 } },
    { { "7", "" }, 0, { 0, 0 }, { 0, 0 } },
    { { "7", "5x" }, 0, { 0, 0 }, { 0, 0 } },
    { { "7", "-5" }, 0, { 0, 0 }, { 0, 0 } },
    { { "7", "9007199254740992" }, 0, { 0, 0 }, { 0, 0 } },
    { { "7", "5", "7", "5" }, 0, { 0, 0 }, { 0, 0 } },
    { { "7", "5", "7" }, 0, { 0, 0 }, { 0, 0 } }
};


static void
test_positions(void **state)
{
    size_t                 i, n;
    ssize_t                rc;
    bk_raw_t               raw;
    bk_record_t            r;
    const char            *reason;
    wsc_test_mem_t         mem;
    const test_headers_t  *t;

    for (i = 0; i < wsc_test_count(headers); i++) {
        t = &headers[i];

        memset(&raw, 0, sizeof(raw));
        test_str(&raw.key, "room");
        test_str(&raw.value, "{\"sender\":\"ann\",\"message\":1}");

        for (n = 0; n < BK_HEADER_N; n++) {
            test_str(&raw.headers[n], t->headers[n]);
        }

        wsc_test_mem_init(&mem, 0);
        rc = bk_record_read(&mem.alloc, &raw, &r, &reason);

        assert_int_equal(rc, t->good ? WSC_OK : WSC_DECLINED);

        if (t->good) {
            assert_int_equal(wsc_pos_cmp(r.pos, t->pos), 0);
            assert_int_equal(wsc_pos_cmp(r.prev, t->prev), 0);
            assert_int_equal(r.retry, t->headers[BK_HEADER_RETRY] != NULL);
        }

        bk_record_free(&r);
        wsc_test_mem_check(&mem);
    }
}


static const char  packed[] =
    "\x86\xa7" "chat_id" "\xa4" "room" "\xa6" "sender" "\xa3" "ann"
    "\xa7" "message" "\xc4\x03" "\x00\xff\x10" "\xa3" "cid" "\xa2" "c1"
    "\xa9" "timestamp" "\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00" "\xa1" "x"
    "\xc0";


static void
test_msgpack(void **state)
{
    bk_raw_t         raw;
    wsc_buf_t        b;
    bk_record_t      r;
    wsc_value_t      v;
    const char      *reason;
    wsc_test_mem_t   mem;

    memset(&raw, 0, sizeof(raw));
    raw.value.data = (u_char *) packed;
    raw.value.len = sizeof(packed) - 1;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    assert_int_equal(bk_record_read(&mem.alloc, &raw, &r, &reason), WSC_OK);
    assert_true(test_is(&r.chat_id, "room"));
    assert_true(test_is(&r.sender, "ann"));
    assert_true(test_is(&r.cid, "c1"));
    assert_true(test_is(&r.message, "\"AP8Q\""));
    assert_int_equal(r.base64, 1);
    assert_int_equal(r.timestamp, TEST_STAMP);

    assert_int_equal(bk_record_value(&r, &b, &v), WSC_OK);
    assert_int_equal(v.binary, 1);
    assert_int_equal(v.data.len, 3);
    assert_memory_equal(v.data.data, "\x00\xff\x10", 3);

    bk_record_free(&r);
    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_short_body(wsc_test_mem_t *mem, void *data)
{
    ssize_t       rc;
    wsc_buf_t     b;
    bk_record_t   r;
    wsc_value_t   v;
    const char   *reason;

    wsc_buf_init(&b, &mem->alloc);

    rc = bk_record_read(&mem->alloc, data, &r, &reason);

    if (rc == WSC_OK) {
        rc = bk_record_value(&r, &b, &v);
    }

    assert_true(rc == WSC_OK || rc == WSC_ERROR);

    bk_record_free(&r);
    wsc_buf_free(&b);
}


static void
test_short_of_memory(void **state)
{
    bk_raw_t  raw;

    memset(&raw, 0, sizeof(raw));
    raw.value.data = (u_char *) packed;
    raw.value.len = sizeof(packed) - 1;

    assert_true(wsc_test_mem_fail(test_short_body, &raw) > 1);

    test_str(&raw.value, "{\"chat_id\":\"r\\u006fom\",\"sender\":\"ann\","
             "\"message\":\"AP8\\u0051\",\"enc\":\"base64\"}");

    assert_true(wsc_test_mem_fail(test_short_body, &raw) > 1);
}


static void
test_prefixes(void **state)
{
    size_t           n;
    bk_raw_t         raw;
    bk_record_t      r;
    const char      *reason, *text;
    wsc_test_mem_t   mem;

    text = records[0].value;
    memset(&raw, 0, sizeof(raw));

    for (n = 0; n < strlen(text) + sizeof(packed) - 1; n++) {
        raw.value.len = (n < strlen(text)) ? n : n - strlen(text);
        raw.value.data = wsc_test_copy(n < strlen(text) ? text : packed,
                                       raw.value.len);

        wsc_test_mem_init(&mem, 0);
        assert_int_equal(bk_record_read(&mem.alloc, &raw, &r, &reason),
                         WSC_DECLINED);
        bk_record_free(&r);
        wsc_test_mem_check(&mem);
        free(raw.value.data);
    }
}


/* The longest names there are, each character of them an escape. */

static void
test_escapes(void **state)
{
    char            *p;
    size_t           i, n;
    bk_raw_t         raw;
    bk_record_t      r;
    const char      *reason;
    wsc_test_mem_t   mem;

    static const struct {
        const char  *name;
        size_t       len;
    } fields[] = {
        { "chat_id", WSC_MAX_CHAT_ID }, { "sender", WSC_MAX_USER },
        { "cid", WSC_MAX_CID }, { "enc", WSC_MAX_USER }
    };

    memset(&raw, 0, sizeof(raw));
    raw.value.data = malloc(8192);
    p = (char *) raw.value.data;

    p += sprintf(p, "{\"message\":1");

    for (i = 0; i < wsc_test_count(fields); i++) {
        p += sprintf(p, ",\"%s\":\"", fields[i].name);

        for (n = 0; n < fields[i].len; n++) {
            p += sprintf(p, "\\u0061");
        }

        p += sprintf(p, "\"");
    }

    p += sprintf(p, "}");
    raw.value.len = p - (char *) raw.value.data;

    wsc_test_mem_init(&mem, 0);

    assert_int_equal(bk_record_read(&mem.alloc, &raw, &r, &reason),
                     WSC_DECLINED);
    assert_string_equal(reason, "bad enc");
    assert_int_equal(r.sender.len, WSC_MAX_USER);
    assert_true(r.names.len <= r.names.size);

    bk_record_free(&r);
    wsc_test_mem_check(&mem);
    free(raw.value.data);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_msgpack),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_short_of_memory),
        cmocka_unit_test(test_prefixes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

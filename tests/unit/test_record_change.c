
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records of changes against the golden ones of tests/vectors/records, and as
 * any producer may write them.  Run from the top of the tree.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "bk_record.h"
#include "wsc_record.h"


#define TEST_EPOCH  1700000000000
#define TEST_STAMP  1700000001234
#define TEST_LAST   (WSC_MAX_INTEGER - 1)


static const struct {
    const char    *name;
    wsc_change_t   change;
    int            any;
} changes[] = {

    { "edit",
      { { TEST_EPOCH, 7 }, { 0, 0 }, TEST_STAMP,
        wsc_string("Zo\xc3\xab \"Z\" \xe2\x82\xac"),
        { wsc_string("{ \"a\" : [1.50] }"), 0 }, 0 }, 0 },

    { "edit_binary",
      { { TEST_EPOCH, TEST_LAST }, { 0, 0 }, TEST_STAMP, wsc_string("ann"),
        { wsc_string("\x00\xff\x10"), 1 }, 0 }, 0 },

    { "edit_moderated",
      { { TEST_EPOCH, 1 }, { 0, 0 }, TEST_STAMP, wsc_string("root"),
        { wsc_string("null"), 0 }, 0 }, 1 },

    { "retract",
      { { TEST_EPOCH - 1, 7 }, { 0, 0 }, TEST_STAMP, wsc_string("ann"),
        { wsc_null_string, 0 }, 1 }, 0 },

    { "retract_by_server",
      { { TEST_EPOCH, 65536 }, { 0, 0 }, TEST_STAMP, wsc_null_string,
        { wsc_null_string, 0 }, 1 }, 1 },
};

static const wsc_str_t  lobby = wsc_string("lobby");


static const struct {
    const char  *value;
    const char  *reason;      /* NULL: it is good */
} foreign[] = {

    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":1,\"by\":\"ann\"}", NULL },
    { "{\"op\":\"\\u0065dit\",\"epoch\":7,\"seq\":1,\"moderate\":true,"
      "\"message\":1,\"x\":1}", NULL },

    /* of no meaning here: a message */

    { "{\"op\":\"edited\",\"epoch\":\"x\",\"seq\":0,\"by\":7,"
      "\"sender\":\"ann\",\"message\":1}", NULL },
    { "{\"op\":5,\"sender\":\"ann\",\"message\":1}", NULL },
    { "{\"op\":\"edit\",\"sender\":\"ann\",\"message\":1}", NULL },
    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":1,\"by\":\"ann\","
      "\"sender\":\"ann\"}", "no message" },
    { "{\"op\":\"erase\",\"epoch\":7,\"seq\":1,\"by\":\"ann\"}",
      "bad or no sender" },

    { "{\"op\":\"retract\",\"epoch\":7,\"by\":\"ann\"}",
      "a change with bad or no epoch and seq" },
    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":0,\"by\":\"ann\"}",
      "a change with bad or no epoch and seq" },
    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":\"1\",\"by\":\"ann\"}",
      "a change with bad or no epoch and seq" },
    { "{\"op\":\"retract\",\"epoch\":-7,\"seq\":1,\"by\":\"ann\"}",
      "a change with bad or no epoch and seq" },
    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":9007199254740992,"
      "\"by\":\"ann\"}", "a change with bad or no epoch and seq" },
    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":1}", "a change by nobody" },
    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":1,\"by\":\"\"}",
      "a change by nobody" },
    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":1,\"by\":7,"
      "\"moderate\":true}", "a change by nobody" },
    { "{\"op\":\"retract\",\"epoch\":7,\"seq\":1,\"moderate\":1}",
      "a change by nobody" },
    { "{\"op\":\"edit\",\"epoch\":7,\"seq\":1,\"by\":\"ann\"}",
      "no message" },
    { "{\"op\":\"edit\",\"epoch\":7,\"seq\":1,\"by\":\"ann\","
      "\"message\":\"\\u0000\"}", "\\u0000 in a string" },
    { "{\"op\":\"edit\",\"epoch\":7,\"seq\":1,\"by\":\"ann\",\"message\":"
      "1,\"seq\":2}", "a field twice" },
    { "{\"op\":\"edit\",\"epoch\":7,\"seq\":1,\"by\":\"ann\",\"message\":"
      "1,\"timestamp\":\"now\"}", "bad timestamp" },
};


static void
test_same(const wsc_str_t *a, const wsc_str_t *b)
{
    assert_int_equal(a->len, b->len);

    if (a->len) {
        assert_memory_equal(a->data, b->data, a->len);
    }
}


static void
test_is_read(const bk_raw_t *raw, size_t i, wsc_enc_e enc)
{
    wsc_buf_t            octets;
    bk_record_t          r;
    const char          *reason;
    wsc_value_t          v;
    wsc_test_mem_t       mem;
    const wsc_change_t  *c;

    c = &changes[i].change;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&octets, &mem.alloc);

    assert_int_equal(bk_record_read(&mem.alloc, raw, &r, &reason), WSC_OK);

    assert_int_equal(r.op, c->retracted ? BK_OP_RETRACT : BK_OP_EDIT);
    assert_int_equal(r.moderate, changes[i].any);
    assert_int_equal(r.timestamp, c->timestamp);
    assert_int_equal(wsc_pos_cmp(r.target, c->pos), 0);
    assert_int_equal(r.pos.seq, 0);
    assert_int_equal(r.cid.len, 0);
    test_same(&r.chat_id, &lobby);
    test_same(&r.sender, &c->by);

    assert_int_equal(bk_record_value(&r, &octets, &v), WSC_OK);
    assert_int_equal(v.binary, c->message.binary);

    if (c->message.binary || enc == WSC_ENC_JSON) {
        test_same(&v.data, &c->message.data);
    }

    bk_record_free(&r);
    wsc_buf_free(&octets);
    wsc_test_mem_check(&mem);
}


/* What the module writes is golden, and what the daemons read. */

static void
test_golden(void **state)
{
    u_char           data[512];
    size_t           i, len;
    bk_raw_t         raw;
    wsc_buf_t        b;
    wsc_enc_e        enc;
    wsc_test_mem_t   mem;

    for (i = 0; i < 2 * wsc_test_count(changes); i++) {
        enc = (i % 2) ? WSC_ENC_MSGPACK : WSC_ENC_JSON;

        len = wsc_test_vector("records", changes[i / 2].name,
                              (enc == WSC_ENC_JSON) ? "json" : "msgpack",
                              data, sizeof(data));
        len -= (enc == WSC_ENC_JSON);

        wsc_test_mem_init(&mem, 0);
        wsc_buf_init(&b, &mem.alloc);

        wsc_record_change(&b, enc, &lobby, &changes[i / 2].change,
                          changes[i / 2].any);

        assert_false(b.failed);
        assert_int_equal(b.len, len);
        assert_memory_equal(b.data, data, len);

        memset(&raw, 0, sizeof(bk_raw_t));
        raw.value.data = b.data;
        raw.value.len = b.len;

        test_is_read(&raw, i / 2, enc);

        wsc_buf_free(&b);
        wsc_test_mem_check(&mem);
    }
}


static void
test_foreign(void **state)
{
    size_t           i;
    ssize_t          rc;
    bk_raw_t         raw;
    bk_record_t      r;
    const char      *reason;
    wsc_test_mem_t   mem;

    for (i = 0; i < wsc_test_count(foreign); i++) {
        memset(&raw, 0, sizeof(raw));
        raw.key = lobby;
        raw.value.len = strlen(foreign[i].value);
        raw.value.data = wsc_test_copy(foreign[i].value, raw.value.len);

        wsc_test_mem_init(&mem, 0);
        rc = bk_record_read(&mem.alloc, &raw, &r, &reason);

        if (foreign[i].reason) {
            assert_int_equal(rc, WSC_DECLINED);
            assert_string_equal(reason, foreign[i].reason);

        } else {
            assert_int_equal(rc, WSC_OK);
            assert_int_equal(r.op == BK_OP_MESSAGE, r.target.seq == 0);
        }

        bk_record_free(&r);
        wsc_test_mem_check(&mem);
        free(raw.value.data);
    }
}


/* Each field cut, and each octet another: read or refused, never beyond. */

static void
test_cut(void **state)
{
    u_char           data[512];
    size_t           i, n, len;
    bk_raw_t         raw;
    bk_record_t      r;
    const char      *reason;
    wsc_test_mem_t   mem;

    for (i = 0; i < 2 * wsc_test_count(changes); i++) {
        len = wsc_test_vector("records", changes[i / 2].name,
                              (i % 2) ? "msgpack" : "json", data,
                              sizeof(data));

        for (n = 0; n < 2 * len; n++) {
            memset(&raw, 0, sizeof(raw));
            raw.value.len = (n < len) ? n : len;
            raw.value.data = wsc_test_copy(data, raw.value.len);

            if (n >= len) {
                raw.value.data[n - len] ^= 0x11;
            }

            wsc_test_mem_init(&mem, 0);
            (void) bk_record_read(&mem.alloc, &raw, &r, &reason);
            bk_record_free(&r);
            wsc_test_mem_check(&mem);
            free(raw.value.data);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

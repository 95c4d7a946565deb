
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Values of records: as text, and as the daemons read them.
 */


#include "wsc_test.h"
#include "bk_record.h"
#include "wsc_record.h"


static const struct {
    wsc_entry_t   entry;
    const char   *json;
} records[] = {

    { { { 0, 0 }, { 0, 0 }, 1700000000007, wsc_string("ann"),
        wsc_string("c1"), { wsc_string("{\"b\":1.0, \"a\":[]}"), 0 }, 0, 0 },
      "{\"chat_id\":\"room\",\"sender\":\"ann\","
      "\"message\":{\"b\":1.0, \"a\":[]},"
      "\"timestamp\":\"2023-11-14T22:13:20.007Z\",\"cid\":\"c1\"}" },

    { { { 0, 0 }, { 0, 0 }, 0, wsc_string("Zo\xc3\xab \"Z\""),
        wsc_string("\"\\"), { wsc_string("null"), 0 }, 0, 0 },
      "{\"chat_id\":\"room\",\"sender\":\"Zo\xc3\xab \\\"Z\\\"\","
      "\"message\":null,"
      "\"timestamp\":\"1970-01-01T00:00:00.000Z\",\"cid\":\"\\\"\\\\\"}" },

    { { { 0, 0 }, { 0, 0 }, 1, wsc_string("bot"),
        wsc_string("c2"), { wsc_string("\x00\xff\x10"), 1 }, 0, 0 },
      "{\"chat_id\":\"room\",\"sender\":\"bot\","
      "\"message\":\"AP8Q\",\"enc\":\"base64\","
      "\"timestamp\":\"1970-01-01T00:00:00.001Z\",\"cid\":\"c2\"}" },
};

static const wsc_str_t  room = wsc_string("room");


static void
test_json(void **state)
{
    size_t          i;
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);

    for (i = 0; i < wsc_test_count(records); i++) {
        wsc_buf_init(&b, &mem.alloc);
        wsc_record_message(&b, WSC_ENC_JSON, &room, &records[i].entry);

        assert_false(b.failed);
        assert_int_equal(b.len, strlen(records[i].json));
        assert_memory_equal(b.data, records[i].json, b.len);

        wsc_buf_free(&b);
    }

    wsc_test_mem_check(&mem);
}


static void
test_mark(void **state)
{
    size_t          i, len;
    u_char          key[WSC_RECORD_MARK_KEY];
    wsc_buf_t       b;
    wsc_note_t      note;
    wsc_test_mem_t  mem;

    static const struct {
        uint64_t     n[WSC_NEWS_NUMBERS];
        const char  *json;
    } marks[] = {
        { { 5, 7, 5, 6 },
          "{\"chat_id\":\"room\",\"user\":\"ann|b\","
          "\"delivered\":{\"epoch\":5,\"seq\":7},"
          "\"read\":{\"epoch\":5,\"seq\":6},"
          "\"timestamp\":\"2023-11-14T22:13:20.007Z\"}" },
        { { 5, 7, 0, 0 },
          "{\"chat_id\":\"room\",\"user\":\"ann|b\","
          "\"delivered\":{\"epoch\":5,\"seq\":7},"
          "\"timestamp\":\"2023-11-14T22:13:20.007Z\"}" },
    };

    wsc_test_mem_init(&mem, 0);
    memset(&note, 0, sizeof(wsc_note_t));

    note.key.data = (u_char *) "ann|b";
    note.key.len = 5;

    for (i = 0; i < wsc_test_count(marks); i++) {
        memcpy(note.n, marks[i].n, sizeof(note.n));

        wsc_buf_init(&b, &mem.alloc);
        wsc_record_mark(&b, WSC_ENC_JSON, &room, &note, 1700000000007);

        assert_false(b.failed);
        assert_int_equal(b.len, strlen(marks[i].json));
        assert_memory_equal(b.data, marks[i].json, b.len);

        wsc_buf_free(&b);
    }

    len = wsc_record_mark_key(key, &room, &note);

    assert_int_equal(len, 10);
    assert_memory_equal(key, "room|ann|b", len);

    wsc_test_mem_check(&mem);
}


static void
test_happening(void **state)
{
    size_t          i;
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    static const struct {
        wsc_happening_t   what;
        const char       *json;
    } happenings[] = {
        { { "join", wsc_string("room"), wsc_string("Zo\xc3\xab \"Z\""),
            wsc_string("00ff"), wsc_string("n1"), 0, 1700000000007, 0 },
          "{\"event\":\"join\",\"chat_id\":\"room\","
          "\"user\":\"Zo\xc3\xab \\\"Z\\\"\",\"session\":\"00ff\","
          "\"node\":\"n1\",\"timestamp\":\"2023-11-14T22:13:20.007Z\"}" },

        { { "block", wsc_null_string, wsc_string("ann"), wsc_null_string,
            wsc_string("n1"), 0, 1, 1 },
          "{\"event\":\"block\",\"user\":\"ann\",\"node\":\"n1\","
          "\"seconds\":0,\"timestamp\":\"1970-01-01T00:00:00.001Z\"}" },
    };

    wsc_test_mem_init(&mem, 0);

    for (i = 0; i < wsc_test_count(happenings); i++) {
        wsc_buf_init(&b, &mem.alloc);
        wsc_record_happening(&b, WSC_ENC_JSON, &happenings[i].what);

        assert_false(b.failed);
        assert_int_equal(b.len, strlen(happenings[i].json));
        assert_memory_equal(b.data, happenings[i].json, b.len);

        wsc_buf_free(&b);
    }

    wsc_test_mem_check(&mem);
}


/* What the module writes, the archiver and the relay read. */

static void
test_read(void **state)
{
    size_t              i;
    bk_raw_t            raw;
    wsc_buf_t           b, octets;
    wsc_enc_e           enc;
    bk_record_t         r;
    const char         *reason;
    wsc_value_t         v;
    wsc_test_mem_t      mem;
    const wsc_entry_t  *e;

    wsc_test_mem_init(&mem, 0);

    for (i = 0; i < 2 * wsc_test_count(records); i++) {
        enc = (i % 2) ? WSC_ENC_MSGPACK : WSC_ENC_JSON;
        e = &records[i / 2].entry;

        wsc_buf_init(&b, &mem.alloc);
        wsc_buf_init(&octets, &mem.alloc);
        wsc_record_message(&b, enc, &room, e);

        memset(&raw, 0, sizeof(bk_raw_t));
        raw.key = room;
        raw.value.data = b.data;
        raw.value.len = b.len;

        assert_int_equal(bk_record_read(&mem.alloc, &raw, &r, &reason),
                         WSC_OK);
        assert_null(r.rule);
        assert_int_equal(r.timestamp, e->timestamp);
        assert_int_equal(r.sender.len, e->sender.len);
        assert_memory_equal(r.sender.data, e->sender.data, e->sender.len);
        assert_int_equal(r.cid.len, e->cid.len);
        assert_memory_equal(r.cid.data, e->cid.data, e->cid.len);

        assert_int_equal(bk_record_value(&r, &octets, &v), WSC_OK);
        assert_int_equal(v.binary, e->message.binary);

        if (v.binary || enc == WSC_ENC_JSON) {
            assert_int_equal(v.data.len, e->message.data.len);
            assert_memory_equal(v.data.data, e->message.data.data,
                                v.data.len);
        }

        bk_record_free(&r);
        wsc_buf_free(&octets);
        wsc_buf_free(&b);
    }

    wsc_test_mem_check(&mem);
}


static void
write_all(wsc_test_mem_t *mem, void *data)
{
    wsc_buf_t  b;

    wsc_buf_init(&b, &mem->alloc);
    wsc_record_message(&b, WSC_ENC_JSON, &room, &records[0].entry);
    assert_int_equal(b.failed, mem->calls == mem->fail_at);
    wsc_buf_free(&b);
}


static void
test_memory(void **state)
{
    assert_true(wsc_test_mem_fail(write_all, NULL) > 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_happening),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_sse.h"
#include "wsc_value.h"


#define TEST_SSE_MAX  (WSC_MAX_INTEGER - 1)


static void
test_sse_is(const char *json, const wsc_pos_t *pos, const char *expected)
{
    u_char          *copy;
    wsc_buf_t        b;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    copy = wsc_test_copy(json, strlen(json));
    wsc_sse_event(&b, copy, strlen(json), pos);
    free(copy);

    assert_false(b.failed);
    assert_int_equal(b.len, strlen(expected));
    assert_memory_equal(b.data, expected, b.len);

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_sse_event(void **state)
{
    wsc_pos_t  pos = { 7, 42 }, max = { TEST_SSE_MAX, TEST_SSE_MAX };

    test_sse_is("{\"ev\":\"message\",\"seq\":42}", &pos,
                "event: message\nid: 7:42\n"
                "data: {\"ev\":\"message\",\"seq\":42}\n\n");
    test_sse_is("{\"ev\":\"gap\"}", NULL,
                "event: gap\ndata: {\"ev\":\"gap\"}\n\n");
    test_sse_is("{\"ev\":\"x\"}", &max,
                "event: x\nid: 9007199254740991:9007199254740991\n"
                "data: {\"ev\":\"x\"}\n\n");
}


static void
test_sse_lines(void **state)
{
    test_sse_is("{\"ev\":\"m\",\"message\":[1,\n2]}", NULL,
                "event: m\ndata: {\"ev\":\"m\",\"message\":[1,\n"
                "data: 2]}\n\n");
    test_sse_is("{\"ev\":\"m\",\r\n\r\"a\":\n\n1}", NULL,
                "event: m\ndata: {\"ev\":\"m\",\ndata: \ndata: \"a\":\n"
                "data: \ndata: 1}\n\n");
    test_sse_is("{\"ev\":\"m\"}\r", NULL,
                "event: m\ndata: {\"ev\":\"m\"}\ndata: \n\n");
}


static void
test_sse_id(void **state)
{
    wsc_buf_t       b;
    wsc_str_t       id = wsc_string("abc-_");
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    wsc_sse_id(&b, &id);

    assert_int_equal(b.len, 11);
    assert_memory_equal(b.data, "id: abc-_\n\n", 11);

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_sse_own(void **state)
{
    wsc_buf_t       b;
    wsc_str_t       chat = wsc_string("room");
    wsc_test_mem_t  mem;

    static const char  expected[] =
        "retry: 1500\n"
        "{\"ev\":\"reset\",\"reason\":\"unknown\"}"
        "{\"ev\":\"reset\",\"chat_id\":\"room\",\"reason\":\"epoch\"}"
        "{\"ev\":\"close\",\"code\":4108,\"reason\":\"slow\"}";

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    wsc_sse_retry(&b, 1500);
    wsc_sse_reset(&b, NULL, "unknown");
    wsc_sse_reset(&b, &chat, "epoch");
    wsc_sse_close(&b, 4108, "slow");

    assert_int_equal(b.len, sizeof(expected) - 1);
    assert_memory_equal(b.data, expected, b.len);

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static ssize_t
test_sse_read(const char *text, wsc_pos_t *pos)
{
    ssize_t    rc;
    wsc_str_t  id;

    id.len = strlen(text);
    id.data = wsc_test_copy(text, id.len);

    rc = wsc_sse_pos_read(&id, pos);
    free(id.data);

    return rc;
}


static void
test_sse_pos(void **state)
{
    size_t     i;
    wsc_pos_t  pos;

    static const char  *bad[] = {
        "", ":", "1", "1:", ":1", "1:2:", "1:2 ", " 1:2", "1:2\n", "-1:2",
        "+1:2", "1:-2", "a:b", "0x1:2", "1.0:2", "1:9007199254740992",
        "9007199254740992:1", "99999999999999999999999999:1",
        "18446744073709551617:1", "1;2", "reset"
    };

    assert_int_equal(test_sse_read("7:42", &pos), WSC_OK);
    assert_int_equal(pos.epoch, 7);
    assert_int_equal(pos.seq, 42);

    assert_int_equal(test_sse_read("9007199254740991:9007199254740991", &pos),
                     WSC_OK);
    assert_int_equal(pos.epoch, TEST_SSE_MAX);
    assert_int_equal(pos.seq, TEST_SSE_MAX);

    assert_int_equal(test_sse_read("0:0", &pos), WSC_OK);

    for (i = 0; i < wsc_test_count(bad); i++) {
        assert_int_equal(test_sse_read(bad[i], &pos), WSC_DECLINED);
    }
}


static wsc_str_t  test_sse_chats[WSC_SSE_MAX_CHATS] = {
    wsc_string("a"), wsc_string("b"), wsc_string("ab"), wsc_string("room:1")
};

static const uint64_t  test_sse_numbers[] = {
    0, 1, 127, 128, 16383, 16384, 1764357600000, TEST_SSE_MAX
};


static void
test_sse_cursor(void **state)
{
    size_t      i, n, len;
    u_char     *copy, text[WSC_SSE_MAX_CURSOR];
    wsc_str_t   cursor;
    wsc_pos_t   pos[WSC_SSE_MAX_CHATS], back[WSC_SSE_MAX_CHATS];

    for (i = 0; i < WSC_SSE_MAX_CHATS; i++) {
        pos[i].epoch = test_sse_numbers[i % 8];
        pos[i].seq = test_sse_numbers[(i / 8 + i) % 8];
    }

    for (n = 1; n <= WSC_SSE_MAX_CHATS; n++) {
        len = wsc_sse_cursor_write(text, test_sse_chats, pos, n);
        assert_in_range(len, WSC_SSE_HASH + 2 * n, sizeof(text));

        copy = wsc_test_copy(text, len);
        cursor.data = copy;

        /* whole, and cut at every octet */

        for (i = 0; i <= len; i++) {
            cursor.len = i;
            assert_int_equal(wsc_sse_cursor_read(&cursor, test_sse_chats,
                                                 back, n),
                             i == len ? WSC_OK : WSC_DECLINED);
        }

        assert_memory_equal(back, pos, n * sizeof(wsc_pos_t));
        free(copy);
    }

    for (i = 0; i < WSC_SSE_MAX_CHATS; i++) {
        pos[i].epoch = pos[i].seq = TEST_SSE_MAX;
    }

    assert_int_equal(wsc_sse_cursor_write(text, test_sse_chats, pos,
                                          WSC_SSE_MAX_CHATS),
                     WSC_SSE_MAX_CURSOR);
}


/* Another order, another cut between names, other chats: not this cursor. */

static void
test_sse_foreign(void **state)
{
    size_t     i;
    u_char     text[WSC_SSE_MAX_CURSOR + 1];
    wsc_pos_t  pos[2] = { { 1, 2 }, { 3, 4 } };
    wsc_str_t  cursor;

    static const wsc_str_t  here[2] = { wsc_string("a"), wsc_string("bc") };
    static const wsc_str_t  others[][2] = {
        { wsc_string("bc"), wsc_string("a") },
        { wsc_string("ab"), wsc_string("c") },
        { wsc_string("a"), wsc_string("bd") },
        { wsc_string("A"), wsc_string("bc") }
    };

    cursor.data = text;
    cursor.len = wsc_sse_cursor_write(text, here, pos, 2);

    assert_int_equal(wsc_sse_cursor_read(&cursor, here, pos, 2), WSC_OK);
    assert_int_equal(wsc_sse_cursor_read(&cursor, here, pos, 1),
                     WSC_DECLINED);

    for (i = 0; i < wsc_test_count(others); i++) {
        assert_int_equal(wsc_sse_cursor_read(&cursor, others[i], pos, 2),
                         WSC_DECLINED);
    }

    text[cursor.len++] = 0;
    assert_int_equal(wsc_sse_cursor_read(&cursor, here, pos, 2),
                     WSC_DECLINED);

    /* 2^53, and a number that never ends */

    cursor.len = WSC_SSE_HASH;
    memcpy(text + cursor.len, "\x80\x80\x80\x80\x80\x80\x80\x10\0\0\0", 11);
    cursor.len += 11;
    assert_int_equal(wsc_sse_cursor_read(&cursor, here, pos, 2),
                     WSC_DECLINED);

    memset(text + WSC_SSE_HASH, 0xff, sizeof(text) - WSC_SSE_HASH);
    cursor.len = sizeof(text);
    assert_int_equal(wsc_sse_cursor_read(&cursor, here, pos, 2),
                     WSC_DECLINED);
}


static void
test_sse_memory_body(wsc_test_mem_t *mem, void *data)
{
    wsc_buf_t  b;
    wsc_pos_t  pos = { 1, 2 };

    static const u_char  json[] = "{\"ev\":\"m\",\n\"a\":\"0123456789\"}";

    wsc_buf_init(&b, &mem->alloc);
    wsc_sse_event(&b, json, sizeof(json) - 1, &pos);

    assert_int_equal(b.failed, mem->fail_at && mem->calls >= mem->fail_at);

    wsc_buf_free(&b);
}


static void
test_sse_memory(void **state)
{
    assert_true(wsc_test_mem_fail(test_sse_memory_body, NULL) > 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_sse_event),
        cmocka_unit_test(test_sse_lines),
        cmocka_unit_test(test_sse_id),
        cmocka_unit_test(test_sse_own),
        cmocka_unit_test(test_sse_pos),
        cmocka_unit_test(test_sse_cursor),
        cmocka_unit_test(test_sse_foreign),
        cmocka_unit_test(test_sse_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

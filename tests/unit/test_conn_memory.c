
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a connection owns and when, how early it finds faults, and how it
 * fares without memory.
 */


#include "wsc_frame.h"
#include "wsc_test_conn.h"


/* What a partial state may cost beside the message itself. */

#define TEST_OVERHEAD  512


/* The error comes with the last octet of these, not before and not later. */

static const struct {
    int          flags;
    const char  *trace;
    wsc_str_t    data;
} test_faults[] = {

    /* Autobahn 6.4.1 to 6.4.4: frames that promise more */

    { WSC_TEST_CLIENT, "error:1007:text is not UTF-8",
      wsc_string("\x01\x0b\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
                 "\x00\x04\xf4\x90") },
    { WSC_TEST_CLIENT, "error:1007:text is not UTF-8",
      wsc_string("\x01\x0c\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4"
                 "\x00\x01\x90") },
    { WSC_TEST_CLIENT, "error:1007:text is not UTF-8",
      wsc_string("\x01\x15\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
                 "\xf4\x90") },
    { WSC_TEST_CLIENT, "error:1007:text is not UTF-8",
      wsc_string("\x81\x7e\x03\x00" "abc\xff") },
    { 0, "error:1007:text is not UTF-8",
      wsc_string("\x81\xfe\x03\x00\x00\x00\x00\x00" "abc\xff") },

    /* inflated text: a stored block of five octets, the third is bad */

    { WSC_TEST_CLIENT | WSC_TEST_DEFLATE, "error:1007:text is not UTF-8",
      wsc_string("\xc1\x0b\x00\x05\x00\xfa\xff" "ab\xff") },
    { WSC_TEST_CLIENT | WSC_TEST_DEFLATE, "error:1007:bad compressed data",
      wsc_string("\xc1\x0b\x06") },

    /* headers */

    { WSC_TEST_CLIENT, "error:1002:unknown opcode", wsc_string("\x83\x05") },
    { WSC_TEST_CLIENT, "error:1002:masked frame from a server",
      wsc_string("\x81\x85....") },
    { 0, "error:1002:unmasked frame from a client", wsc_string("\x81\x05") },
    { WSC_TEST_CLIENT, "error:1002:reserved bit in a data frame",
      wsc_string("\xc1\x05") },
    { WSC_TEST_CLIENT, "error:1002:fragmented control frame",
      wsc_string("\x09\x05") },
    { WSC_TEST_CLIENT, "error:1002:control frame is too long",
      wsc_string("\x89\x7e\x00\x7e") },
    { WSC_TEST_CLIENT, "error:1009:message is too big",
      wsc_string("\x82\x7e\x03\xe9") },
    { WSC_TEST_CLIENT, "error:1009:message is too big",
      wsc_string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff") },
    { WSC_TEST_CLIENT, "error:1009:message is too big",
      wsc_string("\x01\x01" "a\x00\x7e\x03\xe8") },
    { WSC_TEST_CLIENT, "error:1002:frame length has its highest bit set",
      wsc_string("\x82\x7f\x80\0\0\0\0\0\0\0") },
    { WSC_TEST_CLIENT, "error:1002:new message inside a fragmented one",
      wsc_string("\x01\x01" "a\x01\x05") },
    { WSC_TEST_CLIENT, "error:1002:close frame of one octet",
      wsc_string("\x88\x01") }
};


static void
test_fail_at_once(void **state)
{
    size_t           i, n, events;
    wsc_str_t        s;
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    for (i = 0; i < wsc_test_count(test_faults); i++) {
        s = test_faults[i].data;

        for (n = 1; n <= s.len; n++) {
            wsc_test_mem_init(&mem, 0);
            wsc_test_conn_init(&t, &mem, test_faults[i].flags, 0, 0);

            events = wsc_test_conn_feed(&t, s.data, s.len - n);
            if (events) {
                fail_msg("fault %zu: %s after %zu", i, t.trace, s.len - n);
            }

            events = wsc_test_conn_feed(&t, s.data + s.len - n, n);
            if (events != 1 || strcmp(t.trace, test_faults[i].trace)) {
                fail_msg("fault %zu: \"%s\"", i, t.trace);
            }

            assert_int_equal(wsc_conn_memory(&t.conn), 0);
            wsc_test_conn_free(&t);
            wsc_test_mem_check(&mem);
        }
    }
}


/* A frame that is too big is refused before anything is allocated. */

static void
test_refused_for_free(void **state)
{
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    wsc_test_mem_init(&mem, 0);
    wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT, 0, 0);

    assert_int_equal(wsc_test_conn_feed(&t, "\x82\x7f\0\0\0\1\0\0\0\0xyz", 13),
                     1);
    assert_int_equal(t.ev.code, WSC_CLOSE_TOO_BIG);
    assert_int_equal(mem.calls, 0);

    wsc_test_conn_free(&t);
}


/* Whole frames are handed out where they stand, at no cost. */

static void
test_zero_copy(void **state)
{
    size_t           i;
    u_char          *pos, *last;
    wsc_buf_t        in;
    wsc_test_mem_t   mem, other;
    wsc_test_conn_t  t;

    wsc_test_mem_init(&mem, 0);
    wsc_test_mem_init(&other, 0);
    wsc_test_conn_init(&t, &mem, 0, 0, 0);
    wsc_buf_init(&in, &other.alloc);

    wsc_test_conn_frame(&t, &in, 0x81, "first", 5);
    wsc_test_conn_frame(&t, &in, 0x89, "ping", 4);
    wsc_test_conn_frame(&t, &in, 0x82, "third", 5);

    pos = in.data;
    last = in.data + in.len;

    for (i = 0; i < 3; i++) {
        assert_int_equal(wsc_conn_parse(&t.conn, &pos, last, &t.ev), WSC_OK);
        assert_ptr_equal(t.ev.data.data + t.ev.data.len, pos);
        assert_int_equal(wsc_conn_memory(&t.conn), 0);
    }

    assert_int_equal(wsc_conn_parse(&t.conn, &pos, last, &t.ev), WSC_AGAIN);
    assert_int_equal(mem.calls, 0);

    wsc_test_conn_free(&t);
    wsc_buf_free(&in);
}


/* So they are beside a partial state: a header that came before, fragments. */

static void
test_zero_copy_beside_partial(void **state)
{
    u_char           data[] = "\x02hi";
    u_char          *pos, *last;
    size_t           i, owned;
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    static const wsc_str_t  before[] = {
        wsc_string("\x81"), wsc_string("\x01\x01x\x89")
    };

    last = data + 3;

    for (i = 0; i < wsc_test_count(before); i++) {
        wsc_test_mem_init(&mem, 0);
        wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT, 0, 0);

        assert_int_equal(wsc_test_conn_feed(&t, before[i].data,
                                            before[i].len), 0);
        owned = mem.bytes;
        pos = data;

        assert_int_equal(wsc_conn_parse(&t.conn, &pos, last, &t.ev), WSC_OK);
        assert_ptr_equal(t.ev.data.data, data + 1);
        assert_int_equal(t.ev.data.len, 2);

        assert_int_equal(wsc_conn_parse(&t.conn, &pos, last, &t.ev),
                         WSC_AGAIN);
        assert_int_equal(mem.bytes, i ? owned : 0);

        wsc_test_conn_free(&t);
        wsc_test_mem_check(&mem);
    }
}


static void
test_incomplete(void **state)
{
    size_t           i;
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    static const struct {
        wsc_str_t  data;
        int        incomplete;
    } steps[] = {
        { wsc_string(""), 0 },
        { wsc_string("\x81"), 1 },
        { wsc_string("\x02"), 1 },
        { wsc_string("a"), 1 },
        { wsc_string("b"), 0 },
        { wsc_string("\x89\x01"), 1 },
        { wsc_string("p"), 0 },
        { wsc_string("\x01\x01" "a"), 1 },
        { wsc_string("\x89\x00"), 1 },
        { wsc_string("\x89\x01"), 1 },
        { wsc_string("p"), 1 },
        { wsc_string("\x80\x00"), 0 },
        { wsc_string("\x81\x01" "a\x81"), 1 },
        { wsc_string("\x01x"), 0 },
        { wsc_string("\x01\x00\x88\x00"), 0 },
        { wsc_string("\x81"), 0 }
    };

    wsc_test_mem_init(&mem, 0);
    wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT, 0, 0);

    for (i = 0; i < wsc_test_count(steps); i++) {
        wsc_test_conn_feed(&t, steps[i].data.data, steps[i].data.len);

        if (wsc_conn_incomplete(&t.conn) != steps[i].incomplete) {
            fail_msg("step %zu", i);
        }

        assert_int_equal(wsc_conn_memory(&t.conn), mem.bytes);
        assert_int_equal(mem.bytes != 0, steps[i].incomplete);
    }

    assert_string_equal(t.trace, "text:ab ping:p ping: ping:p text:a text:a "
                                 "text:x close:1005:");
    wsc_test_conn_free(&t);
}


/* A length that is only promised costs nothing yet. */

static void
test_promised_length(void **state)
{
    size_t           i, sent;
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    wsc_test_mem_init(&mem, 0);
    wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT, 1 << 20, 0);

    wsc_test_conn_feed(&t, "\x82\x7f\0\0\0\0\0\x10\0\0", 10);
    assert_true(mem.bytes < TEST_OVERHEAD);

    for (i = 0, sent = 0; i < 1000; i++) {
        sent += 10;
        wsc_test_conn_feed(&t, "0123456789", 10);
        assert_true(mem.bytes <= 2 * sent + TEST_OVERHEAD);
        assert_int_equal(mem.bytes, wsc_conn_memory(&t.conn));
    }

    wsc_test_conn_free(&t);
    wsc_test_mem_check(&mem);
}


/* Many small fragments cost no more than the largest message. */

static void
test_tiny_fragments(void **state)
{
    size_t           i;
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    wsc_test_mem_init(&mem, 0);
    wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT, 1000, 100000);

    wsc_test_conn_feed(&t, "\x02\x00", 2);

    for (i = 0; i < 1000; i++) {
        wsc_test_conn_feed(&t, "\x00\x00\x00\x01x", 5);
    }

    assert_true(mem.bytes <= 1000 + TEST_OVERHEAD);
    assert_true(mem.largest <= 1000);
    assert_true(wsc_conn_incomplete(&t.conn));

    assert_int_equal(wsc_test_conn_feed(&t, "\x80\x00", 2), 1);
    assert_string_equal(t.trace, "binary:[1000]");
    assert_int_equal(mem.bytes, 0);

    wsc_test_conn_free(&t);
}


/* The last frame tells the length: no room is made beyond it. */

static void
test_no_slack(void **state)
{
    size_t           i;
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    wsc_test_mem_init(&mem, 0);
    wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT, 100000, 0);

    wsc_test_conn_feed(&t, "\x82\x7e\x02\x08", 4);

    for (i = 0; i < 0x207; i++) {
        wsc_test_conn_feed(&t, "x", 1);
    }

    assert_true(mem.bytes <= 0x208 + TEST_OVERHEAD);
    assert_int_equal(mem.largest, 0x208);

    wsc_test_conn_free(&t);
    wsc_test_mem_check(&mem);
}


/* Inflation is kept for those who keep their context, and only for them. */

static void
test_inflate_kept(void **state)
{
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    static const u_char  hello[] = "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";

    wsc_test_mem_init(&mem, 0);
    wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT | WSC_TEST_DEFLATE, 0, 0);
    wsc_test_conn_feed(&t, hello, 9);
    assert_null(t.conn.inflate);
    assert_int_equal(mem.bytes, t.scratch.size);

    wsc_test_conn_feed(&t, hello, 8);
    assert_non_null(t.conn.inflate);
    assert_int_equal(mem.bytes - t.scratch.size, wsc_conn_memory(&t.conn));
    wsc_test_conn_free(&t);
    wsc_test_mem_check(&mem);

    wsc_test_mem_init(&mem, 0);
    wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT | WSC_TEST_DEFLATE
                                 | WSC_TEST_TAKEOVER, 0, 0);
    assert_int_equal(mem.calls, 0);

    wsc_test_conn_feed(&t, "\x81\x01x", 3);
    assert_int_equal(mem.calls, 0);

    wsc_test_conn_feed(&t, hello, 9);
    assert_non_null(t.conn.inflate);
    assert_int_equal(mem.bytes - t.scratch.size, wsc_conn_memory(&t.conn));
    assert_false(wsc_conn_incomplete(&t.conn));

    /* an end of any kind frees it */
    wsc_test_conn_feed(&t, "\x88\x00", 2);
    assert_null(t.conn.inflate);
    assert_int_equal(mem.bytes, t.scratch.size);

    wsc_test_conn_free(&t);
    wsc_test_mem_check(&mem);
}


static void
test_init_again(void **state)
{
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    wsc_test_mem_init(&mem, 0);
    wsc_test_conn_init(&t, &mem, WSC_TEST_CLIENT, 0, 0);

    wsc_test_conn_feed(&t, "\x83\x00", 2);
    assert_string_equal(t.trace, "error:1002:unknown opcode");
    wsc_conn_free(&t.conn);
    wsc_conn_free(&t.conn);

    wsc_conn_init(&t.conn, &t.conf, NULL);
    wsc_test_conn_feed(&t, "\x81\x02hi", 4);
    assert_string_equal(t.trace, "error:1002:unknown opcode text:hi");

    wsc_test_conn_free(&t);
    wsc_test_mem_check(&mem);
}


/* All there is: split headers, fragments, control frames, inflation. */

static void
test_no_memory_body(wsc_test_mem_t *mem, void *data)
{
    size_t           i;
    wsc_test_conn_t  t;

    static const u_char  stream[] =
        "\x81\x05Hello"
        "\x01\x03Hel\x89\x02pp\x80\x02lo"
        "\x82\x7e\x00\x80" "0123456789abcdef" "0123456789abcdef"
        "0123456789abcdef" "0123456789abcdef" "0123456789abcdef"
        "0123456789abcdef" "0123456789abcdef" "0123456789abcdef"
        "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"
        "\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"
        "\x88\x05\x03\xe8" "bye";

    static const char  expected[] =
        "text:Hello ping:pp text:Hello binary:[128] text:Hello text:Hello "
        "close:1000:bye";

    wsc_test_conn_init(&t, mem, WSC_TEST_CLIENT | WSC_TEST_DEFLATE
                                | *(int *) data, 0, 0);

    for (i = 0; i < sizeof(stream) - 1; i++) {
        wsc_test_conn_feed(&t, stream + i, 1);
    }

    if (mem->calls < mem->fail_at) {
        assert_string_equal(t.trace, expected);

    } else {
        assert_non_null(strstr(t.trace, "error:1011:no memory"));
        assert_null(strstr(t.trace, "close:"));
        assert_int_equal(wsc_conn_memory(&t.conn), 0);
    }

    wsc_test_conn_free(&t);
}


static void
test_no_memory(void **state)
{
    int  flags;

    flags = 0;
    assert_true(wsc_test_mem_fail(test_no_memory_body, &flags) > 12);

    flags = WSC_TEST_TAKEOVER;
    assert_true(wsc_test_mem_fail(test_no_memory_body, &flags) > 10);
}


/* The same when a compressed message comes whole, through scratch. */

static void
test_no_memory_whole(wsc_test_mem_t *mem, void *data)
{
    wsc_test_conn_t  t;

    wsc_test_conn_init(&t, mem, WSC_TEST_CLIENT | WSC_TEST_DEFLATE, 0, 0);
    wsc_test_conn_feed(&t, "\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00", 9);

    assert_string_equal(t.trace, (mem->calls < mem->fail_at)
                                 ? "text:Hello" : "error:1011:no memory");
    wsc_test_conn_free(&t);
}


static void
test_no_memory_scratch(void **state)
{
    assert_true(wsc_test_mem_fail(test_no_memory_whole, NULL) >= 3);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_fail_at_once),
        cmocka_unit_test(test_refused_for_free),
        cmocka_unit_test(test_zero_copy),
        cmocka_unit_test(test_zero_copy_beside_partial),
        cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_promised_length),
        cmocka_unit_test(test_tiny_fragments),
        cmocka_unit_test(test_no_slack),
        cmocka_unit_test(test_inflate_kept),
        cmocka_unit_test(test_init_again),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_memory_scratch)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

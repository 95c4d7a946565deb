
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_frame.h"
#include "wsc_test.h"


static const u_char  test_key[] = { 0x37, 0xfa, 0x21, 0x3d };


static void
test_known(void **state)
{
    u_char        p[WSC_FRAME_MAX_HEADER];
    const char   *reason;
    wsc_frame_t   f;

    /* RFC 6455 section 5.7 */

    assert_int_equal(wsc_frame_parse(&f, (u_char *) "\x81\x05Hello", 7,
                                     &reason), WSC_OK);
    assert_int_equal(f.flags, WSC_FRAME_FIN);
    assert_int_equal(f.opcode, WSC_OP_TEXT);
    assert_int_equal(f.len, 5);
    assert_int_equal(f.masked, 0);
    assert_int_equal(f.size, 2);

    assert_int_equal(wsc_frame_parse(&f, (u_char *)
                                     "\x89\x85\x37\xfa\x21\x3d\x7f", 7,
                                     &reason), WSC_OK);
    assert_int_equal(f.opcode, WSC_OP_PING);
    assert_int_equal(f.masked, 1);
    assert_int_equal(f.size, 6);
    assert_memory_equal(f.key, test_key, 4);

    assert_int_equal(wsc_frame_header(p, WSC_FRAME_FIN, WSC_OP_BINARY, 256,
                                      NULL), 4);
    assert_memory_equal(p, "\x82\x7e\x01\x00", 4);

    assert_int_equal(wsc_frame_header(p, WSC_FRAME_FIN, WSC_OP_BINARY, 65536,
                                      NULL), 10);
    assert_memory_equal(p, "\x82\x7f\0\0\0\0\0\x01\0\0", 10);

    assert_int_equal(wsc_frame_header(p, 0, WSC_OP_TEXT, 3, test_key), 6);
    assert_memory_equal(p, "\x01\x83\x37\xfa\x21\x3d", 6);
}


static void
test_round_trip(void **state)
{
    size_t        i, j, k, n, size;
    u_char        p[WSC_FRAME_MAX_HEADER], *copy;
    const char   *reason;
    wsc_frame_t   f;

    static const uint64_t  lens[] = {
        0, 1, 125, 126, 127, 255, 256, 65535, 65536, 0x123456789aULL,
        0x7fffffffffffffffULL
    };

    static const u_char  flags[] = {
        0, WSC_FRAME_FIN, WSC_FRAME_FIN | WSC_FRAME_RSV1, 0xf0
    };

    for (i = 0; i < wsc_test_count(lens); i++) {
        for (j = 0; j < wsc_test_count(flags); j++) {
            for (k = 0; k < 2; k++) {
                size = wsc_frame_header(p, flags[j], WSC_OP_TEXT, lens[i],
                                        k ? test_key : NULL);

                for (n = 0; n < size; n++) {
                    copy = wsc_test_copy(p, n);
                    assert_int_equal(wsc_frame_parse(&f, copy, n, &reason),
                                     WSC_AGAIN);
                    free(copy);
                }

                assert_int_equal(wsc_frame_parse(&f, p, size, &reason),
                                 WSC_OK);
                assert_int_equal(f.size, size);
                assert_int_equal(f.len, lens[i]);
                assert_int_equal(f.flags, flags[j]);
                assert_int_equal(f.opcode, WSC_OP_TEXT);
                assert_int_equal(f.masked, k);
            }
        }
    }
}


static void
test_bad_lengths(void **state)
{
    size_t        i, n;
    ssize_t       rc;
    const char   *reason;
    wsc_frame_t   f;

    static const wsc_str_t  headers[] = {
        wsc_string("\x81\x7e\x00\x00"),
        wsc_string("\x81\x7e\x00\x7d"),
        wsc_string("\x81\x7f\0\0\0\0\0\0\0\x05"),
        wsc_string("\x81\x7f\0\0\0\0\0\0\xff\xff"),
        wsc_string("\x81\x7f\x80\0\0\0\0\0\0\0"),
        wsc_string("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff"),
        wsc_string("\x81\xfe\x00\x7d\0\0\0\0")
    };

    for (i = 0; i < wsc_test_count(headers); i++) {
        reason = NULL;
        rc = wsc_frame_parse(&f, headers[i].data, headers[i].len, &reason);
        assert_int_equal(rc, WSC_ERROR);
        assert_non_null(reason);

        /* never good on the way there */
        for (n = 0; n < headers[i].len; n++) {
            rc = wsc_frame_parse(&f, headers[i].data, n, &reason);
            assert_int_not_equal(rc, WSC_OK);
        }
    }
}


static void
test_close_codes(void **state)
{
    size_t    i;
    unsigned  code;

    static const struct {
        unsigned  first;
        unsigned  last;
        int       valid;
    } ranges[] = {
        {    0,   999, 0 }, { 1000,  1003, 1 }, { 1004,  1006, 0 },
        { 1007,  1014, 1 }, { 1015,  2999, 0 }, { 3000,  4999, 1 },
        { 5000, 65536, 0 }
    };

    for (i = 0; i < wsc_test_count(ranges); i++) {
        for (code = ranges[i].first; code <= ranges[i].last; code++) {
            assert_int_equal(wsc_frame_close_code(code), ranges[i].valid);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bad_lengths),
        cmocka_unit_test(test_close_codes)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_mask.h"
#include "wsc_test.h"


#define TEST_LEN    301
#define TEST_ALIGN  16


static void
test_portable(void **state)
{
    u_char  p[] = "\x7f\x9f\x4d\x51\x58";

    static const u_char  key[] = { 0x37, 0xfa, 0x21, 0x3d };

    /* RFC 6455 section 5.7 */

    wsc_mask_portable(p, 5, key, 0);
    assert_memory_equal(p, "Hello", 5);

    memcpy(p, "\x9f\x4d\x51\x58", 4);
    wsc_mask_portable(p, 4, key, 1);
    assert_memory_equal(p, "ello", 4);
}


static void
test_same_as_portable(void **state)
{
    size_t    i, align, len, offset;
    u_char    a[TEST_LEN + TEST_ALIGN], b[TEST_LEN + TEST_ALIGN];
    uint32_t  seed;

    static const u_char  key[] = { 0x01, 0x80, 0x5a, 0xff };

    seed = 7;

    for (align = 0; align < TEST_ALIGN; align++) {
        for (offset = 0; offset < 8; offset++) {
            for (len = 0; len < TEST_LEN; len++) {

                for (i = 0; i < sizeof(a); i++) {
                    a[i] = b[i] = (u_char) wsc_test_random(&seed);
                }

                wsc_mask(a + align, len, key, offset);
                wsc_mask_portable(b + align, len, key, offset);

                /* nothing outside is touched either */
                assert_memory_equal(a, b, sizeof(a));
            }
        }
    }
}


static void
test_pieces(void **state)
{
    size_t    i, cut;
    u_char    a[TEST_LEN], b[TEST_LEN];

    static const u_char  key[] = { 0xde, 0xad, 0xbe, 0xef };

    for (cut = 0; cut <= TEST_LEN; cut++) {

        for (i = 0; i < TEST_LEN; i++) {
            a[i] = b[i] = (u_char) i;
        }

        wsc_mask(a, TEST_LEN, key, 0);
        wsc_mask(b, cut, key, 0);
        wsc_mask(b + cut, TEST_LEN - cut, key, cut);
        assert_memory_equal(a, b, TEST_LEN);

        wsc_mask(a, TEST_LEN, key, 0);
        assert_int_equal(a[TEST_LEN - 1], (u_char) (TEST_LEN - 1));
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_portable),
        cmocka_unit_test(test_same_as_portable),
        cmocka_unit_test(test_pieces)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

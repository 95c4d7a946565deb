
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The reference here decodes code points instead of looking octets up.
 */


#include "wsc_test.h"
#include "wsc_utf8.h"


typedef ssize_t (*test_check_pt)(uint32_t *state, const u_char *p,
    size_t len);


static const test_check_pt  test_checks[] = {
    wsc_utf8_check,
    wsc_utf8_check_portable
};


/*
 * 1: valid; 0: valid so far, but cut short; -1: invalid, and *bad is the
 * place of the octet that cannot stand there.
 */

static int
test_reference(const u_char *p, size_t len, size_t *bad)
{
    size_t    i, j, n;
    uint32_t  v, from, to, least;

    for (i = 0; i < len; i += n) {

        if (p[i] < 0x80) {
            n = 1;
            continue;
        }

        n = (p[i] >> 5 == 6) ? 2 : (p[i] >> 4 == 14) ? 3
            : (p[i] >> 3 == 30) ? 4 : 0;

        if (n == 0) {
            *bad = i;
            return -1;
        }

        least = (n == 2) ? 0x80 : (n == 3) ? 0x800 : 0x10000;
        v = p[i] & (0x7f >> n);

        for (j = 1; j <= n; j++) {

            /* the code points that are still possible */

            from = v << 6 * (n - j);
            to = from + ((1u << 6 * (n - j)) - 1);

            if (to < least || from > 0x10ffff
                || (from >= 0xd800 && to <= 0xdfff))
            {
                *bad = i + j - 1;
                return -1;
            }

            if (j == n) {
                break;
            }

            if (i + j == len) {
                return 0;
            }

            if (p[i + j] >> 6 != 2) {
                *bad = i + j;
                return -1;
            }

            v = v << 6 | (p[i + j] & 0x3f);
        }
    }

    return 1;
}


/* Compares both implementations with the reference, whole and octet-wise. */

static void
test_one(const u_char *p, size_t len)
{
    int       expected;
    size_t    i, j, bad;
    ssize_t   rc;
    uint32_t  state;

    bad = len;
    expected = test_reference(p, len, &bad);

    assert_int_equal(wsc_utf8_valid(p, len), expected == 1);

    for (i = 0; i < wsc_test_count(test_checks); i++) {
        state = WSC_UTF8_ACCEPT;
        rc = test_checks[i](&state, p, len);

        assert_int_equal(rc, expected == -1 ? WSC_ERROR : WSC_OK);

        if (rc == WSC_OK) {
            assert_int_equal(state == WSC_UTF8_ACCEPT, expected == 1);
        }

        state = WSC_UTF8_ACCEPT;

        for (j = 0; j < bad; j++) {
            assert_int_equal(test_checks[i](&state, p + j, 1), WSC_OK);
        }

        if (bad < len) {
            assert_int_equal(test_checks[i](&state, p + bad, 1), WSC_ERROR);
        }
    }
}


static void
test_short_sequences(void **state)
{
    u_char    p[3];
    uint32_t  i;

    test_one((u_char *) "", 0);

    for (i = 0; i < 0x100; i++) {
        p[0] = (u_char) i;
        test_one(p, 1);
    }

    for (i = 0; i < 0x10000; i++) {
        p[0] = (u_char) (i >> 8);
        p[1] = (u_char) i;
        test_one(p, 2);
    }

    for (i = 0; i < 0x1000000; i++) {
        p[0] = (u_char) (i >> 16);
        p[1] = (u_char) (i >> 8);
        p[2] = (u_char) i;

        /* ASCII in front says nothing that two octets did not */
        if (p[0] >= 0x80) {
            test_one(p, 3);
        }
    }
}


static void
test_four_octets(void **state)
{
    int       a, b, c, d;
    u_char    p[4];

    static const u_char  third[] = {
        0x00, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0xa0, 0xbf, 0xc0, 0xed, 0xff
    };

    for (a = 0xf0; a <= 0xf7; a++) {
        for (b = 0; b < 0x100; b++) {
            for (c = 0; c < (int) sizeof(third); c++) {
                for (d = 0; d < 0x100; d++) {
                    p[0] = (u_char) a;
                    p[1] = (u_char) b;
                    p[2] = third[c];
                    p[3] = (u_char) d;
                    test_one(p, 4);
                }
            }
        }
    }
}


/* A character or a bad octet at each place around the blocks, each split. */

static void
test_places_and_splits(void **state)
{
    int        expected;
    size_t     i, at, split, len, bad;
    u_char    *text;
    uint32_t   s;

    static const wsc_str_t  parts[] = {
        wsc_string("\xc3\xa9"), wsc_string("\xe2\x82\xac"),
        wsc_string("\xf0\x9f\x98\x80"), wsc_string("\xff"),
        wsc_string("\xed\xa0\x80"), wsc_string("\xc3"),
        wsc_string("\xf4\x90\x80\x80"), wsc_string("\x80")
    };

    for (i = 0; i < wsc_test_count(parts); i++) {
        for (at = 0; at < 50; at++) {
            len = at + parts[i].len + 20;
            text = malloc(len);
            assert_non_null(text);

            memset(text, 'a', len);
            memcpy(text + at, parts[i].data, parts[i].len);

            test_one(text, len);
            test_one(text, at + parts[i].len);
            bad = len;
            expected = test_reference(text, len, &bad);

            for (split = 0; split <= len; split++) {
                s = WSC_UTF8_ACCEPT;

                if (wsc_utf8_check(&s, text, split) == WSC_ERROR) {
                    assert_int_equal(expected, -1);
                    assert_true(bad < split);
                    continue;
                }

                assert_true(expected == 1 || split <= bad);
                assert_int_equal(wsc_utf8_check(&s, text + split, len - split),
                                 expected == 1 ? WSC_OK : WSC_ERROR);
            }

            free(text);
        }
    }
}


static void
test_random(void **state)
{
    u_char    p[64];
    size_t    i, n, len;
    uint32_t  seed;

    static const wsc_str_t  parts[] = {
        wsc_string("a"), wsc_string("0123456789abcdef"),
        wsc_string("\xd0\x96"), wsc_string("\xe4\xb8\xad"),
        wsc_string("\xf0\x9f\x98\x80"), wsc_string("\xef\xbf\xbf")
    };

    seed = 1;

    for (i = 0; i < 200000; i++) {
        len = 0;

        while (len < 40) {
            n = wsc_test_random(&seed) % wsc_test_count(parts);
            memcpy(p + len, parts[n].data, parts[n].len);
            len += parts[n].len;
        }

        if (i & 1) {
            p[wsc_test_random(&seed) % len] = (u_char) wsc_test_random(&seed);
        }

        test_one(p, len);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_short_sequences),
        cmocka_unit_test(test_four_octets),
        cmocka_unit_test(test_places_and_splits),
        cmocka_unit_test(test_random)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

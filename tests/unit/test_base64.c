
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_base64.h"
#include "wsc_test.h"
#include "wsc_test_jwt.h"


static void
test_known(void **state)
{
    u_char   out[16];
    size_t   i, len;
    u_char  *text;

    static const struct {
        const char  *text;
        ssize_t      len;
        const char  *octets;
    } rows[] = {
        /* RFC 4648 section 10, without padding */
        { "", 0, "" },
        { "Zg", 1, "f" },
        { "Zm8", 2, "fo" },
        { "Zm9v", 3, "foo" },
        { "Zm9vYg", 4, "foob" },
        { "Zm9vYmE", 5, "fooba" },
        { "Zm9vYmFy", 6, "foobar" },
        /* RFC 7515 appendix C */
        { "A-z_4ME", 5, "\x03\xec\xff\xe0\xc1" },
        { "A", WSC_DECLINED, NULL },
        { "Zm9vY", WSC_DECLINED, NULL },
        { "Zg==", WSC_DECLINED, NULL },
        { "Zm8=", WSC_DECLINED, NULL },
        { "Zh", WSC_DECLINED, NULL },            /* unused bits set */
        { "Zm9", WSC_DECLINED, NULL },
        { "A+z_4ME", WSC_DECLINED, NULL },
        { "A-z/4ME", WSC_DECLINED, NULL },
        { "Zm 9", WSC_DECLINED, NULL },
        { "Zm9v\n", WSC_DECLINED, NULL },
        { " Zm9v", WSC_DECLINED, NULL },
        { "Zm9\xc3", WSC_DECLINED, NULL }
    };

    for (i = 0; i < wsc_test_count(rows); i++) {
        len = strlen(rows[i].text);
        text = wsc_test_copy(rows[i].text, len);

        if (wsc_base64_url(out, text, len) != rows[i].len) {
            fail_msg("\"%s\"", rows[i].text);
        }

        if (rows[i].len > 0) {
            assert_int_equal(rows[i].len, wsc_base64_size(len));
            assert_memory_equal(out, rows[i].octets, (size_t) rows[i].len);
        }

        free(text);
    }
}


/* What another encoder has written comes back, also in place. */

static void
test_random(void **state)
{
    char      *text;
    u_char     octets[100];
    size_t     i, len;
    ssize_t    n;
    uint32_t   seed;

    seed = 1;

    for (len = 0; len < sizeof(octets); len++) {

        for (i = 0; i < len; i++) {
            octets[i] = (u_char) wsc_test_random(&seed);
        }

        text = test_base64(octets, len);
        n = wsc_base64_url((u_char *) text, (u_char *) text, strlen(text));

        assert_int_equal(n, len);
        assert_memory_equal(text, octets, len);

        free(text);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_random)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

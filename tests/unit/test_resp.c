
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_resp.h"


static void
test_resp_is(const char *text, size_t n, const wsc_str_t *words)
{
    size_t  len;
    u_char  buf[256], *p;

    assert_true(wsc_resp_size(n, words) <= sizeof(buf));

    memset(buf, '#', sizeof(buf));
    p = wsc_resp_print(buf, n, words);
    len = strlen(text);

    assert_int_equal(p - buf, len);
    assert_memory_equal(buf, text, len);
    assert_int_equal(*p, '#');
    assert_true(len <= wsc_resp_size(n, words));
}


static void
test_resp_words(void **state)
{
    const wsc_str_t  words[] = {
        wsc_string("SET"), wsc_string("a key"), wsc_string("0123456789")
    };

    test_resp_is("*1\r\n$3\r\nSET\r\n", 1, words);
    test_resp_is("*3\r\n$3\r\nSET\r\n$5\r\na key\r\n$10\r\n0123456789\r\n", 3,
                 words);
}


static void
test_resp_any_octets(void **state)
{
    wsc_str_t  words[] = {
        wsc_string("SET"), wsc_string("\r\n$1\r\n"), { 0, NULL }
    };

    test_resp_is("*3\r\n$3\r\nSET\r\n$6\r\n\r\n$1\r\n\r\n$0\r\n\r\n", 3,
                 words);
}


static void
test_resp_many(void **state)
{
    size_t      i, n;
    u_char     *buf, *p;
    wsc_str_t   words[1000];

    n = 1000;

    for (i = 0; i < n; i++) {
        words[i].data = (u_char *) "x";
        words[i].len = 1;
    }

    buf = malloc(wsc_resp_size(n, words));
    assert_non_null(buf);

    p = wsc_resp_print(buf, n, words);

    assert_int_equal(p - buf, 7 + n * 7);
    assert_memory_equal(buf, "*1000\r\n$1\r\nx\r\n", 14);
    assert_memory_equal(p - 7, "$1\r\nx\r\n", 7);

    free(buf);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_resp_words),
        cmocka_unit_test(test_resp_any_octets),
        cmocka_unit_test(test_resp_many)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_info.h"

#include <string.h>


static wsc_str_t
text_of(const char *s)
{
    wsc_str_t  text;

    text.data = (u_char *) s;
    text.len = strlen(s);

    return text;
}


static void
test_info_find(void **state)
{
    size_t     len;
    wsc_str_t  info, value;

    info = text_of("# Memory\r\nused_maxmemory:1\r\nmaxmemory:23\r\n"
                   "maxmemory_human:0B\nempty:\r\nlast:x");

    assert_int_equal(wsc_info_find(&info, "maxmemory", &value), WSC_OK);
    assert_int_equal(value.len, 2);
    assert_memory_equal(value.data, "23", 2);

    assert_int_equal(wsc_info_find(&info, "maxmemory_human", &value), WSC_OK);
    assert_int_equal(value.len, 2);

    assert_int_equal(wsc_info_find(&info, "empty", &value), WSC_OK);
    assert_int_equal(value.len, 0);

    assert_int_equal(wsc_info_find(&info, "last", &value), WSC_OK);
    assert_int_equal(value.len, 1);

    assert_int_equal(wsc_info_find(&info, "max", &value), WSC_DECLINED);
    assert_int_equal(wsc_info_find(&info, "memory", &value), WSC_DECLINED);

    for (len = info.len; len; len--) {
        info.len = len;
        (void) wsc_info_find(&info, "last", &value);
    }

    info.len = 0;
    assert_int_equal(wsc_info_find(&info, "last", &value), WSC_DECLINED);
}


static void
test_info_evicts(void **state)
{
    unsigned   i;
    wsc_str_t  info, policy;

    static const struct {
        const char  *info;
        int          evicts;
    } cases[] = {
        { "maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", 0 },
        { "maxmemory:100\r\nmaxmemory_policy:noeviction\r\n", 0 },
        { "maxmemory:100\r\nmaxmemory_policy:allkeys-lru\r\n", 1 },
        { "maxmemory:100\r\nmaxmemory_policy:noevictions\r\n", 1 },
        { "maxmemory:100\r\n", 0 },
        { "maxmemory_policy:allkeys-lru\r\n", 0 },
        { "", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        info = text_of(cases[i].info);
        assert_int_equal(wsc_info_evicts(&info, &policy), cases[i].evicts);
    }

    info = text_of(cases[2].info);
    assert_int_equal(wsc_info_evicts(&info, &policy), 1);
    assert_int_equal(policy.len, 11);
    assert_memory_equal(policy.data, "allkeys-lru", 11);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_info_find),
        cmocka_unit_test(test_info_evicts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

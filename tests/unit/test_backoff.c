
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_backoff.h"


static void
test_backoff_grows(void **state)
{
    uint32_t       most;
    unsigned       i;
    wsc_backoff_t  b;

    wsc_backoff_init(&b, 100, 5000, 1000);

    for (i = 0, most = 100; i < 100; i++) {
        assert_int_equal(wsc_backoff_next(&b, UINT32_MAX), most);
        most = (2 * most > 5000) ? 5000 : 2 * most;
    }
}


static void
test_backoff_jitter(void **state)
{
    uint32_t       n, low, high, seed;
    unsigned       i;
    wsc_backoff_t  b;

    low = 0;
    high = 0;
    seed = 1;

    for (i = 0; i < 1000; i++) {
        wsc_backoff_init(&b, 1000, 1000, 1);

        n = wsc_backoff_next(&b, wsc_test_random(&seed) << 8);

        assert_in_range(n, 1, 1000);
        low += (n <= 250);
        high += (n > 750);
    }

    assert_in_range(low, 200, 300);
    assert_in_range(high, 200, 300);

    wsc_backoff_init(&b, 1000, 1000, 1);
    assert_int_equal(wsc_backoff_next(&b, 0), 1);
}


static void
test_backoff_resets_after_success(void **state)
{
    wsc_backoff_t  b;

    wsc_backoff_init(&b, 100, 10, 1000);
    assert_int_equal(b.cap, 100);

    wsc_backoff_init(&b, 100, 5000, 1000);
    (void) wsc_backoff_next(&b, 0);
    (void) wsc_backoff_next(&b, 0);

    wsc_backoff_lasted(&b, 999);
    assert_int_equal(wsc_backoff_next(&b, UINT32_MAX), 400);

    wsc_backoff_lasted(&b, 1000);
    assert_int_equal(wsc_backoff_next(&b, UINT32_MAX), 100);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_backoff_grows),
        cmocka_unit_test(test_backoff_jitter),
        cmocka_unit_test(test_backoff_resets_after_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

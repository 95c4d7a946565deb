
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The token bucket.
 */


#include "wsc_test.h"
#include "wsc_bucket.h"


static uint32_t test_bucket_drain(wsc_bucket_t *b, uint32_t rate,
    uint32_t burst, uint32_t now);


static void
test_bucket_burst(void **state)
{
    uint32_t      retry;
    wsc_bucket_t  b;

    wsc_bucket_init(&b, 40, 1000);

    assert_int_equal(test_bucket_drain(&b, 20, 40, 1000), 40);
    assert_int_equal(wsc_bucket_take(&b, 20, 40, 1000, &retry), WSC_DECLINED);
    assert_int_equal(retry, 50);

    assert_int_equal(wsc_bucket_take(&b, 20, 40, 1049, &retry), WSC_DECLINED);
    assert_int_equal(retry, 1);

    assert_int_equal(wsc_bucket_take(&b, 20, 40, 1050, &retry), WSC_OK);
    assert_int_equal(wsc_bucket_take(&b, 20, 40, 1050, &retry), WSC_DECLINED);

    /* a long pause fills it, and no more */
    assert_int_equal(test_bucket_drain(&b, 20, 40, 9000000), 40);
}


/* What retry_ms says is the first moment at which a token is there. */

static void
test_bucket_retry(void **state)
{
    size_t        i;
    uint32_t      now, retry, seed;
    wsc_bucket_t  b, copy;

    static const uint32_t  rates[] = { 1, 3, 7, 20, 999, 1000, 1001, 70000 };

    seed = 1;

    for (i = 0; i < wsc_test_count(rates); i++) {
        now = wsc_test_random(&seed);
        wsc_bucket_init(&b, 2, now);

        while (wsc_bucket_take(&b, rates[i], 2, now, &retry) == WSC_OK) {
            now += wsc_test_random(&seed) % 2;
        }

        assert_true(retry >= 1);

        copy = b;
        assert_int_equal(wsc_bucket_take(&b, rates[i], 2, now + retry,
                                         &retry), WSC_OK);

        b = copy;
        assert_int_equal(wsc_bucket_take(&copy, rates[i], 2, now, &retry),
                         WSC_DECLINED);

        if (retry > 1) {
            assert_int_equal(wsc_bucket_take(&b, rates[i], 2,
                                             now + retry - 1, &retry),
                             WSC_DECLINED);
        }
    }
}


/* Asked each ms, rounding loses nothing: over an hour the rate is exact. */

static void
test_bucket_exact(void **state)
{
    uint32_t      now, retry, taken;
    wsc_bucket_t  b;

    wsc_bucket_init(&b, 5, 0);
    test_bucket_drain(&b, 7, 5, 0);
    taken = 0;

    for (now = 1; now <= 3600000; now++) {
        taken += wsc_bucket_take(&b, 7, 5, now, &retry) == WSC_OK;
    }

    assert_int_equal(taken, 7 * 3600);
}


static void
test_bucket_wrap(void **state)
{
    uint32_t      retry;
    wsc_bucket_t  b;

    wsc_bucket_init(&b, 1, UINT32_MAX - 200);

    assert_int_equal(wsc_bucket_take(&b, 2, 1, UINT32_MAX - 200, &retry),
                     WSC_OK);
    assert_int_equal(wsc_bucket_take(&b, 2, 1, UINT32_MAX, &retry),
                     WSC_DECLINED);
    assert_int_equal(retry, 300);
    assert_int_equal(wsc_bucket_take(&b, 2, 1, 298, &retry), WSC_DECLINED);
    assert_int_equal(retry, 1);
    assert_int_equal(wsc_bucket_take(&b, 2, 1, 299, &retry), WSC_OK);
}


static void
test_bucket_bounds(void **state)
{
    uint32_t      retry;
    wsc_bucket_t  b;

    /* the greatest burst and rate, the longest pause */
    wsc_bucket_init(&b, 4000000, 0);
    assert_int_equal(b.milli, 4000000000U);
    assert_int_equal(wsc_bucket_take(&b, UINT32_MAX, 4000000, UINT32_MAX,
                                     &retry), WSC_OK);
    assert_int_equal(b.milli, 3999999000U);

    /* a smaller burst from now on */
    assert_int_equal(test_bucket_drain(&b, 1, 10, UINT32_MAX), 10);

    /* nothing ever comes back */
    assert_int_equal(wsc_bucket_take(&b, 0, 10, 5000, &retry), WSC_DECLINED);
    assert_int_equal(retry, UINT32_MAX);
}


static uint32_t
test_bucket_drain(wsc_bucket_t *b, uint32_t rate, uint32_t burst,
    uint32_t now)
{
    uint32_t  n, retry;

    for (n = 0; wsc_bucket_take(b, rate, burst, now, &retry) == WSC_OK; n++) {
        /* void */
    }

    return n;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bucket_burst),
        cmocka_unit_test(test_bucket_retry),
        cmocka_unit_test(test_bucket_exact),
        cmocka_unit_test(test_bucket_wrap),
        cmocka_unit_test(test_bucket_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

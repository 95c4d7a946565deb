
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_pace.h"


#define TEST_PACE_SECOND  10                    /* ticks */
#define TEST_PACE_DRAIN   (20 * TEST_PACE_SECOND)
#define TEST_PACE_TIME    (240 * TEST_PACE_SECOND)


static wsc_pace_t  test_pace;
static uint32_t    test_pace_seed;


static int
test_pace_setup(void **state)
{
    memset(&test_pace, 0, sizeof(wsc_pace_t));
    test_pace_seed = 1;

    return 0;
}


static uint32_t
test_pace_book(uint32_t now, uint32_t window)
{
    uint32_t  random;

    random = (wsc_test_random(&test_pace_seed) << 16)
             ^ wsc_test_random(&test_pace_seed);

    return wsc_pace_book(&test_pace, now, window, random);
}


static void
test_pace_window(void **state)
{
    uint32_t  i, n, now, wait, window, low, high;

    static const uint32_t  windows[] = { 0, 1, 7, 200, WSC_PACE_TICKS - 1,
                                         WSC_PACE_TICKS, 36000 };

    for (i = 0; i < 7; i++) {
        test_pace_setup(state);
        window = windows[i];
        now = UINT32_MAX - window / 2;
        low = UINT32_MAX;
        high = 0;

        for (n = 0; n < 20000; n++) {
            wait = test_pace_book(now, window) - now;

            assert_in_range(wait, 0, window);
            low = (wait < low) ? wait : low;
            high = (wait > high) ? wait : high;
        }

        assert_true(low <= window / 100);
        assert_true(high >= window - window / 100);
    }
}


/* Few deeds hardly ever meet, and many are even. */

static void
test_pace_even(void **state)
{
    unsigned  i, counts[201];

    memset(counts, 0, sizeof(counts));

    for (i = 0; i < 100; i++) {
        counts[test_pace_book(7, 200) - 7]++;
    }

    for (i = 0; i < 201; i++) {
        assert_true(counts[i] <= 1);
    }

    for (i = 100; i < 201 * 20; i++) {
        counts[test_pace_book(7, 200) - 7]++;
    }

    for (i = 0; i < 201; i++) {
        assert_in_range(counts[i], 15, 22);
    }
}


/*
 * Reloads of everything each `pause` ticks: those that were sent away come to
 * the newest generation, and the next reload books them again.  The most
 * deeds in any one second, in thousandths of all.
 */

static unsigned
test_pace_reloads(unsigned all, uint32_t pause, unsigned reloads)
{
    unsigned          i, n, here, sum, most;
    uint32_t          now;
    static unsigned   due[TEST_PACE_TIME + TEST_PACE_DRAIN + 1];

    memset(due, 0, sizeof(due));

    here = all;
    most = 0;

    for (now = 0; now < TEST_PACE_TIME; now++) {

        if (now % pause == 0 && now / pause < reloads) {
            n = here;
            here = 0;

            for (i = 0; i < n; i++) {
                due[test_pace_book(now, TEST_PACE_DRAIN)]++;
            }
        }

        here += due[now];

        for (i = 0, sum = 0; i < TEST_PACE_SECOND && i <= now; i++) {
            sum += due[now - i];
        }

        most = (sum > most) ? sum : most;
    }

    assert_int_equal(here, all);

    return most * 1000 / all;
}


/* One generation alone has 50 thousandths in each second. */

static void
test_pace_generations(void **state)
{
    uint32_t  pause;

    for (pause = 10; pause <= 200; pause += 10) {
        test_pace_setup(state);
        assert_in_range(test_pace_reloads(5000, pause, 10), 49, 70);
    }

    test_pace_setup(state);
    assert_in_range(test_pace_reloads(200, 60, 10), 45, 80);
}


/* What was booked once around the table ago counts no more. */

static void
test_pace_again(void **state)
{
    unsigned  i, n, counts[8];
    uint32_t  now;

    for (now = 0; now < 5 * WSC_PACE_TICKS; now += WSC_PACE_TICKS) {
        memset(counts, 0, sizeof(counts));

        for (i = 0; i < 800; i++) {
            n = test_pace_book(now, (i < 400) ? 3 : 7) - now;
            counts[n]++;
        }

        for (i = 0; i < 8; i++) {
            assert_in_range(counts[i], 98, 102);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(test_pace_window, test_pace_setup),
        cmocka_unit_test_setup(test_pace_even, test_pace_setup),
        cmocka_unit_test_setup(test_pace_generations, test_pace_setup),
        cmocka_unit_test_setup(test_pace_again, test_pace_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

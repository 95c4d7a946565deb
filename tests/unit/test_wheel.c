
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The timing wheel.
 */


#include "wsc_test.h"
#include "wsc_wheel.h"


#define TEST_WHEEL_NODES  2000
#define TEST_WHEEL_START  (UINT64_C(0xffffffff) - 1000)


typedef struct {
    wsc_wheel_node_t  node;     /* first: a node is its timer */
    uint64_t          due;      /* 0: not inside */
} test_wheel_timer_t;


static wsc_wheel_t         wheel;
static test_wheel_timer_t  timers[TEST_WHEEL_NODES];


static size_t
test_wheel_count(uint64_t now)
{
    size_t  n;

    for (n = 0; wsc_wheel_expire(&wheel, now); n++) { /* void */ }

    return n;
}


static int
test_wheel_setup(void **state)
{
    memset(timers, 0, sizeof(timers));
    wsc_wheel_init(&wheel, TEST_WHEEL_START);

    return 0;
}


static void
test_wheel_due(void **state)
{
    uint64_t            d, t;
    test_wheel_timer_t  *timer;

    timer = timers;
    t = TEST_WHEEL_START;

    for (d = 1; d < WSC_WHEEL_SLOTS; d++) {
        wsc_wheel_add(&wheel, &timer->node, t + d);
        assert_true(wsc_wheel_active(&timer->node));

        assert_null(wsc_wheel_expire(&wheel, t + d - 1));
        assert_ptr_equal(wsc_wheel_expire(&wheel, t + d), timer);
        assert_false(wsc_wheel_active(&timer->node));
        assert_null(wsc_wheel_expire(&wheel, t + d));
        assert_int_equal(wheel.count, 0);

        t += d;
    }
}


/* Past: at the next tick.  Too far: as late as can be. */

static void
test_wheel_clamp(void **state)
{
    uint64_t  t;

    t = TEST_WHEEL_START;

    wsc_wheel_add(&wheel, &timers[0].node, t);
    wsc_wheel_add(&wheel, &timers[1].node, 0);
    wsc_wheel_add(&wheel, &timers[2].node, t + WSC_WHEEL_SLOTS);
    wsc_wheel_add(&wheel, &timers[3].node, UINT64_MAX);

    assert_int_equal(test_wheel_count(t), 0);
    assert_int_equal(test_wheel_count(t + 1), 2);
    assert_int_equal(test_wheel_count(t + WSC_WHEEL_SLOTS - 2), 0);
    assert_int_equal(test_wheel_count(t + WSC_WHEEL_SLOTS - 1), 2);
}


static void
test_wheel_del(void **state)
{
    uint64_t           t;
    wsc_wheel_node_t  *node;

    t = TEST_WHEEL_START;

    wsc_wheel_del(&wheel, &timers[0].node);
    assert_int_equal(wheel.count, 0);

    wsc_wheel_add(&wheel, &timers[0].node, t + 5);
    wsc_wheel_add(&wheel, &timers[1].node, t + 5);
    wsc_wheel_add(&wheel, &timers[2].node, t + 5);
    wsc_wheel_add(&wheel, &timers[3].node, t + 6);
    assert_int_equal(wheel.count, 4);

    /* moved, not twice */
    wsc_wheel_add(&wheel, &timers[3].node, t + 7);
    assert_int_equal(wheel.count, 4);

    /* in the middle of expiry, the one that would come next */
    node = wsc_wheel_expire(&wheel, t + 6);
    assert_ptr_equal(node, &timers[0].node);
    wsc_wheel_del(&wheel, &timers[1].node);
    wsc_wheel_del(&wheel, &timers[1].node);
    assert_ptr_equal(wsc_wheel_expire(&wheel, t + 6), &timers[2].node);
    assert_null(wsc_wheel_expire(&wheel, t + 6));

    assert_ptr_equal(wsc_wheel_expire(&wheel, t + 7), &timers[3].node);
    assert_int_equal(wheel.count, 0);
}


/* What is entered while a tick is worked off comes at a later one. */

static void
test_wheel_again(void **state)
{
    int               i;
    uint64_t           t;
    wsc_wheel_node_t  *node;

    t = TEST_WHEEL_START;
    wsc_wheel_add(&wheel, &timers[0].node, t + 1);

    for (i = 1; i < 1000; i++) {
        node = wsc_wheel_expire(&wheel, t + i);
        assert_ptr_equal(node, &timers[0].node);

        wsc_wheel_add(&wheel, node, 0);
        assert_null(wsc_wheel_expire(&wheel, t + i));
    }

    /* a full turn ahead is the slot that is being emptied now */
    node = wsc_wheel_expire(&wheel, t + i);
    wsc_wheel_add(&wheel, node, t + i + WSC_WHEEL_SLOTS);
    assert_null(wsc_wheel_expire(&wheel, t + i));
    assert_null(wsc_wheel_expire(&wheel, t + i + WSC_WHEEL_SLOTS - 2));
    assert_ptr_equal(wsc_wheel_expire(&wheel, t + i + WSC_WHEEL_SLOTS - 1),
                     node);
}


/* After a pause of any length everything is found at once, and only once. */

static void
test_wheel_pause(void **state)
{
    size_t    i, j;
    uint64_t  now;

    static const uint64_t  pauses[] = { 254, 255, 256, 257, 300, 1000000,
                                        UINT64_C(1) << 50 };

    now = TEST_WHEEL_START;

    for (i = 0; i < wsc_test_count(pauses); i++) {
        for (j = 0; j < TEST_WHEEL_NODES; j++) {
            wsc_wheel_add(&wheel, &timers[j].node, now + j % 254 + 1);
        }

        now += pauses[i];
        assert_int_equal(test_wheel_count(now), TEST_WHEEL_NODES);
        assert_int_equal(wheel.count, 0);
        assert_true(wheel.now == now);
    }

    /* nothing inside: no walk over 2^60 ticks */
    assert_int_equal(test_wheel_count(UINT64_C(1) << 62), 0);
}


/* A pause that ends while a tick was half done. */

static void
test_wheel_half(void **state)
{
    uint64_t  t;

    t = TEST_WHEEL_START;

    wsc_wheel_add(&wheel, &timers[0].node, t + 1);
    wsc_wheel_add(&wheel, &timers[1].node, t + 1);
    wsc_wheel_add(&wheel, &timers[2].node, t + 2);

    assert_ptr_equal(wsc_wheel_expire(&wheel, t + 1), &timers[0].node);
    assert_int_equal(test_wheel_count(t + 5000), 2);
}


static void
test_wheel_random(void **state)
{
    uint32_t             seed;
    uint64_t             now;
    size_t               i, n, inside;
    test_wheel_timer_t  *timer;

    seed = 7;
    inside = 0;
    now = TEST_WHEEL_START;

    for (n = 0; n < 200000; n++) {
        timer = &timers[wsc_test_random(&seed) % TEST_WHEEL_NODES];

        if (wsc_test_random(&seed) % 4 == 0) {
            inside -= timer->due != 0;
            timer->due = 0;
            wsc_wheel_del(&wheel, &timer->node);

        } else {
            inside += timer->due == 0;
            timer->due = now + 1 + wsc_test_random(&seed) % 255;
            wsc_wheel_add(&wheel, &timer->node, timer->due);
        }

        assert_int_equal(wheel.count, inside);

        if (wsc_test_random(&seed) % 20) {
            continue;
        }

        now += wsc_test_random(&seed) % 30;

        while ((timer = (test_wheel_timer_t *) wsc_wheel_expire(&wheel, now))
               != NULL)
        {
            assert_in_range(timer->due, wheel.now, now);
            assert_true(timer->due == wheel.now);
            timer->due = 0;
            inside--;
        }

        for (i = 0; i < TEST_WHEEL_NODES; i++) {
            assert_true(timers[i].due == 0 || timers[i].due > now);
            assert_int_equal(timers[i].due != 0,
                             wsc_wheel_active(&timers[i].node));
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(test_wheel_due, test_wheel_setup),
        cmocka_unit_test_setup(test_wheel_clamp, test_wheel_setup),
        cmocka_unit_test_setup(test_wheel_del, test_wheel_setup),
        cmocka_unit_test_setup(test_wheel_again, test_wheel_setup),
        cmocka_unit_test_setup(test_wheel_pause, test_wheel_setup),
        cmocka_unit_test_setup(test_wheel_half, test_wheel_setup),
        cmocka_unit_test_setup(test_wheel_random, test_wheel_setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

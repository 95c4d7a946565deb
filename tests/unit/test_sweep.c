
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_sweep.h"


#define TEST_SWEEP_NOW  100000000
#define TEST_SWEEP_AGE  3600000


/* The stream begins at (1, 100), behind (1, 98). */

static wsc_sweep_t
test_sweep(uint64_t age)
{
    wsc_sweep_t  s;

    memset(&s, 0, sizeof(s));

    s.first.epoch = 1;
    s.first.seq = 100;
    s.from.epoch = 1;
    s.from.seq = 98;
    s.now = TEST_SWEEP_NOW;
    s.age = age;

    return s;
}


static int
test_sweep_drops(wsc_sweep_t *s, uint64_t seq, uint64_t at, uint64_t ago)
{
    wsc_change_t  c;

    memset(&c, 0, sizeof(c));

    c.pos.epoch = 1;
    c.pos.seq = seq;
    c.at.epoch = (at != 0);
    c.at.seq = at;
    c.timestamp = TEST_SWEEP_NOW - ago;

    return wsc_sweep_drops(s, &c);
}


static void
test_sweep_of_what_is_there(void **state)
{
    wsc_sweep_t  s;

    s = test_sweep(0);

    assert_true(test_sweep_drops(&s, 99, 97, 5000));
    assert_false(test_sweep_drops(&s, 100, 97, 5000));
    assert_false(test_sweep_drops(&s, 200, 97, 5000));

    memset(&s.first, 0, sizeof(wsc_pos_t));
    assert_false(test_sweep_drops(&s, 99, 97, 5000));
}


/* Who was at the head of that moment comes back and is told. */

static void
test_sweep_of_what_is_told(void **state)
{
    wsc_sweep_t  s;

    s = test_sweep(0);

    assert_false(test_sweep_drops(&s, 50, 120, 5000));
    assert_false(test_sweep_drops(&s, 50, 98, 5000));
    assert_true(test_sweep_drops(&s, 50, 97, 5000));

    /* it is not known where that was */
    assert_true(test_sweep_drops(&s, 50, 0, 5000));
}


static void
test_sweep_of_what_is_archived(void **state)
{
    size_t       i;
    wsc_sweep_t  s;

    s = test_sweep(TEST_SWEEP_AGE);

    assert_true(test_sweep_drops(&s, 50, 60, TEST_SWEEP_AGE + 1));
    assert_false(test_sweep_drops(&s, 50, 60, TEST_SWEEP_AGE));

    for (i = 1; i < WSC_SWEEP_MOST; i++) {
        assert_false(test_sweep_drops(&s, 50, 60, WSC_SWEEP_LAG + 1));
    }

    assert_true(test_sweep_drops(&s, 50, 60, WSC_SWEEP_LAG + 1));
    assert_false(test_sweep_drops(&s, 50, 60, WSC_SWEEP_LAG));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_sweep_of_what_is_there),
        cmocka_unit_test(test_sweep_of_what_is_told),
        cmocka_unit_test(test_sweep_of_what_is_archived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

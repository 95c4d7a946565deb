
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_follow.h"


static wsc_entry_t
test_entry(uint64_t epoch, uint64_t seq)
{
    wsc_entry_t  e;

    memset(&e, 0, sizeof(e));

    e.pos.epoch = epoch;
    e.pos.seq = seq;
    e.prev.epoch = epoch;
    e.prev.seq = seq - 1;

    return e;
}


/* Aligned, and everything up to (1000, last) was delivered. */

static wsc_follow_t
test_aligned(uint64_t last)
{
    wsc_entry_t   e;
    wsc_follow_t  f;

    wsc_follow_init(&f);
    wsc_follow_astray(&f);
    assert_true(wsc_follow_due(&f));

    wsc_follow_read(&f);
    assert_false(wsc_follow_due(&f));

    e = test_entry(1000, last);
    assert_int_equal(wsc_follow_entry(&f, &e), WSC_OK);
    assert_int_equal(wsc_follow_entry(&f, &e), WSC_DECLINED);

    wsc_follow_was_read(&f, 1);
    assert_true(f.aligned);
    assert_false(wsc_follow_due(&f));

    return f;
}


static void
test_follow_order(void **state)
{
    uint64_t      seq;
    wsc_entry_t   e;
    wsc_follow_t  f;

    f = test_aligned(3);

    for (seq = 4; seq < 100; seq++) {
        e = test_entry(1000, seq);
        assert_int_equal(wsc_follow_message(&f, &e), WSC_OK);
        assert_int_equal(f.last.seq, seq);
    }

    /* an epoch that begins behind it */

    e = test_entry(2000, 1);
    e.prev = f.last;
    assert_int_equal(wsc_follow_message(&f, &e), WSC_OK);
    assert_int_equal(f.last.epoch, 2000);
    assert_true(f.aligned);
}


static void
test_follow_needs_a_read(void **state)
{
    wsc_entry_t   e;
    wsc_follow_t  f;

    wsc_follow_init(&f);
    f.last.epoch = 1000;
    f.last.seq = 3;

    /* it fits, but it is not known what was missed */

    e = test_entry(1000, 4);
    assert_int_equal(wsc_follow_message(&f, &e), WSC_AGAIN);
    assert_int_equal(f.last.seq, 3);
    assert_true(wsc_follow_due(&f));
}


/* Another writer was faster: it is stored one place further than expected. */

static void
test_follow_crossed(void **state)
{
    wsc_entry_t   first, second, third;
    wsc_follow_t  f;

    f = test_aligned(3);

    first = test_entry(1000, 4);
    second = test_entry(1000, 4);
    third = test_entry(1000, 5);

    assert_int_equal(wsc_follow_message(&f, &first), WSC_OK);
    assert_int_equal(wsc_follow_message(&f, &second), WSC_AGAIN);

    /* who knew of the first one only expects the second one's place */

    assert_int_equal(wsc_follow_message(&f, &third), WSC_AGAIN);
    assert_int_equal(f.last.seq, 4);

    wsc_follow_read(&f);
    assert_false(f.there);
    second.pos.seq = 5;
    third.pos.seq = 6;
    assert_int_equal(wsc_follow_entry(&f, &first), WSC_DECLINED);
    assert_int_equal(wsc_follow_entry(&f, &second), WSC_OK);
    assert_int_equal(wsc_follow_entry(&f, &third), WSC_OK);
    wsc_follow_was_read(&f, 1);

    third = test_entry(1000, 7);
    assert_int_equal(wsc_follow_message(&f, &third), WSC_OK);
}


/* What came by the bus while it was read may be behind what the read saw. */

static void
test_follow_not_clean(void **state)
{
    wsc_entry_t   e;
    wsc_follow_t  f;

    wsc_follow_init(&f);
    wsc_follow_astray(&f);
    wsc_follow_read(&f);

    e = test_entry(1000, 1);
    assert_int_equal(wsc_follow_message(&f, &e), WSC_AGAIN);
    assert_false(wsc_follow_due(&f));

    wsc_follow_was_read(&f, 1);
    assert_false(f.aligned);
    assert_true(wsc_follow_due(&f));

    wsc_follow_read(&f);
    wsc_follow_astray(&f);
    wsc_follow_was_read(&f, 1);
    assert_true(wsc_follow_due(&f));

    /* nor is one that was cut short, or begun before the subscription */

    wsc_follow_read(&f);
    wsc_follow_was_read(&f, 0);
    assert_false(f.aligned);

    wsc_follow_read(&f);
    wsc_follow_astray(&f);
    wsc_follow_was_read(&f, 1);
    assert_false(f.aligned);

    wsc_follow_read(&f);
    wsc_follow_was_read(&f, 1);
    assert_true(f.aligned);
}


/* A look at the end of what is aligned disturbs nothing. */

static void
test_follow_look(void **state)
{
    wsc_entry_t   e;
    wsc_follow_t  f;

    f = test_aligned(3);
    wsc_follow_read(&f);

    e = test_entry(1000, 4);
    assert_int_equal(wsc_follow_message(&f, &e), WSC_OK);
    assert_int_equal(wsc_follow_entry(&f, &e), WSC_DECLINED);

    wsc_follow_was_read(&f, 1);
    assert_true(f.aligned);
    assert_false(wsc_follow_due(&f));

    /* it saw what the bus is still to bring: that is read once more */

    wsc_follow_read(&f);
    e = test_entry(1000, 5);
    assert_int_equal(wsc_follow_entry(&f, &e), WSC_OK);
    wsc_follow_was_read(&f, 1);
    assert_int_equal(wsc_follow_message(&f, &e), WSC_AGAIN);
    assert_true(wsc_follow_due(&f));
}


/* What is published and lost may have been expected in a wrong place. */

static void
test_follow_lost(void **state)
{
    wsc_entry_t   e;
    wsc_follow_t  f;

    f = test_aligned(3);

    wsc_follow_astray(&f);
    wsc_follow_read(&f);
    wsc_follow_was_read(&f, 1);
    assert_false(f.aligned);
    assert_false(wsc_follow_due(&f));

    e = test_entry(1000, 4);
    assert_int_equal(wsc_follow_message(&f, &e), WSC_AGAIN);

    /* a stream that goes on in another epoch is one again */

    wsc_follow_read(&f);
    e = test_entry(2000, 1);
    assert_int_equal(wsc_follow_entry(&f, &e), WSC_OK);
    wsc_follow_was_read(&f, 1);
    assert_true(f.aligned);
}


static void
test_follow_forged(void **state)
{
    wsc_entry_t   e;
    wsc_follow_t  f;

    f = test_aligned(3);

    /* prev fits, the position does not */

    e = test_entry(1000, 4);
    e.pos.seq = 3;
    assert_int_equal(wsc_follow_message(&f, &e), WSC_AGAIN);
    assert_int_equal(f.last.seq, 3);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_follow_order),
        cmocka_unit_test(test_follow_needs_a_read),
        cmocka_unit_test(test_follow_crossed),
        cmocka_unit_test(test_follow_not_clean),
        cmocka_unit_test(test_follow_look),
        cmocka_unit_test(test_follow_lost),
        cmocka_unit_test(test_follow_forged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

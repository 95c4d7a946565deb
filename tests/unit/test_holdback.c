
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_holdback.h"


#define TEST_N  2000


static const wsc_pos_t  start = { 1000, 0 };


static wsc_entry_t
test_entry(uint64_t seq)
{
    wsc_entry_t  e;

    memset(&e, 0, sizeof(e));

    e.pos.epoch = 1000;
    e.pos.seq = seq;
    e.prev.epoch = 1000;
    e.prev.seq = seq - 1;
    e.sender.data = (u_char *) "ann";
    e.sender.len = 3;
    e.message.data.data = (u_char *) "\"text\"";
    e.message.data.len = 6;

    return e;
}


static void
test_holdback_order(void **state)
{
    uint32_t        i, k, seed, t;
    uint64_t        last;
    wsc_entry_t     e, out;
    wsc_holdback_t  h;
    wsc_test_mem_t  mem;
    static uint32_t order[TEST_N];

    seed = 7;
    wsc_test_mem_init(&mem, 0);
    wsc_holdback_init(&h, &mem.alloc, start);

    /* crossings as far as 16 places, and each fifth one twice */

    for (i = 0; i < TEST_N; i++) {
        order[i] = i + 1;
    }

    for (i = 0; i + 16 < TEST_N; i++) {
        k = i + wsc_test_random(&seed) % 16;
        t = order[i];
        order[i] = order[k];
        order[k] = t;
    }

    for (i = 0, last = 0; i < TEST_N; i++) {
        e = test_entry(order[i]);

        if (wsc_holdback_message(&h, &e, i + 1) == WSC_OK) {
            assert_int_equal(e.pos.seq, ++last);

            while (wsc_holdback_next(&h, &out) == WSC_OK) {
                assert_int_equal(out.pos.seq, ++last);
                assert_memory_equal(out.message.data.data, "\"text\"", 6);
            }
        }

        if (i % 5 == 0) {
            assert_int_not_equal(wsc_holdback_message(&h, &e, i + 1), WSC_OK);
        }
    }

    assert_int_equal(last, TEST_N);
    assert_null(h.held);

    wsc_holdback_free(&h);
    wsc_test_mem_check(&mem);
}


static void
test_holdback_epochs(void **state)
{
    wsc_entry_t     e;
    wsc_holdback_t  h;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_holdback_init(&h, &mem.alloc, start);
    h.last.seq = 15;

    /* a fail-over lost 11 .. 15: the chain goes on below last */

    e = test_entry(1);
    e.pos.epoch = 2000;
    e.prev.epoch = 1000;
    e.prev.seq = 10;
    assert_int_equal(wsc_holdback_message(&h, &e, 1), WSC_OK);

    /* what an older master still sends is dropped */

    e = test_entry(16);
    assert_int_equal(wsc_holdback_message(&h, &e, 1), WSC_DECLINED);

    /* the first one of a next epoch says what it waits for */

    e = test_entry(1);
    e.pos.epoch = 3000;
    e.prev.epoch = 2000;
    e.prev.seq = 2;
    assert_int_equal(wsc_holdback_message(&h, &e, 1), WSC_AGAIN);

    wsc_holdback_free(&h);
    wsc_test_mem_check(&mem);
}


static void
test_holdback_hole(void **state)
{
    uint64_t        due;
    wsc_entry_t     e;
    wsc_holdback_t  h;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_holdback_init(&h, &mem.alloc, start);

    assert_int_equal(wsc_holdback_due(&h, 1, 0, &due), WSC_HOLDBACK_NONE);
    assert_int_equal(due, 0);

    e = test_entry(3);
    assert_int_equal(wsc_holdback_message(&h, &e, 1000), WSC_AGAIN);
    assert_int_equal(wsc_holdback_message(&h, &e, 1001), WSC_DECLINED);

    assert_int_equal(wsc_holdback_due(&h, 1000, 0, &due), WSC_HOLDBACK_NONE);
    assert_int_equal(due, 1000 + WSC_HOLDBACK_WAIT);

    assert_int_equal(wsc_holdback_due(&h, due, 0, &due), WSC_HOLDBACK_READ);

    /* nothing is given up before it was looked for */

    assert_int_equal(wsc_holdback_due(&h, 90000, 1, &due),
                     WSC_HOLDBACK_NONE);

    wsc_holdback_was_read(&h, 1100);

    assert_int_equal(wsc_holdback_due(&h, 1100, 0, &due), WSC_HOLDBACK_NONE);
    assert_int_equal(due, 1100 + WSC_HOLDBACK_WAIT);

    assert_int_equal(wsc_holdback_due(&h, 1000 + WSC_HOLDBACK_GAP, 0, &due),
                     WSC_HOLDBACK_SKIP);

    assert_int_equal(wsc_holdback_skip(&h, &e), WSC_OK);
    assert_int_equal(e.pos.seq, 3);
    assert_int_equal(e.prev.seq, 2);
    assert_int_equal(wsc_holdback_skip(&h, &e), WSC_DONE);

    assert_int_equal(wsc_holdback_due(&h, 90000, 0, &due),
                     WSC_HOLDBACK_NONE);
    assert_int_equal(due, 0);

    wsc_holdback_free(&h);
    wsc_test_mem_check(&mem);
}


static void
test_holdback_read(void **state)
{
    uint64_t        i;
    wsc_entry_t     e;
    wsc_holdback_t  h;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_holdback_init(&h, &mem.alloc, start);

    for (i = 4; i <= 6; i++) {
        e = test_entry(i);
        assert_int_equal(wsc_holdback_message(&h, &e, 1), WSC_AGAIN);
    }

    /* the stream has from 2 on: 1 was trimmed */

    for (i = 2; i <= 4; i++) {
        e = test_entry(i);
        assert_int_equal(wsc_holdback_entry(&h, &e), WSC_OK);
    }

    assert_int_equal(h.n, 2);
    assert_int_equal(wsc_holdback_entry(&h, &e), WSC_DECLINED);

    assert_int_equal(wsc_holdback_next(&h, &e), WSC_OK);
    assert_int_equal(e.pos.seq, 5);
    assert_int_equal(wsc_holdback_next(&h, &e), WSC_OK);
    assert_int_equal(wsc_holdback_next(&h, &e), WSC_DONE);
    assert_int_equal(h.since, 0);

    wsc_holdback_free(&h);
    wsc_test_mem_check(&mem);
}


static void
test_holdback_hint(void **state)
{
    uint64_t        due;
    wsc_entry_t     e;
    wsc_holdback_t  h;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_holdback_init(&h, &mem.alloc, start);

    wsc_holdback_hint(&h, 2, 1000);

    e = test_entry(1);
    assert_int_equal(wsc_holdback_message(&h, &e, 1001), WSC_OK);

    assert_int_equal(wsc_holdback_due(&h, 1001, 0, &due), WSC_HOLDBACK_NONE);
    assert_int_equal(due, 1000 + WSC_HOLDBACK_WAIT);
    assert_int_equal(wsc_holdback_due(&h, due, 0, &due), WSC_HOLDBACK_READ);

    /* a hint that came while it was read is not settled by that */

    wsc_holdback_hint(&h, UINT64_MAX, 1200);
    wsc_holdback_was_read(&h, 1100);
    assert_int_equal(wsc_holdback_due(&h, 1200, 0, &due), WSC_HOLDBACK_NONE);
    assert_int_equal(due, 1200 + WSC_HOLDBACK_WAIT);

    wsc_holdback_was_read(&h, 1300);
    assert_int_equal(wsc_holdback_due(&h, 1300, 0, &due), WSC_HOLDBACK_NONE);
    assert_int_equal(due, 0);

    wsc_holdback_hint(&h, 0, 1400);
    assert_int_equal(h.hinted, 0);

    wsc_holdback_free(&h);
    wsc_test_mem_check(&mem);
}


static void
test_holdback_bounds(void **state)
{
    uint64_t        i, due;
    wsc_entry_t     e;
    wsc_holdback_t  h;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_holdback_init(&h, &mem.alloc, start);

    for (i = 2; i < 2 + 2 * WSC_HOLDBACK_HELD; i++) {
        e = test_entry(i);
        assert_int_equal(wsc_holdback_message(&h, &e, 1000), WSC_AGAIN);
    }

    assert_int_equal(h.n, WSC_HOLDBACK_HELD);
    assert_int_equal(mem.blocks, WSC_HOLDBACK_HELD);
    assert_int_equal(wsc_holdback_due(&h, 1000, 0, &due), WSC_HOLDBACK_READ);
    assert_int_equal(wsc_holdback_due(&h, 1000, 1, &due), WSC_HOLDBACK_NONE);

    wsc_holdback_free(&h);
    wsc_test_mem_check(&mem);

    /* no memory: the same */

    wsc_test_mem_init(&mem, 1);
    wsc_holdback_init(&h, &mem.alloc, start);

    e = test_entry(2);
    assert_int_equal(wsc_holdback_message(&h, &e, 1000), WSC_AGAIN);
    assert_int_equal(wsc_holdback_due(&h, 1000, 0, &due), WSC_HOLDBACK_READ);

    wsc_holdback_was_read(&h, 1000);
    assert_int_equal(wsc_holdback_due(&h, 1000, 0, &due), WSC_HOLDBACK_NONE);

    wsc_holdback_free(&h);
    wsc_test_mem_check(&mem);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_holdback_order),
        cmocka_unit_test(test_holdback_epochs),
        cmocka_unit_test(test_holdback_hole),
        cmocka_unit_test(test_holdback_read),
        cmocka_unit_test(test_holdback_hint),
        cmocka_unit_test(test_holdback_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

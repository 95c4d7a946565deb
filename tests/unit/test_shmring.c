
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The ring against a list of what was put into it, with readers that are slow
 * in all ways, and writers that die between any two stores.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_shmring.h"


#define TEST_SIZE     4096
#define TEST_READERS  5
#define TEST_PUTS     20000


static uint64_t  area[TEST_SIZE / 8 + 1];


static size_t
test_record(u_char *buf, uint32_t n)
{
    size_t  i, len;

    len = n % 1000;

    for (i = 0; i < len; i++) {
        buf[i] = n * 31 + i;
    }

    return len;
}


static void
test_ring_sizes(void **state)
{
    u_char          data[TEST_SIZE];
    size_t          len;
    uint32_t        tag;
    uint64_t        cursor;
    wsc_shmring_t  *r;

    memset(area, 0, sizeof(area));
    memset(data, 'x', sizeof(data));

    assert_null(wsc_shmring_open(area));
    assert_null(wsc_shmring_init(area, WSC_SHMRING_MIN_SIZE - 1));

    r = wsc_shmring_init(area, TEST_SIZE);
    assert_non_null(r);
    assert_ptr_equal(wsc_shmring_open(area), r);

    cursor = wsc_shmring_end(r);
    assert_int_equal(wsc_shmring_look(r, &cursor, &tag, &len), WSC_DONE);

    assert_int_equal(wsc_shmring_put(r, 1, data, wsc_shmring_max(r) + 1),
                     WSC_DECLINED);
    assert_int_equal(wsc_shmring_look(r, &cursor, &tag, &len), WSC_DONE);

    assert_int_equal(wsc_shmring_put(r, 7, data, wsc_shmring_max(r)), WSC_OK);
    assert_int_equal(wsc_shmring_put(r, 8, data, 0), WSC_OK);

    assert_int_equal(wsc_shmring_look(r, &cursor, &tag, &len), WSC_OK);
    assert_int_equal(tag, 7);
    assert_int_equal(len, wsc_shmring_max(r));
    wsc_shmring_skip(r, &cursor);

    assert_int_equal(wsc_shmring_look(r, &cursor, &tag, &len), WSC_OK);
    assert_int_equal(tag, 8);
    assert_int_equal(len, 0);
    wsc_shmring_skip(r, &cursor);

    assert_int_equal(wsc_shmring_look(r, &cursor, &tag, &len), WSC_DONE);

    /* nothing was written beyond its end */
    assert_int_equal(area[TEST_SIZE / 8], 0);
}


/* Each record is next[] or behind a lap; none is torn. */

static void
test_ring_readers(void **state)
{
    u_char          data[1000], copy[1000];
    size_t          len;
    ssize_t         rc;
    uint32_t        n, i, tag, seed, next[TEST_READERS], laps;
    uint64_t        cursor[TEST_READERS];
    wsc_shmring_t  *r;

    r = wsc_shmring_init(area, TEST_SIZE);
    seed = 1;
    laps = 0;

    memset(next, 0, sizeof(next));
    memset(cursor, 0, sizeof(cursor));

    for (n = 0; n < TEST_PUTS; n++) {
        len = test_record(data, n);
        assert_int_equal(wsc_shmring_put(r, n, data, len), WSC_OK);

        i = wsc_test_random(&seed) % TEST_READERS;

        /* reader 0 always keeps up, the others by chance */

        for (i = (i && n % 7) ? i : 0; i < TEST_READERS; i++) {

            while ((rc = wsc_shmring_look(r, &cursor[i], &tag, &len))
                   == WSC_OK)
            {
                assert_int_equal(tag, next[i]);
                assert_int_equal(len, test_record(data, tag));
                wsc_shmring_copy(r, cursor[i], copy);
                assert_memory_equal(copy, data, len);
                wsc_shmring_skip(r, &cursor[i]);
                next[i]++;

                if (wsc_test_random(&seed) % 16 == 0 && i) {
                    break;
                }
            }

            if (rc == WSC_DECLINED) {
                laps++;
                assert_int_equal(cursor[i], wsc_shmring_end(r));
                next[i] = n + 1;
            }
        }
    }

    assert_true(laps > 10);
}


/*
 * A writer that dies has stored nothing, or what it takes and then some of the
 * record: readers either still have theirs whole or are lapped.
 */

static void
test_ring_crash(void **state)
{
    u_char          data[1000], copy[1000];
    size_t          len, k;
    uint32_t        n, tag, lost;
    uint64_t        cursor, before[TEST_SIZE / 8];
    wsc_shmring_t  *r;

    r = wsc_shmring_init(area, TEST_SIZE);
    lost = 0;
    cursor = 0;

    for (n = 0; n < 2000; n++) {
        memcpy(before, area, TEST_SIZE);
        len = test_record(data, n);
        assert_int_equal(wsc_shmring_put(r, n, data, len), WSC_OK);

        if (n % 3 == 1) {
            /* the end was not stored, all else was */
            area[2] = before[2];
            continue;
        }

        for (k = n % 9; k; k--) {
            if (wsc_shmring_look(r, &cursor, &tag, &len) != WSC_OK) {
                lost++;
                break;
            }

            assert_int_equal(len, test_record(data, tag));
            wsc_shmring_copy(r, cursor, copy);
            assert_memory_equal(copy, data, len);
            wsc_shmring_skip(r, &cursor);
        }
    }

    assert_true(lost);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_ring_sizes),
        cmocka_unit_test(test_ring_readers),
        cmocka_unit_test(test_ring_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

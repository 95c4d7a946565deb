
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wsc_test.h"
#include "wsc_tally.h"


#define TEST_TALLY_KEYS   4096
#define TEST_TALLY_PROCS  4


static wsc_tally_t  *test_tally;


static int
test_tally_setup(void **state)
{
    test_tally = mmap(NULL, sizeof(wsc_tally_t), PROT_READ|PROT_WRITE,
                      MAP_ANON|MAP_SHARED, -1, 0);

    return (test_tally == MAP_FAILED) ? -1 : 0;
}


static int
test_tally_teardown(void **state)
{
    return munmap(test_tally, sizeof(wsc_tally_t));
}


/* Not a word may be left. */

static void
test_tally_empty(void)
{
    unsigned  i;

    for (i = 0; i < WSC_TALLY_WORDS; i++) {
        assert_true(test_tally->words[i] == 0);
    }
}


static uint64_t
test_tally_key(uint64_t n)
{
    n *= 0x9e3779b97f4a7c15;
    n ^= n >> 32;

    return n * 0xd6e8feb86659fd93;
}


static void
test_tally_limit(void **state)
{
    uint64_t  key;

    key = test_tally_key(1);

    assert_int_equal(wsc_tally_add(test_tally, key, 0, 0), WSC_DECLINED);

    assert_int_equal(wsc_tally_add(test_tally, key, 0, 3), WSC_OK);
    assert_int_equal(wsc_tally_add(test_tally, key, 255, 3), WSC_OK);
    assert_int_equal(wsc_tally_add(test_tally, key, 0, 3), WSC_OK);

    assert_int_equal(wsc_tally_add(test_tally, key, 0, 3), WSC_DECLINED);
    assert_int_equal(wsc_tally_add(test_tally, key, 7, 3), WSC_DECLINED);
    assert_int_equal(wsc_tally_count(test_tally, key), 3);

    /* a larger limit after a reload, and a smaller one */

    assert_int_equal(wsc_tally_add(test_tally, key, 7, 4), WSC_OK);
    assert_int_equal(wsc_tally_add(test_tally, key, 7, 2), WSC_DECLINED);
    assert_int_equal(wsc_tally_count(test_tally, key), 4);

    wsc_tally_drop(test_tally, key, 0);
    wsc_tally_drop(test_tally, key, 0);
    wsc_tally_drop(test_tally, key, 7);
    assert_int_equal(wsc_tally_count(test_tally, key), 1);

    wsc_tally_drop(test_tally, key, 255);
    test_tally_empty();

    wsc_tally_drop(test_tally, key, 255);
    test_tally_empty();
}


/* Neighbours and wrapping round: keys that share words do not mix. */

static void
test_tally_neighbours(void **state)
{
    unsigned  i;
    uint64_t  key;

    for (i = 0; i < WSC_TALLY_WINDOW; i++) {
        key = ((uint64_t) i << 24) | (WSC_TALLY_WORDS - 5);
        assert_int_equal(wsc_tally_add(test_tally, key, i % 3, 1), WSC_OK);
    }

    /* all words that they may have are taken */

    key = ((uint64_t) i << 24) | (WSC_TALLY_WORDS - 5);
    assert_int_equal(wsc_tally_add(test_tally, key, 0, 1), WSC_AGAIN);
    assert_int_equal(wsc_tally_count(test_tally, key), 0);

    for (i = 0; i < WSC_TALLY_WINDOW; i++) {
        key = ((uint64_t) i << 24) | (WSC_TALLY_WORDS - 5);
        assert_int_equal(wsc_tally_count(test_tally, key), 1);
        assert_int_equal(wsc_tally_add(test_tally, key, i % 3, 1),
                         WSC_DECLINED);
    }

    wsc_tally_forget(test_tally, 0);
    wsc_tally_forget(test_tally, 1);

    for (i = 0; i < WSC_TALLY_WINDOW; i++) {
        key = ((uint64_t) i << 24) | (WSC_TALLY_WORDS - 5);
        assert_int_equal(wsc_tally_count(test_tally, key), i % 3 == 2);
    }

    wsc_tally_forget(test_tally, 2);
    test_tally_empty();
}


static void
test_tally_most(void **state)
{
    unsigned  i;
    uint64_t  key;

    key = test_tally_key(3);

    for (i = 0; i < WSC_TALLY_MOST; i++) {
        assert_int_equal(wsc_tally_add(test_tally, key, 9, 1000000), WSC_OK);
    }

    assert_int_equal(wsc_tally_add(test_tally, key, 9, 1000000), WSC_AGAIN);
    assert_int_equal(wsc_tally_add(test_tally, key, 8, 1000000), WSC_OK);
    assert_int_equal(wsc_tally_count(test_tally, key), WSC_TALLY_MOST + 1);
}


/* Random adds and drops beside a plain count. */

static void
test_tally_random(void **state)
{
    int              rc;
    uint32_t         seed;
    unsigned         i, k, owner, sum;
    static unsigned  counts[TEST_TALLY_KEYS][4];

    seed = 1;
    memset(counts, 0, sizeof(counts));

    for (i = 0; i < 400000; i++) {
        k = wsc_test_random(&seed) % TEST_TALLY_KEYS;
        owner = wsc_test_random(&seed) % 4;
        sum = counts[k][0] + counts[k][1] + counts[k][2] + counts[k][3];

        if (wsc_test_random(&seed) % 2) {
            rc = wsc_tally_add(test_tally, test_tally_key(k), owner, 5);

            assert_int_equal(rc, (sum < 5) ? WSC_OK : WSC_DECLINED);
            counts[k][owner] += (rc == WSC_OK);

        } else if (counts[k][owner]) {
            wsc_tally_drop(test_tally, test_tally_key(k), owner);
            counts[k][owner]--;
        }

        if (i % 100000 == 99999) {
            wsc_tally_forget(test_tally, owner);

            for (k = 0; k < TEST_TALLY_KEYS; k++) {
                counts[k][owner] = 0;
            }
        }
    }

    for (k = 0; k < TEST_TALLY_KEYS; k++) {
        sum = counts[k][0] + counts[k][1] + counts[k][2] + counts[k][3];
        assert_int_equal(wsc_tally_count(test_tally, test_tally_key(k)), sum);
    }

    for (i = 0; i < 4; i++) {
        wsc_tally_forget(test_tally, i);
    }

    test_tally_empty();
}


/* Never more than the limit, and nothing is lost among processes. */

static int
test_tally_child(unsigned owner)
{
    unsigned  i, held;
    uint64_t  key;

    key = test_tally_key(5);
    held = 0;

    for (i = 0; i < 100000; i++) {

        if (held < 3 && wsc_tally_add(test_tally, key, owner, 7) == WSC_OK) {
            held++;

        } else if (held) {
            wsc_tally_drop(test_tally, key, owner);
            held--;
        }
    }

    while (held--) {
        wsc_tally_drop(test_tally, key, owner);
    }

    return 0;
}


static void
test_tally_processes(void **state)
{
    int       status;
    pid_t     pids[TEST_TALLY_PROCS];
    unsigned  i;

    for (i = 0; i < TEST_TALLY_PROCS; i++) {
        pids[i] = fork();
        assert_true(pids[i] != -1);

        if (pids[i] == 0) {
            _exit(test_tally_child(i));
        }
    }

    for (i = 0; i < TEST_TALLY_PROCS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }

    test_tally_empty();
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_tally_limit, test_tally_setup,
                                        test_tally_teardown),
        cmocka_unit_test_setup_teardown(test_tally_neighbours,
                                        test_tally_setup,
                                        test_tally_teardown),
        cmocka_unit_test_setup_teardown(test_tally_most, test_tally_setup,
                                        test_tally_teardown),
        cmocka_unit_test_setup_teardown(test_tally_random, test_tally_setup,
                                        test_tally_teardown),
        cmocka_unit_test_setup_teardown(test_tally_processes,
                                        test_tally_setup,
                                        test_tally_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

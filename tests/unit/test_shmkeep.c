
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Kept values against a plain table, with random schedules, little room, and
 * writers that die at any store.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_shmkeep_int.h"


#define TEST_SIZE    (64 * 1024)
#define TEST_NAMES   5
#define TEST_FIELDS  40
#define TEST_VALUE   700


typedef struct {
    size_t    len;
    unsigned  soft:1;
    unsigned  there:1;
    u_char    data[TEST_VALUE];
} test_value_t;


static uint64_t      area[TEST_SIZE / 8 + 1];
static test_value_t  model[TEST_NAMES][TEST_FIELDS];


static void
test_key(wsc_str_t *s, char *buf, const char *prefix, int i)
{
    /* some are long enough to go on in the next chunk */

    s->data = (u_char *) buf;
    s->len = sprintf(buf, "%s%d%0*d", prefix, i, i % 3 * 60 + 1, 0);
}


static void
test_set(wsc_shmkeep_t *k, uint32_t *seed, int n, int f, int soft)
{
    char           name[256], field[256];
    size_t         i;
    wsc_str_t      ns, fs, value;
    test_value_t  *v, next;

    test_key(&ns, name, "n", n);
    test_key(&fs, field, "f", f);

    next.len = wsc_test_random(seed) % TEST_VALUE;
    next.soft = soft;
    next.there = 1;

    for (i = 0; i < next.len; i++) {
        next.data[i] = wsc_test_random(seed);
    }

    value.data = next.data;
    value.len = next.len;
    v = &model[n][f];

    if (wsc_shmkeep_set(k, &ns, &fs, &value, soft) == WSC_OK) {
        *v = next;
    }
}


/* What is there is as the model says; only what is soft may be missing. */

static size_t
test_compare(wsc_shmkeep_t *k, int evicting)
{
    int                  n, f;
    char                 name[256], field[256];
    u_char               buf[TEST_VALUE];
    size_t               len, count, total;
    uint32_t             at;
    wsc_str_t            ns, fs;
    test_value_t        *v;
    wsc_shmkeep_stat_t   st;

    total = 0;

    for (n = 0; n < TEST_NAMES; n++) {
        test_key(&ns, name, "n", n);
        count = 0;

        for (f = 0; f < TEST_FIELDS; f++) {
            test_key(&fs, field, "f", f);
            v = &model[n][f];

            if (wsc_shmkeep_find(k, &ns, &fs, &at, &len) == WSC_OK) {
                assert_true(v->there);
                assert_int_equal(len, v->len);
                wsc_shmkeep_copy(k, at, buf);
                assert_memory_equal(buf, v->data, len);
                count++;
                continue;
            }

            assert_true(!v->there || (evicting && v->soft));
            v->there = 0;
        }

        total += count;

        for (at = 0; wsc_shmkeep_next(k, &ns, &at, &len) == WSC_OK; count--) {
            assert_true(count);
        }

        assert_int_equal(count, 0);
    }

    wsc_shmkeep_stat(k, &st);
    assert_int_equal(st.records, total);
    assert_int_equal(area[TEST_SIZE / 8], 0);

    return total;
}


static void
test_drop(wsc_shmkeep_t *k, int n, int f)
{
    char       name[256], field[256];
    wsc_str_t  ns, fs;

    test_key(&ns, name, "n", n);
    test_key(&fs, field, "f", f);

    wsc_shmkeep_drop(k, &ns, &fs);
    model[n][f].there = 0;
}


static void
test_keep_model(void **state)
{
    int                  i, n, f, hard;
    uint32_t             seed;
    wsc_shmkeep_t       *k;
    wsc_shmkeep_stat_t   st;

    assert_null(wsc_shmkeep_init(area, WSC_SHMKEEP_MIN_SIZE - 1));
    assert_null(wsc_shmkeep_open(area));

    for (hard = 0; hard < 2; hard++) {
        memset(area, 0, sizeof(area));
        memset(model, 0, sizeof(model));

        k = wsc_shmkeep_init(area, TEST_SIZE);
        assert_ptr_equal(wsc_shmkeep_open(area), k);
        seed = hard + 1;

        for (i = 0; i < 20000; i++) {
            n = wsc_test_random(&seed) % TEST_NAMES;
            f = wsc_test_random(&seed) % TEST_FIELDS;

            if (wsc_test_random(&seed) % 4 == 0) {
                test_drop(k, n, f);

            } else {
                test_set(k, &seed, n, f, !hard || f >= 10);
            }

            if (i % 50 == 0) {
                test_compare(k, 1);
            }

            if (i % 5000 == 0) {
                wsc_shmkeep_repair(k);
                test_compare(k, 1);
            }
        }

        wsc_shmkeep_stat(k, &st);
        assert_true(st.evicted > 100);

        for (n = 0; n < TEST_NAMES; n++) {
            for (f = 0; f < TEST_FIELDS; f++) {
                test_drop(k, n, f);
            }
        }

        wsc_shmkeep_stat(k, &st);
        assert_int_equal(st.records, 0);
        assert_int_equal(st.chunks_free, st.chunks);
    }
}


/* Nothing soft: full is full, and what was there stays as it was. */

static void
test_keep_full(void **state)
{
    int             i;
    uint32_t        seed;
    wsc_shmkeep_t  *k;

    memset(area, 0, sizeof(area));
    memset(model, 0, sizeof(model));

    k = wsc_shmkeep_init(area, TEST_SIZE / 4);
    seed = 7;

    for (i = 0; i < 3000; i++) {
        test_set(k, &seed, wsc_test_random(&seed) % TEST_NAMES,
                 wsc_test_random(&seed) % TEST_FIELDS, 0);
    }

    assert_true(test_compare(k, 0) < TEST_NAMES * TEST_FIELDS);
}


/*
 * A chunk after a crash: what removal stored was not; nor, if so, the store
 * that publishes.
 */

static void
test_undo(wsc_shmkeep_t *k, const uint64_t *before, uint32_t c, int unborn)
{
    size_t         at;
    u_char        *now;
    const u_char  *old;

    at = k->chunks + (size_t) (c - 1) * WSC_SHMKEEP_CHUNK;
    now = (u_char *) k + at;
    old = (const u_char *) before + at;

    if (*(uint32_t *) now == WSC_SHMKEEP_FREE) {
        memcpy(now, old, WSC_SHMKEEP_CHUNK);

    } else if (unborn && *(uint32_t *) now == WSC_SHMKEEP_HEAD
               && *(uint32_t *) old == WSC_SHMKEEP_FREE)
    {
        *(uint32_t *) now = WSC_SHMKEEP_FREE;
    }
}


/*
 * A change died after some of its stores: a record that is published is whole,
 * and what it replaces goes after it.
 */

static void
test_keep_crash(void **state)
{
    int              i, n, f;
    uint32_t         seed, c;
    static uint64_t  before[TEST_SIZE / 8 + 1];
    test_value_t     was;
    wsc_shmkeep_t   *k;

    memset(area, 0, sizeof(area));
    memset(model, 0, sizeof(model));

    k = wsc_shmkeep_init(area, TEST_SIZE);
    seed = 11;

    for (i = 0; i < 3000; i++) {
        n = wsc_test_random(&seed) % TEST_NAMES;
        f = wsc_test_random(&seed) % 8;

        memcpy(before, area, TEST_SIZE);
        was = model[n][f];
        test_set(k, &seed, n, f, 0);

        if (i % 3 == 0) {
            continue;
        }

        for (c = 1; c <= k->n; c++) {
            test_undo(k, before, c, i % 3 == 2);
        }

        if (i % 3 == 2) {
            model[n][f] = was;
        }

        wsc_shmkeep_repair(k);
        test_compare(k, 0);
    }
}


/* The zone's own values have no name. */

static void
test_keep_without_a_name(void **state)
{
    u_char          buf[3];
    size_t          len;
    uint32_t        at;
    wsc_str_t       none = wsc_null_string;
    wsc_str_t       name = wsc_string("n");
    wsc_str_t       field = wsc_string("f");
    wsc_str_t       value = wsc_string("abc");
    wsc_shmkeep_t  *k;

    k = wsc_shmkeep_init(area, TEST_SIZE);

    assert_int_equal(wsc_shmkeep_set(k, &none, &field, &value, 0), WSC_OK);
    assert_int_equal(wsc_shmkeep_set(k, &name, &field, &none, 0), WSC_OK);

    at = 0;
    assert_int_equal(wsc_shmkeep_next(k, &none, &at, &len), WSC_OK);
    assert_int_equal(len, 3);
    wsc_shmkeep_copy(k, at, buf);
    assert_memory_equal(buf, "abc", 3);
    assert_int_equal(wsc_shmkeep_next(k, &none, &at, &len), WSC_DONE);

    assert_int_equal(wsc_shmkeep_find(k, &name, &field, &at, &len), WSC_OK);
    assert_int_equal(len, 0);

    wsc_shmkeep_drop(k, &none, &field);
    assert_int_equal(wsc_shmkeep_find(k, &none, &field, &at, &len),
                     WSC_DECLINED);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_keep_model),
        cmocka_unit_test(test_keep_full),
        cmocka_unit_test(test_keep_without_a_name),
        cmocka_unit_test(test_keep_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

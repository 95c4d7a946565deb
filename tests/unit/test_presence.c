
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Presence against a plain table, with random workers, users and clocks; each
 * user's changes alternate, and are what is true when nothing moves any more.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_presence.h"


#define TEST_USERS    60
#define TEST_WORKERS  5
#define TEST_GRACE    5000


typedef struct {
    unsigned  conns[TEST_WORKERS];
    int       told;
    int       here;
    uint32_t  left;
    size_t    changes;
} test_user_t;


static test_user_t  model[TEST_USERS];
static uint32_t     test_now;


static void
test_name(wsc_str_t *s, char *buf, int i)
{
    s->data = (u_char *) buf;
    s->len = sprintf(buf, "user%d", i);
}


static void
test_change(void *ctx, const wsc_present_t *u, int came)
{
    int           i;
    char          buf[16];
    test_user_t  *t;

    memcpy(buf, u->user, u->len);
    buf[u->len] = '\0';
    i = atoi(buf + 4);
    t = &model[i];

    assert_int_equal(t->told, !came);
    assert_int_equal(t->here, came);

    if (!came) {
        assert_true(test_now - t->left >= TEST_GRACE);
    }

    t->told = came;
    t->changes++;
}


static unsigned
test_sum(const test_user_t *t)
{
    int       w;
    unsigned  n;

    for (n = 0, w = 0; w < TEST_WORKERS; w++) {
        n += t->conns[w];
    }

    return n;
}


static void
test_update(test_user_t *t)
{
    int  here;

    here = (test_sum(t) != 0);

    if (t->here && !here) {
        t->left = test_now;
    }

    t->here = here;
}


static ssize_t
test_set(wsc_presence_t *p, int i, int w, unsigned conns)
{
    char       buf[16];
    ssize_t    rc;
    wsc_str_t  user, none = wsc_null_string;

    test_name(&user, buf, i);
    rc = wsc_presence_set(p, &user, w, conns, &none, 0, test_now);

    if (rc == WSC_OK) {
        model[i].conns[w] = conns;
        test_update(&model[i]);
    }

    return rc;
}


static void
test_compare(wsc_presence_t *p)
{
    int             i, w;
    char            buf[16];
    uint32_t        count, changes, entries;
    wsc_str_t       user;
    test_user_t    *t;
    wsc_present_t  *u;

    count = 0;
    changes = 0;
    entries = 0;

    for (i = 0; i < TEST_USERS; i++) {
        t = &model[i];
        test_name(&user, buf, i);
        u = wsc_presence_find(p, &user);

        assert_int_equal(u != NULL, t->here || t->told);

        if (u == NULL) {
            continue;
        }

        count++;
        changes += (t->here != t->told);
        assert_int_equal(wsc_present_conns(u), test_sum(t));

        for (w = 0; w < TEST_WORKERS; w++) {
            assert_int_equal(wsc_present_of(u, w), t->conns[w]);
        }
    }

    for (u = wsc_presence_next(p, NULL); u; u = wsc_presence_next(p, u)) {
        entries++;
        assert_true(wsc_present(u));
    }

    assert_int_equal(entries, count);
    assert_int_equal(p->count, count);
    assert_int_equal(p->entries, count);
    assert_int_equal(p->changes, changes);
}


static void
test_forget(wsc_presence_t *p, int w)
{
    int  i;

    wsc_presence_forget(p, w, test_now);

    for (i = 0; i < TEST_USERS; i++) {
        model[i].conns[w] = 0;
        test_update(&model[i]);
    }
}


/* All that workers but 0 have is told again, for some of them. */

static void
test_reload(wsc_presence_t *p, uint32_t *seed)
{
    int  i, w, keep;

    wsc_presence_mark(p, 0);
    keep = wsc_test_random(seed) % 4;

    for (i = 0; i < TEST_USERS; i++) {
        for (w = 1; w < TEST_WORKERS; w++) {
            if (model[i].conns[w] && wsc_test_random(seed) % 4 < 2) {
                assert_int_equal(test_set(p, i, w, model[i].conns[w] + keep),
                                 WSC_OK);

            } else {
                model[i].conns[w] = 0;
            }
        }
    }

    wsc_presence_sweep(p, test_now);

    for (i = 0; i < TEST_USERS; i++) {
        test_update(&model[i]);
    }
}


static void
test_presence_model(void **state)
{
    int              i;
    size_t           n;
    uint32_t         seed, wait;
    wsc_presence_t   p;
    wsc_test_mem_t   mem;

    memset(model, 0, sizeof(model));
    wsc_test_mem_init(&mem, 0);
    wsc_presence_init(&p, &mem.alloc, 12345);

    seed = 3;
    test_now = (uint32_t) -50000;

    for (i = 0; i < 60000; i++) {
        test_now += wsc_test_random(&seed) % 200;

        (void) test_set(&p, wsc_test_random(&seed) % TEST_USERS,
                        wsc_test_random(&seed) % TEST_WORKERS,
                        wsc_test_random(&seed) % 8 / 5);

        if (i % 500 == 0) {
            test_forget(&p, wsc_test_random(&seed) % TEST_WORKERS);
        }

        if (i % 700 == 0) {
            test_reload(&p, &seed);
        }

        if (i % 5 == 0) {
            n = wsc_presence_changes(&p, test_now, TEST_GRACE, i % 9 + 1,
                                     test_change, NULL, &wait);
            assert_true(n <= (size_t) (i % 9 + 1));
            assert_int_equal(wait != 0, p.changes != 0);
        }

        if (i % 20 == 0) {
            test_compare(&p);
        }
    }

    /* when nothing moves any more, what was told is what is true */

    do {
        (void) wsc_presence_changes(&p, test_now, TEST_GRACE, 1000,
                                    test_change, NULL, &wait);
        test_now += wait;
        assert_true(wait <= TEST_GRACE);
    } while (wait);

    for (i = 0; i < TEST_USERS; i++) {
        assert_int_equal(model[i].told, test_sum(&model[i]) != 0);
        assert_true(model[i].changes > 3);
    }

    test_compare(&p);
    wsc_presence_free(&p);
    wsc_test_mem_check(&mem);
}


static void
test_presence_report(void **state)
{
    wsc_str_t       ann = wsc_string("ann");
    wsc_str_t       info = wsc_string("{\"a\":1}");
    wsc_str_t       known;
    wsc_str_t       none = wsc_null_string;
    wsc_present_t  *u;
    wsc_presence_t  p;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_presence_init(&p, &mem.alloc, 1);

    assert_int_equal(wsc_presence_set(&p, &ann, 0, 0, &none, 1, 0), WSC_OK);
    assert_int_equal(p.reports, 0);

    assert_int_equal(wsc_presence_set(&p, &ann, 0, 1, &info, 1, 0), WSC_OK);
    assert_int_equal(wsc_presence_set(&p, &ann, 0, 0, &none, 1, 0), WSC_OK);
    assert_int_equal(p.reports, 1);
    assert_int_equal(p.count, 0);

    u = wsc_presence_find(&p, &ann);
    assert_non_null(u);
    assert_false(wsc_present(u));
    known = wsc_present_info(u);
    assert_int_equal(known.len, info.len);
    assert_memory_equal(known.data, info.data, info.len);

    wsc_presence_reported(&p, u);
    assert_int_equal(p.reports, 0);
    assert_null(wsc_presence_find(&p, &ann));

    wsc_presence_free(&p);
    wsc_test_mem_check(&mem);
}


static void
test_body(wsc_test_mem_t *mem, void *data)
{
    int             i;
    char            buf[16];
    ssize_t         rc;
    wsc_str_t       user;
    wsc_str_t       info = wsc_string("1");
    wsc_presence_t  p;

    wsc_presence_init(&p, &mem->alloc, 1);

    for (i = 0; i < 6; i++) {
        test_name(&user, buf, i / 2);
        rc = wsc_presence_set(&p, &user, i, 1, &info, 0, 0);
        assert_true(rc == WSC_OK || rc == WSC_ERROR);
    }

    assert_true(p.count <= 3);
    wsc_presence_free(&p);
}


static void
test_presence_memory(void **state)
{
    assert_true(wsc_test_mem_fail(test_body, NULL) > 8);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_presence_model),
        cmocka_unit_test(test_presence_report),
        cmocka_unit_test(test_presence_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

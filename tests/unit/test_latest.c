
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_latest.h"


#define TEST_MAX  8


static wsc_latest_item_t *
test_set(wsc_latest_t *l, const char *key, const char *value)
{
    wsc_str_t    k = { strlen(key), (u_char *) key };
    wsc_str_t    s = wsc_string("ann");
    wsc_value_t  v = { { strlen(value), (u_char *) value }, 0 };

    return wsc_latest_set(l, &k, &s, &v);
}


static wsc_latest_item_t *
test_find(wsc_latest_t *l, const char *key)
{
    wsc_str_t  k = { strlen(key), (u_char *) key };

    return wsc_latest_find(l, &k);
}


static void
test_latest_order(void **state)
{
    char                key[8];
    int                 i;
    wsc_latest_t        l;
    wsc_test_mem_t      mem;
    wsc_latest_item_t  *item;

    wsc_test_mem_init(&mem, 0);
    wsc_latest_init(&l, &mem.alloc, TEST_MAX);
    assert_null(test_find(&l, "k0"));

    for (i = 0; i < TEST_MAX; i++) {
        sprintf(key, "k%d", i);
        assert_non_null(test_set(&l, key, "old"));
    }

    assert_null(test_set(&l, "more", "new"));
    assert_null(test_find(&l, "more"));

    /* a new value takes the place of the old one */

    assert_non_null(test_set(&l, "k3", "new"));
    assert_int_equal(l.n, TEST_MAX);

    for (i = 0, item = l.first; item; item = item->next, i++) {
        sprintf(key, "k%d", i);
        assert_int_equal(item->key.len, 2);
        assert_memory_equal(item->key.data, key, 2);
        assert_memory_equal(item->sender.data, "ann", 3);
        assert_memory_equal(item->value.data.data, i == 3 ? "new" : "old", 3);
    }

    assert_int_equal(i, TEST_MAX);

    wsc_latest_drop(&l, test_find(&l, "k0"));
    wsc_latest_drop(&l, test_find(&l, "k7"));
    assert_int_equal(l.n, TEST_MAX - 2);
    assert_non_null(test_set(&l, "more", ""));

    wsc_latest_free(&l);
    assert_int_equal(l.n, 0);
    wsc_test_mem_check(&mem);
}


static void
test_latest_due(void **state)
{
    wsc_latest_t     l;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_latest_init(&l, &mem.alloc, TEST_MAX);

    (void) test_set(&l, "never", "");
    wsc_latest_time(test_set(&l, "a", ""), 10);
    wsc_latest_time(test_set(&l, "b", ""), 5);

    assert_null(wsc_latest_due(&l, 4));
    assert_ptr_equal(wsc_latest_due(&l, 5), test_find(&l, "b"));

    /* over the end of the clock, and no time is left over by a new value */

    wsc_latest_time(test_find(&l, "b"), 100);
    wsc_latest_time(test_find(&l, "a"), 100);
    assert_null(wsc_latest_due(&l, (uint32_t) -100));
    (void) test_set(&l, "a", "");
    assert_ptr_equal(wsc_latest_due(&l, 100), test_find(&l, "b"));
    (void) test_set(&l, "b", "");
    assert_null(wsc_latest_due(&l, 100));

    wsc_latest_free(&l);
    wsc_test_mem_check(&mem);
}


static void
test_body(wsc_test_mem_t *mem, void *data)
{
    wsc_latest_t  l;

    wsc_latest_init(&l, &mem->alloc, TEST_MAX);

    if (test_set(&l, "a", "1") && test_set(&l, "b", "1")
        && test_set(&l, "a", "2") == NULL)
    {
        assert_memory_equal(test_find(&l, "a")->value.data.data, "1", 1);
    }

    wsc_latest_free(&l);
}


static void
test_latest_memory(void **state)
{
    assert_int_equal(wsc_test_mem_fail(test_body, NULL), 3);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_latest_order),
        cmocka_unit_test(test_latest_due),
        cmocka_unit_test(test_latest_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_sorted.h"


#define TEST_NAMES  300


static char  names[TEST_NAMES][8];


/* All names, in an order of no meaning, go to a page. */

static void
fill_page(wsc_sorted_t *page, const char *after, size_t max, uint32_t seed)
{
    size_t     i, k;
    wsc_str_t  s = { strlen(after), (u_char *) after };

    wsc_sorted_init(page, &s, max);
    k = wsc_test_random(&seed) % TEST_NAMES;

    for (i = 0; i < TEST_NAMES; i++) {
        k = (k + 77) % TEST_NAMES;
        wsc_sorted_add(page, (u_char *) names[k], strlen(names[k]), names[k]);
    }
}


static void
assert_page(const wsc_sorted_t *page, size_t first, size_t n, int more)
{
    size_t  i;

    assert_int_equal(page->n, n);
    assert_int_equal(page->more, more);

    for (i = 0; i < n; i++) {
        assert_ptr_equal(page->items[i].item, names[first + i]);
        assert_int_equal(page->items[i].name.len, strlen(names[first + i]));
    }
}


static void
test_sorted(void **state)
{
    size_t       i;
    uint32_t     seed;
    wsc_sorted_t   page;

    /* a name that others begin with is before them */

    for (i = 0; i < TEST_NAMES; i++) {
        sprintf(names[i], "n%c%c%c", (int) ('a' + i / 100),
                (int) ('a' + i / 10 % 10), (int) ('a' + i % 10));
        names[i][i % 10 ? 4 : 3] = '\0';
    }

    for (seed = 0; seed < 20; seed++) {
        fill_page(&page, "", WSC_MAX_LIMIT, seed);
        assert_page(&page, 0, TEST_NAMES, 0);

        fill_page(&page, "", TEST_NAMES, seed);
        assert_page(&page, 0, TEST_NAMES, 0);

        fill_page(&page, "", TEST_NAMES - 1, seed);
        assert_page(&page, 0, TEST_NAMES - 1, 1);

        for (i = 0; i < TEST_NAMES - 7; i += 7) {
            fill_page(&page, names[i], 7, seed);
            assert_page(&page, i + 1, i + 8 > TEST_NAMES
                                      ? TEST_NAMES - i - 1 : 7,
                        i + 8 < TEST_NAMES);
        }

        fill_page(&page, "nca", 1, seed);
        assert_int_equal(page.n, 1);

        fill_page(&page, "o", 1, seed);
        assert_page(&page, 0, 0, 0);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_sorted)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The relay's progress of a partition.
 */


#include "wsc_test.h"
#include "wsc_progress.h"


typedef struct {
    const char     *text;        /* NULL: nothing is there */
    wsc_progress_e   what;        /* for epoch 7, from 50 */
} test_decide_t;


static const test_decide_t  decisions[] = {
    { NULL, WSC_PROGRESS_EMPTY },
    { "", WSC_PROGRESS_EMPTY },
    { "7", WSC_PROGRESS_EMPTY },
    { "7 50 0", WSC_PROGRESS_EMPTY },
    { "7 50 0 0 ", WSC_PROGRESS_EMPTY },
    { "7 50 0 -1", WSC_PROGRESS_EMPTY },
    { "7 50 0 9007199254740992", WSC_PROGRESS_EMPTY },
    { "7 50 0 0", WSC_PROGRESS_OK },
    { "7 50 90 3", WSC_PROGRESS_OK },
    { "7 51 0 0", WSC_PROGRESS_DUP },
    { "7 49 0 0", WSC_PROGRESS_GAP },
    { "6 50 0 0", WSC_PROGRESS_OLD },
    { "8 50 0 0", WSC_PROGRESS_NEW }
};


static void
test_decide(void **state)
{
    size_t          i;
    wsc_str_t       s;
    wsc_progress_t   p;

    for (i = 0; i < wsc_test_count(decisions); i++) {
        if (decisions[i].text == NULL) {
            assert_int_equal(wsc_progress_decide(NULL, 7, 50, &p),
                             decisions[i].what);
            continue;
        }

        s.len = strlen(decisions[i].text);
        s.data = wsc_test_copy(decisions[i].text, s.len);

        assert_int_equal(wsc_progress_decide(&s, 7, 50, &p),
                         decisions[i].what);
        free(s.data);
    }
}


static void
test_print(void **state)
{
    u_char          buf[WSC_PROGRESS_LEN];
    wsc_str_t       s;
    wsc_progress_t   p = { 9007199254740991, 9007199254740990, 0, 12 }, q;

    s.data = buf;
    s.len = wsc_progress_print(buf, &p);

    assert_int_equal(wsc_progress_parse(&s, &q), WSC_OK);
    assert_memory_equal(&p, &q, sizeof(p));
}


static void
test_begin(void **state)
{
    wsc_progress_t  p;

    /* the first relay ever: all is published, nothing is missing */

    wsc_progress_begin(&p, 7, 0, 0, 100);
    assert_int_equal(p.next, 0);
    assert_int_equal(p.goal, 0);
    assert_int_equal(p.floor, 0);

    /* the topic's beginning is gone already */

    wsc_progress_begin(&p, 7, 30, 0, 100);
    assert_int_equal(p.next, 30);
    assert_int_equal(p.goal, 30);
    assert_int_equal(p.floor, 30);

    /* Redis has lost all: some records are put back, quietly */

    wsc_progress_begin(&p, 7, 30, 1000, 100);
    assert_int_equal(p.next, 900);
    assert_int_equal(p.goal, 1000);
    assert_int_equal(p.floor, 900);

    wsc_progress_begin(&p, 7, 0, 50, 100);
    assert_int_equal(p.next, 0);
    assert_int_equal(p.goal, 50);
    assert_int_equal(p.floor, 0);
}


static void
assert_prev(const wsc_progress_t *p, const wsc_pos_t *head, uint64_t offset,
    uint64_t epoch, uint64_t seq)
{
    wsc_pos_t  prev;

    prev = wsc_progress_prev(p, head, offset);

    assert_int_equal(prev.epoch, epoch);
    assert_int_equal(prev.seq, seq);
}


static void
test_prev(void **state)
{
    wsc_pos_t      head = { 7, 40 }, before = { 6, 900 };
    wsc_progress_t  whole = { 7, 50, 0, 0 }, part = { 7, 50, 0, 30 };

    assert_prev(&whole, NULL, 50, 0, 0);
    assert_prev(&whole, &head, 50, 7, 40);
    assert_prev(&whole, &before, 50, 6, 900);

    /* not certain: who stands before offset 49 has to look */

    assert_prev(&part, NULL, 50, 7, 50);
    assert_prev(&part, &before, 50, 7, 50);
    assert_prev(&part, &head, 50, 7, 40);

    whole.goal = 20;
    assert_prev(&whole, NULL, 50, 7, 50);
    assert_prev(&whole, &head, 50, 7, 40);

    head.seq = 30;
    assert_prev(&part, &head, 50, 7, 50);
    assert_prev(&part, NULL, 0, 7, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_decide),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_begin),
        cmocka_unit_test(test_prev)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

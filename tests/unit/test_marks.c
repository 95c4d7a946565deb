
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_marks.h"
#include "wsc_news.h"


#define TEST_USERS  40
#define TEST_STEPS  20000


static wsc_str_t
user_name(char *buf, unsigned n)
{
    wsc_str_t  s;

    s.len = sprintf(buf, "user-%u", n);
    s.data = (u_char *) buf;

    return s;
}


static wsc_pos_t
at(uint64_t epoch, uint64_t seq)
{
    wsc_pos_t  pos = { epoch, seq };

    return pos;
}


static ssize_t
raise_mark(wsc_marks_t *m, const char *user, uint64_t delivered,
    uint64_t read)
{
    wsc_str_t    s = { strlen(user), (u_char *) user };
    wsc_mark_t  *mark;

    return wsc_marks_raise(m, &s, at(1, delivered), at(1, read), &mark);
}


static void
assert_mark(wsc_marks_t *m, const char *user, uint64_t delivered,
    uint64_t read)
{
    wsc_str_t    s = { strlen(user), (u_char *) user };
    wsc_mark_t  *mark;

    mark = wsc_marks_find(m, &s);

    assert_non_null(mark);
    assert_int_equal(mark->delivered.seq, delivered);
    assert_int_equal(mark->read.seq, read);
}


static void
test_marks_only_rise(void **state)
{
    wsc_str_t        ann = wsc_string("ann");
    wsc_mark_t      *mark;
    wsc_marks_t      m;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_marks_init(&m, &mem.alloc, 8, 7);
    assert_null(wsc_marks_find(&m, &ann));
    assert_int_equal(mem.calls, 0);

    assert_int_equal(raise_mark(&m, "ann", 0, 0), WSC_DECLINED);
    assert_int_equal(raise_mark(&m, "ann", 3, 0), WSC_OK);
    assert_mark(&m, "ann", 3, 0);
    assert_int_equal(raise_mark(&m, "ann", 2, 0), WSC_DECLINED);
    assert_int_equal(raise_mark(&m, "ann", 1, 2), WSC_OK);
    assert_mark(&m, "ann", 3, 2);

    /* what was read was delivered */

    assert_int_equal(raise_mark(&m, "ann", 0, 5), WSC_OK);
    assert_mark(&m, "ann", 5, 5);
    assert_int_equal(raise_mark(&m, "ann", 5, 5), WSC_DECLINED);

    /* a later epoch is later, whatever the seq */

    assert_int_equal(wsc_marks_raise(&m, &ann, at(2, 1), at(0, 9), &mark),
                     WSC_OK);
    assert_int_equal(mark->delivered.epoch, 2);
    assert_int_equal(mark->read.epoch, 1);
    assert_int_equal(mark->read.seq, 5);
    assert_true(wsc_marks_cover(&m, &ann, at(1, 1000), at(1, 5)));
    assert_false(wsc_marks_cover(&m, &ann, at(1, 1000), at(1, 6)));

    wsc_marks_free(&m);
    assert_int_equal(m.n, 0);
    wsc_test_mem_check(&mem);
}


static void
test_marks_order_and_due(void **state)
{
    wsc_str_t        bob = wsc_string("bob");
    wsc_marks_t      m;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_marks_init(&m, &mem.alloc, 8, 7);

    assert_int_equal(raise_mark(&m, "ann", 1, 1), WSC_OK);
    assert_int_equal(raise_mark(&m, "bob", 1, 1), WSC_OK);
    assert_int_equal(raise_mark(&m, "eve", 1, 1), WSC_OK);
    assert_int_equal(raise_mark(&m, "bob", 2, 1), WSC_OK);

    assert_memory_equal(m.first->user, "bob", 3);
    assert_memory_equal(m.first->next->user, "eve", 3);
    assert_memory_equal(m.last->user, "ann", 3);
    assert_ptr_equal(m.last->prev, m.first->next);

    wsc_marks_due(&m, m.first, 1);
    wsc_marks_due(&m, m.first, 1);
    wsc_marks_due(&m, m.last, 1);
    assert_int_equal(m.due, 2);
    wsc_marks_due(&m, m.last, 0);
    assert_int_equal(m.due, 1);
    wsc_marks_drop(&m, m.first);
    assert_int_equal(m.due, 0);
    assert_int_equal(m.n, 2);
    assert_null(wsc_marks_find(&m, &bob));

    /* dropped, not forgotten: it may come again from below */

    assert_int_equal(raise_mark(&m, "bob", 1, 0), WSC_OK);
    assert_mark(&m, "bob", 1, 0);

    wsc_marks_free(&m);
    wsc_test_mem_check(&mem);
}


static void
test_marks_of_a_bounded_number(void **state)
{
    wsc_marks_t      m;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_marks_init(&m, &mem.alloc, 2, 7);

    assert_int_equal(raise_mark(&m, "ann", 5, 4), WSC_OK);
    assert_int_equal(raise_mark(&m, "bob", 9, 9), WSC_OK);
    assert_int_equal(raise_mark(&m, "eve", 1, 1), WSC_OK);
    assert_int_equal(m.n, 2);

    /* ann may have read 5 at most: nothing below it is believed of others */

    assert_int_equal(raise_mark(&m, "ann", 5, 5), WSC_DECLINED);
    assert_int_equal(raise_mark(&m, "zoe", 3, 0), WSC_DECLINED);
    assert_mark(&m, "bob", 9, 9);
    assert_int_equal(raise_mark(&m, "ann", 6, 4), WSC_OK);
    assert_mark(&m, "ann", 6, 0);
    assert_int_equal(raise_mark(&m, "bob", 9, 9), WSC_DECLINED);
    assert_int_equal(raise_mark(&m, "eve", 2, 2), WSC_OK);

    wsc_marks_free(&m);
    wsc_test_mem_check(&mem);
}


/* Random marks of random users against a plain table. */

static void
test_marks_model(void **state)
{
    char             buf[32];
    unsigned         i, n;
    uint32_t         seed;
    uint64_t         d, r, known[TEST_USERS][2];
    wsc_str_t        user;
    wsc_mark_t      *mark;
    wsc_marks_t      m;
    wsc_test_mem_t   mem;

    memset(known, 0, sizeof(known));
    wsc_test_mem_init(&mem, 0);
    wsc_marks_init(&m, &mem.alloc, TEST_USERS, 7);
    seed = 1;

    for (i = 0; i < TEST_STEPS; i++) {
        n = wsc_test_random(&seed) % TEST_USERS;
        user = user_name(buf, n);
        d = wsc_test_random(&seed) % 1000;
        r = wsc_test_random(&seed) % 1000;

        assert_int_equal(wsc_marks_raise(&m, &user, at(1, d), at(1, r), &mark),
                         (d > known[n][0] || r > known[n][1]) ? WSC_OK
                                                              : WSC_DECLINED);
        known[n][1] = r > known[n][1] ? r : known[n][1];
        known[n][0] = d > known[n][0] ? d : known[n][0];

        if (known[n][0] < known[n][1]) {
            known[n][0] = known[n][1];
        }

        mark = wsc_marks_find(&m, &user);
        assert_int_equal(mark ? mark->delivered.seq : 0, known[n][0]);
        assert_int_equal(mark ? mark->read.seq : 0, known[n][1]);

        if (mark && wsc_test_random(&seed) % 16 == 0) {
            wsc_marks_drop(&m, mark);
            memset(known[n], 0, sizeof(known[n]));
        }
    }

    for (n = 0, mark = m.first; mark; mark = mark->next) {
        n++;
    }

    assert_int_equal(n, m.n);

    wsc_marks_free(&m);
    wsc_test_mem_check(&mem);
}


static void
fill_marks(wsc_test_mem_t *mem, void *data)
{
    char          buf[32];
    unsigned      i, n;
    ssize_t       rc;
    wsc_str_t     user;
    wsc_mark_t   *mark;
    wsc_marks_t   m;

    wsc_marks_init(&m, &mem->alloc, TEST_USERS, 7);

    for (i = 0, n = 0; i < TEST_USERS; i++) {
        user = user_name(buf, i);
        rc = wsc_marks_raise(&m, &user, at(1, 1), at(1, 1), &mark);

        assert_true(rc == WSC_OK || rc == WSC_ERROR);
        n += (rc == WSC_OK);
    }

    assert_int_equal(m.n, n);
    wsc_marks_free(&m);
}


static void
test_marks_memory(void **state)
{
    assert_true(wsc_test_mem_fail(fill_marks, NULL) > TEST_USERS);
}


static void
test_marks_are_kept(void **state)
{
    u_char      field[WSC_MAX_NOTE_FIELD];
    wsc_note_t  note = {
        wsc_string("ann"), wsc_string("w-1"), { wsc_null_string, 0 },
        { 1, 3, 0, 0 }
    };

    assert_int_equal(wsc_news_keep(WSC_NEWS_MARK, &note), WSC_KEEP_SET);
    assert_true(wsc_news_soft(WSC_NEWS_MARK));

    /* one of each user, whoever tells */

    assert_int_equal(wsc_news_field(field, WSC_NEWS_MARK, &note), 4);
    assert_memory_equal(field + 1, "ann", 3);

    note.n[1] = 0;
    assert_int_equal(wsc_news_keep(WSC_NEWS_MARK, &note), WSC_KEEP_DROP);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_marks_only_rise),
        cmocka_unit_test(test_marks_order_and_due),
        cmocka_unit_test(test_marks_of_a_bounded_number),
        cmocka_unit_test(test_marks_model),
        cmocka_unit_test(test_marks_memory),
        cmocka_unit_test(test_marks_are_kept)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

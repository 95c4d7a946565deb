
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store: messages that are edited and retracted, also by a
 * process that dies at any step of that.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_shmlog_change.h"
#include "wsc_shmlog_check.h"


#define TEST_CHANGE_NOW   UINT64_C(1700000000000)
#define TEST_CHANGE_TEXT  8192
#define TEST_CHANGE_MARK  'Q'


static const wsc_shmlog_limits_t  unlimited;

static wsc_shmlog_t  store;
static u_char       *area;
static uint32_t      chat;
static u_char        old_text[TEST_CHANGE_TEXT];
static u_char        new_text[TEST_CHANGE_TEXT];
static jmp_buf       death;
static int           countdown;       /* steps until the process dies */


static void
test_change_hook(void *ctx, int step)
{
    if (--countdown == 0) {
        longjmp(death, 1);
    }
}


static wsc_str_t
test_change_str(const char *s)
{
    wsc_str_t  str;

    str.data = (u_char *) s;
    str.len = strlen(s);

    return str;
}


static int
test_change_setup(void **state)
{
    wsc_str_t  name;

    area = malloc(WSC_SHMLOG_MIN_SIZE);
    assert_non_null(area);
    memset(area, 0, WSC_SHMLOG_MIN_SIZE);

    memset(old_text, TEST_CHANGE_MARK, TEST_CHANGE_TEXT);
    memset(new_text, 'n', TEST_CHANGE_TEXT);

    assert_int_equal(wsc_shmlog_init(&store, area, WSC_SHMLOG_MIN_SIZE),
                     WSC_OK);

    name = test_change_str("room");
    chat = wsc_shmlog_make(&store, &name, TEST_CHANGE_NOW);
    assert_int_not_equal(chat, 0);

    return 0;
}


static int
test_change_teardown(void **state)
{
    store.hook = NULL;
    wsc_shmlog_check(&store);
    free(area);

    return 0;
}


static wsc_pos_t
test_change_say(const char *sender, const char *cid, size_t len)
{
    wsc_entry_t  e;

    memset(&e, 0, sizeof(e));

    e.timestamp = TEST_CHANGE_NOW;
    e.sender = test_change_str(sender);
    e.cid = test_change_str(cid);
    e.message.data.data = old_text;
    e.message.data.len = len;

    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited), WSC_OK);

    return e.pos;
}


static ssize_t
test_change_edit(wsc_pos_t pos, size_t len)
{
    wsc_value_t  v;

    memset(&v, 0, sizeof(v));

    v.data.data = new_text;
    v.data.len = len;

    return wsc_shmlog_edit(&store, chat, pos, &v, &unlimited,
                           TEST_CHANGE_NOW);
}


static ssize_t
test_change_retract(wsc_pos_t pos)
{
    return wsc_shmlog_retract(&store, wsc_shmlog_entry(&store, chat, pos));
}


/* The entry as it is; its octets lie in a buffer of this function. */

static wsc_entry_t
test_change_get(wsc_pos_t pos)
{
    uint32_t       at;
    wsc_entry_t    e;
    static u_char  buf[2 * TEST_CHANGE_TEXT];

    at = wsc_shmlog_entry(&store, chat, pos);
    assert_int_not_equal(at, 0);

    wsc_shmlog_copy(&store, at, &e, buf);
    assert_int_equal(wsc_pos_cmp(e.pos, pos), 0);

    return e;
}


/* How often the area has eight octets of the old text in a row. */

static size_t
test_change_left(void)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i + 8 <= WSC_SHMLOG_MIN_SIZE; i++) {
        n += (memcmp(area + i, old_text, 8) == 0);
    }

    return n;
}


static void
test_change_edits(void **state)
{
    size_t       i, k;
    wsc_pos_t    pos[3];
    wsc_entry_t  e;

    static const size_t  lengths[] = { 0, 1, 90, 170, 300, 1000, 8000 };

    for (i = 0; i < wsc_test_count(lengths); i++) {
        pos[0] = test_change_say("ann", "", 100);
        pos[1] = test_change_say("ann", "", lengths[i]);
        pos[2] = test_change_say("bob", "", 100);

        for (k = 0; k < wsc_test_count(lengths); k++) {
            assert_int_equal(test_change_edit(pos[1], lengths[k]), WSC_OK);
            wsc_shmlog_check(&store);

            e = test_change_get(pos[1]);
            assert_true(e.edited);
            assert_false(e.retracted);
            assert_int_equal(e.prev.seq, pos[0].seq);
            assert_int_equal(e.sender.len, 3);
            assert_memory_equal(e.sender.data, "ann", 3);
            assert_int_equal(e.message.data.len, lengths[k]);
            assert_memory_equal(e.message.data.data, new_text, lengths[k]);

            assert_false(test_change_get(pos[0]).edited);
            assert_int_equal(test_change_get(pos[2]).prev.seq, pos[1].seq);
        }

        assert_int_equal(test_change_edit(pos[0], 5), WSC_OK);
        assert_int_equal(test_change_edit(pos[2], 5), WSC_OK);
    }

    assert_int_equal(test_change_left(), 0);
}


static void
test_change_none(void **state)
{
    wsc_pos_t  pos, other;

    pos = test_change_say("ann", "c1", 100);

    other = pos;
    other.seq++;
    assert_int_equal(wsc_shmlog_entry(&store, chat, other), 0);
    assert_int_equal(test_change_edit(other, 1), WSC_DECLINED);

    other = pos;
    other.seq--;
    assert_int_equal(wsc_shmlog_entry(&store, chat, other), 0);

    other = pos;
    other.epoch++;
    assert_int_equal(wsc_shmlog_entry(&store, chat, other), 0);
    assert_int_equal(test_change_edit(other, 1), WSC_DECLINED);

    assert_int_equal(test_change_retract(pos), WSC_OK);
    assert_int_equal(test_change_edit(pos, 1), WSC_DECLINED);
    assert_int_equal(test_change_retract(pos), WSC_DONE);
}


static void
test_change_retracts(void **state)
{
    size_t       i;
    wsc_pos_t    pos[3];
    wsc_entry_t  e;

    static const size_t  lengths[] = { 0, 1, 90, 170, 300, 1000, 8000 };

    for (i = 0; i < wsc_test_count(lengths); i++) {
        pos[0] = test_change_say("ann", "", 0);
        pos[1] = test_change_say("ann", "", lengths[i]);
        pos[2] = test_change_say("bob", "", 0);

        assert_int_equal(test_change_retract(pos[1]), WSC_OK);
        wsc_shmlog_check(&store);

        e = test_change_get(pos[1]);
        assert_true(e.retracted);
        assert_int_equal(e.message.data.len, 0);
        assert_int_equal(e.sender.len, 3);
        assert_int_equal(e.prev.seq, pos[0].seq);
        assert_int_equal(test_change_get(pos[2]).prev.seq, pos[1].seq);
        assert_int_equal(test_change_left(), 0);
    }
}


/* Its cid is known as before. */

static void
test_change_dedupe(void **state)
{
    wsc_pos_t    pos[2];
    wsc_entry_t  e;

    pos[0] = test_change_say("ann", "c1", 100);
    pos[1] = test_change_say("ann", "c2", 1000);

    assert_int_equal(test_change_edit(pos[0], 1000), WSC_OK);
    assert_int_equal(test_change_retract(pos[1]), WSC_OK);

    memset(&e, 0, sizeof(e));
    e.sender = test_change_str("ann");
    e.cid = test_change_str("c1");

    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited),
                     WSC_DECLINED);
    assert_int_equal(wsc_pos_cmp(e.pos, pos[0]), 0);

    e.cid = test_change_str("c2");

    assert_int_equal(wsc_shmlog_append(&store, chat, &e, &unlimited),
                     WSC_DECLINED);
    assert_int_equal(wsc_pos_cmp(e.pos, pos[1]), 0);
}


static size_t
test_change_changed(uint64_t rev, uint64_t since, uint64_t upto, uint64_t *seq,
    size_t max, uint64_t *last)
{
    u_char              buf[512];
    size_t              i, n;
    uint32_t            at[8];
    wsc_entry_t         e;
    wsc_shmlog_since_t  s;

    s.rev = rev;
    s.since = since;
    s.upto = upto;

    n = wsc_shmlog_changed(&store, chat, &s, at, max, last);

    for (i = 0; i < n; i++) {
        wsc_shmlog_copy(&store, at[i], &e, buf);
        seq[i] = e.pos.seq;
    }

    return n;
}


static void
test_change_since(void **state)
{
    size_t             i;
    uint64_t           seq[8], rev;
    wsc_pos_t          pos[6];
    wsc_shmlog_chat_t  c;

    for (i = 0; i < 5; i++) {
        pos[i] = test_change_say("ann", "", 10);
    }

    assert_int_equal(test_change_changed(0, 0, 99, seq, 8, &rev), 0);
    assert_int_equal(rev, 0);

    assert_int_equal(test_change_edit(pos[3], 20), WSC_OK);
    assert_int_equal(test_change_edit(pos[0], 20), WSC_OK);
    pos[5] = test_change_say("ann", "", 10);
    assert_int_equal(test_change_retract(pos[2]), WSC_OK);
    assert_int_equal(test_change_edit(pos[3], 30), WSC_OK);

    wsc_shmlog_stat_chat(&store, chat, TEST_CHANGE_NOW, &unlimited, &c);
    assert_int_equal(c.rev, 4);

    /* each once, in the order of its last change */

    assert_int_equal(test_change_changed(0, 0, 99, seq, 8, &rev), 3);
    assert_int_equal(seq[0], pos[0].seq);
    assert_int_equal(seq[1], pos[2].seq);
    assert_int_equal(seq[2], pos[3].seq);
    assert_int_equal(rev, 4);

    /* the first ones, the others behind them */

    assert_int_equal(test_change_changed(0, 0, 99, seq, 2, &rev), 2);
    assert_int_equal(seq[0], pos[0].seq);
    assert_int_equal(seq[1], pos[2].seq);
    assert_int_equal(rev, 3);
    assert_int_equal(test_change_changed(rev, 0, 99, seq, 2, &rev), 1);
    assert_int_equal(seq[0], pos[3].seq);
    assert_int_equal(rev, 4);
    assert_int_equal(test_change_changed(rev, 0, 99, seq, 2, &rev), 0);

    /* only when the head was there, only of messages up to there */

    assert_int_equal(test_change_changed(0, pos[5].seq, 99, seq, 8, &rev), 2);
    assert_int_equal(test_change_changed(0, pos[5].seq, pos[2].seq, seq, 8,
                                         &rev), 1);
    assert_int_equal(seq[0], pos[2].seq);
    assert_int_equal(test_change_changed(0, pos[5].seq + 1, 99, seq, 8, &rev),
                     0);
}


/* Room for a larger text may be made of the message itself. */

static void
test_change_room(void **state)
{
    ssize_t      rc;
    wsc_pos_t    first, pos;
    wsc_entry_t  e;

    first = test_change_say("ann", "", 100);

    do {
        pos = test_change_say("ann", "", 4000);
    } while (wsc_shmlog_entry(&store, chat, first));

    first.seq++;

    while (wsc_shmlog_entry(&store, chat, first) == 0) {
        first.seq++;
    }

    rc = test_change_edit(first, TEST_CHANGE_TEXT);
    assert_true(rc == WSC_OK || rc == WSC_DECLINED);
    wsc_shmlog_check(&store);

    assert_int_equal(test_change_edit(pos, TEST_CHANGE_TEXT), WSC_OK);
    e = test_change_get(pos);
    assert_int_equal(e.message.data.len, TEST_CHANGE_TEXT);

    /* to retract takes no room */

    assert_int_equal(test_change_retract(pos), WSC_OK);
    assert_int_equal(test_change_get(pos).message.data.len, 0);
}


static void
test_change_erase(void **state)
{
    size_t     i, n;
    ssize_t    rc;
    uint32_t   at, where;
    wsc_pos_t  pos[40];
    wsc_str_t  user;

    for (i = 0; i < 40; i++) {
        pos[i] = test_change_say(i % 3 ? "ann" : "anna", "", i * 20);
    }

    user = test_change_str("ann");
    at = 0;
    n = 0;

    do {
        rc = wsc_shmlog_sent(&store, &user, &at, 7, &where);

        if (rc == WSC_OK) {
            assert_int_equal(where, chat);
            assert_int_equal(wsc_shmlog_retract(&store, at), WSC_OK);
            n++;
        }

    } while (rc != WSC_DONE);

    assert_int_equal(n, 26);

    for (i = 0; i < 40; i++) {
        assert_int_equal(test_change_get(pos[i]).retracted, i % 3 != 0);
    }

    at = 0;
    assert_int_equal(wsc_shmlog_sent(&store, &user, &at, UINT32_MAX, &where),
                     WSC_DONE);
}


/* Killed at each step: it is the old message or the new one, and whole. */

static void
test_change_killed(int retract, size_t before, size_t after)
{
    volatile int         step, dies;
    volatile uint64_t    rev;
    wsc_pos_t            pos[3];
    wsc_entry_t          e;
    wsc_shmlog_chat_t    c;

    rev = 0;

    for (step = 1, dies = 1; dies; step++) {
        pos[0] = test_change_say("ann", "", 10);
        pos[1] = test_change_say("ann", "", before);
        pos[2] = test_change_say("ann", "", 10);

        store.hook = test_change_hook;
        countdown = step;

        if (setjmp(death) == 0) {
            dies = 0;

            assert_int_equal(retract ? test_change_retract(pos[1])
                                     : test_change_edit(pos[1], after),
                             WSC_OK);
        } else {
            dies = 1;
            countdown = 0;
            wsc_shmlog_repair(&store);
        }

        store.hook = NULL;
        wsc_shmlog_check(&store);

        e = test_change_get(pos[1]);

        if (e.retracted || e.edited) {
            assert_int_equal(e.message.data.len, retract ? 0 : after);
            assert_int_equal(e.retracted, retract);

            wsc_shmlog_stat_chat(&store, chat, TEST_CHANGE_NOW, &unlimited,
                                 &c);
            assert_true(c.rev > rev);
            rev = c.rev;

        } else {
            assert_true(dies);
            assert_int_equal(e.message.data.len, before);
            assert_memory_equal(e.message.data.data, old_text, before);
        }

        assert_int_equal(test_change_get(pos[2]).prev.seq, pos[1].seq);

        /* and it can be done again */

        assert_int_equal(test_change_retract(pos[0]), WSC_OK);
        assert_int_equal(test_change_retract(pos[2]), WSC_OK);
        assert_int_not_equal(test_change_retract(pos[1]), WSC_ERROR);
        wsc_shmlog_check(&store);
    }

    assert_true(step > 4);
}


static void
test_change_kill(void **state)
{
    size_t  i, k;

    static const size_t  lengths[] = { 0, 100, 1000, 3000 };

    for (i = 0; i < wsc_test_count(lengths); i++) {
        test_change_killed(1, lengths[i], 0);

        for (k = 0; k < wsc_test_count(lengths); k++) {
            test_change_killed(0, lengths[i], lengths[k]);
        }
    }
}


int
main(void)
{
#define test_change(name)                                                     \
    cmocka_unit_test_setup_teardown(name, test_change_setup,                  \
                                    test_change_teardown)

    const struct CMUnitTest  tests[] = {
        test_change(test_change_edits),
        test_change(test_change_none),
        test_change(test_change_retracts),
        test_change(test_change_dedupe),
        test_change(test_change_since),
        test_change(test_change_room),
        test_change(test_change_erase),
        test_change(test_change_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

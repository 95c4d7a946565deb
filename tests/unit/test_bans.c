
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_bans.h"


#define TEST_MAX  300


static const wsc_str_t  test_room = wsc_string("room");
static const wsc_str_t  test_other = wsc_string("other");
static const wsc_str_t  test_all = wsc_null_string;


static ssize_t
test_take(wsc_bans_t *b, unsigned type, const char *user, const char *chat,
    uint64_t end, uint64_t ended)
{
    wsc_note_t  note;

    memset(&note, 0, sizeof(wsc_note_t));

    note.key.data = (u_char *) user;
    note.key.len = strlen(user);
    note.sender.data = (u_char *) chat;
    note.sender.len = strlen(chat);
    note.n[0] = end;
    note.n[1] = ended;
    note.n[2] = 7;

    return wsc_bans_take(b, type, &note);
}


static uint64_t
test_end(wsc_bans_t *b, const wsc_str_t *chat_id, const char *user)
{
    wsc_str_t  s = { strlen(user), (u_char *) user };

    return wsc_bans_end(b, chat_id, &s);
}


static void
test_bans_of_chats_and_of_all(void **state)
{
    wsc_bans_t      b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_bans_init(&b, &mem.alloc, TEST_MAX);

    assert_int_equal(test_end(&b, &test_room, "ann"), 0);
    assert_null(wsc_bans_next(&b, NULL));

    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "room", 100, 0),
                     WSC_OK);
    assert_int_equal(test_end(&b, &test_room, "ann"), 100);
    assert_int_equal(test_end(&b, &test_other, "ann"), 0);
    assert_int_equal(test_end(&b, &test_all, "ann"), 0);
    assert_int_equal(test_end(&b, &test_room, "anna"), 0);
    assert_int_equal(test_end(&b, &test_room, "an"), 0);

    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "", 90, 0), WSC_OK);
    assert_int_equal(test_end(&b, &test_room, "ann"), 100);
    assert_int_equal(test_end(&b, &test_other, "ann"), 90);
    assert_int_equal(test_end(&b, &test_all, "ann"), 90);

    /* a disconnect keeps nobody out */

    assert_int_equal(test_take(&b, WSC_NEWS_DISCONNECT, "bob", "", 500, 0),
                     WSC_OK);
    assert_int_equal(test_end(&b, &test_all, "bob"), 0);
    assert_int_equal(b.n, 3);

    wsc_bans_free(&b);
    assert_int_equal(b.n, 0);
    assert_int_equal(test_end(&b, &test_all, "ann"), 0);
    wsc_test_mem_check(&mem);
}


static void
test_bans_are_taken_back_by_their_ends(void **state)
{
    wsc_bans_t      b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_bans_init(&b, &mem.alloc, TEST_MAX);

    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "room", 0, 100),
                     WSC_DECLINED);
    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "room", 100, 0),
                     WSC_OK);
    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "room", 100, 0),
                     WSC_DECLINED);
    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "room", 50, 0),
                     WSC_OK);
    assert_int_equal(test_end(&b, &test_room, "ann"), 100);

    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "room", 0, 99),
                     WSC_DECLINED);
    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "other", 0, 100),
                     WSC_DECLINED);
    assert_int_equal(test_take(&b, WSC_NEWS_DISCONNECT, "ann", "room", 0,
                               100),
                     WSC_DECLINED);
    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "room", 0, 100),
                     WSC_OK);
    assert_int_equal(test_end(&b, &test_room, "ann"), 50);
    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "ann", "room", 0, 50),
                     WSC_OK);
    assert_int_equal(test_end(&b, &test_room, "ann"), 0);
    assert_int_equal(b.n, 0);

    wsc_bans_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_bans_many(void **state)
{
    int              i;
    char             user[16];
    size_t           n;
    wsc_ban_t       *ban;
    wsc_bans_t       b;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_bans_init(&b, &mem.alloc, TEST_MAX);

    for (i = 0; i < TEST_MAX; i++) {
        sprintf(user, "u%d", i);
        assert_int_equal(test_take(&b, WSC_NEWS_BAN, user, "room", i + 1, 0),
                         WSC_OK);
    }

    assert_int_equal(test_take(&b, WSC_NEWS_BAN, "more", "room", 1, 0),
                     WSC_ERROR);
    assert_int_equal(test_end(&b, &test_room, "more"), 0);

    n = 0;

    for (ban = wsc_bans_next(&b, NULL); ban; ban = wsc_bans_next(&b, ban)) {
        assert_int_equal(ban->type, WSC_NEWS_BAN);
        assert_int_equal(ban->time, 7);
        assert_true(wsc_ban_is(ban, WSC_NEWS_BAN, &test_room, &ban->user));
        assert_false(wsc_ban_is(ban, WSC_NEWS_BAN, &test_all, &ban->user));
        n++;
    }

    assert_int_equal(n, TEST_MAX);

    for (i = 0; i < TEST_MAX; i++) {
        sprintf(user, "u%d", i);
        assert_int_equal(test_end(&b, &test_room, user), i + 1);
    }

    /* what is not told again has been taken back meanwhile */

    wsc_bans_mark(&b);

    for (i = 0; i < TEST_MAX; i += 3) {
        sprintf(user, "u%d", i);
        assert_int_equal(test_take(&b, WSC_NEWS_BAN, user, "room", i + 1, 0),
                         WSC_DECLINED);
    }

    wsc_bans_sweep(&b);
    assert_int_equal(b.n, TEST_MAX / 3);

    for (i = 0; i < TEST_MAX; i++) {
        sprintf(user, "u%d", i);
        assert_int_equal(test_end(&b, &test_room, user), i % 3 ? 0 : i + 1);
    }

    wsc_bans_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_fail(wsc_test_mem_t *mem, void *data)
{
    int         i, there;
    char        user[16];
    wsc_bans_t  b;

    wsc_bans_init(&b, &mem->alloc, TEST_MAX);

    for (i = 0; i < TEST_MAX; i++) {
        sprintf(user, "u%d", i);
        there = test_take(&b, WSC_NEWS_BAN, user, "", i + 1, 0) == WSC_OK;
        assert_int_equal(test_end(&b, &test_room, user), there ? i + 1 : 0);
    }

    wsc_bans_free(&b);
}


static void
test_bans_without_memory(void **state)
{
    assert_true(wsc_test_mem_fail(test_fail, NULL) > TEST_MAX);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bans_of_chats_and_of_all),
        cmocka_unit_test(test_bans_are_taken_back_by_their_ends),
        cmocka_unit_test(test_bans_many),
        cmocka_unit_test(test_bans_without_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The names of chats, users and messages.
 */


#include "wsc_test.h"
#include "wsc_value.h"


static void test_chat_id_octets(void **state);
static void test_chat_id_length(void **state);
static void test_user(void **state);
static void test_user_length(void **state);
static void test_cid(void **state);


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_chat_id_octets),
        cmocka_unit_test(test_chat_id_length),
        cmocka_unit_test(test_user),
        cmocka_unit_test(test_user_length),
        cmocka_unit_test(test_cid)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/* Each octet, held against the list as the protocol writes it. */

static void
test_chat_id_octets(void **state)
{
    int         ch, good;
    u_char      name[2];
    wsc_str_t   s;

    static const char  allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-";

    for (ch = 0; ch < 256; ch++) {
        name[0] = 'a';
        name[1] = ch;
        s.data = name;
        s.len = 2;

        good = ch && strchr(allowed, ch) != NULL;
        assert_int_equal(wsc_chat_id_valid(&s), good);
    }
}


static void
test_chat_id_length(void **state)
{
    u_char     name[WSC_MAX_CHAT_ID + 1];
    wsc_str_t  s = { 0, name };

    memset(name, 'x', sizeof(name));
    assert_false(wsc_chat_id_valid(&s));

    s.len = 1;
    assert_true(wsc_chat_id_valid(&s));

    s.len = 128;
    assert_true(wsc_chat_id_valid(&s));

    s.len = 129;
    assert_false(wsc_chat_id_valid(&s));
}


static void
test_user(void **state)
{
    size_t     i;
    wsc_str_t  s;

    static const struct {
        const char  *name;
        int          good;
    } names[] = {
        { "", 0 },
        { "ann", 1 },
        { "Ann Other", 1 },
        { "\"\\", 1 },
        { "a\x1f", 0 },
        { "a\tb", 0 },
        { "a\x7f", 0 },
        { "\xc2\x80", 0 },                   /* U+0080 */
        { "a\xc2\x9f", 0 },                  /* U+009F */
        { "\xc2\xa0", 1 },                   /* U+00A0 */
        { "\xc3\x80", 1 },                   /* U+00C0: 80 in another place */
        { "\xe2\x82\xac", 1 },
        { "\xf0\x9f\x98\x80", 1 },
        { "\xff", 0 },
        { "a\xc2", 0 },
        { "\xed\xa0\x80", 0 }                /* a surrogate */
    };

    for (i = 0; i < wsc_test_count(names); i++) {
        s.len = strlen(names[i].name);
        s.data = wsc_test_copy(names[i].name, s.len);

        assert_int_equal(wsc_user_valid(&s), names[i].good);

        free(s.data);
    }

    s.data = (u_char *) "a\0b";
    s.len = 3;
    assert_false(wsc_user_valid(&s));
}


static void
test_user_length(void **state)
{
    u_char     name[WSC_MAX_USER + 1];
    wsc_str_t  s = { 128, name };

    memset(name, 'x', sizeof(name));
    assert_true(wsc_user_valid(&s));

    s.len = 129;
    assert_false(wsc_user_valid(&s));
}


static void
test_cid(void **state)
{
    int        ch;
    u_char     name[WSC_MAX_CID + 1];
    wsc_str_t  s = { 0, name };

    memset(name, 'x', sizeof(name));
    assert_false(wsc_cid_valid(&s));

    for (ch = 0; ch < 256; ch++) {
        name[0] = ch;
        s.len = 1;
        assert_int_equal(wsc_cid_valid(&s), ch >= 0x20 && ch <= 0x7e);
    }

    name[0] = 'x';
    s.len = 64;
    assert_true(wsc_cid_valid(&s));

    s.len = 65;
    assert_false(wsc_cid_valid(&s));
}

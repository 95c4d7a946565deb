
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The cookie of a front.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_cookie.h"
#include "wsc_sticky.h"


#define TEST_KEY  "0123456789abcdef0123456789abcdef"


static void test_sticky_make(const char *key, const char *cookie,
    const char *peer, u_char *out);
static size_t test_sticky_find(const char *header, const char *name,
    char *out);
static ssize_t test_sticky_keys(const char *text, size_t len,
    wsc_str_t keys[WSC_STICKY_KEYS], const char **reason);


/* What fronts of other versions have to agree on. */

static void
test_sticky_golden(void **state)
{
    u_char  value[WSC_STICKY_LEN];

    test_sticky_make(TEST_KEY, "node", "127.0.0.1:8081", value);
    assert_memory_equal(value, "PapRZFuBzEiVYJCmH8aE42PBjuqShppZzJaSLFT1fzs",
                        WSC_STICKY_LEN);

    test_sticky_make(TEST_KEY, "node", "unix:/run/chat.sock", value);
    assert_memory_equal(value, "NqCRf8ohFnqmPcGS7JVKQCL0AD5nU3B5V2gIWF6kYKk",
                        WSC_STICKY_LEN);
}


/* Another key, cookie or address, or another border between them. */

static void
test_sticky_differs(void **state)
{
    size_t  i, k;
    u_char  value[5][WSC_STICKY_LEN];

    test_sticky_make(TEST_KEY, "node", "127.0.0.1:8081", value[0]);
    test_sticky_make(TEST_KEY "0", "node", "127.0.0.1:8081", value[1]);
    test_sticky_make(TEST_KEY, "nod", "127.0.0.1:8081", value[2]);
    test_sticky_make(TEST_KEY, "node", "127.0.0.1:8082", value[3]);
    test_sticky_make(TEST_KEY, "node1", "27.0.0.1:8081", value[4]);

    for (i = 0; i < 5; i++) {
        for (k = 0; k < i; k++) {
            assert_memory_not_equal(value[i], value[k], WSC_STICKY_LEN);
        }
    }
}


/* It can stand in a cookie as it is. */

static void
test_sticky_characters(void **state)
{
    int     i;
    char    peer[32];
    size_t  k;
    u_char  value[WSC_STICKY_LEN];

    for (i = 0; i < 200; i++) {
        snprintf(peer, sizeof(peer), "10.0.0.%d:80", i);
        test_sticky_make(TEST_KEY, "node", peer, value);

        for (k = 0; k < WSC_STICKY_LEN; k++) {
            assert_non_null(memchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_", value[k], 64));
        }
    }
}


/* Each octet, in all its values; each length. */

static void
test_sticky_tampered(void **state)
{
    int         ch;
    size_t      i;
    u_char      value[WSC_STICKY_LEN], *copy;
    wsc_str_t   cookie;

    test_sticky_make(TEST_KEY, "node", "127.0.0.1:8081", value);

    copy = wsc_test_copy(value, WSC_STICKY_LEN);
    cookie.data = copy;
    cookie.len = WSC_STICKY_LEN;

    assert_true(wsc_sticky_equal(&cookie, value));

    for (i = 0; i < WSC_STICKY_LEN; i++) {
        for (ch = 0; ch < 256; ch++) {
            copy[i] = ch;
            assert_int_equal(wsc_sticky_equal(&cookie, value),
                             ch == value[i]);
        }

        copy[i] = value[i];
    }

    free(copy);

    for (i = 0; i <= 2 * WSC_STICKY_LEN; i++) {
        cookie.data = copy = calloc(1, i + 1);
        cookie.len = i;
        memcpy(copy, value, (i < WSC_STICKY_LEN) ? i : WSC_STICKY_LEN);

        assert_int_equal(wsc_sticky_equal(&cookie, value),
                         i == WSC_STICKY_LEN);
        free(copy);
    }
}


static void
test_sticky_lengths(void **state)
{
    size_t      i;
    u_char      value[WSC_STICKY_LEN], text[WSC_STICKY_PEER + 1];
    wsc_str_t   key = wsc_string(TEST_KEY), cookie, peer;

    memset(text, 'a', sizeof(text));
    cookie.data = text;
    peer.data = text;

    for (i = 0; i <= WSC_STICKY_PEER + 1; i++) {
        cookie.len = (i < WSC_STICKY_NAME) ? i : WSC_STICKY_NAME;
        peer.len = i;

        assert_int_equal(wsc_sticky_value(&key, &cookie, &peer, value),
                         (i <= WSC_STICKY_PEER) ? WSC_OK : WSC_ERROR);
    }

    cookie.len = WSC_STICKY_NAME + 1;
    peer.len = 1;
    assert_int_equal(wsc_sticky_value(&key, &cookie, &peer, value),
                     WSC_ERROR);
}


static void
test_sticky_header(void **state)
{
    size_t  i;
    char    found[64];

    static const struct {
        const char  *header;
        size_t       count;
        const char  *value;
    } cases[] = {
        { "", 0, "" },
        { "node", 0, "" },
        { "node=", 1, "" },
        { "node=abc", 1, "abc" },
        { "a=b; node=abc; c=d", 1, "abc" },
        { "a=b;node=abc;", 1, "abc" },
        { ";; ;\tnode=abc \t;", 1, "abc" },
        { "node=a=b", 1, "a=b" },
        { "node=\"abc\"", 1, "\"abc\"" },
        { "node=abc; node=def", 2, "def" },
        { "node=abc; node=abc", 2, "abc" },
        { "a=\"; node=abc; \"", 1, "abc" },
        { "Node=abc; NODE=abc", 0, "" },
        { "nodes=abc; xnode=abc; no=de", 0, "" },
        { "a=node=abc", 0, "" },
        { "node =abc", 0, "" },
        { "a=b, node=abc", 0, "" },
    };

    for (i = 0; i < wsc_test_count(cases); i++) {
        assert_int_equal(test_sticky_find(cases[i].header, "node", found),
                         cases[i].count);
        assert_string_equal(found, cases[i].value);
    }
}


static void
test_sticky_key_lines(void **state)
{
    size_t       i, k;
    const char  *reason;
    wsc_str_t    keys[WSC_STICKY_KEYS];

    static const struct {
        const char  *text;
        ssize_t      count;       /* of keys, all TEST_KEY */
        const char  *reason;
    } cases[] = {
        { TEST_KEY, 1, NULL },
        { TEST_KEY "\n", 1, NULL },
        { TEST_KEY "\r\n", 1, NULL },
        { TEST_KEY "\r", 1, NULL },
        { TEST_KEY "\n\n", 1, NULL },
        { TEST_KEY "\n" TEST_KEY, 2, NULL },
        { "\n" TEST_KEY "\r\n\n" TEST_KEY "\n\n" TEST_KEY "\n", 3, NULL },
        { TEST_KEY "\n" TEST_KEY "\n" TEST_KEY "\n" TEST_KEY "\n\n", 4, NULL },
        { TEST_KEY "\n" TEST_KEY "\n" TEST_KEY "\n" TEST_KEY "\n" TEST_KEY,
          WSC_ERROR, "more than 4" },
        { "", WSC_ERROR, "empty" },
        { "\n", WSC_ERROR, "empty" },
        { "\r\n", WSC_ERROR, "less than 32" },
        { "0123456789abcdef0123456789abcde", WSC_ERROR, "less than 32" },
        { "0123456789abcdef0123456789abcde\n", WSC_ERROR, "less than 32" },
        { "0123456789abcdef0123456789abcde\r\n", WSC_ERROR, "less than 32" },
        { TEST_KEY "\nshort\n", WSC_ERROR, "less than 32" },
    };

    for (i = 0; i < wsc_test_count(cases); i++) {
        reason = NULL;
        assert_int_equal(test_sticky_keys(cases[i].text,
                                          strlen(cases[i].text), keys,
                                          &reason),
                         cases[i].count);

        if (cases[i].reason) {
            assert_non_null(strstr(reason, cases[i].reason));
            continue;
        }

        for (k = 0; k < (size_t) cases[i].count; k++) {
            assert_int_equal(keys[k].len, sizeof(TEST_KEY) - 1);
        }
    }
}


/* Random octets are one key, also with a line end among them. */

static void
test_sticky_key_binary(void **state)
{
    u_char       text[40];
    size_t       i;
    const char  *reason;
    wsc_str_t    keys[WSC_STICKY_KEYS];

    memset(text, '\n', sizeof(text));
    text[7] = 0x80;

    for (i = 8; i < WSC_STICKY_KEY; i++) {
        assert_int_equal(test_sticky_keys((char *) text, i, keys, &reason),
                         WSC_ERROR);
    }

    for ( /* void */ ; i <= sizeof(text); i++) {
        assert_int_equal(test_sticky_keys((char *) text, i, keys, &reason),
                         1);
        assert_int_equal(keys[0].len, i);
    }
}


static void
test_sticky_make(const char *key, const char *cookie, const char *peer,
    u_char *out)
{
    wsc_str_t  k, c, p;

    k.data = (u_char *) key;
    k.len = strlen(key);
    c.data = (u_char *) cookie;
    c.len = strlen(cookie);
    p.data = (u_char *) peer;
    p.len = strlen(peer);

    assert_int_equal(wsc_sticky_value(&k, &c, &p, out), WSC_OK);
}


static size_t
test_sticky_find(const char *header, const char *name, char *out)
{
    size_t      n;
    wsc_str_t   h, s, value = wsc_null_string;

    s.data = (u_char *) name;
    s.len = strlen(name);
    h.len = strlen(header);
    h.data = wsc_test_copy(header, h.len);

    n = wsc_cookie_find(&h, &s, &value);

    if (value.len) {
        memcpy(out, value.data, value.len);
    }

    out[value.len] = '\0';
    free(h.data);

    return n;
}


/* The keys are gone on return, but for their lengths. */

static ssize_t
test_sticky_keys(const char *text, size_t len,
    wsc_str_t keys[WSC_STICKY_KEYS], const char **reason)
{
    ssize_t    n;
    wsc_str_t  s;

    s.len = len;
    s.data = wsc_test_copy(text, len);

    n = wsc_sticky_keys(&s, keys, reason);

    free(s.data);

    return n;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_sticky_golden),
        cmocka_unit_test(test_sticky_differs),
        cmocka_unit_test(test_sticky_characters),
        cmocka_unit_test(test_sticky_tampered),
        cmocka_unit_test(test_sticky_lengths),
        cmocka_unit_test(test_sticky_header),
        cmocka_unit_test(test_sticky_key_lines),
        cmocka_unit_test(test_sticky_key_binary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

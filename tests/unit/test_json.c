
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The JSON checker and iterator, strings, numbers, repeated keys.
 */


#include <math.h>
#include <stdio.h>
#include <jansson.h>

#include "wsc_test.h"
#include "wsc_json.h"
#include "wsc_json_text.h"
#include "wsc_keys.h"
#include "wsc_number.h"


#define TEST_DEPTH  32


static void test_good(void **state);
static void test_not_json(void **state);
static void test_rules(void **state);
static void test_depth(void **state);
static void test_prefixes(void **state);
static void test_octets(void **state);
static void test_keys(void **state);
static void test_keys_collide(void **state);
static void test_memory(void **state);
static void test_scan_elements(void **state);
static void test_next(void **state);
static void test_string(void **state);
static void test_plain(void **state);
static void test_cmp(void **state);
static void test_number_print(void **state);
static void test_number_double(void **state);
static void test_number_integer(void **state);


static const char  *good[] = {
    "null", "true", "false", "0", "-0", "1", "-1", "10", "0.5", "-0.0",
    "1e5", "1E+5", "1e-5", "1.25e-400", "123456789012345678901234567890",
    "1.7976931348623157e308", "0e999999999999999999999", "1e308",
    "\"\"", "\"a\"", "\" \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\uABCD\\uabcd\"",
    "\"\\uD83D\\uDE00\"", "\"\\ud83d\\ude00\"", "\"\x7f\"", "\"/\"",
    "[]", "[ ]", "[1]", "[1,2]", " [ 1 , \"a\" , [ ] , { } ] ",
    "{}", "{ }", "{\"a\":1}", "{\"a\":{\"a\":1},\"b\":{\"a\":2}}",
    "{\"\":1,\"a\":[]}", "\t\r\n {\t\"a\"\r:\n1 }",
    "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"A\":2}", "{\"1\":1,\"01\":2}"
};


/* What no reader of JSON takes. */

static const char  *bad[] = {
    "", " ", "nul", "nulL", "truex", "true false", "True", "nan", "NaN",
    "Infinity", "-Infinity", "-", "+1", "01", "-01", "1.", ".5", "1.e5",
    "1e", "1e+", "1e5.5", "0x10", "1a", "--1", "1,", ",1",
    "\"", "\"a", "\"\\", "\"\\\"", "\"\\x\"", "\"\\u\"", "\"\\u12\"",
    "\"\\u12g4\"", "\"\\uD83D\\u\"", "\"\x1f\"", "\"\n\"", "\"\t\"", "'a'",
    "\"a\" \"b\"", "\"\\U0041\"", "\"\\u 041\"", "\"\\u+041\"",
    "[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1 2]", "[1}", "[[]",
    "[]]", "{", "}", "{1}", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
    "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{,}", "{\"a\":1]", "{\"a\":1}}",
    "{a:1}", "{\"a\"::1}", "{\"a\":1,,\"b\":1}", "{null:1}",
    "[1]//", "/**/1", "\xef\xbb\xbf" "1", "1\x0c", "1\xc2\xa0", "\"\xff\"",
    "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
    "{\"\xff\":1}", "\xff"
};


/* JSON of which our rules want nothing. */

static const struct {
    const char  *text;
    const char  *rule;
} rules[] = {
    { "\"\\u0000\"", "\\u0000 in a string" },
    { "{\"a\\u0000b\":1}", "\\u0000 in a string" },
    { "\"\\uD83D\"", "a lone surrogate in a string" },
    { "\"\\uDE00\"", "a lone surrogate in a string" },
    { "\"\\uD83Dx\"", "a lone surrogate in a string" },
    { "\"\\uD83D\\n\"", "a lone surrogate in a string" },
    { "\"\\uD83D\\u0041\"", "a lone surrogate in a string" },
    { "\"\\uD83D\\uD83D\"", "a lone surrogate in a string" },
    { "\"\\uDE00\\uD83D\"", "a lone surrogate in a string" },
    { "{\"\\uDBFF\":1}", "a lone surrogate in a string" },
    { "{\"a\":1,\"a\":1}", "a key is repeated in an object" },
    { "[{\"a\":1,\"b\":{\"c\":1},\"a\":2}]",
      "a key is repeated in an object" },
    { "{\"\":1,\"\":2}", "a key is repeated in an object" },
    { "{\"a\":1,\"\\u0061\":2}", "a key is repeated in an object" },
    { "{\"\\u00e9\":1,\"\xc3\xa9\":2}", "a key is repeated in an object" },
    { "{\"\\uD83D\\uDE00\":1,\"\xf0\x9f\x98\x80\":2}",
      "a key is repeated in an object" },
    { "{\"\\/\":1,\"/\":2}", "a key is repeated in an object" },
    { "1e400", "a number is out of range" },
    { "-1e400", "a number is out of range" },
    { "[1e309]", "a number is out of range" },
    { "1.7976931348623159e308", "a number is out of range" },
    { "0.1e310", "a number is out of range" },
    { "1e99999999999999999999", "a number is out of range" }
};


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_not_json),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_keys_collide),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_scan_elements),
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_cmp),
        cmocka_unit_test(test_number_print),
        cmocka_unit_test(test_number_double),
        cmocka_unit_test(test_number_integer)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/* Checks an exact copy; nothing may leak. */

static ssize_t
check(const char *text, size_t len, const char **reason)
{
    u_char          *copy;
    ssize_t          rc;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    copy = wsc_test_copy(text, len);
    *reason = NULL;

    rc = wsc_json_check(&mem.alloc, copy, len, TEST_DEPTH, reason);

    assert_true(rc == WSC_OK || *reason != NULL);

    free(copy);
    wsc_test_mem_check(&mem);

    return rc;
}


/* What jansson says, which is written by others. */

static int
jansson_takes(const char *text, size_t len)
{
    json_t  *root;

    root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY
                                 | JSON_DECODE_INT_AS_REAL, NULL);
    json_decref(root);

    return root != NULL;
}


static void
test_good(void **state)
{
    size_t       i;
    const char  *reason;

    for (i = 0; i < wsc_test_count(good); i++) {
        assert_int_equal(check(good[i], strlen(good[i]), &reason), WSC_OK);
        assert_true(jansson_takes(good[i], strlen(good[i])));
    }
}


static void
test_not_json(void **state)
{
    size_t       i, len;
    const char  *reason;

    for (i = 0; i < wsc_test_count(bad); i++) {
        len = strlen(bad[i]);

        assert_int_equal(check(bad[i], len, &reason), WSC_DECLINED);
        assert_true(strcmp(reason, "not JSON") == 0
                    || strcmp(reason, "not UTF-8") == 0);
        assert_false(jansson_takes(bad[i], len));
    }

    assert_int_equal(check("1\0", 2, &reason), WSC_DECLINED);
    assert_int_equal(check("\"\0\"", 3, &reason), WSC_DECLINED);
}


static void
test_rules(void **state)
{
    size_t           i, len;
    const char      *reason;
    wsc_scan_t       scan;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);

    for (i = 0; i < wsc_test_count(rules); i++) {
        len = strlen(rules[i].text);

        assert_int_equal(check(rules[i].text, len, &reason), WSC_DECLINED);
        assert_string_equal(reason, rules[i].rule);
        assert_false(jansson_takes(rules[i].text, len));

        assert_int_equal(wsc_json_scan(&mem.alloc, (u_char *) rules[i].text,
                                       len, TEST_DEPTH, &scan), WSC_OK);
        assert_string_equal(scan.rule, rules[i].rule);
    }
}


static void
test_depth(void **state)
{
    char         text[4096];
    size_t       n, i, len;
    const char  *reason;

    for (n = 1; n < 2 * WSC_JSON_NESTING; n++) {
        len = 0;

        for (i = 0; i < n && len < sizeof(text) / 2 - 6; i++) {
            memcpy(text + len, (i % 2) ? "{\"\":" : "[", (i % 2) ? 4 : 1);
            len += (i % 2) ? 4 : 1;
        }

        if (i < n) {
            break;
        }

        text[len++] = '1';

        while (i--) {
            text[len++] = (i % 2) ? '}' : ']';
        }

        if (n <= TEST_DEPTH) {
            assert_int_equal(check(text, len, &reason), WSC_OK);
            continue;
        }

        assert_int_equal(check(text, len, &reason), WSC_DECLINED);
        assert_string_equal(reason, "nested too deep");
    }

    memset(text, '[', sizeof(text));
    assert_int_equal(check(text, sizeof(text), &reason), WSC_DECLINED);
    assert_string_equal(reason, "nested far too deep");
}


/* A prefix is JSON only if the value had ended, which numbers may. */

static void
test_prefixes(void **state)
{
    size_t       i, n, len;
    const char  *reason;

    for (i = 0; i < wsc_test_count(good); i++) {
        len = strlen(good[i]);

        for (n = 0; n < len; n++) {
            assert_int_equal(check(good[i], n, &reason) == WSC_OK,
                             jansson_takes(good[i], n));
        }
    }
}


/* Every octet in every place of a text: we and jansson agree. */

static void
test_octets(void **state)
{
    int          ch;
    char         text[] = "{\"a\\n\":[-1.5e+3,true,\"\\u00e9\xc3\xa9\"]}";
    char         was;
    size_t       i, len;
    const char  *reason;

    len = strlen(text);

    for (i = 0; i < len; i++) {
        was = text[i];

        for (ch = 0; ch < 256; ch++) {
            text[i] = ch;
            assert_int_equal(check(text, len, &reason) == WSC_OK,
                             jansson_takes(text, len));
        }

        text[i] = was;
    }
}


/* So many keys that they are sorted, with and without a repeated one. */

static void
test_keys(void **state)
{
    char         text[32768], *p;
    size_t       n, i;
    const char  *reason;

    for (n = 2; n < 2000; n = n * 3 / 2 + 1) {
        p = text;

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%c\"k%zu\":%zu", i ? ',' : '{', i, i);
        }

        p += sprintf(p, "}");
        assert_int_equal(check(text, p - text, &reason), WSC_OK);

        p--;
        p += sprintf(p, ",\"\\u006b%zu\":1}", n / 2);
        assert_int_equal(check(text, p - text, &reason), WSC_DECLINED);
        assert_string_equal(reason, "a key is repeated in an object");
    }
}


/* Two words with one hash, and so are they with the same behind them. */

static void
test_keys_collide(void **state)
{
    int           i, j;
    u_char        text[64][24];
    wsc_keys_t    keys;

    static const char  *pair[2] = { "costarring", "liquid" };

    wsc_keys_init(&keys, NULL);

    assert_int_equal(wsc_keys_add(&keys, (u_char *) pair[0],
                                  strlen(pair[0]), 0), WSC_OK);
    assert_int_equal(wsc_keys_add(&keys, (u_char *) pair[1],
                                  strlen(pair[1]), 0), WSC_OK);
    assert_int_equal(keys.items[0].hash, keys.items[1].hash);
    assert_int_equal(wsc_keys_close(&keys, 0), 0);

    /* 30 keys in 15 pairs; then one of them again, written otherwise */

    for (i = 0; i < 30; i++) {
        j = sprintf((char *) text[i], "%s%d", pair[i % 2], i / 2);
        assert_int_equal(wsc_keys_add(&keys, text[i], j, 0), WSC_OK);
    }

    for (i = 0; i < 30; i += 2) {
        assert_int_equal(keys.items[i].hash, keys.items[i + 1].hash);
    }

    assert_int_equal(wsc_keys_add(&keys, (u_char *) "\\u006ciquid7", 12, 1),
                     WSC_OK);
    assert_int_equal(wsc_keys_close(&keys, 0), 1);

    for (i = 0; i < 30; i++) {
        assert_int_equal(wsc_keys_add(&keys, text[i],
                                      strlen((char *) text[i]), 0), WSC_OK);
    }

    assert_int_equal(wsc_keys_close(&keys, 0), 0);
    assert_int_equal(keys.n, 0);
}


static void
check_memory(wsc_test_mem_t *mem, void *data)
{
    ssize_t      rc;
    wsc_str_t   *text = data;
    const char  *reason;

    rc = wsc_json_check(&mem->alloc, text->data, text->len, TEST_DEPTH,
                        &reason);

    assert_int_equal(rc, (mem->fail_at <= mem->calls) ? WSC_ERROR : WSC_OK);
}


static void
test_memory(void **state)
{
    char        text[8192], *p;
    size_t      i;
    wsc_str_t   s;

    p = text;

    for (i = 0; i < 200; i++) {
        p += sprintf(p, "%c\"k%zu\":%zu", i ? ',' : '{', i, i);
    }

    *p++ = '}';

    s.data = (u_char *) text;
    s.len = p - text;

    assert_int_equal(wsc_test_mem_fail(check_memory, &s), 3);

    s.len = sprintf(text, "{\"a\":[1,2,{\"b\":null}]}");
    assert_int_equal(wsc_test_mem_fail(check_memory, &s), 0);
}


static void
test_scan_elements(void **state)
{
    size_t       i;
    wsc_scan_t   scan;

    static const struct {
        const char  *text;
        size_t       n;
    } texts[] = {
        { "[]", 0 }, { "1", 0 }, { "[1]", 1 }, { "[[1,2],{\"a\":[3]},4]", 3 },
        { "[[[],[]]]", 1 }, { "[\"\\u0000\",2]", 2 }
    };

    for (i = 0; i < wsc_test_count(texts); i++) {
        assert_int_equal(wsc_json_scan(NULL, (u_char *) texts[i].text,
                                       strlen(texts[i].text), TEST_DEPTH,
                                       &scan), WSC_OK);
        assert_int_equal(scan.elements, texts[i].n);
    }
}


/* Key and value of each member, in a line each. */

static void
test_next(void **state)
{
    int            it;
    char           out[256], *to;
    size_t         i, len;
    ssize_t        rc;
    u_char        *copy;
    wsc_str_t      key, value;
    const u_char  *p;

    static const struct {
        const char  *text;
        const char  *members;
    } texts[] = {
        { "{}", "" },
        { "[ ]", "" },
        { "[1,\"a,]\" , [ 2 ,[]] ,{\"x\":[1]}, null ]",
          "=1 =\"a,]\" =[ 2 ,[]] ={\"x\":[1]} =null " },
        { " { \"a\" : 1 , \"b\\\"}\":\"\\\\\",\"\":{ } }",
          "a=1 b\\\"}=\"\\\\\" ={ } " },
        { "{\"a\":-1.5e3}", "a=-1.5e3 " }
    };

    for (i = 0; i < wsc_test_count(texts); i++) {
        len = strlen(texts[i].text);
        copy = wsc_test_copy(texts[i].text, len);
        p = copy;
        it = 0;
        to = out;
        *to = '\0';

        for ( ;; ) {
            rc = wsc_json_next(&p, copy + len, &it, &key, &value);
            if (rc != WSC_OK) {
                break;
            }

            to += sprintf(to, "%.*s=%.*s ", (int) key.len, key.data,
                          (int) value.len, value.data);
        }

        assert_int_equal(rc, WSC_DONE);
        assert_string_equal(out, texts[i].members);

        free(copy);
    }

    it = 0;
    p = (u_char *) "1";
    assert_int_equal(wsc_json_next(&p, p + 1, &it, &key, &value),
                     WSC_DECLINED);
}


/* All octets of ASCII, and others as they are; jansson reads it back. */

static void
test_string(void **state)
{
    size_t           i;
    json_t          *v;
    u_char           in[133];
    wsc_str_t        s = { sizeof(in), in };
    wsc_buf_t        b;
    wsc_test_mem_t   mem;

    for (i = 0; i < 128; i++) {
        in[i] = i;
    }

    memcpy(in + 128, "\xf0\x9f\x98\x80" "x", 5);

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);
    wsc_json_string(&b, &s);

    v = json_loadb((char *) b.data, b.len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
                   NULL);
    assert_non_null(v);
    assert_int_equal(json_string_length(v), s.len);
    assert_memory_equal(json_string_value(v), in, s.len);
    json_decref(v);

    wsc_buf_reset(&b, b.size);
    s.data = (u_char *) "\"\\/\b\f\n\r\t\x1f\x7f";
    s.len = 10;
    wsc_json_string(&b, &s);
    assert_int_equal(b.len, 24);
    assert_memory_equal(b.data, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\x7f\"", 24);

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


/* Each octet at each place among plain ones, up to blocks and a rest. */

static void
test_plain(void **state)
{
    int            ch, stops;
    size_t         len, at;
    u_char        *in;
    const u_char  *p;

    for (len = 1; len < 20; len++) {
        in = malloc(len);
        assert_non_null(in);
        memset(in, 0xe9, len);

        for (at = 0; at < len; at++) {

            for (ch = 0; ch < 256; ch++) {
                in[at] = ch;
                p = wsc_json_plain(in, in + len);

                stops = (ch < 0x20 || ch == '"' || ch == '\\');
                assert_int_equal(p - in, stops ? at : len);
            }

            in[at] = ' ';
        }

        free(in);
    }
}


static void
test_cmp(void **state)
{
    int        rc;
    size_t     i;
    wsc_str_t  a, b;

    static const struct {
        const char  *a;
        const char  *b;
        int          rc;
    } pairs[] = {
        { "", "", 0 }, { "a", "a", 0 }, { "a", "b", -1 }, { "ab", "a", 1 },
        { "", "\\n", -1 }, { "mess\\u0061ge", "message", 0 },
        { "\\u20ac", "\xe2\x82\xac", 0 }, { "\\u20aC", "\xe2\x82\xab", 1 },
        { "\\ud83d\\ude00", "\xf0\x9f\x98\x80", 0 },
        { "\\u00e9", "\xc3", 1 }, { "\\\"\\\\\\/", "\\u0022\\u005c/", 0 },
        { "\\b\\f\\r\\t", "\\u0008\\u000c\\u000d\\u0009", 0 }
    };

    for (i = 0; i < wsc_test_count(pairs); i++) {
        a.data = (u_char *) pairs[i].a;
        a.len = strlen(pairs[i].a);
        b.data = (u_char *) pairs[i].b;
        b.len = strlen(pairs[i].b);

        rc = wsc_json_cmp(&a, &b);
        assert_int_equal((rc > 0) - (rc < 0), pairs[i].rc);

        rc = wsc_json_cmp(&b, &a);
        assert_int_equal((rc > 0) - (rc < 0), -pairs[i].rc);
    }
}


static void
test_number_print(void **state)
{
    size_t    i, len;
    char      buf[WSC_NUMBER_LEN + 1];
    double    v;
    uint32_t  seed;
    uint64_t  bits;

    static const struct {
        double       v;
        const char  *text;
    } numbers[] = {
        { 0, "0.0" }, { -0.0, "-0.0" }, { 1, "1.0" }, { -1.5, "-1.5" },
        { 0.1, "0.1" }, { 0.1f, "0.10000000149011612" }, { 1e5, "100000.0" },
        { 12345678.9, "12345678.9" }, { 1e16, "10000000000000000.0" },
        { 1e17, "1e17" }, { 1.5e300, "1.5e300" }, { 1e-5, "0.00001" },
        { 1.25e-6, "1.25e-6" }, { 9007199254740993.0, "9007199254740992.0" },
        { 1.7976931348623157e308, "1.7976931348623157e308" },
        { 1 / 3.0, "0.3333333333333333" }, { 123456, "123456.0" }
    };

    for (i = 0; i < wsc_test_count(numbers); i++) {
        len = wsc_number_print_double((u_char *) buf, numbers[i].v);
        buf[len] = '\0';
        assert_string_equal(buf, numbers[i].text);
    }

    seed = 1;

    for (i = 0; i < 20000; i++) {
        bits = (uint64_t) wsc_test_random(&seed) << 40
               ^ (uint64_t) wsc_test_random(&seed) << 20
               ^ wsc_test_random(&seed);
        memcpy(&v, &bits, 8);

        if (!isfinite(v)) {
            continue;
        }

        len = wsc_number_print_double((u_char *) buf, v);
        assert_in_range(len, 3, WSC_NUMBER_LEN);
        buf[len] = '\0';

        assert_true(strtod(buf, NULL) == v);
        assert_true(wsc_number_double((u_char *) buf, len) == v);
        assert_true(jansson_takes(buf, len));
    }

    len = wsc_number_print_uint((u_char *) buf, UINT64_MAX);
    assert_int_equal(len, 20);
    assert_memory_equal(buf, "18446744073709551615", 20);

    len = wsc_number_print_int((u_char *) buf, INT64_MIN);
    assert_int_equal(len, 20);
    assert_memory_equal(buf, "-9223372036854775808", 20);

    assert_int_equal(wsc_number_print_int((u_char *) buf, 0), 1);
    assert_int_equal(buf[0], '0');
}


/* The C library, which stops at nothing in these, rounds the same. */

static void
test_number_double(void **state)
{
    char    text[4096];
    size_t  i, n;

    static const char  *texts[] = {
        "0", "-0", "0.000", "1", "-12.50", "1e10", "1.5E+10", "25e-3",
        "0.00012e2", "123456789012345678901234567890", "4.9e-324", "2e-324",
        "1.7976931348623158e308", "1.7976931348623159e308", "1e400", "-1e400",
        "0e400", "1e-400", "9007199254740993", "9007199254740992.99999"
    };

    for (i = 0; i < wsc_test_count(texts); i++) {
        assert_true(wsc_number_double((u_char *) texts[i], strlen(texts[i]))
                    == strtod(texts[i], NULL));
    }

    /* 2^53 + 1 is a tie; a digit far behind breaks it */

    for (n = 20; n < 2000; n += 97) {
        memset(text, '0', sizeof(text));
        memcpy(text, "9007199254740993.", 17);
        text[n] = '\0';
        assert_true(wsc_number_double((u_char *) text, n)
                    == 9007199254740992.0);

        text[n - 1] = '1';
        assert_true(wsc_number_double((u_char *) text, n)
                    == 9007199254740994.0);
    }

    memset(text, '1', 1000);
    memcpy(text + 1000, "e-999", 6);
    assert_true(wsc_number_double((u_char *) text, 1005)
                == strtod(text, NULL));

    memset(text, '0', 2000);
    text[1] = '.';
    memcpy(text + 2000, "15e1999", 8);
    assert_true(wsc_number_double((u_char *) text, 2007) == 1.5);
}


static void
test_number_integer(void **state)
{
    int       negative;
    size_t    i;
    uint64_t  v;

    static const struct {
        const char  *text;
        ssize_t      rc;
        uint64_t     v;
        int          negative;
    } texts[] = {
        { "0", WSC_OK, 0, 0 }, { "-0", WSC_OK, 0, 1 }, { "7", WSC_OK, 7, 0 },
        { "-7", WSC_OK, 7, 1 },
        { "18446744073709551615", WSC_OK, UINT64_MAX, 0 },
        { "18446744073709551616", WSC_DECLINED, 0, 0 },
        { "-9223372036854775808", WSC_OK, (uint64_t) 1 << 63, 1 },
        { "-9223372036854775809", WSC_DECLINED, 0, 0 },
        { "99999999999999999999999", WSC_DECLINED, 0, 0 },
        { "1.0", WSC_DECLINED, 0, 0 }, { "1e2", WSC_DECLINED, 0, 0 }
    };

    for (i = 0; i < wsc_test_count(texts); i++) {
        assert_int_equal(wsc_number_integer((u_char *) texts[i].text,
                                            strlen(texts[i].text), &v,
                                            &negative), texts[i].rc);

        if (texts[i].rc == WSC_OK) {
            assert_true(v == texts[i].v);
            assert_int_equal(negative, texts[i].negative);
        }
    }
}

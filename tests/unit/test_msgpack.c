
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The msgpack checker, the packer, and the ways to JSON and back.
 */


#include <stdio.h>
#include <msgpack.h>

#include "wsc_test.h"
#include "wsc_json.h"
#include "wsc_msgpack.h"
#include "wsc_msgpack_pack.h"


#define TEST_DEPTH  32


typedef struct {
    const char  *data;
    size_t       len;
} test_octets_t;


#define octets(s)  { s, sizeof(s) - 1 }


static void test_good(void **state);
static void test_not_msgpack(void **state);
static void test_rules(void **state);
static void test_bin_depth(void **state);
static void test_depth(void **state);
static void test_prefixes(void **state);
static void test_claims(void **state);
static void test_random(void **state);
static void test_memory(void **state);
static void test_to_json(void **state);
static void test_no_json(void **state);
static void test_to_msgpack(void **state);
static void test_round_trip(void **state);
static void test_sizes(void **state);
static void test_transcode_memory(void **state);


static const test_octets_t  good[] = {
    octets("\xc0"), octets("\xc2"), octets("\xc3"), octets("\x00"),
    octets("\x7f"), octets("\xff"), octets("\xe0"), octets("\xcc\xff"),
    octets("\xcd\x01\x00"), octets("\xce\x01\x00\x00\x00"),
    octets("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), octets("\xd0\x80"),
    octets("\xd1\x80\x00"), octets("\xd2\x80\x00\x00\x00"),
    octets("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
    octets("\xca\x3f\x80\x00\x00"),
    octets("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"),
    octets("\xa0"), octets("\xa3" "abc"), octets("\xd9\x03" "abc"),
    octets("\xda\x00\x03" "abc"), octets("\xdb\x00\x00\x00\x03" "abc"),
    octets("\xa4\xf0\x9f\x98\x80"), octets("\xa1\x00"),
    octets("\xc4\x00"), octets("\xc4\x02\xff\xfe"),
    octets("\xc5\x00\x01x"), octets("\xc6\x00\x00\x00\x01x"),
    octets("\x90"), octets("\x92\x01\xc0"), octets("\xdc\x00\x01\x90"),
    octets("\xdd\x00\x00\x00\x01\x80"), octets("\x80"),
    octets("\x82\xa1" "a\x01\xa1" "b\x81\xa1" "a\x90"),
    octets("\xde\x00\x01\xa0\xc0"), octets("\xdf\x00\x00\x00\x01\xa0\xc0"),
    octets("\x92\x81\xa1" "a\x01\x81\xa1" "a\x01")
};


static const test_octets_t  bad[] = {
    octets(""), octets("\xc1"), octets("\xcc"), octets("\x90\x00"),
    octets("\xc0\xc0"), octets("\x91"), octets("\x81\xa1" "a"),
    octets("\x91\xc1"), octets("\xa2" "a"), octets("\xd9\x02" "a"),
    octets("\xda\x00"), octets("\xc4\x01"), octets("\xc6\xff\xff\xff\xff"),
    octets("\xc7\x01\x01"), octets("\xd8\x01xxxxxxxxxxxxxxx"),
    octets("\xcb\x3f\xf0\x00\x00\x00\x00\x00"),
    octets("\xdd\xff\xff\xff\xff"), octets("\xdf\xff\xff\xff\xff"),
    octets("\xdf\x80\x00\x00\x01\xa0\xc0"), octets("\xdc\x00\x02\xc0"),
    octets("\x82\xa0\xc0\xa1" "a")
};


static const struct {
    test_octets_t   in;
    const char     *rule;
} rules[] = {
    { octets("\xa1\xff"), "a string is not UTF-8" },
    { octets("\x81\xa1\xff\xc0"), "a string is not UTF-8" },
    { octets("\x91\xa3\xed\xa0\x80"), "a string is not UTF-8" },
    { octets("\xd4\x01\x00"), "ext is not allowed" },
    { octets("\xd8\x01xxxxxxxxxxxxxxxx"), "ext is not allowed" },
    { octets("\xc7\x00\x05"), "ext is not allowed" },
    { octets("\x91\xc9\x00\x00\x00\x01\x05x"), "ext is not allowed" },
    { octets("\x81\x01\xc0"), "a key is not a string" },
    { octets("\x81\xc4\x01" "a\xc0"), "a key is not a string" },
    { octets("\x81\x90\xc0"), "a key is not a string" },
    { octets("\x82\xa1" "a\xc0\xa1" "a\xc0"), "a key is repeated in a map" },
    { octets("\x82\xa1" "a\xc0\xd9\x01" "a\xc0"),
      "a key is repeated in a map" },
    { octets("\x91\xc4\x00"), "bin is only allowed as the whole message" },
    { octets("\x81\xa1" "a\xc4\x00"),
      "bin is only allowed as the whole message" }
};


/* In both directions the same. */

static const struct {
    test_octets_t   packed;
    const char     *text;
} pairs[] = {
    { octets("\xc0"), "null" }, { octets("\xc2"), "false" },
    { octets("\xc3"), "true" }, { octets("\x00"), "0" },
    { octets("\x7f"), "127" }, { octets("\xcc\x80"), "128" },
    { octets("\xcd\x01\x00"), "256" }, { octets("\xce\x00\x01\x00\x00"),
                                         "65536" },
    { octets("\xcf\x00\x00\x00\x01\x00\x00\x00\x00"), "4294967296" },
    { octets("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
      "18446744073709551615" },
    { octets("\xff"), "-1" }, { octets("\xe0"), "-32" },
    { octets("\xd0\xdf"), "-33" }, { octets("\xd1\xff\x7f"), "-129" },
    { octets("\xd2\xff\xff\x7f\xff"), "-32769" },
    { octets("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
      "-9223372036854775808" },
    { octets("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), "1.5" },
    { octets("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"), "1.0" },
    { octets("\xcb\x80\x00\x00\x00\x00\x00\x00\x00"), "-0.0" },
    { octets("\xcb\x44\xb5\x2d\x02\xc7\xe1\x4a\xf6"), "1e23" },
    { octets("\xa0"), "\"\"" }, { octets("\xa1" "a"), "\"a\"" },
    { octets("\xa3\"\\\n"), "\"\\\"\\\\\\n\"" },
    { octets("\xa4\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"" },
    { octets("\x90"), "[]" }, { octets("\x80"), "{}" },
    { octets("\x93\x01\x90\x92\xa0\x80"), "[1,[],[\"\",{}]]" },
    { octets("\x82\xa1" "a\x92\xc3\xc2\xa0\x81\xa1" "b\xc0"),
      "{\"a\":[true,false],\"\":{\"b\":null}}" }
};


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_not_msgpack),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_bin_depth),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_to_json),
        cmocka_unit_test(test_no_json),
        cmocka_unit_test(test_to_msgpack),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_transcode_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/* Checks an exact copy; nothing may leak, and no count be believed. */

static ssize_t
check(const void *p, size_t len, unsigned bin_depth, const char **reason)
{
    u_char          *copy;
    ssize_t          rc;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    copy = wsc_test_copy(p, len);
    *reason = NULL;

    rc = wsc_msgpack_check(&mem.alloc, copy, len, TEST_DEPTH, bin_depth,
                           reason);

    assert_true(rc == WSC_OK || *reason != NULL);
    assert_true(mem.largest <= 64 * len + 4096);

    if (rc == WSC_OK) {
        assert_ptr_equal(wsc_msgpack_skip(copy, copy + len), copy + len);
    }

    free(copy);
    wsc_test_mem_check(&mem);

    return rc;
}


static void
test_good(void **state)
{
    size_t       i;
    const char  *reason;

    for (i = 0; i < wsc_test_count(good); i++) {
        assert_int_equal(check(good[i].data, good[i].len, 1, &reason),
                         WSC_OK);
    }
}


static void
test_not_msgpack(void **state)
{
    size_t       i;
    const char  *reason;

    for (i = 0; i < wsc_test_count(bad); i++) {
        assert_int_equal(check(bad[i].data, bad[i].len, 1, &reason),
                         WSC_DECLINED);
        assert_string_equal(reason, "not msgpack");
    }
}


static void
test_rules(void **state)
{
    size_t           i;
    wsc_scan_t       scan;
    const char      *reason;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);

    for (i = 0; i < wsc_test_count(rules); i++) {
        assert_int_equal(check(rules[i].in.data, rules[i].in.len, 1, &reason),
                         WSC_DECLINED);
        assert_string_equal(reason, rules[i].rule);

        assert_int_equal(wsc_msgpack_scan(&mem.alloc,
                                          (u_char *) rules[i].in.data,
                                          rules[i].in.len, TEST_DEPTH, 1,
                                          &scan), WSC_OK);
        assert_string_equal(scan.rule, rules[i].rule);
    }
}


static void
test_bin_depth(void **state)
{
    unsigned     i;
    const char  *reason;

    static const test_octets_t  nested[] = {
        octets("\xc4\x01x"), octets("\x81\xa0\xc4\x01x"),
        octets("\x91\x81\xa0\xc4\x01x")
    };

    for (i = 0; i < 3; i++) {
        assert_int_equal(check(nested[i].data, nested[i].len, i, &reason),
                         WSC_DECLINED);
        assert_int_equal(check(nested[i].data, nested[i].len, i + 1, &reason),
                         WSC_OK);
    }
}


static void
test_depth(void **state)
{
    char         in[2 * WSC_MSGPACK_NESTING + 2];
    size_t       n, i, len;
    const char  *reason;

    for (n = 1; n < WSC_MSGPACK_NESTING + 2; n++) {
        len = 0;

        for (i = 0; i < n; i++) {
            in[len++] = (i % 2) ? '\x81' : '\x91';

            if (i % 2) {
                in[len++] = '\xa0';
            }
        }

        in[len++] = '\xc0';

        if (n <= TEST_DEPTH) {
            assert_int_equal(check(in, len, 1, &reason), WSC_OK);
            continue;
        }

        assert_int_equal(check(in, len, 1, &reason), WSC_DECLINED);
        assert_string_equal(reason, (n <= WSC_MSGPACK_NESTING)
                                    ? "nested too deep"
                                    : "nested far too deep");
    }
}


static void
test_prefixes(void **state)
{
    size_t       i, n;
    const char  *reason;

    for (i = 0; i < wsc_test_count(good); i++) {
        for (n = 0; n < good[i].len; n++) {
            assert_int_equal(check(good[i].data, n, 1, &reason),
                             WSC_DECLINED);
        }
    }
}


/* Headers that claim far more than there is, at any depth. */

static void
test_claims(void **state)
{
    char         in[64];
    size_t       i, n;
    const char  *reason;

    static const test_octets_t  claims[] = {
        octets("\xdd\xff\xff\xff\xff"), octets("\xdf\xff\xff\xff\xff"),
        octets("\xdb\xff\xff\xff\xff"), octets("\xc6\xff\xff\xff\xff"),
        octets("\xc9\xff\xff\xff\xff\x01"), octets("\xdc\xff\xff"),
        octets("\xde\xff\xff")
    };

    for (i = 0; i < wsc_test_count(claims); i++) {
        for (n = 0; n < 20; n++) {
            memset(in, '\x91', n);
            memcpy(in + n, claims[i].data, claims[i].len);
            assert_int_equal(check(in, n + claims[i].len, 1, &reason),
                             WSC_DECLINED);
        }
    }
}


/* What we take msgpack-c takes, and the other way round but for our rules. */

static void
test_random(void **state)
{
    size_t                  i, j, n, off;
    u_char                  in[24];
    ssize_t                 rc;
    uint32_t                seed;
    const char             *reason;
    msgpack_zone            zone;
    msgpack_object          o;
    msgpack_unpack_return   ret;

    seed = 3;

    for (i = 0; i < 200000; i++) {
        n = wsc_test_random(&seed) % sizeof(in);

        for (j = 0; j < n; j++) {
            in[j] = wsc_test_random(&seed);

            if (in[j] >= 0xdb && in[j] <= 0xdf) {
                in[j] = 0x90 | (in[j] & 1);
            }
        }

        rc = check(in, n, 1, &reason);

        msgpack_zone_init(&zone, 1024);
        off = 0;
        ret = msgpack_unpack((char *) in, n, &off, &zone, &o);
        msgpack_zone_destroy(&zone);

        if (rc == WSC_OK || strcmp(reason, "not msgpack") != 0) {
            assert_int_equal(ret, MSGPACK_UNPACK_SUCCESS);

        } else {
            assert_int_not_equal(ret, MSGPACK_UNPACK_SUCCESS);
        }
    }
}


static void
check_memory(wsc_test_mem_t *mem, void *data)
{
    ssize_t       rc;
    wsc_str_t    *in = data;
    const char   *reason;

    rc = wsc_msgpack_check(&mem->alloc, in->data, in->len, TEST_DEPTH, 0,
                           &reason);

    assert_int_equal(rc, (mem->fail_at <= mem->calls) ? WSC_ERROR : WSC_OK);
}


static void
test_memory(void **state)
{
    u_char     in[2048], *p;
    size_t     i;
    wsc_str_t  s;

    p = in;
    *p++ = 0xde;
    *p++ = 0;
    *p++ = 200;

    for (i = 0; i < 200; i++) {
        *p++ = 0xa4;
        p += sprintf((char *) p, "k%03zu", i);
        *p++ = 0xc0;
    }

    s.data = in;
    s.len = p - in;

    assert_int_equal(wsc_test_mem_fail(check_memory, &s), 3);
}


static ssize_t
to_json(const void *p, size_t len, wsc_buf_t *out, const char **reason)
{
    u_char   *copy;
    ssize_t   rc;

    copy = wsc_test_copy(p, len);
    rc = wsc_msgpack_to_json(copy, len, out, reason);
    free(copy);

    return rc;
}


static void
test_to_json(void **state)
{
    size_t           i;
    wsc_buf_t        out;
    const char      *reason;
    wsc_test_mem_t   mem;

    static const struct {
        test_octets_t   packed;
        const char     *text;
    } longer[] = {
        { octets("\xca\x3f\x80\x00\x00"), "1.0" },
        { octets("\xca\x3d\xcc\xcc\xcd"), "0.10000000149011612" },
        { octets("\xd3\x00\x00\x00\x00\x00\x00\x00\x05"), "5" },
        { octets("\xcf\x00\x20\x00\x00\x00\x00\x00\x01"),
          "9007199254740993" },
        { octets("\xdd\x00\x00\x00\x01\xdb\x00\x00\x00\x01x"), "[\"x\"]" },
        { octets("\xa2\x01\x7f"), "\"\\u0001\x7f\"" }
    };

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&out, &mem.alloc);

    for (i = 0; i < wsc_test_count(pairs); i++) {
        out.len = 0;
        assert_int_equal(to_json(pairs[i].packed.data, pairs[i].packed.len,
                                 &out, &reason), WSC_OK);
        assert_int_equal(out.len, strlen(pairs[i].text));
        assert_memory_equal(out.data, pairs[i].text, out.len);
    }

    for (i = 0; i < wsc_test_count(longer); i++) {
        out.len = 0;
        assert_int_equal(to_json(longer[i].packed.data, longer[i].packed.len,
                                 &out, &reason), WSC_OK);
        assert_int_equal(out.len, strlen(longer[i].text));
        assert_memory_equal(out.data, longer[i].text, out.len);
    }

    wsc_buf_free(&out);
}


static void
test_no_json(void **state)
{
    size_t           i;
    wsc_buf_t        out;
    const char      *reason;
    wsc_test_mem_t   mem;

    static const struct {
        test_octets_t   packed;
        const char     *reason;
    } none[] = {
        { octets("\xca\x7f\xc0\x00\x00"),
          "NaN and infinity have no JSON form" },
        { octets("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"),
          "NaN and infinity have no JSON form" },
        { octets("\x91\xcb\xff\xf0\x00\x00\x00\x00\x00\x00"),
          "NaN and infinity have no JSON form" },
        { octets("\xa3" "a\0b"), "U+0000 in a string" },
        { octets("\x81\xa1\0\xc0"), "U+0000 in a string" },
        { octets("\xc4\x00"), "bin and ext have no JSON form" }
    };

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&out, &mem.alloc);

    for (i = 0; i < wsc_test_count(none); i++) {
        assert_int_equal(to_json(none[i].packed.data, none[i].packed.len,
                                 &out, &reason), WSC_DECLINED);
        assert_string_equal(reason, none[i].reason);
    }

    wsc_buf_free(&out);
}


static void
test_to_msgpack(void **state)
{
    size_t           i;
    wsc_buf_t        out;
    wsc_test_mem_t   mem;

    static const struct {
        test_octets_t   packed;
        const char     *text;
    } more[] = {
        { octets("\x92\x01\x92\xa1" "a\x81\xa0\xc3"),
          " [ 1 , [\t\"a\",\r\n{ \"\" : true } ] ] " },
        { octets("\x00"), "-0" },
        { octets("\xcb\x43\xf0\x00\x00\x00\x00\x00\x00"),
          "18446744073709551616" },
        { octets("\xcb\x40\x59\x00\x00\x00\x00\x00\x00"), "1e2" },
        { octets("\xaa\x08\x0c\x0a\x0d\x09\"\\/\xc3\xa9"),
          "\"\\b\\f\\n\\r\\t\\\"\\\\\\/\\u00e9\"" },
        { octets("\xa4\xf0\x9f\x98\x80"), "\"\\uD83D\\uDE00\"" },
        { octets("\x81\xa1" "a\xc0"), "{\"\\u0061\":null}" }
    };

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&out, &mem.alloc);

    for (i = 0; i < wsc_test_count(pairs); i++) {
        out.len = 0;
        assert_int_equal(wsc_json_to_msgpack((u_char *) pairs[i].text,
                                             strlen(pairs[i].text), &out),
                         WSC_OK);
        assert_int_equal(out.len, pairs[i].packed.len);
        assert_memory_equal(out.data, pairs[i].packed.data, out.len);
    }

    for (i = 0; i < wsc_test_count(more); i++) {
        out.len = 0;
        assert_int_equal(wsc_json_to_msgpack((u_char *) more[i].text,
                                             strlen(more[i].text), &out),
                         WSC_OK);
        assert_int_equal(out.len, more[i].packed.len);
        assert_memory_equal(out.data, more[i].packed.data, out.len);
    }

    wsc_buf_free(&out);
}


/* There, back and there again: the same octets, checked on the way. */

static void
test_round_trip(void **state)
{
    size_t           i;
    wsc_buf_t        packed, text, again;
    const char      *reason;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&packed, &mem.alloc);
    wsc_buf_init(&text, &mem.alloc);
    wsc_buf_init(&again, &mem.alloc);

    for (i = 0; i < wsc_test_count(good); i++) {

        if ((u_char) good[i].data[0] >= 0xc4
            && (u_char) good[i].data[0] <= 0xc6)
        {
            continue;                                 /* bin */
        }

        if (good[i].len == 2 && good[i].data[1] == '\0') {
            continue;                                 /* U+0000 */
        }

        packed.len = text.len = again.len = 0;

        assert_int_equal(to_json(good[i].data, good[i].len, &text, &reason),
                         WSC_OK);
        assert_int_equal(wsc_json_check(&mem.alloc, text.data, text.len,
                                        TEST_DEPTH, &reason), WSC_OK);
        assert_int_equal(wsc_json_to_msgpack(text.data, text.len, &packed),
                         WSC_OK);
        assert_int_equal(check(packed.data, packed.len, 0, &reason), WSC_OK);
        assert_int_equal(to_json(packed.data, packed.len, &again, &reason),
                         WSC_OK);

        assert_int_equal(again.len, text.len);
        assert_memory_equal(again.data, text.data, text.len);
    }

    wsc_buf_free(&packed);
    wsc_buf_free(&text);
    wsc_buf_free(&again);
    wsc_test_mem_check(&mem);
}


/* [7, X, 8] with n elements, members or octets in X. */

static char *
sized_text(char *p, int kind, size_t n)
{
    size_t  i;

    p += sprintf(p, "[7,%c", "[{\""[kind]);

    for (i = 0; i < n; i++) {
        switch (kind) {

        case 0:
            p += sprintf(p, i ? ",1" : "1");
            break;

        case 1:
            p += sprintf(p, "%s\"%zx\":1", i ? "," : "", i);
            break;

        default:
            *p++ = 'x';
        }
    }

    return p + sprintf(p, "%c,8]", "]}\""[kind]);
}


/* Around the limits of each header. */

static void
test_sizes(void **state)
{
    int              kind;
    char            *text, *p;
    size_t           i, n, off;
    wsc_buf_t        out;
    msgpack_zone     zone;
    msgpack_object   o, *e;
    wsc_test_mem_t   mem;

    static const size_t  sizes[] = {
        0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 257, 65535, 65536, 65537
    };

    static const msgpack_object_type  types[] = {
        MSGPACK_OBJECT_ARRAY, MSGPACK_OBJECT_MAP, MSGPACK_OBJECT_STR
    };

    text = malloc(65537 * 12 + 64);
    assert_non_null(text);

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&out, &mem.alloc);

    for (i = 0; i < wsc_test_count(sizes) * 3; i++) {
        n = sizes[i / 3];
        kind = i % 3;
        p = sized_text(text, kind, n);

        out.len = 0;
        assert_int_equal(wsc_json_to_msgpack((u_char *) text, p - text, &out),
                         WSC_OK);

        msgpack_zone_init(&zone, 65536);
        off = 0;
        assert_int_equal(msgpack_unpack((char *) out.data, out.len, &off,
                                        &zone, &o), MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(o.via.array.size, 3);

        e = o.via.array.ptr;
        assert_int_equal(e[0].via.u64, 7);
        assert_int_equal(e[1].type, types[kind]);
        assert_int_equal((kind == 2) ? e[1].via.str.size
                                     : e[1].via.array.size, n);
        assert_int_equal(e[2].via.u64, 8);

        msgpack_zone_destroy(&zone);
    }

    wsc_buf_free(&out);
    free(text);
}


static void
transcode_memory(wsc_test_mem_t *mem, void *data)
{
    int          failed;
    wsc_buf_t    packed, text;
    const char  *reason;

    static const char  in[] =
        "{\"a long key with an escape \\n\":[1,2,3,4,5,6,7,8,9,10,11,12,13,"
        "14,15,16,17],\"b\":\"a string that needs more than one block of"
        " memory, as do all of these together, since buffers grow\"}";

    wsc_buf_init(&packed, &mem->alloc);
    wsc_buf_init(&text, &mem->alloc);

    if (wsc_json_to_msgpack((u_char *) in, sizeof(in) - 1, &packed)
        == WSC_OK)
    {
        assert_int_equal(wsc_msgpack_to_json(packed.data, packed.len, &text,
                                             &reason), WSC_OK);
        assert_int_equal(text.failed || text.len == sizeof(in) - 1, 1);
    }

    failed = packed.failed || text.failed;
    assert_int_equal(failed, mem->fail_at <= mem->calls);

    wsc_buf_free(&packed);
    wsc_buf_free(&text);
}


static void
test_transcode_memory(void **state)
{
    assert_true(wsc_test_mem_fail(transcode_memory, NULL) > 3);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>

#include "wsc_base64.h"
#include "wsc_test.h"
#include "wsc_test_jwt.h"


#define TEST_GOOD  "{\"sub\":\"ann\",\"exp\":1000060}"


static void
test_key(wsc_jwt_keys_t *keys, const char *text, const char *kid)
{
    wsc_str_t        s;
    const char      *reason;
    wsc_jwt_want_t   want;

    s.data = (u_char *) text;
    s.len = strlen(text);

    want.alg = WSC_JWT_NONE;
    want.kid.data = (u_char *) kid;
    want.kid.len = kid ? strlen(kid) : 0;

    assert_int_equal(wsc_jwt_keys_load(keys, &s, &want, &reason), WSC_OK);
}


static ssize_t
test_open(const wsc_jwt_keys_t *keys, const char *token, wsc_str_t *payload)
{
    ssize_t          rc;
    wsc_str_t        s;
    const char      *reason;

    static wsc_jwt_buf_t  buf;

    s.len = strlen(token);
    s.data = wsc_test_copy(token, s.len);

    reason = NULL;
    rc = wsc_jwt_open(keys, keys->alloc, &s, &buf, payload, &reason);

    assert_true(rc == WSC_OK || reason != NULL);
    free(s.data);

    return rc;
}


/* Each token of the RFCs with its key alone, and with all others beside it. */

static void
test_rfc(void **state)
{
    size_t           i, k;
    wsc_str_t        payload;
    wsc_test_mem_t   mem;
    wsc_jwt_keys_t   keys, all;

    static const struct {
        const char  *key;
        const char  *token;
    } rows[] = {
        { TEST_OCT, TEST_HS_TOKEN },
        { TEST_RSA, TEST_RS_TOKEN },
        { TEST_EC, TEST_ES_TOKEN },
        { TEST_ED, TEST_ED_TOKEN }
    };

    wsc_test_mem_init(&mem, 0);
    wsc_jwt_keys_init(&all, &mem.alloc);

    for (i = 0; i < wsc_test_count(rows); i++) {
        wsc_jwt_keys_init(&keys, &mem.alloc);
        test_key(&keys, rows[i].key, NULL);
        test_key(&all, rows[i].key, NULL);

        for (k = 0; k < wsc_test_count(rows); k++) {
            assert_int_equal(test_open(&keys, rows[k].token, &payload),
                             (k == i) ? WSC_OK : WSC_DECLINED);
        }

        wsc_jwt_keys_free(&keys);
    }

    for (i = 0; i < wsc_test_count(rows); i++) {
        assert_int_equal(test_open(&all, rows[i].token, &payload), WSC_OK);
    }

    assert_int_equal(payload.len, 26);
    assert_memory_equal(payload.data, "Example of Ed25519 signing", 26);

    wsc_jwt_keys_free(&all);
    wsc_test_mem_check(&mem);
}


/* One bit anywhere, one character less or more: never right. */

static void
test_changed(void **state)
{
    char             token[1024];
    size_t           i, k;
    wsc_str_t        payload;
    wsc_test_mem_t   mem;
    wsc_jwt_keys_t   keys;

    static const char  *tokens[] = {
        TEST_HS_TOKEN, TEST_RS_TOKEN, TEST_ES_TOKEN, TEST_ED_TOKEN
    };

    wsc_test_mem_init(&mem, 0);
    wsc_jwt_keys_init(&keys, &mem.alloc);

    test_key(&keys, TEST_OCT, NULL);
    test_key(&keys, TEST_RSA, NULL);
    test_key(&keys, TEST_EC, NULL);
    test_key(&keys, TEST_ED, NULL);

    for (i = 0; i < wsc_test_count(tokens); i++) {

        for (k = 0; k < strlen(tokens[i]); k += 3) {
            snprintf(token, sizeof(token), "%s", tokens[i]);

            token[k] ^= 1;
            assert_int_equal(test_open(&keys, token, &payload), WSC_DECLINED);

            token[k] = '\0';
            assert_int_equal(test_open(&keys, token, &payload), WSC_DECLINED);
        }

        snprintf(token, sizeof(token), "%sA", tokens[i]);
        assert_int_equal(test_open(&keys, token, &payload), WSC_DECLINED);

        snprintf(token, sizeof(token), "%s.", tokens[i]);
        assert_int_equal(test_open(&keys, token, &payload), WSC_DECLINED);

        snprintf(token, sizeof(token), " %s", tokens[i]);
        assert_int_equal(test_open(&keys, token, &payload), WSC_DECLINED);
    }

    wsc_jwt_keys_free(&keys);
}


static const struct {
    const char  *header;
    ssize_t      rc;
}  test_rows[] = {
    { "{\"alg\":\"HS256\"}", WSC_OK },
    { " { \"alg\" : \"HS256\" , \"typ\" : \"JWT\" } ", WSC_OK },
    { "{\"alg\":\"\\u0048S256\",\"x\":[{}]}", WSC_OK },
    { "{\"alg\":\"HS256\",\"kid\":\"a\"}", WSC_OK },
    { "{\"alg\":\"HS256\",\"kid\":\"none of ours\"}", WSC_OK },
    { "{\"alg\":\"HS256\",\"kid\":\"\"}", WSC_OK },

    /* never followed, RFC 7515 sections 4.1.2 to 4.1.6 */
    { "{\"alg\":\"HS256\",\"jku\":\"http://127.0.0.1/\",\"x5u\":1}",
      WSC_OK },

    { "{\"alg\":\"HS256\",\"kid\":\"b\"}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"kid\":7}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"kid\":null}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"kid\":[\"a\"]}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"kid\":\"a\",\"kid\":\"a\"}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"\\u0061lg\":\"HS256\"}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"crit\":[]}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"\\u0063rit\":[\"b64\"]}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"typ\":1}", WSC_DECLINED },
    { "{\"alg\":\"none\"}", WSC_DECLINED },
    { "{\"alg\":\"None\"}", WSC_DECLINED },
    { "{\"alg\":\"NONE\"}", WSC_DECLINED },
    { "{\"alg\":\"hs256\"}", WSC_DECLINED },
    { "{\"alg\":\"HS256 \"}", WSC_DECLINED },
    { "{\"alg\":\"HS384\"}", WSC_DECLINED },
    { "{\"alg\":\"RS256\"}", WSC_DECLINED },
    { "{\"alg\":\"ES256\"}", WSC_DECLINED },
    { "{\"alg\":\"EdDSA\"}", WSC_DECLINED },
    { "{\"alg\":\"HS256HS256HS256HS256\"}", WSC_DECLINED },
    { "{\"alg\":256}", WSC_DECLINED },
    { "{\"alg\":[\"HS256\"]}", WSC_DECLINED },
    { "{\"alg\":\"\"}", WSC_DECLINED },
    { "{\"ALG\":\"HS256\"}", WSC_DECLINED },
    { "{}", WSC_DECLINED },
    { "", WSC_DECLINED },
    { "[]", WSC_DECLINED },
    { "\"HS256\"", WSC_DECLINED },
    { "{\"alg\":\"HS256\"", WSC_DECLINED },
    { "{\"alg\":\"HS256\"}{}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",}", WSC_DECLINED },
    { "{\"alg\":\"HS256\",\"x\":\"\xff\"}", WSC_DECLINED },
    { "\xef\xbb\xbf{\"alg\":\"HS256\"}", WSC_DECLINED }
};


/* Numbers of ECDSA that prove nothing, and a signature in DER. */

static void
test_ecdsa(void **state)
{
    char            *digits, token[1024];
    u_char           sig[96];
    size_t           i;
    wsc_str_t        payload;
    wsc_test_mem_t   mem;
    wsc_jwt_keys_t   keys;

    /* the order of P-256 */
    static const u_char  order[32] =
        "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
        "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";

    wsc_test_mem_init(&mem, 0);
    wsc_jwt_keys_init(&keys, &mem.alloc);
    test_key(&keys, TEST_EC, NULL);

    for (i = 0; i < 6; i++) {
        memset(sig, 0, sizeof(sig));

        if (i == 1 || i == 3) {
            memcpy(sig, order, 32);
        }

        if (i == 2 || i == 3) {
            memcpy(sig + 32, order, 32);
        }

        if (i == 4) {
            memset(sig, 0xff, sizeof(sig));
        }

        if (i == 5) {
            memcpy(sig, "\x30\x06\x02\x01\x01\x02\x01\x01", 8);
        }

        digits = test_base64(sig, (i == 5) ? 8 : 64);
        snprintf(token, sizeof(token), TEST_ES_SIGNED ".%s", digits);

        assert_int_equal(test_open(&keys, token, &payload), WSC_DECLINED);
        free(digits);
    }

    wsc_jwt_keys_free(&keys);
}


static void
test_headers(void **state)
{
    char            *token;
    size_t           i;
    wsc_str_t        payload;
    wsc_test_mem_t   mem;
    wsc_jwt_keys_t   keys;

    wsc_test_mem_init(&mem, 0);
    wsc_jwt_keys_init(&keys, &mem.alloc);

    test_key(&keys, "another secret of 32 octets, more", "b");
    test_key(&keys, TEST_SECRET, "a");
    test_key(&keys, TEST_SECRET, NULL);

    for (i = 0; i < wsc_test_count(test_rows); i++) {
        token = test_sign(test_rows[i].header, TEST_GOOD, TEST_SECRET);

        if (test_open(&keys, token, &payload) != test_rows[i].rc) {
            fail_msg("%s", test_rows[i].header);
        }

        free(token);
    }

    wsc_jwt_keys_free(&keys);
    wsc_test_mem_check(&mem);
}


/* Public text of a key is no secret, however a token calls itself. */

static void
test_confusion(void **state)
{
    char            *token;
    wsc_str_t        payload;
    wsc_test_mem_t   mem;
    wsc_jwt_keys_t   keys;

    static const char  test_named_rsa[] =
        "{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"" TEST_RSA_N "\","
        "\"e\":\"AQAB\"}";

    wsc_test_mem_init(&mem, 0);
    wsc_jwt_keys_init(&keys, &mem.alloc);
    test_key(&keys, test_named_rsa, "a");

    token = test_sign("{\"alg\":\"HS256\",\"kid\":\"a\"}", TEST_GOOD,
                      test_named_rsa);
    assert_int_equal(test_open(&keys, token, &payload), WSC_DECLINED);
    free(token);

    token = test_sign("{\"alg\":\"RS256\",\"kid\":\"a\"}", TEST_GOOD,
                      test_named_rsa);
    assert_int_equal(test_open(&keys, token, &payload), WSC_DECLINED);
    free(token);

    wsc_jwt_keys_free(&keys);
}


static void
test_size(void **state)
{
    char            *token, payload[4000];
    size_t           len;
    wsc_str_t        out;
    wsc_test_mem_t   mem;
    wsc_jwt_keys_t   keys;

    wsc_test_mem_init(&mem, 0);
    wsc_jwt_keys_init(&keys, &mem.alloc);
    test_key(&keys, TEST_SECRET, NULL);

    memset(payload, 'x', sizeof(payload));

    /* 20 digits of header, 43 of signature, two dots */

    for (len = 3010; len < 3040; len++) {
        payload[len] = '\0';
        token = test_sign(TEST_HS256, payload, TEST_SECRET);
        payload[len] = 'x';

        assert_int_equal(test_open(&keys, token, &out),
                         strlen(token) <= WSC_JWT_MAX ? WSC_OK
                                                      : WSC_DECLINED);
        free(token);
    }

    assert_int_equal(test_open(&keys, "", &out), WSC_DECLINED);
    assert_int_equal(test_open(&keys, ".", &out), WSC_DECLINED);
    assert_int_equal(test_open(&keys, "..", &out), WSC_DECLINED);
    assert_int_equal(test_open(&keys, "a.b", &out), WSC_DECLINED);

    wsc_jwt_keys_free(&keys);
}


static void
test_memory_body(wsc_test_mem_t *mem, void *data)
{
    ssize_t            rc;
    wsc_str_t          token;
    const char        *reason;
    wsc_jwt_keys_t     keys;
    wsc_test_mem_t     more;
    wsc_jwt_claims_t   claims;
    wsc_jwt_policy_t   policy;

    static wsc_jwt_buf_t  buf;

    memset(&policy, 0, sizeof(wsc_jwt_policy_t));
    policy.keys = &keys;

    token.data = data;
    token.len = strlen(data);

    wsc_test_mem_init(&more, 0);
    wsc_jwt_keys_init(&keys, &more.alloc);
    test_key(&keys, TEST_SECRET, NULL);

    rc = wsc_jwt_read(&policy, &mem->alloc, &token, TEST_NOW, &buf, &claims,
                      &reason);
    assert_int_equal(rc, mem->calls < mem->fail_at ? WSC_OK : WSC_ERROR);

    wsc_jwt_keys_free(&keys);
    wsc_test_mem_check(&more);
}


/* Only many keys in one object need memory. */

static void
test_memory(void **state)
{
    int    i, n;
    char  *token, header[1024], payload[1024];

    n = snprintf(header, sizeof(header), "{\"alg\":\"HS256\"");
    for (i = 0; i < 40; i++) {
        n += snprintf(header + n, sizeof(header) - n, ",\"k%d\":1", i);
    }
    snprintf(header + n, sizeof(header) - n, "}");

    n = snprintf(payload, sizeof(payload), "{\"sub\":\"a\",\"exp\":1000060");
    for (i = 0; i < 40; i++) {
        n += snprintf(payload + n, sizeof(payload) - n, ",\"k%d\":1", i);
    }
    snprintf(payload + n, sizeof(payload) - n, "}");

    token = test_sign(header, payload, TEST_SECRET);
    assert_true(wsc_test_mem_fail(test_memory_body, token) >= 2);
    free(token);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rfc),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_ecdsa),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

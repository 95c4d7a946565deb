
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "wsc_jwt_key.h"
#include "wsc_test.h"
#include "wsc_test_jwt.h"


#define TEST_SHORT  "0123456789abcdef0123456789abcde"


/* The key as PEM text, public or private; to be freed. */

static char *
test_pem(EVP_PKEY *pkey, int private)
{
    BIO   *bio;
    char  *p, *text;
    long   len;

    bio = BIO_new(BIO_s_mem());
    assert_non_null(bio);

    if (private) {
        assert_int_equal(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0,
                                                  NULL, NULL), 1);
    } else {
        assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    }

    len = BIO_get_mem_data(bio, &p);
    text = calloc(1, (size_t) len + 1);
    assert_non_null(text);

    memcpy(text, p, (size_t) len);
    BIO_free(bio);

    return text;
}


static EVP_PKEY *
test_pkey(const char *type, const char *param)
{
    EVP_PKEY      *pkey;
    EVP_PKEY_CTX  *ctx;

    pkey = NULL;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);

    if (param) {
        assert_int_equal(EVP_PKEY_CTX_ctrl_str(ctx, (type[0] == 'R')
                                                    ? "rsa_keygen_bits"
                                                    : "ec_paramgen_curve",
                                               param), 1);
    }

    assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
    EVP_PKEY_CTX_free(ctx);

    return pkey;
}


static const struct {
    const char     *text;
    size_t          n;        /* 0: refused */
    wsc_jwt_alg_e   alg;
}  test_jwks[] = {
    { TEST_OCT, 1, WSC_JWT_HS256 },
    { " \r\n\t" TEST_RSA "\n", 1, WSC_JWT_RS256 },
    { TEST_EC, 1, WSC_JWT_ES256 },
    { TEST_ED, 1, WSC_JWT_EDDSA },
    { "{\"keys\":[" TEST_RSA "," TEST_EC "," TEST_ED "]}", 3,
      WSC_JWT_RS256 },
    { "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"enc\"}," TEST_EC "]}", 1,
      WSC_JWT_ES256 },
    { "{\"keys\":[{\"kty\":\"XYZ\",\"d\":1}," TEST_ED "]}", 1,
      WSC_JWT_EDDSA },
    { "{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"RS512\"}," TEST_ED "]}", 1,
      WSC_JWT_EDDSA },
    { "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-384\"}," TEST_ED "]}", 1,
      WSC_JWT_EDDSA },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\","
      "\"use\":\"sig\",\"key_ops\":[\"sign\",\"verify\"],"
      "\"x\":\"" TEST_ED_X "\"}", 1, WSC_JWT_EDDSA },

    /* nothing that checks a signature */
    { "{}", 0, 0 },
    { "{\"keys\":[]}", 0, 0 },
    { "{\"keys\":{}}", 0, 0 },
    { "{\"keys\":[1]}", 0, 0 },
    { "{\"keys\":[" TEST_RSA "],}", 0, 0 },
    { "{\"kty\":\"oct\",\"kty\":\"oct\",\"k\":\"" TEST_OCT_K "\"}", 0, 0 },
    { "{\"kty\":\"EC\",\"crv\":\"P-384\"}", 0, 0 },
    { "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" TEST_ED_X "\"}",
      0, 0 },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":[\"sign\"],"
      "\"x\":\"" TEST_ED_X "\"}", 0, 0 },
    { "{\"kty\":\"RSA\",\"alg\":\"HS256\",\"n\":\"" TEST_RSA_N "\","
      "\"e\":\"AQAB\"}", 0, 0 },

    /* not what its type needs */
    { "{\"kty\":\"oct\"}", 0, 0 },
    { "{\"kty\":\"oct\",\"k\":\"\"}", 0, 0 },
    { "{\"kty\":\"oct\",\"k\":\"a+b\"}", 0, 0 },
    { "{\"kty\":\"oct\",\"k\":7}", 0, 0 },
    { "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", 0, 0 },
    { "{\"kty\":\"RSA\",\"n\":\"" TEST_RSA_N "\"}", 0, 0 },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" TEST_EC_X "\"}",
      0, 0 },
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}",
      0, 0 },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}", 0, 0 },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":3,"
      "\"x\":\"" TEST_ED_X "\"}", 0, 0 },

    /* a point that is not on the curve */
    { "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" TEST_EC_Y "\","
      "\"y\":\"" TEST_EC_X "\"}", 0, 0 },

    /* weak, or what nobody but its owner should have */
    { "{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
      "AAA\"}", 0, 0 },
    { "{\"kty\":\"RSA\",\"n\":\"" TEST_RSA_N "\",\"e\":\"AQ\"}", 0, 0 },
    { "{\"kty\":\"RSA\",\"n\":\"" TEST_RSA_N "\",\"e\":\"Ag\"}", 0, 0 },
    { "{\"kty\":\"RSA\",\"n\":\"" TEST_ED_X "\",\"e\":\"AQAB\"}", 0, 0 },
    { "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" TEST_ED_X "\","
      "\"d\":\"" TEST_ED_X "\"}", 0, 0 }
};


/* Loads a text into an empty set: what came of it, and which key is first. */

static ssize_t
test_load_len(const char *text, size_t len, wsc_jwt_alg_e alg,
    const char *kid, size_t *n, wsc_jwt_key_t *first)
{
    ssize_t          rc;
    wsc_str_t        s;
    const char      *reason;
    wsc_test_mem_t   mem;
    wsc_jwt_want_t   want;
    wsc_jwt_keys_t   keys;

    wsc_test_mem_init(&mem, 0);
    wsc_jwt_keys_init(&keys, &mem.alloc);

    s.len = len;
    s.data = wsc_test_copy(text, s.len);

    want.alg = alg;
    want.kid.data = (u_char *) kid;
    want.kid.len = kid ? strlen(kid) : 0;

    reason = NULL;
    rc = wsc_jwt_keys_load(&keys, &s, &want, &reason);

    assert_true(rc == WSC_OK ? keys.n != 0 : reason != NULL);
    assert_int_equal(ERR_peek_error(), 0);

    *n = keys.n;

    if (keys.first) {
        *first = *keys.first;
    }

    wsc_jwt_keys_free(&keys);
    wsc_test_mem_check(&mem);

    free(s.data);

    return rc;
}


static ssize_t
test_load(const char *text, wsc_jwt_alg_e alg, const char *kid, size_t *n,
    wsc_jwt_key_t *first)
{
    return test_load_len(text, strlen(text), alg, kid, n, first);
}


static void
test_json(void **state)
{
    size_t         i, n;
    wsc_jwt_key_t  key;

    for (i = 0; i < wsc_test_count(test_jwks); i++) {

        if (test_load(test_jwks[i].text, WSC_JWT_NONE, NULL, &n, &key)
            != (test_jwks[i].n ? WSC_OK : WSC_DECLINED)
            || n != test_jwks[i].n || (n && key.alg != test_jwks[i].alg))
        {
            fail_msg("%s: %zu keys", test_jwks[i].text, n);
        }
    }
}


static void
test_want(void **state)
{
    size_t         n;
    wsc_jwt_key_t  key;

    static const char  set[] =
        "{\"keys\":["
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\","
        "\"x\":\"" TEST_ED_X "\"},"
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"b\\u0062\","
        "\"x\":\"" TEST_ED_X "\"}," TEST_EC "]}";

    assert_int_equal(test_load(set, WSC_JWT_NONE, "bb", &n, &key), WSC_OK);
    assert_int_equal(n, 1);

    assert_int_equal(test_load(set, WSC_JWT_EDDSA, NULL, &n, &key), WSC_OK);
    assert_int_equal(n, 2);

    assert_int_equal(test_load(set, WSC_JWT_ES256, NULL, &n, &key), WSC_OK);
    assert_int_equal(n, 1);

    assert_int_equal(test_load(set, WSC_JWT_NONE, "c", &n, &key),
                     WSC_DECLINED);
    assert_int_equal(test_load(set, WSC_JWT_RS256, NULL, &n, &key),
                     WSC_DECLINED);
    assert_int_equal(test_load(set, WSC_JWT_ES256, "a", &n, &key),
                     WSC_DECLINED);
}


static const struct {
    const char     *type;
    const char     *param;
    wsc_jwt_alg_e   alg;      /* none: refused */
}  test_kinds[] = {
    { "RSA", "2048", WSC_JWT_RS256 },
    { "RSA", "1024", WSC_JWT_NONE },
    { "RSA-PSS", "2048", WSC_JWT_NONE },
    { "EC", "P-256", WSC_JWT_ES256 },
    { "EC", "P-384", WSC_JWT_NONE },
    { "EC", "secp256k1", WSC_JWT_NONE },
    { "ED25519", NULL, WSC_JWT_EDDSA },
    { "ED448", NULL, WSC_JWT_NONE },
    { "X25519", NULL, WSC_JWT_NONE }
};


static void
test_secret(void **state)
{
    size_t         n;
    wsc_jwt_key_t  key;

    assert_int_equal(test_load(TEST_SECRET, WSC_JWT_NONE, "k", &n, &key),
                     WSC_OK);
    assert_int_equal(key.alg, WSC_JWT_HS256);
    assert_int_equal(key.secret.len, 32);
    assert_int_equal(key.kid.len, 1);

    /* the end of the line is none of it */

    assert_int_equal(test_load(TEST_SECRET "\r\n", WSC_JWT_HS256, NULL, &n,
                               &key), WSC_OK);
    assert_int_equal(key.secret.len, 32);

    assert_int_equal(test_load(TEST_SECRET "\n\n", WSC_JWT_HS256, NULL, &n,
                               &key), WSC_OK);
    assert_int_equal(key.secret.len, 33);

    assert_int_equal(test_load(TEST_SHORT "\n", WSC_JWT_HS256, NULL, &n, &key),
                     WSC_DECLINED);
    assert_int_equal(test_load("", WSC_JWT_NONE, NULL, &n, &key),
                     WSC_DECLINED);
    assert_int_equal(test_load(TEST_SECRET, WSC_JWT_RS256, NULL, &n, &key),
                     WSC_DECLINED);
}


/* What everybody has is no secret, in whatever form it is. */

static void
test_public(void **state)
{
    int             len;
    u_char         *der;
    size_t          i, n;
    EVP_PKEY       *pkey;
    wsc_jwt_key_t   key;

    static const char  *texts[] = {
        "\xef\xbb\xbf{\"keys\":[]}" TEST_SECRET,
        "[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" TEST_ED_X "\"}]",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" TEST_ED_X,
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNo" TEST_EC_X,
        "---- BEGIN SSH2 PUBLIC KEY ----\n" TEST_ED_X
    };

    for (i = 0; i < wsc_test_count(texts); i++) {
        if (test_load(texts[i], WSC_JWT_HS256, NULL, &n, &key)
            != WSC_DECLINED)
        {
            fail_msg("%s", texts[i]);
        }
    }

    for (i = 0; i < wsc_test_count(test_kinds); i++) {

        pkey = test_pkey(test_kinds[i].type, test_kinds[i].param);
        der = NULL;
        len = i2d_PUBKEY(pkey, &der);
        EVP_PKEY_free(pkey);

        assert_true(len > 0);
        assert_int_equal(test_load_len((char *) der, len, WSC_JWT_NONE, NULL,
                                       &n, &key), WSC_DECLINED);
        OPENSSL_free(der);
    }
}


static void
test_pems(void **state)
{
    char           *public, *private, *text;
    size_t          i, n;
    EVP_PKEY       *pkey;
    wsc_jwt_key_t   key;

    for (i = 0; i < wsc_test_count(test_kinds); i++) {

        pkey = test_pkey(test_kinds[i].type, test_kinds[i].param);

        public = test_pem(pkey, 0);
        private = test_pem(pkey, 1);
        EVP_PKEY_free(pkey);

        if (test_load(public, WSC_JWT_NONE, "k", &n, &key)
            != (test_kinds[i].alg ? WSC_OK : WSC_DECLINED)
            || (test_kinds[i].alg && key.alg != test_kinds[i].alg))
        {
            fail_msg("%s %s", test_kinds[i].type, test_kinds[i].param);
        }

        /* never as a secret, whatever is asked for */

        assert_int_equal(test_load(public, WSC_JWT_HS256, NULL, &n, &key),
                         WSC_DECLINED);
        assert_int_equal(test_load(private, WSC_JWT_NONE, NULL, &n, &key),
                         WSC_DECLINED);

        if (test_kinds[i].alg) {
            text = calloc(1, 3 * strlen(public) + 1);
            assert_non_null(text);

            strcat(strcat(text, public), public);
            assert_int_equal(test_load(text, test_kinds[i].alg, NULL, &n,
                                       &key), WSC_OK);
            assert_int_equal(n, 2);

            strcat(strcat(text, public), "")[2 * strlen(public) + 60] = '!';
            assert_int_equal(test_load(text, test_kinds[i].alg, NULL, &n,
                                       &key), WSC_DECLINED);
            free(text);
        }

        free(public);
        free(private);
    }

    assert_int_equal(test_load("-----BEGIN CERTIFICATE-----\nAAAA\n"
                               "-----END CERTIFICATE-----\n", WSC_JWT_NONE,
                               NULL, &n, &key), WSC_DECLINED);
}


static void
test_too_many(void **state)
{
    size_t           n;
    wsc_str_t        s = wsc_string(TEST_SECRET);
    const char      *reason;
    wsc_test_mem_t   mem;
    wsc_jwt_keys_t   keys;

    static const wsc_jwt_want_t  want;

    wsc_test_mem_init(&mem, 0);
    wsc_jwt_keys_init(&keys, &mem.alloc);

    for (n = 0; n < WSC_JWT_KEYS; n++) {
        assert_int_equal(wsc_jwt_keys_load(&keys, &s, &want, &reason),
                         WSC_OK);
    }

    assert_int_equal(wsc_jwt_keys_load(&keys, &s, &want, &reason),
                     WSC_DECLINED);

    wsc_jwt_keys_free(&keys);
    wsc_test_mem_check(&mem);
}


static void
test_memory_body(wsc_test_mem_t *mem, void *data)
{
    ssize_t          rc;
    wsc_str_t        s;
    const char      *reason;
    wsc_jwt_keys_t   keys;

    static const wsc_jwt_want_t  want;

    s.data = data;
    s.len = strlen(data);

    wsc_jwt_keys_init(&keys, &mem->alloc);

    rc = wsc_jwt_keys_load(&keys, &s, &want, &reason);
    assert_int_equal(rc, mem->calls < mem->fail_at ? WSC_OK : WSC_ERROR);

    wsc_jwt_keys_free(&keys);
}


static void
test_memory(void **state)
{
    assert_int_equal(wsc_test_mem_fail(test_memory_body, TEST_SECRET), 1);
    assert_int_equal(wsc_test_mem_fail(test_memory_body,
                                       "{\"keys\":[" TEST_EC "," TEST_ED "]}"),
                     2);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_want),
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_pems),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

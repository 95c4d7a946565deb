
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * JSON Web Keys: RFC 7517, RFC 7518 section 6, RFC 8037 section 2.
 */


#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "wsc_jwt_key_int.h"
#include "wsc_base64.h"
#include "wsc_json.h"
#include "wsc_jwt_json.h"


#define WSC_JWK_OCTETS  2048     /* the longest number or secret */
#define WSC_JWK_COORD   32       /* of P-256 and Ed25519 */
#define WSC_JWK_DEPTH   8


typedef enum {
    WSC_JWK_KTY = 0,
    WSC_JWK_ALG,
    WSC_JWK_KID,
    WSC_JWK_USE,
    WSC_JWK_KEY_OPS,
    WSC_JWK_CRV,
    WSC_JWK_N,
    WSC_JWK_E,
    WSC_JWK_X,
    WSC_JWK_Y,
    WSC_JWK_K,
    WSC_JWK_D,
    WSC_JWK_MEMBERS
} wsc_jwk_member_e;


typedef struct {
    wsc_jwt_member_t  m[WSC_JWK_MEMBERS];
} wsc_jwk_t;


static ssize_t wsc_jwk_add(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason);
static wsc_jwt_alg_e wsc_jwk_alg(const wsc_jwk_t *jwk);
static int wsc_jwk_signs(const wsc_jwk_t *jwk);
static EVP_PKEY *wsc_jwk_pkey(const wsc_jwk_t *jwk, wsc_jwt_alg_e alg);
static EVP_PKEY *wsc_jwk_rsa(const wsc_jwk_t *jwk);
static EVP_PKEY *wsc_jwk_ec(const wsc_jwk_t *jwk);
static EVP_PKEY *wsc_jwk_build(const char *type, OSSL_PARAM_BLD *bld);
static ssize_t wsc_jwk_octets(const wsc_str_t *value, u_char *out,
    size_t max, wsc_str_t *s);


static const wsc_jwk_t  wsc_jwk_names = { {
    { "kty", wsc_null_string },
    { "alg", wsc_null_string },
    { "kid", wsc_null_string },
    { "use", wsc_null_string },
    { "key_ops", wsc_null_string },
    { "crv", wsc_null_string },
    { "n", wsc_null_string },
    { "e", wsc_null_string },
    { "x", wsc_null_string },
    { "y", wsc_null_string },
    { "k", wsc_null_string },
    { "d", wsc_null_string }
} };


ssize_t
wsc_jwt_keys_json(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason)
{
    int                it;
    size_t             n;
    ssize_t            rc;
    wsc_str_t          key, value;
    const u_char      *p, *last;
    wsc_jwt_member_t   set[] = { { "keys", wsc_null_string } };

    n = keys->n;

    rc = wsc_json_check(keys->alloc, text->data, text->len, WSC_JWK_DEPTH,
                        reason);
    if (rc != WSC_OK) {
        *reason = "is not well-formed JSON";
        return rc;
    }

    if (wsc_jwt_members(text, set, 1) != WSC_OK || set[0].value.data == NULL) {
        rc = wsc_jwk_add(keys, text, want, reason);

    } else {
        it = 0;
        p = set[0].value.data;
        last = p + set[0].value.len;

        if (*p != '[') {
            *reason = "has \"keys\" that are no array";
            return WSC_DECLINED;
        }

        while (rc == WSC_OK
               && wsc_json_next(&p, last, &it, &key, &value) == WSC_OK)
        {
            rc = wsc_jwk_add(keys, &value, want, reason);
        }
    }

    if (rc == WSC_OK && keys->n == n) {
        *reason = "holds no key that checks the signatures wanted";
        return WSC_DECLINED;
    }

    return rc;
}


/* What is not for us is passed over: WSC_OK. */

static ssize_t
wsc_jwk_add(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason)
{
    u_char          name[WSC_JWT_KID], octets[WSC_JWK_OCTETS];
    EVP_PKEY       *pkey;
    wsc_jwk_t       jwk;
    wsc_str_t       kid, secret;
    wsc_jwt_alg_e   alg;

    jwk = wsc_jwk_names;
    kid.len = 0;

    if (wsc_jwt_members(text, jwk.m, WSC_JWK_MEMBERS) != WSC_OK
        || (jwk.m[WSC_JWK_KID].value.data
            && wsc_jwt_text(&jwk.m[WSC_JWK_KID].value, name, WSC_JWT_KID, &kid)
               != WSC_OK))
    {
        *reason = "holds something that is no JWK";
        return WSC_DECLINED;
    }

    alg = wsc_jwk_alg(&jwk);

    if (alg == WSC_JWT_NONE || !wsc_jwk_signs(&jwk)
        || (want->alg != WSC_JWT_NONE && want->alg != alg)
        || (want->kid.len && (want->kid.len != kid.len
                              || memcmp(want->kid.data, kid.data, kid.len))))
    {
        return WSC_OK;
    }

    if (jwk.m[WSC_JWK_D].value.data) {
        *reason = "holds a private key: give the public one";
        return WSC_DECLINED;
    }

    if (alg == WSC_JWT_HS256) {

        if (wsc_jwk_octets(&jwk.m[WSC_JWK_K].value, octets, WSC_JWK_OCTETS,
                           &secret)
            != WSC_OK)
        {
            goto bad;
        }

        return wsc_jwt_keys_add(keys, NULL, &secret, alg, &kid, reason);
    }

    pkey = wsc_jwk_pkey(&jwk, alg);
    ERR_clear_error();

    if (pkey) {
        return wsc_jwt_keys_add(keys, pkey, NULL, alg, &kid, reason);
    }

bad:

    *reason = "holds a JWK without the values that its type needs";
    return WSC_DECLINED;
}


/* Its algorithm, or none if it is for something unknown here. */

static wsc_jwt_alg_e
wsc_jwk_alg(const wsc_jwk_t *jwk)
{
    size_t            i;
    const wsc_str_t  *alg, *crv;

    static const struct {
        const char     *kty;
        const char     *crv;
        const char     *name;
        wsc_jwt_alg_e   alg;
    } kinds[] = {
        { "oct", NULL, "HS256", WSC_JWT_HS256 },
        { "RSA", NULL, "RS256", WSC_JWT_RS256 },
        { "EC", "P-256", "ES256", WSC_JWT_ES256 },
        { "OKP", "Ed25519", "EdDSA", WSC_JWT_EDDSA }
    };

    alg = &jwk->m[WSC_JWK_ALG].value;
    crv = &jwk->m[WSC_JWK_CRV].value;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {

        if (wsc_jwt_is(&jwk->m[WSC_JWK_KTY].value, kinds[i].kty)
            && (kinds[i].crv == NULL || wsc_jwt_is(crv, kinds[i].crv))
            && (alg->data == NULL || wsc_jwt_is(alg, kinds[i].name)))
        {
            return kinds[i].alg;
        }
    }

    return WSC_JWT_NONE;
}


/* "use" and "key_ops", RFC 7517 sections 4.2 and 4.3. */

static int
wsc_jwk_signs(const wsc_jwk_t *jwk)
{
    int               it;
    wsc_str_t         value;
    const u_char     *p, *last;
    const wsc_str_t  *ops, *use;

    use = &jwk->m[WSC_JWK_USE].value;
    ops = &jwk->m[WSC_JWK_KEY_OPS].value;

    if (use->data && !wsc_jwt_is(use, "sig")) {
        return 0;
    }

    if (ops->data == NULL) {
        return 1;
    }

    it = 0;
    p = ops->data;
    last = p + ops->len;

    while (wsc_jwt_strings(&p, last, &it, &value) == WSC_OK) {
        if (wsc_jwt_is(&value, "verify")) {
            return 1;
        }
    }

    return 0;
}


static EVP_PKEY *
wsc_jwk_pkey(const wsc_jwk_t *jwk, wsc_jwt_alg_e alg)
{
    u_char     x[WSC_JWK_COORD];
    wsc_str_t  s;

    if (alg == WSC_JWT_RS256) {
        return wsc_jwk_rsa(jwk);
    }

    if (alg == WSC_JWT_ES256) {
        return wsc_jwk_ec(jwk);
    }

    if (wsc_jwk_octets(&jwk->m[WSC_JWK_X].value, x, WSC_JWK_COORD, &s)
        != WSC_OK)
    {
        return NULL;
    }

    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, s.len);
}


static EVP_PKEY *
wsc_jwk_rsa(const wsc_jwk_t *jwk)
{
    u_char           octets[2][WSC_JWK_OCTETS];
    BIGNUM          *n, *e;
    EVP_PKEY        *pkey;
    wsc_str_t        sn, se;
    OSSL_PARAM_BLD  *bld;

    if (wsc_jwk_octets(&jwk->m[WSC_JWK_N].value, octets[0], WSC_JWK_OCTETS,
                       &sn)
        != WSC_OK
        || wsc_jwk_octets(&jwk->m[WSC_JWK_E].value, octets[1],
                          WSC_JWK_OCTETS, &se)
           != WSC_OK)
    {
        return NULL;
    }

    pkey = NULL;
    bld = OSSL_PARAM_BLD_new();
    n = BN_bin2bn(sn.data, (int) sn.len, NULL);
    e = BN_bin2bn(se.data, (int) se.len, NULL);

    if (bld && n && e
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) == 1)
    {
        pkey = wsc_jwk_build("RSA", bld);
    }

    OSSL_PARAM_BLD_free(bld);
    BN_free(n);
    BN_free(e);

    return pkey;
}


/* The point is uncompressed; libcrypto sees whether it is on the curve. */

static EVP_PKEY *
wsc_jwk_ec(const wsc_jwk_t *jwk)
{
    u_char           point[1 + 2 * WSC_JWK_COORD];
    EVP_PKEY        *pkey;
    wsc_str_t        x, y;
    OSSL_PARAM_BLD  *bld;

    point[0] = 4;

    if (wsc_jwk_octets(&jwk->m[WSC_JWK_X].value, point + 1, WSC_JWK_COORD, &x)
        != WSC_OK
        || wsc_jwk_octets(&jwk->m[WSC_JWK_Y].value, point + 1 + WSC_JWK_COORD,
                          WSC_JWK_COORD, &y)
           != WSC_OK
        || x.len != WSC_JWK_COORD || y.len != WSC_JWK_COORD)
    {
        return NULL;
    }

    pkey = NULL;
    bld = OSSL_PARAM_BLD_new();

    if (bld
        && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
                                           "prime256v1", 0)
           == 1
        && OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
                                            point, sizeof(point))
           == 1)
    {
        pkey = wsc_jwk_build("EC", bld);
    }

    OSSL_PARAM_BLD_free(bld);

    return pkey;
}


static EVP_PKEY *
wsc_jwk_build(const char *type, OSSL_PARAM_BLD *bld)
{
    EVP_PKEY      *pkey;
    OSSL_PARAM    *params;
    EVP_PKEY_CTX  *ctx;

    pkey = NULL;
    params = OSSL_PARAM_BLD_to_param(bld);
    ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

    if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void) EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    }

    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);

    return pkey;
}


/* The octets of a string in base64url; not none. */

static ssize_t
wsc_jwk_octets(const wsc_str_t *value, u_char *out, size_t max, wsc_str_t *s)
{
    ssize_t  n;

    if (value->len < 2 || value->data[0] != '"'
        || wsc_base64_size(value->len - 2) > max)
    {
        return WSC_DECLINED;
    }

    n = wsc_base64_url(out, value->data + 1, value->len - 2);

    if (n <= 0) {
        return WSC_DECLINED;
    }

    s->data = out;
    s->len = (size_t) n;

    return WSC_OK;
}

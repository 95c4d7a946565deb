
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Signatures, RFC 7518 section 3 and RFC 8037 section 3.1.
 */


#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "wsc_jwt_key.h"


#define WSC_JWT_HMAC    32       /* octets of a SHA-256 */
#define WSC_JWT_HALF    32       /* octets of each of r and s */
#define WSC_JWT_DER     80       /* the most that r and s take in DER */
#define WSC_JWT_ED      64       /* octets of an Ed25519 signature */


static int wsc_jwt_check_hmac(const wsc_jwt_key_t *key, const wsc_str_t *data,
    const wsc_str_t *signature);
static int wsc_jwt_check_ecdsa(const wsc_jwt_key_t *key,
    const wsc_str_t *data, const wsc_str_t *signature);
static int wsc_jwt_check_pkey(const wsc_jwt_key_t *key, const EVP_MD *md,
    const wsc_str_t *data, const wsc_str_t *signature);


int
wsc_jwt_key_check(const wsc_jwt_key_t *key, const wsc_str_t *data,
    const wsc_str_t *signature)
{
    switch (key->alg) {

    case WSC_JWT_HS256:
        return wsc_jwt_check_hmac(key, data, signature);

    case WSC_JWT_RS256:
        return signature->len == (size_t) EVP_PKEY_get_size(key->pkey)
               && wsc_jwt_check_pkey(key, EVP_sha256(), data, signature);

    case WSC_JWT_ES256:
        return wsc_jwt_check_ecdsa(key, data, signature);

    case WSC_JWT_EDDSA:
        return signature->len == WSC_JWT_ED
               && wsc_jwt_check_pkey(key, NULL, data, signature);

    default:
        return 0;
    }
}


static int
wsc_jwt_check_hmac(const wsc_jwt_key_t *key, const wsc_str_t *data,
    const wsc_str_t *signature)
{
    u_char    hash[EVP_MAX_MD_SIZE];
    unsigned  len;

    if (signature->len != WSC_JWT_HMAC) {
        return 0;
    }

    if (HMAC(EVP_sha256(), key->secret.data, (int) key->secret.len,
             data->data, data->len, hash, &len)
        == NULL)
    {
        ERR_clear_error();
        return 0;
    }

    return CRYPTO_memcmp(hash, signature->data, WSC_JWT_HMAC) == 0;
}


/* r and s stand side by side; libcrypto has them in DER. */

static int
wsc_jwt_check_ecdsa(const wsc_jwt_key_t *key, const wsc_str_t *data,
    const wsc_str_t *signature)
{
    int         len, right;
    u_char      der[WSC_JWT_DER], *p;
    BIGNUM     *r, *s;
    wsc_str_t   text;
    ECDSA_SIG  *sig;

    if (signature->len != 2 * WSC_JWT_HALF) {
        return 0;
    }

    right = 0;

    sig = ECDSA_SIG_new();
    r = BN_bin2bn(signature->data, WSC_JWT_HALF, NULL);
    s = BN_bin2bn(signature->data + WSC_JWT_HALF, WSC_JWT_HALF, NULL);

    if (sig == NULL || r == NULL || s == NULL || BN_is_zero(r)
        || BN_is_zero(s) || ECDSA_SIG_set0(sig, r, s) != 1)
    {
        BN_free(r);
        BN_free(s);
        goto done;
    }

    p = der;
    len = i2d_ECDSA_SIG(sig, &p);

    if (len > 0) {
        text.data = der;
        text.len = (size_t) len;

        right = wsc_jwt_check_pkey(key, EVP_sha256(), data, &text);
    }

done:

    ECDSA_SIG_free(sig);
    ERR_clear_error();

    return right;
}


static int
wsc_jwt_check_pkey(const wsc_jwt_key_t *key, const EVP_MD *md,
    const wsc_str_t *data, const wsc_str_t *signature)
{
    int          right;
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();

    right = ctx != NULL
            && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key->pkey) == 1
            && EVP_DigestVerify(ctx, signature->data, signature->len,
                                data->data, data->len)
               == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();

    return right;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What libcrypto has to complain of is dropped each time: errors left in its
 * queue would be taken for somebody else's.
 */


#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "wsc_jwt_key_int.h"


static const char *wsc_jwt_pkey_fault(EVP_PKEY *pkey, wsc_jwt_alg_e *alg);
static const char *wsc_jwt_rsa_fault(EVP_PKEY *pkey);


void
wsc_jwt_keys_init(wsc_jwt_keys_t *keys, const wsc_alloc_t *alloc)
{
    keys->alloc = alloc;
    keys->first = NULL;
    keys->last = &keys->first;
    keys->n = 0;
}


void
wsc_jwt_keys_free(wsc_jwt_keys_t *keys)
{
    wsc_jwt_key_t  *key;

    while (keys->first) {
        key = keys->first;
        keys->first = key->next;

        EVP_PKEY_free(key->pkey);
        OPENSSL_cleanse(key->data, key->secret.len);

        wsc_free(keys->alloc, key);
    }

    wsc_jwt_keys_init(keys, keys->alloc);
}


wsc_jwt_alg_e
wsc_jwt_alg(const wsc_str_t *name)
{
    if (wsc_str_is(name, "HS256")) {
        return WSC_JWT_HS256;
    }

    if (wsc_str_is(name, "RS256")) {
        return WSC_JWT_RS256;
    }

    if (wsc_str_is(name, "ES256")) {
        return WSC_JWT_ES256;
    }

    return wsc_str_is(name, "EdDSA") ? WSC_JWT_EDDSA : WSC_JWT_NONE;
}


ssize_t
wsc_jwt_keys_add(wsc_jwt_keys_t *keys, void *pkey, const wsc_str_t *secret,
    wsc_jwt_alg_e alg, const wsc_str_t *kid, const char **reason)
{
    size_t          len;
    wsc_jwt_key_t  *key;
    wsc_jwt_alg_e   is;

    is = WSC_JWT_HS256;
    len = secret ? secret->len : 0;
    *reason = NULL;

    if (pkey) {
        *reason = wsc_jwt_pkey_fault(pkey, &is);

    } else if (len < WSC_JWT_SECRET_MIN) {
        *reason = "holds a secret of less than 32 octets";
    }

    if (*reason == NULL && alg != WSC_JWT_NONE && alg != is) {
        *reason = "holds a key of another algorithm";
    }

    if (*reason == NULL && kid->len > WSC_JWT_KID) {
        *reason = "holds a key with a kid of more than 255 octets";
    }

    if (*reason == NULL && keys->n == WSC_JWT_KEYS) {
        *reason = "holds one key too many: 32 are the limit";
    }

    if (*reason) {
        EVP_PKEY_free(pkey);
        return WSC_DECLINED;
    }

    key = wsc_alloc(keys->alloc, sizeof(wsc_jwt_key_t) + len + kid->len);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return WSC_ERROR;
    }

    key->next = NULL;
    key->alg = is;
    key->pkey = pkey;
    key->secret.data = key->data;
    key->secret.len = len;
    key->kid.data = key->data + len;
    key->kid.len = kid->len;

    if (len) {
        memcpy(key->secret.data, secret->data, len);
    }

    if (kid->len) {
        memcpy(key->kid.data, kid->data, kid->len);
    }

    *keys->last = key;
    keys->last = &key->next;
    keys->n++;

    return WSC_OK;
}


/* Why it is no key of ours, or NULL with its algorithm. */

static const char *
wsc_jwt_pkey_fault(EVP_PKEY *pkey, wsc_jwt_alg_e *alg)
{
    char  group[32];

    if (EVP_PKEY_is_a(pkey, "RSA")) {
        *alg = WSC_JWT_RS256;
        return wsc_jwt_rsa_fault(pkey);
    }

    if (EVP_PKEY_is_a(pkey, "EC")) {
        *alg = WSC_JWT_ES256;

        if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1
            && strcmp(group, "prime256v1") == 0)
        {
            return NULL;
        }

        ERR_clear_error();

        return "holds a key of another curve than P-256";
    }

    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        *alg = WSC_JWT_EDDSA;
        return NULL;
    }

    return "holds a key that is neither RSA nor P-256 nor Ed25519";
}


/* With an exponent of 1 anybody could sign. */

static const char *
wsc_jwt_rsa_fault(EVP_PKEY *pkey)
{
    int      bad;
    BIGNUM  *e;

    if (EVP_PKEY_get_bits(pkey) < WSC_JWT_RSA_MIN) {
        return "holds an RSA key of less than 2048 bits";
    }

    e = NULL;
    bad = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1
          || !BN_is_odd(e) || BN_is_one(e);

    BN_free(e);
    ERR_clear_error();

    return bad ? "holds an RSA key with a bad exponent" : NULL;
}

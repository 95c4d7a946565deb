
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Files of keys: JSON, PEM, or the octets of a secret.
 */


#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "wsc_jwt_key_int.h"


#define WSC_PEM_BEGIN  "-----BEGIN "


static ssize_t wsc_jwt_keys_pem(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason);
static ssize_t wsc_jwt_keys_secret(wsc_jwt_keys_t *keys,
    const wsc_str_t *text, const wsc_jwt_want_t *want, const char **reason);
static int wsc_jwt_public(const wsc_str_t *text);
static size_t wsc_jwt_count(const wsc_str_t *text, const char *what);


ssize_t
wsc_jwt_keys_load(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (strchr(" \t\r\n", text->data[i]) == NULL) {
            break;
        }
    }

    if (i < text->len && text->data[i] == '{') {
        return wsc_jwt_keys_json(keys, text, want, reason);
    }

    if (wsc_jwt_count(text, WSC_PEM_BEGIN)) {
        return wsc_jwt_keys_pem(keys, text, want, reason);
    }

    return wsc_jwt_keys_secret(keys, text, want, reason);
}


static size_t
wsc_jwt_count(const wsc_str_t *text, const char *what)
{
    size_t  i, n, len;

    n = 0;
    len = strlen(what);

    for (i = 0; i + len <= text->len; i++) {
        if (memcmp(text->data + i, what, len) == 0) {
            n++;
        }
    }

    return n;
}


/* One key or several, as when one is about to take the place of another. */

static ssize_t
wsc_jwt_keys_pem(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason)
{
    BIO       *bio;
    size_t     n;
    ssize_t    rc;
    EVP_PKEY  *pkey;

    if (wsc_jwt_count(text, "PRIVATE KEY-----")) {
        *reason = "holds a private key: give the public one";
        return WSC_DECLINED;
    }

    bio = BIO_new_mem_buf(text->data, (int) text->len);
    if (bio == NULL) {
        ERR_clear_error();
        return WSC_ERROR;
    }

    rc = WSC_OK;

    for (n = 0; rc == WSC_OK; n++) {
        pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
        if (pkey == NULL) {
            break;
        }

        rc = wsc_jwt_keys_add(keys, pkey, NULL, want->alg, &want->kid, reason);
    }

    if (rc == WSC_OK && n != wsc_jwt_count(text, WSC_PEM_BEGIN)) {
        *reason = "is not all public keys in PEM";
        rc = WSC_DECLINED;
    }

    BIO_free(bio);
    ERR_clear_error();

    return rc;
}


static ssize_t
wsc_jwt_keys_secret(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason)
{
    wsc_str_t  secret;

    if (wsc_jwt_public(text)) {
        *reason = "looks like a public key: give it in PEM or as a JWK";
        return WSC_DECLINED;
    }

    secret = *text;

    if (secret.len && secret.data[secret.len - 1] == '\n') {
        secret.len--;

        if (secret.len && secret.data[secret.len - 1] == '\r') {
            secret.len--;
        }
    }

    return wsc_jwt_keys_add(keys, NULL, &secret, want->alg, &want->kid,
                            reason);
}


/*
 * A public key in a form that is not read here may not become a secret:
 * everybody has it, and could sign with it.
 */

static int
wsc_jwt_public(const wsc_str_t *text)
{
    int            is;
    size_t         i;
    X509          *cert;
    EVP_PKEY      *pkey;
    const u_char  *der;

    static const char  *forms[] = {
        "\xef\xbb\xbf", "[", "ssh-", "ecdsa-", "---- BEGIN "
    };

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (text->len >= strlen(forms[i])
            && memcmp(text->data, forms[i], strlen(forms[i])) == 0)
        {
            return 1;
        }
    }

    der = text->data;
    pkey = d2i_PUBKEY(NULL, &der, (long) text->len);

    der = text->data;
    cert = d2i_X509(NULL, &der, (long) text->len);

    is = pkey != NULL || cert != NULL;

    EVP_PKEY_free(pkey);
    X509_free(cert);
    ERR_clear_error();

    return is;
}

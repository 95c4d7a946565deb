
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The outside of a token: three parts, a header, a signature.
 */


#include <string.h>

#include "wsc_jwt.h"
#include "wsc_base64.h"
#include "wsc_json.h"
#include "wsc_jwt_json.h"


#define WSC_JWT_ALG    16        /* octets of a name that could be known */


/* The header's parameters that mean something here, RFC 7515 section 4.1. */

typedef enum {
    WSC_JWT_H_ALG = 0,
    WSC_JWT_H_KID,
    WSC_JWT_H_TYP,
    WSC_JWT_H_CRIT,
    WSC_JWT_H_N
} wsc_jwt_header_e;


typedef struct {
    wsc_jwt_alg_e       alg;
    wsc_str_t           kid;          /* data NULL: none */
    u_char              text[WSC_JWT_KID];
} wsc_jwt_header_t;


typedef struct {
    wsc_str_t           header;
    wsc_str_t           payload;
    wsc_str_t           signature;
    wsc_str_t           signed_text;  /* header, dot and payload */
} wsc_jwt_parts_t;


static ssize_t wsc_jwt_split(const wsc_str_t *token, wsc_jwt_parts_t *parts);
static ssize_t wsc_jwt_header(const wsc_alloc_t *alloc, const wsc_str_t *text,
    wsc_jwt_header_t *h, const char **reason);
static ssize_t wsc_jwt_signed(const wsc_jwt_keys_t *keys,
    const wsc_jwt_header_t *h, const wsc_str_t *data,
    const wsc_str_t *signature);
static int wsc_jwt_chosen(const wsc_jwt_key_t *key, const wsc_jwt_header_t *h,
    int named);
static int wsc_jwt_named(const wsc_jwt_key_t *key, const wsc_jwt_header_t *h);


ssize_t
wsc_jwt_read(const wsc_jwt_policy_t *policy, const wsc_alloc_t *alloc,
    const wsc_str_t *token, uint64_t now, wsc_jwt_buf_t *buf,
    wsc_jwt_claims_t *claims, const char **reason)
{
    ssize_t    rc;
    wsc_str_t  payload;

    rc = wsc_jwt_open(policy->keys, alloc, token, buf, &payload, reason);
    if (rc != WSC_OK) {
        return rc;
    }

    return wsc_jwt_claims(policy, alloc, &payload, now, buf, claims, reason);
}


ssize_t
wsc_jwt_open(const wsc_jwt_keys_t *keys, const wsc_alloc_t *alloc,
    const wsc_str_t *token, wsc_jwt_buf_t *buf, wsc_str_t *payload,
    const char **reason)
{
    ssize_t           rc, n;
    wsc_str_t         text, signature;
    wsc_jwt_parts_t   parts;
    wsc_jwt_header_t  h;

    if (token->len > WSC_JWT_MAX) {
        *reason = "it is longer than 4 KiB";
        return WSC_DECLINED;
    }

    if (wsc_jwt_split(token, &parts) != WSC_OK) {
        *reason = "it is not three parts";
        return WSC_DECLINED;
    }

    /* the header goes where the payload does later: it is short-lived */

    text.data = buf->payload;
    n = wsc_base64_url(text.data, parts.header.data, parts.header.len);

    if (n < 0) {
        *reason = "its header is not base64url";
        return WSC_DECLINED;
    }

    text.len = (size_t) n;

    rc = wsc_jwt_header(alloc, &text, &h, reason);
    if (rc != WSC_OK) {
        return rc;
    }

    n = wsc_base64_url(buf->payload, parts.payload.data, parts.payload.len);

    if (n < 0) {
        *reason = "its payload is not base64url";
        return WSC_DECLINED;
    }

    payload->data = buf->payload;
    payload->len = (size_t) n;

    signature.data = buf->payload + n;
    n = wsc_base64_url(signature.data, parts.signature.data,
                       parts.signature.len);

    if (n < 0) {
        *reason = "its signature is not base64url";
        return WSC_DECLINED;
    }

    signature.len = (size_t) n;

    if (wsc_jwt_signed(keys, &h, &parts.signed_text, &signature) != WSC_OK) {
        *reason = "no key of ours has made its signature";
        return WSC_DECLINED;
    }

    return WSC_OK;
}


static ssize_t
wsc_jwt_split(const wsc_str_t *token, wsc_jwt_parts_t *parts)
{
    u_char  *last, *first, *second;

    if (token->len == 0) {
        return WSC_DECLINED;
    }

    last = token->data + token->len;

    first = memchr(token->data, '.', token->len);
    if (first == NULL) {
        return WSC_DECLINED;
    }

    second = memchr(first + 1, '.', (size_t) (last - first - 1));
    if (second == NULL) {
        return WSC_DECLINED;
    }

    parts->header.data = token->data;
    parts->header.len = (size_t) (first - token->data);
    parts->payload.data = first + 1;
    parts->payload.len = (size_t) (second - first - 1);
    parts->signature.data = second + 1;
    parts->signature.len = (size_t) (last - second - 1);
    parts->signed_text.data = token->data;
    parts->signed_text.len = (size_t) (second - token->data);

    return WSC_OK;
}


static ssize_t
wsc_jwt_header(const wsc_alloc_t *alloc, const wsc_str_t *text,
    wsc_jwt_header_t *h, const char **reason)
{
    u_char            name[WSC_JWT_ALG];
    ssize_t           rc;
    wsc_str_t         s;
    const char       *why;
    wsc_jwt_member_t  m[] = {
        { "alg", wsc_null_string },
        { "kid", wsc_null_string },
        { "typ", wsc_null_string },
        { "crit", wsc_null_string }
    };

    *reason = "its header is no JSON object as it has to be";

    rc = wsc_json_check(alloc, text->data, text->len, WSC_MAX_DEPTH, &why);
    if (rc != WSC_OK) {
        return rc;
    }

    if (wsc_jwt_members(text, m, WSC_JWT_H_N) != WSC_OK
        || (m[WSC_JWT_H_TYP].value.data
            && m[WSC_JWT_H_TYP].value.data[0] != '"'))
    {
        return WSC_DECLINED;
    }

    if (m[WSC_JWT_H_CRIT].value.data) {
        *reason = "it has \"crit\"";
        return WSC_DECLINED;
    }

    h->alg = WSC_JWT_NONE;

    if (wsc_jwt_text(&m[WSC_JWT_H_ALG].value, name, WSC_JWT_ALG, &s) == WSC_OK)
    {
        h->alg = wsc_jwt_alg(&s);
    }

    if (h->alg == WSC_JWT_NONE) {
        *reason = "its \"alg\" is unknown";
        return WSC_DECLINED;
    }

    h->kid.data = NULL;

    if (m[WSC_JWT_H_KID].value.data
        && wsc_jwt_text(&m[WSC_JWT_H_KID].value, h->text, WSC_JWT_KID,
                        &h->kid)
           != WSC_OK)
    {
        *reason = "its \"kid\" is no string, or too long";
        return WSC_DECLINED;
    }

    return WSC_OK;
}


/*
 * A kid that keys have chooses these alone; one that no key has, those that
 * have none.  Either way only a key that is for the algorithm is asked.
 */

static ssize_t
wsc_jwt_signed(const wsc_jwt_keys_t *keys, const wsc_jwt_header_t *h,
    const wsc_str_t *data, const wsc_str_t *signature)
{
    int                   named;
    const wsc_jwt_key_t  *key;

    named = 0;

    for (key = keys->first; key; key = key->next) {
        named |= wsc_jwt_named(key, h);
    }

    for (key = keys->first; key; key = key->next) {

        if (wsc_jwt_chosen(key, h, named)
            && wsc_jwt_key_check(key, data, signature))
        {
            return WSC_OK;
        }
    }

    return WSC_DECLINED;
}


static int
wsc_jwt_chosen(const wsc_jwt_key_t *key, const wsc_jwt_header_t *h, int named)
{
    if (key->alg != h->alg) {
        return 0;
    }

    if (h->kid.data == NULL) {
        return 1;
    }

    return named ? wsc_jwt_named(key, h) : key->kid.len == 0;
}


static int
wsc_jwt_named(const wsc_jwt_key_t *key, const wsc_jwt_header_t *h)
{
    return h->kid.data && key->kid.len && key->kid.len == h->kid.len
           && memcmp(key->kid.data, h->kid.data, key->kid.len) == 0;
}

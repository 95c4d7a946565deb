
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The claims of a token.  A claim of the wrong type is refused even where its
 * value would not matter.
 */


#include <string.h>

#include "wsc_jwt.h"
#include "wsc_grant.h"
#include "wsc_json.h"
#include "wsc_jwt_json.h"
#include "wsc_number.h"


typedef enum {
    WSC_JWT_C_SUB = 0,
    WSC_JWT_C_EXP,
    WSC_JWT_C_NBF,
    WSC_JWT_C_IAT,
    WSC_JWT_C_ISS,
    WSC_JWT_C_AUD,
    WSC_JWT_C_INFO,
    WSC_JWT_C_MODERATE,
    WSC_JWT_C_CHAT,
    WSC_JWT_C_N
} wsc_jwt_claim_e;


typedef struct {
    wsc_jwt_member_t  m[WSC_JWT_C_N];
} wsc_jwt_set_t;


static const char *wsc_jwt_sub(const wsc_jwt_set_t *set, wsc_jwt_buf_t *buf,
    wsc_jwt_claims_t *claims);
static const char *wsc_jwt_times(const wsc_jwt_set_t *set, uint64_t now,
    wsc_jwt_claims_t *claims);
static ssize_t wsc_jwt_time(const wsc_str_t *value, uint64_t *sec);
static const char *wsc_jwt_parties(const wsc_jwt_policy_t *policy,
    const wsc_jwt_set_t *set);
static int wsc_jwt_means(const wsc_str_t *value, const wsc_str_t *text);
static int wsc_jwt_audience(const wsc_jwt_policy_t *policy,
    const wsc_str_t *value);
static const char *wsc_jwt_rights(const wsc_jwt_set_t *set,
    wsc_jwt_claims_t *claims);
static int wsc_jwt_patterns(const wsc_str_t *value);


static const wsc_jwt_set_t  wsc_jwt_names = { {
    { "sub", wsc_null_string },
    { "exp", wsc_null_string },
    { "nbf", wsc_null_string },
    { "iat", wsc_null_string },
    { "iss", wsc_null_string },
    { "aud", wsc_null_string },
    { "info", wsc_null_string },
    { "moderate", wsc_null_string },
    { "chat", wsc_null_string }
} };


ssize_t
wsc_jwt_claims(const wsc_jwt_policy_t *policy, const wsc_alloc_t *alloc,
    const wsc_str_t *payload, uint64_t now, wsc_jwt_buf_t *buf,
    wsc_jwt_claims_t *claims, const char **reason)
{
    ssize_t        rc;
    const char    *why;
    wsc_jwt_set_t  set;

    set = wsc_jwt_names;
    memset(claims, 0, sizeof(wsc_jwt_claims_t));

    *reason = "its payload is no JSON object as it has to be";

    rc = wsc_json_check(alloc, payload->data, payload->len, WSC_MAX_DEPTH,
                        &why);
    if (rc != WSC_OK) {
        return rc;
    }

    if (wsc_jwt_members(payload, set.m, WSC_JWT_C_N) != WSC_OK) {
        return WSC_DECLINED;
    }

    *reason = wsc_jwt_sub(&set, buf, claims);

    if (*reason == NULL) {
        *reason = wsc_jwt_times(&set, now, claims);
    }

    if (*reason == NULL) {
        *reason = wsc_jwt_parties(policy, &set);
    }

    if (*reason == NULL) {
        *reason = wsc_jwt_rights(&set, claims);
    }

    return *reason ? WSC_DECLINED : WSC_OK;
}


/* Each returns why it is refused, or NULL. */

static const char *
wsc_jwt_sub(const wsc_jwt_set_t *set, wsc_jwt_buf_t *buf,
    wsc_jwt_claims_t *claims)
{
    if (wsc_jwt_text(&set->m[WSC_JWT_C_SUB].value, buf->sub, WSC_MAX_USER,
                     &claims->sub)
        != WSC_OK
        || !wsc_user_valid(&claims->sub))
    {
        return "its \"sub\" is no user";
    }

    return NULL;
}


static const char *
wsc_jwt_times(const wsc_jwt_set_t *set, uint64_t now, wsc_jwt_claims_t *claims)
{
    uint64_t          at;
    const wsc_str_t  *nbf, *iat;

    nbf = &set->m[WSC_JWT_C_NBF].value;
    iat = &set->m[WSC_JWT_C_IAT].value;

    if (wsc_jwt_time(&set->m[WSC_JWT_C_EXP].value, &claims->exp) != WSC_OK) {
        return "its \"exp\" is no time";
    }

    if (now >= claims->exp + WSC_JWT_LEEWAY) {
        return "it has expired";
    }

    if (nbf->data) {

        if (wsc_jwt_time(nbf, &at) != WSC_OK) {
            return "its \"nbf\" is no time";
        }

        if (at > now + WSC_JWT_LEEWAY) {
            return "it is not valid yet";
        }
    }

    if (iat->data) {

        if (wsc_jwt_time(iat, &at) != WSC_OK) {
            return "its \"iat\" is no time";
        }

        if (at > now + WSC_JWT_LEEWAY) {
            return "it was issued in the future";
        }
    }

    return NULL;
}


/* NumericDate of RFC 7519 section 2: fractions are allowed. */

static ssize_t
wsc_jwt_time(const wsc_str_t *value, uint64_t *sec)
{
    double  v;

    if (value->len == 0 || value->data[0] < '0' || value->data[0] > '9') {
        return WSC_DECLINED;
    }

    v = wsc_number_double(value->data, value->len);

    if (!(v < (double) WSC_MAX_INTEGER)) {
        return WSC_DECLINED;
    }

    *sec = (uint64_t) v;

    return WSC_OK;
}


static const char *
wsc_jwt_parties(const wsc_jwt_policy_t *policy, const wsc_jwt_set_t *set)
{
    int               it, found;
    ssize_t           rc;
    wsc_str_t         one;
    const u_char     *p, *last;
    const wsc_str_t  *iss, *aud;

    iss = &set->m[WSC_JWT_C_ISS].value;
    aud = &set->m[WSC_JWT_C_AUD].value;

    if (iss->data && iss->data[0] != '"') {
        return "its \"iss\" is no string";
    }

    if (policy->issuer.len && !wsc_jwt_means(iss, &policy->issuer)) {
        return "it has another issuer";
    }

    found = policy->naudiences == 0;

    if (aud->data && aud->data[0] == '"') {
        found |= wsc_jwt_audience(policy, aud);

    } else if (aud->data) {
        it = 0;
        p = aud->data;
        last = p + aud->len;

        while ((rc = wsc_jwt_strings(&p, last, &it, &one)) == WSC_OK) {
            found |= wsc_jwt_audience(policy, &one);
        }

        if (rc != WSC_DONE) {
            return "its \"aud\" is neither a string nor an array of them";
        }
    }

    return found ? NULL : "it is for another audience";
}


static int
wsc_jwt_means(const wsc_str_t *value, const wsc_str_t *text)
{
    u_char     buf[WSC_JWT_MAX];
    wsc_str_t  s;

    return wsc_jwt_text(value, buf, WSC_JWT_MAX, &s) == WSC_OK
           && wsc_str_same(&s, text);
}


static int
wsc_jwt_audience(const wsc_jwt_policy_t *policy, const wsc_str_t *value)
{
    size_t  i;

    for (i = 0; i < policy->naudiences; i++) {
        if (wsc_jwt_means(value, &policy->audiences[i])) {
            return 1;
        }
    }

    return 0;
}


static const char *
wsc_jwt_rights(const wsc_jwt_set_t *set, wsc_jwt_claims_t *claims)
{
    const wsc_str_t   *info, *moderate, *chat;
    wsc_jwt_member_t   m[] = {
        { "join", wsc_null_string },
        { "send", wsc_null_string }
    };

    info = &set->m[WSC_JWT_C_INFO].value;
    moderate = &set->m[WSC_JWT_C_MODERATE].value;
    chat = &set->m[WSC_JWT_C_CHAT].value;

    if (info->len > WSC_JWT_INFO) {
        return "its \"info\" is longer than 1 KiB";
    }

    if (info->len && info->data[0] != 'n') {
        claims->info = *info;
    }

    if (moderate->data) {

        if (moderate->data[0] != 't' && moderate->data[0] != 'f') {
            return "its \"moderate\" is neither true nor false";
        }

        claims->moderate = (moderate->data[0] == 't');
    }

    if (chat->data == NULL) {
        return NULL;
    }

    if (wsc_jwt_members(chat, m, 2) != WSC_OK
        || !wsc_jwt_patterns(&m[0].value) || !wsc_jwt_patterns(&m[1].value))
    {
        return "its \"chat\" is no {join, send} of patterns";
    }

    claims->join = m[0].value;
    claims->send = m[1].value;

    return NULL;
}


static int
wsc_jwt_patterns(const wsc_str_t *value)
{
    int            it;
    u_char         text[WSC_JWT_PATTERN];
    ssize_t        rc;
    wsc_str_t      one, pattern;
    const u_char  *p, *last;

    if (value->data == NULL) {
        return 1;
    }

    it = 0;
    p = value->data;
    last = p + value->len;

    while ((rc = wsc_jwt_strings(&p, last, &it, &one)) == WSC_OK) {

        if (wsc_jwt_text(&one, text, WSC_JWT_PATTERN, &pattern) != WSC_OK
            || !wsc_grant_pattern_valid(&pattern))
        {
            return 0;
        }
    }

    return rc == WSC_DONE;
}

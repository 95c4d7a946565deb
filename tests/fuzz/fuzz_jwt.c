
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A token; and the same octets as a file of keys, and as a payload whose
 * signature was right.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_grant.h"


#define fuzz_require(condition)  if (!(condition)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *fuzz_alloc(void *ctx, size_t size);
static void fuzz_free(void *ctx, void *p);
static void fuzz_keys(const wsc_str_t *text);
static void fuzz_token(const wsc_str_t *text);
static void fuzz_claims(const wsc_str_t *text);
static void fuzz_grant(const wsc_jwt_claims_t *claims);


static const wsc_alloc_t  fuzz_memory = { fuzz_alloc, fuzz_free, NULL };


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsc_str_t  text;

    text.data = (u_char *) data;
    text.len = size;

    if (size == 0) {
        return 0;
    }

    fuzz_keys(&text);
    fuzz_token(&text);

    if (size <= WSC_JWT_MAX) {
        fuzz_claims(&text);
    }

    return 0;
}


static void *
fuzz_alloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
fuzz_free(void *ctx, void *p)
{
    free(p);
}


static void
fuzz_keys(const wsc_str_t *text)
{
    ssize_t          rc;
    const char      *reason;
    wsc_jwt_keys_t   keys;
    wsc_jwt_want_t   want;

    memset(&want, 0, sizeof(wsc_jwt_want_t));
    wsc_jwt_keys_init(&keys, &fuzz_memory);

    reason = NULL;
    rc = wsc_jwt_keys_load(&keys, text, &want, &reason);

    fuzz_require(rc == WSC_OK || rc == WSC_DECLINED);
    fuzz_require(rc == WSC_OK || reason);
    fuzz_require(rc == WSC_DECLINED || keys.n);

    wsc_jwt_keys_free(&keys);
}


/* Nobody can sign for a secret that is not known. */

static void
fuzz_token(const wsc_str_t *text)
{
    ssize_t            rc;
    wsc_str_t          secret = wsc_string("unknown secret of 32 octets now!");
    const char        *reason;
    wsc_jwt_buf_t      buf;
    wsc_jwt_keys_t     keys;
    wsc_jwt_want_t     want;
    wsc_jwt_claims_t   claims;
    wsc_jwt_policy_t   policy;

    memset(&want, 0, sizeof(wsc_jwt_want_t));
    memset(&policy, 0, sizeof(wsc_jwt_policy_t));
    policy.keys = &keys;

    wsc_jwt_keys_init(&keys, &fuzz_memory);
    fuzz_require(wsc_jwt_keys_load(&keys, &secret, &want, &reason)
                 == WSC_OK);

    reason = NULL;
    rc = wsc_jwt_read(&policy, &fuzz_memory, text, 1000000, &buf, &claims,
                      &reason);

    fuzz_require(rc == WSC_DECLINED && reason);

    wsc_jwt_keys_free(&keys);
}


static void
fuzz_claims(const wsc_str_t *text)
{
    ssize_t            rc;
    const char        *reason;
    wsc_jwt_buf_t      buf;
    wsc_jwt_claims_t   claims;
    wsc_jwt_policy_t   policy;

    memset(&policy, 0, sizeof(wsc_jwt_policy_t));

    reason = NULL;
    rc = wsc_jwt_claims(&policy, &fuzz_memory, text, 1000000, &buf, &claims,
                        &reason);

    fuzz_require(rc == WSC_OK || (rc == WSC_DECLINED && reason));

    if (rc == WSC_OK) {
        fuzz_require(wsc_user_valid(&claims.sub));
        fuzz_require(claims.exp + WSC_JWT_LEEWAY > 1000000);
        fuzz_require(claims.info.len <= WSC_JWT_INFO);
        fuzz_grant(&claims);
    }
}


static void
fuzz_grant(const wsc_jwt_claims_t *claims)
{
    wsc_str_t     id = wsc_string("aaab");
    wsc_grant_t  *g;

    g = wsc_grant_create(&fuzz_memory, claims);
    fuzz_require(g);

    fuzz_require(wsc_grant_allows(g, WSC_GRANT_JOIN, &id)
                 || claims->join.data);
    fuzz_require(wsc_grant_allows(g, WSC_GRANT_SEND, &id)
                 || claims->send.data);
    fuzz_require(g->info.len == claims->info.len);

    free(g);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Tokens: JSON Web Signature in its compact form (RFC 7515) around JSON Web
 * Token claims (RFC 7519), read as RFC 8725 advises.  Nothing is fetched and
 * no key is taken from a token.
 */


#ifndef _WSC_JWT_H_INCLUDED_
#define _WSC_JWT_H_INCLUDED_


#include "wsc_jwt_key.h"
#include "wsc_value.h"


#define WSC_JWT_MAX      4096    /* octets of a token */
#define WSC_JWT_INFO     1024    /* octets of `info` as JSON text */
#define WSC_JWT_PATTERN  255     /* octets of a pattern of chat ids */
#define WSC_JWT_LEEWAY   30      /* seconds that clocks may differ */


/* Who has to have issued it, and for whom. */

typedef struct {
    const wsc_jwt_keys_t  *keys;
    wsc_str_t              issuer;       /* len 0: anybody */
    const wsc_str_t       *audiences;    /* one of them has to be named */
    size_t                 naudiences;   /* 0: whatever is named */
} wsc_jwt_policy_t;


/* What a token says; the strings lie in the buffer it was read to. */

typedef struct wsc_jwt_claims_s {
    wsc_str_t           sub;          /* a valid user */
    uint64_t            exp;          /* s since 1970, below 2^53 */
    wsc_str_t           info;         /* JSON text; len 0: none */
    wsc_str_t           join;         /* array of patterns, JSON text; */
    wsc_str_t           send;         /* data NULL: all chats */
    unsigned            moderate:1;
} wsc_jwt_claims_t;


/* Memory for one token at a time. */

typedef struct {
    u_char              payload[WSC_JWT_MAX];
    u_char              sub[WSC_MAX_USER];
} wsc_jwt_buf_t;


/*
 * Reads a token and checks all of it at `now` (s since 1970).  WSC_OK: *claims
 * is what it says; WSC_DECLINED with *reason (static, for a log, not for the
 * other side); WSC_ERROR: no memory (keys of its JSON are compared through
 * alloc).
 */
ssize_t wsc_jwt_read(const wsc_jwt_policy_t *policy, const wsc_alloc_t *alloc,
    const wsc_str_t *token, uint64_t now, wsc_jwt_buf_t *buf,
    wsc_jwt_claims_t *claims, const char **reason);

/*
 * The first half of it: header and signature.  *payload lies in buf, and may
 * be any octets.
 */
ssize_t wsc_jwt_open(const wsc_jwt_keys_t *keys, const wsc_alloc_t *alloc,
    const wsc_str_t *token, wsc_jwt_buf_t *buf, wsc_str_t *payload,
    const char **reason);

/* The second half: the claims in a payload whose signature was right. */
ssize_t wsc_jwt_claims(const wsc_jwt_policy_t *policy,
    const wsc_alloc_t *alloc, const wsc_str_t *payload, uint64_t now,
    wsc_jwt_buf_t *buf, wsc_jwt_claims_t *claims, const char **reason);


#endif /* _WSC_JWT_H_INCLUDED_ */

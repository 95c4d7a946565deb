
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The keys that tokens are checked with.  Each has its algorithm from the
 * configuration: what a token says of itself only has to agree.
 */


#ifndef _WSC_JWT_KEY_H_INCLUDED_
#define _WSC_JWT_KEY_H_INCLUDED_


#include "wsc_base.h"


#define WSC_JWT_KEYS        32    /* the most that are loaded */
#define WSC_JWT_KID         255   /* the longest kid, in octets */
#define WSC_JWT_SECRET_MIN  32    /* octets of a secret, RFC 7518, 3.2 */
#define WSC_JWT_RSA_MIN     2048  /* bits of a modulus, 3.3 */


typedef enum {
    WSC_JWT_NONE = 0,
    WSC_JWT_HS256,                /* HMAC with SHA-256 */
    WSC_JWT_RS256,                /* RSASSA-PKCS1-v1_5 with SHA-256 */
    WSC_JWT_ES256,                /* ECDSA with P-256 and SHA-256 */
    WSC_JWT_EDDSA                 /* Ed25519, RFC 8037 */
} wsc_jwt_alg_e;


typedef struct wsc_jwt_key_s  wsc_jwt_key_t;

struct wsc_jwt_key_s {
    wsc_jwt_key_t      *next;
    wsc_jwt_alg_e       alg;
    void               *pkey;         /* EVP_PKEY; NULL: a secret */
    wsc_str_t           secret;
    wsc_str_t           kid;          /* len 0: it has none */
    u_char              data[];       /* secret and kid */
};


typedef struct {
    const wsc_alloc_t  *alloc;
    wsc_jwt_key_t      *first;
    wsc_jwt_key_t     **last;
    size_t              n;
} wsc_jwt_keys_t;


/* What a file of keys is chosen and named by; both may be empty. */

typedef struct {
    wsc_jwt_alg_e       alg;          /* WSC_JWT_NONE: the key tells */
    wsc_str_t           kid;
} wsc_jwt_want_t;


/* Starts empty; nothing is allocated.  It may not move afterwards. */
void wsc_jwt_keys_init(wsc_jwt_keys_t *keys, const wsc_alloc_t *alloc);

/* Frees all keys; it is empty and usable afterwards. */
void wsc_jwt_keys_free(wsc_jwt_keys_t *keys);

/*
 * Adds what a file holds: public keys in PEM, a JWK or JWK set (RFC 7517), of
 * which those are taken that check signatures by an algorithm known here and
 * agree with `want`; anything else is a secret for HS256, but for the end of
 * its last line.  WSC_OK; WSC_DECLINED with *reason (static, to follow the
 * name of the file); WSC_ERROR: no memory.
 */
ssize_t wsc_jwt_keys_load(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason);

/* The algorithm of a name (RFC 7518 section 3.1), or WSC_JWT_NONE. */
wsc_jwt_alg_e wsc_jwt_alg(const wsc_str_t *name);

/*
 * 1 if the signature of data is right.  Nothing of it is used but as the key's
 * own algorithm says.
 */
int wsc_jwt_key_check(const wsc_jwt_key_t *key, const wsc_str_t *data,
    const wsc_str_t *signature);


#endif /* _WSC_JWT_KEY_H_INCLUDED_ */

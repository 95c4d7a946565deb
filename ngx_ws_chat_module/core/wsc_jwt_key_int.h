
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Inside wsc_jwt_key only.
 */


#ifndef _WSC_JWT_KEY_INT_H_INCLUDED_
#define _WSC_JWT_KEY_INT_H_INCLUDED_


#include "wsc_jwt_key.h"


/*
 * Adds a key, of which pkey (EVP_PKEY, then taken over in any case) or secret
 * is given: the algorithm is that of its kind, which must be `alg` unless that
 * is WSC_JWT_NONE.  As wsc_jwt_keys_load() returns.
 */
ssize_t wsc_jwt_keys_add(wsc_jwt_keys_t *keys, void *pkey,
    const wsc_str_t *secret, wsc_jwt_alg_e alg, const wsc_str_t *kid,
    const char **reason);

/* The part of wsc_jwt_keys_load() for JSON. */
ssize_t wsc_jwt_keys_json(wsc_jwt_keys_t *keys, const wsc_str_t *text,
    const wsc_jwt_want_t *want, const char **reason);


#endif /* _WSC_JWT_KEY_INT_H_INCLUDED_ */

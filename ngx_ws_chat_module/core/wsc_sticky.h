
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The cookie by which a front knows which node took a client: its keys, its
 * value, and how it is found in a request.
 *
 * The value is a MAC of the node's address and the cookie's name, and nothing
 * else: it shows no address, and since whoever holds the key can compute the
 * values of all nodes, it is name and proof in one.  There is nothing in it
 * to parse: what equals no node's value is not from here.
 */


#ifndef _WSC_STICKY_H_INCLUDED_
#define _WSC_STICKY_H_INCLUDED_


#include "wsc_base.h"


#define WSC_STICKY_LEN    43     /* base64url of 32 octets */
#define WSC_STICKY_KEYS   4      /* the most keys of a file */
#define WSC_STICKY_KEY    32     /* the fewest octets of a key */
#define WSC_STICKY_NAME   64     /* the longest name of a cookie */
#define WSC_STICKY_PEER   256    /* the longest address of a node */


/*
 * Takes the content of a key file apart; keys point into it.  Text has a key
 * in each line, the first signs and all are accepted; empty lines are passed
 * over.  Content with other octets than printable ASCII and line ends is one
 * key.  Returns the number of keys (1 .. WSC_STICKY_KEYS), or WSC_ERROR and
 * what is wrong in *reason (static).
 */
ssize_t wsc_sticky_keys(const wsc_str_t *text,
    wsc_str_t keys[WSC_STICKY_KEYS], const char **reason);

/*
 * Writes the WSC_STICKY_LEN octets that stand for the peer, an address as
 * text, in the cookie of this name.  WSC_ERROR: a name is too long, or there
 * is no memory.
 */
ssize_t wsc_sticky_value(const wsc_str_t *key, const wsc_str_t *cookie,
    const wsc_str_t *peer, u_char *out);

/* 1 if it is the value, WSC_STICKY_LEN octets; takes the same time if not. */
int wsc_sticky_equal(const wsc_str_t *cookie, const u_char *value);


#endif /* _WSC_STICKY_H_INCLUDED_ */

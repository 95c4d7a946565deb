
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Finds repeated keys in nested objects while they are read: a stack of keys,
 * of which an object that ends takes its own off.  Cost grows as n log n with
 * the keys of an object, whatever they are.
 */


#ifndef _WSC_KEYS_H_INCLUDED_
#define _WSC_KEYS_H_INCLUDED_


#include "wsc_base.h"


#define WSC_KEYS_FEW  32     /* so many keys need no memory */


typedef struct {
    wsc_str_t           text;
    uint32_t            hash;
    unsigned            escaped:1;    /* JSON text with a backslash in it */
} wsc_key_t;


typedef struct {
    const wsc_alloc_t  *alloc;
    wsc_key_t          *items;
    size_t              n;
    size_t              size;
    wsc_key_t           few[WSC_KEYS_FEW];
} wsc_keys_t;


/* An empty stack; nothing is allocated.  It may not move afterwards. */
void wsc_keys_init(wsc_keys_t *k, const wsc_alloc_t *alloc);

/*
 * Pushes a key: its octets, or with escaped set its JSON text without quotes;
 * they stay where they are until taken off.  WSC_OK or WSC_ERROR (no memory).
 */
ssize_t wsc_keys_add(wsc_keys_t *k, const u_char *p, size_t len, int escaped);

/* Takes off all keys above the first `start`; 1 if two of these are equal. */
int wsc_keys_close(wsc_keys_t *k, size_t start);

/* Gives the memory back. */
void wsc_keys_free(wsc_keys_t *k);


#endif /* _WSC_KEYS_H_INCLUDED_ */

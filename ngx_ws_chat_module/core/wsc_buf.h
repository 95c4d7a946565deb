
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A growable output buffer with a sticky error: writers append without
 * looking, the owner looks once at the end.
 */


#ifndef _WSC_BUF_H_INCLUDED_
#define _WSC_BUF_H_INCLUDED_


#include "wsc_base.h"


typedef struct {
    const wsc_alloc_t  *alloc;
    u_char             *data;
    size_t              len;
    size_t              size;
    unsigned            failed:1;   /* an allocation failed: data is short */
} wsc_buf_t;


/* Starts empty; nothing is allocated.  The buffer owns its data. */
void wsc_buf_init(wsc_buf_t *b, const wsc_alloc_t *alloc);

/* Empties it for re-use; memory above keep bytes is given back. */
void wsc_buf_reset(wsc_buf_t *b, size_t keep);

/* Frees the data; the buffer is empty and usable afterwards. */
void wsc_buf_free(wsc_buf_t *b);

/*
 * Makes room for n more bytes and returns where they go (len unchanged),
 * or NULL with failed set.
 */
u_char *wsc_buf_reserve(wsc_buf_t *b, size_t n);

/* The same, but never owns more than max octets: len + n over max fails. */
u_char *wsc_buf_reserve_max(wsc_buf_t *b, size_t n, size_t max);

/* Appends n bytes (p may not point into the buffer). */
void wsc_buf_add(wsc_buf_t *b, const void *p, size_t n);

/* Appends one byte. */
void wsc_buf_byte(wsc_buf_t *b, u_char ch);


#endif /* _WSC_BUF_H_INCLUDED_ */

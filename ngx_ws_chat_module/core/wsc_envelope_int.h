
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Inside wsc_envelope only: elements one by one, and the parts of news and
 * changes.
 */


#ifndef _WSC_ENVELOPE_INT_H_INCLUDED_
#define _WSC_ENVELOPE_INT_H_INCLUDED_


#include "wsc_envelope.h"
#include "wsc_msgpack.h"


#define WSC_ENVELOPE_ENTRY_N    6     /* elements */
#define WSC_ENVELOPE_FIRST_N    8
#define WSC_ENVELOPE_MESSAGE_N  10
#define WSC_ENVELOPE_NUMBER_N   3
#define WSC_ENVELOPE_NEWS_N     6     /* without notes */
#define WSC_ENVELOPE_CHANGE_N   10


/* Reads element after element; failed is sticky. */

typedef struct {
    const u_char       *p;
    const u_char       *last;
    unsigned            failed:1;
} wsc_envelope_in_t;


/* An unsigned integer below 2^53, else it has failed. */
uint64_t wsc_envelope_uint(wsc_envelope_in_t *in);

/* A str or bin, else it has failed; s points into the input. */
void wsc_envelope_str(wsc_envelope_in_t *in, wsc_str_t *s,
    wsc_msgpack_type_e *type);

/* Appends JSON text as str, octets as bin. */
void wsc_envelope_value(wsc_buf_t *b, const wsc_value_t *value);

/* Read what is behind the kind; n: elements of the whole array. */
void wsc_envelope_entry_read(wsc_envelope_in_t *in, size_t n,
    wsc_envelope_t *v);
void wsc_envelope_news_read(wsc_envelope_in_t *in, size_t n,
    wsc_envelope_t *v);
void wsc_envelope_change_read(wsc_envelope_in_t *in, wsc_envelope_t *v);

/* Check names and values of what was read, as wsc_envelope_read() tells. */
ssize_t wsc_envelope_entry_check(const wsc_alloc_t *alloc,
    const wsc_envelope_t *v, const char **reason);
ssize_t wsc_envelope_news_check(const wsc_alloc_t *alloc,
    const wsc_envelope_t *v, const char **reason);
ssize_t wsc_envelope_change_check(const wsc_alloc_t *alloc,
    const wsc_envelope_t *v, const char **reason);


#endif /* _WSC_ENVELOPE_INT_H_INCLUDED_ */

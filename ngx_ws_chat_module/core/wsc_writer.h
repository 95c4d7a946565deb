
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Writes maps, arrays and values as JSON or msgpack, so that what is written
 * is described once.  A lack of memory shows in the buffer's failed flag.
 *
 *     wsc_writer_map(&w);
 *     wsc_writer_key(&w, "head");
 *     wsc_writer_uint(&w, 1);
 *     wsc_writer_end(&w);
 */


#ifndef _WSC_WRITER_H_INCLUDED_
#define _WSC_WRITER_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_value.h"


#define WSC_WRITER_LEVELS  16    /* deeper fails like a lack of memory */


typedef struct {
    size_t                 begin;
    uint32_t               n;        /* elements or pairs so far */
    unsigned               map;
} wsc_writer_level_t;


typedef struct {
    wsc_buf_t             *buf;
    wsc_enc_e              enc;
    unsigned               depth;
    unsigned               keyed;    /* a key was written, its value is next */
    wsc_writer_level_t     levels[WSC_WRITER_LEVELS + 1];
} wsc_writer_t;


/* Starts a value at the end of what the buffer holds; owns nothing. */
void wsc_writer_init(wsc_writer_t *w, wsc_buf_t *buf, wsc_enc_e enc);

/* Begin a map or an array; end the innermost. */
void wsc_writer_map(wsc_writer_t *w);
void wsc_writer_array(wsc_writer_t *w);
void wsc_writer_end(wsc_writer_t *w);

/* The key of the value that is written next; plain ASCII, no quotes. */
void wsc_writer_key(wsc_writer_t *w, const char *key);

/* The same, of any valid UTF-8. */
void wsc_writer_name(wsc_writer_t *w, const wsc_str_t *name);

/*
 * Pairs that were written before, by a writer of the same encoding that began
 * no map: n of them, at least one.
 */
void wsc_writer_pairs(wsc_writer_t *w, const wsc_str_t *pairs, uint32_t n);

void wsc_writer_null(wsc_writer_t *w);
void wsc_writer_bool(wsc_writer_t *w, int v);
void wsc_writer_uint(wsc_writer_t *w, uint64_t v);
void wsc_writer_int(wsc_writer_t *w, int64_t v);

/* s: valid UTF-8. */
void wsc_writer_str(wsc_writer_t *w, const wsc_str_t *s);
void wsc_writer_text(wsc_writer_t *w, const char *s);

/*
 * A checked chat message: JSON text as it is in JSON; octets as base64 there
 * (the caller adds "enc") and as bin in msgpack.
 */
void wsc_writer_value(wsc_writer_t *w, const wsc_value_t *v);


#endif /* _WSC_WRITER_H_INCLUDED_ */

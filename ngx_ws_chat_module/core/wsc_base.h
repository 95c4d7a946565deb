
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What every core file shares: return codes, strings, positions, memory.
 * The core does no I/O, reads no clock and keeps no global state.
 */


#ifndef _WSC_BASE_H_INCLUDED_
#define _WSC_BASE_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>


/* One convention for the whole core; test with ==. */

#define WSC_OK         0      /* done */
#define WSC_ERROR     -1      /* cannot go on (no memory, bad input) */
#define WSC_AGAIN     -2      /* more input is needed */
#define WSC_DONE      -4      /* the end of what is iterated over */
#define WSC_DECLINED  -5      /* not found, refused, not for us */


/* Bytes owned by somebody else; not terminated. */

typedef struct {
    size_t           len;
    u_char          *data;
} wsc_str_t;


#define wsc_string(s)     { sizeof(s) - 1, (u_char *) s }
#define wsc_null_string   { 0, NULL }


/* A place in a chat; ordered by epoch, then seq (see wsc_pos_cmp). */

typedef struct {
    uint64_t         epoch;   /* ms since 1970, below 2^53 */
    uint64_t         seq;     /* 1 .. 2^53 - 1; 0: before the first */
} wsc_pos_t;


/*
 * Memory is an argument.  alloc() may return NULL at any time, which is a
 * normal answer; free() accepts NULL.
 */

typedef struct {
    void          *(*alloc)(void *ctx, size_t size);
    void           (*free)(void *ctx, void *p);
    void            *ctx;
} wsc_alloc_t;


#define wsc_alloc(a, size)  (a)->alloc((a)->ctx, size)
#define wsc_free(a, p)      (a)->free((a)->ctx, p)


/* < 0, 0, > 0 as a stands before, at or after b. */

static inline int
wsc_pos_cmp(wsc_pos_t a, wsc_pos_t b)
{
    if (a.epoch != b.epoch) {
        return (a.epoch < b.epoch) ? -1 : 1;
    }

    if (a.seq != b.seq) {
        return (a.seq < b.seq) ? -1 : 1;
    }

    return 0;
}


/* 1: both hold the same octets, perhaps none. */

static inline int
wsc_str_same(const wsc_str_t *a, const wsc_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


/* 1: the string is this text. */

static inline int
wsc_str_is(const wsc_str_t *s, const char *text)
{
    return s->len == strlen(text)
           && (s->len == 0 || memcmp(s->data, text, s->len) == 0);
}


#endif /* _WSC_BASE_H_INCLUDED_ */

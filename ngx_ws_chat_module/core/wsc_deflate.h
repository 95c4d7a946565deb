
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * permessage-deflate (RFC 7692) on zlib: compression of messages, each by
 * itself or with what came before, and bounded inflation.  Negotiation is in
 * wsc_handshake.
 */


#ifndef _WSC_DEFLATE_H_INCLUDED_
#define _WSC_DEFLATE_H_INCLUDED_


#include "wsc_buf.h"


typedef struct wsc_deflate_s  wsc_deflate_t;
typedef struct wsc_inflate_s  wsc_inflate_t;


#define WSC_DEFLATE_MAX  0x7fffffff    /* octets a call takes */


/* What both sides agreed on (RFC 7692 section 7.1). */

typedef struct {
    unsigned         server_window:5;           /* 9..15; 8 in an answer */
    unsigned         client_window:5;           /* 8..15 */
    unsigned         server_no_takeover:1;
    unsigned         client_no_takeover:1;
} wsc_deflate_params_t;


/*
 * A compressor: window 9..15, level 1..9.  With a window of 13 it takes
 * 64 KB, of 15 256 KB.  NULL: no memory, or out of these.
 */
wsc_deflate_t *wsc_deflate_create(const wsc_alloc_t *alloc, int window,
    int level);

/*
 * Appends the compressed message (section 7.2.1, without the 00 00 ff ff
 * tail) to out.  WSC_OK (an empty message is one zero octet, 7.2.3.6);
 * WSC_DECLINED: it would not get smaller or is over WSC_DEFLATE_MAX octets;
 * WSC_ERROR: no memory (out->failed).  Unless WSC_OK, out->len is unchanged.
 */
ssize_t wsc_deflate_message(wsc_deflate_t *d, const u_char *p, size_t len,
    wsc_buf_t *out);

/*
 * The same, but the message may refer to those before it (section 7.2.3.2),
 * unless `fresh`: who gets it has to have got all others since the last fresh
 * one, and nothing compressed in between.  What does not get smaller grows by
 * a few octets.  WSC_DECLINED: over WSC_DEFLATE_MAX octets; WSC_ERROR: no
 * memory.  Unless WSC_OK, the next one has to be fresh.
 */
ssize_t wsc_deflate_next(wsc_deflate_t *d, int fresh, const u_char *p,
    size_t len, wsc_buf_t *out);

void wsc_deflate_destroy(wsc_deflate_t *d);


/*
 * window 8..15 (8 is taken as 9, as zlib needs).  NULL: no memory.  Data that
 * reaches back further than the window may be refused, but need not.
 */
wsc_inflate_t *wsc_inflate_create(const wsc_alloc_t *alloc, int window);

/*
 * Inflates a piece of a message and appends it to out, whose len may not
 * exceed limit; in bounded steps, so that nothing larger is ever allocated.
 * last: the message ends here (the tail of section 7.2.2 is supplied).
 * WSC_OK; WSC_DECLINED: over the limit (of out or of WSC_DEFLATE_MAX);
 * WSC_ERROR: not deflate data, cut short, or no memory (out->failed).  What
 * was good until then is in out; only reset or destroy may follow an error.
 */
ssize_t wsc_inflate_piece(wsc_inflate_t *i, const u_char *p, size_t len,
    int last, size_t limit, wsc_buf_t *out);

/* Forgets the history (between messages without context takeover). */
void wsc_inflate_reset(wsc_inflate_t *i);

/* Octets of memory it owns. */
size_t wsc_inflate_memory(const wsc_inflate_t *i);

void wsc_inflate_destroy(wsc_inflate_t *i);


#endif /* _WSC_DEFLATE_H_INCLUDED_ */

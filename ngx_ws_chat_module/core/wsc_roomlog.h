
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The room log: the frames of one chat in one encoding, appended once and read
 * by any number of cursors.  A cursor is an absolute octet offset, kept by
 * the reader; the log knows its frames' ends and positions, so that a reader
 * that lags can be moved and told what it missed.
 */


#ifndef _WSC_ROOMLOG_H_INCLUDED_
#define _WSC_ROOMLOG_H_INCLUDED_


#include "wsc_base.h"


typedef struct wsc_chunk_s  wsc_chunk_t;


typedef struct {
    const wsc_alloc_t  *alloc;
    wsc_chunk_t        *first;        /* NULL: nothing is retained */
    wsc_chunk_t        *last;
    uint64_t            start;        /* offset of the oldest octet retained */
    uint64_t            end;          /* offset behind the newest */
    wsc_pos_t           before;       /* position of the last tagged frame
                                         that ends at or before start */
    wsc_pos_t           tail;         /* position of the last tagged frame */
} wsc_roomlog_t;


/* Where octets of the log lie: for writev(). */

typedef struct {
    u_char             *data;
    size_t              len;
} wsc_slice_t;


/* An empty log whose messages so far end at pos.  Nothing is allocated. */
void wsc_roomlog_init(wsc_roomlog_t *l, const wsc_alloc_t *alloc,
    wsc_pos_t pos);

/*
 * Appends one frame of hlen + len octets.  pos: the message's position, or
 * NULL for a frame that carries none.  A frame lies in one piece and never
 * moves.  WSC_OK or WSC_ERROR (no memory: nothing changed).
 */
ssize_t wsc_roomlog_append(wsc_roomlog_t *l, const u_char *header,
    size_t hlen, const u_char *p, size_t len, const wsc_pos_t *pos);

/*
 * Fills at most n slices with the octets from offset `from` (start <= from <=
 * end) on, at most max octets unless 0; returns how many slices, and their
 * sum in *total.
 */
size_t wsc_roomlog_slices(const wsc_roomlog_t *l, uint64_t from, size_t max,
    wsc_slice_t *slices, size_t n, size_t *total);

/* The end of the frame that holds the octet before `at`; at if on a border. */
uint64_t wsc_roomlog_border(const wsc_roomlog_t *l, uint64_t at);

/* The position of the last tagged frame that ends at or before `at`. */
wsc_pos_t wsc_roomlog_position(const wsc_roomlog_t *l, uint64_t at);

/* Number of frames that end in (from, to], for counters. */
uint64_t wsc_roomlog_frames(const wsc_roomlog_t *l, uint64_t from,
    uint64_t to);

/* Gives back whole chunks before offset `to`; at end, everything. */
void wsc_roomlog_trim(wsc_roomlog_t *l, uint64_t to);

/* Octets of memory owned. */
size_t wsc_roomlog_memory(const wsc_roomlog_t *l);

void wsc_roomlog_free(wsc_roomlog_t *l);


#endif /* _WSC_ROOMLOG_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A reader of one chat over a lossy bus: puts messages in order and proves by
 * `prev` that none is missing.  pos <= last: dropped; prev <= last: delivered;
 * else held until what is missing came.  What does not come by itself is to be
 * read from the stream, which is the authority; if that has it no more, the
 * reader goes on with a gap.
 */


#ifndef _WSC_HOLDBACK_H_INCLUDED_
#define _WSC_HOLDBACK_H_INCLUDED_


#include "wsc_value.h"


#define WSC_HOLDBACK_HELD   256          /* messages */
#define WSC_HOLDBACK_BYTES  (256 * 1024)
#define WSC_HOLDBACK_WAIT   100          /* ms: then the stream is read */
#define WSC_HOLDBACK_GAP    2000         /* ms: then there is a gap */


typedef struct wsc_held_s  wsc_held_t;


typedef struct {
    const wsc_alloc_t   *alloc;
    wsc_pos_t            last;        /* delivered */
    wsc_held_t          *held;        /* ascending */
    wsc_held_t          *out;         /* given out last */
    size_t               bytes;       /* of these */
    uint64_t             since;       /* ms: when the first one was held; 0:
                                         none is */
    uint64_t             hinted;      /* ms: when hints were seen; 0: none */
    uint64_t             looked;      /* ms: when the last whole read began */
    uint32_t             n;           /* held */
    uint32_t             hints;       /* hinted messages not seen yet */
    unsigned             read:1;      /* to be read: some did not fit */
} wsc_holdback_t;


typedef enum {
    WSC_HOLDBACK_NONE = 0,
    WSC_HOLDBACK_READ,            /* read the stream behind last */
    WSC_HOLDBACK_SKIP             /* give up: wsc_holdback_skip() */
} wsc_holdback_e;


/* Nothing is allocated before something is held. */
void wsc_holdback_init(wsc_holdback_t *h, const wsc_alloc_t *alloc,
    wsc_pos_t last);

void wsc_holdback_free(wsc_holdback_t *h);

/*
 * A message came by the bus at `now` (ms of a clock that never is 0).
 * WSC_OK: deliver it, last has moved on to it, then see wsc_holdback_next();
 * WSC_DECLINED: it was there before; WSC_AGAIN: it is held (a copy), or will
 * be read again if there is no room.
 */
ssize_t wsc_holdback_message(wsc_holdback_t *h, const wsc_entry_t *e,
    uint64_t now);

/*
 * The same for an entry of the stream read behind last, ascending: it is never
 * held; if its prev is behind last, what was between is gone.
 */
ssize_t wsc_holdback_entry(wsc_holdback_t *h, const wsc_entry_t *e);

/*
 * The next held message that is due; last has moved on to it.  WSC_OK: its
 * strings live until the next call; WSC_DONE: none.
 */
ssize_t wsc_holdback_next(wsc_holdback_t *h, wsc_entry_t *e);

/* Gives the first held one though others are missing before it. */
ssize_t wsc_holdback_skip(wsc_holdback_t *h, wsc_entry_t *e);

/* A hint came: n messages were stored and will follow. */
void wsc_holdback_hint(wsc_holdback_t *h, uint64_t n, uint64_t now);

/*
 * The stream was read to its end as it stood at `started` (ms): hints from
 * before are settled; a hole that is still there is waited for, and read
 * again, until it is a gap.
 */
void wsc_holdback_was_read(wsc_holdback_t *h, uint64_t started);

/*
 * What is to be done at `now`; with NONE *due is when to ask again, 0: only
 * after something came.  reading: a read is under way.  Nothing is given up
 * that was not looked for in the stream.
 */
wsc_holdback_e wsc_holdback_due(const wsc_holdback_t *h, uint64_t now,
    int reading, uint64_t *due);


#endif /* _WSC_HOLDBACK_H_INCLUDED_ */

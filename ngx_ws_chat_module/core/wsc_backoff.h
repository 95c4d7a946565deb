
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Pauses between attempts: exponential, with full jitter, so that many that
 * failed at once do not come back at once.
 */


#ifndef _WSC_BACKOFF_H_INCLUDED_
#define _WSC_BACKOFF_H_INCLUDED_


#include "wsc_base.h"


typedef struct {
    uint32_t         base;        /* ms: the most before the first retry */
    uint32_t         cap;         /* ms: the most ever */
    uint32_t         stable;      /* ms a success has to last */
    uint32_t         attempt;     /* failures in a row */
} wsc_backoff_t;


/* base >= 1; a cap below base counts as base. */
void wsc_backoff_init(wsc_backoff_t *b, uint32_t base, uint32_t cap,
    uint32_t stable);

/*
 * Something failed: ms to wait, from 1 to min(cap, base * 2^failures before).
 * random: 32 random bits.
 */
uint32_t wsc_backoff_next(wsc_backoff_t *b, uint32_t random);

/*
 * A success ended after it lasted so many ms: it counts only if that is at
 * least `stable`, so that what succeeds and then fails does not storm.
 */
void wsc_backoff_lasted(wsc_backoff_t *b, uint64_t ms);


#endif /* _WSC_BACKOFF_H_INCLUDED_ */

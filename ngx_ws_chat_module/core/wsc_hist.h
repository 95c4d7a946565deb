
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * How long things took: a histogram with fixed bounds, from 100 us to 10 s.
 */


#ifndef _WSC_HIST_H_INCLUDED_
#define _WSC_HIST_H_INCLUDED_


#include "wsc_base.h"


#define WSC_HIST_BOUNDS  16


/* All zero at first; may lie in memory that others read meanwhile. */

typedef struct {
    uint64_t         counts[WSC_HIST_BOUNDS + 1];  /* the last: above all */
    uint64_t         sum;                          /* us */
} wsc_hist_t;


/* us; a value that is a bound counts below it. */
extern const uint32_t  wsc_hist_bounds[WSC_HIST_BOUNDS];

void wsc_hist_add(wsc_hist_t *h, uint64_t us);


#endif /* _WSC_HIST_H_INCLUDED_ */

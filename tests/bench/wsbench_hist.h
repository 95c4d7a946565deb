
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A log-linear histogram: 128 steps for each power of two, so that a value is
 * known to 0.8 percent at any size, in fixed memory.
 */


#ifndef _WSBENCH_HIST_H_INCLUDED_
#define _WSBENCH_HIST_H_INCLUDED_


#include <stdint.h>


#define WB_HIST_BITS   7
#define WB_HIST_STEPS  (1 << WB_HIST_BITS)
#define WB_HIST_MAX    41         /* values below 2^41 ns: 36 minutes */
#define WB_HIST_SIZE   ((WB_HIST_MAX - WB_HIST_BITS + 1) * WB_HIST_STEPS)


typedef struct {
    uint64_t  total;
    uint64_t  sum;
    uint64_t  min;
    uint64_t  max;
    uint64_t  counts[WB_HIST_SIZE];
} wb_hist_t;


/* All zero octets are an empty histogram, too. */
void wb_hist_add(wb_hist_t *h, uint64_t value);

/* Adds all that is in other to h. */
void wb_hist_merge(wb_hist_t *h, const wb_hist_t *other);

/*
 * The value that percent of all values do not exceed (0..100), as the upper
 * end of its step and at most the maximum; 0 when empty.
 */
uint64_t wb_hist_percentile(const wb_hist_t *h, double percent);


#endif /* _WSBENCH_HIST_H_INCLUDED_ */

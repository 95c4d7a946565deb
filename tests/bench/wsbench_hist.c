
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <math.h>

#include "wsbench_hist.h"


static unsigned wb_hist_index(uint64_t value);
static uint64_t wb_hist_value(unsigned index);


void
wb_hist_add(wb_hist_t *h, uint64_t value)
{
    if (h->total == 0 || value < h->min) {
        h->min = value;
    }

    if (value > h->max) {
        h->max = value;
    }

    h->total++;
    h->sum += value;
    h->counts[wb_hist_index(value)]++;
}


void
wb_hist_merge(wb_hist_t *h, const wb_hist_t *other)
{
    unsigned  i;

    if (other->total == 0) {
        return;
    }

    if (h->total == 0 || other->min < h->min) {
        h->min = other->min;
    }

    if (other->max > h->max) {
        h->max = other->max;
    }

    h->total += other->total;
    h->sum += other->sum;

    for (i = 0; i < WB_HIST_SIZE; i++) {
        h->counts[i] += other->counts[i];
    }
}


uint64_t
wb_hist_percentile(const wb_hist_t *h, double percent)
{
    uint64_t  want, seen, value;
    unsigned  i;

    if (h->total == 0) {
        return 0;
    }

    want = (uint64_t) ceil((double) h->total * percent / 100);
    seen = 0;

    for (i = 0; i < WB_HIST_SIZE; i++) {
        seen += h->counts[i];

        if (seen >= want && seen > 0) {
            value = wb_hist_value(i);
            return (value < h->max) ? value : h->max;
        }
    }

    return h->max;
}


/*
 * Values below 2^(BITS + 1) have a counter each; above, the highest BITS + 1
 * bits choose the counter.
 */

static unsigned
wb_hist_index(uint64_t value)
{
    unsigned  shift;

    if (value >> WB_HIST_MAX) {
        return WB_HIST_SIZE - 1;
    }

    if (value < 2 * WB_HIST_STEPS) {
        return (unsigned) value;
    }

    shift = 63 - __builtin_clzll(value) - WB_HIST_BITS;

    return shift * WB_HIST_STEPS + (unsigned) (value >> shift);
}


/* The largest value of a counter. */

static uint64_t
wb_hist_value(unsigned index)
{
    unsigned  shift;

    if (index < 2 * WB_HIST_STEPS) {
        return index;
    }

    shift = index / WB_HIST_STEPS - 1;

    return ((uint64_t) (index - shift * WB_HIST_STEPS + 1) << shift) - 1;
}

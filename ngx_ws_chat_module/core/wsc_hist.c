
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_hist.h"


const uint32_t  wsc_hist_bounds[WSC_HIST_BOUNDS] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
    500000, 1000000, 2500000, 5000000, 10000000
};


void
wsc_hist_add(wsc_hist_t *h, uint64_t us)
{
    unsigned  i;

    for (i = 0; i < WSC_HIST_BOUNDS && us > wsc_hist_bounds[i]; i++) {
        /* void */
    }

    h->counts[i]++;
    h->sum += us;
}

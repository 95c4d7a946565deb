
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A token bucket.  A rate of n tokens a second is n thousandths of a token a
 * millisecond, so nothing is lost by rounding.
 */


#include "wsc_bucket.h"


#define WSC_BUCKET_TOKEN  1000


void
wsc_bucket_init(wsc_bucket_t *b, uint32_t burst, uint32_t now)
{
    b->milli = burst * WSC_BUCKET_TOKEN;
    b->last = now;
}


ssize_t
wsc_bucket_take(wsc_bucket_t *b, uint32_t rate, uint32_t burst, uint32_t now,
    uint32_t *retry_ms)
{
    uint32_t  missing;
    uint64_t  full, milli;

    full = (uint64_t) burst * WSC_BUCKET_TOKEN;
    milli = b->milli + (uint64_t) (uint32_t) (now - b->last) * rate;

    b->milli = (milli < full) ? milli : full;
    b->last = now;

    if (b->milli >= WSC_BUCKET_TOKEN) {
        b->milli -= WSC_BUCKET_TOKEN;
        return WSC_OK;
    }

    missing = WSC_BUCKET_TOKEN - b->milli;
    *retry_ms = rate ? (missing - 1) / rate + 1 : UINT32_MAX;

    return WSC_DECLINED;
}

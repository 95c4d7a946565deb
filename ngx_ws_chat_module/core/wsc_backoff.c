
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_backoff.h"


void
wsc_backoff_init(wsc_backoff_t *b, uint32_t base, uint32_t cap,
    uint32_t stable)
{
    b->base = base;
    b->cap = (cap < base) ? base : cap;
    b->stable = stable;
    b->attempt = 0;
}


uint32_t
wsc_backoff_next(wsc_backoff_t *b, uint32_t random)
{
    uint64_t  most;

    most = b->base;

    if (b->attempt < 32) {
        most <<= b->attempt;
        b->attempt++;

    } else {
        most = b->cap;
    }

    if (most > b->cap) {
        most = b->cap;
    }

    return 1 + (uint32_t) ((random * most) >> 32);
}


void
wsc_backoff_lasted(wsc_backoff_t *b, uint64_t ms)
{
    if (ms >= b->stable) {
        b->attempt = 0;
    }
}

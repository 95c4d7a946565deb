
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_pace.h"


#define WSC_PACE_LOOKS  16


#define wsc_pace_slot(p, tick)  (&(p)->booked[(tick) % WSC_PACE_TICKS])


static uint32_t wsc_pace_count(wsc_pace_t *p, uint32_t tick);
static void wsc_pace_add(wsc_pace_t *p, uint32_t tick);


uint32_t
wsc_pace_book(wsc_pace_t *p, uint32_t now, uint32_t window, uint32_t random)
{
    uint32_t  i, tick, count, best, least;

    best = now;
    least = UINT32_MAX;

    for (i = 0; i < WSC_PACE_LOOKS && least; i++) {

        tick = now + (uint32_t) ((random * ((uint64_t) window + 1)) >> 32);

        if (window >= WSC_PACE_TICKS) {
            return tick;
        }

        count = wsc_pace_count(p, tick);

        if (count < least) {
            least = count;
            best = tick;
        }

        random = random * 1664525 + 1013904223;
    }

    wsc_pace_add(p, best);

    return best;
}


static uint32_t
wsc_pace_count(wsc_pace_t *p, uint32_t tick)
{
    uint64_t  booked;

    booked = __atomic_load_n(wsc_pace_slot(p, tick), __ATOMIC_RELAXED);

    return ((uint32_t) (booked >> 32) == tick) ? (uint32_t) booked : 0;
}


static void
wsc_pace_add(wsc_pace_t *p, uint32_t tick)
{
    uint64_t  was, now, *slot;

    slot = wsc_pace_slot(p, tick);
    was = __atomic_load_n(slot, __ATOMIC_RELAXED);

    do {
        now = ((uint32_t) (was >> 32) == tick) ? was : (uint64_t) tick << 32;

    } while (!__atomic_compare_exchange_n(slot, &was, now + 1, 0,
                                          __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
}

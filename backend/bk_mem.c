
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "bk_mem.h"


static void *bk_mem_alloc(void *ctx, size_t size);
static void bk_mem_free(void *ctx, void *p);
static uint64_t bk_mem_clock(clockid_t id);


const wsc_alloc_t  bk_alloc = { bk_mem_alloc, bk_mem_free, NULL };


static void *
bk_mem_alloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
bk_mem_free(void *ctx, void *p)
{
    free(p);
}


uint64_t
bk_now(void)
{
    return bk_mem_clock(CLOCK_REALTIME);
}


uint64_t
bk_ticks(void)
{
    return bk_mem_clock(CLOCK_MONOTONIC);
}


static uint64_t
bk_mem_clock(clockid_t id)
{
    struct timespec  ts;

    clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


uint32_t
bk_random(void)
{
    uint32_t  v;

    if (getrandom(&v, sizeof(v), 0) != sizeof(v)) {
        v = (uint32_t) bk_ticks() * 2654435761u;
    }

    return v;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_mem_slab.h"
#include <malloc.h>


static void *ngx_ws_chat_mem_alloc(void *ctx, size_t size);
static void ngx_ws_chat_mem_free(void *ctx, void *p);


const wsc_alloc_t  ngx_ws_chat_alloc = {
    ngx_ws_chat_mem_alloc,
    ngx_ws_chat_mem_free,
    NULL
};


ngx_ws_chat_scratch_t  ngx_ws_chat_scratch;


static ngx_atomic_t   ngx_ws_chat_mem_own;
static ngx_atomic_t  *ngx_ws_chat_mem_count = &ngx_ws_chat_mem_own;


static void *
ngx_ws_chat_mem_alloc(void *ctx, size_t size)
{
    void  *p;

    p = ngx_ws_chat_mem_slab_alloc(size);

    if (p != NULL) {
        *ngx_ws_chat_mem_count += ngx_ws_chat_mem_slab_size(p);
        return p;
    }

    p = ngx_alloc(size, ngx_cycle->log);

    if (p != NULL) {
        *ngx_ws_chat_mem_count += malloc_usable_size(p);
    }

    return p;
}


static void
ngx_ws_chat_mem_free(void *ctx, void *p)
{
    if (p == NULL) {
        return;
    }

    if (ngx_ws_chat_mem_slab_owns(p)) {
        *ngx_ws_chat_mem_count -= ngx_ws_chat_mem_slab_size(p);
        ngx_ws_chat_mem_slab_free(p);
        return;
    }

    *ngx_ws_chat_mem_count -= malloc_usable_size(p);
    ngx_free(p);
}


void
ngx_ws_chat_mem_init(void)
{
    ngx_ws_chat_mem_slab_init();

    wsc_buf_init(&ngx_ws_chat_scratch.inflate, &ngx_ws_chat_alloc);
    wsc_buf_init(&ngx_ws_chat_scratch.event, &ngx_ws_chat_alloc);
    wsc_buf_init(&ngx_ws_chat_scratch.packed, &ngx_ws_chat_alloc);
    wsc_buf_init(&ngx_ws_chat_scratch.entry, &ngx_ws_chat_alloc);
}


void
ngx_ws_chat_mem_done(void)
{
    wsc_buf_free(&ngx_ws_chat_scratch.inflate);
    wsc_buf_free(&ngx_ws_chat_scratch.event);
    wsc_buf_free(&ngx_ws_chat_scratch.packed);
    wsc_buf_free(&ngx_ws_chat_scratch.entry);
}


void
ngx_ws_chat_mem_gauge(ngx_atomic_t *gauge)
{
    ngx_atomic_t  *count;

    count = (gauge != NULL) ? gauge : &ngx_ws_chat_mem_own;

    if (count != ngx_ws_chat_mem_count) {
        *count = *ngx_ws_chat_mem_count;
        ngx_ws_chat_mem_count = count;
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A region of address space, reserved once, holds blocks of 64 KiB; a block
 * holds objects of one size, handed out from its low end first, so that pages
 * never used are never touched.  An empty block is given back to the system.
 *
 *  | free block numbers (a stack) | block | block | ...
 */


#include "ngx_ws_chat_mem_slab.h"
#include <sys/mman.h>


#define NGX_WS_CHAT_SLAB_BLOCK    65536
#define NGX_WS_CHAT_SLAB_BLOCKS   65536
#define NGX_WS_CHAT_SLAB_STEP     8
#define NGX_WS_CHAT_SLAB_MAX      512
#define NGX_WS_CHAT_SLAB_CLASSES                                              \
    (NGX_WS_CHAT_SLAB_MAX / NGX_WS_CHAT_SLAB_STEP + 1)

#define NGX_WS_CHAT_SLAB_STACK                                                \
    (NGX_WS_CHAT_SLAB_BLOCKS * sizeof(uint32_t) / NGX_WS_CHAT_SLAB_BLOCK)


typedef struct {
    ngx_queue_t   queue;          /* of blocks with room, of its class */
    void         *free;           /* a list of objects given back */
    uint32_t      size;           /* of an object */
    uint32_t      used;           /* objects */
    uint32_t      begun;          /* octets from the start, ever used */
} ngx_ws_chat_slab_t;


static ngx_ws_chat_slab_t *ngx_ws_chat_mem_slab_block(ngx_uint_t class);
static ngx_uint_t ngx_ws_chat_mem_slab_full(ngx_ws_chat_slab_t *b);


static ngx_queue_t  ngx_ws_chat_slab_queues[NGX_WS_CHAT_SLAB_CLASSES];
static u_char      *ngx_ws_chat_slab_region;
static uint32_t    *ngx_ws_chat_slab_stack;
static ngx_uint_t   ngx_ws_chat_slab_nstack;
static ngx_uint_t   ngx_ws_chat_slab_next;


void
ngx_ws_chat_mem_slab_init(void)
{
#if (!defined(__SANITIZE_ADDRESS__) && NGX_PTR_SIZE == 8)

    size_t       size;
    u_char      *p;
    ngx_uint_t   i;

    if (ngx_ws_chat_slab_region) {
        return;
    }

    size = (size_t) NGX_WS_CHAT_SLAB_BLOCKS * NGX_WS_CHAT_SLAB_BLOCK;

    p = mmap(NULL, size + NGX_WS_CHAT_SLAB_BLOCK, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        return;
    }

    p = ngx_align_ptr(p, NGX_WS_CHAT_SLAB_BLOCK);

    (void) madvise(p, size, MADV_NOHUGEPAGE);

    for (i = 0; i < NGX_WS_CHAT_SLAB_CLASSES; i++) {
        ngx_queue_init(&ngx_ws_chat_slab_queues[i]);
    }

    ngx_ws_chat_slab_region = p;
    ngx_ws_chat_slab_stack = (uint32_t *) p;
    ngx_ws_chat_slab_next = NGX_WS_CHAT_SLAB_STACK;

#endif
}


void *
ngx_ws_chat_mem_slab_alloc(size_t size)
{
    void                **p;
    ngx_uint_t            class;
    ngx_queue_t          *q;
    ngx_ws_chat_slab_t   *b;

    if (size > NGX_WS_CHAT_SLAB_MAX || ngx_ws_chat_slab_region == NULL) {
        return NULL;
    }

    class = (size + NGX_WS_CHAT_SLAB_STEP - 1) / NGX_WS_CHAT_SLAB_STEP;
    class = ngx_max(class, 1);

    q = &ngx_ws_chat_slab_queues[class];

    if (ngx_queue_empty(q)) {
        b = ngx_ws_chat_mem_slab_block(class);

        if (b == NULL) {
            return NULL;
        }

    } else {
        b = ngx_queue_data(ngx_queue_head(q), ngx_ws_chat_slab_t, queue);
    }

    if (b->free) {
        p = b->free;
        b->free = *p;

    } else {
        p = (void **) ((u_char *) b + b->begun);
        b->begun += b->size;
    }

    b->used++;

    if (ngx_ws_chat_mem_slab_full(b)) {
        ngx_queue_remove(&b->queue);
    }

    return p;
}


static ngx_ws_chat_slab_t *
ngx_ws_chat_mem_slab_block(ngx_uint_t class)
{
    ngx_uint_t           n;
    ngx_ws_chat_slab_t  *b;

    if (ngx_ws_chat_slab_nstack) {
        n = ngx_ws_chat_slab_stack[--ngx_ws_chat_slab_nstack];

    } else if (ngx_ws_chat_slab_next < NGX_WS_CHAT_SLAB_BLOCKS) {
        n = ngx_ws_chat_slab_next++;

    } else {
        return NULL;
    }

    b = (ngx_ws_chat_slab_t *)
            (ngx_ws_chat_slab_region + n * NGX_WS_CHAT_SLAB_BLOCK);

    b->free = NULL;
    b->size = class * NGX_WS_CHAT_SLAB_STEP;
    b->used = 0;
    b->begun = ngx_align(sizeof(ngx_ws_chat_slab_t), NGX_WS_CHAT_SLAB_STEP);

    ngx_queue_insert_head(&ngx_ws_chat_slab_queues[class], &b->queue);

    return b;
}


static ngx_uint_t
ngx_ws_chat_mem_slab_full(ngx_ws_chat_slab_t *b)
{
    return b->free == NULL && b->begun + b->size > NGX_WS_CHAT_SLAB_BLOCK;
}


ngx_uint_t
ngx_ws_chat_mem_slab_owns(void *p)
{
    u_char  *base;

    base = ngx_ws_chat_slab_region;

    return base && (u_char *) p >= base
           && (size_t) ((u_char *) p - base)
              < (size_t) NGX_WS_CHAT_SLAB_BLOCKS * NGX_WS_CHAT_SLAB_BLOCK;
}


#define ngx_ws_chat_mem_slab_of(p)                                            \
    ((ngx_ws_chat_slab_t *)                                                   \
        ((uintptr_t) (p) & ~((uintptr_t) NGX_WS_CHAT_SLAB_BLOCK - 1)))


size_t
ngx_ws_chat_mem_slab_size(void *p)
{
    return ngx_ws_chat_mem_slab_of(p)->size;
}


void
ngx_ws_chat_mem_slab_free(void *p)
{
    size_t               n;
    ngx_queue_t         *q;
    ngx_ws_chat_slab_t  *b;

    b = ngx_ws_chat_mem_slab_of(p);
    q = &ngx_ws_chat_slab_queues[b->size / NGX_WS_CHAT_SLAB_STEP];

    /* of the blocks with room the one filled last goes on being filled */

    if (ngx_ws_chat_mem_slab_full(b)) {
        ngx_queue_insert_tail(q, &b->queue);
    }

    *(void **) p = b->free;
    b->free = p;
    b->used--;

    if (b->used || ngx_queue_next(q) == ngx_queue_last(q)) {
        return;
    }

    ngx_queue_remove(&b->queue);

    n = ((u_char *) b - ngx_ws_chat_slab_region) / NGX_WS_CHAT_SLAB_BLOCK;

    (void) madvise(b, NGX_WS_CHAT_SLAB_BLOCK, MADV_DONTNEED);
    ngx_ws_chat_slab_stack[ngx_ws_chat_slab_nstack++] = (uint32_t) n;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The peers that have something to write: a ring of pointers, so that a peer
 * needs no more than its place in there.
 */


#include "ngx_ws_chat_send_flush.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_send.h"


#define NGX_WS_CHAT_DIRTY  1024           /* places, to start with */


static ngx_int_t ngx_ws_chat_dirty_grow(void);


static struct {
    ngx_ws_chat_peer_t  **peers;          /* NULL: gone meanwhile */
    uint32_t              size;           /* 0 or a power of two */
    uint32_t              head;
    uint32_t              n;
} ngx_ws_chat_dirty;


void
ngx_ws_chat_dirty_init(void)
{
    /* without memory for it now there may be some later */
    (void) ngx_ws_chat_dirty_grow();
}


ngx_int_t
ngx_ws_chat_dirty_add(ngx_ws_chat_peer_t *p)
{
    uint32_t  i;

    if (ngx_ws_chat_dirty.n == ngx_ws_chat_dirty.size
        && ngx_ws_chat_dirty_grow() != NGX_OK)
    {
        return NGX_ERROR;
    }

    i = (ngx_ws_chat_dirty.head + ngx_ws_chat_dirty.n)
        & (ngx_ws_chat_dirty.size - 1);

    ngx_ws_chat_dirty.peers[i] = p;
    ngx_ws_chat_dirty.n++;

    p->dirty = i + 1;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_dirty_grow(void)
{
    uint32_t              i, n, size;
    ngx_ws_chat_peer_t  **peers, *p;

    n = ngx_ws_chat_dirty.n;
    size = n ? n * 2 : NGX_WS_CHAT_DIRTY;

    peers = wsc_alloc(&ngx_ws_chat_alloc, size * sizeof(ngx_ws_chat_peer_t *));
    if (peers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        p = ngx_ws_chat_dirty.peers[(ngx_ws_chat_dirty.head + i) & (n - 1)];
        peers[i] = p;

        if (p) {
            p->dirty = i + 1;
        }
    }

    wsc_free(&ngx_ws_chat_alloc, ngx_ws_chat_dirty.peers);

    ngx_ws_chat_dirty.peers = peers;
    ngx_ws_chat_dirty.size = size;
    ngx_ws_chat_dirty.head = 0;

    return NGX_OK;
}


void
ngx_ws_chat_dirty_remove(ngx_ws_chat_peer_t *p)
{
    if (p->dirty) {
        ngx_ws_chat_dirty.peers[p->dirty - 1] = NULL;
        p->dirty = 0;
    }
}


ngx_ws_chat_peer_t *
ngx_ws_chat_dirty_take(void)
{
    ngx_ws_chat_peer_t  *p;

    p = ngx_ws_chat_dirty.peers[ngx_ws_chat_dirty.head];

    ngx_ws_chat_dirty.head = (ngx_ws_chat_dirty.head + 1)
                             & (ngx_ws_chat_dirty.size - 1);
    ngx_ws_chat_dirty.n--;

    if (p) {
        p->dirty = 0;
    }

    return p;
}


ngx_uint_t
ngx_ws_chat_dirty_count(void)
{
    return ngx_ws_chat_dirty.n;
}


void
ngx_ws_chat_dirty_done(void)
{
    wsc_free(&ngx_ws_chat_alloc, ngx_ws_chat_dirty.peers);
    ngx_memzero(&ngx_ws_chat_dirty, sizeof(ngx_ws_chat_dirty));
}

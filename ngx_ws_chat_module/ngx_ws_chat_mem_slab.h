
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Small objects in blocks of their own, apart from malloc's heap.  There the
 * sessions would lie scattered among the pools of the requests they came by,
 * and the memory of a burst of handshakes would never go back to the system.
 */


#ifndef _NGX_WS_CHAT_MEM_SLAB_H_INCLUDED_
#define _NGX_WS_CHAT_MEM_SLAB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* In init_process.  If the system refuses, nothing is ever served here. */
void ngx_ws_chat_mem_slab_init(void);

/* NULL: too large for here, or no room left: use malloc. */
void *ngx_ws_chat_mem_slab_alloc(size_t size);

/* 1 if p was given out here. */
ngx_uint_t ngx_ws_chat_mem_slab_owns(void *p);

/* The octets that p takes up here; it must be owned. */
size_t ngx_ws_chat_mem_slab_size(void *p);

/* Takes p back; it must be owned. */
void ngx_ws_chat_mem_slab_free(void *p);


#endif /* _NGX_WS_CHAT_MEM_SLAB_H_INCLUDED_ */

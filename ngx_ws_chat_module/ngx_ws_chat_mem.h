
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The core's allocator on top of malloc, with a count of octets for status.
 */


#ifndef _NGX_WS_CHAT_MEM_H_INCLUDED_
#define _NGX_WS_CHAT_MEM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/wsc_buf.h"


extern const wsc_alloc_t  ngx_ws_chat_alloc;

/*
 * Scratch buffers of the worker.  Their contents last until the next user, so
 * nothing that calls out may rely on them: `inflate` is what wsc_conn fills,
 * `event` is where events are encoded, `packed` where they are compressed,
 * `entry` where the store puts entries it reads.
 */
typedef struct {
    wsc_buf_t    inflate;
    wsc_buf_t    event;
    wsc_buf_t    packed;
    wsc_buf_t    entry;
} ngx_ws_chat_scratch_t;

extern ngx_ws_chat_scratch_t  ngx_ws_chat_scratch;

/* Both in init_process and exit_process. */
void ngx_ws_chat_mem_init(void);
void ngx_ws_chat_mem_done(void);

/* From now on the octets allocated are counted there; NULL: nowhere. */
void ngx_ws_chat_mem_gauge(ngx_atomic_t *gauge);

/* Octets of scratch kept between uses. */
#define NGX_WS_CHAT_SCRATCH_KEEP  65536


#endif /* _NGX_WS_CHAT_MEM_H_INCLUDED_ */

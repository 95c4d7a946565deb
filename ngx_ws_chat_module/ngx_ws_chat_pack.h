
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Compression of outgoing messages: one compressor per worker, window and
 * level serves all sockets and rooms, as no context is taken over.
 */


#ifndef _NGX_WS_CHAT_PACK_H_INCLUDED_
#define _NGX_WS_CHAT_PACK_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "ngx_ws_chat_mem.h"


/*
 * Compresses a message for a deflate window of 9..15 bits.  NGX_OK: send *out,
 * which lies in ngx_ws_chat_scratch.packed until the next call, with
 * WSC_FRAME_RSV1; NGX_DECLINED: send it plain (too small, would not get
 * smaller, or no memory).
 */
ngx_int_t ngx_ws_chat_pack(const ngx_ws_chat_loc_conf_t *conf, int window,
    const u_char *p, size_t len, wsc_str_t *out);

/* In exit_process: frees the compressors. */
void ngx_ws_chat_pack_done(void);


#endif /* _NGX_WS_CHAT_PACK_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Compression of outgoing messages: by itself, with one compressor per worker,
 * window and level for all sockets and rooms; or, for those who read the same
 * stream and no other, with what the stream had before.
 */


#ifndef _NGX_WS_CHAT_PACK_H_INCLUDED_
#define _NGX_WS_CHAT_PACK_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_stream.h"


/*
 * Compresses a message for a deflate window of 9..15 bits.  NGX_OK: send *out,
 * which lies in ngx_ws_chat_scratch.packed until the next call, with
 * WSC_FRAME_RSV1; NGX_DECLINED: send it plain (too small, would not get
 * smaller, or no memory).
 */
ngx_int_t ngx_ws_chat_pack(const ngx_ws_chat_loc_conf_t *conf, int window,
    const u_char *p, size_t len, wsc_str_t *out);

/*
 * The same for the next frame of a stream with a history, which may refer to
 * those before.  When the stream has ws_chat_deflate_context readers it gets a
 * context, until then messages are compressed by themselves.  If the frame is
 * not appended, the caller sets st->fresh.
 */
ngx_int_t ngx_ws_chat_pack_next(const ngx_ws_chat_loc_conf_t *conf, int window,
    ngx_ws_chat_stream_t *st, const u_char *p, size_t len, wsc_str_t *out);

/* In exit_process: frees the compressors. */
void ngx_ws_chat_pack_done(void);


#endif /* _NGX_WS_CHAT_PACK_H_INCLUDED_ */

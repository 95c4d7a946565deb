
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The logs of a room: which of them a member reads, and how an event becomes
 * a frame of each.
 */


#ifndef _NGX_WS_CHAT_ROOM_STREAM_H_INCLUDED_
#define _NGX_WS_CHAT_ROOM_STREAM_H_INCLUDED_


#include "ngx_ws_chat_room.h"


/*
 * The kind that a peer can read in one more room.  What it reads with a
 * context it goes on reading without, as frames of two rooms alternate.
 */
ngx_uint_t ngx_ws_chat_room_stream_kind(ngx_ws_chat_peer_t *peer,
    ngx_uint_t kind);

/* The log of the kind, which is there or is made; NULL: no memory. */
ngx_ws_chat_stream_t *ngx_ws_chat_room_stream(ngx_ws_chat_room_t *room,
    ngx_uint_t kind);

/* Lets go of a log that nobody reads. */
void ngx_ws_chat_room_stream_drop(ngx_ws_chat_room_t *room,
    ngx_ws_chat_stream_t *st);

/* One event, in the log's encoding already, becomes a frame of the log. */
void ngx_ws_chat_room_stream_put(ngx_ws_chat_room_t *room,
    ngx_ws_chat_stream_t *st, const wsc_buf_t *b, const wsc_pos_t *pos);


#endif /* _NGX_WS_CHAT_ROOM_STREAM_H_INCLUDED_ */

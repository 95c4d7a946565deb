
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_room_stream.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_pack.h"
#include "core/wsc_frame.h"
#include "core/wsc_sse.h"


static ngx_int_t ngx_ws_chat_room_stream_part(ngx_ws_chat_member_t *m);
static void ngx_ws_chat_room_stream_sse(ngx_ws_chat_stream_t *st,
    const wsc_buf_t *b, const wsc_pos_t *id, const wsc_pos_t *pos);
static ngx_int_t ngx_ws_chat_room_stream_pack(ngx_ws_chat_room_t *room,
    ngx_ws_chat_stream_t *st, const wsc_buf_t *b, wsc_str_t *packed);


ngx_uint_t
ngx_ws_chat_room_stream_kind(ngx_ws_chat_peer_t *peer, ngx_uint_t kind)
{
    wsc_enc_e              enc;
    ngx_ws_chat_reader_t  *r;

    if (ngx_ws_chat_kind_how(kind) != NGX_WS_CHAT_CONTEXT
        || peer->readers == NULL)
    {
        return kind;
    }

    enc = ngx_ws_chat_kind_enc(kind);

    for (r = peer->readers; r; r = r->next) {

        if (r->stream->history
            && ngx_ws_chat_room_stream_part((ngx_ws_chat_member_t *) r)
               != NGX_OK)
        {
            return ngx_ws_chat_kind(enc, NGX_WS_CHAT_PLAIN);
        }
    }

    return ngx_ws_chat_kind(enc, NGX_WS_CHAT_DEFLATE);
}


/* A member that reads with a context goes on without; or it cannot now. */

static ngx_int_t
ngx_ws_chat_room_stream_part(ngx_ws_chat_member_t *m)
{
    wsc_enc_e              enc;
    ngx_int_t              rc;
    ngx_ws_chat_room_t    *room;
    ngx_ws_chat_stream_t  *st, *from;

    room = ngx_ws_chat_room_of(m);
    from = m->reader.stream;
    enc = ngx_ws_chat_kind_enc(from->kind);

    st = ngx_ws_chat_room_stream(room,
                                 ngx_ws_chat_kind(enc, NGX_WS_CHAT_DEFLATE));
    if (st == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_ws_chat_reader_move(&m->reader, st);

    ngx_ws_chat_room_stream_drop(room, rc == NGX_OK ? from : st);

    return rc;
}


ngx_ws_chat_stream_t *
ngx_ws_chat_room_stream(ngx_ws_chat_room_t *room, ngx_uint_t kind)
{
    ngx_ws_chat_stream_t  *st;

    for (st = room->streams; st; st = st->sibling) {
        if (st->kind == kind) {
            return st;
        }
    }

    st = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_stream_t));
    if (st == NULL) {
        return NULL;
    }

    ngx_ws_chat_stream_init(st, room->attach.seen, room->attach.zone->stat,
                            room);

    st->history = (ngx_ws_chat_kind_how(kind) == NGX_WS_CHAT_CONTEXT);
    st->kind = kind;
    st->sibling = room->streams;
    room->streams = st;

    return st;
}


void
ngx_ws_chat_room_stream_drop(ngx_ws_chat_room_t *room,
    ngx_ws_chat_stream_t *st)
{
    ngx_ws_chat_stream_t  **p;

    if (st->n) {
        return;
    }

    for (p = &room->streams; *p != st; p = &(*p)->sibling) { /* void */ }

    *p = st->sibling;

    ngx_ws_chat_stream_done(st);
    wsc_free(&ngx_ws_chat_alloc, st);
}


void
ngx_ws_chat_room_stream_put(ngx_ws_chat_room_t *room,
    ngx_ws_chat_stream_t *st, const wsc_buf_t *b, const wsc_pos_t *pos)
{
    u_char      flags, opcode;
    wsc_str_t   data;
    ngx_uint_t  kind;

    kind = st->kind;

    if (kind >= NGX_WS_CHAT_KIND_SSE) {
        ngx_ws_chat_room_stream_sse(st, b, kind == NGX_WS_CHAT_KIND_SSE_ID
                                           ? pos : NULL, pos);
        return;
    }

    opcode = (ngx_ws_chat_kind_enc(kind) == WSC_ENC_JSON) ? WSC_OP_TEXT
                                                          : WSC_OP_BINARY;
    flags = WSC_FRAME_FIN|WSC_FRAME_RSV1;

    if (ngx_ws_chat_room_stream_pack(room, st, b, &data) != NGX_OK) {
        flags = WSC_FRAME_FIN;
        data.data = b->data;
        data.len = b->len;
    }

    if (ngx_ws_chat_stream_append(st, flags, opcode, data.data, data.len, pos)
        != NGX_OK)
    {
        st->fresh = 1;
    }
}


static void
ngx_ws_chat_room_stream_sse(ngx_ws_chat_stream_t *st, const wsc_buf_t *b,
    const wsc_pos_t *id, const wsc_pos_t *pos)
{
    wsc_buf_t  *sse;

    sse = &ngx_ws_chat_scratch.packed;
    wsc_buf_reset(sse, NGX_WS_CHAT_SCRATCH_KEEP);

    wsc_sse_event(sse, b->data, b->len, id);

    if (!sse->failed) {
        (void) ngx_ws_chat_stream_put(st, NULL, 0, sse->data, sse->len, pos);
    }
}


static ngx_int_t
ngx_ws_chat_room_stream_pack(ngx_ws_chat_room_t *room,
    ngx_ws_chat_stream_t *st, const wsc_buf_t *b, wsc_str_t *packed)
{
    int  window;

    window = (int) room->attach.zone->window;

    switch (ngx_ws_chat_kind_how(st->kind)) {

    case NGX_WS_CHAT_DEFLATE:
        return ngx_ws_chat_pack(room->conf, window, b->data, b->len, packed);

    case NGX_WS_CHAT_CONTEXT:
        return ngx_ws_chat_pack_next(room->conf, window, st, b->data, b->len,
                                     packed);
    }

    return NGX_DECLINED;
}

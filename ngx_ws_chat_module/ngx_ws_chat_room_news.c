
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What was emitted to a chat, as events in its rooms' logs: each is encoded
 * once, like messages.
 */


#include "ngx_ws_chat_room.h"
#include "ngx_ws_chat_mem.h"
#include "core/wsc_event.h"


static void ngx_ws_chat_room_note(ngx_ws_chat_room_t *room,
    const wsc_note_t *note, void (*write)(wsc_buf_t *b, wsc_enc_e enc,
    const wsc_str_t *chat_id, const wsc_note_t *note));


void
ngx_ws_chat_room_news(ngx_ws_chat_attach_t *a, const wsc_news_t *news)
{
    size_t               i;
    ngx_ws_chat_room_t  *room;

    room = ngx_rbtree_data(a, ngx_ws_chat_room_t, attach);

    for (i = 0; i < news->count; i++) {

        switch (news->type) {

        case WSC_NEWS_SIGNAL:
            ngx_ws_chat_room_note(room, &news->notes[i], wsc_event_signal);
            break;

        default:
            return;
        }
    }
}


static void
ngx_ws_chat_room_note(ngx_ws_chat_room_t *room, const wsc_note_t *note,
    void (*write)(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note))
{
    wsc_buf_t  *b;
    wsc_enc_e   enc;

    b = &ngx_ws_chat_scratch.event;

    for (enc = 0; enc < WSC_ENC_N; enc++) {

        if (ngx_ws_chat_room_reads(room, enc)) {
            wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

            write(b, enc, ngx_ws_chat_room_name(room), note);
            ngx_ws_chat_room_put(room, enc, NULL);
        }
    }
}

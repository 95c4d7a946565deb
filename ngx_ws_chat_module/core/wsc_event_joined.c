
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_event_int.h"


void
wsc_event_joined(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id, const wsc_joined_t *j)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "joined", id, chat_id);

    wsc_event_uint(&w, "epoch", j->head.epoch);
    wsc_event_pos(&w, "head", j->head);

    wsc_writer_key(&w, "recovered");
    wsc_writer_bool(&w, j->recovered);

    if (j->reason) {
        wsc_writer_key(&w, "reason");
        wsc_writer_text(&w, j->reason);
    }

    wsc_event_entries(&w, chat_id, j->messages, j->n, j->more);
    wsc_event_updates(&w, chat_id, j);

    if (j->typing) {
        wsc_event_state(&w, j);
    }

    wsc_writer_end(&w);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Events of a conversation's state.
 */


#include "wsc_event_int.h"


#define WSC_EVENT_TYPING  20      /* in `joined` */


static void wsc_event_signals(wsc_writer_t *w, const wsc_latest_t *signals);


void
wsc_event_signal(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "signal", NULL, chat_id);

    wsc_event_str(&w, "sender", &note->sender);
    wsc_event_str(&w, "name", &note->key);
    wsc_event_value(&w, "data", &note->value);

    wsc_writer_end(&w);
}


void
wsc_event_typing(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "typing", NULL, chat_id);

    wsc_event_str(&w, "sender", &note->key);
    wsc_writer_key(&w, "on");
    wsc_writer_bool(&w, note->n[0] != 0);

    wsc_writer_end(&w);
}


void
wsc_event_state(wsc_writer_t *w, const wsc_joined_t *j)
{
    size_t                    n;
    const wsc_latest_item_t  *item;

    wsc_writer_key(w, "typing");
    wsc_writer_array(w);

    n = 0;

    for (item = j->typing->first; item; item = item->next) {
        if (n++ < WSC_EVENT_TYPING) {
            wsc_writer_str(w, &item->key);
        }
    }

    wsc_writer_end(w);

    wsc_event_signals(w, j->signals);
}


static void
wsc_event_signals(wsc_writer_t *w, const wsc_latest_t *signals)
{
    const wsc_latest_item_t  *item;

    wsc_writer_key(w, "signals");
    wsc_writer_map(w);

    for (item = signals->first; item; item = item->next) {
        wsc_writer_name(w, &item->key);
        wsc_writer_map(w);

        wsc_event_str(w, "sender", &item->sender);
        wsc_event_value(w, "data", &item->value);

        wsc_writer_end(w);
    }

    wsc_writer_end(w);
}

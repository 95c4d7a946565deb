
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_event_int.h"
#include "wsc_record.h"
#include "wsc_time.h"


static void wsc_record_time(wsc_writer_t *w, uint64_t ms);


void
wsc_record_message(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_entry_t *e)
{
    wsc_writer_t  w;

    wsc_writer_init(&w, b, enc);
    wsc_writer_map(&w);

    wsc_event_str(&w, "chat_id", chat_id);
    wsc_event_str(&w, "sender", &e->sender);

    wsc_event_value(&w, "message", &e->message);
    wsc_record_time(&w, e->timestamp);
    wsc_event_str(&w, "cid", &e->cid);

    wsc_writer_end(&w);
}


void
wsc_record_change(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_change_t *c, int any)
{
    wsc_writer_t  w;

    wsc_writer_init(&w, b, enc);
    wsc_writer_map(&w);

    wsc_event_str(&w, "chat_id", chat_id);
    wsc_writer_key(&w, "op");
    wsc_writer_text(&w, c->retracted ? WSC_RECORD_RETRACT : WSC_RECORD_EDIT);
    wsc_event_uint(&w, "epoch", c->pos.epoch);
    wsc_event_uint(&w, "seq", c->pos.seq);

    if (c->by.len) {
        wsc_event_str(&w, "by", &c->by);
    }

    if (any) {
        wsc_writer_key(&w, "moderate");
        wsc_writer_bool(&w, 1);
    }

    if (!c->retracted) {
        wsc_event_value(&w, "message", &c->message);
    }

    wsc_record_time(&w, c->timestamp);

    wsc_writer_end(&w);
}


void
wsc_record_mark(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note, uint64_t timestamp)
{
    wsc_pos_t     delivered, read;
    wsc_writer_t  w;

    wsc_news_mark(note, &delivered, &read);

    wsc_writer_init(&w, b, enc);
    wsc_writer_map(&w);

    wsc_event_str(&w, "chat_id", chat_id);
    wsc_event_str(&w, "user", &note->key);

    if (delivered.seq) {
        wsc_event_pos(&w, "delivered", delivered);
    }

    if (read.seq) {
        wsc_event_pos(&w, "read", read);
    }

    wsc_record_time(&w, timestamp);

    wsc_writer_end(&w);
}


size_t
wsc_record_mark_key(u_char *p, const wsc_str_t *chat_id,
    const wsc_note_t *note)
{
    memcpy(p, chat_id->data, chat_id->len);
    p[chat_id->len] = '|';
    memcpy(p + chat_id->len + 1, note->key.data, note->key.len);

    return chat_id->len + 1 + note->key.len;
}


void
wsc_record_happening(wsc_buf_t *b, wsc_enc_e enc, const wsc_happening_t *h)
{
    wsc_writer_t  w;

    wsc_writer_init(&w, b, enc);
    wsc_writer_map(&w);

    wsc_writer_key(&w, "event");
    wsc_writer_text(&w, h->event);

    if (h->chat_id.len) {
        wsc_event_str(&w, "chat_id", &h->chat_id);
    }

    wsc_event_str(&w, "user", &h->user);

    if (h->session.len) {
        wsc_event_str(&w, "session", &h->session);
    }

    wsc_event_str(&w, "node", &h->node);

    if (h->timed) {
        wsc_event_uint(&w, "seconds", h->seconds);
    }

    wsc_record_time(&w, h->timestamp);

    wsc_writer_end(&w);
}


static void
wsc_record_time(wsc_writer_t *w, uint64_t ms)
{
    u_char     text[WSC_TIME_LEN];
    wsc_str_t  time;

    time.data = text;
    time.len = WSC_TIME_LEN;
    wsc_time_print(text, ms);

    wsc_event_str(w, "timestamp", &time);
}

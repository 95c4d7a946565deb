
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Messages in events: new ones, lists of them, and those that were changed.
 */


#include "wsc_event_int.h"


/* A message event's keys, digits and brackets, with the largest integers. */
#define WSC_EVENT_FIXED   300

/* What a double takes in msgpack beyond its shortest text, as "1e5". */
#define WSC_EVENT_DOUBLE  6


static void wsc_event_entry(wsc_writer_t *w, const wsc_str_t *chat_id,
    const wsc_entry_t *e);
static void wsc_event_changed(wsc_writer_t *w, const wsc_str_t *chat_id,
    const wsc_entry_t *e);
static void wsc_event_text(wsc_writer_t *w, const wsc_entry_t *e);


void
wsc_event_message(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_entry_t *e)
{
    wsc_writer_t  w;

    (void) wsc_buf_reserve(b, wsc_entry_size(e));

    wsc_writer_init(&w, b, enc);
    wsc_event_entry(&w, chat_id, e);
}


void
wsc_event_update(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_entry_t *e)
{
    wsc_writer_t  w;

    (void) wsc_buf_reserve(b, wsc_entry_size(e));

    wsc_writer_init(&w, b, enc);
    wsc_event_changed(&w, chat_id, e);
}


/*
 * Names are counted as if each octet were escaped.  Only doubles take more in
 * msgpack than as text: a digit with a point or an exponent behind it.
 */

size_t
wsc_entry_size(const wsc_entry_t *e)
{
    size_t         i, size;
    const u_char  *p;

    size = WSC_EVENT_FIXED + WSC_MAX_CHAT_ID
           + 2 * (e->sender.len + e->cid.len);

    if (e->message.binary) {
        return size + (e->message.data.len + 2) / 3 * 4;
    }

    p = e->message.data.data;

    for (i = 1; i < e->message.data.len; i++) {

        if ((p[i] == '.' || p[i] == 'e' || p[i] == 'E')
            && p[i - 1] >= '0' && p[i - 1] <= '9')
        {
            size += WSC_EVENT_DOUBLE;
        }
    }

    return size + e->message.data.len;
}


static void
wsc_event_entry(wsc_writer_t *w, const wsc_str_t *chat_id,
    const wsc_entry_t *e)
{
    wsc_writer_map(w);

    wsc_writer_key(w, "ev");
    wsc_writer_text(w, "message");
    wsc_event_str(w, "chat_id", chat_id);
    wsc_event_uint(w, "epoch", e->pos.epoch);
    wsc_event_uint(w, "seq", e->pos.seq);

    if (e->prev.seq) {
        wsc_event_pos(w, "prev", e->prev);

    } else {
        wsc_writer_key(w, "prev");
        wsc_writer_null(w);
    }

    wsc_event_str(w, "cid", &e->cid);
    wsc_event_str(w, "sender", &e->sender);

    wsc_event_text(w, e);

    if (e->edited && !e->retracted) {
        wsc_writer_key(w, "edited");
        wsc_writer_bool(w, 1);
    }

    wsc_event_uint(w, "timestamp", e->timestamp);

    wsc_writer_end(w);
}


static void
wsc_event_changed(wsc_writer_t *w, const wsc_str_t *chat_id,
    const wsc_entry_t *e)
{
    wsc_writer_map(w);

    wsc_writer_key(w, "ev");
    wsc_writer_text(w, "update");
    wsc_event_str(w, "chat_id", chat_id);
    wsc_event_uint(w, "epoch", e->pos.epoch);
    wsc_event_uint(w, "seq", e->pos.seq);
    wsc_event_text(w, e);

    wsc_writer_end(w);
}


/* What it says, or that it says nothing any more. */

static void
wsc_event_text(wsc_writer_t *w, const wsc_entry_t *e)
{
    if (!e->retracted) {
        wsc_event_value(w, "message", &e->message);
        return;
    }

    wsc_writer_key(w, "retracted");
    wsc_writer_bool(w, 1);
}


void
wsc_event_updates(wsc_writer_t *w, const wsc_str_t *chat_id,
    const wsc_joined_t *j)
{
    size_t  i;

    if (j->nchanged == 0) {
        return;
    }

    wsc_writer_key(w, "updates");
    wsc_writer_array(w);

    for (i = 0; i < j->nchanged; i++) {
        wsc_event_changed(w, chat_id, &j->changed[i]);
    }

    wsc_writer_end(w);
}


void
wsc_event_entries(wsc_writer_t *w, const wsc_str_t *chat_id,
    const wsc_entry_t *e, size_t n, int more)
{
    size_t  i;

    wsc_writer_key(w, "messages");
    wsc_writer_array(w);

    for (i = 0; i < n; i++) {
        wsc_event_entry(w, chat_id, &e[i]);
    }

    wsc_writer_end(w);

    wsc_writer_key(w, "more");
    wsc_writer_bool(w, more);
}


void
wsc_event_history(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id, const wsc_history_t *h)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "history", id, chat_id);

    wsc_event_entries(&w, chat_id, h->messages, h->n, h->more);
    wsc_event_pos(&w, "complete_to", h->complete_to);

    wsc_writer_end(&w);
}

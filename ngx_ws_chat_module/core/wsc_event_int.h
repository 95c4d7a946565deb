
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Inside wsc_event only: the parts of events.
 */


#ifndef _WSC_EVENT_INT_H_INCLUDED_
#define _WSC_EVENT_INT_H_INCLUDED_


#include "wsc_event.h"
#include "wsc_writer.h"


/* Begins an event; with its id, and a chat_id unless NULL. */
void wsc_event_begin(wsc_writer_t *w, wsc_buf_t *b, wsc_enc_e enc,
    const char *ev);
void wsc_event_reply(wsc_writer_t *w, wsc_buf_t *b, wsc_enc_e enc,
    const char *ev, const wsc_id_t *id, const wsc_str_t *chat_id);

/* A key and its value. */
void wsc_event_str(wsc_writer_t *w, const char *key, const wsc_str_t *s);
void wsc_event_uint(wsc_writer_t *w, const char *key, uint64_t v);
void wsc_event_pos(wsc_writer_t *w, const char *key, wsc_pos_t pos);
void wsc_event_value(wsc_writer_t *w, const char *key,
    const wsc_value_t *value);

/* Messages, and whether there are more; those that were changed, if any. */
void wsc_event_entries(wsc_writer_t *w, const wsc_str_t *chat_id,
    const wsc_entry_t *e, size_t n, int more);
void wsc_event_updates(wsc_writer_t *w, const wsc_str_t *chat_id,
    const wsc_joined_t *j);

/* What `joined` tells beside messages. */
void wsc_event_state(wsc_writer_t *w, const wsc_joined_t *j);


#endif /* _WSC_EVENT_INT_H_INCLUDED_ */

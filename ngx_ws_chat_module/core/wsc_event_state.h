
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Events of a conversation's state; see wsc_event.h.
 */


#ifndef _WSC_EVENT_STATE_H_INCLUDED_
#define _WSC_EVENT_STATE_H_INCLUDED_


#include "wsc_event.h"


/* Of a chat: the note of its news. */
void wsc_event_signal(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note);
void wsc_event_typing(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note);
void wsc_event_mark(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note);

/*
 * Who came and who left: a list of an octet 0 (left) or 1 (came), one with the
 * user's length, and the user.
 */
void wsc_event_presence(wsc_buf_t *b, wsc_enc_e enc,
    const wsc_str_t *chat_id, const wsc_buf_t *changes, uint64_t count);

/* So many of those that are present behind the first `offset` ones. */
void wsc_event_presence_page(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id, const wsc_presence_t *presence, size_t offset,
    size_t limit);

/*
 * The same, and the marks (NULL: there are none), in the order of users: so
 * many behind a user, of len 0: from the first.
 */
void wsc_event_presence_after(wsc_buf_t *b, wsc_enc_e enc,
    const wsc_str_t *chat_id, const wsc_presence_t *presence,
    const wsc_str_t *after, size_t limit);
void wsc_event_marks_after(wsc_buf_t *b, wsc_enc_e enc,
    const wsc_str_t *chat_id, const wsc_marks_t *marks,
    const wsc_str_t *after, size_t limit);


#endif /* _WSC_EVENT_STATE_H_INCLUDED_ */

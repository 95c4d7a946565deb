
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Server events (docs/PROTOCOL.md), written in either encoding to a buffer:
 * one event a call, without a frame header.  A lack of memory shows in the
 * buffer's failed flag.  An id of type WSC_ID_NONE is left out.
 */


#ifndef _WSC_EVENT_H_INCLUDED_
#define _WSC_EVENT_H_INCLUDED_


#include "wsc_cmd.h"
#include "wsc_latest.h"
#include "wsc_marks.h"
#include "wsc_news.h"
#include "wsc_presence.h"


typedef struct {
    wsc_str_t           node;
    uint64_t            ping_ms;
    uint64_t            max_message;
    uint64_t            max_chats;
    uint64_t            rate;         /* per second; 0: no limit */
    uint64_t            burst;
    uint64_t            history;      /* retention: messages a chat keeps */
    uint64_t            history_sec;  /* retention: for so long */

    /* further limits; 0: off, left out */
    uint64_t            message_ms;   /* for a message to be complete */
    uint64_t            user_connections;
    uint64_t            ip_connections;
} wsc_terms_t;


typedef struct {
    wsc_str_t           user;
    wsc_str_t           session;
    wsc_str_t           terms;        /* of wsc_event_terms() */
    uint64_t            server_time;  /* ms since 1970 */
} wsc_welcome_t;


typedef struct {
    wsc_pos_t           head;         /* seq 0: no message yet */
    const wsc_entry_t  *messages;     /* ascending */
    size_t              n;
    const char         *reason;       /* with recovered false; or NULL */
    unsigned            recovered:1;
    unsigned            more:1;
    const wsc_latest_t *typing;       /* NULL: no state is told */
    const wsc_latest_t *signals;
    const wsc_presence_t
                       *presence;
    const wsc_marks_t  *marks;        /* NULL: there are none */
    wsc_str_t           user;         /* whose mark comes first */
    int                 unread;       /* < 0: not known, left out */
    const wsc_entry_t  *changed;      /* messages that it may have, as they are
                                         now */
    size_t              nchanged;
} wsc_joined_t;


typedef struct {
    const wsc_entry_t  *messages;     /* ascending */
    size_t              n;
    wsc_pos_t           complete_to;
    unsigned            more:1;
} wsc_history_t;


typedef struct {
    wsc_err_e           code;
    const char         *message;      /* static, for people */
    wsc_str_t           chat_id;      /* len 0: left out */
    wsc_str_t           cid;          /* len 0: left out */
    uint64_t            retry_ms;     /* 0: left out */
} wsc_error_t;


/* The part of it that is the same for many. */
void wsc_event_terms(wsc_buf_t *b, wsc_enc_e enc, const wsc_terms_t *terms);

void wsc_event_welcome(wsc_buf_t *b, wsc_enc_e enc, const wsc_welcome_t *w);

void wsc_event_joined(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id, const wsc_joined_t *j);

void wsc_event_left(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id);

/* cid empty: left out; pos NULL: the position is not known (yet). */
void wsc_event_ack(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id, const wsc_str_t *cid, uint64_t timestamp,
    const wsc_pos_t *pos, int dup);

void wsc_event_pong(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id);

void wsc_event_history(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id, const wsc_history_t *h);

void wsc_event_message(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_entry_t *e);

/* A message was changed: it is this one now. */
void wsc_event_update(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_entry_t *e);

/* The messages with after < position < before are missing here. */
void wsc_event_gap(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    wsc_pos_t after, wsc_pos_t before, const char *reason);

/* The news of all chats stand still, or flow again, since then. */
void wsc_event_status(wsc_buf_t *b, wsc_enc_e enc, int stale, uint64_t since);

/* The sender's cid of the note's news was stored before, at its position. */
void wsc_event_settled(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note);

/* A message of no chat. */
void wsc_event_notice(wsc_buf_t *b, wsc_enc_e enc, const wsc_note_t *note);

/* No member of the chat any more. */
void wsc_event_kicked(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const char *reason);

/* The reply to what has nothing to say. */
void wsc_event_ok(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id);

void wsc_event_reconnect(wsc_buf_t *b, wsc_enc_e enc, uint64_t in_ms,
    const char *reason);

void wsc_event_error(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_error_t *e);

/* The protocol's word for a code, and whether it is temporary. */
const char *wsc_err_name(wsc_err_e code);
int wsc_err_temporary(wsc_err_e code);

/*
 * Octets that the message event of this entry takes in either encoding, at
 * most, whatever the length of its chat_id.
 */
size_t wsc_entry_size(const wsc_entry_t *e);


#endif /* _WSC_EVENT_H_INCLUDED_ */

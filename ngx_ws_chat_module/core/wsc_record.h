
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Values of records for Kafka: a map of chat_id, sender, message, timestamp
 * (ISO 8601 UTC, ms) and cid, as JSON or msgpack.  Octets stand there as
 * base64 text beside "enc":"base64", in msgpack as bin.
 *
 * What becomes of a message later is a record of its own, with the same key:
 * a map of chat_id, op ("edit" or "retract"), epoch and seq of the message, by
 * (the user; left out of a server), moderate (true: whoever sent it), message
 * (unless retracted) and timestamp.  It has no sender, without which nobody
 * takes it for a message.
 */


#ifndef _WSC_RECORD_H_INCLUDED_
#define _WSC_RECORD_H_INCLUDED_


#include "wsc_news.h"
#include "wsc_writer.h"


/* Names of the headers; their values are decimal, that of retry is "1". */

#define WSC_RECORD_EPOCH       "epoch"
#define WSC_RECORD_SEQ         "seq"
#define WSC_RECORD_PREV_EPOCH  "prev_epoch"
#define WSC_RECORD_PREV_SEQ    "prev_seq"
#define WSC_RECORD_RETRY       "retry"

/* Values of op. */

#define WSC_RECORD_EDIT        "edit"
#define WSC_RECORD_RETRACT     "retract"


/*
 * Appends the value of a message's record; the entry's positions are not in
 * it.  A lack of memory shows in the buffer's failed flag.
 */
void wsc_record_message(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_entry_t *e);

/* The same for a change; any: also of others' messages. */
void wsc_record_change(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_change_t *c, int any);

/*
 * The same for how far a user has come: chat_id, user, delivered and read
 * (which are epoch and seq, and left out if there is none), timestamp.  Its
 * key is chat_id|user, at most WSC_RECORD_MARK_KEY octets.
 */
#define WSC_RECORD_MARK_KEY  (WSC_MAX_CHAT_ID + 1 + WSC_MAX_USER)

void wsc_record_mark(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note, uint64_t timestamp);
size_t wsc_record_mark_key(u_char *p, const wsc_str_t *chat_id,
    const wsc_note_t *note);

/*
 * What back ends may want to hear: event, and what of the others is there:
 * chat_id, user, session, node, seconds, timestamp.  Its key is the chat_id,
 * or the user where there is none.
 */
typedef struct {
    const char      *event;      /* static */
    wsc_str_t        chat_id;    /* len 0: it is about no chat */
    wsc_str_t        user;
    wsc_str_t        session;    /* of a connection; len 0: about none */
    wsc_str_t        node;       /* who tells it */
    uint64_t         seconds;    /* for how long */
    uint64_t         timestamp;  /* ms */
    unsigned         timed:1;    /* seconds counts */
} wsc_happening_t;

void wsc_record_happening(wsc_buf_t *b, wsc_enc_e enc,
    const wsc_happening_t *h);


#endif /* _WSC_RECORD_H_INCLUDED_ */

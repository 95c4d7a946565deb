
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Server-sent events (WHATWG HTML, 9.2): events as text/event-stream, and
 * where in its chats a reader of a stream is, as Last-Event-ID tells it.
 */


#ifndef _WSC_SSE_H_INCLUDED_
#define _WSC_SSE_H_INCLUDED_


#include "wsc_buf.h"


#define WSC_SSE_HASH        8
#define WSC_SSE_MAX_CHATS   32

/* octets of a cursor at most: what is kept below 2^53 takes 8 of 7 bits */
#define WSC_SSE_MAX_CURSOR  (WSC_SSE_HASH + WSC_SSE_MAX_CHATS * 16)


/*
 * Appends one event.  json: as core writes them, beginning with {"ev":"NAME".
 * pos: its id, or NULL for none.  Line ends in the JSON, which are white space
 * there, come out as LF.
 */
void wsc_sse_event(wsc_buf_t *b, const u_char *json, size_t len,
    const wsc_pos_t *pos);

/* Appends a block that is nothing but an id (of characters of a cursor). */
void wsc_sse_id(wsc_buf_t *b, const wsc_str_t *id);

/*
 * Appends a line of the event behind it: the time after which a reader whose
 * stream broke comes back.
 */
void wsc_sse_retry(wsc_buf_t *b, uint64_t ms);

/*
 * Events that only streams have, as JSON: what a reader has of a chat (NULL:
 * of any) does not lead to what follows; the stream ends, by a close code.
 */
void wsc_sse_reset(wsc_buf_t *b, const wsc_str_t *chat_id,
    const char *reason);
void wsc_sse_close(wsc_buf_t *b, unsigned code, const char *reason);

/* Reads `<epoch>:<seq>` in plain decimal: WSC_OK or WSC_DECLINED. */
ssize_t wsc_sse_pos_read(const wsc_str_t *id, wsc_pos_t *pos);

/*
 * Writes the cursor of a list of chats: a hash of their names in their order,
 * and the positions in it.  Returns its octets; out has WSC_SSE_MAX_CURSOR.
 */
size_t wsc_sse_cursor_write(u_char *out, const wsc_str_t *chats,
    const wsc_pos_t *pos, size_t n);

/* WSC_OK with n positions; WSC_DECLINED: no cursor of these chats. */
ssize_t wsc_sse_cursor_read(const wsc_str_t *cursor, const wsc_str_t *chats,
    wsc_pos_t *pos, size_t n);


#endif /* _WSC_SSE_H_INCLUDED_ */

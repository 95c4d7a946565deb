
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Answers to a client, and what its mistakes and haste cost it.
 */


#ifndef _NGX_WS_CHAT_REPLY_H_INCLUDED_
#define _NGX_WS_CHAT_REPLY_H_INCLUDED_


#include "ngx_ws_chat_client.h"


#define NGX_WS_CHAT_REPLY_BYTES  (1024 * 1024)    /* of one reply */


/* The empty buffer to write one event to, for ngx_ws_chat_reply(). */
wsc_buf_t *ngx_ws_chat_reply_buf(void);

/* Queues the event in that buffer for the client. */
void ngx_ws_chat_reply(ngx_ws_chat_client_t *cl);

/*
 * Answers an error; a mistake of the application is counted, and the 20th in
 * a minute closes with 1008.  chat_id, cid: may be empty.
 */
void ngx_ws_chat_reply_error(ngx_ws_chat_client_t *cl, const wsc_id_t *id,
    const wsc_error_t *e);

/*
 * Asks the client's rate for one message.  NGX_OK; NGX_DECLINED: over it,
 * *retry_ms tells for how long; ten seconds of that close with 4129.
 */
ngx_int_t ngx_ws_chat_reply_rate(ngx_ws_chat_client_t *cl,
    uint32_t *retry_ms);

/*
 * The store counts octets as it keeps them.  Of the messages that are too many
 * as they are written, those go that are farthest from what was asked.
 */
void ngx_ws_chat_reply_fit(ngx_ws_chat_read_t *r);


#endif /* _NGX_WS_CHAT_REPLY_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A call that waits for the store, and what such calls share.
 */


#ifndef _NGX_WS_CHAT_API_MESSAGE_INT_H_INCLUDED_
#define _NGX_WS_CHAT_API_MESSAGE_INT_H_INCLUDED_


#include "ngx_ws_chat_api_call.h"
#include "ngx_ws_chat_ban.h"
#include "ngx_ws_chat_room.h"


typedef struct ngx_ws_chat_api_message_s  ngx_ws_chat_api_message_t;

struct ngx_ws_chat_api_message_s {
    union {
        ngx_ws_chat_publish_t    publish;
        ngx_ws_chat_read_t       read;
        ngx_ws_chat_ban_t        ban;
        ngx_ws_chat_waiting_t    visit;
        ngx_ws_chat_change_t     change;
        ngx_ws_chat_erase_t      erase;
    } u;                                       /* must be first */

    ngx_ws_chat_api_call_t      *call;
    ngx_event_t                  event;        /* its timer: our patience */
    ngx_int_t                  (*next)(ngx_ws_chat_api_message_t *m);
    wsc_str_t                    sender;       /* ... or after whom a page
                                                  begins */
    wsc_str_t                    cid;
    wsc_value_t                  message;
    wsc_pos_t                    pos;          /* of a duplicate */
    uint64_t                     timestamp;
    wsc_str_t                   *chats;        /* of a broadcast */
    ngx_uint_t                   n;            /* ... or of a page */
    ngx_uint_t                   i;
    wsc_err_e                    err;          /* of a ban or visit */
    wsc_buf_t                    text;         /* the answer so far */
    unsigned                     publishing:1; /* the store has it */
    unsigned                     reading:1;
    unsigned                     banning:1;
    unsigned                     visiting:1;   /* a room */
    unsigned                     changing:1;
    unsigned                     erasing:1;
    unsigned                     keyed:1;      /* Idempotency-Key */
    unsigned                     dup:1;        /* of that, and of another */
    unsigned                     other:1;      /* message */
};


/* Made of a call; freed with its request.  NULL: no memory. */
ngx_ws_chat_api_message_t *ngx_ws_chat_api_message_create(
    ngx_ws_chat_api_call_t *call);

/* The chat of the path.  NGX_OK or NGX_DECLINED. */
ngx_int_t ngx_ws_chat_api_message_chat(ngx_ws_chat_api_call_t *call,
    wsc_str_t *chat_id);

/* Reads {message}, of a checked body, as ..._body() below. */
ngx_int_t ngx_ws_chat_api_message_text(ngx_ws_chat_api_message_t *m,
    const char **reason);

/*
 * Reads {sender, message} and the cid.  NGX_OK; with the reason, static:
 * NGX_DECLINED: bad, NGX_BUSY: too large; NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_api_message_body(ngx_ws_chat_api_message_t *m,
    const char **reason);

/* How many of something.  NGX_OK or NGX_DECLINED. */
ngx_int_t ngx_ws_chat_api_message_limit(ngx_ws_chat_api_call_t *call,
    ngx_uint_t *limit);

/* An argument, decoded.  NGX_OK, NGX_DECLINED: it is not there; NGX_ERROR. */
ngx_int_t ngx_ws_chat_api_message_arg(ngx_ws_chat_api_call_t *call,
    const char *name, wsc_str_t *value);

/* Answers what body() or another check said. */
ngx_int_t ngx_ws_chat_api_message_refuse(
    ngx_ws_chat_api_message_t *m, ngx_int_t rc, const char *reason);

/* Waits for m->next, which is called when the store has answered. */
ngx_int_t ngx_ws_chat_api_message_wait(ngx_ws_chat_api_message_t *m);

/* Sends the message to a chat. */
void ngx_ws_chat_api_message_publish(ngx_ws_chat_api_message_t *m,
    const wsc_str_t *chat_id);

/* Asks the store for messages of the path's chat: the range is in u.read. */
void ngx_ws_chat_api_message_ask(ngx_ws_chat_api_message_t *m,
    ngx_uint_t limit);

/* What became of a message; chat_id NULL: it is known which. */
void ngx_ws_chat_api_message_position(wsc_buf_t *b,
    const ngx_ws_chat_publish_t *p, const wsc_str_t *chat_id);

/* Answer: by an error of the store; by m->text. */
ngx_int_t ngx_ws_chat_api_message_store_error(
    ngx_ws_chat_api_message_t *m, wsc_err_e err);
ngx_int_t ngx_ws_chat_api_message_answer(ngx_ws_chat_api_message_t *m,
    ngx_uint_t status);

/* Answers by when it was done. */
ngx_int_t ngx_ws_chat_api_message_done(ngx_ws_chat_api_message_t *m);


#endif /* _NGX_WS_CHAT_API_MESSAGE_INT_H_INCLUDED_ */

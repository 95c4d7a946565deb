
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One stream of server-sent events: a client whose transport is the answer to
 * a request.  The request is kept as long as the stream lives, and so it works
 * over whatever NGINX can answer by: HTTP/1.0, 1.1 and 2.
 */


#ifndef _NGX_WS_CHAT_SSE_STREAM_H_INCLUDED_
#define _NGX_WS_CHAT_SSE_STREAM_H_INCLUDED_


#include "ngx_ws_chat_client.h"
#include "core/wsc_sse.h"
#include "core/wsc_wheel.h"


typedef struct {
    ngx_ws_chat_client_t           client;        /* must be first */
    ngx_http_request_t            *request;
    const wsc_jwt_claims_t        *claims;        /* until it starts */
    ngx_queue_t                    queue;         /* of the worker's */
    wsc_wheel_node_t               timer;
    ngx_event_t                    event;         /* what is not done at once,
                                                     but outside of flushes */
    u_char                        *data;          /* in NGINX's hands: it
                                                     cannot be freed yet */
    wsc_str_t                     *chats;         /* of the URL */
    wsc_pos_t                     *after;         /* what the reader has of
                                                     each, if it resumes */
    ngx_uint_t                     n;
    ngx_uint_t                     next;          /* the one to join */
    uint32_t                       history;       /* of chats joined anew */
    uint32_t                       retry;         /* ms, goes with the next
                                                     event; 0: none does */
    uint32_t                       beat;          /* tick of the next one */
    uint32_t                       due;           /* tick to drain or cut */
    uint64_t                       bytes;         /* given to NGINX */
    uint64_t                       beaten;        /* ... at the last beat */
    uint16_t                       code;          /* close code, for the log */
    unsigned                       resume:1;      /* it has `after` */
    unsigned                       foreign:1;     /* its Last-Event-ID is no
                                                     one of these chats */
    unsigned                       opened:1;      /* welcome was said */
    unsigned                       joining:1;     /* waits for an answer */
    unsigned                       answered:1;    /* ... which was `joined` */
    unsigned                       ready:1;       /* all were asked for */
    unsigned                       draining:1;
    unsigned                       ending:1;      /* what is queued is all */
} ngx_ws_chat_sse_t;


/*
 * Takes over a request whose header was sent; conf, user, session, chats and
 * what belongs to them have been set.
 */
void ngx_ws_chat_sse_start(ngx_ws_chat_sse_t *s);

/* Ends it at once: the stream is gone on return. */
void ngx_ws_chat_sse_finalize(ngx_ws_chat_sse_t *s, ngx_int_t rc);


/* ngx_ws_chat_sse_wheel.c */

/* What is due of a stream that came out of the wheel; it may be gone then. */
typedef void (*ngx_ws_chat_sse_deed_pt)(ngx_ws_chat_sse_t *s, uint32_t now);

#define NGX_WS_CHAT_SSE_BEAT  ngx_ws_chat_ticks(15000)

void ngx_ws_chat_sse_wheel_init(ngx_cycle_t *cycle,
    ngx_ws_chat_sse_deed_pt deed);

/* Is it among the worker's streams? */
void ngx_ws_chat_sse_enter(ngx_ws_chat_sse_t *s);
void ngx_ws_chat_sse_leave(ngx_ws_chat_sse_t *s);

/* Enters its next deed, as its state says, into the wheel. */
void ngx_ws_chat_sse_schedule(ngx_ws_chat_sse_t *s);


#endif /* _NGX_WS_CHAT_SSE_STREAM_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A user's side of the conversation: runs commands, answers them, keeps what
 * is joined and what is being sent.  It does not know what transport it is on.
 */


#ifndef _NGX_WS_CHAT_CLIENT_H_INCLUDED_
#define _NGX_WS_CHAT_CLIENT_H_INCLUDED_


#include "ngx_ws_chat_client_ops.h"
#include "core/wsc_bucket.h"
#include "core/wsc_grant.h"


typedef struct ngx_ws_chat_op_s  ngx_ws_chat_op_t;


/* What few clients have to be kept for. */

typedef struct {
    uint32_t                       limited;       /* ms clock since when over
                                                     the rate; 0: is not */
    uint32_t                       limited_last;  /* the last time it was */
    uint32_t                       mistakes_at;   /* ms clock */
    uint32_t                       mistakes;
} ngx_ws_chat_faults_t;


struct ngx_ws_chat_client_s {
    ngx_ws_chat_peer_t             peer;          /* must be first */
    ngx_ws_chat_loc_conf_t        *conf;
    ngx_ws_chat_op_t              *ops;           /* not answered yet */
    ngx_ws_chat_client_t          *next;          /* of a user's bucket */
    wsc_grant_t                   *grant;         /* of its token, or NULL */
    uint64_t                       session;       /* random: the session id */
    uint64_t                       opened;        /* ms since 1970 */
    wsc_bucket_t                   bucket;
    ngx_ws_chat_faults_t          *faults;        /* NULL: none so far */
    uint32_t                       received;      /* chat messages, for log */
    uint16_t                       chats;         /* joined now */
    uint16_t                       chats_max;     /* joined at most, for log */
    uint16_t                       reads;         /* joins, questions: open */
    uint16_t                       user_at;       /* how far behind cl */
    uint8_t                        user_len;
    unsigned                       window:5;      /* server window bits, when
                                                     deflate */
    unsigned                       enc:1;         /* wsc_enc_e */
    unsigned                       deflate:1;     /* negotiated */
    unsigned                       kind:3;        /* of the logs it reads */
    unsigned                       err:4;         /* wsc_err_e of the last
                                                     error it was told */
    unsigned                       answers:1;     /* also without an id */
    unsigned                       guest:1;       /* it takes part in chats
                                                     without joining them */
    unsigned                       full:1;        /* its answer is long: it
                                                     gets errors only */
    unsigned                       entered:1;     /* in its bucket */
    unsigned                       gone:1;
    unsigned                       stale:1;       /* it was told so */
    unsigned                       leaving:1;     /* it was told `reconnect` */
    unsigned                       moderate:1;    /* its token says so */
    unsigned                       told:1;        /* of it back ends were */
};


/* Its user's octets: they lie behind it, in the session or stream. */
#define ngx_ws_chat_client_user(cl)  ((u_char *) (cl) + (cl)->user_at)

/* Copies them so far behind the client. */
void ngx_ws_chat_client_set_user(ngx_ws_chat_client_t *cl, size_t at,
    const wsc_str_t *user);

/* 1: it is this user's. */
ngx_uint_t ngx_ws_chat_client_is(const ngx_ws_chat_client_t *cl,
    const wsc_str_t *user);

/* JSON text of its token, of the user; NULL: none. */
#define ngx_ws_chat_client_info(cl)                                           \
    ((cl)->grant && (cl)->grant->info.len ? &(cl)->grant->info : NULL)

/* The client that a peer belongs to, and what its transport does. */
#define ngx_ws_chat_client(p)  ((ngx_ws_chat_client_t *) (p))
#define ngx_ws_chat_client_ops(cl)                                            \
    ((const ngx_ws_chat_client_ops_t *) (cl)->peer.ops)

#define ngx_ws_chat_client_close(cl, code, reason)                            \
    ngx_ws_chat_client_ops(cl)->close(cl, code, reason)


/*
 * Sends welcome, then joins the chats of `join` (a comma separated list, may
 * be empty).  All that the transport knows must have been set.
 */
void ngx_ws_chat_client_open(ngx_ws_chat_client_t *cl, const wsc_str_t *join);

/*
 * Runs one client message (one command, or an array) from its command number
 * *done on.  NGX_OK; NGX_AGAIN: the client is busy, all before the new *done
 * were run, the others are to be run later.
 */
ngx_int_t ngx_ws_chat_client_message(ngx_ws_chat_client_t *cl,
    wsc_str_t *data, ngx_uint_t *done);

/*
 * Runs the next command of an open batch, in the same way.  NGX_OK; NGX_DONE:
 * there is none; NGX_ERROR: no memory, the client was told to close.
 */
ngx_int_t ngx_ws_chat_client_next(ngx_ws_chat_client_t *cl,
    wsc_batch_t *batch);

/*
 * 1: so much waits to be written to the client, or to be read for it, that it
 * should be read from no further; the peer's drained() tells when to look
 * again, if its want_drain is set.
 */
ngx_uint_t ngx_ws_chat_client_busy(ngx_ws_chat_client_t *cl);

/* Announces a close by a `reconnect` event: no send is taken any more. */
void ngx_ws_chat_client_reconnect(ngx_ws_chat_client_t *cl,
    ngx_uint_t in_ms, const char *reason);

/* 1: a send of the client's is not answered yet. */
ngx_uint_t ngx_ws_chat_client_sending(ngx_ws_chat_client_t *cl);

/* Before a close: tells what is known of each send not answered yet. */
void ngx_ws_chat_client_abandon(ngx_ws_chat_client_t *cl);

/* Tells the client whether its zone is stale, unless it knows. */
void ngx_ws_chat_client_tell(ngx_ws_chat_client_t *cl);

/* The zone's `stale` has changed: tells all its members here. */
void ngx_ws_chat_client_status(ngx_ws_chat_zone_t *z);

/* The client's membership of a chat, or NULL. */
ngx_ws_chat_member_t *ngx_ws_chat_client_member(ngx_ws_chat_client_t *cl,
    const wsc_str_t *chat_id);

/* Leaves everything; what still comes is dropped. */
void ngx_ws_chat_client_gone(ngx_ws_chat_client_t *cl);

/* The peer's gap operation (see ngx_ws_chat_peer_ops_t). */
ngx_int_t ngx_ws_chat_client_gap(ngx_ws_chat_reader_t *r, wsc_pos_t after,
    wsc_pos_t before);


#endif /* _NGX_WS_CHAT_CLIENT_H_INCLUDED_ */

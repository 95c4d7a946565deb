
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The worker's rooms: one for each chat that has members here.  A room encodes
 * each message once for every kind of member it has.
 */


#ifndef _NGX_WS_CHAT_ROOM_H_INCLUDED_
#define _NGX_WS_CHAT_ROOM_H_INCLUDED_


#include "ngx_ws_chat_store.h"
#include "ngx_ws_chat_stream.h"


/*
 * The kind of log that a member reads: encoding, and whether it is compressed,
 * each message by itself or with those before; or server-sent events, whose
 * messages carry their position as id or not.
 */
#define NGX_WS_CHAT_PLAIN        0
#define NGX_WS_CHAT_DEFLATE      1
#define NGX_WS_CHAT_CONTEXT      2
#define NGX_WS_CHAT_HOWS         3

#define ngx_ws_chat_kind(enc, how)  ((enc) * NGX_WS_CHAT_HOWS + (how))

#define NGX_WS_CHAT_KIND_SSE     ngx_ws_chat_kind(WSC_ENC_N, 0)
#define NGX_WS_CHAT_KIND_SSE_ID  (NGX_WS_CHAT_KIND_SSE + 1)

/* What a kind's events are encoded in, and how they are compressed. */
#define ngx_ws_chat_kind_enc(kind)                                            \
    ((wsc_enc_e) ((kind) < NGX_WS_CHAT_KIND_SSE                               \
                  ? (kind) / NGX_WS_CHAT_HOWS : WSC_ENC_JSON))
#define ngx_ws_chat_kind_how(kind)                                            \
    ((kind) < NGX_WS_CHAT_KIND_SSE ? (kind) % NGX_WS_CHAT_HOWS                \
                                   : NGX_WS_CHAT_PLAIN)


typedef struct ngx_ws_chat_member_s   ngx_ws_chat_member_t;
typedef struct ngx_ws_chat_waiting_s  ngx_ws_chat_waiting_t;
typedef struct ngx_ws_chat_state_s    ngx_ws_chat_state_t;


struct ngx_ws_chat_room_s {
    ngx_rbtree_node_t                 node;
    ngx_ws_chat_attach_t              attach;
    ngx_ws_chat_state_t              *state;
    ngx_ws_chat_stream_t             *streams;    /* one a kind */
    ngx_ws_chat_loc_conf_t           *conf;       /* of the first member */
    ngx_queue_t                       waiting;    /* members to be told when
                                                     attached */
    uint32_t                          members;
    uint32_t                          visits;
    uint32_t                          left;       /* ms: the last one did */
    uint32_t                          messages;   /* delivered */
    uint32_t                          sampled;    /* ... a second ago */
    unsigned                          live:1;     /* attached, and what is
                                                     kept was loaded */
    unsigned                          busy:1;     /* do not free now */
    unsigned                          lingers:1;  /* empty, see drop() */
};


struct ngx_ws_chat_member_s {
    ngx_ws_chat_reader_t              reader;     /* must be first */
};


#define ngx_ws_chat_room_of(m)                                                \
    ((ngx_ws_chat_room_t *) (m)->reader.stream->owner)


/* What a member waits with for its room to be attached. */

struct ngx_ws_chat_waiting_s {
    ngx_queue_t                       queue;
    ngx_ws_chat_member_t             *member;     /* NULL: a visit */
    ngx_ws_chat_room_t               *room;       /* of a visit; else NULL */
    void                            (*ready)(ngx_ws_chat_waiting_t *w,
                                          wsc_err_e err);
    unsigned                          queued:1;   /* in the room's queue */
};


/*
 * Enters a peer into a chat, held, so that it gets nothing before the caller
 * calls ngx_ws_chat_reader_release().  w is kept by the caller while the
 * member waits; it hears through ready() when the room is attached, perhaps
 * before this returns.  With an err the member is to be removed.  A peer in
 * several rooms reads them without a context, whatever the kind.
 * NGX_OK, or NGX_ERROR: no memory, ready() is not called.
 */
ngx_int_t ngx_ws_chat_room_enter(ngx_ws_chat_zone_t *z,
    const wsc_str_t *chat_id, ngx_ws_chat_loc_conf_t *conf,
    ngx_ws_chat_peer_t *peer, ngx_uint_t kind, ngx_ws_chat_waiting_t *w);

/*
 * Looks at a chat without being in it: nobody notices.  w->ready() is called
 * as above; the room stays as it is until ngx_ws_chat_room_visited(), which
 * also calls off a visit that waits.  NGX_OK, or NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_chat_room_visit(ngx_ws_chat_zone_t *z,
    const wsc_str_t *chat_id, ngx_ws_chat_loc_conf_t *conf,
    ngx_ws_chat_waiting_t *w);
void ngx_ws_chat_room_visited(ngx_ws_chat_waiting_t *w);

/* Calls w->ready() when more was delivered to the room (not from in here). */
void ngx_ws_chat_room_wait(ngx_ws_chat_room_t *room,
    ngx_ws_chat_waiting_t *w);

/* Removes and frees the member, and drops the room. */
void ngx_ws_chat_room_leave(ngx_ws_chat_member_t *m);

/* Lets go of an empty room, when all was told that others are to hear. */
void ngx_ws_chat_room_drop(ngx_ws_chat_room_t *room);

/* 1: somebody reads events of this encoding. */
ngx_uint_t ngx_ws_chat_room_reads(ngx_ws_chat_room_t *room, wsc_enc_e enc);

/*
 * Appends the event in the scratch buffer `event`, which is of this encoding,
 * to the logs that are.  pos: of a message, else NULL.
 */
void ngx_ws_chat_room_put(ngx_ws_chat_room_t *room, wsc_enc_e enc,
    const wsc_pos_t *pos);

/* An event of each kind of logs, by a function that writes it. */
typedef void (*ngx_ws_chat_room_write_pt)(wsc_buf_t *b, wsc_enc_e enc,
    const wsc_str_t *chat_id, const wsc_note_t *note);

void ngx_ws_chat_room_tell(ngx_ws_chat_room_t *room,
    ngx_ws_chat_room_write_pt write, const wsc_note_t *note);

/* What is kept was loaded, or not (err): the room is live, or given up. */
void ngx_ws_chat_room_loaded(ngx_ws_chat_room_t *room, wsc_err_e err);

/* The chat_id of a member's room, and what was delivered into its logs. */
#define ngx_ws_chat_room_name(room)  (&(room)->attach.chat_id)
#define ngx_ws_chat_room_seen(room)  ((room)->attach.seen)

/* In init_process, before anything can be delivered. */
ngx_int_t ngx_ws_chat_room_init(ngx_ws_chat_main_conf_t *mcf);


#endif /* _NGX_WS_CHAT_ROOM_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A stream is one room log with its readers; a reader is a peer's cursor into
 * a stream.
 */


#ifndef _NGX_WS_CHAT_STREAM_H_INCLUDED_
#define _NGX_WS_CHAT_STREAM_H_INCLUDED_


#include "ngx_ws_chat_send.h"
#include "core/wsc_deflate.h"
#include "core/wsc_roomlog.h"


typedef struct ngx_ws_chat_stream_s  ngx_ws_chat_stream_t;


struct ngx_ws_chat_stream_s {
    wsc_roomlog_t                    log;
    ngx_ws_chat_reader_t           **readers;
    uint32_t                         n;
    uint32_t                         size;
    uint32_t                         next;       /* a flush visits this one */
    uint32_t                         left;       /* ... and so many in all */
    uint32_t                         behind;     /* readers not at the end */
    int32_t                          credit;     /* of its turn, see flush */
    struct ngx_ws_chat_stat_s       *stat;       /* where it is counted */
    wsc_deflate_t                   *context;    /* see ..._pack.h, or NULL */
    void                            *owner;      /* of the layer above */
    uint64_t                         born;       /* ms since 1970: timestamp of
                                                    the first message that some
                                                    did not get; 0: none */
    uint64_t                         look;       /* end at which to look how
                                                    far it can be trimmed */
    ngx_queue_t                      dirty;
    ngx_ws_chat_stream_t            *sibling;    /* the owner's ... */
    unsigned                         kind:3;     /* ... */
    unsigned                         is_dirty:1;
    unsigned                         history:1;  /* frames may refer to those
                                                    before them ... */
    unsigned                         fresh:1;    /* ... but not the next one:
                                                    some reader lacks them */
};


/* The reader is the first field of whatever the layer above makes of it. */

struct ngx_ws_chat_reader_s {
    ngx_ws_chat_peer_t              *peer;
    ngx_ws_chat_stream_t            *stream;
    ngx_ws_chat_reader_t            *next;       /* of the peer */
    uint64_t                         pos;        /* offset in the log */
    uint32_t                         index;      /* in the stream */
    unsigned                         held:1;     /* nothing is sent yet */
    unsigned                         present:1;  /* the owner's ... */
    unsigned                         waits:1;    /* ... while it joins or
                                                    leaves */
    unsigned                         told:1;     /* ... */
    unsigned                         inflight:28;
};


void ngx_ws_chat_stream_init(ngx_ws_chat_stream_t *st, wsc_pos_t pos,
    struct ngx_ws_chat_stat_s *stat, void *owner);

/* Appends one frame for every reader.  NGX_OK or NGX_ERROR (no memory). */
ngx_int_t ngx_ws_chat_stream_append(ngx_ws_chat_stream_t *st, u_char flags,
    u_char opcode, const u_char *data, size_t len, const wsc_pos_t *pos);

/* The same for a frame that is made already. */
ngx_int_t ngx_ws_chat_stream_put(ngx_ws_chat_stream_t *st,
    const u_char *header, size_t hlen, const u_char *data, size_t len,
    const wsc_pos_t *pos);

/*
 * May a compressed direct frame be sent to the peer?  1: yes, and streams with
 * a history, of which it has all there is, start anew behind it; 0: it would
 * come between frames that refer to each other.
 */
ngx_uint_t ngx_ws_chat_stream_interrupt(ngx_ws_chat_peer_t *p);

void ngx_ws_chat_stream_done(ngx_ws_chat_stream_t *st);

/* Enters a reader at the end of the log.  NGX_OK or NGX_ERROR (no memory). */
ngx_int_t ngx_ws_chat_reader_add(ngx_ws_chat_reader_t *r,
    ngx_ws_chat_peer_t *p, ngx_ws_chat_stream_t *st);

/*
 * Takes a reader, to which all of its stream was sent, to the end of another.
 * NGX_OK; NGX_DECLINED: it is behind; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_chat_reader_move(ngx_ws_chat_reader_t *r,
    ngx_ws_chat_stream_t *st);

/* Moves a held reader to the end; lets it go on from where it stands. */
void ngx_ws_chat_reader_forward(ngx_ws_chat_reader_t *r);
void ngx_ws_chat_reader_release(ngx_ws_chat_reader_t *r);

/*
 * Leaves the stream and the peer.  If a frame of it is half written, its rest
 * is copied to the head of the peer's direct frames first.
 */
void ngx_ws_chat_reader_remove(ngx_ws_chat_reader_t *r);


#endif /* _NGX_WS_CHAT_STREAM_H_INCLUDED_ */

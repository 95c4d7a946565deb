
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Sending.  A peer is the output half of one socket; what it reads of room
 * logs: see ngx_ws_chat_stream.h.
 *
 * Nothing is written at once: frames are queued or appended, and one posted
 * event a turn of the event loop flushes each dirty stream and peer, with one
 * system call for everything a peer has.  A frame begun is finished before
 * octets of another source; direct frames go first at a border.
 *
 * A frame is one of WebSocket, or whatever else a peer's transport is made of:
 * then it is put as it is.
 */


#ifndef _NGX_WS_CHAT_SEND_H_INCLUDED_
#define _NGX_WS_CHAT_SEND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "core/wsc_roomlog.h"


typedef struct ngx_ws_chat_peer_s    ngx_ws_chat_peer_t;
typedef struct ngx_ws_chat_reader_s  ngx_ws_chat_reader_t;
typedef struct ngx_ws_chat_out_s     ngx_ws_chat_out_t;

/* What a peer tells the layer above; called from flush, may not free. */

typedef struct {
    /*
     * The reader lags beyond the limit: everything in (after, before) is
     * skipped for it.  NGX_OK: the gap was announced (by a direct frame put
     * with ngx_ws_chat_peer_send()), it goes on at the end of the log.
     * NGX_DECLINED: the peer is to be closed; it was told to close itself.
     */
    ngx_int_t  (*gap)(ngx_ws_chat_reader_t *r, wsc_pos_t after,
                   wsc_pos_t before);

    /* Writing failed: close from a posted event, not from in here. */
    void       (*broken)(ngx_ws_chat_peer_t *p);

    /* All direct frames are written (a Close, or reading may go on). */
    void       (*drained)(ngx_ws_chat_peer_t *p);

    /*
     * Writes instead of the socket, and returns like it; it sets `blocked`
     * while it takes no more.  NULL: the socket.
     */
    ssize_t    (*push)(ngx_ws_chat_peer_t *p, const wsc_slice_t *slices,
                   size_t n, size_t total);

    /* Frames of readers were written, and all is at a border.  Or NULL. */
    void       (*flushed)(ngx_ws_chat_peer_t *p);
} ngx_ws_chat_peer_ops_t;


struct ngx_ws_chat_peer_s {
    ngx_connection_t                *connection;
    const ngx_ws_chat_peer_ops_t    *ops;
    ngx_ws_chat_out_t               *out;        /* direct: the ring's last */
    ngx_ws_chat_reader_t            *readers;    /* all of this peer */
    uint32_t                         mid;        /* so many octets of the first
                                                    reader go before all else:
                                                    up to a border */
    uint32_t                         dirty;      /* its place among those that
                                                    are, from 1 */
    uint32_t                         frames;     /* of readers, for the log */
    uint32_t                         out_bytes;  /* direct, not written yet */
    uint32_t                         lag_limit;
    unsigned                         broken:1;
    unsigned                         begun:1;    /* something was written */
    unsigned                         bounded:1;  /* what the kernel keeps */
    unsigned                         muted:1;    /* it is closing: what is
                                                    queued is the last */
    unsigned                         want_drain:1;  /* call drained() once */
    unsigned                         blocked:1;  /* push() takes nothing now */
};


#define NGX_WS_CHAT_OUT_PAUSE  65536    /* reading stops above it */


void ngx_ws_chat_peer_init(ngx_ws_chat_peer_t *p, ngx_connection_t *c,
    const ngx_ws_chat_peer_ops_t *ops, size_t lag_limit);

/*
 * Queues one direct frame (a copy of the payload).  flags: FIN, RSV1.
 * NGX_OK, also when it is dropped because the peer is muted; NGX_ERROR (no
 * memory: the peer is told to be broken).
 */
ngx_int_t ngx_ws_chat_peer_send(ngx_ws_chat_peer_t *p, u_char flags,
    u_char opcode, const u_char *data, size_t len);

/* The same for a frame that is made already, header and payload. */
ngx_int_t ngx_ws_chat_peer_put(ngx_ws_chat_peer_t *p, const u_char *header,
    size_t hlen, const u_char *data, size_t len);

/* The write event: writes what there is.  Never frees the peer. */
void ngx_ws_chat_peer_write(ngx_ws_chat_peer_t *p);

/* 1 when nothing at all waits to be written. */
ngx_uint_t ngx_ws_chat_peer_idle(ngx_ws_chat_peer_t *p);

/* Lets go of everything queued; readers must have been removed. */
void ngx_ws_chat_peer_done(ngx_ws_chat_peer_t *p);


/* In init_process and exit_process. */
void ngx_ws_chat_send_init(ngx_log_t *log);
void ngx_ws_chat_send_done(void);


#endif /* _NGX_WS_CHAT_SEND_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the files of sending need of each other.
 */


#ifndef _NGX_WS_CHAT_SEND_FLUSH_H_INCLUDED_
#define _NGX_WS_CHAT_SEND_FLUSH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_ws_chat_peer_s    ngx_ws_chat_peer_t;
typedef struct ngx_ws_chat_reader_s  ngx_ws_chat_reader_t;


/* 1: the peer's transport may take octets. */
#define ngx_ws_chat_peer_ready(p)                                             \
    ((p)->connection->write->ready && !(p)->blocked)

/* Flushes what is dirty in this turn of the event loop. */
void ngx_ws_chat_flush_post(void);

/* The peer is visited by the next flush. */
void ngx_ws_chat_peer_dirty(ngx_ws_chat_peer_t *p);

/* Bounds what the kernel keeps of what is written. */
void ngx_ws_chat_peer_bound(ngx_ws_chat_peer_t *p);

/*
 * Sets what matters before so many octets more are written to its socket: the
 * first ones are delayed by nothing, and few ones need no bound.  NGX_OK or
 * NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_peer_options(ngx_ws_chat_peer_t *p, size_t total);

/* A peer that is not dirty becomes so.  NGX_OK or NGX_ERROR (no memory). */
ngx_int_t ngx_ws_chat_dirty_add(ngx_ws_chat_peer_t *p);
void ngx_ws_chat_dirty_remove(ngx_ws_chat_peer_t *p);

/* So many places are taken; the peer in the first, or NULL: it has gone. */
ngx_uint_t ngx_ws_chat_dirty_count(void);
ngx_ws_chat_peer_t *ngx_ws_chat_dirty_take(void);

void ngx_ws_chat_dirty_init(void);
void ngx_ws_chat_dirty_done(void);

/* A system call takes about as long as copying so many octets. */
#define NGX_WS_CHAT_WRITE  4096

/*
 * Writes what the socket takes, to a limit; returns what it cost: the octets,
 * and NGX_WS_CHAT_WRITE for each system call.
 */
size_t ngx_ws_chat_peer_visit(ngx_ws_chat_peer_t *p);

/*
 * Copies the rest of the frame begun to the head of the direct frames, so that
 * its reader stands at a border.  NGX_OK or NGX_ERROR (no memory: the peer was
 * told to be broken).
 */
ngx_int_t ngx_ws_chat_peer_keep(ngx_ws_chat_peer_t *p);


/* So many octets of the reader were written. */
void ngx_ws_chat_reader_took(ngx_ws_chat_reader_t *r, size_t n);

void ngx_ws_chat_streams_init(void);

/*
 * Visits the readers of dirty streams until it has cost about max octets, as
 * above.  NGX_OK: all; NGX_AGAIN: there are more.
 */
ngx_int_t ngx_ws_chat_streams_flush(size_t max);


#endif /* _NGX_WS_CHAT_SEND_FLUSH_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The receiving half of a WebSocket (RFC 6455, RFC 7692): octets in, events
 * out.  An idle connection owns no memory beyond wsc_conn_t; a message that
 * arrives in pieces owns a partial state until it is complete.
 */


#ifndef _WSC_CONN_H_INCLUDED_
#define _WSC_CONN_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_deflate.h"


#define WSC_CONN_MAX_MESSAGE  0x40000000


typedef struct wsc_partial_s  wsc_partial_t;


/* Shared by all connections of one kind in one worker; not thread safe. */

typedef struct {
    const wsc_alloc_t  *alloc;
    wsc_buf_t          *scratch;        /* inflated messages; shared, caller
                                           resets it when it likes */
    size_t              max_message;    /* octets after inflation:
                                           1 .. WSC_CONN_MAX_MESSAGE */
    uint32_t            max_fragments;  /* frames of one message; 1 or more */
    unsigned            client:1;       /* we are the client: frames come
                                           unmasked */
} wsc_conn_conf_t;


typedef struct {
    const wsc_conn_conf_t  *conf;
    wsc_partial_t          *partial;      /* NULL between messages */
    wsc_inflate_t          *inflate;      /* kept only for context takeover */
    unsigned                deflate:1;    /* permessage-deflate negotiated */
    unsigned                no_takeover:1;  /* the peer resets its context */
    unsigned                window:5;     /* the peer's window bits, 8..15 */
    unsigned                closed:1;     /* Close received or error: ended */
    uint32_t                since;        /* the owner's: when the incomplete
                                             message began */
} wsc_conn_t;


typedef enum {
    WSC_EV_MESSAGE = 0,       /* opcode TEXT (valid UTF-8) or BINARY */
    WSC_EV_PING,
    WSC_EV_PONG,
    WSC_EV_CLOSE              /* code (1005: none) and reason in data */
} wsc_event_e;


typedef struct {
    wsc_event_e             type;
    u_char                  opcode;
    uint16_t                code;     /* CLOSE, and the code after an error */
    wsc_str_t               data;     /* valid until the next call for any
                                         connection of this conf; unmasked in
                                         place, may be altered */
    const char             *reason;   /* static text after WSC_ERROR */
} wsc_conn_event_t;


/* ext: what the handshake agreed on, or NULL for no extension. */
void wsc_conn_init(wsc_conn_t *c, const wsc_conn_conf_t *conf,
    const wsc_deflate_params_t *ext);

/*
 * Takes octets from *pos (up to last, altered by unmasking) until one event is
 * complete.  WSC_OK: ev holds it, call again, also with *pos == last, until
 * WSC_AGAIN: all octets are taken.  WSC_ERROR: the peer broke the protocol or
 * memory is short (1011); ev->code is the code to close with, ev->reason says
 * why; later octets are discarded (WSC_AGAIN).  So it is after WSC_EV_CLOSE.
 * Lengths are checked against max_message before anything is allocated.
 */
ssize_t wsc_conn_parse(wsc_conn_t *c, u_char **pos, u_char *last,
    wsc_conn_event_t *ev);

/* 1 while a message or frame is incomplete (for time limits). */
int wsc_conn_incomplete(const wsc_conn_t *c);

/* Octets of memory owned beside wsc_conn_t itself. */
size_t wsc_conn_memory(const wsc_conn_t *c);

/* Frees what the connection owns; c may be initialised again. */
void wsc_conn_free(wsc_conn_t *c);


#endif /* _WSC_CONN_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The life of one socket after its 101: reading frames, heartbeat, closing.
 */


#ifndef _NGX_WS_CHAT_SESSION_H_INCLUDED_
#define _NGX_WS_CHAT_SESSION_H_INCLUDED_


#include "ngx_ws_chat_client.h"
#include "core/wsc_wheel.h"


typedef struct ngx_ws_chat_session_s  ngx_ws_chat_session_t;
typedef struct ngx_ws_chat_rest_s     ngx_ws_chat_rest_t;


struct ngx_ws_chat_session_s {
    ngx_ws_chat_client_t           client;        /* must be first */
    wsc_conn_t                     conn;
    uint64_t                       bytes_in;
    uint32_t                       due;           /* tick of the next deed:
                                                     no pong, drain or cut */
    uint32_t                       heard;         /* tick of the last octet */
    uint16_t                       code;          /* close code, for the log */
    uint8_t                        addr_len;
    uint8_t                        nholds;
    unsigned                       echo:1;
    unsigned                       pinged:1;
    unsigned                       partial:1;     /* a message is incomplete */
    unsigned                       paused:1;      /* no reading: output is
                                                     too much */
    unsigned                       closing:1;     /* our Close is queued */
    unsigned                       close_read:1;  /* theirs was read, or none
                                                     can be expected */
    unsigned                       lingering:1;   /* our half is shut down */
    unsigned                       draining:1;
    unsigned                       pooled:1;      /* c->pool was kept (TLS) */
    u_char                         text[1];       /* address, user, holds */
};


/*
 * NGINX's own slot of a connection has room for what it does not use while a
 * session has it: where a timer of the write event would be, the session's
 * node in the wheel is; where a buffer would be, input that waits.
 */
#define ngx_ws_chat_session_timer(s)                                          \
    ((wsc_wheel_node_t *) &(s)->client.peer.connection->write->timer)

#define ngx_ws_chat_session_rest(s)                                           \
    ((ngx_ws_chat_rest_t *) (s)->client.peer.connection->buffer)

#define ngx_ws_chat_session_set_rest(s, rest)                                 \
    (s)->client.peer.connection->buffer = (void *) (rest)

#define ngx_ws_chat_session_of(node)                                          \
    ((ngx_ws_chat_session_t *)                                                \
        ((ngx_connection_t *)                                                 \
            ((ngx_event_t *)                                                  \
                ((u_char *) (node) - offsetof(ngx_event_t, timer)))->data     \
        )->data)


/* A cleanup of the request that is to run when the session ends. */

typedef struct {
    ngx_pool_cleanup_pt            handler;
    void                          *data[2];
} ngx_ws_chat_hold_t;


/* What the upgrade found out. */

typedef struct {
    ngx_ws_chat_loc_conf_t        *conf;
    wsc_deflate_params_t          *deflate;       /* NULL: not agreed */
    ngx_ws_chat_hold_t            *holds;
    ngx_uint_t                     nholds;
    const wsc_jwt_claims_t        *claims;        /* NULL: no token */
    wsc_str_t                      user;
    wsc_str_t                      addr;
    wsc_str_t                      join;
    wsc_str_t                      pending;       /* octets read already */
    wsc_enc_e                      enc;
    unsigned                       echo:1;
    unsigned                       pooled:1;
} ngx_ws_chat_session_init_t;


/*
 * Makes a session with copies of user, addr and holds; the connection is not
 * touched.  NULL: no memory.
 */
ngx_ws_chat_session_t *ngx_ws_chat_session_create(ngx_connection_t *c,
    const ngx_ws_chat_session_init_t *init);

/*
 * Takes over a connection whose request was released: sets its handlers, sends
 * welcome, joins, reads the pending octets (which are altered).  The session
 * may be gone on return.
 */
void ngx_ws_chat_session_start(ngx_ws_chat_session_t *s,
    const ngx_ws_chat_session_init_t *init);

/* The address of the client, in the session's text. */
#define ngx_ws_chat_session_addr(s)  ((s)->text)

/* Starts the close handshake with a code and a static reason. */
void ngx_ws_chat_session_close(ngx_ws_chat_session_t *s, ngx_uint_t code,
    const char *reason);

/* In init_process and exit_process, where it closes what is open. */
ngx_int_t ngx_ws_chat_session_init(ngx_cycle_t *cycle);
void ngx_ws_chat_session_done(ngx_cycle_t *cycle);


#endif /* _NGX_WS_CHAT_SESSION_H_INCLUDED_ */


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
    wsc_wheel_node_t               timer;
    ngx_ws_chat_rest_t            *rest;          /* input that waits while
                                                     output is too much */
    uint64_t                       bytes_in;
    uint32_t                       start;         /* ngx_time() */
    uint32_t                       due;           /* tick of the next deed:
                                                     no pong, drain or cut */
    uint32_t                       heard;         /* tick of the last octet */
    uint32_t                       since;         /* tick when the incomplete
                                                     message began */
    uint16_t                       code;          /* close code, for the log */
    uint8_t                        addr_len;
    uint8_t                        nholds;
    unsigned                       echo:1;
    unsigned                       pinged:1;
    unsigned                       partial:1;     /* a message is incomplete */
    unsigned                       paused:1;      /* no reading: see rest */
    unsigned                       closing:1;     /* our Close is queued */
    unsigned                       close_read:1;  /* theirs was read, or none
                                                     can be expected */
    unsigned                       lingering:1;   /* our half is shut down */
    unsigned                       draining:1;
    unsigned                       pooled:1;      /* c->pool was kept (TLS) */
    u_char                         text[1];       /* address, user, holds */
};


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


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What ngx_ws_chat_redis.c (the life of a connection), ..._redis_login.c (its
 * first commands) and ..._redis_io.c (its octets) share.
 */


#ifndef _NGX_WS_CHAT_REDIS_INT_H_INCLUDED_
#define _NGX_WS_CHAT_REDIS_INT_H_INCLUDED_


#include "ngx_ws_chat_redis_conf.h"
#include "core/wsc_backoff.h"
#include "core/wsc_buf.h"
#include <hiredis/hiredis.h>


typedef enum {
    NGX_WS_CHAT_REDIS_IDLE = 0,               /* until the next attempt */
    NGX_WS_CHAT_REDIS_CONNECT,
    NGX_WS_CHAT_REDIS_HANDSHAKE,
    NGX_WS_CHAT_REDIS_LOGIN,
    NGX_WS_CHAT_REDIS_UP
} ngx_ws_chat_redis_state_e;


/* A command without a reply. */

typedef struct {
    ngx_ws_chat_redis_reply_pt        reply;
    void                             *data;
    ngx_msec_t                        since;
} ngx_ws_chat_redis_pending_t;


struct ngx_ws_chat_redis_s {
    const ngx_ws_chat_redis_conf_t   *conf;
    const ngx_ws_chat_redis_ops_t    *ops;
    void                             *data;

    ngx_connection_t                 *connection;
    ngx_log_t                         log;
    ngx_uint_t                        peer;       /* index */
    wsc_backoff_t                     backoff;
    ngx_msec_t                        since;      /* when it came up */

    ngx_event_t                       timer;      /* attempt, deadline */
    ngx_event_t                       flush;      /* posted */

    wsc_buf_t                         out;
    size_t                            sent;       /* of out */

    redisReader                      *reader;
    size_t                            reply_size; /* of what is being read */
    size_t                            elements;   /* in arrays of it */
    ngx_pool_t                       *objects;    /* made of it, or NULL */

    ngx_ws_chat_redis_pending_t      *pending;    /* a ring */
    ngx_uint_t                        pending_size;   /* a power of two */
    ngx_uint_t                        pending_first;
    ngx_uint_t                        pending_n;

    ngx_sockaddr_t                    master;     /* as the Sentinels say */
    socklen_t                         master_len; /* 0: to be asked for */

    unsigned                          state:3;
    unsigned                          kind:2;     /* ..._kind_e */
    unsigned                          broken:1;   /* to be closed: reason */
    unsigned                          moving:1;   /* from Sentinel to master */
    unsigned                          final:1;    /* no further attempt */
    char                              reason[NGX_WS_CHAT_REDIS_REASON];
};


#define ngx_ws_chat_redis_subscribes(rc)                                      \
    ((rc)->kind == NGX_WS_CHAT_REDIS_SUBSCRIBER                               \
     || (rc)->kind == NGX_WS_CHAT_REDIS_SENTINEL)


/* ngx_ws_chat_redis.c */

/* Marks it as broken, with the first reason given, in printf's format. */
void ngx_ws_chat_redis_fail(ngx_ws_chat_redis_t *rc, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends a broken connection; it may be that nobody knows it any more. */
void ngx_ws_chat_redis_lost(ngx_ws_chat_redis_t *rc);

/* The last reply of the login came. */
void ngx_ws_chat_redis_came_up(ngx_ws_chat_redis_t *rc);


/* ngx_ws_chat_redis_login.c */

/* Sends who we are, or asks a Sentinel. */
void ngx_ws_chat_redis_login(ngx_ws_chat_redis_t *rc);


/* ngx_ws_chat_redis_io.c */

/* For a new connection; NGX_ERROR: no memory. */
ngx_int_t ngx_ws_chat_redis_io_open(ngx_ws_chat_redis_t *rc);

/* Forgets all octets. */
void ngx_ws_chat_redis_io_close(ngx_ws_chat_redis_t *rc);

/* Answers what was not with NULL. */
void ngx_ws_chat_redis_io_drop(ngx_ws_chat_redis_t *rc);

/*
 * Queues a command in any state, for the next write; awaited: a reply will
 * come.  Answers as
 * ngx_ws_chat_redis_command() does.
 */
ngx_int_t ngx_ws_chat_redis_put(ngx_ws_chat_redis_t *rc, ngx_uint_t argc,
    const wsc_str_t *argv, ngx_uint_t awaited,
    ngx_ws_chat_redis_reply_pt reply, void *data);

/* Handlers of events, for a connected socket. */
void ngx_ws_chat_redis_read_handler(ngx_event_t *rev);
void ngx_ws_chat_redis_write_handler(ngx_event_t *wev);
void ngx_ws_chat_redis_flush_handler(ngx_event_t *ev);


/* ngx_ws_chat_redis_reply.c */

/* The reader makes its objects there. */
void ngx_ws_chat_redis_reply_open(ngx_ws_chat_redis_t *rc);

/* The reply was looked at: its objects are gone. */
void ngx_ws_chat_redis_reply_done(ngx_ws_chat_redis_t *rc);

/* No reader needs them any more. */
void ngx_ws_chat_redis_reply_close(ngx_ws_chat_redis_t *rc);


#endif /* _NGX_WS_CHAT_REDIS_INT_H_INCLUDED_ */

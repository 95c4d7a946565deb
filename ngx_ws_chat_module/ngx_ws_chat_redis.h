
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One connection to Redis: NGINX owns the socket, hiredis formats commands and
 * parses replies.  It connects by itself, and again with full jitter after a
 * break, until it is closed.
 */


#ifndef _NGX_WS_CHAT_REDIS_H_INCLUDED_
#define _NGX_WS_CHAT_REDIS_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


struct redisReply;

typedef struct ngx_ws_chat_redis_s       ngx_ws_chat_redis_t;
typedef struct ngx_ws_chat_redis_conf_s  ngx_ws_chat_redis_conf_t;


typedef enum {
    NGX_WS_CHAT_REDIS_COMMANDS = 0,
    NGX_WS_CHAT_REDIS_SUBSCRIBER,     /* replies are pushes, only PING gets
                                         its reply through the callback */
    NGX_WS_CHAT_REDIS_ANY,            /* commands; a replica will do */
    NGX_WS_CHAT_REDIS_SENTINEL        /* a subscriber to a Sentinel; its
                                         address is that of the master */
} ngx_ws_chat_redis_kind_e;


/* Told to the owner; none of them may close the connection from inside. */

typedef struct {
    /* Connected, authenticated, database selected: commands may be sent. */
    void  (*up)(ngx_ws_chat_redis_t *rc);

    /*
     * Lost; every command without a reply was answered with NULL before.
     * It tries again by itself.
     */
    void  (*down)(ngx_ws_chat_redis_t *rc, const char *reason);

    /*
     * What nobody asked for: messages of a subscriber connection, among them
     * (s)subscribe and (s)unsubscribe confirmations.  The shape was checked:
     * 3 elements (pmessage: 4), strings but for a count at the end of a
     * confirmation; the name of a channel may be nil there.
     */
    void  (*push)(ngx_ws_chat_redis_t *rc, const struct redisReply *reply);

    /*
     * A subscriber's command was refused.  NGX_OK: the connection goes on;
     * else, or with NULL here, it is broken.
     */
    ngx_int_t  (*refused)(ngx_ws_chat_redis_t *rc,
                   const struct redisReply *reply);
} ngx_ws_chat_redis_ops_t;


/*
 * The reply to one command, in order; NULL: the connection broke or the
 * command timed out, whether it was executed is not known.  The reply is freed
 * on return.
 */
typedef void (*ngx_ws_chat_redis_reply_pt)(void *data,
    const struct redisReply *reply);


/*
 * Opens a connection by configuration.  What it reaches has to be a master,
 * unless any will do.  NULL: no memory.
 */
ngx_ws_chat_redis_t *ngx_ws_chat_redis_open(
    const ngx_ws_chat_redis_conf_t *conf, ngx_ws_chat_redis_kind_e kind,
    const ngx_ws_chat_redis_ops_t *ops, void *data);

/* What was given as data. */
void *ngx_ws_chat_redis_data(ngx_ws_chat_redis_t *rc);

/* 1 between up() and down(); NULL is a connection that never is. */
ngx_uint_t ngx_ws_chat_redis_is_up(ngx_ws_chat_redis_t *rc);

/*
 * Queues one command (argv is copied); all that is queued in a turn of the
 * event loop is written at once.  reply may be NULL, and is not called for a
 * subscriber's commands but PING.  NGX_OK; NGX_DECLINED: it is not up, or 32
 * MiB wait already; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_chat_redis_command(ngx_ws_chat_redis_t *rc, ngx_uint_t argc,
    const wsc_str_t *argv, ngx_ws_chat_redis_reply_pt reply, void *data);

/* The address it is connected to; 0: it is not, or its length. */
socklen_t ngx_ws_chat_redis_sockaddr(ngx_ws_chat_redis_t *rc,
    ngx_sockaddr_t *sa);

/*
 * The same for what is in no hurry: it is written with the next command of the
 * other kind, or by ngx_ws_chat_redis_flush().  Its reply is for nobody.
 */
ngx_int_t ngx_ws_chat_redis_later(ngx_ws_chat_redis_t *rc, ngx_uint_t argc,
    const wsc_str_t *argv);
void ngx_ws_chat_redis_flush(ngx_ws_chat_redis_t *rc);

/* Breaks it off on purpose (a canary stayed silent); it connects again. */
void ngx_ws_chat_redis_break(ngx_ws_chat_redis_t *rc, const char *reason);

/* Closes for good; unanswered commands are answered with NULL. */
void ngx_ws_chat_redis_close(ngx_ws_chat_redis_t *rc);


#endif /* _NGX_WS_CHAT_REDIS_H_INCLUDED_ */

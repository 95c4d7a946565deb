
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The steps of a transaction, from file to file.
 */


#ifndef _NGX_WS_CHAT_LIVE_APPEND_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_APPEND_H_INCLUDED_


#include "ngx_ws_chat_live_parts.h"


#define NGX_WS_CHAT_LIVE_DEDUPE    86400000        /* ms */
#define NGX_WS_CHAT_LIVE_RENEW     600000          /* ms between renewals of an
                                                      epoch: it needs not be
                                                      asked for meanwhile */
#define NGX_WS_CHAT_LIVE_SPARE     1800000         /* ms that an epoch outlives
                                                      the last message, */
#define NGX_WS_CHAT_LIVE_LONGER    3600000         /* and a stream does */


/* ngx_ws_chat_live_decide.c: asks for all that the batch needs. */
void ngx_ws_chat_live_watch(ngx_ws_chat_live_node_t *n);

/* The same with nothing to ask.  NGX_DECLINED: there is. */
ngx_int_t ngx_ws_chat_live_quick(ngx_ws_chat_live_node_t *n);

/* Watches the incarnation of the batch's shard for the next one, */
void ngx_ws_chat_live_arm(ngx_ws_chat_live_node_t *n);

/* and nothing else. */
void ngx_ws_chat_live_unwatch(ngx_ws_chat_live_node_t *n);

/* ngx_ws_chat_live_exec.c: stores what is new in it. */
void ngx_ws_chat_live_exec(ngx_ws_chat_live_node_t *n);


/* ngx_ws_chat_live_append.c */

/*
 * Sends a command on the append connection, where none may be missing: without
 * memory for it that breaks, and the batch is decided anew.
 */
void ngx_ws_chat_live_ask(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_redis_reply_pt reply, void *data);

/* Its turn comes on its node's connection, if it has something. */
void ngx_ws_chat_live_queue(ngx_ws_chat_live_shard_t *shard);

/* A send of the batch is stored: answers it. */
void ngx_ws_chat_live_known(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it);

/* Something changed meanwhile: the same once more, for those left. */
void ngx_ws_chat_live_again(ngx_ws_chat_live_node_t *n);

/* The batch is over: the next one may start. */
void ngx_ws_chat_live_finish(ngx_ws_chat_live_node_t *n);

/* A command of a transaction was queued, or else why it was not. */
void ngx_ws_chat_live_on_queued(void *data, const redisReply *r);

/* Redis refuses (no memory, a replica, no permission): nothing is stored. */
void ngx_ws_chat_live_on_error(ngx_ws_chat_live_node_t *n, const redisReply *r,
    const char *what);


#endif /* _NGX_WS_CHAT_LIVE_APPEND_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The steps of a transaction, from file to file.
 */


#ifndef _NGX_WS_CHAT_LIVE_APPEND_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_APPEND_H_INCLUDED_


#include "ngx_ws_chat_live_parts.h"


/* ngx_ws_chat_live_decide.c: asks for all that the batch needs. */
void ngx_ws_chat_live_watch(ngx_ws_chat_live_node_t *n);

/* ngx_ws_chat_live_exec.c: stores what is new in it. */
void ngx_ws_chat_live_exec(ngx_ws_chat_live_node_t *n);


/* ngx_ws_chat_live_append.c */

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

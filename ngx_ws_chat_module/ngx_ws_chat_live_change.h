
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Changed messages of live chats: how they are stored, found, and told.
 */


#ifndef _NGX_WS_CHAT_LIVE_CHANGE_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_CHANGE_H_INCLUDED_


#include "ngx_ws_chat_live_parts.h"


/* ngx_ws_chat_live_over.c */

/* Asks for the changes of a chat, to be read before its stream. */
ngx_int_t ngx_ws_chat_live_over_ask(ngx_ws_chat_live_t *l,
    ngx_ws_chat_redis_t *rc, const wsc_str_t *chat_id,
    ngx_ws_chat_redis_reply_pt reply, void *data);

/*
 * Reads the reply, in the place of what was read before.  NGX_OK; NGX_ERROR:
 * they are not known, and neither is then what the stream shows.
 */
ngx_int_t ngx_ws_chat_live_over_read(ngx_ws_chat_live_t *l,
    ngx_ws_chat_live_over_t *o, const redisReply *r);
void ngx_ws_chat_live_over_free(ngx_ws_chat_live_over_t *o);

/* Makes an entry what it is now; then it has octets of o. */
void ngx_ws_chat_live_over_apply(const ngx_ws_chat_live_over_t *o,
    wsc_entry_t *e);

/* Makes an entry what a change makes of it, with that one's octets. */
void ngx_ws_chat_live_over_entry(const wsc_change_t *c, wsc_entry_t *e);

/* 1: who has seen all up to there may not have seen the change. */
ngx_uint_t ngx_ws_chat_live_over_since(const wsc_change_t *c,
    wsc_pos_t since);

/* The subscription of a chat is no more: changes are missed. */
void ngx_ws_chat_live_astray(ngx_ws_chat_live_chat_t *chat);

/* chat->over was read: tells what was missed, if there is any. */
void ngx_ws_chat_live_over_tell(ngx_ws_chat_live_chat_t *chat);

/*
 * A change came by the chat's channel.  1: of a message that was not delivered
 * yet: read the stream.
 */
ngx_uint_t ngx_ws_chat_live_over_message(ngx_ws_chat_live_chat_t *chat,
    const wsc_change_t *c);


/* ngx_ws_chat_live_change.c */

/* 1: all that a user sent can be found in this zone. */
ngx_uint_t ngx_ws_chat_live_erases(ngx_ws_chat_live_t *l);

void ngx_ws_chat_live_change(ngx_ws_chat_change_t *c);
void ngx_ws_chat_live_cancel_change(ngx_ws_chat_change_t *c);

/* The shard's turn has come: begins with its first change. */
void ngx_ws_chat_live_change_start(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_shard_t *shard);

/* What is under way waits again; or is answered. */
void ngx_ws_chat_live_change_put_back(ngx_ws_chat_live_node_t *n);
void ngx_ws_chat_live_change_fail(ngx_ws_chat_live_node_t *n, wsc_err_e err);

/* Answers those that waited for too long; all: everything that waits. */
void ngx_ws_chat_live_change_expire(ngx_ws_chat_live_t *l, ngx_uint_t all);

/* 1: the history keeps no message from then (ms since 1970). */
ngx_uint_t ngx_ws_chat_live_old(const wsc_shmlog_limits_t *limits,
    uint64_t timestamp);

/* Answers it. */
void ngx_ws_chat_live_change_answer(ngx_ws_chat_change_t *c, wsc_err_e err);


/* ngx_ws_chat_live_revise.c */

/* The same in a durable zone, or of what is only archived. */
void ngx_ws_chat_live_revise(ngx_ws_chat_change_t *c);
void ngx_ws_chat_live_cancel_revise(ngx_ws_chat_change_t *c);


/* ngx_ws_chat_live_erase.c */

void ngx_ws_chat_live_erase(ngx_ws_chat_erase_t *e);
void ngx_ws_chat_live_cancel_erase(ngx_ws_chat_erase_t *e);


#endif /* _NGX_WS_CHAT_LIVE_CHANGE_H_INCLUDED_ */

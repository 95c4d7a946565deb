
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the parts of the live store do for each other.
 */


#ifndef _NGX_WS_CHAT_LIVE_PARTS_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_PARTS_H_INCLUDED_


#include "ngx_ws_chat_live_key.h"
#include "ngx_ws_chat_live_node.h"


/* Replies. */

/* A string as a core string; NULL for anything else. */
const wsc_str_t *ngx_ws_chat_live_reply_str(const redisReply *r,
    wsc_str_t *s);

/*
 * An entry of XRANGE's reply; strings point into it.  NGX_OK; NGX_DECLINED:
 * it is none of ours (counted), only its position is known (seq 0: nor that).
 */
ngx_int_t ngx_ws_chat_live_reply_entry(ngx_ws_chat_live_t *l,
    const redisReply *r, wsc_entry_t *e);

/* The position of the first entry of XRANGE's reply; seq 0: there is none. */
wsc_pos_t ngx_ws_chat_live_reply_head(const redisReply *r);

/* What TIME says, in ms since 1970; the worker's clock if it is none. */
uint64_t ngx_ws_chat_live_reply_time(const redisReply *r);


/* ngx_ws_chat_live_append.c */

extern const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_append_ops;

void ngx_ws_chat_live_publish(ngx_ws_chat_publish_t *p);
void ngx_ws_chat_live_cancel_publish(ngx_ws_chat_publish_t *p);

/* The posted event: starts a transaction if there is none. */
void ngx_ws_chat_live_flush(ngx_event_t *ev);

/* Answers sends that waited for too long; all: everything that waits. */
void ngx_ws_chat_live_expire(ngx_ws_chat_live_t *l, ngx_uint_t all);

/* The shard has another node: its sends go there. */
void ngx_ws_chat_live_append_moved(ngx_ws_chat_live_shard_t *shard,
    ngx_ws_chat_live_node_t *node);

/* Each tick: shards that were paused go on. */
void ngx_ws_chat_live_append_tick(ngx_ws_chat_live_t *l);

/* The append connection is gone: what was under way waits again. */
void ngx_ws_chat_live_append_lost(ngx_ws_chat_live_node_t *n);


/* ngx_ws_chat_live_reader.c */

void ngx_ws_chat_live_attach(ngx_ws_chat_attach_t *a);
void ngx_ws_chat_live_detach(ngx_ws_chat_attach_t *a);

/* Finds the record of a chat, or NULL. */
ngx_ws_chat_live_chat_t *ngx_ws_chat_live_find(ngx_ws_chat_live_t *l,
    const wsc_str_t *chat_id);

/* Each tick: holes, ends, chats that nobody needs. */
void ngx_ws_chat_live_look(ngx_ws_chat_live_t *l);

/* Attaches that wait are refused. */
void ngx_ws_chat_live_refuse(ngx_ws_chat_live_t *l, ngx_uint_t all);

void ngx_ws_chat_live_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
void ngx_ws_chat_live_chats_free(ngx_ws_chat_live_t *l);

/* The subscription to its channel is confirmed: reads what is there. */
void ngx_ws_chat_live_confirmed(ngx_ws_chat_live_chat_t *chat);

/* An envelope came on a channel, of a chat or (NULL) of a node. */
void ngx_ws_chat_live_message(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_chat_t *chat, const wsc_str_t *data);


/* ngx_ws_chat_live_subscribe.c */

extern const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_subscriber_ops;

/* To the channel of a chat; if not connected, later. */
void ngx_ws_chat_live_subscribe(ngx_ws_chat_live_chat_t *chat);
void ngx_ws_chat_live_unsubscribe(ngx_ws_chat_live_chat_t *chat);


/* ngx_ws_chat_live_map.c; without a Cluster they do nothing. */

/* The shards are there, and get their first node.  NGX_ERROR: no memory. */
ngx_int_t ngx_ws_chat_live_map_open(ngx_ws_chat_live_t *l);
void ngx_ws_chat_live_map_close(ngx_ws_chat_live_t *l);
void ngx_ws_chat_live_map_tick(ngx_ws_chat_live_t *l);

/* Something is not where it was: the map is read soon. */
void ngx_ws_chat_live_map_want(ngx_ws_chat_live_t *l);

/*
 * 1: the reply is a refusal that will pass; nothing was done.  The map is
 * read, it may be tried again.
 */
ngx_uint_t ngx_ws_chat_live_later(ngx_ws_chat_live_t *l, const redisReply *r);


/* ngx_ws_chat_store_redis.c */

/* Others have the zone in the same way (1), or not. */
void ngx_ws_chat_live_agree(ngx_ws_chat_live_t *l, ngx_uint_t agreed);

/* Shards became stale or live: tells whom it concerns. */
void ngx_ws_chat_live_status(ngx_ws_chat_live_t *l);


/* ngx_ws_chat_live_read.c */

void ngx_ws_chat_live_read(ngx_ws_chat_read_t *r);
void ngx_ws_chat_live_cancel_read(ngx_ws_chat_read_t *r);


/* ngx_ws_chat_live_news.c */

ngx_int_t ngx_ws_chat_live_emit(ngx_ws_chat_zone_t *z,
    const wsc_news_t *news);

void ngx_ws_chat_live_load(ngx_ws_chat_load_t *l);
void ngx_ws_chat_live_cancel_load(ngx_ws_chat_load_t *l);

/* A chat is subscribed again: some of its news were missed. */
void ngx_ws_chat_live_missed(ngx_ws_chat_live_chat_t *chat);

/* News came by a channel: of this chat, or NULL. */
void ngx_ws_chat_live_tell(ngx_ws_chat_live_t *l,
    ngx_ws_chat_live_chat_t *chat, const wsc_news_t *news);

/* Calls for each attached one of a chat, which may go away in there. */
void ngx_ws_chat_live_each(ngx_ws_chat_live_chat_t *chat,
    void (*call)(ngx_ws_chat_attach_t *a, const void *data),
    const void *data);


#endif /* _NGX_WS_CHAT_LIVE_PARTS_H_INCLUDED_ */

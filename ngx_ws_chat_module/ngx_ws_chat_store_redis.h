
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The live store: chats are streams in Redis, which give the positions; nodes
 * tell each other by publishing.
 */


#ifndef _NGX_WS_CHAT_STORE_REDIS_H_INCLUDED_
#define _NGX_WS_CHAT_STORE_REDIS_H_INCLUDED_


#include "ngx_ws_chat_store.h"


extern const ngx_ws_chat_store_t  ngx_ws_chat_store_redis;
extern const ngx_ws_chat_store_t  ngx_ws_chat_store_durable;


/* Numbers of this worker, since it started. */

typedef struct {
    ngx_uint_t                  chats;        /* subscribed, or in grace */
    ngx_uint_t                  pending;      /* sends not answered yet */
    ngx_uint_t                  appended;
    ngx_uint_t                  duplicates;
    ngx_uint_t                  aborted;      /* transactions done again */
    ngx_uint_t                  quick;        /* those in one round trip */
    ngx_uint_t                  strays;       /* messages that did not follow
                                                 the one before */
    ngx_uint_t                  reads;        /* of strays and ends */
    ngx_uint_t                  bad;          /* messages dropped as such */
    ngx_uint_t                  epochs;       /* begun */
    ngx_uint_t                  archived;     /* questions to the archive */
    ngx_uint_t                  shards;
    ngx_uint_t                  silent;       /* shards without news */
    ngx_uint_t                  servers;      /* that have shards */
    ngx_uint_t                  evicting;     /* ... and may evict keys */
    ngx_msec_t                  heard;        /* ngx_current_msec: the oldest
                                                 canary of a node */
} ngx_ws_chat_live_stat_t;


const ngx_ws_chat_live_stat_t *ngx_ws_chat_store_redis_stat(
    ngx_ws_chat_zone_t *z);


#endif /* _NGX_WS_CHAT_STORE_REDIS_H_INCLUDED_ */

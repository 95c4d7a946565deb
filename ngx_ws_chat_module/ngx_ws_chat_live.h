
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the parts of the live store share: a zone as this worker has it.  Its
 * chats are in shards by a hash of their names; all keys of a shard have the
 * same tag, so that one Redis has them: the shard's node.
 */


#ifndef _NGX_WS_CHAT_LIVE_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_H_INCLUDED_


#include "ngx_ws_chat_live_over.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_redis.h"
#include "ngx_ws_chat_store_redis.h"
#include "core/wsc_envelope.h"
#include "core/wsc_epoch.h"
#include "core/wsc_follow.h"
#include <hiredis/hiredis.h>


#define NGX_WS_CHAT_LIVE_BATCH     64     /* sends in a transaction */
#define NGX_WS_CHAT_LIVE_READ      128    /* entries of a hole at a time */
#define NGX_WS_CHAT_LIVE_KEY       512    /* the longest key */
#define NGX_WS_CHAT_LIVE_GRACE     10000  /* ms subscribed without members */
#define NGX_WS_CHAT_LIVE_MODE      64       /* how it is recorded */
#define NGX_WS_CHAT_LIVE_STALE     2500   /* ms without a canary */


typedef struct ngx_ws_chat_live_s        ngx_ws_chat_live_t;
typedef struct ngx_ws_chat_live_chat_s   ngx_ws_chat_live_chat_t;
typedef struct ngx_ws_chat_live_shard_s  ngx_ws_chat_live_shard_t;
typedef struct ngx_ws_chat_live_node_s   ngx_ws_chat_live_node_t;
typedef struct ngx_ws_chat_live_map_s    ngx_ws_chat_live_map_t;
typedef struct ngx_ws_chat_live_recorder_s
                                         ngx_ws_chat_live_recorder_t;


/* A chat that somebody here listens to, or did a moment ago. */

struct ngx_ws_chat_live_chat_s {
    ngx_rbtree_node_t                node;
    ngx_queue_t                      queue;      /* all of the zone */
    ngx_queue_t                      watch;      /* those that wait for
                                                    something missing */
    ngx_queue_t                      attaches;
    ngx_ws_chat_live_t              *live;
    ngx_ws_chat_live_shard_t        *shard;
    wsc_follow_t                     follow;
    wsc_str_t                        chat_id;    /* behind this struct */
    ngx_msec_t                       asked;      /* for its subscription */
    ngx_msec_t                       active;     /* a message or member came */
    ngx_msec_t                       checked;    /* its end was */
    ngx_msec_t                       renewed;    /* its epoch's life was */
    uint64_t                         epoch;      /* as it then was, */
    uint64_t                         under;      /* in an incarnation with
                                                    this epoch, */
    uint64_t                         age;        /* for messages of this age
                                                    (ms) */
    ngx_uint_t                       busy;       /* replies to come; while it
                                                    is used */
    ngx_ws_chat_live_over_t          over;       /* for the read under way */
    wsc_pos_t                        since;      /* what was changed since may
                                                    have been missed, */
    uint64_t                         broken;     /* also then (ms since 1970)
                                                    */
    unsigned                         subscribed:1;
    unsigned                         changed:1;  /* some messages may be */
    unsigned                         behind:1;   /* since is to be told */
    unsigned                         again:1;    /* what is being read is old
                                                    */
    unsigned                         unread:1;   /* ... was not understood */
    unsigned                         headed:1;   /* follow.last is known */
    unsigned                         watched:1;
    unsigned                         renewable:1;  /* renewed is known */
};


/* Some of the chats.  Stand-alone Redis has one shard. */

struct ngx_ws_chat_live_shard_s {
    ngx_ws_chat_live_t              *live;
    ngx_ws_chat_live_node_t         *node;       /* who has it, never NULL;
                                                    it may not be connected */
    ngx_ws_chat_live_node_t         *at;         /* whose transaction is under
                                                    way for it, or NULL */
    ngx_queue_t                      pending;    /* sends */
    ngx_queue_t                      changes;    /* of messages */
    ngx_uint_t                       nchanges;
    ngx_queue_t                      queue;      /* of the node's that have
                                                    some */
    uint64_t                         seen;       /* the highest epoch */
    unsigned                         queued:1;
    unsigned                         paused:1;   /* until the next tick */
    unsigned                         moved:1;    /* to another node just now */
    unsigned                         turn:1;     /* a change was the last */
};


struct ngx_ws_chat_live_s {
    ngx_ws_chat_zone_t              *zone;

    ngx_ws_chat_live_shard_t        *shards;
    ngx_uint_t                       nshards;
    ngx_queue_t                      nodes;
    ngx_uint_t                       nnodes;
    ngx_ws_chat_live_map_t          *map;        /* of a Cluster, or NULL */

    ngx_rbtree_t                     chats;
    ngx_rbtree_node_t                sentinel;
    ngx_queue_t                      all;
    ngx_queue_t                      watch;

    ngx_event_t                      tick;
    ngx_queue_t                      reads;      /* under way */
    ngx_queue_t                      letters;    /* sends to Kafka */
    ngx_queue_t                      places;     /* sends that wait for the
                                                    relay */
    ngx_ws_chat_live_recorder_t     *recorder;   /* of stored messages */
    ngx_uint_t                       exiting;
    ngx_uint_t                       agreed;     /* others have the zone in
                                                    the same way */
    uint64_t                         refused;    /* ms since 1970: they do
                                                    not; 0: nobody said so */
    u_char                           mode[NGX_WS_CHAT_LIVE_MODE];
    ngx_ws_chat_live_stat_t          stat;
};


/* The shard of a chat. */
ngx_ws_chat_live_shard_t *ngx_ws_chat_live_shard(ngx_ws_chat_live_t *l,
    const wsc_str_t *chat_id);

/*
 * The connection for commands about a chat's keys, but for transactions;
 * ngx_ws_chat_redis_command() declines if there is none.
 */
ngx_ws_chat_redis_t *ngx_ws_chat_live_command_for(ngx_ws_chat_live_t *l,
    const wsc_str_t *chat_id);

/* ms since 1970 since when a shard has no news; 0: it is live. */
uint64_t ngx_ws_chat_live_stale(ngx_ws_chat_live_shard_t *shard);


#endif /* _NGX_WS_CHAT_LIVE_H_INCLUDED_ */

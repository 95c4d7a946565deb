
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the parts of the live store share: a zone as this worker has it.
 */


#ifndef _NGX_WS_CHAT_LIVE_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_H_INCLUDED_


#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_redis.h"
#include "ngx_ws_chat_store_redis.h"
#include "core/wsc_envelope.h"
#include "core/wsc_epoch.h"
#include "core/wsc_holdback.h"
#include <hiredis/hiredis.h>


#define NGX_WS_CHAT_LIVE_BATCH     64     /* sends in a transaction */
#define NGX_WS_CHAT_LIVE_READ      128    /* entries of a hole at a time */
#define NGX_WS_CHAT_LIVE_KEY       512    /* the longest key */
#define NGX_WS_CHAT_LIVE_GRACE     10000  /* ms subscribed without members */
#define NGX_WS_CHAT_LIVE_STALE     2500   /* ms without a canary */


typedef struct ngx_ws_chat_live_s       ngx_ws_chat_live_t;
typedef struct ngx_ws_chat_live_chat_s  ngx_ws_chat_live_chat_t;


/* A chat that somebody here listens to, or did a moment ago. */

struct ngx_ws_chat_live_chat_s {
    ngx_rbtree_node_t                node;
    ngx_queue_t                      queue;      /* all of the zone */
    ngx_queue_t                      watch;      /* those that wait for
                                                    something missing */
    ngx_queue_t                      attaches;
    ngx_ws_chat_live_t              *live;
    wsc_holdback_t                   hold;
    wsc_str_t                        chat_id;    /* behind this struct */
    ngx_msec_t                       active;     /* a message or member came */
    ngx_msec_t                       checked;    /* its end was */
    ngx_msec_t                       renewed;    /* its epoch's life was */
    ngx_msec_t                       started;    /* the read under way */
    ngx_uint_t                       busy;       /* replies to come; while it
                                                    is used */
    unsigned                         subscribed:1;
    unsigned                         headed:1;   /* hold.last is known */
    unsigned                         missed:1;   /* ... messages before that
                                                    were dropped */
    unsigned                         reading:1;
    unsigned                         watched:1;
    unsigned                         renewable:1;  /* renewed is known */
};


/* One send of the transaction. */

typedef struct {
    ngx_ws_chat_publish_t           *p;          /* NULL: answered, called
                                                    off */
    ngx_ws_chat_live_t              *live;
    ngx_uint_t                       chat;       /* in the transaction */
    wsc_dedupe_t                     dedupe;
    unsigned                         asked:1;    /* its record was */
    unsigned                         append:1;   /* its cid is new */
    unsigned                         find:1;     /* known, but not where */
} ngx_ws_chat_live_item_t;


typedef struct {
    ngx_ws_chat_live_t              *live;
    wsc_str_t                        chat_id;
    uint64_t                         epoch;
    wsc_shmlog_limits_t              limits;
    wsc_pos_t                        top;
    ngx_uint_t                       n;          /* to be appended */
    unsigned                         fresh:1;    /* begins an epoch */
    unsigned                         renew:1;
    u_char                           name[WSC_MAX_CHAT_ID];
} ngx_ws_chat_live_target_t;


typedef struct {
    ngx_uint_t                       nitems;
    ngx_uint_t                       ntargets;
    ngx_uint_t                       attempts;
    wsc_inc_t                        inc;
    size_t                           value_len;  /* 0: there is no inc */
    u_char                           value[WSC_INC_LEN];     /* as read */
    unsigned                         busy:1;     /* a transaction is under
                                                    way */
    unsigned                         bare:1;     /* WATCH was refused */
    ngx_ws_chat_live_item_t          items[NGX_WS_CHAT_LIVE_BATCH];
    ngx_ws_chat_live_target_t        targets[NGX_WS_CHAT_LIVE_BATCH];
} ngx_ws_chat_live_batch_t;


struct ngx_ws_chat_live_s {
    ngx_ws_chat_zone_t              *zone;
    ngx_ws_chat_redis_t             *command;
    ngx_ws_chat_redis_t             *append;     /* WATCH: nothing else */
    ngx_ws_chat_redis_t             *subscriber;

    ngx_rbtree_t                     chats;
    ngx_rbtree_node_t                sentinel;
    ngx_queue_t                      all;
    ngx_queue_t                      watch;

    ngx_queue_t                      pending;    /* sends */
    ngx_event_t                      flush;      /* at the end of a turn */
    ngx_event_t                      tick;
    ngx_queue_t                      reads;      /* under way */
    ngx_ws_chat_live_batch_t         batch;
    u_char                           replid[WSC_REPLID_LEN];
    uint64_t                         seen;       /* the highest epoch */

    ngx_msec_t                       canary;     /* sent */
    ngx_msec_t                       heard;      /* the last one that came */
    ngx_msec_t                       listening;  /* since: both came up */
    uint64_t                         canaries;
    wsc_str_t                        channel;    /* theirs */
    ngx_uint_t                       exiting;
    ngx_uint_t                       proven;     /* a canary came, ever */
    ngx_ws_chat_live_stat_t          stat;
};


#endif /* _NGX_WS_CHAT_LIVE_H_INCLUDED_ */

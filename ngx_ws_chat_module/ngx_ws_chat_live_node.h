
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A Redis that has shards of a live zone, as this worker sees it: three
 * connections, one transaction at a time, and canaries that show whether news
 * come from there.
 */


#ifndef _NGX_WS_CHAT_LIVE_NODE_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_NODE_H_INCLUDED_


#include "ngx_ws_chat_live.h"
#include "ngx_ws_chat_redis_one.h"


/* One send of the transaction. */

typedef struct {
    ngx_ws_chat_publish_t           *p;          /* NULL: answered, called
                                                    off */
    ngx_ws_chat_live_node_t         *node;
    ngx_uint_t                       chat;       /* in the transaction */
    wsc_dedupe_t                     dedupe;
    wsc_buf_t                        record;     /* for Kafka, while EXEC is
                                                    under way */
    wsc_pos_t                        prev;
    unsigned                         chained:1;  /* prev is known */
    unsigned                         asked:1;    /* its record was */
    unsigned                         append:1;   /* its cid is new */
    unsigned                         find:1;     /* known, but not where */
    unsigned                         told:1;     /* it is published, too */
} ngx_ws_chat_live_item_t;


typedef struct {
    ngx_ws_chat_live_node_t         *node;
    wsc_str_t                        chat_id;
    uint64_t                         epoch;
    wsc_shmlog_limits_t              limits;
    wsc_pos_t                        top;
    wsc_pos_t                        base;       /* the last one known */
    ngx_uint_t                       n;          /* to be appended */
    unsigned                         fresh:1;    /* begins an epoch */
    unsigned                         renew:1;
    unsigned                         sure:1;     /* base is */
    u_char                           name[WSC_MAX_CHAT_ID];
} ngx_ws_chat_live_target_t;


typedef struct {
    ngx_ws_chat_live_shard_t        *shard;      /* whose sends these are */
    ngx_uint_t                       nitems;
    ngx_uint_t                       ntargets;
    ngx_uint_t                       attempts;
    wsc_inc_t                        inc;
    size_t                           value_len;  /* 0: there is no inc */
    u_char                           value[WSC_INC_LEN];     /* as read */
    unsigned                         busy:1;     /* a transaction is under
                                                    way */
    unsigned                         bare:1;     /* a question was refused */
    unsigned                         later:1;    /* ... for now */
    unsigned                         quick:1;    /* in one round trip */
    char                             why[NGX_WS_CHAT_REDIS_REASON];
    ngx_ws_chat_live_item_t          items[NGX_WS_CHAT_LIVE_BATCH];
    ngx_ws_chat_live_target_t        targets[NGX_WS_CHAT_LIVE_BATCH];
} ngx_ws_chat_live_batch_t;


struct ngx_ws_chat_live_node_s {
    ngx_queue_t                      queue;      /* of the zone's */
    ngx_ws_chat_live_t              *live;
    ngx_ws_chat_redis_one_t          one;        /* of a Cluster */
    ngx_ws_chat_redis_t             *command;    /* NULL, as those below: it
                                                    is none */
    ngx_ws_chat_redis_t             *append;     /* WATCH: nothing else */
    ngx_ws_chat_redis_t             *subscriber;
    ngx_ws_chat_redis_t             *sentinel;   /* tells of another master;
                                                    NULL: there is none */
    ngx_msec_t                       pinged;     /* the Sentinel was */

    ngx_event_t                      flush;      /* at the end of a turn */
    ngx_queue_t                      ready;      /* shards that have sends */
    ngx_uint_t                       nshards;
    ngx_ws_chat_live_batch_t         batch;
    ngx_ws_chat_live_changing_t      change;
    u_char                           replid[WSC_REPLID_LEN];
    ngx_ws_chat_live_shard_t        *armed;      /* whose inc is watched, */
    uint64_t                         inc;        /* and has this epoch */
    ngx_ws_chat_live_shard_t        *arm;        /* whose was asked for last */
    ngx_uint_t                       arming;     /* replies to come */

    ngx_msec_t                       canary;     /* sent */
    ngx_msec_t                       heard;      /* the last one that came */
    ngx_msec_t                       listening;  /* since: both came up */
    uint64_t                         canaries;
    ngx_ws_chat_live_shard_t        *tag;        /* of their channel */
    wsc_str_t                        channel;
    ngx_msec_t                       tuned;      /* subscribed to it */
    ngx_msec_t                       probed;     /* asked what it is like */
    ngx_msec_t                       idle;       /* without shards since */
    uint64_t                         stale;      /* see live_stale() */
    unsigned                         proven:1;   /* a canary came, ever */
    unsigned                         hears:1;    /* the channel: confirmed */
    unsigned                         evicts:1;   /* when memory gets short */
};


/* A node without connections.  NULL: no memory. */
ngx_ws_chat_live_node_t *ngx_ws_chat_live_node_create(ngx_ws_chat_live_t *l);

/* Opens its connections.  NGX_OK or NGX_ERROR (no memory). */
ngx_int_t ngx_ws_chat_live_node_open(ngx_ws_chat_live_node_t *n,
    const ngx_ws_chat_redis_conf_t *conf);

/* Not from inside of a callback of one of its connections. */
void ngx_ws_chat_live_node_close(ngx_ws_chat_live_node_t *n);

/* Each tick: sends a canary when it is time, judges the silence. */
void ngx_ws_chat_live_node_tick(ngx_ws_chat_live_node_t *n);

/* NULL, or why nothing can be promised. */
const char *ngx_ws_chat_live_node_ill(ngx_ws_chat_live_node_t *n);

/* ngx_ws_chat_live_sentinel.c: without Sentinels they do nothing. */
ngx_int_t ngx_ws_chat_live_sentinel_open(ngx_ws_chat_live_node_t *n);
void ngx_ws_chat_live_sentinel_tick(ngx_ws_chat_live_node_t *n);

/* ngx_ws_chat_live_probe.c: it came up, or it is time: what is it like? */
void ngx_ws_chat_live_probe(ngx_ws_chat_live_node_t *n);
void ngx_ws_chat_live_probe_tick(ngx_ws_chat_live_node_t *n);

/* A connection came up: the next tick shows whether it hears. */
void ngx_ws_chat_live_listens(ngx_ws_chat_live_node_t *n);

/* The subscriber is up: subscribes to the channel of a shard it has. */
void ngx_ws_chat_live_node_tune(ngx_ws_chat_live_node_t *n);

/* The channel was subscribed to (on: 1), or is no longer. */
void ngx_ws_chat_live_node_tuned(ngx_ws_chat_live_node_t *n, ngx_uint_t on);

/* A canary came back. */
void ngx_ws_chat_live_heard(ngx_ws_chat_live_node_t *n, uint64_t count);


#endif /* _NGX_WS_CHAT_LIVE_NODE_H_INCLUDED_ */

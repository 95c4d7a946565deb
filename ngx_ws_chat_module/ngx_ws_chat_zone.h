
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A zone as the other parts know it.
 */


#ifndef _NGX_WS_CHAT_ZONE_H_INCLUDED_
#define _NGX_WS_CHAT_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/wsc_news.h"


#define NGX_WS_CHAT_KEEP  86400000     /* ms that the last news are kept, at
                                          least */


typedef struct ngx_ws_chat_zone_s     ngx_ws_chat_zone_t;
typedef struct ngx_ws_chat_store_s    ngx_ws_chat_store_t;


/* ws_chat_zone: one name space of chats, with its store. */

struct ngx_ws_chat_zone_s {
    ngx_str_t                         name;
    ngx_shm_zone_t                   *shm_zone;
    const ngx_ws_chat_store_t        *store;
    const struct ngx_ws_chat_redis_conf_s
                                     *redis;       /* NULL: embedded */
    const struct ngx_ws_chat_kafka_topic_s
                                     *kafka;       /* where its messages go;
                                                      NULL: nowhere */
    ngx_str_t                         prefix;      /* of its keys in Redis */
    void                             *data;        /* the store's own */
    ngx_uint_t                        row;         /* in the table of counts */
    struct ngx_ws_chat_stat_s        *stat;        /* this worker's counts */

    /* The store tells that chats became stale or live.  NULL: nobody cares. */
    void                            (*status)(ngx_ws_chat_zone_t *z);

    /* What was emitted to users or the zone, or is settled in a chat.  NULL:
       nobody cares. */
    void                            (*news)(ngx_ws_chat_zone_t *z,
                                          const wsc_news_t *news);

    /* What was emitted and is hard (wsc_news_hard()) is neither kept nor
       told.  NULL: nobody cares. */
    void                            (*untold)(ngx_ws_chat_zone_t *z,
                                          const wsc_news_t *news);

    /* Some of that was missed: what is kept is to be loaded again. */
    void                            (*missed)(ngx_ws_chat_zone_t *z);
    uint64_t                          stale;       /* ms since 1970: no news
                                                      of some chats since then;
                                                      0: live */
    ngx_uint_t                        live;        /* delivery=live */
    ngx_uint_t                        durable;     /* delivery=durable */
    ngx_int_t                         window;      /* of the rooms' deflated
                                                      logs: the smallest of
                                                      its locations */
    uint64_t                          keep;        /* ms that the last news are
                                                      kept: as long as any of
                                                      its locations' history */
    ngx_rbtree_t                      rooms;       /* of this worker, */
    ngx_uint_t                        beats;       /* which lives, others
                                                      know */
    ngx_rbtree_node_t                 sentinel;
    struct ngx_ws_chat_client_s     **clients;     /* of this worker, by user:
                                                      see ..._client_all.h */
    struct ngx_ws_chat_client_s      *client;      /* the table's first bucket,
                                                      before it grows */
    struct ngx_ws_chat_bans_s        *bans;        /* see ..._ban.h */
    ngx_uint_t                        nclients;
    ngx_uint_t                        clients_mask;
};


#endif /* _NGX_WS_CHAT_ZONE_H_INCLUDED_ */

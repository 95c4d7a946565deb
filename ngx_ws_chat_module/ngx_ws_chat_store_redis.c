
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The life of a live zone in a worker: its shards, the nodes that have them,
 * and a tick that looks whether news still come.
 */


#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_live_durable.h"
#include "ngx_ws_chat_kafka.h"
#include "ngx_ws_chat_now.h"


#define NGX_WS_CHAT_LIVE_TICK     100          /* ms */


static ngx_int_t ngx_ws_chat_live_init_process(ngx_ws_chat_zone_t *z,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_chat_live_shards(ngx_ws_chat_live_t *l);
static void ngx_ws_chat_live_exit_process(ngx_ws_chat_zone_t *z,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_chat_live_health(ngx_ws_chat_zone_t *z,
    const char **reason);
static const char *ngx_ws_chat_live_ill(ngx_ws_chat_live_node_t *n,
    const char *reason);
static uint64_t ngx_ws_chat_live_chat_stale(ngx_ws_chat_zone_t *z,
    const wsc_str_t *chat_id);
static void ngx_ws_chat_live_tick(ngx_event_t *ev);


const ngx_ws_chat_store_t  ngx_ws_chat_store_redis = {
    "live",
    ngx_ws_chat_live_publish,
    ngx_ws_chat_live_read,
    ngx_ws_chat_live_attach,
    ngx_ws_chat_live_detach,
    ngx_ws_chat_live_cancel_publish,
    ngx_ws_chat_live_cancel_read,
    ngx_ws_chat_live_change,
    ngx_ws_chat_live_cancel_change,
    ngx_ws_chat_live_erase,
    ngx_ws_chat_live_cancel_erase,
    ngx_ws_chat_live_emit,
    ngx_ws_chat_live_load,
    ngx_ws_chat_live_cancel_load,
    ngx_ws_chat_live_init_process,
    ngx_ws_chat_live_exit_process,
    ngx_ws_chat_live_health,
    ngx_ws_chat_live_chat_stale
};


const ngx_ws_chat_store_t  ngx_ws_chat_store_durable = {
    "durable",
    ngx_ws_chat_live_post,
    ngx_ws_chat_live_read,
    ngx_ws_chat_live_attach,
    ngx_ws_chat_live_detach,
    ngx_ws_chat_live_cancel_post,
    ngx_ws_chat_live_cancel_read,
    ngx_ws_chat_live_change,
    ngx_ws_chat_live_cancel_change,
    ngx_ws_chat_live_erase,
    ngx_ws_chat_live_cancel_erase,
    ngx_ws_chat_live_emit,
    ngx_ws_chat_live_load,
    ngx_ws_chat_live_cancel_load,
    ngx_ws_chat_live_init_process,
    ngx_ws_chat_live_exit_process,
    ngx_ws_chat_live_health,
    ngx_ws_chat_live_chat_stale
};


static ngx_int_t
ngx_ws_chat_live_init_process(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle)
{
    ngx_ws_chat_live_t  *l;

    l = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_live_t));
    if (l == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(l, sizeof(ngx_ws_chat_live_t));

    z->data = l;
    l->zone = z;

    ngx_rbtree_init(&l->chats, &l->sentinel, ngx_ws_chat_live_insert);
    ngx_queue_init(&l->all);
    ngx_queue_init(&l->watch);
    ngx_queue_init(&l->nodes);
    ngx_queue_init(&l->reads);
    ngx_queue_init(&l->letters);
    ngx_queue_init(&l->places);

    l->tick.handler = ngx_ws_chat_live_tick;
    l->tick.data = l;
    l->tick.log = cycle->log;
    l->tick.cancelable = 1;

    if (ngx_ws_chat_live_shards(l) != NGX_OK
        || ngx_ws_chat_live_recorder_init(l, cycle->pool) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_add_timer(&l->tick, NGX_WS_CHAT_LIVE_TICK);

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_live_shards(ngx_ws_chat_live_t *l)
{
    ngx_uint_t                 i;
    ngx_ws_chat_live_node_t   *n;

    l->nshards = l->zone->durable ? l->zone->kafka->partitions
                                  : l->zone->redis->shards;
    l->shards = wsc_alloc(&ngx_ws_chat_alloc,
                          l->nshards * sizeof(ngx_ws_chat_live_shard_t));

    if (l->shards == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(l->shards, l->nshards * sizeof(ngx_ws_chat_live_shard_t));

    for (i = 0; i < l->nshards; i++) {
        l->shards[i].live = l;
        ngx_queue_init(&l->shards[i].pending);
        ngx_queue_init(&l->shards[i].changes);
    }

    if (l->zone->redis->cluster) {
        return ngx_ws_chat_live_map_open(l);
    }

    n = ngx_ws_chat_live_node_create(l);
    if (n == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < l->nshards; i++) {
        l->shards[i].node = n;
    }

    n->nshards = l->nshards;

    return ngx_ws_chat_live_node_open(n, l->zone->redis);
}


static void
ngx_ws_chat_live_exit_process(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle)
{
    ngx_queue_t         *q;
    ngx_ws_chat_live_t  *l;

    l = z->data;
    l->exiting = 1;

    if (l->tick.timer_set) {
        ngx_del_timer(&l->tick);
    }

    ngx_ws_chat_live_expire(l, 1);
    ngx_ws_chat_live_post_expire(l, 1);
    ngx_ws_chat_live_await_expire(l);
    ngx_ws_chat_live_change_expire(l, 1);
    ngx_ws_chat_live_refuse(l, 1);

    while (!ngx_queue_empty(&l->nodes)) {
        q = ngx_queue_head(&l->nodes);
        ngx_ws_chat_live_node_close(ngx_queue_data(q, ngx_ws_chat_live_node_t,
                                                   queue));
    }

    ngx_ws_chat_live_map_close(l);
    ngx_ws_chat_live_chats_free(l);

    wsc_free(&ngx_ws_chat_alloc, l->shards);
    wsc_free(&ngx_ws_chat_alloc, l);

    z->data = NULL;
}


static ngx_int_t
ngx_ws_chat_live_health(ngx_ws_chat_zone_t *z, const char **reason)
{
    ngx_queue_t              *q;
    ngx_ws_chat_live_t       *l;
    ngx_ws_chat_live_node_t  *n;

    l = z->data;

    if (l->refused) {
        *reason = "Redis has the zone recorded otherwise";
        return NGX_DECLINED;
    }

    for (q = ngx_queue_head(&l->nodes);
         q != ngx_queue_sentinel(&l->nodes);
         q = ngx_queue_next(q))
    {
        n = ngx_queue_data(q, ngx_ws_chat_live_node_t, queue);

        *reason = n->nshards ? ngx_ws_chat_live_node_ill(n) : NULL;

        if (*reason) {

            if (l->map) {
                *reason = ngx_ws_chat_live_ill(n, *reason);
            }

            return NGX_DECLINED;
        }
    }

    if (!l->agreed) {
        *reason = "Redis was not asked yet";
        return NGX_DECLINED;
    }

    return z->durable ? ngx_ws_chat_kafka_health(z->kafka, reason) : NGX_OK;
}


/* Which node of a Cluster, and how much of the zone it is. */

static const char *
ngx_ws_chat_live_ill(ngx_ws_chat_live_node_t *n, const char *reason)
{
    static u_char  text[NGX_WS_CHAT_REDIS_REASON];

    *ngx_snprintf(text, sizeof(text) - 1, "%s, %ui of %ui shards%s%V", reason,
                  n->nshards, n->live->nshards, n->command ? " at " : "",
                  &n->one.peer.addr.name)
        = '\0';

    return (char *) text;
}


static uint64_t
ngx_ws_chat_live_chat_stale(ngx_ws_chat_zone_t *z, const wsc_str_t *chat_id)
{
    return ngx_ws_chat_live_stale(ngx_ws_chat_live_shard(z->data, chat_id));
}


const ngx_ws_chat_live_stat_t *
ngx_ws_chat_store_redis_stat(ngx_ws_chat_zone_t *z)
{
    ngx_uint_t                i;
    ngx_msec_t                heard;
    ngx_queue_t              *q;
    ngx_ws_chat_live_t       *l;
    ngx_ws_chat_live_node_t  *n;

    l = z->data;
    l->stat.heard = ngx_current_msec;
    l->stat.shards = l->nshards;
    l->stat.silent = 0;
    l->stat.servers = 0;
    l->stat.evicting = 0;

    for (i = 0; i < l->nshards; i++) {
        l->stat.silent += (ngx_ws_chat_live_stale(&l->shards[i]) != 0);
        heard = l->shards[i].node->heard;

        if ((ngx_msec_int_t) (heard - l->stat.heard) < 0) {
            l->stat.heard = heard;
        }
    }

    for (q = ngx_queue_head(&l->nodes);
         q != ngx_queue_sentinel(&l->nodes);
         q = ngx_queue_next(q))
    {
        n = ngx_queue_data(q, ngx_ws_chat_live_node_t, queue);
        l->stat.servers += (n->nshards && n->command);
        l->stat.evicting += (n->nshards && n->evicts);
    }

    return &l->stat;
}


static void
ngx_ws_chat_live_tick(ngx_event_t *ev)
{
    ngx_queue_t         *q;
    ngx_ws_chat_live_t  *l;

    l = ev->data;

    for (q = ngx_queue_head(&l->nodes);
         q != ngx_queue_sentinel(&l->nodes);
         q = ngx_queue_next(q))
    {
        ngx_ws_chat_live_node_tick(ngx_queue_data(q, ngx_ws_chat_live_node_t,
                                                  queue));
    }

    ngx_ws_chat_live_map_tick(l);
    ngx_ws_chat_live_append_tick(l);
    ngx_ws_chat_live_expire(l, 0);
    ngx_ws_chat_live_post_expire(l, 0);
    ngx_ws_chat_live_change_expire(l, 0);
    ngx_ws_chat_live_refuse(l, 0);
    ngx_ws_chat_live_look(l);

    ngx_add_timer(ev, NGX_WS_CHAT_LIVE_TICK);
}


void
ngx_ws_chat_live_agree(ngx_ws_chat_live_t *l, ngx_uint_t agreed)
{
    uint64_t                  before;
    ngx_queue_t              *q;
    ngx_ws_chat_live_node_t  *n;

    before = l->refused;
    l->agreed = agreed;

    if (agreed) {
        l->refused = 0;

        for (q = ngx_queue_head(&l->nodes);
             q != ngx_queue_sentinel(&l->nodes);
             q = ngx_queue_next(q))
        {
            n = ngx_queue_data(q, ngx_ws_chat_live_node_t, queue);

            if (!ngx_queue_empty(&n->ready)) {
                ngx_post_event(&n->flush, &ngx_posted_events);
            }
        }

    } else if (before == 0) {
        l->refused = ngx_ws_chat_now();
    }

    if ((before == 0) != (l->refused == 0)) {
        ngx_ws_chat_live_status(l);
    }
}


void
ngx_ws_chat_live_status(ngx_ws_chat_live_t *l)
{
    uint64_t             since, stale;
    ngx_uint_t           i, n;
    ngx_ws_chat_zone_t  *z;

    z = l->zone;
    since = 0;
    n = 0;

    for (i = 0; i < l->nshards; i++) {
        stale = ngx_ws_chat_live_stale(&l->shards[i]);

        if (stale) {
            since = n ? ngx_min(since, stale) : stale;
            n++;
        }
    }

    z->stale = since;

    if (n == 0) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "zone \"%V\" is live again", &z->name);

    } else {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "zone \"%V\" is stale: no news from Redis for %ui of "
                      "its %ui shards", &z->name, n, l->nshards);
    }

    if (z->status) {
        z->status(z);
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Which node of a Cluster has which shards.  Any node is asked, now and then
 * and whenever one refuses or is lost, and believed if the Cluster works from
 * where it stands: what one that was cut off knows is old.
 */


#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_redis_one.h"
#include "core/wsc_cluster.h"


#define NGX_WS_CHAT_LIVE_MAP_SOON    100       /* ms between questions */
#define NGX_WS_CHAT_LIVE_MAP_ILL     1000      /* ... while one is silent */
#define NGX_WS_CHAT_LIVE_MAP_PERIOD  5000      /* ... while all are well */
#define NGX_WS_CHAT_LIVE_MAP_IDLE    5000      /* ms that a node is kept that
                                                  has no shard any more */
#define NGX_WS_CHAT_LIVE_MAP_REPEAT  60        /* s before a complaint again */


struct ngx_ws_chat_live_map_s {
    ngx_ws_chat_live_t       *live;
    ngx_ws_chat_redis_t      *seed;
    ngx_ws_chat_redis_t      *rc;              /* who was asked */
    ngx_ws_chat_live_node_t  *nobody;          /* has what no node has */
    ngx_msec_t                asked;
    time_t                    complained;
    ngx_uint_t                turn;
    unsigned                  asking:1;
    unsigned                  wanted:1;
    unsigned                  ok:1;            /* who was asked is in it */
    uint16_t                  slots[];         /* of the shards */
};


static void ngx_ws_chat_live_map_seed_up(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_map_seed_down(ngx_ws_chat_redis_t *rc,
    const char *reason);
static ngx_uint_t ngx_ws_chat_live_map_ill(ngx_ws_chat_live_t *l);
static void ngx_ws_chat_live_map_tidy(ngx_ws_chat_live_t *l);
static ngx_ws_chat_redis_t *ngx_ws_chat_live_map_whom(ngx_ws_chat_live_t *l);
static void ngx_ws_chat_live_map_ask(ngx_ws_chat_live_t *l);
static void ngx_ws_chat_live_map_on_info(void *data, const redisReply *r);
static void ngx_ws_chat_live_map_on_nodes(void *data, const redisReply *r);
static void ngx_ws_chat_live_map_complain(ngx_ws_chat_live_map_t *map,
    const char *what);
static void ngx_ws_chat_live_map_apply(ngx_ws_chat_live_t *l,
    const wsc_cluster_map_t *cluster);
static ngx_ws_chat_live_node_t *ngx_ws_chat_live_map_node(
    ngx_ws_chat_live_t *l, const wsc_cluster_owner_t *o);
static ngx_uint_t ngx_ws_chat_live_map_move(ngx_ws_chat_live_shard_t *shard,
    ngx_ws_chat_live_node_t *node);
static void ngx_ws_chat_live_map_chats(ngx_ws_chat_live_t *l);


static const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_map_ops = {
    ngx_ws_chat_live_map_seed_up,
    ngx_ws_chat_live_map_seed_down,
    NULL,
    NULL
};


ngx_int_t
ngx_ws_chat_live_map_open(ngx_ws_chat_live_t *l)
{
    u_char                    tag[NGX_INT_T_LEN + 2];
    wsc_str_t                 s;
    ngx_uint_t                i;
    ngx_ws_chat_live_map_t   *map;
    ngx_ws_chat_live_node_t  *nobody;

    map = wsc_alloc(&ngx_ws_chat_alloc,
                    sizeof(ngx_ws_chat_live_map_t)
                    + l->nshards * sizeof(uint16_t));
    if (map == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(map, sizeof(ngx_ws_chat_live_map_t));

    l->map = map;
    map->live = l;
    map->wanted = 1;

    nobody = ngx_ws_chat_live_node_create(l);
    map->seed = ngx_ws_chat_redis_open(l->zone->redis, NGX_WS_CHAT_REDIS_ANY,
                                       &ngx_ws_chat_live_map_ops, l);

    if (nobody == NULL || map->seed == NULL) {
        return NGX_ERROR;
    }

    map->nobody = nobody;

    for (i = 0; i < l->nshards; i++) {
        s.data = tag;
        s.len = ngx_sprintf(tag, "{%ui}", i) - tag;

        map->slots[i] = wsc_cluster_slot(&s);
        l->shards[i].node = nobody;
        nobody->nshards++;
    }

    return NGX_OK;
}


void
ngx_ws_chat_live_map_close(ngx_ws_chat_live_t *l)
{
    if (l->map == NULL) {
        return;
    }

    if (l->map->seed) {
        ngx_ws_chat_redis_close(l->map->seed);
    }

    wsc_free(&ngx_ws_chat_alloc, l->map);
    l->map = NULL;
}


void
ngx_ws_chat_live_map_want(ngx_ws_chat_live_t *l)
{
    if (l->map) {
        l->map->wanted = 1;
    }
}


ngx_uint_t
ngx_ws_chat_live_later(ngx_ws_chat_live_t *l, const redisReply *r)
{
    wsc_str_t  s;

    if (l->map == NULL || r == NULL || r->type != REDIS_REPLY_ERROR) {
        return 0;
    }

    s.data = (u_char *) r->str;
    s.len = r->len;

    if (wsc_cluster_error(&s) == WSC_CLUSTER_REFUSED) {
        return 0;
    }

    l->map->wanted = 1;

    return 1;
}


static void
ngx_ws_chat_live_map_seed_up(ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_live_map_want(ngx_ws_chat_redis_data(rc));
}


static void
ngx_ws_chat_live_map_seed_down(ngx_ws_chat_redis_t *rc, const char *reason)
{
    /* every command was answered with NULL */
}


void
ngx_ws_chat_live_map_tick(ngx_ws_chat_live_t *l)
{
    ngx_msec_t               age, period;
    ngx_ws_chat_live_map_t  *map;

    map = l->map;

    if (map == NULL) {
        return;
    }

    ngx_ws_chat_live_map_tidy(l);

    if (map->asking) {
        return;
    }

    period = map->wanted ? NGX_WS_CHAT_LIVE_MAP_SOON
             : ngx_ws_chat_live_map_ill(l) ? NGX_WS_CHAT_LIVE_MAP_ILL
                                           : NGX_WS_CHAT_LIVE_MAP_PERIOD;
    age = ngx_current_msec - map->asked;

    if (map->asked == 0 || age >= period) {
        ngx_ws_chat_live_map_ask(l);
    }
}


static ngx_uint_t
ngx_ws_chat_live_map_ill(ngx_ws_chat_live_t *l)
{
    ngx_queue_t              *q;
    ngx_ws_chat_live_node_t  *n;

    for (q = ngx_queue_head(&l->nodes);
         q != ngx_queue_sentinel(&l->nodes);
         q = ngx_queue_next(q))
    {
        n = ngx_queue_data(q, ngx_ws_chat_live_node_t, queue);

        if (n->nshards && ngx_ws_chat_live_node_ill(n)) {
            return 1;
        }
    }

    return 0;
}


/* Lets go of nodes that had no shard for a while. */

static void
ngx_ws_chat_live_map_tidy(ngx_ws_chat_live_t *l)
{
    ngx_queue_t              *q, *next;
    ngx_ws_chat_live_node_t  *n;

    for (q = ngx_queue_head(&l->nodes);
         q != ngx_queue_sentinel(&l->nodes);
         q = next)
    {
        next = ngx_queue_next(q);
        n = ngx_queue_data(q, ngx_ws_chat_live_node_t, queue);

        if (n != l->map->nobody && n->nshards == 0
            && (!n->batch.busy || !ngx_ws_chat_redis_is_up(n->append))
            && ngx_current_msec - n->idle >= NGX_WS_CHAT_LIVE_MAP_IDLE)
        {
            ngx_ws_chat_live_node_close(n);
        }
    }
}


/* In turn the one that the configuration names and the nodes in use. */

static ngx_ws_chat_redis_t *
ngx_ws_chat_live_map_whom(ngx_ws_chat_live_t *l)
{
    ngx_queue_t              *q;
    ngx_uint_t                i;
    ngx_ws_chat_live_map_t   *map;
    ngx_ws_chat_live_node_t  *n;

    map = l->map;

    if (map->turn++ % 2 == 0 && ngx_ws_chat_redis_is_up(map->seed)) {
        return map->seed;
    }

    for (i = 0; i < l->nnodes; i++) {
        q = ngx_queue_head(&l->nodes);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&l->nodes, q);

        n = ngx_queue_data(q, ngx_ws_chat_live_node_t, queue);

        if (ngx_ws_chat_redis_is_up(n->command) && n->stale == 0) {
            return n->command;
        }
    }

    return map->seed;
}


static void
ngx_ws_chat_live_map_ask(ngx_ws_chat_live_t *l)
{
    ngx_ws_chat_live_cmd_t  *c;
    ngx_ws_chat_live_map_t  *map;

    map = l->map;

    map->rc = ngx_ws_chat_live_map_whom(l);
    map->asked = ngx_current_msec;
    map->ok = 0;

    c = ngx_ws_chat_live_cmd("CLUSTER");
    ngx_ws_chat_live_word(c, "INFO");

    if (ngx_ws_chat_live_send(c, map->rc, ngx_ws_chat_live_map_on_info, map)
        != NGX_OK)
    {
        return;
    }

    c = ngx_ws_chat_live_cmd("CLUSTER");
    ngx_ws_chat_live_word(c, "NODES");

    if (ngx_ws_chat_live_send(c, map->rc, ngx_ws_chat_live_map_on_nodes, map)
        == NGX_OK)
    {
        map->asking = 1;
        map->wanted = 0;
    }
}


static void
ngx_ws_chat_live_map_on_info(void *data, const redisReply *r)
{
    ngx_ws_chat_live_map_t *map = data;

    wsc_str_t  s;

    if (ngx_ws_chat_live_reply_str(r, &s)) {
        map->ok = wsc_cluster_ok(&s);
    }

    if (r && !map->ok) {
        ngx_ws_chat_live_map_complain(map, r->type == REDIS_REPLY_ERROR
                                           ? r->str : "the Cluster is down");
    }
}


static void
ngx_ws_chat_live_map_on_nodes(void *data, const redisReply *r)
{
    ngx_ws_chat_live_map_t *map = data;

    wsc_str_t                 s;
    static wsc_cluster_map_t  cluster;

    map->asking = 0;

    if (r == NULL || !map->ok) {
        map->wanted = 1;
        return;
    }

    if (ngx_ws_chat_live_reply_str(r, &s) == NULL
        || wsc_cluster_read(&s, &cluster) != WSC_OK)
    {
        ngx_ws_chat_live_map_complain(map, r->type == REDIS_REPLY_ERROR
                                           ? r->str
                                           : "no map in CLUSTER NODES");
        map->wanted = 1;
        return;
    }

    ngx_ws_chat_live_map_apply(map->live, &cluster);
}


static void
ngx_ws_chat_live_map_complain(ngx_ws_chat_live_map_t *map, const char *what)
{
    if (ngx_time() - map->complained < NGX_WS_CHAT_LIVE_MAP_REPEAT) {
        return;
    }

    map->complained = ngx_time();

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "Redis Cluster of zone \"%V\", as a node says: %s",
                  &map->live->zone->name, what);
}


static void
ngx_ws_chat_live_map_apply(ngx_ws_chat_live_t *l,
    const wsc_cluster_map_t *cluster)
{
    ngx_uint_t                i, owner, moved, told;
    ngx_ws_chat_live_node_t  *n, *nodes[WSC_CLUSTER_OWNERS + 1];

    ngx_memzero(nodes, sizeof(nodes));
    nodes[0] = l->map->nobody;

    moved = 0;
    told = 0;

    for (i = 0; i < l->nshards; i++) {
        owner = cluster->slots[l->map->slots[i]];

        if (nodes[owner] == NULL) {
            n = ngx_ws_chat_live_map_node(l, &cluster->owners[owner - 1]);
            nodes[owner] = n ? n : l->map->nobody;
        }

        n = l->shards[i].node;

        if (n != nodes[owner]) {
            moved = 1;
            told |= ngx_ws_chat_live_map_move(&l->shards[i], nodes[owner]);
        }
    }

    if (moved) {
        ngx_ws_chat_live_map_chats(l);
    }

    if (told) {
        ngx_ws_chat_live_status(l);
    }
}


/* The node at an address, which may be a new one; NULL: not to be reached. */

static ngx_ws_chat_live_node_t *
ngx_ws_chat_live_map_node(ngx_ws_chat_live_t *l, const wsc_cluster_owner_t *o)
{
    socklen_t                  len;
    ngx_queue_t               *q;
    ngx_sockaddr_t             sa;
    ngx_ws_chat_live_node_t   *n;
    ngx_ws_chat_redis_peer_t  *peer;

    if (o->ip.len) {
        len = ngx_ws_chat_redis_address(&sa, &o->ip, o->port);

    } else {
        len = ngx_ws_chat_redis_sockaddr(l->map->rc, &sa);
        ngx_inet_set_port(&sa.sockaddr, o->port);
    }

    if (len == 0) {
        ngx_ws_chat_live_map_complain(l->map, "a node without IP address");
        return NULL;
    }

    for (q = ngx_queue_head(&l->nodes);
         q != ngx_queue_sentinel(&l->nodes);
         q = ngx_queue_next(q))
    {
        n = ngx_queue_data(q, ngx_ws_chat_live_node_t, queue);
        peer = &n->one.peer;

        if (n->command
            && ngx_cmp_sockaddr(peer->addr.sockaddr, peer->addr.socklen,
                                &sa.sockaddr, len, 1)
               == NGX_OK)
        {
            return n;
        }
    }

    if (l->nnodes > 2 * l->nshards) {
        ngx_ws_chat_live_map_complain(l->map, "its nodes change too fast");
        return NULL;
    }

    n = ngx_ws_chat_live_node_create(l);

    if (n == NULL) {
        return NULL;
    }

    if (ngx_ws_chat_redis_one(&n->one, l->zone->redis, &sa, len, &o->host)
        != NGX_OK
        || ngx_ws_chat_live_node_open(n, &n->one.conf) != NGX_OK)
    {
        ngx_ws_chat_live_node_close(n);
        return NULL;
    }

    return n;
}


/* 1: whether its chats have news changes by that. */

static ngx_uint_t
ngx_ws_chat_live_map_move(ngx_ws_chat_live_shard_t *shard,
    ngx_ws_chat_live_node_t *node)
{
    ngx_ws_chat_live_node_t  *old;

    old = shard->node;

    if (--old->nshards == 0) {
        old->idle = ngx_current_msec;
    }

    if (node->nshards++ == 0 && !node->proven) {
        node->heard = ngx_current_msec;
        node->stale = 0;
    }

    /* nothing was heard of the new one yet */

    if (!node->proven && node->stale == 0) {
        node->stale = old->stale;
    }

    shard->moved = 1;
    ngx_ws_chat_live_append_moved(shard, node);

    return (old->stale != 0) != (node->stale != 0);
}


/* Chats of shards that moved are subscribed to where these are now. */

static void
ngx_ws_chat_live_map_chats(ngx_ws_chat_live_t *l)
{
    ngx_uint_t                i;
    ngx_queue_t              *q;
    ngx_ws_chat_live_chat_t  *chat;

    for (q = ngx_queue_head(&l->all);
         q != ngx_queue_sentinel(&l->all);
         q = ngx_queue_next(q))
    {
        chat = ngx_queue_data(q, ngx_ws_chat_live_chat_t, queue);

        if (chat->shard->moved) {
            ngx_ws_chat_live_astray(chat);
            ngx_ws_chat_live_subscribe(chat);
        }
    }

    for (i = 0; i < l->nshards; i++) {
        l->shards[i].moved = 0;
    }
}

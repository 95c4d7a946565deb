
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a Redis is asked when it comes up, and now and then.  May it evict what
 * it keeps?  And is the zone what all others with its prefix take it for: a
 * chat that two nodes look for under different tags would be two chats.
 *
 *     {0}:mode    "DELIVERY VERSION SHARDS", set by whoever came first
 */


#include "ngx_ws_chat_live_parts.h"
#include "core/wsc_info.h"


#define NGX_WS_CHAT_LIVE_PROBE       30000       /* ms between questions */
#define NGX_WS_CHAT_LIVE_PROBE_SOON  2000        /* ... as long as it is not
                                                    what was expected */


static void ngx_ws_chat_live_probe_mode(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_on_mode(void *data, const redisReply *r);
static void ngx_ws_chat_live_on_memory(void *data, const redisReply *r);


void
ngx_ws_chat_live_probe_tick(ngx_ws_chat_live_node_t *n)
{
    ngx_msec_t           age;
    ngx_ws_chat_live_t  *l;

    l = n->live;
    age = ngx_current_msec - n->probed;

    if (age >= NGX_WS_CHAT_LIVE_PROBE
        || (age >= NGX_WS_CHAT_LIVE_PROBE_SOON && !l->agreed
            && l->shards[0].node == n))
    {
        ngx_ws_chat_live_probe(n);
    }
}


void
ngx_ws_chat_live_probe(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_cmd_t  *c;

    if (!ngx_ws_chat_redis_is_up(n->command)) {
        return;
    }

    n->probed = ngx_current_msec;

    c = ngx_ws_chat_live_cmd("INFO");
    ngx_ws_chat_live_word(c, "memory");
    (void) ngx_ws_chat_live_send(c, n->command, ngx_ws_chat_live_on_memory,
                                 n);

    if (n->live->shards[0].node == n) {
        ngx_ws_chat_live_probe_mode(n);
    }
}


static void
ngx_ws_chat_live_probe_mode(ngx_ws_chat_live_node_t *n)
{
    wsc_str_t                mode;
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_cmd_t  *c;

    l = n->live;

    mode.data = l->mode;
    mode.len = ngx_sprintf(l->mode, "%s %d %ui", l->zone->store->name,
                           WSC_ENVELOPE_VERSION, l->nshards)
               - l->mode;

    c = ngx_ws_chat_live_cmd("SET");
    ngx_ws_chat_live_mode(c, l);
    ngx_ws_chat_live_str(c, &mode);
    ngx_ws_chat_live_word(c, "NX");
    (void) ngx_ws_chat_live_send(c, n->command, NULL, NULL);

    c = ngx_ws_chat_live_cmd("GET");
    ngx_ws_chat_live_mode(c, l);
    (void) ngx_ws_chat_live_send(c, n->command, ngx_ws_chat_live_on_mode, l);
}


static void
ngx_ws_chat_live_on_mode(void *data, const redisReply *r)
{
    ngx_ws_chat_live_t *l = data;

    size_t     len;
    wsc_str_t  mode;

    (void) ngx_ws_chat_live_later(l, r);

    if (ngx_ws_chat_live_reply_str(r, &mode) == NULL) {
        return;
    }

    len = ngx_strlen(l->mode);

    if (mode.len == len && ngx_memcmp(mode.data, l->mode, len) == 0) {
        ngx_ws_chat_live_agree(l, 1);
        return;
    }

    if (l->agreed || l->refused == 0) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "zone \"%V\" is not served: prefix \"%V\" is recorded "
                      "in Redis as \"%*s\" (delivery, version, shards), but "
                      "is \"%s\" here",
                      &l->zone->name, &l->zone->prefix,
                      ngx_min(mode.len, NGX_WS_CHAT_LIVE_MODE), mode.data,
                      l->mode);
    }

    ngx_ws_chat_live_agree(l, 0);
}


static void
ngx_ws_chat_live_on_memory(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    wsc_str_t   info, policy;
    ngx_uint_t  evicts;

    if (ngx_ws_chat_live_reply_str(r, &info) == NULL) {
        return;
    }

    evicts = wsc_info_evicts(&info, &policy);

    if (evicts && !n->evicts) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "Redis of zone \"%V\" may evict what it keeps: its "
                      "maxmemory-policy is \"%*s\", set \"noeviction\"",
                      &n->live->zone->name, policy.len, policy.data);
    }

    n->evicts = evicts;
}

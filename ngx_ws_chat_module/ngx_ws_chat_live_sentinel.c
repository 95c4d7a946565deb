
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A fail-over is noticed when a Sentinel announces it, or when the master that
 * it names is not the one in use: connections to the old one may live on.
 */


#include "ngx_ws_chat_live_parts.h"


#define NGX_WS_CHAT_LIVE_SENTINEL_PING  5000      /* ms */


static void ngx_ws_chat_live_sentinel_up(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_sentinel_down(ngx_ws_chat_redis_t *rc,
    const char *reason);
static void ngx_ws_chat_live_sentinel_push(ngx_ws_chat_redis_t *rc,
    const redisReply *r);
static void ngx_ws_chat_live_sentinel_leave(ngx_ws_chat_live_node_t *n);


static const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_sentinel_ops = {
    ngx_ws_chat_live_sentinel_up,
    ngx_ws_chat_live_sentinel_down,
    ngx_ws_chat_live_sentinel_push,
    NULL
};


ngx_int_t
ngx_ws_chat_live_sentinel_open(ngx_ws_chat_live_node_t *n)
{
    const ngx_ws_chat_redis_conf_t  *conf;

    conf = n->live->zone->redis;

    if (conf->master.len == 0) {
        return NGX_OK;
    }

    n->sentinel = ngx_ws_chat_redis_open(conf, NGX_WS_CHAT_REDIS_SENTINEL,
                                         &ngx_ws_chat_live_sentinel_ops, n);

    return n->sentinel ? NGX_OK : NGX_ERROR;
}


/* One that is silent is replaced by the next. */

void
ngx_ws_chat_live_sentinel_tick(ngx_ws_chat_live_node_t *n)
{
    if (ngx_ws_chat_redis_is_up(n->sentinel)
        && ngx_current_msec - n->pinged >= NGX_WS_CHAT_LIVE_SENTINEL_PING)
    {
        n->pinged = ngx_current_msec;
        (void) ngx_ws_chat_live_send(ngx_ws_chat_live_cmd("PING"),
                                     n->sentinel, NULL, NULL);
    }
}


static void
ngx_ws_chat_live_sentinel_up(ngx_ws_chat_redis_t *rc)
{
    socklen_t                 len, other_len;
    ngx_sockaddr_t            sa, other;
    ngx_ws_chat_live_cmd_t   *c;
    ngx_ws_chat_live_node_t  *n;

    n = ngx_ws_chat_redis_data(rc);

    c = ngx_ws_chat_live_cmd("SUBSCRIBE");
    ngx_ws_chat_live_word(c, "+switch-master");
    (void) ngx_ws_chat_live_send(c, rc, NULL, NULL);

    /* was there one while none was heard? */

    len = ngx_ws_chat_redis_sockaddr(rc, &sa);
    other_len = ngx_ws_chat_redis_sockaddr(n->command, &other);

    if (len && other_len
        && ngx_cmp_sockaddr(&sa.sockaddr, len, &other.sockaddr, other_len, 1)
           != NGX_OK)
    {
        ngx_ws_chat_live_sentinel_leave(n);
    }
}


static void
ngx_ws_chat_live_sentinel_down(ngx_ws_chat_redis_t *rc, const char *reason)
{
    /* it connects again, to the next one */
}


/* "NAME OLD-IP OLD-PORT NEW-IP NEW-PORT" */

static void
ngx_ws_chat_live_sentinel_push(ngx_ws_chat_redis_t *rc, const redisReply *r)
{
    wsc_str_t                 text;
    const ngx_str_t          *name;
    ngx_ws_chat_live_node_t  *n;

    n = ngx_ws_chat_redis_data(rc);
    name = &n->live->zone->redis->master;

    if (ngx_ws_chat_live_reply_str(r->element[2], &text)
        && text.len > name->len && text.data[name->len] == ' '
        && ngx_memcmp(text.data, name->data, name->len) == 0)
    {
        ngx_ws_chat_live_sentinel_leave(n);
    }
}


static void
ngx_ws_chat_live_sentinel_leave(ngx_ws_chat_live_node_t *n)
{
    static const char  reason[] = "another one is the master now";

    ngx_ws_chat_redis_break(n->append, reason);
    ngx_ws_chat_redis_break(n->command, reason);
    ngx_ws_chat_redis_break(n->subscriber, reason);
}

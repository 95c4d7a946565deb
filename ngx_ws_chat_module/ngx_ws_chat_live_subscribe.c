
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Subscriptions: what a node is asked to tell, and what it tells.
 */


#include "ngx_ws_chat_live_change.h"


static void ngx_ws_chat_live_channel_command(ngx_ws_chat_live_chat_t *chat,
    const char *name);
static void ngx_ws_chat_live_subscriber_up(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_subscriber_down(ngx_ws_chat_redis_t *rc,
    const char *reason);
static void ngx_ws_chat_live_push(ngx_ws_chat_redis_t *rc,
    const redisReply *r);
static ngx_uint_t ngx_ws_chat_live_is_canary(ngx_ws_chat_live_node_t *n,
    const wsc_str_t *channel);
static void ngx_ws_chat_live_dropped(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_chat_t *chat);
static ngx_int_t ngx_ws_chat_live_not_subscribed(ngx_ws_chat_redis_t *rc,
    const redisReply *r);
static ngx_ws_chat_live_chat_t *ngx_ws_chat_live_channel(
    ngx_ws_chat_live_t *l, const wsc_str_t *channel);


const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_subscriber_ops = {
    ngx_ws_chat_live_subscriber_up,
    ngx_ws_chat_live_subscriber_down,
    ngx_ws_chat_live_push,
    ngx_ws_chat_live_not_subscribed
};


void
ngx_ws_chat_live_subscribe(ngx_ws_chat_live_chat_t *chat)
{
    chat->asked = ngx_current_msec;

    ngx_ws_chat_live_channel_command(chat, chat->live->map ? "SSUBSCRIBE"
                                                           : "SUBSCRIBE");
}


void
ngx_ws_chat_live_unsubscribe(ngx_ws_chat_live_chat_t *chat)
{
    ngx_ws_chat_live_channel_command(chat, chat->live->map ? "SUNSUBSCRIBE"
                                                           : "UNSUBSCRIBE");
}


static void
ngx_ws_chat_live_channel_command(ngx_ws_chat_live_chat_t *chat,
    const char *name)
{
    ngx_ws_chat_redis_t     *rc;
    ngx_ws_chat_live_cmd_t  *c;

    rc = chat->shard->node->subscriber;

    if (!ngx_ws_chat_redis_is_up(rc)) {
        /* done for all when it comes up */
        return;
    }

    c = ngx_ws_chat_live_cmd(name);
    ngx_ws_chat_live_key(c, chat->live, NGX_WS_CHAT_LIVE_CHANNEL,
                         &chat->chat_id);

    if (ngx_ws_chat_live_send(c, rc, NULL, NULL) != NGX_OK) {
        ngx_ws_chat_redis_break(rc, "out of memory");
    }
}


static void
ngx_ws_chat_live_subscriber_up(ngx_ws_chat_redis_t *rc)
{
    ngx_queue_t              *q;
    ngx_ws_chat_live_t       *l;
    ngx_ws_chat_live_node_t  *n;
    ngx_ws_chat_live_chat_t  *chat;

    n = ngx_ws_chat_redis_data(rc);
    l = n->live;

    ngx_ws_chat_live_listens(n);
    ngx_ws_chat_live_node_tune(n);

    for (q = ngx_queue_head(&l->all);
         q != ngx_queue_sentinel(&l->all);
         q = ngx_queue_next(q))
    {
        chat = ngx_queue_data(q, ngx_ws_chat_live_chat_t, queue);

        if (chat->shard->node == n) {
            ngx_ws_chat_live_subscribe(chat);
        }
    }
}


static void
ngx_ws_chat_live_subscriber_down(ngx_ws_chat_redis_t *rc, const char *reason)
{
    ngx_queue_t              *q;
    ngx_ws_chat_live_t       *l;
    ngx_ws_chat_live_node_t  *n;
    ngx_ws_chat_live_chat_t  *chat;

    n = ngx_ws_chat_redis_data(rc);
    l = n->live;

    for (q = ngx_queue_head(&l->all);
         q != ngx_queue_sentinel(&l->all);
         q = ngx_queue_next(q))
    {
        chat = ngx_queue_data(q, ngx_ws_chat_live_chat_t, queue);

        if (chat->shard->node == n) {
            ngx_ws_chat_live_astray(chat);
            wsc_follow_astray(&chat->follow);
        }
    }

    n->hears = 0;
    ngx_ws_chat_live_map_want(l);
}


static void
ngx_ws_chat_live_push(ngx_ws_chat_redis_t *rc, const redisReply *r)
{
    wsc_str_t                 kind, channel, data;
    ngx_ws_chat_live_t       *l;
    ngx_ws_chat_live_node_t  *n;
    ngx_ws_chat_live_chat_t  *chat;

    n = ngx_ws_chat_redis_data(rc);
    l = n->live;

    if (r->elements < 3
        || ngx_ws_chat_live_reply_str(r->element[0], &kind) == NULL
        || ngx_ws_chat_live_reply_str(r->element[1], &channel) == NULL)
    {
        l->stat.bad++;
        return;
    }

    /* of a Cluster they have an "s" before them */

    if (kind.len && kind.data[0] == 's' && l->map) {
        kind.data++;
        kind.len--;
    }

    chat = ngx_ws_chat_live_channel(l, &channel);

    if (kind.len == 7 && ngx_memcmp(kind.data, "message", 7) == 0) {

        if (ngx_ws_chat_live_reply_str(r->element[2], &data)) {
            ngx_ws_chat_live_message(n, chat, &data);
        }

        return;
    }

    if (kind.len == 9 && ngx_memcmp(kind.data, "subscribe", 9) == 0) {

        if (chat && chat->shard->node == n) {
            ngx_ws_chat_live_confirmed(chat);

        } else if (ngx_ws_chat_live_is_canary(n, &channel)) {
            ngx_ws_chat_live_node_tuned(n, 1);
        }

        return;
    }

    if (kind.len == 11 && ngx_memcmp(kind.data, "unsubscribe", 11) == 0) {

        if (chat) {
            ngx_ws_chat_live_dropped(n, chat);

        } else if (ngx_ws_chat_live_is_canary(n, &channel)) {
            ngx_ws_chat_live_node_tuned(n, 0);
            ngx_ws_chat_live_map_want(l);
        }
    }
}


static ngx_uint_t
ngx_ws_chat_live_is_canary(ngx_ws_chat_live_node_t *n,
    const wsc_str_t *channel)
{
    return wsc_str_same(channel, &n->channel);
}


/* Its slot is another node's now, unless it was what we asked for. */

static void
ngx_ws_chat_live_dropped(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_chat_t *chat)
{
    if (chat->subscribed && chat->shard->node == n) {
        ngx_ws_chat_live_astray(chat);
        ngx_ws_chat_live_map_want(n->live);
    }
}


static ngx_int_t
ngx_ws_chat_live_not_subscribed(ngx_ws_chat_redis_t *rc, const redisReply *r)
{
    ngx_ws_chat_live_node_t  *n;

    n = ngx_ws_chat_redis_data(rc);

    return ngx_ws_chat_live_later(n->live, r) ? NGX_OK : NGX_DECLINED;
}


/* The record of a channel's chat, or NULL. */

static ngx_ws_chat_live_chat_t *
ngx_ws_chat_live_channel(ngx_ws_chat_live_t *l, const wsc_str_t *channel)
{
    u_char      *p, *last;
    wsc_str_t    chat_id;

    p = channel->data + ngx_min(l->zone->prefix.len, channel->len);
    last = channel->data + channel->len;

    p = ngx_strlchr(p, last, '}');

    if (p == NULL || last - p < 4
        || p[1] != ':' || p[2] != NGX_WS_CHAT_LIVE_CHANNEL || p[3] != ':')
    {
        return NULL;
    }

    chat_id.data = p + 4;
    chat_id.len = last - chat_id.data;

    return ngx_ws_chat_live_find(l, &chat_id);
}

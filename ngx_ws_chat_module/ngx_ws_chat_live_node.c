
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A node sends itself canaries through its Redis; without one for a while it
 * is deaf, whatever its sockets say.
 */


#include "ngx_ws_chat_live_parts.h"


#define NGX_WS_CHAT_LIVE_CANARY   1000         /* ms between canaries */
#define NGX_WS_CHAT_LIVE_SILENT   5000         /* ms: then it is another
                                                  connection's turn */


static ngx_int_t ngx_ws_chat_live_node_name(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_sing(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_judge(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_command_up(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_command_down(ngx_ws_chat_redis_t *rc,
    const char *reason);


static const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_command_ops = {
    ngx_ws_chat_live_command_up,
    ngx_ws_chat_live_command_down,
    NULL
};


ngx_ws_chat_live_node_t *
ngx_ws_chat_live_node_open(ngx_ws_chat_live_t *l,
    const ngx_ws_chat_redis_conf_t *conf)
{
    ngx_ws_chat_live_node_t  *n;

    n = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_live_node_t));
    if (n == NULL) {
        return NULL;
    }

    ngx_memzero(n, sizeof(ngx_ws_chat_live_node_t));

    n->live = l;
    n->heard = ngx_current_msec;
    n->canary = ngx_current_msec - NGX_WS_CHAT_LIVE_CANARY;

    n->flush.handler = ngx_ws_chat_live_flush;
    n->flush.data = n;
    n->flush.log = ngx_cycle->log;

    ngx_queue_init(&n->ready);
    ngx_queue_insert_tail(&l->nodes, &n->queue);

    n->command = ngx_ws_chat_redis_open(conf, 0,
                                        &ngx_ws_chat_live_command_ops, n);

    n->append = ngx_ws_chat_redis_open(conf, 0,
                                       &ngx_ws_chat_live_append_ops, n);

    n->subscriber = ngx_ws_chat_redis_open(conf, 1,
                                           &ngx_ws_chat_live_subscriber_ops,
                                           n);

    if (n->command == NULL || n->append == NULL || n->subscriber == NULL
        || ngx_ws_chat_live_node_name(n) != NGX_OK)
    {
        ngx_ws_chat_live_node_close(n);
        return NULL;
    }

    return n;
}


/* The channel of its canaries. */

static ngx_int_t
ngx_ws_chat_live_node_name(ngx_ws_chat_live_node_t *n)
{
    u_char     *p;
    ngx_str_t  *prefix;

    prefix = &n->live->zone->prefix;

    p = wsc_alloc(&ngx_ws_chat_alloc, prefix->len + 64);
    if (p == NULL) {
        return NGX_ERROR;
    }

    n->channel.data = p;
    n->channel.len = ngx_sprintf(p, "%V{0}:w:%xi.%P.%xi", prefix,
                                 ngx_random(), ngx_pid, ngx_random())
                     - p;

    return NGX_OK;
}


void
ngx_ws_chat_live_node_close(ngx_ws_chat_live_node_t *n)
{
    if (n->subscriber) {
        ngx_ws_chat_redis_close(n->subscriber);
    }

    if (n->append) {
        ngx_ws_chat_redis_close(n->append);
        ngx_ws_chat_live_append_lost(n);
    }

    if (n->command) {
        ngx_ws_chat_redis_close(n->command);
    }

    if (n->flush.posted) {
        ngx_delete_posted_event(&n->flush);
    }

    ngx_queue_remove(&n->queue);

    wsc_free(&ngx_ws_chat_alloc, n->channel.data);
    wsc_free(&ngx_ws_chat_alloc, n);
}


const char *
ngx_ws_chat_live_node_ill(ngx_ws_chat_live_node_t *n)
{
    if (!ngx_ws_chat_redis_is_up(n->subscriber)
        || !ngx_ws_chat_redis_is_up(n->append))
    {
        return "Redis is not connected";
    }

    return (n->stale || !n->proven) ? "Redis is silent" : NULL;
}


void
ngx_ws_chat_live_node_tick(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_sing(n);
    ngx_ws_chat_live_judge(n);
}


static void
ngx_ws_chat_live_sing(ngx_ws_chat_live_node_t *n)
{
    wsc_buf_t               *b;
    wsc_str_t                s;
    ngx_ws_chat_live_cmd_t  *c;

    if (ngx_current_msec - n->canary < NGX_WS_CHAT_LIVE_CANARY
        || !ngx_ws_chat_redis_is_up(n->command))
    {
        return;
    }

    n->canary = ngx_current_msec;

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_envelope_number(b, WSC_ENVELOPE_CANARY, ++n->canaries);

    s.data = b->data;
    s.len = b->len;

    c = ngx_ws_chat_live_cmd_publish(n->live);
    ngx_ws_chat_live_str(c, &n->channel);
    ngx_ws_chat_live_str(c, &s);

    if (!b->failed) {
        (void) ngx_ws_chat_live_send(c, n->command, NULL, NULL);
    }
}


void
ngx_ws_chat_live_listens(ngx_ws_chat_live_node_t *n)
{
    n->listening = ngx_current_msec;
    n->canary = ngx_current_msec - NGX_WS_CHAT_LIVE_CANARY;
}


void
ngx_ws_chat_live_heard(ngx_ws_chat_live_node_t *n, uint64_t count)
{
    n->heard = ngx_current_msec;
    n->proven = 1;

    /* who is told that it flows again will send at once */

    if (n->stale && ngx_ws_chat_redis_is_up(n->append)) {
        n->stale = 0;
        ngx_ws_chat_live_status(n->live);
    }
}


static void
ngx_ws_chat_live_judge(ngx_ws_chat_live_node_t *n)
{
    ngx_msec_t   silence;
    ngx_time_t  *tp;

    silence = ngx_current_msec - n->heard;

    if (silence < NGX_WS_CHAT_LIVE_STALE) {
        return;
    }

    if (n->stale == 0) {
        tp = ngx_timeofday();
        n->stale = (uint64_t) tp->sec * 1000 + tp->msec - silence;
        ngx_ws_chat_live_status(n->live);
    }

    /* commands are answered, but nothing is heard: another subscription */

    if (silence >= NGX_WS_CHAT_LIVE_SILENT
        && ngx_current_msec - n->listening >= NGX_WS_CHAT_LIVE_SILENT
        && ngx_ws_chat_redis_is_up(n->command)
        && ngx_ws_chat_redis_is_up(n->subscriber))
    {
        ngx_ws_chat_redis_break(n->subscriber, "no canary came back");
    }
}


/* the command connection */

static void
ngx_ws_chat_live_command_up(ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_live_listens(ngx_ws_chat_redis_data(rc));
}


static void
ngx_ws_chat_live_command_down(ngx_ws_chat_redis_t *rc, const char *reason)
{
    /* every command was answered with NULL */
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The life of a live zone in a worker: three connections, and a tick that
 * looks whether news still come.  The worker sends itself canaries through
 * Redis; without one for a while it is deaf, whatever its sockets say.
 */


#include "ngx_ws_chat_live_parts.h"


#define NGX_WS_CHAT_LIVE_TICK     100          /* ms */
#define NGX_WS_CHAT_LIVE_CANARY   1000         /* ms between canaries */
#define NGX_WS_CHAT_LIVE_SILENT   5000         /* ms: then it is another
                                                  connection's turn */


static ngx_int_t ngx_ws_chat_live_init_process(ngx_ws_chat_zone_t *z,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_chat_live_open(ngx_ws_chat_live_t *l);
static ngx_int_t ngx_ws_chat_live_name(ngx_ws_chat_live_t *l);
static void ngx_ws_chat_live_exit_process(ngx_ws_chat_zone_t *z,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_chat_live_health(ngx_ws_chat_zone_t *z,
    const char **reason);
static void ngx_ws_chat_live_tick(ngx_event_t *ev);
static void ngx_ws_chat_live_sing(ngx_ws_chat_live_t *l);
static void ngx_ws_chat_live_judge(ngx_ws_chat_live_t *l);
static void ngx_ws_chat_live_command_up(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_command_down(ngx_ws_chat_redis_t *rc,
    const char *reason);


const ngx_ws_chat_store_t  ngx_ws_chat_store_redis = {
    "live",
    ngx_ws_chat_live_publish,
    ngx_ws_chat_live_read,
    ngx_ws_chat_live_attach,
    ngx_ws_chat_live_detach,
    ngx_ws_chat_live_cancel_publish,
    ngx_ws_chat_live_cancel_read,
    ngx_ws_chat_live_init_process,
    ngx_ws_chat_live_exit_process,
    ngx_ws_chat_live_health
};


static const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_command_ops = {
    ngx_ws_chat_live_command_up,
    ngx_ws_chat_live_command_down,
    NULL
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
    l->heard = ngx_current_msec;
    l->canary = ngx_current_msec - NGX_WS_CHAT_LIVE_CANARY;

    ngx_rbtree_init(&l->chats, &l->sentinel, ngx_ws_chat_live_insert);
    ngx_queue_init(&l->all);
    ngx_queue_init(&l->watch);
    ngx_queue_init(&l->pending);
    ngx_queue_init(&l->reads);

    l->flush.handler = ngx_ws_chat_live_flush;
    l->flush.data = l;
    l->flush.log = cycle->log;

    l->tick.handler = ngx_ws_chat_live_tick;
    l->tick.data = l;
    l->tick.log = cycle->log;
    l->tick.cancelable = 1;

    if (ngx_ws_chat_live_name(l) != NGX_OK
        || ngx_ws_chat_live_open(l) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_add_timer(&l->tick, NGX_WS_CHAT_LIVE_TICK);

    return NGX_OK;
}


/* The channel of this worker's canaries. */

static ngx_int_t
ngx_ws_chat_live_name(ngx_ws_chat_live_t *l)
{
    u_char  *p;

    p = wsc_alloc(&ngx_ws_chat_alloc, l->zone->prefix.len + 64);
    if (p == NULL) {
        return NGX_ERROR;
    }

    l->channel.data = p;
    l->channel.len = ngx_sprintf(p, "%V{0}:w:%xi.%P.%xi", &l->zone->prefix,
                                 ngx_random(), ngx_pid, ngx_random())
                     - p;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_live_open(ngx_ws_chat_live_t *l)
{
    l->command = ngx_ws_chat_redis_open(l->zone->redis, 0,
                                        &ngx_ws_chat_live_command_ops, l);

    l->append = ngx_ws_chat_redis_open(l->zone->redis, 0,
                                       &ngx_ws_chat_live_append_ops, l);

    l->subscriber = ngx_ws_chat_redis_open(l->zone->redis, 1,
                                           &ngx_ws_chat_live_subscriber_ops,
                                           l);

    if (l->command == NULL || l->append == NULL || l->subscriber == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_ws_chat_live_exit_process(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle)
{
    ngx_ws_chat_live_t  *l;

    l = z->data;
    l->exiting = 1;

    if (l->tick.timer_set) {
        ngx_del_timer(&l->tick);
    }

    ngx_ws_chat_live_expire(l, 1);
    ngx_ws_chat_live_refuse(l, 1);

    ngx_ws_chat_redis_close(l->subscriber);
    ngx_ws_chat_redis_close(l->append);
    ngx_ws_chat_redis_close(l->command);

    if (l->flush.posted) {
        ngx_delete_posted_event(&l->flush);
    }

    ngx_ws_chat_live_chats_free(l);

    wsc_free(&ngx_ws_chat_alloc, l->channel.data);
    wsc_free(&ngx_ws_chat_alloc, l);

    z->data = NULL;
}


static ngx_int_t
ngx_ws_chat_live_health(ngx_ws_chat_zone_t *z, const char **reason)
{
    ngx_ws_chat_live_t  *l;

    l = z->data;

    if (!ngx_ws_chat_redis_is_up(l->subscriber)
        || !ngx_ws_chat_redis_is_up(l->append))
    {
        *reason = "Redis is not connected";
        return NGX_DECLINED;
    }

    if (z->stale || !l->proven) {
        *reason = "Redis is silent";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


const ngx_ws_chat_live_stat_t *
ngx_ws_chat_store_redis_stat(ngx_ws_chat_zone_t *z)
{
    ngx_ws_chat_live_t  *l;

    l = z->data;

    return &l->stat;
}


static void
ngx_ws_chat_live_tick(ngx_event_t *ev)
{
    ngx_ws_chat_live_t  *l;

    l = ev->data;

    ngx_ws_chat_live_sing(l);
    ngx_ws_chat_live_judge(l);
    ngx_ws_chat_live_expire(l, 0);
    ngx_ws_chat_live_refuse(l, 0);
    ngx_ws_chat_live_look(l);

    ngx_add_timer(ev, NGX_WS_CHAT_LIVE_TICK);
}


static void
ngx_ws_chat_live_sing(ngx_ws_chat_live_t *l)
{
    wsc_buf_t               *b;
    wsc_str_t                s;
    ngx_ws_chat_live_cmd_t  *c;

    if (ngx_current_msec - l->canary < NGX_WS_CHAT_LIVE_CANARY
        || !ngx_ws_chat_redis_is_up(l->command))
    {
        return;
    }

    l->canary = ngx_current_msec;

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_envelope_number(b, WSC_ENVELOPE_CANARY, ++l->canaries);

    s.data = b->data;
    s.len = b->len;

    c = ngx_ws_chat_live_cmd("PUBLISH");
    ngx_ws_chat_live_str(c, &l->channel);
    ngx_ws_chat_live_str(c, &s);

    if (!b->failed) {
        (void) ngx_ws_chat_live_send(c, l->command, NULL, NULL);
    }
}


void
ngx_ws_chat_live_listens(ngx_ws_chat_live_t *l)
{
    l->listening = ngx_current_msec;
    l->canary = ngx_current_msec - NGX_WS_CHAT_LIVE_CANARY;
}


void
ngx_ws_chat_live_heard(ngx_ws_chat_live_t *l, uint64_t n)
{
    ngx_ws_chat_zone_t  *z;

    z = l->zone;
    l->heard = ngx_current_msec;
    l->proven = 1;

    /* who is told that it flows again will send at once */

    if (z->stale && ngx_ws_chat_redis_is_up(l->append)) {
        z->stale = 0;

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "zone \"%V\" is live again", &z->name);

        if (z->status) {
            z->status(z);
        }
    }
}


static void
ngx_ws_chat_live_judge(ngx_ws_chat_live_t *l)
{
    ngx_msec_t           silence;
    ngx_time_t          *tp;
    ngx_ws_chat_zone_t  *z;

    z = l->zone;
    silence = ngx_current_msec - l->heard;

    if (silence < NGX_WS_CHAT_LIVE_STALE) {
        return;
    }

    if (!z->stale) {
        tp = ngx_timeofday();
        z->stale = (uint64_t) tp->sec * 1000 + tp->msec - silence;

        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "zone \"%V\" is stale: no news from Redis for %M ms",
                      &z->name, silence);

        if (z->status) {
            z->status(z);
        }
    }

    /* commands are answered, but nothing is heard: another subscription */

    if (silence >= NGX_WS_CHAT_LIVE_SILENT
        && ngx_current_msec - l->listening >= NGX_WS_CHAT_LIVE_SILENT
        && ngx_ws_chat_redis_is_up(l->command)
        && ngx_ws_chat_redis_is_up(l->subscriber))
    {
        ngx_ws_chat_redis_break(l->subscriber, "no canary came back");
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

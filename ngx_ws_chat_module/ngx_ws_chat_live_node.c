
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A node sends itself canaries through its Redis; without one for a while it
 * is deaf, whatever its sockets say.
 */


#include "ngx_ws_chat_live_parts.h"
#include "ngx_ws_chat_now.h"


#define NGX_WS_CHAT_LIVE_CANARY   1000         /* ms between canaries */
#define NGX_WS_CHAT_LIVE_TUNE     500          /* ms before the channel is
                                                  subscribed to again */
#define NGX_WS_CHAT_LIVE_CHANNEL_LEN  96       /* without the prefix */
#define NGX_WS_CHAT_LIVE_SILENT   5000         /* ms: then it is another
                                                  connection's turn */


static void ngx_ws_chat_live_node_look(ngx_ws_chat_live_node_t *n);
static ngx_uint_t ngx_ws_chat_live_node_tagged(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_sing(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_on_sung(void *data, const redisReply *r);
static void ngx_ws_chat_live_judge(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_command_up(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_command_down(ngx_ws_chat_redis_t *rc,
    const char *reason);


static const ngx_ws_chat_redis_ops_t  ngx_ws_chat_live_command_ops = {
    ngx_ws_chat_live_command_up,
    ngx_ws_chat_live_command_down,
    NULL,
    NULL
};


ngx_ws_chat_live_node_t *
ngx_ws_chat_live_node_create(ngx_ws_chat_live_t *l)
{
    ngx_ws_chat_live_node_t  *n;

    n = wsc_alloc(&ngx_ws_chat_alloc,
                  sizeof(ngx_ws_chat_live_node_t) + l->zone->prefix.len
                  + NGX_WS_CHAT_LIVE_CHANNEL_LEN);
    if (n == NULL) {
        return NULL;
    }

    ngx_memzero(n, sizeof(ngx_ws_chat_live_node_t));

    n->live = l;
    n->channel.data = (u_char *) (n + 1);
    n->heard = ngx_current_msec;
    n->canary = ngx_current_msec - NGX_WS_CHAT_LIVE_CANARY;

    n->flush.handler = ngx_ws_chat_live_flush;
    n->flush.data = n;
    n->flush.log = ngx_cycle->log;

    ngx_queue_init(&n->ready);
    ngx_queue_insert_tail(&l->nodes, &n->queue);
    l->nnodes++;

    return n;
}


ngx_int_t
ngx_ws_chat_live_node_open(ngx_ws_chat_live_node_t *n,
    const ngx_ws_chat_redis_conf_t *conf)
{
    n->command = ngx_ws_chat_redis_open(conf, NGX_WS_CHAT_REDIS_COMMANDS,
                                        &ngx_ws_chat_live_command_ops, n);

    n->append = ngx_ws_chat_redis_open(conf, NGX_WS_CHAT_REDIS_COMMANDS,
                                       &ngx_ws_chat_live_append_ops, n);

    n->subscriber = ngx_ws_chat_redis_open(conf, NGX_WS_CHAT_REDIS_SUBSCRIBER,
                                           &ngx_ws_chat_live_subscriber_ops,
                                           n);

    if (n->command == NULL || n->append == NULL || n->subscriber == NULL) {
        return NGX_ERROR;
    }

    return ngx_ws_chat_live_sentinel_open(n);
}


void
ngx_ws_chat_live_node_close(ngx_ws_chat_live_node_t *n)
{
    if (n->sentinel) {
        ngx_ws_chat_redis_close(n->sentinel);
    }

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
    n->live->nnodes--;

    wsc_free(&ngx_ws_chat_alloc, n);
}


const char *
ngx_ws_chat_live_node_ill(ngx_ws_chat_live_node_t *n)
{
    if (n->command == NULL) {
        return "no node has it";
    }

    if (!ngx_ws_chat_redis_is_up(n->subscriber)
        || !ngx_ws_chat_redis_is_up(n->append)
        || !ngx_ws_chat_redis_is_up(n->command))
    {
        return "Redis is not connected";
    }

    return (n->stale || !n->proven) ? "Redis is silent" : NULL;
}


void
ngx_ws_chat_live_node_tick(ngx_ws_chat_live_node_t *n)
{
    if (n->nshards) {
        ngx_ws_chat_live_node_look(n);
        ngx_ws_chat_live_sing(n);
    }

    if (n->command) {
        ngx_ws_chat_redis_flush(n->command);
    }

    if (n->nshards == 0) {
        return;
    }

    ngx_ws_chat_live_judge(n);
    ngx_ws_chat_live_probe_tick(n);
    ngx_ws_chat_live_sentinel_tick(n);
}


/* Is its channel one of a shard that it has, and does it listen? */

static void
ngx_ws_chat_live_node_look(ngx_ws_chat_live_node_t *n)
{
    if (ngx_ws_chat_redis_is_up(n->subscriber)
        && (!ngx_ws_chat_live_node_tagged(n)
            || (!n->hears
                && ngx_current_msec - n->tuned >= NGX_WS_CHAT_LIVE_TUNE)))
    {
        ngx_ws_chat_live_node_tune(n);
    }
}


/* The first shard's, if it has that: another channel is in there, too. */

static ngx_uint_t
ngx_ws_chat_live_node_tagged(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_shard_t  *first;

    first = n->live->shards;

    return n->tag && n->tag->node == n
           && (n->tag == first || first->node != n);
}


void
ngx_ws_chat_live_node_tune(ngx_ws_chat_live_node_t *n)
{
    ngx_uint_t               i;
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_cmd_t  *c;

    l = n->live;

    if (!ngx_ws_chat_live_node_tagged(n)) {

        for (i = 0; i < l->nshards && l->shards[i].node != n; i++) {
            /* void */
        }

        if (i == l->nshards) {
            return;
        }

        n->tag = &l->shards[i];
        n->channel.len = ngx_sprintf(n->channel.data, "%V{%ui}:w:%xi.%P.%xi",
                                     &l->zone->prefix, i, ngx_random(),
                                     ngx_pid, ngx_random())
                         - n->channel.data;
    }

    n->hears = 0;
    n->tuned = ngx_current_msec;

    c = ngx_ws_chat_live_cmd(l->map ? "SSUBSCRIBE" : "SUBSCRIBE");
    ngx_ws_chat_live_str(c, &n->channel);

    if (n->tag == l->shards) {
        /* in the same slot */
        ngx_ws_chat_live_control(c, l, NGX_WS_CHAT_LIVE_CHANNEL);
    }

    (void) ngx_ws_chat_live_send(c, n->subscriber, NULL, NULL);
}


void
ngx_ws_chat_live_node_tuned(ngx_ws_chat_live_node_t *n, ngx_uint_t on)
{
    n->hears = on;

    if (on) {
        n->canary = ngx_current_msec - NGX_WS_CHAT_LIVE_CANARY;

        if (n->tag == n->live->shards) {
            n->live->zone->missed(n->live->zone);
        }
    }
}


static void
ngx_ws_chat_live_sing(ngx_ws_chat_live_node_t *n)
{
    wsc_buf_t               *b;
    wsc_str_t                s;
    ngx_ws_chat_live_cmd_t  *c;

    if (ngx_current_msec - n->canary < NGX_WS_CHAT_LIVE_CANARY
        || n->tag == NULL
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
        (void) ngx_ws_chat_live_send(c, n->command, ngx_ws_chat_live_on_sung,
                                     n->live);
    }
}


static void
ngx_ws_chat_live_on_sung(void *data, const redisReply *r)
{
    (void) ngx_ws_chat_live_later(data, r);
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
    ngx_msec_t  silence;

    silence = ngx_current_msec - n->heard;

    if (silence < NGX_WS_CHAT_LIVE_STALE) {
        return;
    }

    if (n->stale == 0) {
        n->stale = ngx_ws_chat_now() - silence;
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
    ngx_ws_chat_live_probe(ngx_ws_chat_redis_data(rc));
}


static void
ngx_ws_chat_live_command_down(ngx_ws_chat_redis_t *rc, const char *reason)
{
    ngx_ws_chat_live_node_t  *n;

    /* every command was answered with NULL */

    n = ngx_ws_chat_redis_data(rc);

    ngx_ws_chat_live_map_want(n->live);
}

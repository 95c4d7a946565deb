
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Where a message of a durable chat is.  The relay decides that, and writes it
 * down by sender and cid: of a repetition the place of the first one.  It is
 * asked for until it is there.
 */


#include "ngx_ws_chat_live_durable.h"


#define NGX_WS_CHAT_LIVE_AWAIT_FIRST  5       /* ms until it is asked for, */
#define NGX_WS_CHAT_LIVE_AWAIT_LAST   100     /* ... and later, at most */
#define NGX_WS_CHAT_LIVE_AWAIT_TIME   2000    /* ms: the relay is behind */


typedef struct {
    ngx_queue_t                queue;
    ngx_event_t                event;
    ngx_ws_chat_live_t        *live;
    ngx_ws_chat_publish_t     *p;             /* NULL: called off, answered */
    ngx_msec_t                 deadline;
    ngx_msec_t                 pause;
    ngx_uint_t                 asked;         /* a reply is to come */
} ngx_ws_chat_live_await_t;


static void ngx_ws_chat_live_await_ask(ngx_event_t *ev);
static void ngx_ws_chat_live_await_reply(void *data, const redisReply *r);
static void ngx_ws_chat_live_await_later(ngx_ws_chat_live_await_t *await);
static void ngx_ws_chat_live_await_done(ngx_ws_chat_live_await_t *await);


ngx_int_t
ngx_ws_chat_live_await(ngx_ws_chat_publish_t *p)
{
    ngx_ws_chat_live_t        *l;
    ngx_ws_chat_live_await_t  *await;

    l = p->zone->data;

    await = l->exiting ? NULL
                       : wsc_alloc(&ngx_ws_chat_alloc,
                                   sizeof(ngx_ws_chat_live_await_t));

    if (await == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(await, sizeof(ngx_ws_chat_live_await_t));

    await->live = l;
    await->p = p;
    await->deadline = ngx_current_msec + NGX_WS_CHAT_LIVE_AWAIT_TIME;
    await->pause = NGX_WS_CHAT_LIVE_AWAIT_FIRST;

    await->event.handler = ngx_ws_chat_live_await_ask;
    await->event.data = await;
    await->event.log = ngx_cycle->log;

    ngx_queue_insert_tail(&l->places, &await->queue);
    ngx_add_timer(&await->event, await->pause);

    p->data = await;
    p->placing = 1;

    return NGX_OK;
}


void
ngx_ws_chat_live_cancel_await(ngx_ws_chat_publish_t *p)
{
    ngx_ws_chat_live_await_t  *await;

    await = p->data;

    p->data = NULL;
    p->placing = 0;
    await->p = NULL;

    ngx_queue_remove(&await->queue);

    if (await->event.timer_set) {
        ngx_del_timer(&await->event);
    }

    if (!await->asked) {
        wsc_free(&ngx_ws_chat_alloc, await);
    }
}


void
ngx_ws_chat_live_await_expire(ngx_ws_chat_live_t *l)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&l->places)) {
        q = ngx_queue_head(&l->places);
        ngx_ws_chat_live_await_done(ngx_queue_data(q, ngx_ws_chat_live_await_t,
                                                   queue));
    }
}


static void
ngx_ws_chat_live_await_ask(ngx_event_t *ev)
{
    ngx_ws_chat_live_t        *l;
    ngx_ws_chat_live_cmd_t    *c;
    ngx_ws_chat_live_await_t  *await;

    await = ev->data;
    l = await->live;

    if ((ngx_msec_int_t) (ngx_current_msec - await->deadline) >= 0) {
        ngx_ws_chat_live_await_done(await);
        return;
    }

    c = ngx_ws_chat_live_cmd("GET");
    ngx_ws_chat_live_dedupe(c, l, await->p);

    await->asked = 1;

    if (ngx_ws_chat_live_send(c, ngx_ws_chat_live_command_for(
                                     l, &await->p->chat_id),
                              ngx_ws_chat_live_await_reply, await)
        != NGX_OK)
    {
        await->asked = 0;
        ngx_ws_chat_live_await_later(await);
    }
}


static void
ngx_ws_chat_live_await_reply(void *data, const redisReply *r)
{
    ngx_ws_chat_live_await_t *await = data;

    wsc_str_t     s;
    wsc_dedupe_t  d;

    await->asked = 0;

    if (await->p == NULL) {
        wsc_free(&ngx_ws_chat_alloc, await);
        return;
    }

    if (r == NULL || ngx_ws_chat_live_reply_str(r, &s) == NULL
        || wsc_dedupe_parse(&s, &d) != WSC_OK)
    {
        ngx_ws_chat_live_await_later(await);
        return;
    }

    await->p->entry.pos = d.pos;
    await->p->known = 1;

    ngx_ws_chat_live_await_done(await);
}


static void
ngx_ws_chat_live_await_later(ngx_ws_chat_live_await_t *await)
{
    await->pause = ngx_min(2 * await->pause, NGX_WS_CHAT_LIVE_AWAIT_LAST);

    ngx_add_timer(&await->event, await->pause);
}


static void
ngx_ws_chat_live_await_done(ngx_ws_chat_live_await_t *await)
{
    ngx_ws_chat_publish_t  *p;

    p = await->p;

    ngx_ws_chat_live_cancel_await(p);
    p->done(p);
}

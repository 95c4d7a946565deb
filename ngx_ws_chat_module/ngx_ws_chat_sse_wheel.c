
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One coarse wheel for all streams of the worker, driven by one timer.
 */


#include "ngx_ws_chat_sse_stream.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_client_grant.h"
#include "ngx_ws_chat_session_int.h"


static void ngx_ws_chat_sse_tick_handler(ngx_event_t *ev);
static void ngx_ws_chat_sse_drain(void);


static wsc_wheel_t              ngx_ws_chat_sse_wheel;
static ngx_ws_chat_sse_deed_pt  ngx_ws_chat_stream_deed;
static ngx_queue_t              ngx_ws_chat_sse_streams;
static ngx_event_t              ngx_ws_chat_sse_tick_event;
static ngx_uint_t               ngx_ws_chat_sse_draining;


void
ngx_ws_chat_sse_wheel_init(ngx_cycle_t *cycle, ngx_ws_chat_sse_deed_pt deed)
{
    ngx_event_t  *ev;

    ngx_queue_init(&ngx_ws_chat_sse_streams);
    wsc_wheel_init(&ngx_ws_chat_sse_wheel, ngx_ws_chat_tick());

    ngx_ws_chat_stream_deed = deed;
    ngx_ws_chat_sse_draining = 0;

    /* the worker stays as long as there are streams */

    ev = &ngx_ws_chat_sse_tick_event;
    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_ws_chat_sse_tick_handler;
    ev->data = ev;
    ev->log = cycle->log;
}


void
ngx_ws_chat_sse_enter(ngx_ws_chat_sse_t *s)
{
    s->beat = ngx_ws_chat_tick_now() + NGX_WS_CHAT_SSE_BEAT;

    ngx_queue_insert_tail(&ngx_ws_chat_sse_streams, &s->queue);
    ngx_ws_chat_sse_schedule(s);
}


void
ngx_ws_chat_sse_leave(ngx_ws_chat_sse_t *s)
{
    wsc_wheel_del(&ngx_ws_chat_sse_wheel, &s->timer);
    ngx_queue_remove(&s->queue);
}


void
ngx_ws_chat_sse_schedule(ngx_ws_chat_sse_t *s)
{
    int64_t   left;
    uint32_t  now, due;

    now = ngx_ws_chat_tick_now();
    due = s->beat;

    if ((s->ending || s->draining) && (int32_t) (s->due - due) < 0) {
        due = s->due;
    }

    if (!s->ending) {
        left = ngx_ws_chat_client_left(&s->client);
        left = ngx_max(ngx_min(left, NGX_WS_CHAT_SSE_BEAT * NGX_WS_CHAT_TICK),
                       0);

        if ((int32_t) (now + ngx_ws_chat_ticks(left) - due) < 0) {
            due = now + ngx_ws_chat_ticks(left);
        }
    }

    if (ngx_ws_chat_sse_wheel.count == 0) {
        wsc_wheel_init(&ngx_ws_chat_sse_wheel, ngx_ws_chat_tick());
    }

    wsc_wheel_add(&ngx_ws_chat_sse_wheel, &s->timer,
                  ngx_ws_chat_tick() + ngx_max((int32_t) (due - now), 1));

    if (!ngx_ws_chat_sse_tick_event.timer_set) {
        ngx_add_timer(&ngx_ws_chat_sse_tick_event, NGX_WS_CHAT_TICK);
    }
}


static void
ngx_ws_chat_sse_tick_handler(ngx_event_t *ev)
{
    uint64_t           now;
    wsc_wheel_node_t  *node;

    now = ngx_ws_chat_tick();

    if (ngx_exiting && !ngx_ws_chat_sse_draining) {
        ngx_ws_chat_sse_drain();
    }

    for ( ;; ) {
        node = wsc_wheel_expire(&ngx_ws_chat_sse_wheel, now);
        if (node == NULL) {
            break;
        }

        ngx_ws_chat_stream_deed((ngx_ws_chat_sse_t *)
                                ((u_char *) node
                                 - offsetof(ngx_ws_chat_sse_t, timer)),
                                (uint32_t) now);
    }

    if (!ngx_queue_empty(&ngx_ws_chat_sse_streams) && !ev->timer_set) {
        ngx_add_timer(ev, NGX_WS_CHAT_TICK);
    }
}


/* The worker has to go: each of its streams within the time for that. */

static void
ngx_ws_chat_sse_drain(void)
{
    ngx_queue_t        *q;
    ngx_ws_chat_sse_t  *s;

    ngx_ws_chat_sse_draining = 1;
    ngx_ws_chat_counters->draining = 1;

    for (q = ngx_queue_head(&ngx_ws_chat_sse_streams);
         q != ngx_queue_sentinel(&ngx_ws_chat_sse_streams);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_ws_chat_sse_t, queue);

        if (s->ending) {
            continue;
        }

        s->draining = 1;
        s->due = ngx_ws_chat_bus_pace(ngx_ws_chat_tick_now(),
                                  ngx_ws_chat_ticks(s->client.conf->drain));
        ngx_ws_chat_sse_schedule(s);
    }
}

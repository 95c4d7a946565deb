
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Heartbeat, time limits and draining: one coarse wheel for all sessions of
 * the worker, driven by one timer.
 */


#include "ngx_ws_chat_session.h"
#include "ngx_ws_chat_session_int.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_client_grant.h"
#include "core/wsc_frame.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif


#define NGX_WS_CHAT_CHURN         200          /* sessions begun or ended */
#define NGX_WS_CHAT_TRIM_QUIET    ngx_ws_chat_ticks(1000)
#define NGX_WS_CHAT_TRIM_TIME     ngx_ws_chat_ticks(10000)
#define NGX_WS_CHAT_RECONNECT_MS  1000         /* the most a client is told to
                                                  wait */


static int32_t ngx_ws_chat_session_left(ngx_ws_chat_session_t *s);
static void ngx_ws_chat_session_arm(void);
static void ngx_ws_chat_session_tick_handler(ngx_event_t *ev);
static void ngx_ws_chat_session_deed(ngx_ws_chat_session_t *s, uint32_t now);
static void ngx_ws_chat_session_beat(ngx_ws_chat_session_t *s, uint32_t now);
static void ngx_ws_chat_session_farewell(ngx_ws_chat_session_t *s,
    uint32_t now);
static void ngx_ws_chat_session_go(ngx_ws_chat_session_t *s);
static void ngx_ws_chat_session_trim(uint64_t now);


static wsc_wheel_t  ngx_ws_chat_wheel;
static ngx_event_t  ngx_ws_chat_tick_event;
static ngx_uint_t   ngx_ws_chat_churn;
static uint64_t     ngx_ws_chat_churned;
static uint64_t     ngx_ws_chat_trimmed;


void
ngx_ws_chat_session_timer_init(ngx_cycle_t *cycle)
{
    ngx_memzero(&ngx_ws_chat_tick_event, sizeof(ngx_event_t));

    ngx_ws_chat_tick_event.handler = ngx_ws_chat_session_tick_handler;
    ngx_ws_chat_tick_event.data = &ngx_ws_chat_tick_event;
    ngx_ws_chat_tick_event.log = cycle->log;
    ngx_ws_chat_tick_event.cancelable = 1;

    wsc_wheel_init(&ngx_ws_chat_wheel, ngx_ws_chat_tick());
}


void
ngx_ws_chat_session_timer_done(void)
{
    if (!ngx_ws_chat_tick_event.cancelable && ngx_ws_chat_tick_event.timer_set)
    {
        ngx_del_timer(&ngx_ws_chat_tick_event);
    }
}


void
ngx_ws_chat_session_schedule(ngx_ws_chat_session_t *s)
{
    int32_t                  wait, partial;
    uint32_t                 now;
    ngx_ws_chat_loc_conf_t  *conf;

    conf = s->client.conf;
    now = ngx_ws_chat_tick_now();

    if (s->closing || s->draining || s->pinged) {
        wait = (int32_t) (s->due - now);

    } else if (conf->ping_interval) {
        wait = (int32_t) (s->heard + ngx_ws_chat_ticks(conf->ping_interval)
                          - now);

    } else if (s->partial) {
        wait = (int32_t) ngx_ws_chat_ticks(conf->message_timeout);

    } else if (s->client.grant) {
        wait = ngx_ws_chat_session_left(s);

    } else {
        wsc_wheel_del(&ngx_ws_chat_wheel, ngx_ws_chat_session_timer(s));
        return;
    }

    /* the sends that its Close waits for are looked at each tick */

    if (s->client.leaving && !s->closing) {
        wait = 1;
    }

    if (s->partial && !s->closing) {
        partial = (int32_t) (s->conn.since
                             + ngx_ws_chat_ticks(conf->message_timeout) - now);
        wait = ngx_min(wait, partial);
    }

    if (s->client.grant && !s->closing) {
        wait = ngx_min(wait, ngx_ws_chat_session_left(s));
    }

    if (ngx_ws_chat_wheel.count == 0) {
        wsc_wheel_init(&ngx_ws_chat_wheel, ngx_ws_chat_tick());
    }

    wsc_wheel_add(&ngx_ws_chat_wheel, ngx_ws_chat_session_timer(s),
                  ngx_ws_chat_tick() + ngx_max(wait, 1));

    ngx_ws_chat_session_arm();
}


/* Ticks until its token ends, or as far as the wheel sees. */

static int32_t
ngx_ws_chat_session_left(ngx_ws_chat_session_t *s)
{
    int64_t  ms;

    ms = ngx_ws_chat_client_left(&s->client);
    ms = ngx_min(ms, WSC_WHEEL_SLOTS * NGX_WS_CHAT_TICK);

    return (ms > 0) ? (int32_t) ngx_ws_chat_ticks(ms) : 0;
}


void
ngx_ws_chat_session_churn(void)
{
    ngx_ws_chat_churn++;
    ngx_ws_chat_churned = ngx_ws_chat_tick();

    if (ngx_ws_chat_churn >= NGX_WS_CHAT_CHURN) {
        ngx_ws_chat_session_arm();
    }
}


static void
ngx_ws_chat_session_arm(void)
{
    if (!ngx_ws_chat_tick_event.timer_set) {
        ngx_add_timer(&ngx_ws_chat_tick_event, NGX_WS_CHAT_TICK);
    }
}


void
ngx_ws_chat_session_unschedule(ngx_ws_chat_session_t *s)
{
    wsc_wheel_del(&ngx_ws_chat_wheel, ngx_ws_chat_session_timer(s));
}


void
ngx_ws_chat_session_drain(ngx_ws_chat_session_t *s)
{
    ngx_ws_chat_counters->draining = 1;
    ngx_ws_chat_tick_event.cancelable = 0;

    if (s->closing || s->draining) {
        return;
    }

    s->draining = 1;
    s->due = ngx_ws_chat_bus_pace(ngx_ws_chat_tick_now(),
                                  ngx_ws_chat_ticks(s->client.conf->drain));

    ngx_ws_chat_session_schedule(s);
}


static void
ngx_ws_chat_session_tick_handler(ngx_event_t *ev)
{
    uint64_t                now;
    wsc_wheel_node_t       *node;
    ngx_ws_chat_session_t  *s;

    now = ngx_ws_chat_tick();

    for ( ;; ) {
        node = wsc_wheel_expire(&ngx_ws_chat_wheel, now);
        if (node == NULL) {
            break;
        }

        s = ngx_ws_chat_session_of(node);

        ngx_ws_chat_session_enter(s);
        ngx_ws_chat_session_deed(s, (uint32_t) now);
    }

    if (ngx_ws_chat_churn >= NGX_WS_CHAT_CHURN) {
        ngx_ws_chat_session_trim(now);
    }

    if (ngx_ws_chat_wheel.count
        || (ngx_ws_chat_churn >= NGX_WS_CHAT_CHURN && ev->cancelable))
    {
        ngx_ws_chat_session_arm();
    }
}


/*
 * Small things that live long come to lie between the freed pools of requests.
 * The whole pages between them go back to the system after a storm.
 */

static void
ngx_ws_chat_session_trim(uint64_t now)
{
    if (now - ngx_ws_chat_churned < NGX_WS_CHAT_TRIM_QUIET
        && now - ngx_ws_chat_trimmed < NGX_WS_CHAT_TRIM_TIME)
    {
        return;
    }

    ngx_ws_chat_churn = 0;
    ngx_ws_chat_trimmed = now;

#if defined(__GLIBC__)
    (void) malloc_trim(0);
#endif
}


/* The session came out of the wheel: perhaps before its time. */

static void
ngx_ws_chat_session_deed(ngx_ws_chat_session_t *s, uint32_t now)
{
    ngx_uint_t  due;

    due = (int32_t) (now - s->due) >= 0;

    if (s->closing) {

        if (due) {
            ngx_ws_chat_session_late(s);
            return;
        }

    } else if (ngx_ws_chat_client_left(&s->client) <= 0) {
        ngx_ws_chat_session_close(s, WSC_CLOSE_EXPIRED, "token expired");
        return;

    } else if (s->client.leaving) {

        if (due || !ngx_ws_chat_client_sending(&s->client)) {
            ngx_ws_chat_session_go(s);
            return;
        }

    } else if (s->draining) {

        if (due) {
            ngx_ws_chat_session_farewell(s, now);
            return;
        }

    } else if (s->pinged) {

        if (due) {
            ngx_ws_chat_session_close(s, WSC_CLOSE_NO_PONG, "no pong");
            return;
        }

    } else {
        ngx_ws_chat_session_beat(s, now);
    }

    if (s->partial && !s->paused && !s->closing
        && now - s->conn.since
           >= ngx_ws_chat_ticks(s->client.conf->message_timeout))
    {
        ngx_ws_chat_session_close(s, WSC_CLOSE_POLICY,
                                  "message took too long");
        return;
    }

    ngx_ws_chat_session_schedule(s);
}


/* Who was heard within the interval is not pinged. */

static void
ngx_ws_chat_session_beat(ngx_ws_chat_session_t *s, uint32_t now)
{
    ngx_ws_chat_loc_conf_t  *conf;

    conf = s->client.conf;

    if (conf->ping_interval == 0
        || now - s->heard < ngx_ws_chat_ticks(conf->ping_interval))
    {
        return;
    }

    s->pinged = 1;
    s->due = now + ngx_ws_chat_ticks(conf->pong_timeout);

    (void) ngx_ws_chat_peer_send(&s->client.peer, WSC_FRAME_FIN, WSC_OP_PING,
                                 NULL, 0);
}


/* This session's turn to go elsewhere, of all that the worker has. */

static void
ngx_ws_chat_session_farewell(ngx_ws_chat_session_t *s, uint32_t now)
{
    const char  *reason;

    if (s->echo) {
        ngx_ws_chat_session_go(s);
        return;
    }

    (void) ngx_ws_chat_session_parting(&reason);

    ngx_ws_chat_client_reconnect(&s->client,
                                 ngx_random() % NGX_WS_CHAT_RECONNECT_MS,
                                 reason);

    if (!ngx_ws_chat_client_sending(&s->client)) {
        ngx_ws_chat_session_go(s);
        return;
    }

    s->due = now + NGX_WS_CHAT_SETTLE_TIME;

    ngx_ws_chat_session_schedule(s);
}


/* Its sends are answered, or will not be in time. */

static void
ngx_ws_chat_session_go(ngx_ws_chat_session_t *s)
{
    ngx_uint_t   code;
    const char  *reason;

    if (!s->echo) {
        ngx_ws_chat_client_abandon(&s->client);
    }

    code = ngx_ws_chat_session_parting(&reason);

    ngx_ws_chat_session_close(s, code, reason);
}


ngx_uint_t
ngx_ws_chat_session_parting(const char **reason)
{
    if (ngx_ws_chat_bus_superseded()) {
        *reason = "restart";
        return WSC_CLOSE_RESTART;
    }

    *reason = "going away";

    return WSC_CLOSE_GOING_AWAY;
}

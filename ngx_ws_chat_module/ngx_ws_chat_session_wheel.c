
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One coarse wheel for all sessions of the worker, driven by one timer.
 */


#include "ngx_ws_chat_session.h"
#include "ngx_ws_chat_session_int.h"
#include "ngx_ws_chat_client_grant.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif


#define NGX_WS_CHAT_CHURN       200          /* sessions begun or ended */
#define NGX_WS_CHAT_TRIM_QUIET  ngx_ws_chat_ticks(1000)
#define NGX_WS_CHAT_TRIM_TIME   ngx_ws_chat_ticks(10000)


static int32_t ngx_ws_chat_session_left(ngx_ws_chat_session_t *s);
static void ngx_ws_chat_session_churn(void);
static void ngx_ws_chat_session_arm(void);
static void ngx_ws_chat_session_tick_handler(ngx_event_t *ev);
static void ngx_ws_chat_session_trim(uint64_t now);


static wsc_wheel_t                   ngx_ws_chat_wheel;
static ngx_ws_chat_session_deed_pt   ngx_ws_chat_deed;
static ngx_event_t                   ngx_ws_chat_tick_event;
static ngx_uint_t                    ngx_ws_chat_sessions;
static ngx_uint_t                    ngx_ws_chat_churn;
static uint64_t                      ngx_ws_chat_churned;
static uint64_t                      ngx_ws_chat_trimmed;


void
ngx_ws_chat_session_wheel_init(ngx_cycle_t *cycle,
    ngx_ws_chat_session_deed_pt deed)
{
    ngx_memzero(&ngx_ws_chat_tick_event, sizeof(ngx_event_t));

    ngx_ws_chat_tick_event.handler = ngx_ws_chat_session_tick_handler;
    ngx_ws_chat_tick_event.data = &ngx_ws_chat_tick_event;
    ngx_ws_chat_tick_event.log = cycle->log;
    ngx_ws_chat_tick_event.cancelable = 1;

    ngx_ws_chat_deed = deed;

    wsc_wheel_init(&ngx_ws_chat_wheel, ngx_ws_chat_tick());
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
ngx_ws_chat_session_unschedule(ngx_ws_chat_session_t *s)
{
    wsc_wheel_del(&ngx_ws_chat_wheel, ngx_ws_chat_session_timer(s));
}


void
ngx_ws_chat_session_hold(void)
{
    ngx_ws_chat_tick_event.cancelable = 0;
}


void
ngx_ws_chat_session_begun(void)
{
    ngx_ws_chat_sessions++;
    ngx_ws_chat_session_churn();
}


void
ngx_ws_chat_session_ended(void)
{
    ngx_ws_chat_session_churn();

    if (--ngx_ws_chat_sessions) {
        return;
    }

    /* nothing holds the worker */

    if (!ngx_ws_chat_tick_event.cancelable && ngx_ws_chat_tick_event.timer_set)
    {
        ngx_del_timer(&ngx_ws_chat_tick_event);
    }
}


/* After many of them memory is given back. */

static void
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


static void
ngx_ws_chat_session_tick_handler(ngx_event_t *ev)
{
    uint64_t           now;
    wsc_wheel_node_t  *node;

    now = ngx_ws_chat_tick();

    for ( ;; ) {
        node = wsc_wheel_expire(&ngx_ws_chat_wheel, now);
        if (node == NULL) {
            break;
        }

        ngx_ws_chat_deed(ngx_ws_chat_session_of(node), (uint32_t) now);
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

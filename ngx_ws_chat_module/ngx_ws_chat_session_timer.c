
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What sessions do in time: heartbeat, time limits and draining.
 */


#include "ngx_ws_chat_session.h"
#include "ngx_ws_chat_session_int.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_client_grant.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_RECONNECT_MS  1000         /* the most a client is told to
                                                  wait */


static void ngx_ws_chat_session_beat(ngx_ws_chat_session_t *s, uint32_t now);
static void ngx_ws_chat_session_farewell(ngx_ws_chat_session_t *s,
    uint32_t now);
static void ngx_ws_chat_session_go(ngx_ws_chat_session_t *s);


void
ngx_ws_chat_session_drain(ngx_ws_chat_session_t *s)
{
    ngx_ws_chat_counters->draining = 1;
    ngx_ws_chat_session_hold();

    if (s->closing || s->draining) {
        return;
    }

    s->draining = 1;
    s->due = ngx_ws_chat_bus_pace(ngx_ws_chat_tick_now(),
                                  ngx_ws_chat_ticks(s->client.conf->drain));

    ngx_ws_chat_session_schedule(s);
}


/* The session came out of the wheel: perhaps before its time. */

void
ngx_ws_chat_session_deed(ngx_ws_chat_session_t *s, uint32_t now)
{
    ngx_uint_t  due;

    ngx_ws_chat_session_enter(s);

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


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What streams do in time: heartbeats, and their end.
 */


#include "ngx_ws_chat_sse.h"
#include "ngx_ws_chat_sse_stream.h"
#include "ngx_ws_chat_client_grant.h"
#include "ngx_ws_chat_session_int.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_SSE_RECONNECT  1000    /* ms at most, for a reload */


static void ngx_ws_chat_sse_deed(ngx_ws_chat_sse_t *s, uint32_t now);
static void ngx_ws_chat_sse_beat(ngx_ws_chat_sse_t *s, uint32_t now);
static void ngx_ws_chat_sse_farewell(ngx_ws_chat_sse_t *s);


void
ngx_ws_chat_sse_init(ngx_cycle_t *cycle)
{
    ngx_ws_chat_sse_wheel_init(cycle, ngx_ws_chat_sse_deed);
}


/* The stream came out of the wheel; it may be gone on return. */

static void
ngx_ws_chat_sse_deed(ngx_ws_chat_sse_t *s, uint32_t now)
{
    ngx_uint_t         due;
    ngx_connection_t  *c;

    c = s->request->connection;
    due = (s->ending || s->draining) && (int32_t) (now - s->due) >= 0;

    ngx_http_set_log_request(c->log, s->request);

    if (due && s->ending) {
        ngx_ws_chat_sse_finalize(s, NGX_ERROR);
        ngx_http_run_posted_requests(c);
        return;
    }

    if (!s->ending && ngx_ws_chat_client_left(&s->client) <= 0) {
        ngx_ws_chat_client_close(&s->client, WSC_CLOSE_EXPIRED,
                                 "token expired");

    } else if (due) {
        ngx_ws_chat_sse_farewell(s);

    } else if ((int32_t) (now - s->beat) >= 0) {
        ngx_ws_chat_sse_beat(s, now);
    }

    ngx_ws_chat_sse_schedule(s);
}


/* Who has taken nothing of what waits since the last time is gone. */

static void
ngx_ws_chat_sse_beat(ngx_ws_chat_sse_t *s, uint32_t now)
{
    ngx_ws_chat_peer_t  *p;

    static const u_char  comment[] = ":\n\n";

    p = &s->client.peer;
    s->beat = now + NGX_WS_CHAT_SSE_BEAT;

    if (p->blocked && s->bytes == s->beaten) {
        ngx_log_error(NGX_LOG_INFO, s->request->connection->log, 0,
                      "client reads no events");
        ngx_ws_chat_client_close(&s->client, WSC_CLOSE_SLOW, "slow consumer");
        return;
    }

    s->beaten = s->bytes;

    (void) ngx_ws_chat_peer_put(p, NULL, 0, comment, sizeof(comment) - 1);
}


static void
ngx_ws_chat_sse_farewell(ngx_ws_chat_sse_t *s)
{
    ngx_uint_t   code;
    const char  *reason;

    code = ngx_ws_chat_session_parting(&reason);

    /* for readers that know nothing of our events, too */
    s->retry = 1 + ngx_random() % NGX_WS_CHAT_SSE_RECONNECT;

    ngx_ws_chat_client_reconnect(&s->client, s->retry, reason);
    ngx_ws_chat_client_close(&s->client, code, reason);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a session reads, and what becomes of it.
 */


#include "ngx_ws_chat_session.h"
#include "ngx_ws_chat_session_int.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_pack.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_READ_SIZE  65536
#define NGX_WS_CHAT_READ_MAX   262144          /* octets a socket and turn */


/* A message of which `done` commands were run, and the input behind it. */

struct ngx_ws_chat_rest_s {
    size_t      message;
    size_t      len;
    ngx_uint_t  done;
    u_char      data[];
};


static void ngx_ws_chat_session_eof(ngx_ws_chat_session_t *s);
static void ngx_ws_chat_session_resume(ngx_ws_chat_session_t *s);
static void ngx_ws_chat_session_parse(ngx_ws_chat_session_t *s, u_char *p,
    size_t len);
static void ngx_ws_chat_session_pause(ngx_ws_chat_session_t *s,
    const wsc_str_t *message, ngx_uint_t done, u_char *p, size_t len);
static ngx_int_t ngx_ws_chat_session_event(ngx_ws_chat_session_t *s,
    wsc_conn_event_t *ev, ngx_uint_t *done);
static ngx_int_t ngx_ws_chat_session_message(ngx_ws_chat_session_t *s,
    wsc_conn_event_t *ev, ngx_uint_t *done);
static void ngx_ws_chat_session_echo(ngx_ws_chat_session_t *s,
    wsc_conn_event_t *ev);


static u_char  *ngx_ws_chat_read_buffer;


ngx_int_t
ngx_ws_chat_session_input_init(ngx_cycle_t *cycle)
{
    ngx_ws_chat_read_buffer = ngx_palloc(cycle->pool, NGX_WS_CHAT_READ_SIZE);

    return (ngx_ws_chat_read_buffer != NULL) ? NGX_OK : NGX_ERROR;
}


void
ngx_ws_chat_session_read(ngx_ws_chat_session_t *s)
{
    size_t             done;
    ssize_t            n;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = s->client.peer.connection;
    rev = c->read;
    done = 0;

    if (s->paused) {
        ngx_ws_chat_session_resume(s);
    }

    while (rev->ready && !rev->eof && !s->paused && !s->client.peer.broken) {

        if (done >= NGX_WS_CHAT_READ_MAX) {
            ngx_post_event(rev, &ngx_posted_next_events);
            return;
        }

        n = c->recv(c, ngx_ws_chat_read_buffer, NGX_WS_CHAT_READ_SIZE);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == 0 || n == NGX_ERROR) {
            ngx_ws_chat_session_eof(s);
            return;
        }

        done += n;

        s->bytes_in += n;
        s->heard = ngx_ws_chat_tick_now();
        s->pinged = 0;

        if (!s->lingering) {
            ngx_ws_chat_session_feed(s, ngx_ws_chat_read_buffer, n);
        }
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        s->client.peer.broken = 1;
    }
}


/* Who has sent a Close and shut down its half may still want our answer. */

static void
ngx_ws_chat_session_eof(ngx_ws_chat_session_t *s)
{
    ngx_event_t  *rev;

    rev = s->client.peer.connection->read;

    if (rev->error || !s->close_read || s->lingering) {
        s->client.peer.broken = 1;
        return;
    }

    rev->eof = 1;
}


static void
ngx_ws_chat_session_resume(ngx_ws_chat_session_t *s)
{
    wsc_str_t            message;
    ngx_ws_chat_rest_t  *rest;

    s->client.peer.want_drain = 1;

    if (ngx_ws_chat_client_busy(&s->client) && !s->closing) {
        return;
    }

    rest = ngx_ws_chat_session_rest(s);

    if (rest && rest->message && !s->closing) {
        message.data = rest->data;
        message.len = rest->message;

        if (ngx_ws_chat_client_message(&s->client, &message, &rest->done)
            == NGX_AGAIN)
        {
            return;
        }
    }

    s->client.peer.want_drain = s->closing;

    ngx_ws_chat_session_set_rest(s, NULL);
    s->paused = 0;
    s->partial = 0;

    if (rest) {
        ngx_ws_chat_session_feed(s, rest->data + rest->message, rest->len);
        wsc_free(&ngx_ws_chat_alloc, rest);

    } else {
        ngx_ws_chat_session_feed(s, ngx_ws_chat_read_buffer, 0);
    }
}


void
ngx_ws_chat_session_feed(ngx_ws_chat_session_t *s, u_char *p, size_t len)
{
    ngx_ws_chat_loc_conf_t  *conf;

    ngx_ws_chat_session_parse(s, p, len);

    wsc_buf_reset(&ngx_ws_chat_scratch.inflate, NGX_WS_CHAT_SCRATCH_KEEP);

    if (!wsc_conn_incomplete(&s->conn)) {
        s->partial = 0;
        return;
    }

    if (s->partial) {
        return;
    }

    s->partial = 1;
    s->conn.since = ngx_ws_chat_tick_now();

    /* who is in the wheel comes out of it at its next ping at the latest */

    conf = s->client.conf;

    if (!wsc_wheel_active(ngx_ws_chat_session_timer(s))
        || conf->message_timeout < conf->ping_interval)
    {
        ngx_ws_chat_session_schedule(s);
    }
}


static void
ngx_ws_chat_session_parse(ngx_ws_chat_session_t *s, u_char *p, size_t len)
{
    u_char              *last;
    ssize_t              rc;
    wsc_str_t            none;
    ngx_uint_t           done;
    wsc_conn_event_t     ev;
    ngx_ws_chat_peer_t  *peer;

    peer = &s->client.peer;
    last = p + len;

    while (!peer->broken) {

        done = 0;

        if (ngx_ws_chat_client_busy(&s->client) && !s->closing) {
            none.len = 0;
            ngx_ws_chat_session_pause(s, &none, done, p, last - p);
            return;
        }

        rc = wsc_conn_parse(&s->conn, &p, last, &ev);

        if (rc == WSC_AGAIN) {
            return;
        }

        if (rc == WSC_OK) {

            if (ngx_ws_chat_session_event(s, &ev, &done) == NGX_AGAIN) {
                ngx_ws_chat_session_pause(s, &ev.data, done, p, last - p);
                return;
            }

            continue;
        }

        /* all that may still come is discarded */

        s->close_read = 1;
        ngx_ws_chat_session_close(s, ev.code, ev.reason);
    }
}


/* Reads no more until the other side has read what is queued for it. */

static void
ngx_ws_chat_session_pause(ngx_ws_chat_session_t *s, const wsc_str_t *message,
    ngx_uint_t done, u_char *p, size_t len)
{
    ngx_ws_chat_rest_t  *rest;

    s->paused = 1;
    s->client.peer.want_drain = 1;

    if (len == 0 && message->len == 0) {
        return;
    }

    rest = wsc_alloc(&ngx_ws_chat_alloc,
                     sizeof(ngx_ws_chat_rest_t) + message->len + len);
    if (rest == NULL) {
        s->client.peer.broken = 1;
        return;
    }

    rest->message = message->len;
    rest->len = len;
    rest->done = done;

    if (message->len) {
        ngx_memcpy(rest->data, message->data, message->len);
    }

    if (len) {
        ngx_memcpy(rest->data + message->len, p, len);
    }

    ngx_ws_chat_session_set_rest(s, rest);
}


static ngx_int_t
ngx_ws_chat_session_event(ngx_ws_chat_session_t *s, wsc_conn_event_t *ev,
    ngx_uint_t *done)
{
    switch (ev->type) {

    case WSC_EV_MESSAGE:
        s->partial = 0;
        return ngx_ws_chat_session_message(s, ev, done);

    case WSC_EV_PING:
        (void) ngx_ws_chat_peer_send(&s->client.peer, WSC_FRAME_FIN,
                                     WSC_OP_PONG, ev->data.data,
                                     ev->data.len);
        break;

    case WSC_EV_PONG:
        break;

    case WSC_EV_CLOSE:
        s->close_read = 1;
        ngx_ws_chat_session_close(s, ev->code, "");
        break;
    }

    return NGX_OK;
}


/* NGX_AGAIN: only `done` of its commands could be run. */

static ngx_int_t
ngx_ws_chat_session_message(ngx_ws_chat_session_t *s, wsc_conn_event_t *ev,
    ngx_uint_t *done)
{
    u_char  opcode;

    if (s->closing) {
        return NGX_OK;
    }

    if (s->echo) {
        ngx_ws_chat_session_echo(s, ev);
        return NGX_OK;
    }

    opcode = (s->client.enc == WSC_ENC_JSON) ? WSC_OP_TEXT : WSC_OP_BINARY;

    if (ev->opcode != opcode) {
        ngx_ws_chat_session_close(s, WSC_CLOSE_UNSUPPORTED,
                                  (opcode == WSC_OP_TEXT)
                                  ? "this subprotocol takes text frames"
                                  : "this subprotocol takes binary frames");
        return NGX_OK;
    }

    return ngx_ws_chat_client_message(&s->client, &ev->data, done);
}


static void
ngx_ws_chat_session_echo(ngx_ws_chat_session_t *s, wsc_conn_event_t *ev)
{
    u_char                 flags;
    wsc_str_t              data;
    ngx_ws_chat_client_t  *cl;

    cl = &s->client;
    cl->received++;
    cl->peer.frames++;

    flags = WSC_FRAME_FIN;
    data = ev->data;

    if (cl->deflate
        && ngx_ws_chat_pack(cl->conf, cl->window, ev->data.data, ev->data.len,
                            &data)
           == NGX_OK)
    {
        flags |= WSC_FRAME_RSV1;
    }

    (void) ngx_ws_chat_peer_send(&cl->peer, flags, ev->opcode, data.data,
                                 data.len);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The life of one socket after its 101.
 *
 * Whatever happens to a session is noted in it; only at the end of an event
 * of its own, in ngx_ws_chat_session_settle() and the timer, is it freed.
 */


#include "ngx_ws_chat_session.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_session_int.h"
#include "ngx_ws_chat_client_grant.h"
#include "ngx_ws_chat_client_id.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_stat.h"
#include "core/wsc_frame.h"


static ngx_int_t ngx_ws_chat_session_client(ngx_ws_chat_session_t *s,
    const ngx_ws_chat_session_init_t *init);
static void ngx_ws_chat_session_read_handler(ngx_event_t *rev);
static void ngx_ws_chat_session_write_handler(ngx_event_t *wev);
static void ngx_ws_chat_session_quit(ngx_ws_chat_session_t *s);
static void ngx_ws_chat_session_close_client(ngx_ws_chat_client_t *cl,
    ngx_uint_t code, const char *reason);
static void ngx_ws_chat_session_granted(ngx_ws_chat_client_t *cl);
static void ngx_ws_chat_session_broken(ngx_ws_chat_peer_t *p);
static void ngx_ws_chat_session_drained(ngx_ws_chat_peer_t *p);
static void ngx_ws_chat_session_settle(ngx_ws_chat_session_t *s);
static void ngx_ws_chat_session_expel(ngx_ws_chat_session_t *s);
static u_char *ngx_ws_chat_session_log_handler(ngx_log_t *log, u_char *buf,
    size_t len);


static const ngx_ws_chat_client_ops_t  ngx_ws_chat_session_ops = {
    {
        ngx_ws_chat_client_gap,
        ngx_ws_chat_session_broken,
        ngx_ws_chat_session_drained,
        NULL,
        NULL
    },
    ngx_ws_chat_session_close_client,
    NULL,
    NULL,
    NULL,
    ngx_ws_chat_session_granted
};


ngx_int_t
ngx_ws_chat_session_init(ngx_cycle_t *cycle)
{
    ngx_ws_chat_session_wheel_init(cycle, ngx_ws_chat_session_deed);

    return ngx_ws_chat_session_input_init(cycle);
}


void
ngx_ws_chat_session_done(ngx_cycle_t *cycle)
{
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = cycle->connections;

    for (i = 0; i < cycle->connection_n; i++) {

        if (c[i].fd == (ngx_socket_t) -1 || c[i].read == NULL) {
            continue;
        }

        /* one of them may be set aside by TLS */

        if (c[i].read->handler == ngx_ws_chat_session_read_handler
            || c[i].write->handler == ngx_ws_chat_session_write_handler)
        {
            ngx_ws_chat_session_expel(c[i].data);
        }
    }
}


ngx_ws_chat_session_t *
ngx_ws_chat_session_create(ngx_connection_t *c,
    const ngx_ws_chat_session_init_t *init)
{
    size_t                   size;
    ngx_ws_chat_session_t   *s;
    ngx_ws_chat_loc_conf_t  *conf;

    conf = init->conf;
    conf->log->handler = ngx_ws_chat_session_log_handler;
    conf->log->action = "serving WebSocket";

    size = offsetof(ngx_ws_chat_session_t, text)
           + init->addr.len + init->user.len;

    if (init->nholds) {
        size = ngx_align(size, 8) + init->nholds * sizeof(ngx_ws_chat_hold_t);
    }

    size = ngx_max(size, sizeof(ngx_ws_chat_session_t));

    s = wsc_alloc(&ngx_ws_chat_alloc, size);
    if (s == NULL) {
        return NULL;
    }

    ngx_memzero(s, size);

    ngx_ws_chat_peer_init(&s->client.peer, c, &ngx_ws_chat_session_ops.peer,
                          conf->lag_limit);

    wsc_conn_init(&s->conn, &conf->conn, init->deflate);

    s->echo = init->echo;
    s->pooled = init->pooled;
    s->code = WSC_CLOSE_ABNORMAL;
    s->addr_len = (uint8_t) init->addr.len;
    s->nholds = (uint8_t) init->nholds;

    ngx_memcpy(s->text, init->addr.data, init->addr.len);

    if (ngx_ws_chat_session_client(s, init) != NGX_OK) {
        wsc_free(&ngx_ws_chat_alloc, s);
        return NULL;
    }

    if (init->nholds) {
        ngx_memcpy(ngx_ws_chat_session_holds(s), init->holds,
                   init->nholds * sizeof(ngx_ws_chat_hold_t));
    }

    return s;
}


static ngx_int_t
ngx_ws_chat_session_client(ngx_ws_chat_session_t *s,
    const ngx_ws_chat_session_init_t *init)
{
    ngx_ws_chat_client_t  *cl;

    cl = &s->client;

    cl->conf = init->conf;
    cl->enc = init->enc;
    ngx_ws_chat_client_set_user(cl, offsetof(ngx_ws_chat_session_t, text)
                                    + s->addr_len, &init->user);

    cl->kind = ngx_ws_chat_kind(cl->enc, NGX_WS_CHAT_PLAIN);

    if (init->deflate) {
        cl->deflate = 1;
        cl->window = init->deflate->server_window;

        /* its window has to take what the room logs have */

        if (!s->echo && cl->window >= init->conf->zone->window) {
            cl->kind = ngx_ws_chat_kind(cl->enc,
                                        init->deflate->server_no_takeover
                                        ? NGX_WS_CHAT_DEFLATE
                                        : NGX_WS_CHAT_CONTEXT);
        }
    }

    if (ngx_ws_chat_client_id(&cl->session) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ws_chat_client_grant(cl, init->claims);
}


void
ngx_ws_chat_session_start(ngx_ws_chat_session_t *s,
    const ngx_ws_chat_session_init_t *init)
{
    ngx_connection_t  *c;

    c = s->client.peer.connection;

    c->data = s;
    c->idle = 1;
    /* what waits is the 101, which is no message */
    c->sent = -(off_t) s->client.peer.out_bytes;
    c->buffer = NULL;

    s->client.opened = ngx_ws_chat_now();
    ngx_memzero(ngx_ws_chat_session_timer(s), sizeof(wsc_wheel_node_t));

    c->read->handler = ngx_ws_chat_session_read_handler;
    c->write->handler = ngx_ws_chat_session_write_handler;

    s->heard = ngx_ws_chat_tick_now();
    s->bytes_in = init->pending.len;

    ngx_ws_chat_stat_of(s->client.conf)->counters.connections++;
    ngx_ws_chat_stat_of(s->client.conf)->counters.accepted++;

    ngx_ws_chat_session_begun();
    ngx_ws_chat_session_enter(s);
    ngx_ws_chat_session_schedule(s);

    /* its 101 had to wait, and NGINX tells the idle ones only once */

    if (ngx_exiting) {
        ngx_ws_chat_session_drain(s);
    }

    if (!s->echo) {
        ngx_ws_chat_client_open(&s->client, &init->join);
    }

    if (init->pending.len) {
        ngx_ws_chat_session_feed(s, init->pending.data, init->pending.len);
    }

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        s->client.peer.broken = 1;
    }

    ngx_ws_chat_session_settle(s);
}


static void
ngx_ws_chat_session_read_handler(ngx_event_t *rev)
{
    ngx_connection_t       *c;
    ngx_ws_chat_session_t  *s;

    c = rev->data;
    s = c->data;

    ngx_ws_chat_session_enter(s);

    if (c->close) {
        ngx_ws_chat_session_quit(s);
        return;
    }

    ngx_ws_chat_session_read(s);
    ngx_ws_chat_session_settle(s);
}


static void
ngx_ws_chat_session_write_handler(ngx_event_t *wev)
{
    off_t                   sent;
    ngx_connection_t       *c;
    ngx_ws_chat_session_t  *s;

    c = wev->data;
    s = c->data;

    ngx_ws_chat_session_enter(s);

    sent = c->sent;

    ngx_ws_chat_peer_write(&s->client.peer);

    /*
     * The other side takes octets: it lives, though its pong may be late.  The
     * event alone says nothing: it comes with those for reading, too.
     */

    if (c->sent != sent) {
        s->heard = ngx_ws_chat_tick_now();
        s->pinged = 0;

        if (s->closing && !s->lingering) {
            s->due = s->heard + NGX_WS_CHAT_CLOSE_TIME;
        }
    }

    ngx_ws_chat_session_settle(s);
}


/* The worker is shutting down, or its patience has ended (c->error). */

static void
ngx_ws_chat_session_quit(ngx_ws_chat_session_t *s)
{
    ngx_connection_t  *c;

    c = s->client.peer.connection;
    c->close = 0;

    if (c->error) {
        ngx_ws_chat_session_expel(s);
        return;
    }

    ngx_ws_chat_session_drain(s);
}


static void
ngx_ws_chat_session_close_client(ngx_ws_chat_client_t *cl, ngx_uint_t code,
    const char *reason)
{
    ngx_ws_chat_session_close((ngx_ws_chat_session_t *) cl, code, reason);
}


static void
ngx_ws_chat_session_granted(ngx_ws_chat_client_t *cl)
{
    ngx_ws_chat_session_schedule((ngx_ws_chat_session_t *) cl);
}


static void
ngx_ws_chat_session_broken(ngx_ws_chat_peer_t *p)
{
    ngx_post_event(p->connection->read, &ngx_posted_next_events);
}


static void
ngx_ws_chat_session_drained(ngx_ws_chat_peer_t *p)
{
    ngx_post_event(p->connection->read, &ngx_posted_next_events);
}


/* The end of each event of the session, which may be its own end. */

static void
ngx_ws_chat_session_settle(ngx_ws_chat_session_t *s)
{
    ngx_ws_chat_peer_t  *p;

    p = &s->client.peer;

    if (p->broken) {
        ngx_ws_chat_session_destroy(s);
        return;
    }

    if (!s->closing || s->lingering) {
        return;
    }

    if (!s->echo && !s->client.gone) {
        ngx_ws_chat_client_gone(&s->client);
    }

    if (p->out) {
        p->want_drain = 1;
        return;
    }

    if (s->close_read) {
        ngx_ws_chat_session_linger(s);
    }
}


/* Says 1001 if the socket takes it, and ends the session at once. */

static void
ngx_ws_chat_session_expel(ngx_ws_chat_session_t *s)
{
    ngx_ws_chat_session_enter(s);

    if (!s->closing) {

        if (!s->echo) {
            ngx_ws_chat_client_abandon(&s->client);
        }

        ngx_ws_chat_session_close(s, WSC_CLOSE_GOING_AWAY, "going away");
        ngx_ws_chat_peer_write(&s->client.peer);
    }

    ngx_ws_chat_session_destroy(s);
}


static u_char *
ngx_ws_chat_session_log_handler(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                 *p;
    ngx_ws_chat_session_t  *s;

    s = log->data;

    if (s == NULL) {
        return buf;
    }

    p = ngx_snprintf(buf, len, ", client: %*s", (size_t) s->addr_len,
                     ngx_ws_chat_session_addr(s));

    if (s->client.user_len == 0) {
        return p;
    }

    len -= p - buf;

    return ngx_snprintf(p, len, ", user: \"%*s\"",
                        (size_t) s->client.user_len,
                        ngx_ws_chat_client_user(&s->client));
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The end of a session: its Close, and what follows it.
 */


#include "ngx_ws_chat_session.h"
#include "ngx_ws_chat_session_int.h"
#include "ngx_ws_chat_client_id.h"
#include "ngx_ws_chat_log.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_stat.h"
#include "core/wsc_frame.h"


static void ngx_ws_chat_session_write_log(ngx_ws_chat_session_t *s);
static void ngx_ws_chat_session_release(ngx_ws_chat_session_t *s);


void
ngx_ws_chat_session_enter(ngx_ws_chat_session_t *s)
{
    ngx_connection_t  *c;

    c = s->client.peer.connection;

    c->log->data = s;
    c->log->connection = c->number;
}


void
ngx_ws_chat_session_close(ngx_ws_chat_session_t *s, ngx_uint_t code,
    const char *reason)
{
    size_t               len;
    u_char               data[WSC_MAX_CONTROL];
    ngx_ws_chat_peer_t  *p;

    if (s->closing) {
        return;
    }

    p = &s->client.peer;
    len = 0;

    data[0] = (u_char) (code >> 8);
    data[1] = (u_char) code;

    if (code != WSC_CLOSE_NO_STATUS) {
        len = ngx_min(ngx_strlen(reason), WSC_MAX_CONTROL - 2);
        ngx_memcpy(data + 2, reason, len);
        len += 2;
    }

    (void) ngx_ws_chat_peer_send(p, WSC_FRAME_FIN, WSC_OP_CLOSE, data, len);

    p->muted = 1;
    p->want_drain = 1;

    s->closing = 1;
    s->code = (uint16_t) code;
    s->due = ngx_ws_chat_tick_now()
             + (code == WSC_CLOSE_NO_PONG ? NGX_WS_CHAT_CUT_TIME
                                          : NGX_WS_CHAT_CLOSE_TIME);

    ngx_ws_chat_session_schedule(s);

    /* the chats are left then: this may be called from inside of them */
    ngx_post_event(p->connection->read, &ngx_posted_next_events);
}


/*
 * Who has not answered our Close may be merely slow: it gets the end of our
 * octets, and may go on sending for a while.
 */

void
ngx_ws_chat_session_late(ngx_ws_chat_session_t *s)
{
    if (s->lingering || s->client.peer.out || s->code == WSC_CLOSE_NO_PONG) {
        ngx_ws_chat_session_destroy(s);
        return;
    }

    ngx_ws_chat_session_linger(s);
}


/*
 * Nothing follows our Close.  Input that nobody reads would make the kernel
 * answer it by a reset, which can overtake our Close: so read to the end.
 */

void
ngx_ws_chat_session_linger(ngx_ws_chat_session_t *s)
{
    ngx_connection_t  *c;

    c = s->client.peer.connection;

#if (NGX_SSL)

    if (c->ssl) {
        c->ssl->shutdown_without_free = 1;

        if (ngx_ssl_shutdown(c) != NGX_OK) {
            c->ssl->shutdown_without_free = 0;
            ngx_ws_chat_session_destroy(s);
            return;
        }
    }

#endif

    if (c->read->eof
        || ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1)
    {
        ngx_ws_chat_session_destroy(s);
        return;
    }

    s->lingering = 1;
    s->due = ngx_ws_chat_tick_now()
             + (s->close_read ? NGX_WS_CHAT_LINGER_TIME
                              : NGX_WS_CHAT_SLOW_TIME);

    ngx_ws_chat_session_schedule(s);

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_next_events);
    }
}


void
ngx_ws_chat_session_destroy(ngx_ws_chat_session_t *s)
{
    ngx_ws_chat_session_unschedule(s);

    if (!s->echo && !s->client.gone) {
        ngx_ws_chat_client_gone(&s->client);
    }

    ngx_ws_chat_session_write_log(s);

    ngx_ws_chat_peer_done(&s->client.peer);
    wsc_conn_free(&s->conn);
    wsc_free(&ngx_ws_chat_alloc, ngx_ws_chat_session_rest(s));

    ngx_ws_chat_stat_of(s->client.conf)->counters.connections--;

    ngx_ws_chat_session_release(s);
    ngx_ws_chat_session_ended();
}


static void
ngx_ws_chat_session_write_log(ngx_ws_chat_session_t *s)
{
    ngx_ws_chat_client_t      *cl;
    ngx_ws_chat_log_line_t     line;
    ngx_ws_chat_main_conf_t   *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_ws_chat_module);

    if (mcf->log == NULL) {
        return;
    }

    cl = &s->client;

    ngx_memzero(&line, sizeof(ngx_ws_chat_log_line_t));

    if (!s->echo) {
        line.zone.data = cl->conf->zone->name.data;
        line.zone.len = cl->conf->zone->name.len;
    }

    line.user.data = ngx_ws_chat_client_user(cl);
    line.user.len = cl->user_len;
    line.addr.data = ngx_ws_chat_session_addr(s);
    line.addr.len = s->addr_len;
    line.session = cl->session;
    line.chats = cl->chats_max;
    line.messages_in = cl->received;
    line.messages_out = cl->peer.frames;
    line.bytes_in = s->bytes_in;
    line.bytes_out = ngx_max(cl->peer.connection->sent, 0);
    line.seconds = (uint32_t) (ngx_time() - cl->opened / 1000);
    line.code = s->code;

    ngx_ws_chat_log_write(mcf->log, &line, cl->peer.connection->log);
}


/* Closes the connection and frees the session and what it held. */

static void
ngx_ws_chat_session_release(ngx_ws_chat_session_t *s)
{
    ngx_log_t           *log;
    ngx_uint_t           i;
    ngx_connection_t    *c;
    ngx_ws_chat_hold_t  *holds;

    c = s->client.peer.connection;
    log = c->log;
    holds = ngx_ws_chat_session_holds(s);

    for (i = 0; i < s->nholds; i++) {
        holds[i].handler(holds[i].data);
    }

    c->idle = 0;
    c->data = NULL;

    /* without the farewell of TLS unless it was said */
    c->error = !s->lingering;

    if (s->pooled) {
        log->data = NULL;
        wsc_free(&ngx_ws_chat_alloc, s);

        ngx_http_close_connection(c);
        return;
    }

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    c->destroyed = 1;
    ngx_close_connection(c);

    log->data = NULL;
    wsc_free(&ngx_ws_chat_alloc, s);
}

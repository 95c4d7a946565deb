
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The life of a connection: it is idle, connects, shakes hands (TLS), logs
 * in, is up, and is idle again.
 */


#include "ngx_ws_chat_redis_int.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_redis_tls.h"
#include <ngx_event_connect.h>


#define NGX_WS_CHAT_REDIS_PAUSE_BASE  100     /* ms before the next attempt */
#define NGX_WS_CHAT_REDIS_PAUSE_CAP   2000
#define NGX_WS_CHAT_REDIS_STABLE      2000    /* ms up: no longer a failure */
#define NGX_WS_CHAT_REDIS_LATER       1000    /* ms: the least timeout with
                                                 which anything may wait */
#define NGX_WS_CHAT_REDIS_REPEAT      60      /* s before the same complaint */


static void ngx_ws_chat_redis_timer_handler(ngx_event_t *ev);
static void ngx_ws_chat_redis_connect(ngx_ws_chat_redis_t *rc);
static ngx_int_t ngx_ws_chat_redis_socket(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_connect_handler(ngx_event_t *ev);
static void ngx_ws_chat_redis_connected(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_ack_later(ngx_connection_t *c);
static void ngx_ws_chat_redis_begin(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_check(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_hang_up(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_complain(ngx_ws_chat_redis_t *rc);
static ngx_ws_chat_redis_peer_t *ngx_ws_chat_redis_peer(
    ngx_ws_chat_redis_t *rc);

#if (NGX_SSL)
static void ngx_ws_chat_redis_shaken(ngx_connection_t *c);
#endif


ngx_ws_chat_redis_t *
ngx_ws_chat_redis_open(const ngx_ws_chat_redis_conf_t *conf,
    ngx_ws_chat_redis_kind_e kind, const ngx_ws_chat_redis_ops_t *ops,
    void *data)
{
    ngx_ws_chat_redis_t  *rc;

    rc = ngx_calloc(sizeof(ngx_ws_chat_redis_t), ngx_cycle->log);
    if (rc == NULL) {
        return NULL;
    }

    rc->conf = conf;
    rc->ops = ops;
    rc->data = data;
    rc->kind = kind;
    rc->log = *ngx_cycle->log;

    wsc_backoff_init(&rc->backoff, NGX_WS_CHAT_REDIS_PAUSE_BASE,
                     NGX_WS_CHAT_REDIS_PAUSE_CAP, NGX_WS_CHAT_REDIS_STABLE);
    wsc_buf_init(&rc->out, &ngx_ws_chat_alloc);

    rc->timer.handler = ngx_ws_chat_redis_timer_handler;
    rc->timer.data = rc;
    rc->timer.log = ngx_cycle->log;
    rc->timer.cancelable = 1;

    rc->flush.handler = ngx_ws_chat_redis_flush_handler;
    rc->flush.data = rc;
    rc->flush.log = ngx_cycle->log;

    ngx_add_timer(&rc->timer, 0);

    return rc;
}


void
ngx_ws_chat_redis_close(ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_redis_hang_up(rc);
    ngx_ws_chat_redis_io_drop(rc);

    ngx_free(rc->pending);
    ngx_free(rc);
}


void *
ngx_ws_chat_redis_data(ngx_ws_chat_redis_t *rc)
{
    return rc->data;
}


ngx_uint_t
ngx_ws_chat_redis_is_up(ngx_ws_chat_redis_t *rc)
{
    return rc != NULL && rc->state == NGX_WS_CHAT_REDIS_UP && !rc->broken;
}


socklen_t
ngx_ws_chat_redis_sockaddr(ngx_ws_chat_redis_t *rc, ngx_sockaddr_t *sa)
{
    ngx_addr_t  *addr;

    if (!ngx_ws_chat_redis_is_up(rc)) {
        return 0;
    }

    if (rc->master_len) {
        *sa = rc->master;
        return rc->master_len;
    }

    addr = &ngx_ws_chat_redis_peer(rc)->addr;

    ngx_memzero(sa, sizeof(ngx_sockaddr_t));
    ngx_memcpy(sa, addr->sockaddr, addr->socklen);

    return addr->socklen;
}


void
ngx_ws_chat_redis_break(ngx_ws_chat_redis_t *rc, const char *reason)
{
    if (rc->state == NGX_WS_CHAT_REDIS_UP) {
        ngx_ws_chat_redis_fail(rc, "%s", reason);
    }
}


/*
 * It may come from inside of a callback: whoever called that looks whether
 * the connection is broken, or else the flush handler will.
 */

void
ngx_ws_chat_redis_fail(ngx_ws_chat_redis_t *rc, const char *format, ...)
{
    va_list  args;

    if (rc->broken) {
        return;
    }

    va_start(args, format);
    (void) vsnprintf(rc->reason, sizeof(rc->reason), format, args);
    va_end(args);

    rc->broken = 1;

    ngx_post_event(&rc->flush, &ngx_posted_events);
}


void
ngx_ws_chat_redis_lost(ngx_ws_chat_redis_t *rc)
{
    ngx_uint_t  was_up, moving;
    ngx_msec_t  pause;

    was_up = rc->state == NGX_WS_CHAT_REDIS_UP;
    moving = rc->moving;

    ngx_ws_chat_redis_hang_up(rc);

    if (moving) {
        ngx_add_timer(&rc->timer, 1);
        return;
    }

    ngx_ws_chat_redis_complain(rc);

    if (was_up) {
        wsc_backoff_lasted(&rc->backoff, ngx_current_msec - rc->since);

    } else if (rc->master_len == 0 && *rc->conf->current == rc->peer) {
        *rc->conf->current = (rc->peer + 1) % rc->conf->peers.nelts;
    }

    rc->master_len = 0;

    ngx_ws_chat_redis_io_drop(rc);

    if (was_up) {
        rc->ops->down(rc, rc->reason);
    }

    if (rc->final) {
        return;
    }

    pause = wsc_backoff_next(&rc->backoff, (uint32_t) ngx_random() << 1);

    ngx_add_timer(&rc->timer, pause);
}


/* Afterwards it is idle, and nothing will be called any more. */

static void
ngx_ws_chat_redis_hang_up(ngx_ws_chat_redis_t *rc)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = rc->connection;

    rc->connection = NULL;
    rc->state = NGX_WS_CHAT_REDIS_IDLE;
    rc->broken = 0;
    rc->moving = 0;

    if (rc->timer.timer_set) {
        ngx_del_timer(&rc->timer);
    }

    if (rc->flush.posted) {
        ngx_delete_posted_event(&rc->flush);
    }

    ngx_ws_chat_redis_io_close(rc);

    if (c == NULL) {
        return;
    }

    pool = c->pool;

#if (NGX_SSL)
    ngx_ws_chat_redis_tls_close(c);
#endif

    ngx_close_connection(c);

    if (pool != NULL) {
        ngx_destroy_pool(pool);
    }
}


/* The same about the same peer is said once a minute. */

static void
ngx_ws_chat_redis_complain(ngx_ws_chat_redis_t *rc)
{
    time_t                     now;
    ngx_ws_chat_redis_peer_t  *peer;

    peer = ngx_ws_chat_redis_peer(rc);
    now = ngx_time();

    if (ngx_strcmp(peer->reason, rc->reason) == 0
        && now - peer->complained < NGX_WS_CHAT_REDIS_REPEAT)
    {
        return;
    }

    peer->complained = now;
    (void) ngx_cpystrn((u_char *) peer->reason, (u_char *) rc->reason,
                       sizeof(peer->reason));

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "ws_chat_redis \"%V\" at %V: %s", &rc->conf->name,
                  &peer->addr.name, rc->reason);
}


static ngx_ws_chat_redis_peer_t *
ngx_ws_chat_redis_peer(ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_redis_peer_t  *peers;

    peers = rc->conf->peers.elts;

    return &peers[rc->peer];
}


void
ngx_ws_chat_redis_came_up(ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_redis_peer_t  *peer;

    if (rc->timer.timer_set) {
        ngx_del_timer(&rc->timer);
    }

    rc->state = NGX_WS_CHAT_REDIS_UP;
    rc->since = ngx_current_msec;

    peer = ngx_ws_chat_redis_peer(rc);

    if (peer->reason[0] != '\0') {
        peer->reason[0] = '\0';

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "ws_chat_redis \"%V\" at %V: connected",
                      &rc->conf->name, &peer->addr.name);
    }

    rc->ops->up(rc);
}


static void
ngx_ws_chat_redis_timer_handler(ngx_event_t *ev)
{
    ngx_ws_chat_redis_t  *rc;

    rc = ev->data;

    switch (rc->state) {

    case NGX_WS_CHAT_REDIS_IDLE:
        ngx_ws_chat_redis_connect(rc);
        return;

    case NGX_WS_CHAT_REDIS_UP:
        ngx_ws_chat_redis_check(rc);
        return;

    default:
        ngx_ws_chat_redis_fail(rc, "%s within %lu ms",
                               rc->state == NGX_WS_CHAT_REDIS_CONNECT
                               ? "not connected"
                               : rc->state == NGX_WS_CHAT_REDIS_HANDSHAKE
                               ? "no TLS handshake" : "no login",
                               (unsigned long) rc->conf->connect_timeout);
        ngx_ws_chat_redis_lost(rc);
    }
}


/* Has the oldest command waited too long for its reply? */

static void
ngx_ws_chat_redis_check(ngx_ws_chat_redis_t *rc)
{
    ngx_msec_t  age;

    if (rc->pending_n == 0) {
        return;
    }

    age = ngx_current_msec - rc->pending[rc->pending_first].since;

    if (age < rc->conf->timeout) {
        ngx_add_timer(&rc->timer, rc->conf->timeout - age);
        return;
    }

    ngx_ws_chat_redis_fail(rc, "no reply within %lu ms",
                           (unsigned long) rc->conf->timeout);
    ngx_ws_chat_redis_lost(rc);
}


static void
ngx_ws_chat_redis_connect(ngx_ws_chat_redis_t *rc)
{
    ngx_int_t  n;

    rc->peer = *rc->conf->current;

    if (ngx_ws_chat_redis_io_open(rc) != NGX_OK) {
        ngx_ws_chat_redis_fail(rc, "no memory");
        ngx_ws_chat_redis_lost(rc);
        return;
    }

    n = ngx_ws_chat_redis_socket(rc);

    if (n != NGX_OK && n != NGX_AGAIN) {
        ngx_ws_chat_redis_fail(rc, "connect() failed: %s",
                               strerror(ngx_socket_errno));
        ngx_ws_chat_redis_lost(rc);
        return;
    }

    ngx_add_timer(&rc->timer, rc->conf->connect_timeout);

    if (n == NGX_OK) {
        ngx_ws_chat_redis_connected(rc);
    }
}


static ngx_int_t
ngx_ws_chat_redis_socket(ngx_ws_chat_redis_t *rc)
{
    ngx_int_t                  n;
    ngx_connection_t          *c;
    ngx_peer_connection_t      pc;
    ngx_ws_chat_redis_peer_t  *peer;

    peer = ngx_ws_chat_redis_peer(rc);

    ngx_memzero(&pc, sizeof(ngx_peer_connection_t));

    pc.sockaddr = rc->master_len ? &rc->master.sockaddr : peer->addr.sockaddr;
    pc.socklen = rc->master_len ? rc->master_len : peer->addr.socklen;
    pc.name = &peer->addr.name;
    pc.get = ngx_event_get_peer;
    pc.so_keepalive = pc.sockaddr->sa_family != AF_UNIX;
    pc.log_error = NGX_ERROR_ERR;
    pc.log = &rc->log;

    /* failures are told by ngx_ws_chat_redis_complain(), now and then */
    rc->log.log_level = NGX_LOG_ALERT;

    ngx_set_socket_errno(0);

    n = ngx_event_connect_peer(&pc);

    if (n != NGX_OK && n != NGX_AGAIN) {
        return n;
    }

    c = pc.connection;
    c->data = rc;
    c->log = &rc->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_ws_chat_redis_connect_handler;
    c->write->handler = ngx_ws_chat_redis_connect_handler;

    rc->connection = c;
    rc->state = NGX_WS_CHAT_REDIS_CONNECT;

    return n;
}


static void
ngx_ws_chat_redis_connect_handler(ngx_event_t *ev)
{
    int                   err;
    socklen_t             len;
    ngx_connection_t     *c;
    ngx_ws_chat_redis_t  *rc;

    c = ev->data;
    rc = c->data;

    if (c->close) {
        rc->final = 1;
        ngx_ws_chat_redis_fail(rc, "the worker shuts down");
        ngx_ws_chat_redis_lost(rc);
        return;
    }

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_ws_chat_redis_fail(rc, "connect() failed: %s", strerror(err));
        ngx_ws_chat_redis_lost(rc);
        return;
    }

    if (ev->write) {
        ngx_ws_chat_redis_connected(rc);
    }
}


static void
ngx_ws_chat_redis_connected(ngx_ws_chat_redis_t *rc)
{
    ngx_connection_t  *c;

    c = rc->connection;

    if (ngx_ws_chat_redis_peer(rc)->addr.sockaddr->sa_family != AF_UNIX) {
        (void) ngx_tcp_nodelay(c);
        ngx_ws_chat_redis_ack_later(c);
    }

#if (NGX_SSL)

    if (rc->conf->ssl != NULL) {
        rc->state = NGX_WS_CHAT_REDIS_HANDSHAKE;

        if (ngx_ws_chat_redis_tls_start(rc->conf, ngx_ws_chat_redis_peer(rc),
                                        c, ngx_ws_chat_redis_shaken)
            == NGX_AGAIN)
        {
            return;
        }

        ngx_ws_chat_redis_shaken(c);
        return;
    }

#endif

    ngx_ws_chat_redis_begin(rc);
}


/*
 * A subscriber writes nothing that its acknowledgements could go with, and a
 * small segment that was read is acknowledged at once: a packet for each
 * message, which Redis does not wait for.  See tcp(7).
 */

static void
ngx_ws_chat_redis_ack_later(ngx_connection_t *c)
{
    int  quickack;

    quickack = 0;

    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK,
                      (const void *) &quickack, sizeof(int));
}


#if (NGX_SSL)

static void
ngx_ws_chat_redis_shaken(ngx_connection_t *c)
{
    const char           *reason;
    ngx_ws_chat_redis_t  *rc;

    rc = c->data;

    reason = ngx_ws_chat_redis_tls_verify(rc->conf, c);

    if (reason != NULL) {
        ngx_ws_chat_redis_fail(rc, "TLS: %s", reason);
        ngx_ws_chat_redis_lost(rc);
        return;
    }

    ngx_ws_chat_redis_begin(rc);
}

#endif


static void
ngx_ws_chat_redis_begin(ngx_ws_chat_redis_t *rc)
{
    ngx_connection_t  *c;

    c = rc->connection;

    rc->state = NGX_WS_CHAT_REDIS_LOGIN;

    c->read->handler = ngx_ws_chat_redis_read_handler;
    c->write->handler = ngx_ws_chat_redis_write_handler;

    ngx_ws_chat_redis_login(rc);

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    }
}


ngx_int_t
ngx_ws_chat_redis_command(ngx_ws_chat_redis_t *rc, ngx_uint_t argc,
    const wsc_str_t *argv, ngx_ws_chat_redis_reply_pt reply, void *data)
{
    ngx_int_t   rv;
    ngx_uint_t  awaited;

    if (!ngx_ws_chat_redis_is_up(rc)) {
        return NGX_DECLINED;
    }

    awaited = !ngx_ws_chat_redis_subscribes(rc)
              || (argv[0].len == 4
                  && ngx_strncasecmp(argv[0].data, (u_char *) "PING", 4) == 0);

    rv = ngx_ws_chat_redis_put(rc, argc, argv, awaited, reply, data);

    if (rv == NGX_OK) {
        ngx_ws_chat_redis_flush(rc);
    }

    return rv;
}


ngx_int_t
ngx_ws_chat_redis_later(ngx_ws_chat_redis_t *rc, ngx_uint_t argc,
    const wsc_str_t *argv)
{
    if (!ngx_ws_chat_redis_is_up(rc)) {
        return NGX_DECLINED;
    }

    if (ngx_ws_chat_redis_put(rc, argc, argv, 1, NULL, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    if (rc->conf->timeout < NGX_WS_CHAT_REDIS_LATER) {
        ngx_ws_chat_redis_flush(rc);
    }

    return NGX_OK;
}


void
ngx_ws_chat_redis_flush(ngx_ws_chat_redis_t *rc)
{
    if (rc->out.len == rc->sent) {
        return;
    }

    ngx_post_event(&rc->flush, &ngx_posted_events);

    if (rc->pending_n && !rc->timer.timer_set) {
        ngx_add_timer(&rc->timer, rc->conf->timeout);
    }
}

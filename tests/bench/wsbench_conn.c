
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wsbench_conn.h"
#include "wsbench_http.h"
#include "wsbench_post.h"
#include "wsbench_proc.h"
#include "wsbench_tls.h"
#include "wsbench_ws.h"


static int wb_conn_socket(wb_proc_t *proc, wb_conn_t *c);
static void wb_conn_connected(wb_proc_t *proc, wb_conn_t *c);
static void wb_conn_flushed(wb_proc_t *proc, wb_conn_t *c);
static void wb_conn_watch(wb_proc_t *proc, wb_conn_t *c, int writing);
static void wb_conn_read(wb_proc_t *proc, wb_conn_t *c);
static void wb_conn_handshake(wb_proc_t *proc, wb_conn_t *c, u_char *data,
    size_t len);
static void wb_conn_errno(wb_proc_t *proc, wb_conn_t *c, const char *call,
    int err);


void
wb_conn_start(wb_proc_t *proc, wb_conn_t *c)
{
    wb_vars_t            vars;
    const wb_url_t      *url;
    struct epoll_event   ev;

    url = wb_conn_url(proc->opt, c);

    c->start = proc->now;
    c->state = WB_ST_CONNECTING;
    proc->waiting++;

    c->fd = wb_conn_socket(proc, c);

    if (c->fd == -1) {
        return;
    }

    if (url->tls) {
        c->ssl = wb_tls_new(proc, c->fd);
    }

    if (!c->post) {
        wb_conn_vars(proc, c, &vars);
        wb_http_request(proc, c, &vars);
    }

    if (proc->order.phase == WB_HALF) {
        c->half = c->out.len / 2;
    }

    ev.events = EPOLLIN|EPOLLOUT;
    ev.data.ptr = c;
    c->writing = 1;

    if (epoll_ctl(proc->epoll, EPOLL_CTL_ADD, c->fd, &ev) == -1) {
        wb_conn_errno(proc, c, "epoll_ctl()", errno);
        return;
    }

    if (connect(c->fd, (struct sockaddr *) &url->addr, sizeof(url->addr)) == -1
        && errno != EINPROGRESS)
    {
        wb_conn_errno(proc, c, "connect()", errno);
    }
}


/* The members of a room take the servers in turn. */

const wb_url_t *
wb_conn_url(const wb_opt_t *opt, const wb_conn_t *c)
{
    if (c->post) {
        return &opt->posts.values[c->index % opt->posts.n];
    }

    return &opt->urls.values[c->index / opt->rooms % opt->urls.n];
}


/*
 * With many connections the source addresses are taken in turn; the port is
 * chosen at connect(), by the pair of addresses.
 */

static int
wb_conn_socket(wb_proc_t *proc, wb_conn_t *c)
{
    int                 fd, on;
    uint32_t            n;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (fd == -1) {
        wb_conn_errno(proc, c, "socket()", errno);
        return -1;
    }

    on = 1;
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    if (proc->opt->sources == 0) {
        return fd;
    }

    n = c->index % proc->opt->sources;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(0x7f010000 + (n / 250 << 8) + n % 250 + 1);

    (void) setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
                      sizeof(on));

    if (bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
        wb_conn_errno(proc, c, "bind()", errno);
        close(fd);
        return -1;
    }

    return fd;
}


void
wb_conn_vars(const wb_proc_t *proc, const wb_conn_t *c, wb_vars_t *vars)
{
    memset(vars, 0, sizeof(wb_vars_t));

    vars->i = c->index;
    vars->room = c->index % proc->opt->rooms;
    vars->run = proc->opt->run;
    vars->marker = proc->opt->marker;
    vars->pad = proc->pad;
}


void
wb_conn_finish(wb_proc_t *proc, wb_conn_t *c)
{
    c->start = proc->now;
    c->half = 0;
    c->state = WB_ST_HANDSHAKE;
    proc->waiting++;

    wb_conn_flush(proc, c);
}


void
wb_conn_event(wb_proc_t *proc, wb_conn_t *c, uint32_t events)
{
    if (c->state == WB_ST_DONE) {
        return;
    }

    if (c->state == WB_ST_CONNECTING) {
        wb_conn_connected(proc, c);
        return;
    }

    if (events & EPOLLOUT || (c->ssl && c->out.len)) {
        wb_conn_flush(proc, c);
    }

    if (c->out.len && wb_tls_reads(c)) {
        /* a read would end the handshake, and nobody send what waits */
        return;
    }

    if (c->state != WB_ST_DONE && (events & (EPOLLIN|EPOLLHUP|EPOLLERR))) {
        wb_conn_read(proc, c);
    }
}


static void
wb_conn_connected(wb_proc_t *proc, wb_conn_t *c)
{
    int        err;
    socklen_t  len;

    len = sizeof(err);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
        err = errno;
    }

    if (err) {
        wb_conn_errno(proc, c, "connect()", err);
        return;
    }

    if (c->post) {
        c->state = WB_ST_OPEN;
        proc->waiting--;

    } else {
        c->state = WB_ST_HANDSHAKE;
    }

    wb_conn_flush(proc, c);
}


/* Sends what the socket takes of c->out. */

void
wb_conn_flush(wb_proc_t *proc, wb_conn_t *c)
{
    size_t   len;
    ssize_t  n;

    len = c->half ? c->half : c->out.len;

    while (c->taken < len) {
        n = wb_tls_send(c, c->out.data + c->taken, len - c->taken);

        if (n == -1 && errno == EAGAIN) {
            wb_conn_watch(proc, c, !wb_tls_reads(c));
            return;
        }

        if (n == -1) {
            wb_conn_errno(proc, c, "send()", errno);
            return;
        }

        c->taken += n;
    }

    wb_conn_watch(proc, c, 0);
    wb_conn_flushed(proc, c);
}


static void
wb_conn_flushed(wb_proc_t *proc, wb_conn_t *c)
{
    if (c->half) {
        if (c->state == WB_ST_HANDSHAKE) {
            c->state = WB_ST_HALF;
            proc->waiting--;
            proc->result->half++;
        }

        return;
    }

    c->taken = 0;
    wsc_buf_reset(&c->out, c->state == WB_ST_OPEN ? 4096 : 0);
}


static void
wb_conn_watch(wb_proc_t *proc, wb_conn_t *c, int writing)
{
    struct epoll_event  ev;

    if (c->writing == (unsigned) writing) {
        return;
    }

    ev.events = writing ? EPOLLIN|EPOLLOUT : EPOLLIN;
    ev.data.ptr = c;
    c->writing = writing;

    if (epoll_ctl(proc->epoll, EPOLL_CTL_MOD, c->fd, &ev) == -1) {
        wb_die(WB_EXIT_SYSTEM, "epoll_ctl(): %s", strerror(errno));
    }
}


static void
wb_conn_read(wb_proc_t *proc, wb_conn_t *c)
{
    ssize_t  n;

    n = wb_tls_recv(c, proc->buf, WB_READ_SIZE);

    if (n == -1) {
        if (errno != EAGAIN) {
            wb_conn_errno(proc, c, "recv()", errno);
        }

        return;
    }

    if (n == 0) {
        wb_conn_end(proc, c, c->state == WB_ST_CLOSING
                             ? NULL : "the server closed the connection");
        return;
    }

    proc->now = wb_now();
    proc->result->wire += proc->order.record ? n : 0;

    if (c->post) {
        wb_post_answers(proc, c, proc->buf, n);
        return;
    }

    if (c->state == WB_ST_HANDSHAKE || c->state == WB_ST_HALF) {
        wb_conn_handshake(proc, c, proc->buf, n);
        return;
    }

    wb_ws_frames(proc, c, proc->buf, proc->buf + n);
}


static void
wb_conn_handshake(wb_proc_t *proc, wb_conn_t *c, u_char *data, size_t len)
{
    int                   deflate;
    char                  error[200];
    size_t                used, rest;
    ssize_t               rc;
    wsc_deflate_params_t  params;

    wsc_buf_add(&c->in, data, len);

    rc = wb_http_response(proc, c, &used, &params, &deflate, error,
                          sizeof(error));
    if (rc == WSC_AGAIN) {
        return;
    }

    if (rc == WSC_ERROR) {
        wb_conn_end(proc, c, error);
        return;
    }

    wsc_conn_init(&c->ws, &proc->conf, deflate ? &params : NULL);
    c->state = WB_ST_INIT;

    /* frames that came with it are the end of what was just read */
    rest = c->in.len - used;
    wsc_buf_free(&c->in);

    wb_ws_init(proc, c);

    if (rest && c->state != WB_ST_DONE) {
        wb_ws_frames(proc, c, data + len - rest, data + len);
    }
}


void
wb_conn_end(wb_proc_t *proc, wb_conn_t *c, const char *error)
{
    wb_result_t  *result;

    result = proc->result;

    if (error && result->error[0] == '\0') {
        snprintf(result->error, sizeof(result->error), "%s %u: %s",
                 c->post ? "poster" : "connection", c->index, error);
    }

    if (c->state == WB_ST_OPEN) {
        result->lost++;

    } else if (c->state == WB_ST_CLOSING) {
        result->closed += !c->post;

    } else {
        result->failed++;
        proc->waiting -= (c->state != WB_ST_HALF);
    }

    c->state = WB_ST_DONE;
    c->half = 0;
    c->taken = 0;

    wb_tls_free(c);

    if (c->fd != -1) {
        close(c->fd);
        c->fd = -1;
    }

    wsc_buf_free(&c->in);
    wsc_buf_free(&c->out);
    wsc_conn_free(&c->ws);
}


static void
wb_conn_errno(wb_proc_t *proc, wb_conn_t *c, const char *call, int err)
{
    char  error[200];

    snprintf(error, sizeof(error), "%s: %s", call, strerror(err));
    wb_conn_end(proc, c, c->state == WB_ST_CLOSING ? NULL : error);
}

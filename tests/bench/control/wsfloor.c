
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wsc_frame.h"
#include "wsc_handshake.h"
#include "wsfloor.h"


#define WF_EVENTS   512
#define WF_REQUEST  8192


static void *wf_malloc(void *ctx, size_t size);
static void wf_free(void *ctx, void *p);
static void wf_listen(wf_server_t *s, int port);
static void wf_turn(wf_server_t *s);
static void wf_accept(wf_server_t *s);
static void wf_read(wf_server_t *s, wf_conn_t *c);
static void wf_request(wf_server_t *s, wf_conn_t *c);
static void wf_frames(wf_server_t *s, wf_conn_t *c, u_char *pos,
    u_char *last);


static const wsc_alloc_t  wf_alloc = { wf_malloc, wf_free, NULL };


int
main(int argc, char **argv)
{
    int                 port;
    struct rlimit       limit;
    static wf_server_t  s;

    port = (argc == 3) ? atoi(argv[2]) : 0;

    if (port <= 0 || port > 65535
        || (strcmp(argv[1], "each") != 0 && strcmp(argv[1], "log") != 0))
    {
        fputs("Usage: wsfloor each|log PORT\n"
              "A bare server on 127.0.0.1 for comparisons; a path is a room.\n"
              "  each  one send() for each delivery\n"
              "  log   a log for each room and a cursor for each member\n",
              stderr);
        return 2;
    }

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }

    s.each = (strcmp(argv[1], "each") == 0);
    s.conf.alloc = &wf_alloc;
    s.conf.scratch = &s.scratch;
    s.conf.max_message = 65536;
    s.conf.max_fragments = 1024;
    wsc_buf_init(&s.scratch, &wf_alloc);

    wf_listen(&s, port);

    for ( ;; ) {
        wf_turn(&s);
    }
}


static void
wf_listen(wf_server_t *s, int port)
{
    int                 on;
    struct epoll_event  ev;
    struct sockaddr_in  sin;

    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->listen = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (s->epoll == -1 || s->listen == -1) {
        wf_die("epoll_create1(), socket()");
    }

    on = 1;
    (void) setsockopt(s->listen, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons(port);

    if (bind(s->listen, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(s->listen, 8192) == -1)
    {
        wf_die("bind(), listen()");
    }

    ev.events = EPOLLIN;
    ev.data.ptr = NULL;

    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listen, &ev) == -1) {
        wf_die("epoll_ctl()");
    }
}


static void
wf_turn(wf_server_t *s)
{
    int                 i, n;
    wf_conn_t          *c;
    struct epoll_event  events[WF_EVENTS];

    n = epoll_wait(s->epoll, events, WF_EVENTS, -1);

    for (i = 0; i < n; i++) {
        c = events[i].data.ptr;

        if (c == NULL) {
            wf_accept(s);
            continue;
        }

        if (!c->dead && (events[i].events & EPOLLOUT)) {
            wf_room_resume(s, c);
        }

        if (!c->dead && (events[i].events & ~EPOLLOUT)) {
            wf_read(s, c);
        }
    }

    wf_room_flush(s);

    while (s->dead) {
        c = s->dead;
        s->dead = c->next_dead;
        free(c);
    }
}


static void
wf_accept(wf_server_t *s)
{
    int                 fd, on;
    wf_conn_t          *c;
    struct epoll_event  ev;

    for ( ;; ) {
        fd = accept4(s->listen, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC);

        if (fd == -1) {
            return;
        }

        on = 1;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        c = calloc(1, sizeof(wf_conn_t));

        if (c == NULL) {
            wf_die("calloc()");
        }

        c->fd = fd;
        wsc_buf_init(&c->in, &wf_alloc);
        wsc_buf_init(&c->out, &wf_alloc);
        wsc_conn_init(&c->ws, &s->conf, NULL);

        ev.events = EPOLLIN;
        ev.data.ptr = c;

        if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) == -1) {
            wf_die("epoll_ctl()");
        }
    }
}


static void
wf_read(wf_server_t *s, wf_conn_t *c)
{
    ssize_t  n;

    n = recv(c->fd, s->buf, sizeof(s->buf), 0);

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n <= 0) {
        wf_close(s, c);
        return;
    }

    if (c->open) {
        wf_frames(s, c, s->buf, s->buf + n);
        return;
    }

    wsc_buf_add(&c->in, s->buf, n);
    wf_request(s, c);
}


/* GET /path ...: as much of HTTP as the generator speaks. */

static void
wf_request(wf_server_t *s, wf_conn_t *c)
{
    int         n;
    char        answer[256];
    u_char     *key, *path, *end, accept[WSC_ACCEPT_LEN];
    wsc_str_t   value;

    if (c->in.len < 4 || memcmp(c->in.data + c->in.len - 4, "\r\n\r\n", 4)) {
        if (c->in.len > WF_REQUEST) {
            wf_close(s, c);
        }

        return;
    }

    path = memchr(c->in.data, '/', c->in.len);
    end = path ? memchr(path, ' ', c->in.data + c->in.len - path) : NULL;
    key = memmem(c->in.data, c->in.len - WSC_KEY_LEN, "Sec-WebSocket-Key: ",
                 19);

    if (end == NULL || key == NULL) {
        wf_close(s, c);
        return;
    }

    value.data = key + 19;
    value.len = WSC_KEY_LEN;

    if (wsc_handshake_accept(&value, accept) != WSC_OK) {
        wf_close(s, c);
        return;
    }

    n = snprintf(answer, sizeof(answer), "HTTP/1.1 101 Switching Protocols\r\n"
                 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %.*s\r\n\r\n", WSC_ACCEPT_LEN, accept);

    c->open = 1;
    wf_room_add(wf_room_get(s, path, end - path), c);
    wsc_buf_free(&c->in);

    wf_send(s, c, (u_char *) answer, n);
}


static void
wf_frames(wf_server_t *s, wf_conn_t *c, u_char *pos, u_char *last)
{
    u_char            close[2];
    wsc_conn_event_t  ev;

    while (!c->dead) {
        wsc_buf_reset(&s->scratch, sizeof(s->buf));

        switch (wsc_conn_parse(&c->ws, &pos, last, &ev)) {

        case WSC_AGAIN:
            return;

        case WSC_ERROR:
            wf_close(s, c);
            return;
        }

        if (ev.type == WSC_EV_MESSAGE) {
            wf_room_text(s, c->room, &ev.data);
        }

        if (ev.type == WSC_EV_CLOSE) {
            close[0] = WSC_FRAME_FIN|WSC_OP_CLOSE;
            close[1] = 0;
            wf_send(s, c, close, sizeof(close));

            if (!c->dead) {
                wf_close(s, c);
            }
        }
    }
}


void
wf_send(wf_server_t *s, wf_conn_t *c, const u_char *p, size_t len)
{
    ssize_t  n;

    n = 0;

    if (!c->writing) {
        n = send(c->fd, p, len, MSG_NOSIGNAL);

        if (n == (ssize_t) len) {
            return;
        }

        if (n == -1 && errno != EAGAIN) {
            wf_close(s, c);
            return;
        }

        n = (n == -1) ? 0 : n;
    }

    wsc_buf_add(&c->out, p + n, len - n);

    if (c->out.failed) {
        wf_die("no memory");
    }

    wf_watch(s, c, 1);
}


void
wf_watch(wf_server_t *s, wf_conn_t *c, int writing)
{
    struct epoll_event  ev;

    if (c->writing == (unsigned) writing) {
        return;
    }

    c->writing = writing;
    ev.events = writing ? EPOLLIN|EPOLLOUT : EPOLLIN;
    ev.data.ptr = c;

    if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &ev) == -1) {
        wf_die("epoll_ctl()");
    }
}


/* Another event of this turn may name it: the memory stays until then. */

void
wf_close(wf_server_t *s, wf_conn_t *c)
{
    if (c->room) {
        wf_room_remove(c->room, c);
    }

    close(c->fd);
    c->dead = 1;

    wsc_buf_free(&c->in);
    wsc_buf_free(&c->out);
    wsc_conn_free(&c->ws);

    c->next_dead = s->dead;
    s->dead = c;
}


void
wf_die(const char *what)
{
    perror(what);
    exit(3);
}


static void *
wf_malloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
wf_free(void *ctx, void *p)
{
    free(p);
}

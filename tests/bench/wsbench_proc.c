
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A process of wsbench: its event loop and its part in each phase.
 */


#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "wsbench_conn.h"
#include "wsbench_post.h"
#include "wsbench_proc.h"
#include "wsbench_pub.h"
#include "wsbench_tls.h"
#include "wsbench_tpl.h"
#include "wsbench_ws.h"


#define WB_MAX_MESSAGE  (64 * 1024 * 1024)
#define WB_EVENTS       512
#define WB_WAITING      256               /* handshakes under way at most */
#define WB_TICK         100000000         /* ns */
#define WB_CLOSE_TIME   5000000000ULL


static void wb_proc_init(wb_proc_t *proc);
static void wb_proc_conns(wb_proc_t *proc);
static void wb_proc_watch(wb_proc_t *proc, int fd, void *ptr);
static void wb_proc_loop(wb_proc_t *proc);
static void wb_proc_order(wb_proc_t *proc);
static uint64_t wb_proc_work(wb_proc_t *proc);
static uint64_t wb_proc_connect(wb_proc_t *proc);
static void wb_proc_timeouts(wb_proc_t *proc);
static uint64_t wb_proc_close(wb_proc_t *proc);
static void wb_proc_done(wb_proc_t *proc);
static void wb_proc_timer(wb_proc_t *proc, uint64_t when);
static uint64_t wb_proc_cpu(void);
static void *wb_proc_malloc(void *ctx, size_t size);
static void wb_proc_free(void *ctx, void *p);


static const wsc_alloc_t  wb_alloc = { wb_proc_malloc, wb_proc_free, NULL };


void
wb_proc_run(const wb_opt_t *opt, wb_result_t *result, int parent, uint32_t lo,
    uint32_t hi)
{
    wb_proc_t  proc;

    memset(&proc, 0, sizeof(wb_proc_t));

    proc.opt = opt;
    proc.result = result;
    proc.parent = parent;
    proc.lo = lo;
    proc.hi = hi;
    proc.now = wb_now();
    proc.seed = proc.now ^ (uint64_t) getpid() << 32;

    wb_proc_init(&proc);
    wb_proc_conns(&proc);

    for ( ;; ) {
        wb_proc_loop(&proc);
    }
}


static void
wb_proc_init(wb_proc_t *proc)
{
    size_t           len;
    const wb_opt_t  *opt;

    opt = proc->opt;

    proc->conf.alloc = &wb_alloc;
    proc->conf.scratch = &proc->scratch;
    proc->conf.max_message = WB_MAX_MESSAGE;
    proc->conf.max_fragments = UINT32_MAX;
    proc->conf.client = 1;

    wsc_buf_init(&proc->scratch, &wb_alloc);
    wsc_buf_init(&proc->text, &wb_alloc);

    len = strlen(opt->marker) + WB_TAG_LEN;
    len = (opt->size > len) ? opt->size - len : 0;

    proc->pad = malloc(len + 1);
    proc->buf = malloc(WB_READ_SIZE);

    if (proc->pad == NULL || proc->buf == NULL) {
        wb_die(WB_EXIT_SYSTEM, "no memory");
    }

    memset(proc->pad, 'x', len);
    proc->pad[len] = '\0';

    wb_tls_init(proc);

    proc->epoll = epoll_create1(EPOLL_CLOEXEC);
    proc->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK|TFD_CLOEXEC);

    if (proc->epoll == -1 || proc->timer == -1) {
        wb_die(WB_EXIT_SYSTEM, "epoll_create1(), timerfd_create(): %s",
               strerror(errno));
    }

    wb_proc_watch(proc, proc->parent, &proc->parent);
    wb_proc_watch(proc, proc->timer, &proc->timer);
}


static void
wb_proc_conns(wb_proc_t *proc)
{
    size_t      n, k;
    uint32_t    i, *next;
    wb_conn_t  *c;

    n = proc->hi - proc->lo + (proc->opt->posts.n ? proc->opt->posters : 0);
    k = proc->opt->publishers;
    proc->nconns = n;

    proc->conns = calloc(n, sizeof(wb_conn_t));
    next = calloc(n * k, sizeof(uint32_t));

    if (proc->conns == NULL || next == NULL) {
        wb_die(WB_EXIT_SYSTEM, "no memory for %zu connections", n);
    }

    for (i = 0; i < n; i++) {
        c = &proc->conns[i];
        c->fd = -1;
        c->post = (i >= proc->hi - proc->lo);
        c->index = c->post ? i - (proc->hi - proc->lo) : proc->lo + i;
        c->next = next + i * k;
        wsc_buf_init(&c->in, &wb_alloc);
        wsc_buf_init(&c->out, &wb_alloc);
    }
}


static void
wb_proc_watch(wb_proc_t *proc, int fd, void *ptr)
{
    struct epoll_event  ev;

    ev.events = EPOLLIN;
    ev.data.ptr = ptr;

    if (epoll_ctl(proc->epoll, EPOLL_CTL_ADD, fd, &ev) == -1) {
        wb_die(WB_EXIT_SYSTEM, "epoll_ctl(): %s", strerror(errno));
    }
}


static void
wb_proc_loop(wb_proc_t *proc)
{
    int                 i, n, order, timeout;
    uint64_t            when, expired;
    struct epoll_event  events[WB_EVENTS];

    timeout = -1;

    if (proc->opt->spin && proc->order.phase == WB_PUBLISH
        && wb_pub_outstanding(proc))
    {
        timeout = 0;
    }

    n = epoll_wait(proc->epoll, events, WB_EVENTS, timeout);
    proc->now = wb_now();
    order = 0;

    for (i = 0; i < n; i++) {

        if (events[i].data.ptr == &proc->timer) {
            (void) !read(proc->timer, &expired, sizeof(expired));
            proc->armed = 0;
            continue;
        }

        if (events[i].data.ptr == &proc->parent) {
            order = 1;
            continue;
        }

        wb_conn_event(proc, events[i].data.ptr, events[i].events);

        /* what is due does not wait for a long list of events */
        if (proc->order.phase == WB_PUBLISH && (i & 15) == 15) {
            (void) wb_pub_due(proc);
        }
    }

    if (order) {
        wb_proc_order(proc);
    }

    if (proc->order.phase == WB_IDLE) {
        return;
    }

    proc->now = wb_now();
    when = wb_proc_work(proc);

    if (when == WB_NEVER) {
        wb_proc_done(proc);
        return;
    }

    wb_proc_timer(proc, when);
}


/* The parent gone means that it is over. */

static void
wb_proc_order(wb_proc_t *proc)
{
    wb_order_t  order;

    if (recv(proc->parent, &order, sizeof(order), 0) != sizeof(order)) {
        exit(WB_EXIT_OK);
    }

    proc->order = order;
    proc->begin = wb_now();
    proc->cpu = wb_proc_cpu();
    proc->begun = 0;
    proc->oldest = 0;

    if (order.phase == WB_PUBLISH) {
        wb_pub_begin(proc);
    }
}


/* Returns when to go on, or WB_NEVER when the phase is done. */

static uint64_t
wb_proc_work(wb_proc_t *proc)
{
    switch (proc->order.phase) {

    case WB_HALF:
    case WB_CONNECT:
        return wb_proc_connect(proc);

    case WB_PUBLISH:
        return wb_pub_due(proc);

    case WB_CLOSE:
        return wb_proc_close(proc);

    default:
        return WB_NEVER;
    }
}


static uint64_t
wb_proc_connect(wb_proc_t *proc)
{
    double      allowed, interval;
    uint32_t    n;
    wb_conn_t  *c;

    n = (proc->order.phase == WB_HALF) ? proc->hi - proc->lo : proc->nconns;
    interval = 1e9 * proc->opt->processes / proc->opt->ramp;
    allowed = (double) (proc->now - proc->begin) / interval + 1;

    wb_proc_timeouts(proc);

    while (proc->begun < n && proc->begun < allowed
           && proc->waiting < WB_WAITING)
    {
        c = &proc->conns[proc->begun++];

        if (c->state == WB_ST_NEW) {
            wb_conn_start(proc, c);

        } else if (c->state == WB_ST_HALF) {
            wb_conn_finish(proc, c);
        }
    }

    if (proc->begun == n) {
        return proc->waiting ? proc->now + WB_TICK : WB_NEVER;
    }

    if (proc->waiting >= WB_WAITING) {
        return proc->now + WB_TICK;
    }

    return proc->begin + (uint64_t) (proc->begun * interval);
}


/* They begin in the order of the list, so the oldest one tells. */

static void
wb_proc_timeouts(wb_proc_t *proc)
{
    uint64_t    limit;
    wb_conn_t  *c;

    limit = (uint64_t) (proc->opt->timeout * 1e9);

    for ( /* void */ ; proc->oldest < proc->begun; proc->oldest++) {
        c = &proc->conns[proc->oldest];

        switch (c->state) {

        case WB_ST_CONNECTING:
        case WB_ST_HANDSHAKE:
        case WB_ST_INIT:
            if (proc->now - c->start < limit) {
                return;
            }

            wb_conn_end(proc, c, c->state == WB_ST_CONNECTING
                                     ? "no connection in time"
                                     : c->state == WB_ST_HANDSHAKE
                                       ? "no response in time"
                                       : "not joined in time");
            break;

        default:
            break;
        }
    }
}


static uint64_t
wb_proc_close(wb_proc_t *proc)
{
    int         late;
    uint32_t    i, left;
    wb_conn_t  *c;

    late = (proc->now - proc->begin > WB_CLOSE_TIME);
    left = 0;

    for (i = 0; i < proc->nconns; i++) {
        c = &proc->conns[i];

        if (c->post && c->state == WB_ST_OPEN) {
            wb_post_close(proc, c);

        } else if (c->state == WB_ST_OPEN) {
            wb_ws_close(proc, c);
        }

        if (c->state == WB_ST_CLOSING && late) {
            wb_conn_end(proc, c, "no Close in time");
        }

        left += (c->state == WB_ST_CLOSING);
    }

    return left ? proc->now + WB_TICK : WB_NEVER;
}


void
wb_proc_joined(wb_proc_t *proc, wb_conn_t *c)
{
    c->state = WB_ST_OPEN;
    proc->waiting--;
    proc->result->connected++;

    wb_hist_add(&proc->result->join, proc->now - c->start);
}


static void
wb_proc_done(wb_proc_t *proc)
{
    wb_phase_e  phase;

    phase = proc->order.phase;

    if (proc->order.record) {
        proc->result->cpu += wb_proc_cpu() - proc->cpu;
    }

    proc->order.phase = WB_IDLE;
    wb_proc_timer(proc, 0);

    if (send(proc->parent, &phase, sizeof(phase), MSG_NOSIGNAL) == -1) {
        exit(WB_EXIT_OK);
    }
}


/* when: 0 disarms it. */

static void
wb_proc_timer(wb_proc_t *proc, uint64_t when)
{
    struct itimerspec  spec;

    if (when == proc->armed) {
        return;
    }

    proc->armed = when;

    memset(&spec, 0, sizeof(spec));
    spec.it_value.tv_sec = when / 1000000000;
    spec.it_value.tv_nsec = when % 1000000000;

    if (timerfd_settime(proc->timer, TFD_TIMER_ABSTIME, &spec, NULL) == -1) {
        wb_die(WB_EXIT_SYSTEM, "timerfd_settime(): %s", strerror(errno));
    }
}


uint64_t
wb_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static uint64_t
wb_proc_cpu(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static void *
wb_proc_malloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
wb_proc_free(void *ctx, void *p)
{
    free(p);
}

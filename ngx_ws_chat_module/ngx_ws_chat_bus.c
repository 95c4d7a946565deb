
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The table and the eventfds are made once a master and inherited by all its
 * workers; the module stays loaded over a reload, so its variables do, too.
 */


#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_now.h"
#include "core/wsc_pace.h"
#include <sys/eventfd.h>


#define NGX_WS_CHAT_BUS_SWEEP  1000    /* ms between looks for the dead */


typedef struct {
    ngx_atomic_t                generation;
    ngx_atomic_t                drained;      /* 1: takes no new sockets */
    uint64_t                    started;      /* ms since 1970 */
    ngx_atomic_t                unused[5];
    ngx_ws_chat_slot_t          slots[NGX_WS_CHAT_SLOTS];
    wsc_pace_t                  pace;
} ngx_ws_chat_bus_t;


static ngx_uint_t ngx_ws_chat_bus_dead(ngx_ws_chat_slot_t *slot);
static void ngx_ws_chat_bus_reap(void);
static ngx_uint_t ngx_ws_chat_bus_claim(void);
static ngx_int_t ngx_ws_chat_bus_watch(ngx_cycle_t *cycle);
static void ngx_ws_chat_bus_signal(ngx_uint_t slot);
static void ngx_ws_chat_bus_read_handler(ngx_event_t *ev);
static void ngx_ws_chat_bus_own_handler(ngx_event_t *ev);
static void ngx_ws_chat_bus_sweep_handler(ngx_event_t *ev);


static ngx_ws_chat_bus_t       *ngx_ws_chat_bus;    /* NULL: not made yet */
static int                      ngx_ws_chat_bus_fds[NGX_WS_CHAT_SLOTS];
static ngx_uint_t               ngx_ws_chat_bus_own_generation;

/* of this worker */
static ngx_uint_t               ngx_ws_chat_bus_own = NGX_WS_CHAT_SLOTS;
static ngx_connection_t        *ngx_ws_chat_bus_connection;
static ngx_event_t              ngx_ws_chat_bus_own_event;
static ngx_event_t              ngx_ws_chat_bus_sweep_event;
static void                   (*ngx_ws_chat_bus_reclaim)(ngx_uint_t slot);
static void                   (*ngx_ws_chat_bus_wake_pt)(void);


ngx_int_t
ngx_ws_chat_bus_create(ngx_log_t *log)
{
    int                 fd;
    ngx_uint_t          i;
    ngx_ws_chat_bus_t  *bus;

    if (ngx_ws_chat_bus != NULL) {
        return NGX_OK;
    }

    bus = mmap(NULL, sizeof(ngx_ws_chat_bus_t), PROT_READ|PROT_WRITE,
               MAP_ANON|MAP_SHARED, -1, 0);
    if (bus == MAP_FAILED) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "mmap(%uz) failed",
                      sizeof(ngx_ws_chat_bus_t));
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_WS_CHAT_SLOTS; i++) {
        fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (fd == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                          "eventfd() failed, ws_chat needs %d of them",
                          NGX_WS_CHAT_SLOTS);
            goto failed;
        }

        ngx_ws_chat_bus_fds[i] = fd;
    }

    bus->started = ngx_ws_chat_now();

    ngx_ws_chat_bus = bus;

    return NGX_OK;

failed:

    while (i > 0) {
        (void) close(ngx_ws_chat_bus_fds[--i]);
    }

    (void) munmap(bus, sizeof(ngx_ws_chat_bus_t));

    return NGX_ERROR;
}


void
ngx_ws_chat_bus_init_module(void)
{
    if (ngx_ws_chat_bus == NULL) {
        return;
    }

    ngx_ws_chat_bus_own_generation =
                   ngx_atomic_fetch_add(&ngx_ws_chat_bus->generation, 1) + 1;
}


ngx_int_t
ngx_ws_chat_bus_init_process(ngx_cycle_t *cycle,
    void (*reclaim)(ngx_uint_t slot), void (*wake)(void))
{
    ngx_event_t         *ev;
    ngx_uint_t           i;
    ngx_ws_chat_slot_t  *slot;

    if (ngx_ws_chat_bus == NULL) {
        return NGX_OK;
    }

    ngx_ws_chat_bus_reclaim = reclaim;
    ngx_ws_chat_bus_wake_pt = wake;

    ngx_ws_chat_bus_reap();

    i = ngx_ws_chat_bus_claim();

    if (i == NGX_WS_CHAT_SLOTS) {
        ngx_log_error(NGX_LOG_CRIT, cycle->log, 0,
                      "ws_chat has no slot for this worker: there are %d "
                      "workers, draining ones counted", NGX_WS_CHAT_SLOTS);
        return NGX_OK;
    }

    slot = &ngx_ws_chat_bus->slots[i];

    slot->generation = ngx_ws_chat_bus_own_generation;

    ngx_ws_chat_bus_own = i;

    ev = &ngx_ws_chat_bus_own_event;
    ngx_memzero(ev, sizeof(ngx_event_t));
    ev->handler = ngx_ws_chat_bus_own_handler;
    ev->log = cycle->log;

    ev = &ngx_ws_chat_bus_sweep_event;
    ngx_memzero(ev, sizeof(ngx_event_t));
    ev->handler = ngx_ws_chat_bus_sweep_handler;
    ev->data = &ngx_ws_chat_bus_sweep_event;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_WS_CHAT_BUS_SWEEP);

    return ngx_ws_chat_bus_watch(cycle);
}


/* One worker looks after a dead one's slot; if it dies of it, the next. */

static void
ngx_ws_chat_bus_reap(void)
{
    ngx_uint_t           i, found;
    ngx_atomic_uint_t    pid;
    ngx_ws_chat_slot_t  *slot;

    found = 0;

    for (i = 0; i < NGX_WS_CHAT_SLOTS; i++) {
        slot = &ngx_ws_chat_bus->slots[i];
        pid = slot->pid;

        if (!ngx_ws_chat_bus_dead(slot)
            || !ngx_atomic_cmp_set(&slot->pid, pid, ngx_pid))
        {
            continue;
        }

        ngx_ws_chat_bus_reclaim(i);
        ngx_ws_chat_stat_clean(i);

        slot->pid = 0;
        found = 1;
    }

    if (found) {
        ngx_ws_chat_bus_wake_all();
    }
}


/* A slot with our own pid that we did not claim had it from a dead one. */

static ngx_uint_t
ngx_ws_chat_bus_dead(ngx_ws_chat_slot_t *slot)
{
    ngx_atomic_uint_t  pid;

    pid = slot->pid;

    if (pid == 0) {
        return 0;
    }

    if (pid == (ngx_atomic_uint_t) ngx_pid) {
        return ngx_ws_chat_bus_own == NGX_WS_CHAT_SLOTS
               || slot != &ngx_ws_chat_bus->slots[ngx_ws_chat_bus_own];
    }

    return kill((ngx_pid_t) pid, 0) == -1 && ngx_errno == NGX_ESRCH;
}


static ngx_uint_t
ngx_ws_chat_bus_claim(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WS_CHAT_SLOTS; i++) {
        if (ngx_atomic_cmp_set(&ngx_ws_chat_bus->slots[i].pid, 0, ngx_pid)) {
            break;
        }
    }

    return i;
}


static ngx_int_t
ngx_ws_chat_bus_watch(ngx_cycle_t *cycle)
{
    ngx_int_t          flags;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = ngx_get_connection(ngx_ws_chat_bus_fds[ngx_ws_chat_bus_own],
                           cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    ngx_ws_chat_bus_connection = c;

    rev = c->read;
    rev->log = cycle->log;
    rev->handler = ngx_ws_chat_bus_read_handler;
    c->write->log = cycle->log;

    flags = (ngx_event_flags & NGX_USE_CLEAR_EVENT) ? NGX_CLEAR_EVENT
                                                    : NGX_LEVEL_EVENT;

    if (ngx_add_event(rev, NGX_READ_EVENT, flags) == NGX_ERROR) {
        return NGX_ERROR;
    }

    /* what was meant for the slot's last owner */
    ngx_ws_chat_bus_read_handler(rev);

    return NGX_OK;
}


void
ngx_ws_chat_bus_exit_process(ngx_cycle_t *cycle)
{
    ngx_ws_chat_slot_t  *slot;

    if (ngx_ws_chat_bus_connection != NULL) {
        ngx_close_connection(ngx_ws_chat_bus_connection);
        ngx_ws_chat_bus_connection = NULL;
    }

    if (ngx_ws_chat_bus_own == NGX_WS_CHAT_SLOTS) {
        return;
    }

    if (ngx_ws_chat_bus_own_event.posted) {
        ngx_delete_posted_event(&ngx_ws_chat_bus_own_event);
    }

    if (ngx_ws_chat_bus_sweep_event.timer_set) {
        ngx_del_timer(&ngx_ws_chat_bus_sweep_event);
    }

    slot = &ngx_ws_chat_bus->slots[ngx_ws_chat_bus_own];

    ngx_ws_chat_stat_clean(ngx_ws_chat_bus_own);
    ngx_ws_chat_bus_own = NGX_WS_CHAT_SLOTS;

    ngx_memory_barrier();
    slot->pid = 0;
}


ngx_uint_t
ngx_ws_chat_bus_slot(void)
{
    return ngx_ws_chat_bus_own;
}


void
ngx_ws_chat_bus_wake(ngx_uint_t slot)
{
    if (slot == ngx_ws_chat_bus_own) {
        ngx_post_event(&ngx_ws_chat_bus_own_event, &ngx_posted_events);
        return;
    }

    if (ngx_atomic_cmp_set(&ngx_ws_chat_bus->slots[slot].woken, 0, 1)) {
        ngx_ws_chat_bus_signal(slot);
    }
}


void
ngx_ws_chat_bus_wake_workers(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_WS_CHAT_SLOTS; i++) {
        if (ngx_ws_chat_bus->slots[i].pid != 0) {
            ngx_ws_chat_bus_wake(i);
        }
    }
}


void
ngx_ws_chat_bus_wake_all(void)
{
    ngx_uint_t           i;
    ngx_ws_chat_slot_t  *slot;

    for (i = 0; i < NGX_WS_CHAT_SLOTS; i++) {
        slot = &ngx_ws_chat_bus->slots[i];

        if (slot->pid != 0) {
            slot->woken = 1;
            ngx_ws_chat_bus_signal(i);
        }
    }
}


/* The counter of an eventfd cannot overflow here: EAGAIN is no error. */

static void
ngx_ws_chat_bus_signal(ngx_uint_t slot)
{
    uint64_t  one;

    one = 1;

    if (write(ngx_ws_chat_bus_fds[slot], &one, sizeof(uint64_t)) == -1
        && ngx_errno != NGX_EAGAIN)
    {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "write() to eventfd failed");
    }
}


static void
ngx_ws_chat_bus_read_handler(ngx_event_t *ev)
{
    uint64_t           n;
    ngx_connection_t  *c;

    c = ev->data;

    if (read(c->fd, &n, sizeof(uint64_t)) == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, ev->log, ngx_errno,
                      "read() of eventfd failed");
    }

    /*
     * An atomic operation and not a mere store: who finds woken set does not
     * write, so it has to be reset before anybody looks at what is new.
     */
    (void) ngx_atomic_cmp_set(
               &ngx_ws_chat_bus->slots[ngx_ws_chat_bus_own].woken, 1, 0);

    ngx_ws_chat_bus_wake_pt();
}


static void
ngx_ws_chat_bus_own_handler(ngx_event_t *ev)
{
    ngx_ws_chat_bus_wake_pt();
}


static void
ngx_ws_chat_bus_sweep_handler(ngx_event_t *ev)
{
    ngx_ws_chat_bus_reap();

    ngx_add_timer(ev, NGX_WS_CHAT_BUS_SWEEP);
}


ngx_uint_t
ngx_ws_chat_bus_generation(void)
{
    return ngx_ws_chat_bus_own_generation;
}


ngx_uint_t
ngx_ws_chat_bus_superseded(void)
{
    return ngx_ws_chat_bus != NULL
           && ngx_ws_chat_bus->generation != ngx_ws_chat_bus_own_generation;
}


uint32_t
ngx_ws_chat_bus_pace(uint32_t now, uint32_t window)
{
    return wsc_pace_book(&ngx_ws_chat_bus->pace, now, window,
                         (uint32_t) ngx_random() << 1);
}


void
ngx_ws_chat_bus_drain(ngx_uint_t on)
{
    if (ngx_ws_chat_bus != NULL) {
        ngx_ws_chat_bus->drained = on;
    }
}


ngx_uint_t
ngx_ws_chat_bus_drained(void)
{
    return ngx_ws_chat_bus != NULL && ngx_ws_chat_bus->drained;
}


uint64_t
ngx_ws_chat_bus_started(void)
{
    return (ngx_ws_chat_bus != NULL) ? ngx_ws_chat_bus->started : 0;
}


void
ngx_ws_chat_bus_sum_row(ngx_ws_chat_stat_t *sum, ngx_uint_t row)
{
    ngx_uint_t  i;

    ngx_memzero(sum, sizeof(ngx_ws_chat_stat_t));

    for (i = 0; i < NGX_WS_CHAT_SLOTS; i++) {
        ngx_ws_chat_stat_add(sum, i, row, ngx_ws_chat_bus_lives(i));
    }
}


void
ngx_ws_chat_bus_sum(ngx_ws_chat_counters_t *sum, ngx_uint_t *workers)
{
    ngx_uint_t  i, row, rows, lives;

    ngx_memzero(sum, sizeof(ngx_ws_chat_counters_t));

    *workers = 0;
    rows = ngx_ws_chat_stat_rows();

    for (i = 0; i < NGX_WS_CHAT_SLOTS; i++) {
        lives = ngx_ws_chat_bus_lives(i);
        *workers += lives;

        for (row = 0; row < rows; row++) {
            ngx_ws_chat_stat_add_counters(sum, i, row, lives);
        }
    }
}


ngx_uint_t
ngx_ws_chat_bus_lives(ngx_uint_t slot)
{
    ngx_ws_chat_slot_t  *s;

    if (ngx_ws_chat_bus == NULL) {
        return 0;
    }

    s = &ngx_ws_chat_bus->slots[slot];

    return s->pid != 0 && !ngx_ws_chat_bus_dead(s);
}

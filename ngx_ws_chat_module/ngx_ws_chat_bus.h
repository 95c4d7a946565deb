
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Worker to worker: a table of worker slots in memory shared by all workers of
 * one master, and an eventfd a slot to wake its worker.  Made once a master,
 * so it survives reloads, when several generations of workers live side by
 * side.
 */


#ifndef _NGX_WS_CHAT_BUS_H_INCLUDED_
#define _NGX_WS_CHAT_BUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "ngx_ws_chat_stat.h"


#define NGX_WS_CHAT_SLOTS  NGX_WS_CHAT_STAT_SLOTS


typedef struct {
    ngx_atomic_t                pid;          /* 0: free */
    ngx_atomic_t                generation;   /* of the configuration */
    ngx_atomic_t                woken;        /* 1: the eventfd was written */
    ngx_atomic_t                unused[5];    /* a slot fills a cache line */
} ngx_ws_chat_slot_t;


/*
 * Called by the master while it reads a configuration: makes table and
 * eventfds unless they are there.  NGX_ERROR refuses the configuration.
 */
ngx_int_t ngx_ws_chat_bus_create(ngx_log_t *log);

/* Called in init_module: a generation of workers starts. */
void ngx_ws_chat_bus_init_module(void);

/*
 * Claims a slot for this worker and watches its eventfd: wake() is called
 * when it was woken.  reclaim(slot) is called for each slot that was left by a
 * worker that died, now and later, and everybody is woken after it.  Without
 * a free slot it is logged and ngx_ws_chat_bus_slot() tells.
 */
ngx_int_t ngx_ws_chat_bus_init_process(ngx_cycle_t *cycle,
    void (*reclaim)(ngx_uint_t slot), void (*wake)(void));

/* Gives the slot back and closes this worker's connection to the eventfd. */
void ngx_ws_chat_bus_exit_process(ngx_cycle_t *cycle);

/* This worker's slot; NGX_WS_CHAT_SLOTS: it has none. */
ngx_uint_t ngx_ws_chat_bus_slot(void);

/* Wakes another worker, or this one (then by a posted event). */
void ngx_ws_chat_bus_wake(ngx_uint_t slot);

/* Wakes every worker, this one included. */
void ngx_ws_chat_bus_wake_workers(void);

/* Wakes all, also those that seem to be woken: their waker may have died. */
void ngx_ws_chat_bus_wake_all(void);

/* The number of this worker's configuration since the master started. */
ngx_uint_t ngx_ws_chat_bus_generation(void);

/* 1 if a newer configuration was loaded: this worker was replaced. */
ngx_uint_t ngx_ws_chat_bus_superseded(void);

/*
 * A tick from now to now + window, for a session that has to go by then: all
 * workers of the master, of all generations, share the seconds evenly.
 */
uint32_t ngx_ws_chat_bus_pace(uint32_t now, uint32_t window);

/*
 * Whether all workers of this master should refuse new sockets, now and over
 * reloads: read by each of them at once.
 */
void ngx_ws_chat_bus_drain(ngx_uint_t on);
ngx_uint_t ngx_ws_chat_bus_drained(void);

/* When the table was made, that is the node started: ms since 1970. */
uint64_t ngx_ws_chat_bus_started(void);

/*
 * Sums over all slots, of one row or of all; gauges of dead workers are left
 * out.
 */
void ngx_ws_chat_bus_sum_row(ngx_ws_chat_stat_t *sum, ngx_uint_t row);
void ngx_ws_chat_bus_sum(ngx_ws_chat_counters_t *sum, ngx_uint_t *workers);

/* The slot's worker lives. */
ngx_uint_t ngx_ws_chat_bus_lives(ngx_uint_t slot);


#endif /* _NGX_WS_CHAT_BUS_H_INCLUDED_ */

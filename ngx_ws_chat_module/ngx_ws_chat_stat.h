
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What is counted: a row for each worker and zone, in memory that all workers
 * of the master share.  Each worker writes to rows of its own, without locks,
 * and whoever is asked adds them up.  Made once a master: counters go on over
 * reloads and after a worker died, its gauges do not.
 */


#ifndef _NGX_WS_CHAT_STAT_H_INCLUDED_
#define _NGX_WS_CHAT_STAT_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "ngx_ws_chat_stat_row.h"


#define NGX_WS_CHAT_STAT_SLOTS  256
#define NGX_WS_CHAT_STAT_ZONES  64     /* those beyond share the last row */
#define NGX_WS_CHAT_STAT_BUSY   10     /* chats that a worker tells */


/* One of a worker's busiest chats. */

typedef struct {
    uint32_t                    row;
    uint32_t                    rate;         /* messages of the last second */
    uint32_t                    members;
    uint32_t                    len;
    u_char                      chat_id[128];
} ngx_ws_chat_busy_t;


/* This worker's row without a zone; a dummy outside of workers. */
extern ngx_ws_chat_stat_t      *ngx_ws_chat_stat_own;

#define ngx_ws_chat_counters  (&ngx_ws_chat_stat_own->counters)

/* The row of a location's sockets: the echo has no zone. */
#define ngx_ws_chat_stat_of(conf)                                             \
    ((conf)->zone ? (conf)->zone->stat : ngx_ws_chat_stat_own)


/* Called by the master while it reads a configuration. */
ngx_int_t ngx_ws_chat_stat_create(ngx_log_t *log);

/* Called in init_module: gives each zone its number, the same as before. */
void ngx_ws_chat_stat_init_module(ngx_ws_chat_main_conf_t *mcf);

/* This worker has that slot. */
void ngx_ws_chat_stat_init_process(ngx_ws_chat_main_conf_t *mcf,
    ngx_uint_t slot);

/* Sets the gauges of a slot to zero. */
void ngx_ws_chat_stat_clean(ngx_uint_t slot);

/*
 * Adds a slot's row to the sum; row 0 is that without a zone.  live: its
 * worker lives, so its gauges count.
 */
void ngx_ws_chat_stat_add(ngx_ws_chat_stat_t *sum, ngx_uint_t slot,
    ngx_uint_t row, ngx_uint_t live);
void ngx_ws_chat_stat_add_counters(ngx_ws_chat_counters_t *sum,
    ngx_uint_t slot, ngx_uint_t row, ngx_uint_t live);

/* How many rows there are; the name of one, empty for row 0. */
ngx_uint_t ngx_ws_chat_stat_rows(void);
ngx_str_t ngx_ws_chat_stat_name(ngx_uint_t row);

/*
 * The busiest chats are looked for while somebody wants to know: from want()
 * on for some seconds.  put() takes what this worker found, at most
 * NGX_WS_CHAT_STAT_BUSY, get() copies what a worker has put.
 */
void ngx_ws_chat_stat_want(void);
ngx_uint_t ngx_ws_chat_stat_wanted(void);
void ngx_ws_chat_stat_put(const ngx_ws_chat_busy_t *busy, ngx_uint_t n);
ngx_uint_t ngx_ws_chat_stat_get(ngx_uint_t slot, ngx_ws_chat_busy_t *busy);

/*
 * Enters one into a list of the busiest, at most NGX_WS_CHAT_STAT_BUSY: by
 * messages, then by members.  Returns how many there are now.
 */
ngx_uint_t ngx_ws_chat_stat_rank(ngx_ws_chat_busy_t *busy, ngx_uint_t n,
    const ngx_ws_chat_busy_t *b);

/* Microseconds of a clock that only goes forward. */
uint64_t ngx_ws_chat_stat_clock(void);


#endif /* _NGX_WS_CHAT_STAT_H_INCLUDED_ */

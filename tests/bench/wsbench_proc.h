
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#ifndef _WSBENCH_PROC_H_INCLUDED_
#define _WSBENCH_PROC_H_INCLUDED_


#include "wsbench.h"


/*
 * The life of a child: connections lo .. hi - 1, orders from the socket
 * parent, figures into result.  Ends with the process.
 */
void wb_proc_run(const wb_opt_t *opt, wb_result_t *result, int parent,
    uint32_t lo, uint32_t hi) __attribute__((noreturn));

/* The connection has joined its room. */
void wb_proc_joined(wb_proc_t *proc, wb_conn_t *c);

/* CLOCK_MONOTONIC in ns. */
uint64_t wb_now(void);


#endif /* _WSBENCH_PROC_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Messages on a schedule.  Message n of the run goes to room n % rooms, from
 * its publisher n / rooms % publishers, and is due at a fixed time, whatever
 * became of the ones before: latency counts from there, so that a stalled
 * server cannot hide by slowing the clients (coordinated omission).
 */


#ifndef _WSBENCH_PUB_H_INCLUDED_
#define _WSBENCH_PUB_H_INCLUDED_


#include "wsbench.h"


/* Prepares proc->order: what deliveries are to come. */
void wb_pub_begin(wb_proc_t *proc);

/*
 * Sends what is due.  Returns the time to call again, or WB_NEVER when all is
 * sent and delivered or the time for it is over.
 */
uint64_t wb_pub_due(wb_proc_t *proc);

/* 1 while messages that are due have not all been delivered. */
int wb_pub_outstanding(const wb_proc_t *proc);

/* Takes a message that has come: deliveries are told by their marker. */
void wb_pub_message(wb_proc_t *proc, wb_conn_t *c, const wsc_str_t *data);


#endif /* _WSBENCH_PUB_H_INCLUDED_ */

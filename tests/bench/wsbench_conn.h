
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One connection: its socket, until the handshake is done and afterwards.
 */


#ifndef _WSBENCH_CONN_H_INCLUDED_
#define _WSBENCH_CONN_H_INCLUDED_


#include "wsbench.h"
#include "wsbench_tpl.h"


/* Begins to connect; failures are counted. */
void wb_conn_start(wb_proc_t *proc, wb_conn_t *c);

/* Lets it send the other half of its request. */
void wb_conn_finish(wb_proc_t *proc, wb_conn_t *c);

/* Takes what epoll reported. */
void wb_conn_event(wb_proc_t *proc, wb_conn_t *c, uint32_t events);

/* Sends what the socket takes of c->out. */
void wb_conn_flush(wb_proc_t *proc, wb_conn_t *c);

/* Ends it at once; error: why (counted), or NULL when all is well. */
void wb_conn_end(wb_proc_t *proc, wb_conn_t *c, const char *error);

/* Where it connects to, in turn with others of its kind. */
const wb_url_t *wb_conn_url(const wb_opt_t *opt, const wb_conn_t *c);

/* Fills vars for a template of this connection. */
void wb_conn_vars(const wb_proc_t *proc, const wb_conn_t *c, wb_vars_t *vars);


#endif /* _WSBENCH_CONN_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Messages as HTTP requests, over connections that are kept.  A publisher has
 * always the same one, so that its messages stay in order; a request does not
 * wait for the answer to the one before it.
 */


#ifndef _WSBENCH_POST_H_INCLUDED_
#define _WSBENCH_POST_H_INCLUDED_


#include "wsbench.h"
#include "wsbench_tpl.h"


/* The connection of a publisher, which may be lost. */
wb_conn_t *wb_post_conn(const wb_proc_t *proc, uint32_t publisher);

/* Sends a request, or what the socket takes of it. */
void wb_post_send(wb_proc_t *proc, wb_conn_t *c, const wb_vars_t *vars,
    const wsc_buf_t *body);

/* Takes octets that were read: anything but success ends the connection. */
void wb_post_answers(wb_proc_t *proc, wb_conn_t *c, u_char *data, size_t len);

/* Ends it when all is well. */
void wb_post_close(wb_proc_t *proc, wb_conn_t *c);


#endif /* _WSBENCH_POST_H_INCLUDED_ */

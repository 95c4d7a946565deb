
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The opening handshake as a client, RFC 6455 section 4.1.
 */


#ifndef _WSBENCH_HTTP_H_INCLUDED_
#define _WSBENCH_HTTP_H_INCLUDED_


#include "wsbench.h"
#include "wsbench_tpl.h"


/* Puts the request into c->out and what is to be accepted into c->accept. */
void wb_http_request(wb_proc_t *proc, wb_conn_t *c, const wb_vars_t *vars);

/*
 * Reads the response in c->in.  WSC_OK: 101, *used octets of it were the
 * header, params what permessage-deflate was agreed on (*deflate is set);
 * WSC_AGAIN: it is not complete; WSC_ERROR: refused, error has size octets
 * for the reason.
 */
ssize_t wb_http_response(wb_proc_t *proc, wb_conn_t *c, size_t *used,
    wsc_deflate_params_t *params, int *deflate, char *error, size_t size);

/* Finds a line of the header in c->in, which is len octets long. */
ssize_t wb_http_header(const wb_conn_t *c, const char *name, size_t len,
    wsc_str_t *value);


#endif /* _WSBENCH_HTTP_H_INCLUDED_ */

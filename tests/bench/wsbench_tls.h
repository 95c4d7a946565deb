
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * TCP with TLS, or without: the same for the caller.  Nobody's certificate is
 * checked.
 */


#ifndef _WSBENCH_TLS_H_INCLUDED_
#define _WSBENCH_TLS_H_INCLUDED_


#include "wsbench.h"


/* Prepares proc->tls if a URL wants it. */
void wb_tls_init(wb_proc_t *proc);

/* A client on this socket, whose handshake comes with what is sent first. */
wb_ssl_t *wb_tls_new(wb_proc_t *proc, int fd);

/* As send() and recv(): -1 and errno. */
ssize_t wb_tls_send(wb_conn_t *c, const u_char *p, size_t len);
ssize_t wb_tls_recv(wb_conn_t *c, u_char *p, size_t len);

/* 1 if what could not be sent waits for octets of the peer. */
int wb_tls_reads(const wb_conn_t *c);

void wb_tls_free(wb_conn_t *c);


#endif /* _WSBENCH_TLS_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

#include "wsbench_tls.h"


static ssize_t wb_tls_result(wb_conn_t *c, int n);


void
wb_tls_init(wb_proc_t *proc)
{
    unsigned  i;

    for (i = 0; i < proc->opt->urls.n; i++) {
        if (proc->opt->urls.values[i].tls) {
            break;
        }
    }

    if (i == proc->opt->urls.n) {
        return;
    }

    proc->tls = SSL_CTX_new(TLS_client_method());

    if (proc->tls == NULL) {
        wb_die(WB_EXIT_SYSTEM, "SSL_CTX_new() failed");
    }

    /* SSL_write() cannot say MSG_NOSIGNAL */
    (void) signal(SIGPIPE, SIG_IGN);

    SSL_CTX_set_mode(proc->tls, SSL_MODE_ENABLE_PARTIAL_WRITE
                                |SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                |SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(proc->tls, SSL_SESS_CACHE_OFF);
}


wb_ssl_t *
wb_tls_new(wb_proc_t *proc, int fd)
{
    SSL  *ssl;

    ssl = SSL_new(proc->tls);

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        wb_die(WB_EXIT_SYSTEM, "SSL_new() failed");
    }

    SSL_set_connect_state(ssl);

    return ssl;
}


ssize_t
wb_tls_send(wb_conn_t *c, const u_char *p, size_t len)
{
    if (c->ssl == NULL) {
        return send(c->fd, p, len, MSG_NOSIGNAL);
    }

    ERR_clear_error();

    return wb_tls_result(c, SSL_write(c->ssl, p, (int) len));
}


ssize_t
wb_tls_recv(wb_conn_t *c, u_char *p, size_t len)
{
    if (c->ssl == NULL) {
        return recv(c->fd, p, len, 0);
    }

    ERR_clear_error();

    return wb_tls_result(c, SSL_read(c->ssl, p, (int) len));
}


static ssize_t
wb_tls_result(wb_conn_t *c, int n)
{
    if (n > 0) {
        return n;
    }

    switch (SSL_get_error(c->ssl, n)) {

    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;

    case SSL_ERROR_ZERO_RETURN:
        return 0;

    default:
        errno = EPROTO;
        return -1;
    }
}


int
wb_tls_reads(const wb_conn_t *c)
{
    return c->ssl && SSL_want_read(c->ssl);
}


void
wb_tls_free(wb_conn_t *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Options of sockets, each of which is a system call: they are set when they
 * begin to matter.
 */


#include "ngx_ws_chat_send_flush.h"
#include "ngx_ws_chat_send.h"


#define NGX_WS_CHAT_UNSENT_MIN  16384     /* octets that the kernel may keep */
#define NGX_WS_CHAT_UNSENT_MAX  131072


/*
 * The kernel would take megabytes for a client that does not read before it
 * counts as slow.
 */

void
ngx_ws_chat_peer_bound(ngx_ws_chat_peer_t *p)
{
    p->bounded = 1;

#ifdef TCP_NOTSENT_LOWAT

    int  n;

    n = ngx_min(p->lag_limit, NGX_WS_CHAT_UNSENT_MAX);
    n = ngx_max(n, NGX_WS_CHAT_UNSENT_MIN);

    /* a socket that knows no such thing is as good as ever */
    (void) setsockopt(p->connection->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
                      (const void *) &n, sizeof(int));

#endif
}


ngx_int_t
ngx_ws_chat_peer_options(ngx_ws_chat_peer_t *p, size_t total)
{
    ngx_connection_t  *c;

    c = p->connection;

    if (!p->bounded && c->sent + (off_t) total > NGX_WS_CHAT_UNSENT_MIN) {
        ngx_ws_chat_peer_bound(p);
    }

    if (!p->begun) {
        p->begun = 1;
        return NGX_OK;
    }

    return (c->tcp_nodelay == NGX_TCP_NODELAY_UNSET) ? ngx_tcp_nodelay(c)
                                                     : NGX_OK;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_redis_one.h"


socklen_t
ngx_ws_chat_redis_address(ngx_sockaddr_t *sa, const wsc_str_t *ip,
    ngx_uint_t port)
{
    char  text[NGX_INET6_ADDRSTRLEN + 1];

    ngx_memzero(sa, sizeof(ngx_sockaddr_t));

    if (ip->len >= sizeof(text) || port < 1 || port > 65535) {
        return 0;
    }

    ngx_memcpy(text, ip->data, ip->len);
    text[ip->len] = '\0';

    if (inet_pton(AF_INET, text, &sa->sockaddr_in.sin_addr) == 1) {
        sa->sockaddr.sa_family = AF_INET;
        ngx_inet_set_port(&sa->sockaddr, (in_port_t) port);

        return sizeof(struct sockaddr_in);
    }

#if (NGX_HAVE_INET6)

    if (inet_pton(AF_INET6, text, &sa->sockaddr_in6.sin6_addr) == 1) {
        sa->sockaddr.sa_family = AF_INET6;
        ngx_inet_set_port(&sa->sockaddr, (in_port_t) port);

        return sizeof(struct sockaddr_in6);
    }

#endif

    return 0;
}


ngx_int_t
ngx_ws_chat_redis_one(ngx_ws_chat_redis_one_t *one,
    const ngx_ws_chat_redis_conf_t *conf, const ngx_sockaddr_t *sa,
    socklen_t len, const wsc_str_t *host)
{
    size_t                     n;
    ngx_ws_chat_redis_peer_t  *peer;

    if (host->len >= sizeof(one->host)) {
        return NGX_DECLINED;
    }

    ngx_memzero(one, sizeof(ngx_ws_chat_redis_one_t));

    one->conf = *conf;
    one->conf.current = &one->current;
    one->conf.peers.elts = &one->peer;
    one->conf.peers.nelts = 1;
    one->conf.peers.nalloc = 1;
    ngx_str_null(&one->conf.master);

    one->sockaddr = *sa;

    peer = &one->peer;

    peer->addr.sockaddr = &one->sockaddr.sockaddr;
    peer->addr.socklen = len;
    peer->addr.name.data = one->name;
    peer->addr.name.len = ngx_sock_ntop(&one->sockaddr.sockaddr, len,
                                        one->name, sizeof(one->name), 1);

    if (host->len) {
        ngx_memcpy(one->host, host->data, host->len);
        peer->host.len = host->len;

    } else {
        peer->literal = 1;
        n = ngx_sock_ntop(&one->sockaddr.sockaddr, len, one->host,
                          sizeof(one->host) - 1, 0);
        peer->host.len = n;
    }

    peer->host.data = one->host;

    return NGX_OK;
}

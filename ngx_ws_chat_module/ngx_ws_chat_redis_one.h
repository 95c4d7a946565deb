
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Addresses learned while running: from Sentinels, from a Cluster.
 */


#ifndef _NGX_WS_CHAT_REDIS_ONE_H_INCLUDED_
#define _NGX_WS_CHAT_REDIS_ONE_H_INCLUDED_


#include "ngx_ws_chat_redis_conf.h"
#include "core/wsc_base.h"


#define NGX_WS_CHAT_REDIS_HOST  256


/* A configuration with one peer; it may not be moved. */

typedef struct {
    ngx_ws_chat_redis_conf_t     conf;
    ngx_ws_chat_redis_peer_t     peer;
    ngx_uint_t                   current;
    ngx_sockaddr_t               sockaddr;
    u_char                       name[NGX_SOCKADDR_STRLEN];
    u_char                       host[NGX_WS_CHAT_REDIS_HOST];
} ngx_ws_chat_redis_one_t;


/* An IP address (its text) and a port; 0: it is none, or its length. */
socklen_t ngx_ws_chat_redis_address(ngx_sockaddr_t *sa, const wsc_str_t *ip,
    ngx_uint_t port);

/*
 * As conf, but for this address; host is what a certificate has to be for,
 * empty: the IP address.  NGX_OK or NGX_DECLINED (host is too long).
 */
ngx_int_t ngx_ws_chat_redis_one(ngx_ws_chat_redis_one_t *one,
    const ngx_ws_chat_redis_conf_t *conf, const ngx_sockaddr_t *sa,
    socklen_t len, const wsc_str_t *host);


#endif /* _NGX_WS_CHAT_REDIS_ONE_H_INCLUDED_ */

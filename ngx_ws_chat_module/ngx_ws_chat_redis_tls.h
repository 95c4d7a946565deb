
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * TLS to Redis, by NGINX's own TLS.
 */


#ifndef _NGX_WS_CHAT_REDIS_TLS_H_INCLUDED_
#define _NGX_WS_CHAT_REDIS_TLS_H_INCLUDED_


#include "ngx_ws_chat_redis_conf.h"


/*
 * Makes conf->ssl.  The names are empty or those of files that can be opened;
 * without a CA those of the system are taken.
 */
char *ngx_ws_chat_redis_tls_create(ngx_conf_t *cf,
    ngx_ws_chat_redis_conf_t *conf, ngx_str_t *ca, ngx_str_t *cert,
    ngx_str_t *key, ngx_uint_t verify);

/*
 * Begins the handshake on a connected socket, which gets a pool.  done() is
 * called later if the answer is NGX_AGAIN.
 */
ngx_int_t ngx_ws_chat_redis_tls_start(const ngx_ws_chat_redis_conf_t *conf,
    const ngx_ws_chat_redis_peer_t *peer, ngx_connection_t *c,
    ngx_connection_handler_pt done);

/* NULL: the handshake is done and the peer is who it has to be. */
const char *ngx_ws_chat_redis_tls_verify(const ngx_ws_chat_redis_conf_t *conf,
    ngx_connection_t *c);

/* Ends it without a word; before ngx_close_connection(). */
void ngx_ws_chat_redis_tls_close(ngx_connection_t *c);


#endif /* _NGX_WS_CHAT_REDIS_TLS_H_INCLUDED_ */

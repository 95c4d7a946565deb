
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_redis_tls.h"


#define NGX_WS_CHAT_REDIS_DEPTH  8      /* certificates in a chain */


#if (NGX_SSL)

static ngx_int_t ngx_ws_chat_redis_tls_name(
    const ngx_ws_chat_redis_conf_t *conf, const ngx_ws_chat_redis_peer_t *peer,
    ngx_ssl_conn_t *ssl);


char *
ngx_ws_chat_redis_tls_create(ngx_conf_t *cf, ngx_ws_chat_redis_conf_t *conf,
    ngx_str_t *ca, ngx_str_t *cert, ngx_str_t *key, ngx_uint_t verify)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NGX_CONF_ERROR;
    }

    ssl->log = cf->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(ssl);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    conf->ssl = ssl;
    conf->verify = verify;

    if (cert->len && ngx_ssl_certificate(cf, ssl, cert, key, NULL) != NGX_OK) {
        return "cannot use its certificate and key";
    }

    if (ca->len == 0) {
        return SSL_CTX_set_default_verify_paths(ssl->ctx) == 1
               ? NGX_CONF_OK : "finds no CA of the system";
    }

    return ngx_ssl_trusted_certificate(cf, ssl, ca, NGX_WS_CHAT_REDIS_DEPTH)
           == NGX_OK
           ? NGX_CONF_OK : "cannot use its CA";
}


ngx_int_t
ngx_ws_chat_redis_tls_start(const ngx_ws_chat_redis_conf_t *conf,
    const ngx_ws_chat_redis_peer_t *peer, ngx_connection_t *c,
    ngx_connection_handler_pt done)
{
    ngx_int_t        rc;
    ngx_ssl_conn_t  *ssl;

    c->pool = ngx_create_pool(512, c->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    if (ngx_ssl_create_connection(conf->ssl, c, NGX_SSL_CLIENT) != NGX_OK) {
        return NGX_ERROR;
    }

    ssl = c->ssl->connection;

    /* what is left to write may move in memory and be joined by more */
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE
                      |SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);

    if (ngx_ws_chat_redis_tls_name(conf, peer, ssl) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = done;
    }

    return rc;
}


/* The name to ask for (SNI) and the one to find in the certificate. */

static ngx_int_t
ngx_ws_chat_redis_tls_name(const ngx_ws_chat_redis_conf_t *conf,
    const ngx_ws_chat_redis_peer_t *peer, ngx_ssl_conn_t *ssl)
{
    char               *host;
    X509_VERIFY_PARAM  *param;

    host = (char *) peer->host.data;

    if (!peer->literal && SSL_set_tlsext_host_name(ssl, host) != 1) {
        return NGX_ERROR;
    }

    if (!conf->verify) {
        return NGX_OK;
    }

    param = SSL_get0_param(ssl);

    if (peer->literal) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ? NGX_OK
                                                               : NGX_ERROR;
    }

    return X509_VERIFY_PARAM_set1_host(param, host, peer->host.len) == 1
           ? NGX_OK : NGX_ERROR;
}


const char *
ngx_ws_chat_redis_tls_verify(const ngx_ws_chat_redis_conf_t *conf,
    ngx_connection_t *c)
{
    long  result;

    if (!c->ssl->handshaked) {
        return "TLS handshake failed";
    }

    if (!conf->verify) {
        return NULL;
    }

    result = SSL_get_verify_result(c->ssl->connection);

    return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}


void
ngx_ws_chat_redis_tls_close(ngx_connection_t *c)
{
    if (c->ssl == NULL) {
        return;
    }

    c->ssl->no_wait_shutdown = 1;
    c->ssl->no_send_shutdown = 1;

    (void) ngx_ssl_shutdown(c);
}

#else

char *
ngx_ws_chat_redis_tls_create(ngx_conf_t *cf, ngx_ws_chat_redis_conf_t *conf,
    ngx_str_t *ca, ngx_str_t *cert, ngx_str_t *key, ngx_uint_t verify)
{
    return "cannot do \"rediss://\": this NGINX was built without TLS";
}

#endif

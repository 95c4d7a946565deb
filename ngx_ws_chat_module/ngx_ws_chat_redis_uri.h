
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * URIs of ws_chat_redis, and what is read of the directive, piece by piece.
 */


#ifndef _NGX_WS_CHAT_REDIS_URI_H_INCLUDED_
#define _NGX_WS_CHAT_REDIS_URI_H_INCLUDED_


#include "ngx_ws_chat_redis_conf.h"


typedef enum {
    NGX_WS_CHAT_REDIS_NONE = 0,
    NGX_WS_CHAT_REDIS_TCP,
    NGX_WS_CHAT_REDIS_TLS,
    NGX_WS_CHAT_REDIS_UNIX,
    NGX_WS_CHAT_REDIS_ASK,                    /* Sentinels */
    NGX_WS_CHAT_REDIS_CLUSTER,
    NGX_WS_CHAT_REDIS_CLUSTER_TLS
} ngx_ws_chat_redis_scheme_e;


typedef struct {
    ngx_conf_t                  *cf;
    ngx_ws_chat_redis_conf_t    *conf;
    ngx_ws_chat_redis_scheme_e   scheme;      /* of the first URI */
    ngx_str_t                    login;       /* the same, as it stands */
    ngx_str_t                    path;
    ngx_str_t                    ca;
    ngx_str_t                    cert;
    ngx_str_t                    key;
    ngx_str_t                    verify;
    ngx_str_t                    password_file;
} ngx_ws_chat_redis_parse_t;


#define ngx_ws_chat_redis_bad(p, ...)                                        \
    (ngx_conf_log_error(NGX_LOG_EMERG, (p)->cf, 0,                            \
                        "\"ws_chat_redis\" " __VA_ARGS__), NGX_CONF_ERROR)


/*
 * Reads a URI, what is behind its scheme: user and password, addresses; the
 * path is left to the caller.
 */
char *ngx_ws_chat_redis_uri(ngx_ws_chat_redis_parse_t *p,
    ngx_ws_chat_redis_scheme_e scheme, ngx_str_t *rest);


#endif /* _NGX_WS_CHAT_REDIS_URI_H_INCLUDED_ */

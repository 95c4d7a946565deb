
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_redis NAME URI... [OPTION...]: where the Redis of a zone is, and how
 * to get in.
 */


#ifndef _NGX_WS_CHAT_REDIS_CONF_H_INCLUDED_
#define _NGX_WS_CHAT_REDIS_CONF_H_INCLUDED_


#include "ngx_ws_chat_redis.h"


#define NGX_WS_CHAT_REDIS_REASON  160


/* One address.  Names were resolved when the configuration was read. */

typedef struct {
    ngx_addr_t                   addr;
    ngx_str_t                    host;        /* terminated; TLS wants it */
    ngx_uint_t                   literal;     /* host is an IP address */

    /* of this worker: what was complained about last, and when */
    time_t                       complained;
    char                         reason[NGX_WS_CHAT_REDIS_REASON];
} ngx_ws_chat_redis_peer_t;


struct ngx_ws_chat_redis_conf_s {
    ngx_str_t                    name;        /* the zone's */
    ngx_array_t                  peers;       /* ngx_ws_chat_redis_peer_t */
    ngx_uint_t                  *current;     /* of this worker: the peer to
                                                 try */
    ngx_str_t                    user;        /* empty: the default user */
    ngx_str_t                    password;    /* empty: no AUTH */
    ngx_int_t                    database;
    ngx_str_t                    master;      /* its name; empty: the peers are
                                                 no Sentinels */
    ngx_uint_t                   cluster;     /* the peers are some nodes of
                                                 a Cluster */
    ngx_uint_t                   shards;      /* 1 but for a Cluster */
    ngx_msec_t                   connect_timeout;
    ngx_msec_t                   timeout;
    ngx_str_t                   *node;
#if (NGX_SSL)
    ngx_ssl_t                   *ssl;         /* NULL: no TLS */
    ngx_uint_t                   verify;
#endif
    u_char                      *file;        /* where it stands */
    ngx_uint_t                   line;
};


/* The directive's setter. */
char *ngx_ws_chat_redis_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* When all was read: tells the zones, sets z->redis. */
char *ngx_ws_chat_redis_init(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf);


#endif /* _NGX_WS_CHAT_REDIS_CONF_H_INCLUDED_ */

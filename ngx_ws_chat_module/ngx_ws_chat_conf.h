
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Configuration as the other parts read it.  ngx_ws_chat_module.c has the
 * table of the directives, ngx_ws_chat_conf.c what they set.
 */


#ifndef _NGX_WS_CHAT_CONF_H_INCLUDED_
#define _NGX_WS_CHAT_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "ngx_ws_chat_zone.h"
#include "core/wsc_conn.h"
#include "core/wsc_shmlog.h"


#define NGX_WS_CHAT_VERSION     "0.1.0"

#define NGX_WS_CHAT_LAG_GAP     0
#define NGX_WS_CHAT_LAG_CLOSE   1


typedef struct ngx_ws_chat_log_s      ngx_ws_chat_log_t;
typedef struct ngx_ws_chat_room_s     ngx_ws_chat_room_t;


typedef struct {
    ngx_array_t                       zones;       /* ngx_ws_chat_zone_t * */
    ngx_array_t                       redis;       /* ..._redis_conf_t * */
    struct ngx_ws_chat_kafka_conf_s  *kafka;       /* NULL: nothing is said of
                                                      it */
    const struct ngx_ws_chat_archive_conf_s
                                     *archive;     /* NULL: there is none */
    ngx_str_t                         node;        /* default: host name */
    ngx_ws_chat_log_t                *log;         /* NULL: off */
    ngx_array_t                       locations;   /* of ours, see below */
    ngx_msec_t                        drain_max;   /* the longest of them */
#if (NGX_WS_CHAT_TEST)
    void                             *test;        /* see store_test.c */
#endif
} ngx_ws_chat_main_conf_t;


typedef struct {
    ngx_ws_chat_zone_t               *zone;
    ngx_http_complex_value_t         *user;        /* NULL: $arg_user */
    ngx_array_t                      *origins;     /* ngx_str_t; NULL: any */
    ngx_msec_t                        ping_interval;
    ngx_msec_t                        pong_timeout;
    ngx_msec_t                        drain;
    ngx_flag_t                        presence;
    ngx_msec_t                        presence_grace;
    size_t                            max_message;
    ngx_uint_t                        max_fragments;
    ngx_uint_t                        max_chats;
    ngx_uint_t                        max_connections;  /* 0: off */
    ngx_uint_t                        max_user_connections;    /* 0: off */
    ngx_uint_t                        max_ip_connections;      /* 0: off */
    ngx_msec_t                        message_timeout;
    ngx_uint_t                        rate;        /* a second; 0: off */
    ngx_uint_t                        burst;
    size_t                            lag_limit;
    ngx_uint_t                        lag_policy;
    ngx_flag_t                        deflate;
    ngx_int_t                         deflate_level;
    ngx_int_t                         deflate_window;
    ngx_int_t                         deflate_context;  /* members a room; 0:
                                                           never */
    size_t                            deflate_min_size;
    wsc_shmlog_limits_t               history;
    wsc_conn_conf_t                   conn;        /* per worker */
    ngx_log_t                        *log;         /* per worker: one for all
                                                      sockets of a location */
    wsc_str_t                         terms[WSC_ENC_N];    /* per worker: see
                                                      ..._client_welcome.h */
    ngx_array_t                      *api_keys;    /* see ..._api_key.h */
    ngx_str_t                         authorize;   /* len 0: nobody is asked */
    ngx_http_core_srv_conf_t         *server;
    const struct ngx_ws_chat_auth_conf_s
                                     *auth;        /* see ..._auth.h */

    ngx_http_handler_pt               handler;     /* NULL: no location of
                                                      ours */
    unsigned                          sockets:1;   /* it opens WebSockets */
    unsigned                          streams:1;   /* it serves events */
    unsigned                          members:1;   /* it asks who comes in */
    unsigned                          api:1;       /* it needs api_keys */
    ngx_str_t                         directive;   /* which made it so */
    ngx_str_t                         zone_name;   /* as in zone= */
    u_char                           *file;        /* where it stands */
    ngx_uint_t                        line;
} ngx_ws_chat_loc_conf_t;


/* A location with one of our handlers. */

typedef struct {
    ngx_ws_chat_loc_conf_t           *conf;
    ngx_http_core_loc_conf_t         *core;
} ngx_ws_chat_location_t;


extern ngx_module_t  ngx_ws_chat_module;
extern ngx_module_t  ngx_ws_chat_auth_module;


/* Finds a zone, or NULL. */
ngx_ws_chat_zone_t *ngx_ws_chat_conf_zone(ngx_ws_chat_main_conf_t *mcf,
    ngx_str_t *name);


#endif /* _NGX_WS_CHAT_CONF_H_INCLUDED_ */

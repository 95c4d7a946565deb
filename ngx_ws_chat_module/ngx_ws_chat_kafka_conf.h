
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The directives ws_chat_kafka_*.
 */


#ifndef _NGX_WS_CHAT_KAFKA_CONF_H_INCLUDED_
#define _NGX_WS_CHAT_KAFKA_CONF_H_INCLUDED_


#include "ngx_ws_chat_kafka.h"


char *ngx_ws_chat_kafka_set_brokers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_chat_kafka_set_topic(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_chat_kafka_set_format(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_chat_kafka_set_property(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * All was read, ngx_ws_chat_redis_init() was called: each zone that is in a
 * Redis gets its topic, if there are brokers.
 */
char *ngx_ws_chat_kafka_init(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf);


#endif /* _NGX_WS_CHAT_KAFKA_CONF_H_INCLUDED_ */

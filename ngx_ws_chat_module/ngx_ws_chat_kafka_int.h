
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What ngx_ws_chat_kafka.c (records and their reports) and
 * ..._kafka_producer.c (the life of a producer) share.
 */


#ifndef _NGX_WS_CHAT_KAFKA_INT_H_INCLUDED_
#define _NGX_WS_CHAT_KAFKA_INT_H_INCLUDED_


#include "ngx_ws_chat_kafka.h"
#include <librdkafka/rdkafka.h>


#define NGX_WS_CHAT_KAFKA_TEXT    512


/* How many partitions a topic has; threads of librdkafka write it, too. */

typedef struct {
    int32_t                          seen;     /* brokers say; 0: not known */
    int32_t                          wanted;   /* the configuration says; 0:
                                                  any */
} ngx_ws_chat_kafka_count_t;


typedef struct {
    ngx_queue_t                      queue;    /* of those that retired */
    const ngx_ws_chat_kafka_conf_t  *conf;
    rd_kafka_t                      *rk;
    rd_kafka_queue_t                *events;
    rd_kafka_topic_t               **topics;   /* as in the configuration */
    ngx_connection_t                *connection;
    ngx_event_t                      more;     /* the next turn */
    ngx_fd_t                         fd;
    ngx_int_t                        room;     /* records that it takes */
    unsigned                         fatal:1;
} ngx_ws_chat_kafka_producer_t;


/* ngx_ws_chat_kafka_producer.c */

/*
 * counts: of each topic.  A record to another number of partitions than it
 * wants fails, as does one whose job is its count: that only looks.
 */
ngx_ws_chat_kafka_producer_t *ngx_ws_chat_kafka_open(
    const ngx_ws_chat_kafka_conf_t *kcf, ngx_ws_chat_kafka_count_t *counts,
    ngx_log_t *log);

/* Nothing of it is called any more. */
void ngx_ws_chat_kafka_close(ngx_ws_chat_kafka_producer_t *p);

/* Waits, not for long, until those that were closed have ended. */
void ngx_ws_chat_kafka_ended(void);


/* ngx_ws_chat_kafka.c */

/* A producer has something to tell. */
void ngx_ws_chat_kafka_read_handler(ngx_event_t *rev);
void ngx_ws_chat_kafka_more_handler(ngx_event_t *ev);


#endif /* _NGX_WS_CHAT_KAFKA_INT_H_INCLUDED_ */

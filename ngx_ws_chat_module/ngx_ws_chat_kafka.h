
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records to Kafka: one producer of librdkafka a worker, made after the fork,
 * which has threads of its own and reaches NGINX's loop by an eventfd alone.
 */


#ifndef _NGX_WS_CHAT_KAFKA_H_INCLUDED_
#define _NGX_WS_CHAT_KAFKA_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "core/wsc_buf.h"


#define NGX_WS_CHAT_KAFKA_HEADERS  5


typedef struct ngx_ws_chat_kafka_job_s  ngx_ws_chat_kafka_job_t;


/* ws_chat_kafka_topic: where the messages of a zone go. */

typedef struct ngx_ws_chat_kafka_topic_s {
    ngx_str_t                   name;         /* terminated */
    ngx_str_t                   zone;         /* len 0: of those that name
                                                 none */
    ngx_uint_t                  partitions;   /* 0: as many as there are */
    ngx_uint_t                  index;        /* of all topics */
    ngx_uint_t                  format;       /* wsc_enc_e of values */
    struct ngx_ws_chat_kafka_topic_s
                               *marks;        /* of its chats' users; NULL:
                                                 nowhere */
    struct ngx_ws_chat_kafka_topic_s
                               *events;       /* joins and the like; the
                                                 same */
    unsigned                    off:1;        /* nowhere */
    unsigned                    aside:1;      /* no messages are in it, */
    unsigned                    eventful:1;   /* but events */
} ngx_ws_chat_kafka_topic_t;


/* ws_chat_kafka_brokers and what belongs to it. */

typedef struct ngx_ws_chat_kafka_conf_s {
    ngx_str_t                   brokers;      /* terminated; len 0: none */
    ngx_array_t                 properties;   /* ngx_keyval_t */
    ngx_array_t                 topics;       /* ..._kafka_topic_t * */
    ngx_uint_t                  format;       /* NGX_CONF_UNSET_UINT: none
                                                 is set */
} ngx_ws_chat_kafka_conf_t;


typedef struct {
    const char                 *name;
    uint64_t                    value;
} ngx_ws_chat_kafka_header_t;


typedef struct {
    const ngx_ws_chat_kafka_topic_t
                               *topic;
    wsc_str_t                   key;
    const wsc_buf_t            *value;
    ngx_ws_chat_kafka_header_t  headers[NGX_WS_CHAT_KAFKA_HEADERS];
    ngx_uint_t                  nheaders;
} ngx_ws_chat_kafka_record_t;


/*
 * Waits for a record's report: done() is called once, with NGX_OK: it is
 * stored; NGX_DECLINED: it is not; NGX_ABORT: it never will be, for it is
 * too large; NGX_ERROR: nobody knows.
 * The job is the caller's, who leaves it until then.
 */
struct ngx_ws_chat_kafka_job_s {
    void                      (*done)(ngx_ws_chat_kafka_job_t *job,
                                    ngx_int_t rc);
};


/* In a worker.  Without brokers nothing is done. */
ngx_int_t ngx_ws_chat_kafka_init_process(const ngx_ws_chat_kafka_conf_t *conf,
    ngx_cycle_t *cycle);

/* At the end: waits for reports, in all at most three seconds. */
void ngx_ws_chat_kafka_flush(void);

/* Gives up what is still on its way; calls every job. */
void ngx_ws_chat_kafka_exit_process(void);

/*
 * Takes a copy of a record, whose partition is murmur2(key) mod partitions.
 * job NULL: nobody waits.  NGX_OK; NGX_BUSY: the queue is full (so much waits
 * that is no message that there is room for messages only); NGX_ABORT: it is
 * too large; NGX_DECLINED: there is no producer, or the topic is not as
 * configured; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_chat_kafka_send(const ngx_ws_chat_kafka_record_t *r,
    ngx_ws_chat_kafka_job_t *job);

/* NGX_OK, or NGX_DECLINED with *reason: no record gets to that topic. */
ngx_int_t ngx_ws_chat_kafka_health(const ngx_ws_chat_kafka_topic_t *topic,
    const char **reason);


#endif /* _NGX_WS_CHAT_KAFKA_H_INCLUDED_ */

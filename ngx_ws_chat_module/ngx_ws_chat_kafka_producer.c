
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The life of a producer.  It has threads, which take their time to end: they
 * are waited for on a thread of its own, not in NGINX's loop.
 */


#include "ngx_ws_chat_kafka_int.h"
#include "ngx_ws_chat_mem.h"
#include "core/wsc_epoch.h"
#include <pthread.h>
#include <sys/eventfd.h>


#define NGX_WS_CHAT_KAFKA_LEAVE   3000         /* ms that threads get to end */


static rd_kafka_t *ngx_ws_chat_kafka_create(
    const ngx_ws_chat_kafka_conf_t *kcf, ngx_log_t *log);
static ngx_int_t ngx_ws_chat_kafka_room(rd_kafka_t *rk);
static ngx_int_t ngx_ws_chat_kafka_settings(
    const ngx_ws_chat_kafka_conf_t *kcf, rd_kafka_conf_t *conf,
    ngx_log_t *log);
static ngx_int_t ngx_ws_chat_kafka_open_topics(
    ngx_ws_chat_kafka_producer_t *p, ngx_ws_chat_kafka_count_t *counts,
    ngx_log_t *log);
static int32_t ngx_ws_chat_kafka_partition(const rd_kafka_topic_t *topic,
    const void *key, size_t len, int32_t partitions, void *data, void *job);
static ngx_int_t ngx_ws_chat_kafka_listen(ngx_ws_chat_kafka_producer_t *p,
    ngx_log_t *log);
static void *ngx_ws_chat_kafka_end(void *data);


/* producers that end on threads of their own */
static ngx_atomic_t  ngx_ws_chat_kafka_ending;


ngx_ws_chat_kafka_producer_t *
ngx_ws_chat_kafka_open(const ngx_ws_chat_kafka_conf_t *kcf,
    ngx_ws_chat_kafka_count_t *counts, ngx_log_t *log)
{
    size_t                         size;
    ngx_ws_chat_kafka_producer_t  *p;

    size = kcf->topics.nelts * sizeof(rd_kafka_topic_t *);

    p = wsc_alloc(&ngx_ws_chat_alloc,
                  sizeof(ngx_ws_chat_kafka_producer_t) + size);
    if (p == NULL) {
        return NULL;
    }

    ngx_memzero(p, sizeof(ngx_ws_chat_kafka_producer_t) + size);

    p->topics = (rd_kafka_topic_t **) (p + 1);
    p->conf = kcf;
    p->fd = -1;
    p->rk = ngx_ws_chat_kafka_create(kcf, log);

    if (p->rk == NULL) {
        wsc_free(&ngx_ws_chat_alloc, p);
        return NULL;
    }

    p->room = ngx_ws_chat_kafka_room(p->rk);
    p->events = rd_kafka_queue_get_main(p->rk);
    (void) rd_kafka_set_log_queue(p->rk, NULL);

    if (ngx_ws_chat_kafka_open_topics(p, counts, log) != NGX_OK
        || ngx_ws_chat_kafka_listen(p, log) != NGX_OK)
    {
        ngx_ws_chat_kafka_close(p);
        return NULL;
    }

    return p;
}


static rd_kafka_t *
ngx_ws_chat_kafka_create(const ngx_ws_chat_kafka_conf_t *kcf, ngx_log_t *log)
{
    rd_kafka_t       *rk;
    rd_kafka_conf_t  *conf;
    char              text[NGX_WS_CHAT_KAFKA_TEXT];

    conf = rd_kafka_conf_new();

    if (ngx_ws_chat_kafka_settings(kcf, conf, log) != NGX_OK) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }

    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR|RD_KAFKA_EVENT_ERROR
                                   |RD_KAFKA_EVENT_LOG);

    rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));

    if (rk == NULL) {
        rd_kafka_conf_destroy(conf);
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "no producer for Kafka can be made: %s", text);
    }

    return rk;
}


static ngx_int_t
ngx_ws_chat_kafka_room(rd_kafka_t *rk)
{
    char       text[NGX_INT_T_LEN + 1];
    size_t     size;
    ngx_int_t  n;

    size = sizeof(text);
    n = 0;

    if (rd_kafka_conf_get(rd_kafka_conf(rk), "queue.buffering.max.messages",
                          text, &size)
        == RD_KAFKA_CONF_OK)
    {
        n = ngx_atoi((u_char *) text, ngx_strlen(text));
    }

    /* 0: as many as there are */

    return (n > 0) ? n : NGX_MAX_INT32_VALUE;
}


static ngx_int_t
ngx_ws_chat_kafka_settings(const ngx_ws_chat_kafka_conf_t *kcf,
    rd_kafka_conf_t *conf, ngx_log_t *log)
{
    ngx_uint_t     i;
    ngx_keyval_t  *kv;
    char           text[NGX_WS_CHAT_KAFKA_TEXT];

    static const struct {
        const char  *name;
        const char  *value;
    } own[] = {
        { "client.id", "ngx_ws_chat" },
        { "log.queue", "true" },
        { "acks", "all" },
        { "enable.idempotence", "true" },
        { "linger.ms", "1" },
        { "message.timeout.ms", "60000" },
        { "message.max.bytes", "8000000" },
        { "socket.keepalive.enable", "true" },
        { "reconnect.backoff.max.ms", "2000" },
        { "topic.metadata.refresh.interval.ms", "10000" },
        { "queue.buffering.max.messages", "20000" },
        { "queue.buffering.max.kbytes", "65536" }
    };

    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        (void) rd_kafka_conf_set(conf, own[i].name, own[i].value, text,
                                 sizeof(text));
    }

    (void) rd_kafka_conf_set(conf, "bootstrap.servers",
                             (char *) kcf->brokers.data, text,
                             sizeof(text));

    kv = kcf->properties.elts;

    for (i = 0; i < kcf->properties.nelts; i++) {

        if (rd_kafka_conf_set(conf, (char *) kv[i].key.data,
                              (char *) kv[i].value.data, text, sizeof(text))
            != RD_KAFKA_CONF_OK)
        {
            /* it was tried when the configuration was read */
            ngx_log_error(NGX_LOG_ERR, log, 0, "\"%V\" of Kafka: %s",
                          &kv[i].key, text);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_kafka_open_topics(ngx_ws_chat_kafka_producer_t *p,
    ngx_ws_chat_kafka_count_t *counts, ngx_log_t *log)
{
    ngx_uint_t                   i;
    rd_kafka_topic_conf_t       *conf;
    ngx_ws_chat_kafka_topic_t  **topics;

    topics = p->conf->topics.elts;

    for (i = 0; i < p->conf->topics.nelts; i++) {

        if (topics[i]->off) {
            continue;
        }

        conf = rd_kafka_default_topic_conf_dup(p->rk);

        rd_kafka_topic_conf_set_opaque(conf, &counts[i]);
        rd_kafka_topic_conf_set_partitioner_cb(conf,
                                               ngx_ws_chat_kafka_partition);

        p->topics[i] = rd_kafka_topic_new(p->rk, (char *) topics[i]->name.data,
                                          conf);

        if (p->topics[i] == NULL) {
            rd_kafka_topic_conf_destroy(conf);
            ngx_log_error(NGX_LOG_ERR, log, 0, "topic \"%V\": %s",
                          &topics[i]->name,
                          rd_kafka_err2str(rd_kafka_last_error()));
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * On whatever thread: nothing but arithmetic.  A partition that is not there
 * refuses the record.
 */

static int32_t
ngx_ws_chat_kafka_partition(const rd_kafka_topic_t *topic, const void *key,
    size_t len, int32_t partitions, void *data, void *job)
{
    ngx_ws_chat_kafka_count_t *count = data;

    wsc_str_t  s;

    __atomic_store_n(&count->seen, partitions, __ATOMIC_RELAXED);

    if (job == count || (count->wanted && partitions != count->wanted)) {
        return partitions;
    }

    s.data = (u_char *) key;
    s.len = len;

    return wsc_shard(&s, partitions);
}


static ngx_int_t
ngx_ws_chat_kafka_listen(ngx_ws_chat_kafka_producer_t *p, ngx_log_t *log)
{
    ngx_int_t          flags;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    static const uint64_t  one = 1;

    p->fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (p->fd == -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "eventfd() failed");
        return NGX_ERROR;
    }

    c = ngx_get_connection(p->fd, log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    p->connection = c;
    c->data = p;

    rev = c->read;
    rev->log = log;
    rev->handler = ngx_ws_chat_kafka_read_handler;
    c->write->log = log;

    p->more.data = p;
    p->more.log = log;
    p->more.handler = ngx_ws_chat_kafka_more_handler;

    flags = (ngx_event_flags & NGX_USE_CLEAR_EVENT) ? NGX_CLEAR_EVENT
                                                    : NGX_LEVEL_EVENT;

    if (ngx_add_event(rev, NGX_READ_EVENT, flags) == NGX_ERROR) {
        return NGX_ERROR;
    }

    rd_kafka_queue_io_event_enable(p->events, p->fd, &one, sizeof(one));

    /* what came before */
    ngx_post_event(&p->more, &ngx_posted_events);

    return NGX_OK;
}


/* What it still has is given up, untold. */

void
ngx_ws_chat_kafka_close(ngx_ws_chat_kafka_producer_t *p)
{
    int         rc;
    sigset_t    all, before;
    ngx_uint_t  i;
    pthread_t   thread;

    if (p->connection) {
        rd_kafka_queue_io_event_enable(p->events, -1, NULL, 0);

        if (p->more.posted) {
            ngx_delete_posted_event(&p->more);
        }

        ngx_close_connection(p->connection);

    } else if (p->fd != -1) {
        (void) close(p->fd);
    }

    for (i = 0; i < p->conf->topics.nelts; i++) {
        if (p->topics[i]) {
            rd_kafka_topic_destroy(p->topics[i]);
        }
    }

    rd_kafka_queue_destroy(p->events);

    (void) ngx_atomic_fetch_add(&ngx_ws_chat_kafka_ending, 1);

    /* signals are NGINX's */

    sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);

    rc = pthread_create(&thread, NULL, ngx_ws_chat_kafka_end, p->rk);

    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (rc == 0) {
        (void) pthread_detach(thread);

    } else {
        (void) ngx_ws_chat_kafka_end(p->rk);
    }

    wsc_free(&ngx_ws_chat_alloc, p);
}


static void *
ngx_ws_chat_kafka_end(void *data)
{
    rd_kafka_destroy(data);

    (void) ngx_atomic_fetch_add(&ngx_ws_chat_kafka_ending, -1);

    return NULL;
}


void
ngx_ws_chat_kafka_ended(void)
{
    ngx_uint_t  ms;

    for (ms = 0; ms < NGX_WS_CHAT_KAFKA_LEAVE; ms += 10) {
        if (ngx_ws_chat_kafka_ending == 0) {
            return;
        }

        ngx_msleep(10);
    }
}

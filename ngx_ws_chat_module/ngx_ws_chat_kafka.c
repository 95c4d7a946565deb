
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * All that librdkafka tells comes through one queue a producer, of which an
 * eventfd says that it has something; callbacks, which may run on its threads,
 * are not used but for the partitioner.
 *
 * A fatal error ends an idempotent producer: what it has is given up, which
 * calls every job, and another one is made at once; the old one goes when the
 * last report has come.
 */


#include "ngx_ws_chat_kafka.h"
#include "ngx_ws_chat_mem.h"
#include "core/wsc_epoch.h"
#include <sys/eventfd.h>
#include <librdkafka/rdkafka.h>


#define NGX_WS_CHAT_KAFKA_TICK    250          /* ms */
#define NGX_WS_CHAT_KAFKA_TURN    1000         /* events of a turn */
#define NGX_WS_CHAT_KAFKA_RETRY   1000         /* ms between producers */
#define NGX_WS_CHAT_KAFKA_FLUSH   3000         /* ms at the end */
#define NGX_WS_CHAT_KAFKA_DOWN    30000        /* ms that a failure counts */
#define NGX_WS_CHAT_KAFKA_TEXT    512


typedef struct {
    ngx_queue_t                      queue;    /* of those that retired */
    rd_kafka_t                      *rk;
    rd_kafka_queue_t                *events;
    rd_kafka_topic_t               **topics;   /* as in the configuration */
    ngx_connection_t                *connection;
    ngx_event_t                      more;     /* the next turn */
    ngx_fd_t                         fd;
    unsigned                         fatal:1;
} ngx_ws_chat_kafka_producer_t;


static void ngx_ws_chat_kafka_tick(ngx_event_t *ev);
static void ngx_ws_chat_kafka_look(void);
static void ngx_ws_chat_kafka_start(void);
static ngx_ws_chat_kafka_producer_t *ngx_ws_chat_kafka_open(ngx_log_t *log);
static rd_kafka_t *ngx_ws_chat_kafka_create(ngx_log_t *log);
static ngx_int_t ngx_ws_chat_kafka_settings(rd_kafka_conf_t *conf,
    ngx_log_t *log);
static ngx_int_t ngx_ws_chat_kafka_open_topics(
    ngx_ws_chat_kafka_producer_t *p, ngx_log_t *log);
static ngx_int_t ngx_ws_chat_kafka_listen(ngx_ws_chat_kafka_producer_t *p,
    ngx_log_t *log);
static void ngx_ws_chat_kafka_close(ngx_ws_chat_kafka_producer_t *p);
static int32_t ngx_ws_chat_kafka_partition(const rd_kafka_topic_t *topic,
    const void *key, size_t len, int32_t partitions, void *seen, void *data);
static void ngx_ws_chat_kafka_read_handler(ngx_event_t *rev);
static void ngx_ws_chat_kafka_more_handler(ngx_event_t *ev);
static ngx_uint_t ngx_ws_chat_kafka_serve(ngx_ws_chat_kafka_producer_t *p,
    int ms);
static void ngx_ws_chat_kafka_reports(rd_kafka_event_t *event);
static void ngx_ws_chat_kafka_error(ngx_ws_chat_kafka_producer_t *p,
    rd_kafka_event_t *event);
static void ngx_ws_chat_kafka_log(rd_kafka_event_t *event);
static ngx_uint_t ngx_ws_chat_kafka_fits(
    const ngx_ws_chat_kafka_topic_t *topic);


/* of this worker */

static const ngx_ws_chat_kafka_conf_t  *ngx_ws_chat_kafka;
static ngx_ws_chat_kafka_producer_t    *ngx_ws_chat_kafka_now;
static ngx_queue_t                      ngx_ws_chat_kafka_retired;
static ngx_event_t                      ngx_ws_chat_kafka_event;
static ngx_msec_t                       ngx_ws_chat_kafka_tried;
static ngx_msec_t                       ngx_ws_chat_kafka_failed;
static ngx_uint_t                       ngx_ws_chat_kafka_down;
static ngx_ws_chat_kafka_stat_t         ngx_ws_chat_kafka_numbers;

/* Partitions of each topic as brokers tell them; 0: not known.  Written by
   threads of librdkafka, too. */
static int32_t                         *ngx_ws_chat_kafka_seen;


ngx_int_t
ngx_ws_chat_kafka_init_process(const ngx_ws_chat_kafka_conf_t *conf,
    ngx_cycle_t *cycle)
{
    ngx_event_t  *ev;

    ngx_queue_init(&ngx_ws_chat_kafka_retired);

    if (conf->brokers.len == 0) {
        return NGX_OK;
    }

    ngx_ws_chat_kafka = conf;

    ngx_ws_chat_kafka_seen = ngx_pcalloc(cycle->pool, conf->topics.nelts
                                                      * sizeof(int32_t) + 1);
    if (ngx_ws_chat_kafka_seen == NULL) {
        return NGX_ERROR;
    }

    ngx_ws_chat_kafka_start();

    ev = &ngx_ws_chat_kafka_event;
    ev->handler = ngx_ws_chat_kafka_tick;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_WS_CHAT_KAFKA_TICK);

    return NGX_OK;
}


void
ngx_ws_chat_kafka_exit_process(void)
{
    ngx_msec_t                     until;
    ngx_queue_t                   *q;
    ngx_ws_chat_kafka_producer_t  *p;

    if (ngx_ws_chat_kafka == NULL) {
        return;
    }

    if (ngx_ws_chat_kafka_event.timer_set) {
        ngx_del_timer(&ngx_ws_chat_kafka_event);
    }

    p = ngx_ws_chat_kafka_now;
    ngx_ws_chat_kafka_now = NULL;

    if (p) {
        until = ngx_current_msec + NGX_WS_CHAT_KAFKA_FLUSH;

        while (rd_kafka_outq_len(p->rk)
               && (ngx_msec_int_t) (until - ngx_current_msec) > 0)
        {
            (void) ngx_ws_chat_kafka_serve(p, 50);
            ngx_time_update();
        }

        ngx_queue_insert_tail(&ngx_ws_chat_kafka_retired, &p->queue);
    }

    while (!ngx_queue_empty(&ngx_ws_chat_kafka_retired)) {
        q = ngx_queue_head(&ngx_ws_chat_kafka_retired);
        ngx_ws_chat_kafka_close(ngx_queue_data(q,
                                               ngx_ws_chat_kafka_producer_t,
                                               queue));
    }

    ngx_ws_chat_kafka = NULL;
}


static void
ngx_ws_chat_kafka_tick(ngx_event_t *ev)
{
    ngx_queue_t                   *q, *next;
    ngx_ws_chat_kafka_producer_t  *p;

    p = ngx_ws_chat_kafka_now;

    if (p && p->fatal) {
        ngx_ws_chat_kafka_now = NULL;
        ngx_queue_insert_tail(&ngx_ws_chat_kafka_retired, &p->queue);

        (void) rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE
                                     |RD_KAFKA_PURGE_F_INFLIGHT
                                     |RD_KAFKA_PURGE_F_NON_BLOCKING);

        ngx_ws_chat_kafka_numbers.replaced++;
        ngx_ws_chat_kafka_start();

    } else if (p == NULL && ngx_current_msec - ngx_ws_chat_kafka_tried
                            >= NGX_WS_CHAT_KAFKA_RETRY)
    {
        ngx_ws_chat_kafka_start();
    }

    for (q = ngx_queue_head(&ngx_ws_chat_kafka_retired);
         q != ngx_queue_sentinel(&ngx_ws_chat_kafka_retired);
         q = next)
    {
        next = ngx_queue_next(q);
        p = ngx_queue_data(q, ngx_ws_chat_kafka_producer_t, queue);

        if (rd_kafka_outq_len(p->rk) == 0) {
            ngx_ws_chat_kafka_close(p);
        }
    }

    ngx_ws_chat_kafka_look();

    ngx_add_timer(ev, NGX_WS_CHAT_KAFKA_TICK);
}


/* Another number of partitions puts chats where no node looks for them. */

static void
ngx_ws_chat_kafka_look(void)
{
    ngx_uint_t                   i;
    ngx_ws_chat_kafka_topic_t  **topics;

    static ngx_uint_t            told;

    topics = ngx_ws_chat_kafka->topics.elts;

    for (i = 0; i < ngx_ws_chat_kafka->topics.nelts; i++) {

        if (ngx_ws_chat_kafka_fits(topics[i])) {
            continue;
        }

        if (!told) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "topic \"%V\" has %D partitions, "
                          "\"ws_chat_kafka_topic\" says %ui",
                          &topics[i]->name, ngx_ws_chat_kafka_seen[i],
                          topics[i]->partitions);
        }

        told = 1;
        return;
    }

    told = 0;

    if (ngx_ws_chat_kafka_down
        && ngx_current_msec - ngx_ws_chat_kafka_failed
           >= NGX_WS_CHAT_KAFKA_DOWN
        && ngx_ws_chat_kafka_numbers.queued == 0)
    {
        /* nothing was tried since */
        ngx_ws_chat_kafka_down = 0;
    }
}


static ngx_uint_t
ngx_ws_chat_kafka_fits(const ngx_ws_chat_kafka_topic_t *topic)
{
    int32_t  seen;

    if (topic->off) {
        return 1;
    }

    seen = __atomic_load_n(&ngx_ws_chat_kafka_seen[topic->index],
                           __ATOMIC_RELAXED);

    return seen == 0 || (ngx_uint_t) seen == topic->partitions;
}


/* producers */

static void
ngx_ws_chat_kafka_start(void)
{
    ngx_ws_chat_kafka_tried = ngx_current_msec;
    ngx_ws_chat_kafka_now = ngx_ws_chat_kafka_open(ngx_cycle->log);
}


static ngx_ws_chat_kafka_producer_t *
ngx_ws_chat_kafka_open(ngx_log_t *log)
{
    size_t                         size;
    ngx_ws_chat_kafka_producer_t  *p;

    size = ngx_ws_chat_kafka->topics.nelts * sizeof(rd_kafka_topic_t *);

    p = wsc_alloc(&ngx_ws_chat_alloc,
                  sizeof(ngx_ws_chat_kafka_producer_t) + size);
    if (p == NULL) {
        return NULL;
    }

    ngx_memzero(p, sizeof(ngx_ws_chat_kafka_producer_t) + size);

    p->topics = (rd_kafka_topic_t **) (p + 1);
    p->fd = -1;
    p->rk = ngx_ws_chat_kafka_create(log);

    if (p->rk == NULL) {
        wsc_free(&ngx_ws_chat_alloc, p);
        return NULL;
    }

    p->events = rd_kafka_queue_get_main(p->rk);
    (void) rd_kafka_set_log_queue(p->rk, NULL);

    if (ngx_ws_chat_kafka_open_topics(p, log) != NGX_OK
        || ngx_ws_chat_kafka_listen(p, log) != NGX_OK)
    {
        ngx_queue_insert_tail(&ngx_ws_chat_kafka_retired, &p->queue);
        ngx_ws_chat_kafka_close(p);
        return NULL;
    }

    return p;
}


static rd_kafka_t *
ngx_ws_chat_kafka_create(ngx_log_t *log)
{
    rd_kafka_t       *rk;
    rd_kafka_conf_t  *conf;
    char              text[NGX_WS_CHAT_KAFKA_TEXT];

    conf = rd_kafka_conf_new();

    if (ngx_ws_chat_kafka_settings(conf, log) != NGX_OK) {
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
ngx_ws_chat_kafka_settings(rd_kafka_conf_t *conf, ngx_log_t *log)
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
        { "queue.buffering.max.messages", "20000" },
        { "queue.buffering.max.kbytes", "65536" }
    };

    for (i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        (void) rd_kafka_conf_set(conf, own[i].name, own[i].value, text,
                                 sizeof(text));
    }

    (void) rd_kafka_conf_set(conf, "bootstrap.servers",
                             (char *) ngx_ws_chat_kafka->brokers.data, text,
                             sizeof(text));

    kv = ngx_ws_chat_kafka->properties.elts;

    for (i = 0; i < ngx_ws_chat_kafka->properties.nelts; i++) {

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
ngx_ws_chat_kafka_open_topics(ngx_ws_chat_kafka_producer_t *p, ngx_log_t *log)
{
    ngx_uint_t                   i;
    rd_kafka_topic_conf_t       *conf;
    ngx_ws_chat_kafka_topic_t  **topics;

    topics = ngx_ws_chat_kafka->topics.elts;

    for (i = 0; i < ngx_ws_chat_kafka->topics.nelts; i++) {

        if (topics[i]->off) {
            continue;
        }

        conf = rd_kafka_default_topic_conf_dup(p->rk);

        rd_kafka_topic_conf_set_opaque(conf, &ngx_ws_chat_kafka_seen[i]);
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


/* On whatever thread: nothing but arithmetic. */

static int32_t
ngx_ws_chat_kafka_partition(const rd_kafka_topic_t *topic, const void *key,
    size_t len, int32_t partitions, void *seen, void *data)
{
    wsc_str_t  s;

    __atomic_store_n((int32_t *) seen, partitions, __ATOMIC_RELAXED);

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


/* What it still has is given up. */

static void
ngx_ws_chat_kafka_close(ngx_ws_chat_kafka_producer_t *p)
{
    ngx_uint_t  i;

    ngx_queue_remove(&p->queue);

    (void) rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE
                                 |RD_KAFKA_PURGE_F_INFLIGHT);

    while (ngx_ws_chat_kafka_serve(p, 0) == NGX_WS_CHAT_KAFKA_TURN) {
        /* void */
    }

    if (p->connection) {
        rd_kafka_queue_io_event_enable(p->events, -1, NULL, 0);

        if (p->more.posted) {
            ngx_delete_posted_event(&p->more);
        }

        ngx_close_connection(p->connection);

    } else if (p->fd != -1) {
        (void) close(p->fd);
    }

    for (i = 0; i < ngx_ws_chat_kafka->topics.nelts; i++) {
        if (p->topics[i]) {
            rd_kafka_topic_destroy(p->topics[i]);
        }
    }

    rd_kafka_queue_destroy(p->events);
    rd_kafka_destroy(p->rk);

    wsc_free(&ngx_ws_chat_alloc, p);
}


/* what it tells */

static void
ngx_ws_chat_kafka_read_handler(ngx_event_t *rev)
{
    uint64_t                       n;
    ngx_connection_t              *c;
    ngx_ws_chat_kafka_producer_t  *p;

    c = rev->data;
    p = c->data;

    if (read(p->fd, &n, sizeof(n)) == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, rev->log, ngx_errno,
                      "read() of eventfd failed");
    }

    ngx_ws_chat_kafka_more_handler(&p->more);
}


static void
ngx_ws_chat_kafka_more_handler(ngx_event_t *ev)
{
    ngx_ws_chat_kafka_producer_t  *p;

    p = ev->data;

    if (ngx_ws_chat_kafka_serve(p, 0) == NGX_WS_CHAT_KAFKA_TURN
        && !ev->posted)
    {
        ngx_post_event(ev, &ngx_posted_next_events);
    }
}


/* Serves a turn of events, waits for the first one; how many there were. */

static ngx_uint_t
ngx_ws_chat_kafka_serve(ngx_ws_chat_kafka_producer_t *p, int ms)
{
    ngx_uint_t         n;
    rd_kafka_event_t  *event;

    for (n = 0; n < NGX_WS_CHAT_KAFKA_TURN; n++) {
        event = rd_kafka_queue_poll(p->events, n ? 0 : ms);

        if (event == NULL) {
            break;
        }

        switch (rd_kafka_event_type(event)) {

        case RD_KAFKA_EVENT_DR:
            ngx_ws_chat_kafka_reports(event);
            break;

        case RD_KAFKA_EVENT_ERROR:
            ngx_ws_chat_kafka_error(p, event);
            break;

        case RD_KAFKA_EVENT_LOG:
            ngx_ws_chat_kafka_log(event);
            break;

        default:
            break;
        }

        rd_kafka_event_destroy(event);
    }

    return n;
}


static void
ngx_ws_chat_kafka_reports(rd_kafka_event_t *event)
{
    ngx_int_t                  rc;
    rd_kafka_resp_err_t        err;
    ngx_ws_chat_kafka_job_t   *job;
    const rd_kafka_message_t  *m;

    err = RD_KAFKA_RESP_ERR_NO_ERROR;

    for (m = rd_kafka_event_message_next(event);
         m;
         m = rd_kafka_event_message_next(event))
    {
        ngx_ws_chat_kafka_numbers.queued--;

        if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            rc = NGX_OK;
            ngx_ws_chat_kafka_down = 0;
            ngx_ws_chat_kafka_numbers.stored++;

        } else {
            rc = (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
                 ? NGX_ABORT
                 : (rd_kafka_message_status(m)
                    == RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
                 ? NGX_DECLINED : NGX_ERROR;
            ngx_ws_chat_kafka_numbers.failed++;
            err = m->err;
        }

        job = m->_private;

        if (job) {
            job->done(job, rc);
        }
    }

    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "Kafka did not store records: %s",
                      rd_kafka_err2str(err));
    }
}


static void
ngx_ws_chat_kafka_error(ngx_ws_chat_kafka_producer_t *p,
    rd_kafka_event_t *event)
{
    rd_kafka_resp_err_t  err;
    char                 text[NGX_WS_CHAT_KAFKA_TEXT];

    err = rd_kafka_event_error(event);

    if (rd_kafka_fatal_error(p->rk, text, sizeof(text))
        != RD_KAFKA_RESP_ERR_NO_ERROR)
    {
        if (!p->fatal) {
            ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                          "another producer for Kafka is made: %s", text);
        }

        p->fatal = 1;
        return;
    }

    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        ngx_ws_chat_kafka_down = 1;
        ngx_ws_chat_kafka_failed = ngx_current_msec;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0, "Kafka: %s",
                  rd_kafka_event_error_string(event));
}


static void
ngx_ws_chat_kafka_log(rd_kafka_event_t *event)
{
    int          level;
    const char  *facility, *text;

    if (rd_kafka_event_log(event, &facility, &text, &level) == 0) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0, "Kafka: %s: %s",
                      facility, text);
    }
}


/* records */

ngx_int_t
ngx_ws_chat_kafka_send(const ngx_ws_chat_kafka_record_t *r,
    ngx_ws_chat_kafka_job_t *job)
{
    u_char                         text[NGX_INT64_LEN];
    ngx_uint_t                     i;
    rd_kafka_headers_t            *headers;
    rd_kafka_resp_err_t            err;
    ngx_ws_chat_kafka_producer_t  *p;

    p = ngx_ws_chat_kafka_now;

    if (p == NULL || p->fatal || !ngx_ws_chat_kafka_fits(r->topic)) {
        return NGX_DECLINED;
    }

    headers = rd_kafka_headers_new(r->nheaders);
    if (headers == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < r->nheaders; i++) {
        (void) rd_kafka_header_add(headers, r->headers[i].name, -1, text,
                                   ngx_sprintf(text, "%uL",
                                               r->headers[i].value)
                                   - text);
    }

    err = rd_kafka_producev(p->rk,
                            RD_KAFKA_V_RKT(p->topics[r->topic->index]),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                            RD_KAFKA_V_KEY(r->key.data, r->key.len),
                            RD_KAFKA_V_VALUE(r->value.data, r->value.len),
                            RD_KAFKA_V_HEADERS(headers),
                            RD_KAFKA_V_OPAQUE(job),
                            RD_KAFKA_V_END);

    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ngx_ws_chat_kafka_numbers.queued++;
        return NGX_OK;
    }

    rd_kafka_headers_destroy(headers);

    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        ngx_ws_chat_kafka_numbers.refused++;
        return NGX_BUSY;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "a record for Kafka is refused: %s", rd_kafka_err2str(err));

    return NGX_DECLINED;
}


ngx_int_t
ngx_ws_chat_kafka_health(const ngx_ws_chat_kafka_topic_t *topic,
    const char **reason)
{
    if (ngx_ws_chat_kafka_now == NULL) {
        *reason = "there is no producer for Kafka";
        return NGX_DECLINED;
    }

    if (!ngx_ws_chat_kafka_fits(topic)) {
        *reason = "the topic has other partitions than configured";
        return NGX_DECLINED;
    }

    if (ngx_ws_chat_kafka_down) {
        *reason = "Kafka cannot be reached";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


const ngx_ws_chat_kafka_stat_t *
ngx_ws_chat_kafka_stat(void)
{
    return &ngx_ws_chat_kafka_numbers;
}


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


#include "ngx_ws_chat_kafka_int.h"
#include "ngx_ws_chat_stat.h"


#define NGX_WS_CHAT_KAFKA_TICK    250          /* ms */
#define NGX_WS_CHAT_KAFKA_TURN    1000         /* events of a turn */
#define NGX_WS_CHAT_KAFKA_RETRY   1000         /* ms between producers */
#define NGX_WS_CHAT_KAFKA_FLUSH   3000         /* ms at the end */
#define NGX_WS_CHAT_KAFKA_FLUSH_ASIDE  500     /* ... for what is no message */
#define NGX_WS_CHAT_KAFKA_DOWN    30000        /* ms that a failure counts */
#define NGX_WS_CHAT_KAFKA_EVENTS  4            /* of a queue a quarter */
#define NGX_WS_CHAT_KAFKA_ASIDE   2            /* ... is for events, half for
                                                  all that is no message */


static void ngx_ws_chat_kafka_give_up(ngx_ws_chat_kafka_producer_t *p);
static void ngx_ws_chat_kafka_tick(ngx_event_t *ev);
static void ngx_ws_chat_kafka_look(void);
static void ngx_ws_chat_kafka_probe(ngx_uint_t i);
static void ngx_ws_chat_kafka_start(void);
static ngx_uint_t ngx_ws_chat_kafka_serve(ngx_ws_chat_kafka_producer_t *p,
    int ms);
static void ngx_ws_chat_kafka_reports(rd_kafka_event_t *event);
static ngx_uint_t ngx_ws_chat_kafka_probed(const rd_kafka_message_t *m);
static ngx_int_t ngx_ws_chat_kafka_outcome(const rd_kafka_message_t *m);
static const ngx_ws_chat_kafka_topic_t *ngx_ws_chat_kafka_topic(
    const rd_kafka_message_t *m);
static ngx_int_t ngx_ws_chat_kafka_outcome_aside(const rd_kafka_message_t *m);
static void ngx_ws_chat_kafka_lost(const ngx_ws_chat_kafka_topic_t *topic);
static void ngx_ws_chat_kafka_error(ngx_ws_chat_kafka_producer_t *p,
    rd_kafka_event_t *event);
static void ngx_ws_chat_kafka_log(rd_kafka_event_t *event);
static ngx_int_t ngx_ws_chat_kafka_give(const ngx_ws_chat_kafka_record_t *r,
    ngx_ws_chat_kafka_job_t *job);
static ngx_int_t ngx_ws_chat_kafka_refused(
    const ngx_ws_chat_kafka_topic_t *topic, rd_kafka_resp_err_t err);
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
static ngx_ws_chat_kafka_count_t       *ngx_ws_chat_kafka_counts;
static ngx_int_t                        ngx_ws_chat_kafka_aside;    /* queued,
                                                            no messages */


ngx_int_t
ngx_ws_chat_kafka_init_process(const ngx_ws_chat_kafka_conf_t *conf,
    ngx_cycle_t *cycle)
{
    ngx_uint_t                   i;
    ngx_event_t                 *ev;
    ngx_ws_chat_kafka_topic_t  **topics;

    ngx_queue_init(&ngx_ws_chat_kafka_retired);

    if (conf->brokers.len == 0) {
        return NGX_OK;
    }

    ngx_ws_chat_kafka = conf;

    ngx_ws_chat_kafka_counts = ngx_pcalloc(cycle->pool,
                           conf->topics.nelts
                           * sizeof(ngx_ws_chat_kafka_count_t) + 1);
    if (ngx_ws_chat_kafka_counts == NULL) {
        return NGX_ERROR;
    }

    topics = conf->topics.elts;

    for (i = 0; i < conf->topics.nelts; i++) {
        ngx_ws_chat_kafka_counts[i].wanted = (int32_t) topics[i]->partitions;
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
ngx_ws_chat_kafka_flush(void)
{
    ngx_int_t                      n;
    ngx_msec_t                     until_aside;
    ngx_ws_chat_kafka_producer_t  *p;

    static ngx_msec_t              until;

    p = ngx_ws_chat_kafka_now;

    if (p == NULL) {
        return;
    }

    if (until == 0) {
        until = ngx_current_msec + NGX_WS_CHAT_KAFKA_FLUSH;
    }

    until_aside = ngx_current_msec + NGX_WS_CHAT_KAFKA_FLUSH_ASIDE;

    for ( ;; ) {
        n = rd_kafka_outq_len(p->rk);

        if ((ngx_msec_int_t) (until_aside - ngx_current_msec) <= 0) {
            n -= ngx_ws_chat_kafka_aside;
        }

        if (n <= 0 || (ngx_msec_int_t) (until - ngx_current_msec) <= 0) {
            return;
        }

        (void) ngx_ws_chat_kafka_serve(p, 50);
        ngx_time_update();
    }
}


void
ngx_ws_chat_kafka_exit_process(void)
{
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
        ngx_queue_insert_tail(&ngx_ws_chat_kafka_retired, &p->queue);
    }

    while (!ngx_queue_empty(&ngx_ws_chat_kafka_retired)) {
        q = ngx_queue_head(&ngx_ws_chat_kafka_retired);
        p = ngx_queue_data(q, ngx_ws_chat_kafka_producer_t, queue);

        ngx_queue_remove(q);
        ngx_ws_chat_kafka_give_up(p);
        ngx_ws_chat_kafka_close(p);
    }

    ngx_ws_chat_kafka_ended();

    ngx_ws_chat_kafka = NULL;
}


/* Nobody waits any longer: this may take a moment. */

static void
ngx_ws_chat_kafka_give_up(ngx_ws_chat_kafka_producer_t *p)
{
    (void) rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE
                                 |RD_KAFKA_PURGE_F_INFLIGHT);

    while (ngx_ws_chat_kafka_serve(p, 0) == NGX_WS_CHAT_KAFKA_TURN) {
        /* void */
    }
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

        ngx_ws_chat_counters->kafka_replaced++;
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
            ngx_queue_remove(q);
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
    ngx_uint_t                   i, unfit;
    ngx_ws_chat_kafka_topic_t  **topics;

    static ngx_uint_t            told;

    topics = ngx_ws_chat_kafka->topics.elts;
    unfit = 0;

    for (i = 0; i < ngx_ws_chat_kafka->topics.nelts; i++) {

        if (ngx_ws_chat_kafka_fits(topics[i])) {
            continue;
        }

        if (!told) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "topic \"%V\" has %D partitions, "
                          "\"ws_chat_kafka_topic\" says %ui",
                          &topics[i]->name, ngx_ws_chat_kafka_counts[i].seen,
                          topics[i]->partitions);
        }

        unfit = 1;
        ngx_ws_chat_kafka_probe(i);
    }

    told = unfit;

    if (ngx_ws_chat_kafka_down
        && ngx_current_msec - ngx_ws_chat_kafka_failed
           >= NGX_WS_CHAT_KAFKA_DOWN
        && ngx_ws_chat_counters->kafka_queued == 0)
    {
        /* nothing was tried since */
        ngx_ws_chat_kafka_down = 0;
    }
}


/* Nothing is sent: the partitioner refuses it, having counted them again. */

static void
ngx_ws_chat_kafka_probe(ngx_uint_t i)
{
    if (ngx_ws_chat_kafka_now) {
        (void) rd_kafka_produce(ngx_ws_chat_kafka_now->topics[i],
                                RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                NULL, 0, "?", 1,
                                &ngx_ws_chat_kafka_counts[i]);
    }
}


static ngx_uint_t
ngx_ws_chat_kafka_fits(const ngx_ws_chat_kafka_topic_t *topic)
{
    int32_t  seen;

    if (topic->off || topic->partitions == 0) {
        return 1;
    }

    seen = __atomic_load_n(&ngx_ws_chat_kafka_counts[topic->index].seen,
                           __ATOMIC_RELAXED);

    return seen == 0 || (ngx_uint_t) seen == topic->partitions;
}


static void
ngx_ws_chat_kafka_start(void)
{
    ngx_ws_chat_kafka_tried = ngx_current_msec;
    ngx_ws_chat_kafka_now = ngx_ws_chat_kafka_open(ngx_ws_chat_kafka,
                                                   ngx_ws_chat_kafka_counts,
                                                   ngx_cycle->log);
}


/* what it tells */

void
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


void
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
        if (ngx_ws_chat_kafka_probed(m)) {
            continue;
        }

        rc = ngx_ws_chat_kafka_outcome(m);

        if (rc != NGX_OK) {
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


static ngx_uint_t
ngx_ws_chat_kafka_probed(const rd_kafka_message_t *m)
{
    const ngx_ws_chat_kafka_count_t  *count;

    count = m->_private;

    return count >= ngx_ws_chat_kafka_counts
           && count < ngx_ws_chat_kafka_counts
                      + ngx_ws_chat_kafka->topics.nelts;
}


/* Counts it: what a job is told. */

static ngx_int_t
ngx_ws_chat_kafka_outcome(const rd_kafka_message_t *m)
{
    if (ngx_ws_chat_kafka_topic(m)->aside) {
        return ngx_ws_chat_kafka_outcome_aside(m);
    }

    ngx_ws_chat_counters->kafka_queued--;

    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ngx_ws_chat_kafka_down = 0;
        ngx_ws_chat_counters->kafka_stored++;

        wsc_hist_add(&ngx_ws_chat_stat_own->kafka,
                     ngx_max(rd_kafka_message_latency(m), 0));
        return NGX_OK;
    }

    ngx_ws_chat_counters->kafka_failed++;

    if (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        return NGX_ABORT;
    }

    return (rd_kafka_message_status(m) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
           ? NGX_DECLINED : NGX_ERROR;
}


static const ngx_ws_chat_kafka_topic_t *
ngx_ws_chat_kafka_topic(const rd_kafka_message_t *m)
{
    ngx_ws_chat_kafka_count_t   *count;
    ngx_ws_chat_kafka_topic_t  **topics;

    topics = ngx_ws_chat_kafka->topics.elts;
    count = rd_kafka_topic_opaque(m->rkt);

    return topics[count - ngx_ws_chat_kafka_counts];
}


/* Nobody waits for it, and messages go on without it. */

static ngx_int_t
ngx_ws_chat_kafka_outcome_aside(const rd_kafka_message_t *m)
{
    ngx_ws_chat_kafka_aside--;

    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        ngx_ws_chat_kafka_lost(ngx_ws_chat_kafka_topic(m));

        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "Kafka did not store what is no message: %s",
                      rd_kafka_err2str(m->err));
    }

    return NGX_OK;
}


static void
ngx_ws_chat_kafka_lost(const ngx_ws_chat_kafka_topic_t *topic)
{
    if (topic->eventful) {
        ngx_ws_chat_counters->kafka_untold++;

    } else {
        ngx_ws_chat_counters->kafka_unmarked++;
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
    ngx_int_t  rc;

    rc = ngx_ws_chat_kafka_give(r, job);

    if (rc != NGX_OK && r->topic->aside) {
        /* nobody else will hear of it */
        ngx_ws_chat_kafka_lost(r->topic);
    }

    return rc;
}


static ngx_int_t
ngx_ws_chat_kafka_give(const ngx_ws_chat_kafka_record_t *r,
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

    if (r->topic->aside
        && ngx_ws_chat_kafka_aside
           >= p->room / (r->topic->eventful ? NGX_WS_CHAT_KAFKA_EVENTS
                                            : NGX_WS_CHAT_KAFKA_ASIDE))
    {
        return NGX_BUSY;
    }

    headers = r->value->failed ? NULL : rd_kafka_headers_new(r->nheaders);
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
                            RD_KAFKA_V_VALUE(r->value->data, r->value->len),
                            RD_KAFKA_V_HEADERS(headers),
                            RD_KAFKA_V_OPAQUE(job),
                            RD_KAFKA_V_END);

    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_headers_destroy(headers);
        return ngx_ws_chat_kafka_refused(r->topic, err);
    }

    if (r->topic->aside) {
        ngx_ws_chat_kafka_aside++;

    } else {
        ngx_ws_chat_counters->kafka_queued++;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_kafka_refused(const ngx_ws_chat_kafka_topic_t *topic,
    rd_kafka_resp_err_t err)
{
    if (topic->aside) {
        return NGX_DECLINED;
    }

    if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        ngx_ws_chat_counters->kafka_refused++;
        return NGX_BUSY;
    }

    ngx_ws_chat_counters->kafka_failed++;

    if (err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
        return NGX_ABORT;
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

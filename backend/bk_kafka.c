
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdlib.h>
#include <string.h>

#include "bk_kafka.h"
#include "bk_kafka_conf.h"
#include "bk_kafka_edge.h"
#include "bk_log.h"
#include "bk_mem.h"
#include "bk_status.h"


#define BK_KAFKA_TIMEOUT  5000    /* ms for an answer */
#define BK_KAFKA_PROBE    2000    /* ms between looks for lost brokers */
#define BK_KAFKA_MEASURE  1000    /* ms between measures of the lag */


struct bk_kafka_s {
    rd_kafka_t             *rk;
    const bk_kafka_ops_t   *ops;
    void                   *data;
    uint64_t                probed;
    uint64_t                measured;
    unsigned                down:1;
};


static int bk_kafka_subscribe(bk_kafka_t *k);
static rd_kafka_resp_err_t bk_kafka_again(bk_kafka_t *k);
static void bk_kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque);
static void bk_kafka_assign(bk_kafka_t *k,
    rd_kafka_topic_partition_list_t *list);
static void bk_kafka_on_error(rd_kafka_t *rk, int err, const char *reason,
    void *opaque);
static void bk_kafka_probe(bk_kafka_t *k);
static void bk_kafka_failed(bk_kafka_t *k, bk_kafka_message_t *m);
static int64_t bk_kafka_behind(bk_kafka_t *k, int32_t partition);
static int64_t bk_kafka_limit(bk_kafka_t *k, int32_t partition,
    int64_t which);


/* who cannot store leaves its partitions to others, which wait for that */

static const char *const  bk_kafka_consumer[] = {
    "enable.auto.commit", "false",
    "enable.auto.offset.store", "false",
    "auto.offset.reset", "error",
    "partition.assignment.strategy", "range",
    "session.timeout.ms", "10000",
    "heartbeat.interval.ms", "2000",
    "max.poll.interval.ms", "60000",
    "topic.metadata.refresh.interval.ms", "30000",
    NULL
};


bk_kafka_t *
bk_kafka_open(const char *group, const char *const *overrides,
    const bk_kafka_ops_t *ops, void *data)
{
    char              error[512];
    unsigned          i, n;
    const char       *pairs[48];
    bk_kafka_t       *k;
    rd_kafka_conf_t  *conf;

    n = 0;
    pairs[n++] = "group.id";
    pairs[n++] = group;

    for (i = 0; bk_kafka_consumer[i]; i++) {
        pairs[n++] = bk_kafka_consumer[i];
    }

    for (i = 0; overrides[i]; i++) {
        pairs[n++] = overrides[i];
    }

    pairs[n] = NULL;

    conf = bk_kafka_conf(pairs);
    if (conf == NULL) {
        return NULL;
    }

    k = calloc(1, sizeof(bk_kafka_t));
    if (k == NULL) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }

    k->ops = ops;
    k->data = data;

    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_rebalance_cb(conf, bk_kafka_on_rebalance);
    rd_kafka_conf_set_error_cb(conf, bk_kafka_on_error);

    k->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));

    if (k->rk == NULL) {
        bk_log(BK_LOG_ERROR, "no Kafka consumer", bk_str("error", error));
        rd_kafka_conf_destroy(conf);
        free(k);
        return NULL;
    }

    if (bk_kafka_subscribe(k) == -1) {
        rd_kafka_destroy(k->rk);
        free(k);
        return NULL;
    }

    return k;
}


static int
bk_kafka_subscribe(bk_kafka_t *k)
{
    rd_kafka_resp_err_t               err;
    rd_kafka_topic_partition_list_t  *list;

    rd_kafka_poll_set_consumer(k->rk);

    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, bk_kafka_topic,
                                      RD_KAFKA_PARTITION_UA);

    err = rd_kafka_subscribe(k->rk, list);

    rd_kafka_topic_partition_list_destroy(list);

    if (err) {
        bk_log(BK_LOG_ERROR, "cannot subscribe",
               bk_str("topic", bk_kafka_topic),
               bk_str("error", rd_kafka_err2str(err)));
        return -1;
    }

    return 0;
}


void
bk_kafka_close(bk_kafka_t *k)
{
    rd_kafka_consumer_close(k->rk);
    rd_kafka_destroy(k->rk);
    free(k);
}


bk_kafka_message_t *
bk_kafka_poll(bk_kafka_t *k, int ms)
{
    bk_kafka_message_t  *m;

    if (k->down) {
        bk_kafka_probe(k);
    }

    bk_kafka_measure(k);

    m = rd_kafka_consumer_poll(k->rk, ms);

    if (m && m->err) {
        bk_kafka_failed(k, m);
        rd_kafka_message_destroy(m);
        return NULL;
    }

    return m;
}


void
bk_kafka_measure(bk_kafka_t *k)
{
    int                               i;
    int64_t                           lag;
    uint64_t                          now;
    rd_kafka_topic_partition_list_t  *list;

    now = bk_ticks();

    if (now - k->measured < BK_KAFKA_MEASURE) {
        return;
    }

    k->measured = now;

    if (rd_kafka_assignment(k->rk, &list)) {
        return;
    }

    lag = 0;

    for (i = 0; i < list->cnt; i++) {
        lag += bk_kafka_behind(k, list->elems[i].partition);
    }

    rd_kafka_topic_partition_list_destroy(list);

    bk_metric_set(k->ops->lag, lag);
}


static int64_t
bk_kafka_behind(bk_kafka_t *k, int32_t partition)
{
    int64_t  low, high, stored;

    /* high is invalid, which is negative, until something was fetched */

    if (rd_kafka_get_watermark_offsets(k->rk, bk_kafka_topic, partition,
                                       &low, &high)
        != RD_KAFKA_RESP_ERR_NO_ERROR)
    {
        return 0;
    }

    stored = k->ops->stored(k->data, partition);

    if (stored < 0) {
        stored = 0;
    }

    return (high > stored) ? high - stored : 0;
}


void
bk_kafka_free(bk_kafka_message_t *m)
{
    rd_kafka_message_destroy(m);
}


int32_t
bk_kafka_partition(const bk_kafka_message_t *m)
{
    return m->partition;
}


int64_t
bk_kafka_offset(const bk_kafka_message_t *m)
{
    return m->offset;
}


void
bk_kafka_raw(bk_kafka_message_t *m, bk_raw_t *raw)
{
    size_t                size;
    int64_t               ms;
    unsigned              i;
    const void           *value;
    rd_kafka_headers_t   *headers;

    memset(raw, 0, sizeof(bk_raw_t));

    raw->key.data = m->key;
    raw->key.len = m->key_len;
    raw->value.data = m->payload;
    raw->value.len = m->len;

    ms = rd_kafka_message_timestamp(m, NULL);
    raw->timestamp = (ms > 0) ? (uint64_t) ms : bk_now();

    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }

    for (i = 0; i < BK_HEADER_N; i++) {
        if (rd_kafka_header_get_last(headers, bk_header_names[i], &value,
                                     &size)
            == RD_KAFKA_RESP_ERR_NO_ERROR)
        {
            raw->headers[i].data = value ? (u_char *) value : (u_char *) "";
            raw->headers[i].len = value ? size : 0;
        }
    }
}


int32_t
bk_kafka_partitions(bk_kafka_t *k)
{
    int32_t                            n;
    rd_kafka_topic_t                  *topic;
    rd_kafka_resp_err_t                err;
    const struct rd_kafka_metadata    *meta;

    topic = rd_kafka_topic_new(k->rk, bk_kafka_topic, NULL);
    if (topic == NULL) {
        return 0;
    }

    n = 0;
    err = rd_kafka_metadata(k->rk, 0, topic, &meta, BK_KAFKA_TIMEOUT);

    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (meta->topic_cnt == 1) {
            n = meta->topics[0].partition_cnt;
            err = meta->topics[0].err;
        }

        rd_kafka_metadata_destroy(meta);
    }

    rd_kafka_topic_destroy(topic);

    if (n == 0) {
        bk_log(BK_LOG_WARN, "the topic is not known",
               bk_str("topic", bk_kafka_topic),
               bk_str("error", rd_kafka_err2str(err)));
    }

    return n;
}


int
bk_kafka_seek(bk_kafka_t *k, int32_t partition)
{
    rd_kafka_error_t                 *error;
    rd_kafka_resp_err_t               err;
    rd_kafka_topic_partition_list_t  *list;

    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, bk_kafka_topic, partition)
        ->offset = k->ops->position(k->data, partition);

    error = rd_kafka_seek_partitions(k->rk, list, BK_KAFKA_TIMEOUT);
    err = error ? rd_kafka_error_code(error) : list->elems[0].err;

    if (error) {
        rd_kafka_error_destroy(error);
    }

    rd_kafka_topic_partition_list_destroy(list);

    /* a partition that is not being fetched begins with an assignment only */

    if (err) {
        err = bk_kafka_again(k);
    }

    if (err) {
        bk_log(BK_LOG_WARN, "cannot seek", bk_num("partition", partition),
               bk_str("error", rd_kafka_err2str(err)));
        return -1;
    }

    return 0;
}


/* The same partitions once more, each from where it is. */

static rd_kafka_resp_err_t
bk_kafka_again(bk_kafka_t *k)
{
    int                               i;
    rd_kafka_resp_err_t               err;
    rd_kafka_topic_partition_list_t  *list;

    err = rd_kafka_assignment(k->rk, &list);
    if (err) {
        return err;
    }

    for (i = 0; i < list->cnt; i++) {
        list->elems[i].offset = k->ops->position(k->data,
                                                 list->elems[i].partition);
    }

    if (list->cnt) {
        err = rd_kafka_assign(k->rk, list);
    }

    rd_kafka_topic_partition_list_destroy(list);

    return err;
}


void
bk_kafka_commit(bk_kafka_t *k, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t  *list;

    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, bk_kafka_topic, partition)
        ->offset = offset;

    (void) rd_kafka_commit(k->rk, list, 1);

    rd_kafka_topic_partition_list_destroy(list);
}


int64_t
bk_kafka_committed(bk_kafka_t *k, int32_t partition)
{
    int64_t                           offset;
    rd_kafka_resp_err_t               err;
    rd_kafka_topic_partition_list_t  *list;

    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, bk_kafka_topic, partition);

    err = rd_kafka_committed(k->rk, list, BK_KAFKA_TIMEOUT);
    offset = list->elems[0].offset;

    rd_kafka_topic_partition_list_destroy(list);

    if (err) {
        return -2;
    }

    return (offset < 0) ? -1 : offset;
}


int
bk_kafka_range(bk_kafka_t *k, int32_t partition, int64_t *low, int64_t *high)
{
    *low = bk_kafka_limit(k, partition, RD_KAFKA_OFFSET_BEGINNING);
    *high = (*low < 0) ? -1 : bk_kafka_limit(k, partition,
                                             RD_KAFKA_OFFSET_END);

    return (*high < 0) ? -1 : 0;
}


int
bk_kafka_gone(bk_kafka_t *k, int32_t partition, int64_t offset, int64_t *low,
    int64_t *high)
{
    if (bk_kafka_range(k, partition, low, high) == -1) {
        return 0;
    }

    if (offset != BK_KAFKA_BEGINNING && (offset < *low || offset > *high)) {
        return 1;
    }

    bk_log(BK_LOG_INFO, "records are there after all",
           bk_num("partition", partition), bk_num("next", offset),
           bk_num("first", *low), bk_num("end", *high));

    return 0;
}


/* One end of a partition; -1: it is logged why not. */

static int64_t
bk_kafka_limit(bk_kafka_t *k, int32_t partition, int64_t which)
{
    int64_t                           offset;
    rd_kafka_resp_err_t               err;
    rd_kafka_topic_partition_list_t  *list;

    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, bk_kafka_topic, partition);

    err = bk_kafka_edge(k->rk, list, which, BK_KAFKA_TIMEOUT);
    offset = err ? -1 : list->elems[0].offset;

    rd_kafka_topic_partition_list_destroy(list);

    if (err) {
        bk_log(BK_LOG_WARN, "no watermarks", bk_num("partition", partition),
               bk_str("error", rd_kafka_err2str(err)));
    }

    return offset;
}


/* callbacks */

static void
bk_kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
    rd_kafka_topic_partition_list_t *list, void *opaque)
{
    bk_kafka_t *k = opaque;

    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        bk_kafka_assign(k, list);
        return;
    }

    bk_log(BK_LOG_INFO, "partitions are given back",
           bk_num("partitions", list->cnt));

    k->ops->revoked(k->data);

    rd_kafka_assign(rk, NULL);
}


static void
bk_kafka_assign(bk_kafka_t *k, rd_kafka_topic_partition_list_t *list)
{
    int                           i;
    rd_kafka_topic_partition_t   *p;

    bk_log(BK_LOG_INFO, "partitions are ours",
           bk_num("partitions", list->cnt));

    for (i = 0; i < list->cnt; i++) {
        p = &list->elems[i];
        p->offset = k->ops->assigned(k->data, p->partition);

        if (p->offset == -1) {
            rd_kafka_assign(k->rk, NULL);
            return;
        }
    }

    rd_kafka_assign(k->rk, list);
}


static void
bk_kafka_on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque)
{
    bk_kafka_t *k = opaque;

    bk_log(BK_LOG_WARN, "Kafka", bk_str("error", rd_kafka_err2name(err)),
           bk_str("text", reason));

    if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !k->down) {
        k->down = 1;
        bk_status_set(BK_STATUS_KAFKA, "Kafka cannot be reached");
    }
}


/* The library connects again by itself, but does not say so. */

static void
bk_kafka_probe(bk_kafka_t *k)
{
    const struct rd_kafka_metadata  *meta;

    if (bk_ticks() - k->probed < BK_KAFKA_PROBE) {
        return;
    }

    if (rd_kafka_metadata(k->rk, 0, NULL, &meta, BK_KAFKA_PROBE / 4)
        == RD_KAFKA_RESP_ERR_NO_ERROR)
    {
        rd_kafka_metadata_destroy(meta);

        k->down = 0;
        bk_status_set(BK_STATUS_KAFKA, NULL);
    }

    k->probed = bk_ticks();
}


static void
bk_kafka_failed(bk_kafka_t *k, bk_kafka_message_t *m)
{
    if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        k->ops->lost(k->data, m->partition);
        return;
    }

    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (k->ops->ended) {
            k->ops->ended(k->data, m->partition, m->offset);
        }

        return;
    }

    bk_log(BK_LOG_WARN, "Kafka", bk_str("error", rd_kafka_err2name(m->err)),
           bk_num("partition", m->partition),
           bk_str("text", rd_kafka_message_errstr(m)));
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * It is asked seldom, so each time has a connection of its own.
 */


#include <stdlib.h>

#include "bk_kafka.h"
#include "bk_kafka_conf.h"
#include "bk_kafka_edge.h"
#include "bk_kafka_ends.h"
#include "bk_log.h"


#define BK_KAFKA_ENDS_TIMEOUT  700    /* ms for an answer */


static rd_kafka_topic_partition_list_t *bk_kafka_ends_list(rd_kafka_t *rk);
static int bk_kafka_ends_read(rd_kafka_t *rk,
    rd_kafka_topic_partition_list_t *list, int64_t *ends);


/* what stands behind an open transaction is acknowledged, though not read */

static const char *const  bk_kafka_ends_pairs[] = {
    "isolation.level", "read_uncommitted",
    NULL
};


int
bk_kafka_ends(int64_t **ends)
{
    int                               n;
    char                              error[512];
    rd_kafka_t                       *rk;
    rd_kafka_conf_t                  *conf;
    rd_kafka_topic_partition_list_t  *list;

    conf = bk_kafka_conf(bk_kafka_ends_pairs);
    if (conf == NULL) {
        return -1;
    }

    rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));

    if (rk == NULL) {
        bk_log(BK_LOG_ERROR, "no Kafka client", bk_str("error", error));
        rd_kafka_conf_destroy(conf);
        return -1;
    }

    n = -1;
    *ends = NULL;
    list = bk_kafka_ends_list(rk);

    if (list) {
        *ends = calloc(list->cnt, sizeof(int64_t));
        n = *ends ? bk_kafka_ends_read(rk, list, *ends) : -1;

        rd_kafka_topic_partition_list_destroy(list);
    }

    rd_kafka_destroy(rk);

    if (n == -1) {
        free(*ends);
    }

    return n;
}


/* All partitions of the topic; NULL: they are not known. */

static rd_kafka_topic_partition_list_t *
bk_kafka_ends_list(rd_kafka_t *rk)
{
    int                                i;
    rd_kafka_topic_t                  *topic;
    rd_kafka_resp_err_t                err;
    const struct rd_kafka_metadata    *meta;
    rd_kafka_topic_partition_list_t   *list;

    topic = rd_kafka_topic_new(rk, bk_kafka_topic, NULL);
    if (topic == NULL) {
        return NULL;
    }

    list = NULL;
    err = rd_kafka_metadata(rk, 0, topic, &meta, BK_KAFKA_ENDS_TIMEOUT);

    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        err = meta->topics[0].err;

        if (meta->topics[0].partition_cnt) {
            list = rd_kafka_topic_partition_list_new(
                                           meta->topics[0].partition_cnt);
        }

        for (i = 0; list && i < meta->topics[0].partition_cnt; i++) {
            rd_kafka_topic_partition_list_add(list, bk_kafka_topic, i);
        }

        rd_kafka_metadata_destroy(meta);
    }

    rd_kafka_topic_destroy(topic);

    if (list == NULL) {
        bk_log(BK_LOG_WARN, "the topic is not known",
               bk_str("topic", bk_kafka_topic),
               bk_str("error", rd_kafka_err2str(err)));
    }

    return list;
}


static int
bk_kafka_ends_read(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
    int64_t *ends)
{
    int                   i;
    rd_kafka_resp_err_t   err;

    err = bk_kafka_edge(rk, list, RD_KAFKA_OFFSET_END, BK_KAFKA_ENDS_TIMEOUT);

    for (i = 0; err == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        ends[list->elems[i].partition] = list->elems[i].offset;
    }

    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        err = bk_kafka_edge(rk, list, RD_KAFKA_OFFSET_BEGINNING,
                            BK_KAFKA_ENDS_TIMEOUT);
    }

    if (err) {
        bk_log(BK_LOG_WARN, "the topic does not tell where it ends",
               bk_str("topic", bk_kafka_topic),
               bk_str("error", rd_kafka_err2str(err)));
        return -1;
    }

    /* nothing is left of it */

    for (i = 0; i < list->cnt; i++) {
        if (list->elems[i].offset == ends[list->elems[i].partition]) {
            ends[list->elems[i].partition] = 0;
        }
    }

    return list->cnt;
}

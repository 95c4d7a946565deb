
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "bk_kafka_edge.h"


/* As a time these mean the last and the first offset. */

rd_kafka_resp_err_t
bk_kafka_edge(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list,
    int64_t which, int timeout)
{
    int                   i;
    rd_kafka_resp_err_t   err;

    for (i = 0; i < list->cnt; i++) {
        list->elems[i].offset = which;
    }

    err = rd_kafka_offsets_for_times(rk, list, timeout);

    for (i = 0; err == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        err = list->elems[i].err;
    }

    return err;
}

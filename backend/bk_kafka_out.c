
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdlib.h>

#include "bk_kafka_conf.h"
#include "bk_kafka_out.h"
#include "bk_log.h"


#define BK_KAFKA_OUT_TIMEOUT  10000       /* ms for the broker's word */
#define BK_KAFKA_OUT_MOVED    "moved"


struct bk_kafka_out_s {
    rd_kafka_t           *rk;
    rd_kafka_resp_err_t   err;            /* of the last record */
};


static int bk_kafka_out_make(bk_kafka_out_t *out);
static void bk_kafka_out_end(bk_kafka_out_t *out);
static int bk_kafka_out_ready(bk_kafka_out_t *out);
static void bk_kafka_out_report(rd_kafka_t *rk, const rd_kafka_message_t *m,
    void *opaque);
static rd_kafka_headers_t *bk_kafka_out_headers(const bk_kafka_message_t *m);


static const char *const  bk_kafka_out_pairs[] = {
    "enable.idempotence", "true",
    "message.timeout.ms", "8000",
    "message.max.bytes", "100000000",
    NULL
};


bk_kafka_out_t *
bk_kafka_out_open(void)
{
    bk_kafka_out_t  *out;

    out = calloc(1, sizeof(bk_kafka_out_t));

    if (out && bk_kafka_out_make(out) == -1) {
        free(out);
        return NULL;
    }

    return out;
}


static int
bk_kafka_out_make(bk_kafka_out_t *out)
{
    char              error[512];
    rd_kafka_conf_t  *conf;

    conf = bk_kafka_conf(bk_kafka_out_pairs);
    if (conf == NULL) {
        return -1;
    }

    rd_kafka_conf_set_opaque(conf, out);
    rd_kafka_conf_set_dr_msg_cb(conf, bk_kafka_out_report);

    out->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));

    if (out->rk == NULL) {
        bk_log(BK_LOG_ERROR, "no Kafka producer", bk_str("error", error));
        rd_kafka_conf_destroy(conf);
        return -1;
    }

    return 0;
}


void
bk_kafka_out_close(bk_kafka_out_t *out)
{
    if (out) {
        bk_kafka_out_end(out);
        free(out);
    }
}


static void
bk_kafka_out_end(bk_kafka_out_t *out)
{
    if (out->rk) {
        rd_kafka_destroy(out->rk);
        out->rk = NULL;
    }
}


/* One that has failed for good is made anew. */

static int
bk_kafka_out_ready(bk_kafka_out_t *out)
{
    char  text[512];

    if (out->rk
        && rd_kafka_fatal_error(out->rk, text, sizeof(text))
           != RD_KAFKA_RESP_ERR_NO_ERROR)
    {
        bk_log(BK_LOG_WARN, "another producer for Kafka is made",
               bk_str("error", text));
        bk_kafka_out_end(out);
    }

    return out->rk ? 0 : bk_kafka_out_make(out);
}


int
bk_kafka_out_move(bk_kafka_out_t *out, const bk_kafka_message_t *m,
    const wsc_str_t *key, int32_t partition)
{
    rd_kafka_resp_err_t   err;
    rd_kafka_headers_t   *headers;

    if (bk_kafka_out_ready(out) == -1) {
        return -1;
    }

    out->err = RD_KAFKA_RESP_ERR__IN_PROGRESS;

    headers = bk_kafka_out_headers(m);

    err = rd_kafka_producev(out->rk, RD_KAFKA_V_TOPIC(bk_kafka_topic),
                            RD_KAFKA_V_PARTITION(partition),
                            RD_KAFKA_V_KEY(key->data, key->len),
                            RD_KAFKA_V_VALUE(m->payload, m->len),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                            RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (err) {
        rd_kafka_headers_destroy(headers);

    } else {
        rd_kafka_flush(out->rk, BK_KAFKA_OUT_TIMEOUT);
        err = out->err;
    }

    if (err) {
        bk_log(BK_LOG_WARN, "cannot move a record",
               bk_num("partition", partition),
               bk_str("error", rd_kafka_err2str(err)));
        return -1;
    }

    return 0;
}


static rd_kafka_headers_t *
bk_kafka_out_headers(const bk_kafka_message_t *m)
{
    rd_kafka_headers_t  *headers, *had;

    headers = (rd_kafka_message_headers(m, &had) == RD_KAFKA_RESP_ERR_NO_ERROR)
              ? rd_kafka_headers_copy(had) : rd_kafka_headers_new(1);

    rd_kafka_header_add(headers, BK_KAFKA_OUT_MOVED, -1, "1", 1);

    return headers;
}


int
bk_kafka_out_moved(const bk_kafka_message_t *m)
{
    size_t               size;
    const void          *value;
    rd_kafka_headers_t  *headers;

    return rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR
           && rd_kafka_header_get_last(headers, BK_KAFKA_OUT_MOVED, &value,
                                       &size)
              == RD_KAFKA_RESP_ERR_NO_ERROR;
}


static void
bk_kafka_out_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    bk_kafka_out_t *out = opaque;

    out->err = m->err;
}

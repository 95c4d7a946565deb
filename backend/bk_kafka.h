
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The topic as a consumer of a group sees it.  All callbacks come from within
 * bk_kafka_poll() and bk_kafka_close(), on the caller's thread.
 */


#ifndef _BK_KAFKA_H_INCLUDED_
#define _BK_KAFKA_H_INCLUDED_


#include "bk_opt.h"
#include "bk_record.h"
#include "bk_status.h"


#define BK_KAFKA_BEGINNING  -2   /* the first offset there is */


typedef struct bk_kafka_s           bk_kafka_t;
typedef struct rd_kafka_message_s   bk_kafka_message_t;


typedef struct {
    /* A partition is ours now: the offset to begin with; -1: it ends. */
    int64_t        (*assigned)(void *data, int32_t partition);
    /* No partition is ours any more. */
    void           (*revoked)(void *data);
    /* Records behind this offset are no longer there. */
    void           (*lost)(void *data, int32_t partition);
    /* The offset that is due next of a partition that is ours. */
    int64_t        (*position)(void *data, int32_t partition);
    /* The first offset of it that is not dealt with; below 0: all of it. */
    int64_t        (*stored)(void *data, int32_t partition);
    /* Nothing is left to read before the offset; NULL: who cares not. */
    void           (*ended)(void *data, int32_t partition, int64_t offset);
    /* A gauge: the records that are not dealt with. */
    bk_metric_t     *lag;
} bk_kafka_ops_t;


extern const bk_opt_t  bk_kafka_options[];

extern const char     *bk_kafka_topic;     /* an option */


/*
 * Joins the group.  overrides: pairs of librdkafka properties, up to NULL,
 * which those of the configuration override.  NULL: it is logged why not.
 */
bk_kafka_t *bk_kafka_open(const char *group, const char *const *overrides,
    const bk_kafka_ops_t *ops, void *data);

/* Leaves the group and frees all. */
void bk_kafka_close(bk_kafka_t *k);

/*
 * The next record, which is the caller's until bk_kafka_free(); NULL: none
 * came within so many ms.
 */
bk_kafka_message_t *bk_kafka_poll(bk_kafka_t *k, int ms);
void bk_kafka_free(bk_kafka_message_t *m);

int32_t bk_kafka_partition(const bk_kafka_message_t *m);
int64_t bk_kafka_offset(const bk_kafka_message_t *m);

/*
 * Sets the gauge, once a second: by the partitions' ends as the last fetches
 * told them.  bk_kafka_poll() does it, too; it is for waits between.
 */
void bk_kafka_measure(bk_kafka_t *k);

/* The strings stay in the message. */
void bk_kafka_raw(bk_kafka_message_t *m, bk_raw_t *raw);

/* The topic's number of partitions; 0: not known, it is logged why. */
int32_t bk_kafka_partitions(bk_kafka_t *k);

/* Goes on from position() instead.  0, or -1: it is logged why not. */
int bk_kafka_seek(bk_kafka_t *k, int32_t partition);

/* Tells the group how far it is, as a hint for people; nothing reads it. */
void bk_kafka_commit(bk_kafka_t *k, int32_t partition, int64_t offset);

/* What was told so; -1: nothing was; -2: it is not known now. */
int64_t bk_kafka_committed(bk_kafka_t *k, int32_t partition);

/* The first offset there is, and what follows the last one; 0 or -1. */
int bk_kafka_range(bk_kafka_t *k, int32_t partition, int64_t *low,
    int64_t *high);

/* 1: this offset is not between them; 0: it is, or who knows: it is logged. */
int bk_kafka_gone(bk_kafka_t *k, int32_t partition, int64_t offset,
    int64_t *low, int64_t *high);


#endif /* _BK_KAFKA_H_INCLUDED_ */

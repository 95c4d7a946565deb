
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The archive: batches of records into PostgreSQL, each in a transaction with
 * how far their partitions are.  A batch is stored only if the archive stands
 * exactly where the batch was fetched from, so that who is late, or does it
 * again, changes nothing.
 */


#ifndef _BK_ARCHIVE_H_INCLUDED_
#define _BK_ARCHIVE_H_INCLUDED_


#include "bk_kafka.h"
#include "bk_pg.h"
#include "bk_status.h"


typedef struct {
    int64_t               from;      /* the offset it is fetched from; -1: the
                                        first record there is */
    int64_t               next;      /* behind the batch's last record */
    int64_t               stored;    /* what the archive says */
    int64_t               due;       /* the offset that comes next */
    unsigned              touched:1; /* has records in the batch */
    unsigned              ours:1;    /* stored == from */
    unsigned              dropped:1; /* what is left of it in the batch */
    unsigned              seeking:1; /* what comes is not from `from` yet */
    unsigned              ended:1;   /* nothing is left to read before due */
} bk_part_t;


typedef struct {
    bk_kafka_message_t   *m;
    bk_raw_t              raw;
    bk_record_t           record;
    const char           *bad;       /* static: why it is no message */
    unsigned              stray:1;   /* belongs to another partition */
} bk_item_t;


typedef struct {
    PGconn               *conn;      /* NULL: not connected */
    int64_t               epoch;
    int64_t               live;      /* positions come from headers */
    bk_part_t            *parts;     /* by partition */
    int32_t               nparts;
    int64_t               rows;      /* of the batch: messages, */
    int64_t               stored;    /* stored ones, */
    int64_t               dups;      /* repetitions among these; */
    int64_t               changed;   /* changes, */
    int64_t               vain;      /* those that changed nothing */
    wsc_buf_t             copy;
} bk_archive_t;


/* What the archiver counts. */

typedef enum {
    BK_ARCHIVE_RECORDS = 0,
    BK_ARCHIVE_MESSAGES,
    BK_ARCHIVE_DUPLICATES,
    BK_ARCHIVE_CHANGES,
    BK_ARCHIVE_VAIN,
    BK_ARCHIVE_REFUSED,
    BK_ARCHIVE_BAD,
    BK_ARCHIVE_MISROUTED,
    BK_ARCHIVE_COLLISIONS,
    BK_ARCHIVE_BATCHES,
    BK_ARCHIVE_STALE,
    BK_ARCHIVE_RETRIES,
    BK_ARCHIVE_LOST,
    BK_ARCHIVE_PARTITIONS,
    BK_ARCHIVE_LAG
} bk_archive_metric_e;


extern bk_metric_t  bk_archive_metrics[];


/* Connects if it is not; BK_PG_OK, or BK_PG_RETRY. */
bk_pg_rc_e bk_archive_connect(bk_archive_t *a);
void bk_archive_close(bk_archive_t *a);

/*
 * Where the archive of a partition stands: an offset, or -1.  BK_PG_BROKEN:
 * it is of a later epoch than ours.
 */
bk_pg_rc_e bk_archive_position(bk_archive_t *a, int32_t partition,
    int64_t *next);

/*
 * Stores what belongs to partitions that are ours, which it finds out.  With
 * BK_PG_OK it is done, the others' items are to be dropped.
 */
bk_pg_rc_e bk_archive_store(bk_archive_t *a, bk_item_t *items, size_t n);


#endif /* _BK_ARCHIVE_H_INCLUDED_ */

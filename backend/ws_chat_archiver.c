
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws-chat-archiver: the topic into PostgreSQL.  It gathers a batch, stores it,
 * and forgets it when another one was faster.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_backoff.h"
#include "wsc_epoch.h"
#include "bk_archive.h"
#include "bk_daemon.h"
#include "bk_kafka_out.h"
#include "bk_log.h"
#include "bk_mem.h"


#define BK_ARCHIVER_IDLE    200        /* ms of a poll */
#define BK_ARCHIVER_PAUSE   200        /* ms: first pause between attempts */
#define BK_ARCHIVER_PAUSES  5000       /* ms: the longest one */
#define BK_ARCHIVER_DRAIN   5000       /* ms to store the last batch */


typedef struct {
    bk_kafka_t      *kafka;
    bk_archive_t     archive;
    bk_item_t       *items;
    size_t           n;
    size_t           bytes;
    uint64_t         begun;            /* of the batch */
    uint64_t         told;             /* to end; 0: not yet */
    wsc_backoff_t    backoff;
    unsigned         seeking:1;        /* one of the partitions is */
    unsigned         ended:1;          /* one has come to its end */
    unsigned         failed:1;         /* it cannot go on */
} bk_archiver_t;


static int64_t bk_archiver_assigned(void *data, int32_t partition);
static int64_t bk_archiver_position(void *data, int32_t partition);
static int64_t bk_archiver_stored(void *data, int32_t partition);
static int bk_archiver_parts(bk_archiver_t *a, int32_t partition);
static void bk_archiver_revoked(void *data);
static void bk_archiver_lost(void *data, int32_t partition);
static void bk_archiver_ended(void *data, int32_t partition, int64_t offset);
static void bk_archiver_take(bk_archiver_t *a, bk_kafka_message_t *m);
static void bk_archiver_read(bk_archiver_t *a, bk_item_t *it);
static void bk_archiver_go(bk_archiver_t *a, int32_t partition,
    int64_t offset);
static void bk_archiver_seek(bk_archiver_t *a);
static int bk_archiver_due(bk_archiver_t *a);
static void bk_archiver_flush(bk_archiver_t *a);
static bk_pg_rc_e bk_archiver_range(bk_archiver_t *a, size_t first,
    size_t n);
static bk_pg_rc_e bk_archiver_one(bk_archiver_t *a, size_t i);
static int bk_archiver_ends(bk_archiver_t *a);
static void bk_archiver_settle(bk_archiver_t *a);
static void bk_archiver_touch(bk_archiver_t *a, size_t first, size_t n);
static bk_pg_rc_e bk_archiver_try(bk_archiver_t *a, size_t first, size_t n);
static void bk_archiver_empty(bk_archiver_t *a);
static int bk_archiver_over(bk_archiver_t *a);


static const char  *bk_archiver_group;
static int64_t      bk_archiver_epoch;
static int64_t      bk_archiver_delivery;
static int64_t      bk_archiver_records;
static int64_t      bk_archiver_bytes;
static int64_t      bk_archiver_wait;
static int64_t      bk_archiver_max_record;
static int64_t      bk_archiver_on_lost;


static const bk_opt_t  bk_archiver_options[] = {
    { "epoch", BK_OPT_INT, &bk_archiver_epoch, "",
      "of the topic, ms since 1970: the same for relay, archiver and nodes; "
      "a topic that is made anew needs a greater one", 1,
      WSC_MAX_INTEGER - 1, NULL },
    { "delivery", BK_OPT_CHOICE, &bk_archiver_delivery, "durable",
      "of the chats: where a position comes from, offset or headers", 0, 0,
      "durable|live" },
    { "kafka-group", BK_OPT_TEXT, &bk_archiver_group, "ws-chat-archiver",
      "instances of a group share the partitions", 0, 0, NULL },
    { "batch-records", BK_OPT_INT, &bk_archiver_records, "1000",
      "records in a transaction, at most", 1, 100000, NULL },
    { "batch-bytes", BK_OPT_INT, &bk_archiver_bytes, "4194304",
      "octets in a transaction, about", 1, 1 << 30, NULL },
    { "batch-wait", BK_OPT_INT, &bk_archiver_wait, "100",
      "ms that a record waits for others", 0, 60000, NULL },
    { "max-record", BK_OPT_INT, &bk_archiver_max_record, "1048576",
      "octets of a value; a longer one is a bad record", 1024, 1 << 30,
      NULL },
    { "on-lost", BK_OPT_CHOICE, &bk_archiver_on_lost, "stop",
      "records were deleted before they were archived: stop that partition, "
      "or go on with the first one left", 0, 0, "stop|skip" },
    { NULL, 0, NULL, NULL, NULL, 0, 0, NULL }
};

static const bk_opt_t *const  bk_archiver_tables[] = {
    bk_kafka_options, bk_pg_options, bk_archiver_options, bk_daemon_options,
    NULL
};

static const bk_daemon_t  bk_archiver_daemon = {
    "ws-chat-archiver",
    "archives the messages of a Kafka topic in PostgreSQL, each once",
    "ws_chat_archiver_",
    bk_archiver_tables,
    bk_archive_metrics,
    NULL
};

static const bk_kafka_ops_t  bk_archiver_ops = {
    bk_archiver_assigned,
    bk_archiver_revoked,
    bk_archiver_lost,
    bk_archiver_position,
    bk_archiver_stored,
    bk_archiver_ended,
    &bk_archive_metrics[BK_ARCHIVE_LAG]
};

static const char *const  bk_archiver_kafka[] = {
    "enable.partition.eof", "true",
    NULL
};


int
main(int argc, char **argv)
{
    bk_archiver_t        a;
    bk_kafka_message_t  *m;

    bk_daemon_init(&bk_archiver_daemon, argc, argv);

    memset(&a, 0, sizeof(bk_archiver_t));

    a.archive.epoch = bk_archiver_epoch;
    a.archive.live = bk_archiver_delivery;
    wsc_buf_init(&a.archive.copy, &bk_alloc);
    wsc_backoff_init(&a.backoff, BK_ARCHIVER_PAUSE, BK_ARCHIVER_PAUSES, 0);

    a.items = calloc(bk_archiver_records, sizeof(bk_item_t));
    if (a.items == NULL) {
        bk_log(BK_LOG_ERROR, "no memory");
        return 1;
    }

    bk_daemon_serve(&bk_archiver_daemon);

    a.kafka = bk_kafka_open(bk_archiver_group, bk_archiver_kafka,
                            &bk_archiver_ops, &a);
    if (a.kafka == NULL) {
        return bk_daemon_exit(1);
    }

    while (!bk_daemon_quit() && !a.failed) {

        m = bk_kafka_poll(a.kafka, a.n ? (int) bk_archiver_wait / 4 + 1
                                       : BK_ARCHIVER_IDLE);
        if (m) {
            bk_archiver_take(&a, m);
        }

        if (a.seeking) {
            bk_archiver_seek(&a);
        }

        if (bk_archiver_due(&a)) {
            bk_archiver_flush(&a);
        }
    }

    bk_archiver_flush(&a);

    bk_kafka_close(a.kafka);
    bk_archive_close(&a.archive);
    wsc_buf_free(&a.archive.copy);
    free(a.archive.parts);
    free(a.items);

    return bk_daemon_exit(a.failed);
}


/* partitions come and go */

static int64_t
bk_archiver_assigned(void *data, int32_t partition)
{
    bk_archiver_t *a = data;

    int64_t      next;
    bk_pg_rc_e   rc;
    bk_part_t   *part;

    for ( ;; ) {

        if (bk_archiver_over(a)) {
            return -1;
        }

        rc = bk_archiver_parts(a, partition) ? BK_PG_OK : BK_PG_RETRY;

        if (rc == BK_PG_OK) {
            rc = bk_archive_connect(&a->archive);
        }

        if (rc == BK_PG_OK) {
            rc = bk_archive_position(&a->archive, partition, &next);
        }

        if (rc == BK_PG_OK) {
            break;
        }

        if (rc == BK_PG_BROKEN
            && PQstatus(a->archive.conn) == CONNECTION_OK)
        {
            a->failed = 1;
            return -1;
        }

        bk_daemon_sleep(wsc_backoff_next(&a->backoff, bk_random()));
    }

    wsc_backoff_init(&a->backoff, BK_ARCHIVER_PAUSE, BK_ARCHIVER_PAUSES, 0);

    part = &a->archive.parts[partition];
    part->from = next;
    part->due = (next == -1) ? BK_KAFKA_BEGINNING : next;
    part->seeking = 0;

    bk_metric_add(&bk_archive_metrics[BK_ARCHIVE_PARTITIONS], 1);

    bk_log(BK_LOG_INFO, "partition", bk_num("partition", partition),
           bk_num("next", next));

    return part->due;
}


static int64_t
bk_archiver_position(void *data, int32_t partition)
{
    bk_archiver_t *a = data;

    return a->archive.parts[partition].due;
}


static int64_t
bk_archiver_stored(void *data, int32_t partition)
{
    bk_archiver_t *a = data;

    return a->archive.parts[partition].from;
}


/* The array has a place for each partition of the topic. */

static int
bk_archiver_parts(bk_archiver_t *a, int32_t partition)
{
    int32_t     n;
    bk_part_t  *parts;

    if (partition < a->archive.nparts) {
        return 1;
    }

    n = bk_kafka_partitions(a->kafka);

    if (n <= partition) {
        return 0;
    }

    parts = calloc(n, sizeof(bk_part_t));
    if (parts == NULL) {
        return 0;
    }

    if (a->archive.nparts) {
        bk_log(BK_LOG_ERROR, "the topic has other partitions than before: "
                             "that needs a new epoch",
               bk_num("before", a->archive.nparts), bk_num("now", n));
        memcpy(parts, a->archive.parts,
               a->archive.nparts * sizeof(bk_part_t));
    }

    free(a->archive.parts);
    a->archive.parts = parts;
    a->archive.nparts = n;

    return 1;
}


/* What was gathered is somebody else's now. */

static void
bk_archiver_revoked(void *data)
{
    bk_archiver_t *a = data;

    int32_t  p;

    bk_archiver_empty(a);

    for (p = 0; p < a->archive.nparts; p++) {
        a->archive.parts[p].seeking = 0;
    }

    bk_metric_set(&bk_archive_metrics[BK_ARCHIVE_PARTITIONS], 0);
}


static void
bk_archiver_lost(void *data, int32_t partition)
{
    bk_archiver_t *a = data;

    int64_t     low, high;
    bk_part_t  *part;

    part = &a->archive.parts[partition];

    /* it comes again, until Kafka tells where */

    if (!bk_kafka_gone(a->kafka, partition, part->due, &low, &high)) {
        bk_archiver_go(a, partition, part->due);
        return;
    }

    bk_metric_add(&bk_archive_metrics[BK_ARCHIVE_LOST], 1);

    bk_log(BK_LOG_ERROR, "records are gone that were never archived",
           bk_num("partition", partition), bk_num("next", part->from),
           bk_num("first", low), bk_num("end", high));

    if (bk_archiver_on_lost == 0 || part->from > high) {
        bk_status_set(BK_STATUS_DATA, "records are gone");
        return;
    }

    bk_archiver_go(a, partition, low);
}


/* Nothing of the partition counts before it is there. */

static void
bk_archiver_go(bk_archiver_t *a, int32_t partition, int64_t offset)
{
    a->archive.parts[partition].ended = 0;
    a->archive.parts[partition].seeking = 1;
    a->archive.parts[partition].due = offset;
    a->seeking = 1;
}


static void
bk_archiver_seek(bk_archiver_t *a)
{
    int32_t     p;
    bk_part_t  *part;

    a->seeking = 0;

    for (p = 0; p < a->archive.nparts; p++) {
        part = &a->archive.parts[p];

        if (part->seeking) {
            part->seeking = (bk_kafka_seek(a->kafka, p) == -1);
            a->seeking |= part->seeking;
        }
    }
}


/*
 * Markers of transactions and aborted records are passed over unseen, but
 * whoever asks whether all is archived knows the partition's end alone.
 */

static void
bk_archiver_ended(void *data, int32_t partition, int64_t offset)
{
    bk_archiver_t *a = data;

    bk_part_t  *part;

    part = &a->archive.parts[partition];

    if (!part->seeking && offset > part->due && offset > 0) {
        part->due = offset;
        part->ended = 1;
        a->ended = 1;
    }
}


/* gathering */

static void
bk_archiver_take(bk_archiver_t *a, bk_kafka_message_t *m)
{
    bk_item_t  *it;
    bk_part_t  *part;

    part = &a->archive.parts[bk_kafka_partition(m)];

    if (part->seeking || bk_kafka_offset(m) < part->from) {
        bk_kafka_free(m);
        return;
    }

    part->due = bk_kafka_offset(m) + 1;

    if (a->n == 0) {
        a->begun = bk_ticks();
    }

    it = &a->items[a->n++];

    memset(it, 0, sizeof(bk_item_t));
    it->m = m;

    bk_kafka_raw(m, &it->raw);
    a->bytes += it->raw.value.len;

    bk_archiver_read(a, it);

    if (it->bad) {
        bk_log(BK_LOG_WARN, "bad record", bk_str("reason", it->bad),
               bk_num("partition", bk_kafka_partition(m)),
               bk_num("offset", bk_kafka_offset(m)));
    }
}


static void
bk_archiver_read(bk_archiver_t *a, bk_item_t *it)
{
    ssize_t  rc;

    if (it->raw.value.len > (size_t) bk_archiver_max_record) {
        it->bad = "too long";
        return;
    }

    rc = bk_record_read(&bk_alloc, &it->raw, &it->record, &it->bad);

    if (rc == WSC_ERROR) {
        it->bad = "no memory to read it";
    }

    if (rc != WSC_OK) {
        return;
    }

    it->bad = NULL;

    if (a->archive.live) {
        if (it->record.pos.seq == 0 && it->record.op == BK_OP_MESSAGE) {
            it->bad = "no epoch and seq headers";
        }

        return;
    }

    it->stray = (wsc_shard(&it->record.chat_id, a->archive.nparts)
                 != (uint32_t) bk_kafka_partition(it->m));

    /* nobody moves it once more */

    if (it->stray && bk_kafka_out_moved(it->m)) {
        it->bad = "moved, and in a wrong partition again";
    }
}


static int
bk_archiver_due(bk_archiver_t *a)
{
    return (a->ended && a->n == 0)
           || a->n == (size_t) bk_archiver_records
           || a->bytes >= (size_t) bk_archiver_bytes
           || (a->n && bk_ticks() - a->begun >= (uint64_t) bk_archiver_wait);
}


/* storing */

static void
bk_archiver_flush(bk_archiver_t *a)
{
    size_t      i;
    bk_pg_rc_e  rc;

    if (a->n == 0 && !a->ended) {
        return;
    }

    rc = a->n ? bk_archiver_range(a, 0, a->n) : BK_PG_OK;

    if (rc == BK_PG_DATA) {

        /* which one is it?  None may be passed over */

        for (i = 0, rc = BK_PG_OK; rc == BK_PG_OK && i < a->n; i++) {
            rc = bk_archiver_one(a, i);
        }

        a->failed |= (rc == BK_PG_DATA);
    }

    if (rc == BK_PG_OK && bk_archiver_ends(a)) {
        (void) bk_archiver_range(a, a->n, 0);
    }

    bk_archiver_empty(a);
}


static bk_pg_rc_e
bk_archiver_one(bk_archiver_t *a, size_t i)
{
    bk_item_t   *it;
    bk_pg_rc_e   rc;

    it = &a->items[i];

    /* one before it has shown that the partition is not ours */

    if (a->archive.parts[bk_kafka_partition(it->m)].dropped) {
        return BK_PG_OK;
    }

    rc = bk_archiver_range(a, i, 1);

    if (rc != BK_PG_DATA) {
        return rc;
    }

    bk_log(BK_LOG_ERROR, "PostgreSQL refuses a record",
           bk_num("partition", bk_kafka_partition(it->m)),
           bk_num("offset", bk_kafka_offset(it->m)));

    it->bad = "PostgreSQL refuses it";

    return bk_archiver_range(a, i, 1);
}


/*
 * BK_PG_OK: they are stored, or not ours; BK_PG_DATA: one of them cannot be;
 * BK_PG_RETRY: it was told to end meanwhile.
 */

static bk_pg_rc_e
bk_archiver_range(bk_archiver_t *a, size_t first, size_t n)
{
    unsigned    refused;
    bk_pg_rc_e  rc;

    refused = 0;

    for ( ;; ) {
        rc = bk_archiver_try(a, first, n);

        if (rc == BK_PG_OK) {
            bk_archiver_settle(a);
            return BK_PG_OK;
        }

        bk_metric_add(&bk_archive_metrics[BK_ARCHIVE_RETRIES], 1);

        /* once more: another archiver may have stored the same cid */

        if (rc == BK_PG_DATA && refused++) {
            return BK_PG_DATA;
        }

        if (bk_archiver_over(a)) {
            return BK_PG_RETRY;
        }

        if (rc != BK_PG_DATA) {
            bk_status_set(BK_STATUS_STORE, "PostgreSQL does not store");
            bk_kafka_measure(a->kafka);
            bk_daemon_sleep(wsc_backoff_next(&a->backoff, bk_random()));
        }
    }
}


static bk_pg_rc_e
bk_archiver_try(bk_archiver_t *a, size_t first, size_t n)
{
    bk_pg_rc_e  rc;

    rc = bk_archive_connect(&a->archive);

    if (rc == BK_PG_OK) {
        bk_archiver_touch(a, first, n);
        rc = bk_archive_store(&a->archive, a->items + first, n);
    }

    if (rc == BK_PG_OK) {
        bk_status_set(BK_STATUS_STORE, NULL);
        wsc_backoff_init(&a->backoff, BK_ARCHIVER_PAUSE, BK_ARCHIVER_PAUSES,
                         0);
    }

    return rc;
}


static void
bk_archiver_touch(bk_archiver_t *a, size_t first, size_t n)
{
    size_t      i;
    int32_t     p;
    bk_part_t  *part;

    for (p = 0; p < a->archive.nparts; p++) {
        a->archive.parts[p].touched = 0;
    }

    for (i = first; i < first + n; i++) {
        part = &a->archive.parts[bk_kafka_partition(a->items[i].m)];
        part->touched = 1;
        part->next = bk_kafka_offset(a->items[i].m) + 1;
    }

    /* no records: the ends behind them */

    for (p = 0; n == 0 && p < a->archive.nparts; p++) {
        part = &a->archive.parts[p];
        part->touched = part->ended;
        part->next = part->due;
    }
}


/* 1: some partition's is behind what was taken, and it is still ours. */

static int
bk_archiver_ends(bk_archiver_t *a)
{
    int32_t  p;

    for (p = 0; a->ended && p < a->archive.nparts; p++) {
        if (a->archive.parts[p].ended) {
            return 1;
        }
    }

    return 0;
}


/* From where it goes on. */

static void
bk_archiver_settle(bk_archiver_t *a)
{
    int32_t     p;
    bk_part_t  *part;

    for (p = 0; p < a->archive.nparts; p++) {
        part = &a->archive.parts[p];

        if (part->touched && part->ours) {
            part->from = part->next;
            bk_kafka_commit(a->kafka, p, part->next);

        } else if (part->touched) {
            bk_log(BK_LOG_INFO, "another archiver was faster",
                   bk_num("partition", p), bk_num("from", part->from),
                   bk_num("next", part->stored));

            bk_metric_add(&bk_archive_metrics[BK_ARCHIVE_STALE], 1);

            part->from = part->stored;
            part->dropped = 1;
            bk_archiver_go(a, p, part->stored == -1 ? BK_KAFKA_BEGINNING
                                                    : part->stored);
        }
    }
}


static void
bk_archiver_empty(bk_archiver_t *a)
{
    int32_t  p;

    a->ended = 0;

    for (p = 0; p < a->archive.nparts; p++) {
        a->archive.parts[p].dropped = 0;
        a->archive.parts[p].ended = 0;
    }

    while (a->n) {
        a->n--;
        bk_record_free(&a->items[a->n].record);
        bk_kafka_free(a->items[a->n].m);
    }

    a->bytes = 0;
}


/* The last batch gets some time, no more. */

static int
bk_archiver_over(bk_archiver_t *a)
{
    if (!bk_daemon_quit()) {
        return a->failed;
    }

    if (a->told == 0) {
        a->told = bk_ticks();
    }

    return bk_ticks() - a->told > BK_ARCHIVER_DRAIN
           || a->archive.conn == NULL;
}

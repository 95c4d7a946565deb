
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bk_archive_int.h"
#include "bk_copy.h"
#include "bk_log.h"
#include "bk_mem.h"


#define BK_ARCHIVE_TIMEOUT  60000      /* ms for a statement */
#define BK_ARCHIVE_COLUMNS  11
#define BK_ARCHIVE_KEPT     65536      /* octets of a bad record's value */
#define BK_ARCHIVE_KEEP     1048576    /* octets of the buffer */


static bk_pg_rc_e bk_archive_compare(bk_archive_t *a, int *ours);
static bk_pg_rc_e bk_archive_compare_row(bk_archive_t *a,
    const PGresult *result, int row, int *ours);
static void bk_archive_list(bk_archive_t *a, wsc_buf_t *b, int next);
static bk_pg_rc_e bk_archive_messages(bk_archive_t *a, bk_item_t *items,
    size_t n);
static void bk_archive_row(bk_archive_t *a, const bk_item_t *it);
static bk_pg_rc_e bk_archive_copy(bk_archive_t *a);
static bk_pg_rc_e bk_archive_insert(bk_archive_t *a);
static bk_pg_rc_e bk_archive_bad(bk_archive_t *a, bk_item_t *items, size_t n);
static bk_pg_rc_e bk_archive_bad_row(bk_archive_t *a, const bk_item_t *it);
static bk_pg_rc_e bk_archive_progress(bk_archive_t *a);
static void bk_archive_count(bk_archive_t *a, const bk_item_t *items,
    size_t n);


static const char  bk_archive_prepare[] =
    "create temp table batch (like messages) on commit delete rows;"
    "set enable_hashjoin = off; set enable_mergejoin = off;"
    "set enable_seqscan = off";

/*
 * The first with a cid keeps it: one that is there, else that of the batch.
 * $1: members never see the others, which keep no text, for what becomes of
 * the first one's does not reach them.
 */

static const char  bk_archive_sql_insert[] =
    "with i as ("
    "insert into messages (chat_id, epoch, seq, sender, cid, message,"
    " \"timestamp\", enc, prev_epoch, prev_seq, refused, dup_epoch, dup_of)"
    " select b.chat_id, b.epoch, b.seq, b.sender,"
    " case when b.dup then null else b.cid end,"
    " case when b.dup and $1::bool then 'null' else b.message end,"
    " b.\"timestamp\", case when b.dup and $1::bool then null else b.enc end,"
    " b.prev_epoch, b.prev_seq, b.refused,"
    " case when b.dup then b.first_epoch end,"
    " case when b.dup then b.first_seq end"
    " from (select f.*, coalesce(m.epoch, f.batch_epoch) as first_epoch,"
    " coalesce(m.seq, f.batch_seq) as first_seq,"
    " f.cid is not null and (coalesce(m.epoch, f.batch_epoch) <> f.epoch"
    " or coalesce(m.seq, f.batch_seq) <> f.seq) as dup"
    " from (select *, first_value(epoch) over w as batch_epoch,"
    " first_value(seq) over w as batch_seq from batch"
    " window w as (partition by chat_id, sender, cid order by epoch, seq)) f"
    " left join messages m on m.chat_id = f.chat_id"
    " and m.sender = f.sender and m.cid = f.cid) b"
    " on conflict (chat_id, epoch, seq) do nothing returning dup_of)"
    " select count(*), count(dup_of) from i";


bk_metric_t  bk_archive_metrics[] = {
    bk_counter("records_total", "Records that were dealt with."),
    bk_counter("messages_total", "Messages stored, repetitions too."),
    bk_counter("duplicates_total", "Stored as repetition of another cid."),
    bk_counter("changes_total", "Messages edited or retracted."),
    bk_counter("vain_changes_total", "Changes that are repeated or not "
                                     "allowed."),
    bk_counter("refused_total", "Stored, but against the rules of messages."),
    bk_counter("bad_records_total", "Records that are no messages."),
    bk_counter("misrouted_total", "Records in another chat's partition."),
    bk_counter("collisions_total", "Positions that were taken already."),
    bk_counter("batches_total", "Transactions."),
    bk_counter("stale_batches_total", "Batches that another was faster with."),
    bk_counter("retries_total", "Transactions that failed."),
    bk_counter("lost_total", "Times that records were gone before."),
    bk_gauge("partitions", "Partitions that are ours."),
    bk_gauge("lag", "Records of these that were not dealt with yet."),
    { NULL, NULL, NULL, 0, 0 }
};


bk_pg_rc_e
bk_archive_connect(bk_archive_t *a)
{
    if (a->conn && PQstatus(a->conn) == CONNECTION_OK) {
        return BK_PG_OK;
    }

    bk_archive_close(a);

    a->conn = bk_pg_open("ws-chat-archiver", BK_ARCHIVE_TIMEOUT);

    if (a->conn == NULL
        || bk_pg_do(a->conn, bk_archive_prepare) != BK_PG_OK)
    {
        bk_archive_close(a);
        bk_status_set(BK_STATUS_STORE, "PostgreSQL cannot be reached");
        return BK_PG_RETRY;
    }

    bk_status_set(BK_STATUS_STORE, NULL);

    return BK_PG_OK;
}


void
bk_archive_close(bk_archive_t *a)
{
    PQfinish(a->conn);
    a->conn = NULL;
}


bk_pg_rc_e
bk_archive_position(bk_archive_t *a, int32_t partition, int64_t *next)
{
    char          number[BK_ARCHIVE_NUMBER], epoch[BK_ARCHIVE_NUMBER];
    char          count[BK_ARCHIVE_NUMBER];
    int64_t       had;
    PGresult     *result;
    bk_pg_rc_e    rc;
    const char   *values[] = { bk_kafka_topic, number, epoch, count };

    snprintf(number, sizeof(number), "%d", partition);
    snprintf(epoch, sizeof(epoch), "%lld", (long long) a->epoch);
    snprintf(count, sizeof(count), "%d", a->nparts);

    /* an epoch that is new begins at the beginning */

    rc = bk_pg_exec(a->conn,
                    "insert into progress as p"
                    " (topic, partition, epoch, next, partitions)"
                    " values ($1, $2, $3, -1, $4)"
                    " on conflict (topic, partition) do update"
                    " set epoch = excluded.epoch, next = -1,"
                    " partitions = excluded.partitions"
                    " where p.epoch < excluded.epoch",
                    4, values, &result);
    PQclear(result);

    if (rc != BK_PG_OK) {
        return rc;
    }

    rc = bk_pg_exec(a->conn, "select epoch, next from progress"
                             " where topic = $1 and partition = $2",
                    2, values, &result);
    if (rc != BK_PG_OK) {
        return rc;
    }

    had = PQntuples(result) ? atoll(PQgetvalue(result, 0, 0)) : 0;
    *next = PQntuples(result) ? atoll(PQgetvalue(result, 0, 1)) : -1;

    PQclear(result);

    if (had > a->epoch) {
        bk_log(BK_LOG_ERROR, "the archive is of a later epoch",
               bk_num("epoch", a->epoch), bk_num("archive", had));
        return BK_PG_BROKEN;
    }

    return BK_PG_OK;
}


bk_pg_rc_e
bk_archive_store(bk_archive_t *a, bk_item_t *items, size_t n)
{
    int         ours;
    bk_pg_rc_e  rc;

    ours = 0;

    rc = bk_pg_do(a->conn, "begin");

    if (rc == BK_PG_OK) {
        rc = bk_archive_compare(a, &ours);
    }

    if (rc == BK_PG_OK && ours == 0) {
        return bk_pg_do(a->conn, "rollback");
    }

    if (rc == BK_PG_OK) {
        rc = bk_archive_messages(a, items, n);
    }

    if (rc == BK_PG_OK) {
        rc = bk_archive_changes(a, items, n);
    }

    if (rc == BK_PG_OK) {
        rc = bk_archive_bad(a, items, n);
    }

    if (rc == BK_PG_OK) {
        rc = bk_archive_progress(a);
    }

    if (rc == BK_PG_OK) {
        rc = bk_pg_do(a->conn, "commit");
    }

    if (rc != BK_PG_OK) {

        /* whether a commit arrived is told by the next comparison */

        if (PQstatus(a->conn) == CONNECTION_OK) {
            (void) bk_pg_do(a->conn, "rollback");
        }

        return rc;
    }

    bk_archive_count(a, items, n);

    return BK_PG_OK;
}


/* Locks the partitions' progress, in one order everywhere. */

static bk_pg_rc_e
bk_archive_compare(bk_archive_t *a, int *ours)
{
    int           i;
    PGresult     *result;
    wsc_buf_t     list;
    bk_pg_rc_e    rc;
    const char   *values[2];

    wsc_buf_init(&list, &bk_alloc);
    bk_archive_list(a, &list, 0);

    if (list.failed) {
        wsc_buf_free(&list);
        return BK_PG_RETRY;
    }

    values[0] = bk_kafka_topic;
    values[1] = (char *) list.data;

    rc = bk_pg_exec(a->conn, "select partition, epoch, next from progress"
                             " where topic = $1 and partition = any($2::int[])"
                             " order by partition for update",
                    2, values, &result);

    wsc_buf_free(&list);

    if (rc != BK_PG_OK) {
        return rc;
    }

    for (i = 0; i < a->nparts; i++) {
        a->parts[i].ours = 0;
    }

    for (i = 0; rc == BK_PG_OK && i < PQntuples(result); i++) {
        rc = bk_archive_compare_row(a, result, i, ours);
    }

    PQclear(result);

    return rc;
}


static bk_pg_rc_e
bk_archive_compare_row(bk_archive_t *a, const PGresult *result, int row,
    int *ours)
{
    int64_t      epoch;
    bk_part_t   *part;

    part = &a->parts[atoi(PQgetvalue(result, row, 0))];
    epoch = atoll(PQgetvalue(result, row, 1));
    part->stored = atoll(PQgetvalue(result, row, 2));

    if (epoch != a->epoch) {
        bk_log(BK_LOG_ERROR, "the archive is of another epoch",
               bk_num("epoch", a->epoch), bk_num("archive", epoch));
        return BK_PG_BROKEN;
    }

    part->ours = (part->stored == part->from);
    *ours += part->ours;

    return BK_PG_OK;
}


/* An array of the partitions, or of the offsets behind what they get. */

static void
bk_archive_list(bk_archive_t *a, wsc_buf_t *b, int next)
{
    char      text[BK_ARCHIVE_NUMBER];
    int32_t   i;
    int64_t   v;

    for (i = 0; i < a->nparts; i++) {
        if (a->parts[i].touched) {
            v = next ? a->parts[i].next : i;
            snprintf(text, sizeof(text), "%c%lld", b->len ? ',' : '{',
                     (long long) v);
            wsc_buf_add(b, text, strlen(text));
        }
    }

    wsc_buf_add(b, "}", sizeof("}"));
}


/* messages */

static bk_pg_rc_e
bk_archive_messages(bk_archive_t *a, bk_item_t *items, size_t n)
{
    size_t      i;
    bk_pg_rc_e  rc;

    a->rows = 0;
    a->stored = 0;
    a->dups = 0;

    wsc_buf_reset(&a->copy, BK_ARCHIVE_KEEP);
    bk_copy_head(&a->copy);

    for (i = 0; i < n; i++) {
        if (items[i].bad == NULL && !items[i].stray
            && items[i].record.op == BK_OP_MESSAGE
            && bk_archive_ours(a, &items[i]))
        {
            bk_archive_row(a, &items[i]);
            a->rows++;
        }
    }

    bk_copy_end(&a->copy);

    if (a->copy.failed) {
        return BK_PG_RETRY;
    }

    if (a->rows == 0) {
        return BK_PG_OK;
    }

    rc = bk_archive_copy(a);
    if (rc != BK_PG_OK) {
        return rc;
    }

    return bk_archive_insert(a);
}


static void
bk_archive_row(bk_archive_t *a, const bk_item_t *it)
{
    wsc_buf_t          *b;
    wsc_pos_t           pos;
    const bk_record_t  *r;

    b = &a->copy;
    r = &it->record;

    if (a->live) {
        pos = r->pos;

    } else {
        pos.epoch = a->epoch;
        pos.seq = bk_kafka_offset(it->m) + 1;
    }

    bk_copy_row(b, BK_ARCHIVE_COLUMNS);
    bk_copy_str(b, &r->chat_id);
    bk_copy_int(b, pos.epoch);
    bk_copy_int(b, pos.seq);
    bk_copy_str(b, &r->sender);

    /* what members never see keeps no cid from others */

    if (r->cid.len && r->rule == NULL) {
        bk_copy_str(b, &r->cid);

    } else {
        bk_copy_null(b);
    }

    bk_copy_str(b, &r->message);
    bk_copy_time(b, r->timestamp);

    if (r->base64) {
        bk_copy_text(b, "base64");

    } else {
        bk_copy_null(b);
    }

    if (a->live && r->has_prev) {
        bk_copy_int(b, r->prev.epoch);
        bk_copy_int(b, r->prev.seq);

    } else {
        bk_copy_null(b);
        bk_copy_null(b);
    }

    if (r->rule) {
        bk_copy_text(b, r->rule);

    } else {
        bk_copy_null(b);
    }
}


static bk_pg_rc_e
bk_archive_copy(bk_archive_t *a)
{
    PGresult    *result;
    bk_pg_rc_e   rc;

    rc = bk_pg_do(a->conn, "copy batch (chat_id, epoch, seq, sender, cid,"
                           " message, \"timestamp\", enc, prev_epoch,"
                           " prev_seq, refused) from stdin (format binary)");
    if (rc != BK_PG_OK) {
        return rc;
    }

    if (PQputCopyData(a->conn, (char *) a->copy.data, a->copy.len) != 1
        || PQputCopyEnd(a->conn, NULL) != 1)
    {
        return BK_PG_RETRY;
    }

    rc = BK_PG_OK;

    while ((result = PQgetResult(a->conn)) != NULL) {
        if (rc == BK_PG_OK) {
            rc = bk_pg_check(a->conn, result);
        }

        PQclear(result);
    }

    return rc;
}


static bk_pg_rc_e
bk_archive_insert(bk_archive_t *a)
{
    PGresult    *result;
    bk_pg_rc_e   rc;
    const char  *values[1];

    values[0] = a->live ? "f" : "t";

    rc = bk_pg_exec(a->conn, bk_archive_sql_insert, 1, values, &result);
    if (rc != BK_PG_OK) {
        return rc;
    }

    a->stored = atoll(PQgetvalue(result, 0, 0));
    a->dups = atoll(PQgetvalue(result, 0, 1));

    PQclear(result);

    if (a->stored != a->rows && !a->live) {
        bk_log(BK_LOG_ERROR, "positions are taken: is the topic a new one "
                             "that needs a new epoch?",
               bk_num("epoch", a->epoch),
               bk_num("messages", a->rows - a->stored));
        bk_status_set(BK_STATUS_DATA, "positions are taken");
    }

    return BK_PG_OK;
}


/* records that are no messages */

static bk_pg_rc_e
bk_archive_bad(bk_archive_t *a, bk_item_t *items, size_t n)
{
    size_t      i;
    bk_pg_rc_e  rc;

    rc = BK_PG_OK;

    for (i = 0; rc == BK_PG_OK && i < n; i++) {
        if (items[i].bad && bk_archive_ours(a, &items[i])) {
            rc = bk_archive_bad_row(a, &items[i]);
        }
    }

    return rc;
}


static bk_pg_rc_e
bk_archive_bad_row(bk_archive_t *a, const bk_item_t *it)
{
    char             partition[BK_ARCHIVE_NUMBER], epoch[BK_ARCHIVE_NUMBER];
    char             offset[BK_ARCHIVE_NUMBER], size[BK_ARCHIVE_NUMBER];
    char             stamp[BK_ARCHIVE_NUMBER];
    PGresult        *result;
    bk_pg_rc_e       rc;
    const bk_raw_t  *raw;

    raw = &it->raw;

    const char  *values[] = {
        bk_kafka_topic, partition, epoch, offset, it->bad, size,
        (char *) raw->key.data, (char *) raw->value.data, stamp
    };
    const int    lengths[] = {
        0, 0, 0, 0, 0, 0, raw->key.len,
        raw->value.len < BK_ARCHIVE_KEPT ? raw->value.len : BK_ARCHIVE_KEPT, 0
    };
    const int    formats[] = { 0, 0, 0, 0, 0, 0, 1, 1, 0 };

    snprintf(partition, sizeof(partition), "%d", bk_kafka_partition(it->m));
    snprintf(epoch, sizeof(epoch), "%lld", (long long) a->epoch);
    snprintf(offset, sizeof(offset), "%lld",
             (long long) bk_kafka_offset(it->m));
    snprintf(size, sizeof(size), "%zu", raw->value.len);
    snprintf(stamp, sizeof(stamp), "%.3f", (double) raw->timestamp / 1000);

    result = PQexecParams(a->conn,
                          "insert into bad_records (topic, partition, epoch,"
                          " \"offset\", reason, size, key, value,"
                          " \"timestamp\") values ($1, $2, $3, $4, $5, $6,"
                          " $7::bytea, $8::bytea,"
                          " to_timestamp(least($9::float8, 253402300799)))"
                          " on conflict do nothing",
                          9, NULL, values, lengths, formats, 0);

    rc = bk_pg_check(a->conn, result);

    PQclear(result);

    return rc;
}


static bk_pg_rc_e
bk_archive_progress(bk_archive_t *a)
{
    char          epoch[BK_ARCHIVE_NUMBER], count[BK_ARCHIVE_NUMBER];
    int32_t       i;
    PGresult     *result;
    wsc_buf_t     parts, nexts;
    bk_pg_rc_e    rc;
    const char   *values[5];

    for (i = 0; i < a->nparts; i++) {
        a->parts[i].touched &= a->parts[i].ours;
    }

    wsc_buf_init(&parts, &bk_alloc);
    wsc_buf_init(&nexts, &bk_alloc);

    bk_archive_list(a, &parts, 0);
    bk_archive_list(a, &nexts, 1);

    snprintf(epoch, sizeof(epoch), "%lld", (long long) a->epoch);
    snprintf(count, sizeof(count), "%d", a->nparts);

    values[0] = bk_kafka_topic;
    values[1] = (char *) parts.data;
    values[2] = (char *) nexts.data;
    values[3] = epoch;
    values[4] = count;

    rc = BK_PG_RETRY;
    result = NULL;

    if (!parts.failed && !nexts.failed) {
        rc = bk_pg_exec(a->conn,
                        "update progress p set next = v.next,"
                        " partitions = $5::int, updated = now()"
                        " from unnest($2::int[], $3::bigint[])"
                        " as v (partition, next)"
                        " where p.topic = $1 and p.partition = v.partition"
                        " and p.epoch = $4::bigint",
                        5, values, &result);
    }

    PQclear(result);
    wsc_buf_free(&parts);
    wsc_buf_free(&nexts);

    return rc;
}


static void
bk_archive_count(bk_archive_t *a, const bk_item_t *items, size_t n)
{
    size_t        i;
    bk_metric_t  *m;

    m = bk_archive_metrics;

    bk_metric_add(&m[BK_ARCHIVE_BATCHES], 1);
    bk_metric_add(&m[BK_ARCHIVE_MESSAGES], a->stored);
    bk_metric_add(&m[BK_ARCHIVE_DUPLICATES], a->dups);
    bk_metric_add(&m[BK_ARCHIVE_CHANGES], a->changed);
    bk_metric_add(&m[BK_ARCHIVE_VAIN], a->vain);
    bk_metric_add(&m[BK_ARCHIVE_COLLISIONS], a->rows - a->stored);

    for (i = 0; i < n; i++) {

        if (!bk_archive_ours(a, &items[i])) {
            continue;
        }

        bk_metric_add(&m[BK_ARCHIVE_RECORDS], 1);
        bk_metric_add(&m[BK_ARCHIVE_BAD], items[i].bad != NULL);
        bk_metric_add(&m[BK_ARCHIVE_MISROUTED], items[i].stray);
        bk_metric_add(&m[BK_ARCHIVE_REFUSED],
                      items[i].bad == NULL && items[i].record.rule != NULL);
    }
}


int
bk_archive_ours(bk_archive_t *a, const bk_item_t *it)
{
    return a->parts[bk_kafka_partition(it->m)].ours;
}

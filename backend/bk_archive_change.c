
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Changes of messages in the archive.  Each names its place in the topic, so
 * that what is done again changes nothing.
 */


#include <stdio.h>
#include <stdlib.h>

#include "bk_archive_int.h"


/* $1 chat, $2 epoch, $3 seq, $4 by, $5 moderate, $6 message (null: retracted),
 * $7 enc, $8 s since 1970, $9 $10 the change's place */

static const char  bk_archive_sql_change[] =
    "update messages set message = coalesce($6::json, 'null'), enc = $7,"
    " edited = case when $6::json is null then edited"
    " else to_timestamp($8::float8) end,"
    " retracted = case when $6::json is null then to_timestamp($8::float8)"
    " end,"
    " changed_by = $4, changed_epoch = $9::bigint, changed_seq = $10::bigint"
    " where chat_id = $1 and epoch = $2::bigint and seq = $3::bigint"
    " and ($5::bool or sender = $4) and retracted is null"
    " and (changed_seq is null"
    " or (changed_epoch, changed_seq) < ($9::bigint, $10::bigint))";

/* the message is not there, else it was not to be changed */

static const char  bk_archive_sql_early[] =
    "insert into early_changes as c (chat_id, epoch, seq, changed_by,"
    " moderate, message, enc, \"timestamp\", changed_epoch, changed_seq)"
    " select $1, $2::bigint, $3::bigint, $4, $5::bool, $6::json, $7,"
    " to_timestamp($8::float8), $9::bigint, $10::bigint"
    " where not exists (select from messages where chat_id = $1"
    " and epoch = $2::bigint and seq = $3::bigint)"
    " on conflict (chat_id, epoch, seq) do update"
    " set changed_by = excluded.changed_by, moderate = excluded.moderate,"
    " message = excluded.message, enc = excluded.enc,"
    " \"timestamp\" = excluded.\"timestamp\","
    " changed_epoch = excluded.changed_epoch,"
    " changed_seq = excluded.changed_seq"
    " where c.message is not null";

static const char  bk_archive_sql_late[] =
    "with d as (delete from early_changes c using batch b"
    " where c.chat_id = b.chat_id and c.epoch = b.epoch and c.seq = b.seq"
    " returning c.*)"
    " update messages m set message = coalesce(d.message, 'null'),"
    " enc = d.enc,"
    " edited = case when d.message is not null then d.\"timestamp\" end,"
    " retracted = case when d.message is null then d.\"timestamp\" end,"
    " changed_by = d.changed_by, changed_epoch = d.changed_epoch,"
    " changed_seq = d.changed_seq"
    " from d where m.chat_id = d.chat_id and m.epoch = d.epoch"
    " and m.seq = d.seq and (d.moderate or m.sender = d.changed_by)"
    " and m.retracted is null and m.changed_seq is null";


static bk_pg_rc_e bk_archive_change(bk_archive_t *a, const bk_item_t *it);
static bk_pg_rc_e bk_archive_change_do(bk_archive_t *a, const char *sql,
    const bk_item_t *it, int *n);


bk_pg_rc_e
bk_archive_changes(bk_archive_t *a, const bk_item_t *items, size_t n)
{
    size_t      i;
    bk_pg_rc_e  rc;

    a->changed = 0;
    a->vain = 0;

    rc = (a->live && a->rows) ? bk_pg_do(a->conn, bk_archive_sql_late)
                              : BK_PG_OK;

    for (i = 0; rc == BK_PG_OK && i < n; i++) {
        if (items[i].bad == NULL && !items[i].stray
            && items[i].record.op != BK_OP_MESSAGE
            && bk_archive_ours(a, &items[i]))
        {
            rc = bk_archive_change(a, &items[i]);
        }
    }

    return rc;
}


static bk_pg_rc_e
bk_archive_change(bk_archive_t *a, const bk_item_t *it)
{
    int         n;
    bk_pg_rc_e  rc;

    rc = bk_archive_change_do(a, bk_archive_sql_change, it, &n);

    if (rc == BK_PG_OK && n == 0 && a->live) {
        rc = bk_archive_change_do(a, bk_archive_sql_early, it, &n);
    }

    a->changed += (n != 0);
    a->vain += (n == 0);

    return rc;
}


/* How many rows it was good for. */

static bk_pg_rc_e
bk_archive_change_do(bk_archive_t *a, const char *sql, const bk_item_t *it,
    int *n)
{
    char                epoch[BK_ARCHIVE_NUMBER], seq[BK_ARCHIVE_NUMBER];
    char                stamp[BK_ARCHIVE_NUMBER], topic[BK_ARCHIVE_NUMBER];
    char                place[BK_ARCHIVE_NUMBER];
    PGresult           *result;
    bk_pg_rc_e          rc;
    const bk_record_t  *r;

    r = &it->record;

    const char  *values[] = {
        (char *) r->chat_id.data, epoch, seq, (char *) r->sender.data,
        r->moderate ? "t" : "f", (char *) r->message.data,
        r->base64 ? "base64" : NULL, stamp, topic, place
    };
    const int    lengths[] = {
        r->chat_id.len, 0, 0, r->sender.len, 0, r->message.len, 0, 0, 0, 0
    };
    const int    formats[] = { 1, 0, 0, 1, 0, 1, 0, 0, 0, 0 };

    snprintf(epoch, sizeof(epoch), "%llu",
             (unsigned long long) r->target.epoch);
    snprintf(seq, sizeof(seq), "%llu", (unsigned long long) r->target.seq);
    snprintf(stamp, sizeof(stamp), "%.3f", (double) r->timestamp / 1000);
    snprintf(topic, sizeof(topic), "%lld", (long long) a->epoch);
    snprintf(place, sizeof(place), "%lld",
             (long long) bk_kafka_offset(it->m) + 1);

    result = PQexecParams(a->conn, sql, 10, NULL, values, lengths, formats,
                          0);

    rc = bk_pg_check(a->conn, result);

    *n = (rc == BK_PG_OK) ? atoi(PQcmdTuples(result)) : 0;

    PQclear(result);

    return rc;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wsc_epoch.h"
#include "bk_history.h"
#include "bk_kafka.h"
#include "bk_mem.h"
#include "bk_record.h"


#define BK_HISTORY_NUMBER  24
#define BK_HISTORY_LAST    { WSC_MAX_INTEGER, 0 }


typedef enum {
    BK_COLUMN_EPOCH = 0,
    BK_COLUMN_SEQ,
    BK_COLUMN_SENDER,
    BK_COLUMN_CID,
    BK_COLUMN_MESSAGE,
    BK_COLUMN_TIMESTAMP,
    BK_COLUMN_ENC,
    BK_COLUMN_PREV_EPOCH,
    BK_COLUMN_PREV_SEQ,
    BK_COLUMN_EDITED,
    BK_COLUMN_RETRACTED,
    BK_COLUMN_TOTAL
} bk_column_e;


/* What is read, before it is written. */

typedef struct {
    const bk_page_t    *page;
    PGresult           *rows;
    wsc_entry_t        *entries;     /* ascending */
    int                 n;
    int                 more;
    wsc_buf_t           octets;      /* of messages that are */
    wsc_pos_t           before;      /* the position before the first */
    wsc_pos_t           complete_to;
} bk_history_t;


static bk_pg_rc_e bk_history_progress(PGconn *conn, const wsc_str_t *chat_id,
    wsc_pos_t *complete_to);
static bk_pg_rc_e bk_history_rows(PGconn *conn, bk_history_t *h);
static bk_pg_rc_e bk_history_above(PGconn *conn, bk_history_t *h,
    wsc_pos_t first);
static bk_pg_rc_e bk_history_query(PGconn *conn, const bk_page_t *page,
    const char *sql, wsc_pos_t pos, uint64_t limit, PGresult **result);
static int bk_history_entries(bk_history_t *h);
static int bk_history_entry(bk_history_t *h, int row, wsc_entry_t *e);
static void bk_history_chain(bk_history_t *h);
static void bk_history_dense(bk_history_t *h);
static void bk_history_str(const PGresult *rows, int row, bk_column_e column,
    wsc_str_t *s);


/* a page is a range of an index, whatever statistics there are */

const char  bk_history_session[] =
    "set enable_seqscan = off; set enable_bitmapscan = off;"
    "set enable_sort = off";


/* in a live chat Redis gave a repetition a position: members have seen it */

#define BK_HISTORY_SELECT(order, compare)                                     \
    "select epoch, seq, sender, cid, message, ms, enc, prev_epoch, prev_seq," \
    " edited, retracted, total from (select *, count(*) over () as total,"    \
    " row_number() over w as nth, sum(octet_length(message::text) + 256)"     \
    " over w as bytes from (select epoch, seq, sender, cid, message,"         \
    " (extract(epoch from \"timestamp\") * 1000)::bigint as ms,"              \
    " enc, prev_epoch, prev_seq, edited, retracted from messages"             \
    " where chat_id = $1"                                                     \
    " and (epoch, seq) " compare " ($2::bigint, $3::bigint)"                  \
    " and refused is null and ($6::bool or dup_of is null)"                   \
    " order by epoch " order ", seq " order " limit $4::int) p"               \
    " window w as (order by epoch " order ", seq " order ")) q"               \
    " where bytes <= $5::bigint or nth = 1"                                   \
    " order by epoch " order ", seq " order

static const char  bk_history_sql_after[] = BK_HISTORY_SELECT("asc", ">");
static const char  bk_history_sql_before[] = BK_HISTORY_SELECT("desc", "<");


bk_pg_rc_e
bk_history_page(PGconn *conn, const bk_page_t *page, wsc_buf_t *body)
{
    wsc_id_t        id;
    bk_pg_rc_e      rc;
    bk_history_t    h;
    wsc_history_t   event;

    memset(&h, 0, sizeof(bk_history_t));
    memset(&id, 0, sizeof(wsc_id_t));

    h.page = page;
    wsc_buf_init(&h.octets, &bk_alloc);

    /* what is complete is read first: it can only be more by then */

    rc = bk_history_progress(conn, &page->chat_id, &h.complete_to);

    if (rc == BK_PG_OK) {
        rc = bk_history_rows(conn, &h);
    }

    if (rc == BK_PG_OK && bk_history_entries(&h) == -1) {
        rc = BK_PG_RETRY;
    }

    if (rc == BK_PG_OK) {
        event.messages = h.entries;
        event.n = h.n;
        event.more = h.more;
        event.complete_to = h.complete_to;

        wsc_event_history(body, WSC_ENC_JSON, &id, &page->chat_id, &event);
    }

    PQclear(h.rows);
    free(h.entries);
    wsc_buf_free(&h.octets);

    return rc;
}


/* All positions of a partition up to its progress are archived. */

static bk_pg_rc_e
bk_history_progress(PGconn *conn, const wsc_str_t *chat_id,
    wsc_pos_t *complete_to)
{
    int          i;
    uint32_t     partitions;
    int64_t      next;
    PGresult    *result;
    bk_pg_rc_e   rc;
    const char  *values[] = { bk_kafka_topic };

    complete_to->epoch = 0;
    complete_to->seq = 0;

    /* while a new epoch begins rows of the old one may count otherwise */

    rc = bk_pg_exec(conn, "select partition, epoch, next, partitions"
                          " from progress where topic = $1 order by epoch",
                    1, values, &result);
    if (rc != BK_PG_OK) {
        return rc;
    }

    for (i = 0; i < PQntuples(result); i++) {
        partitions = atoi(PQgetvalue(result, i, 3));

        if (partitions
            && wsc_shard(chat_id, partitions)
               == (uint32_t) atoi(PQgetvalue(result, i, 0)))
        {
            next = atoll(PQgetvalue(result, i, 2));

            complete_to->epoch = atoll(PQgetvalue(result, i, 1));
            complete_to->seq = (next > 0) ? next : 0;
        }
    }

    PQclear(result);

    return BK_PG_OK;
}


/* The page's rows and one more, and what stands before them. */

static bk_pg_rc_e
bk_history_rows(PGconn *conn, bk_history_t *h)
{
    int               n;
    bk_pg_rc_e        rc;
    wsc_pos_t         first, last = BK_HISTORY_LAST;
    const bk_page_t  *page;

    page = h->page;

    if (page->has_after) {
        rc = bk_history_query(conn, page, bk_history_sql_after, page->after,
                              page->limit + 1, &h->rows);
    } else {
        rc = bk_history_query(conn, page, bk_history_sql_before,
                              page->has_before ? page->before : last,
                              page->limit + 1, &h->rows);
    }

    if (rc != BK_PG_OK || PQntuples(h->rows) == 0) {
        return rc;
    }

    n = PQntuples(h->rows);
    h->n = (n > (int) page->limit) ? (int) page->limit : n;
    h->more = (bk_pg_number(h->rows, 0, BK_COLUMN_TOTAL) > (uint64_t) h->n);

    n = page->has_after ? 0 : h->n - 1;

    first.epoch = bk_pg_number(h->rows, n, BK_COLUMN_EPOCH);
    first.seq = bk_pg_number(h->rows, n, BK_COLUMN_SEQ);

    return bk_history_above(conn, h, first);
}


/* What stands before the first one. */

static bk_pg_rc_e
bk_history_above(PGconn *conn, bk_history_t *h, wsc_pos_t first)
{
    PGresult     *result;
    bk_pg_rc_e    rc;

    if (!h->page->has_after && !h->more) {
        return BK_PG_OK;
    }

    rc = bk_history_query(conn, h->page, bk_history_sql_before, first, 1,
                          &result);

    if (rc == BK_PG_OK && PQntuples(result)) {
        h->before.epoch = bk_pg_number(result, 0, BK_COLUMN_EPOCH);
        h->before.seq = bk_pg_number(result, 0, BK_COLUMN_SEQ);
    }

    PQclear(result);

    return rc;
}


static bk_pg_rc_e
bk_history_query(PGconn *conn, const bk_page_t *page, const char *sql,
    wsc_pos_t pos, uint64_t limit, PGresult **result)
{
    char         chat[WSC_MAX_CHAT_ID + 1];
    char         epoch[BK_HISTORY_NUMBER], seq[BK_HISTORY_NUMBER];
    char         count[BK_HISTORY_NUMBER], bytes[BK_HISTORY_NUMBER];
    const char  *values[] = {
        chat, epoch, seq, count, bytes, page->live ? "t" : "f"
    };

    memcpy(chat, page->chat_id.data, page->chat_id.len);
    chat[page->chat_id.len] = '\0';

    snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long) pos.epoch);
    snprintf(seq, sizeof(seq), "%llu", (unsigned long long) pos.seq);
    snprintf(count, sizeof(count), "%llu", (unsigned long long) limit);
    snprintf(bytes, sizeof(bytes), "%llu",
             (unsigned long long) page->max_bytes);

    return bk_pg_exec(conn, sql, 6, values, result);
}


/* Puts them in order; -1: no memory. */

static int
bk_history_entries(bk_history_t *h)
{
    int     i, row;
    size_t  octets;

    h->entries = calloc(h->n + 1, sizeof(wsc_entry_t));

    octets = 0;

    for (i = 0; i < h->n; i++) {
        octets += PQgetlength(h->rows, i, BK_COLUMN_MESSAGE) + WSC_MAX_ID;
    }

    /* they do not move, then */

    if (h->entries == NULL || wsc_buf_reserve(&h->octets, octets + 1) == NULL)
    {
        return -1;
    }

    for (i = 0; i < h->n; i++) {
        row = h->page->has_after ? i : h->n - 1 - i;

        if (bk_history_entry(h, row, &h->entries[i]) == -1) {
            return -1;
        }
    }

    if (h->page->live) {
        bk_history_dense(h);
    }

    bk_history_chain(h);

    return 0;
}


static int
bk_history_entry(bk_history_t *h, int row, wsc_entry_t *e)
{
    bk_record_t  r;

    e->pos.epoch = bk_pg_number(h->rows, row, BK_COLUMN_EPOCH);
    e->pos.seq = bk_pg_number(h->rows, row, BK_COLUMN_SEQ);
    e->timestamp = bk_pg_number(h->rows, row, BK_COLUMN_TIMESTAMP);

    /* a producer's word; seq 0: it gave none */

    e->prev.epoch = bk_pg_number(h->rows, row, BK_COLUMN_PREV_EPOCH);
    e->prev.seq = bk_pg_number(h->rows, row, BK_COLUMN_PREV_SEQ);

    bk_history_str(h->rows, row, BK_COLUMN_SENDER, &e->sender);
    bk_history_str(h->rows, row, BK_COLUMN_CID, &e->cid);

    e->edited = !PQgetisnull(h->rows, row, BK_COLUMN_EDITED);
    e->retracted = !PQgetisnull(h->rows, row, BK_COLUMN_RETRACTED);

    if (e->retracted) {
        return 0;
    }

    memset(&r, 0, sizeof(bk_record_t));

    bk_history_str(h->rows, row, BK_COLUMN_MESSAGE, &r.message);
    r.base64 = !PQgetisnull(h->rows, row, BK_COLUMN_ENC);

    return (bk_record_value(&r, &h->octets, &e->message) == WSC_OK) ? 0 : -1;
}


/*
 * A message's prev is the one before it in the archive; of a live chat it may
 * be a later one, which is not there: that is how a hole shows.
 */

static void
bk_history_chain(bk_history_t *h)
{
    int           i;
    wsc_pos_t     before;
    wsc_entry_t  *e;

    for (i = 0; i < h->n; i++) {
        e = &h->entries[i];
        before = i ? h->entries[i - 1].pos : h->before;

        if (!h->page->live || wsc_pos_cmp(e->prev, before) < 0) {
            e->prev = before;
        }
    }
}


/*
 * Nothing tells how far a live chat's records have come: complete is what
 * follows without a hole.
 */

static void
bk_history_dense(bk_history_t *h)
{
    int                  i;
    wsc_pos_t            last;
    const wsc_entry_t   *e;

    last = h->page->has_after ? h->page->after : h->before;

    for (i = 0; i < h->n; i++) {
        e = &h->entries[i];

        if (i == 0 && !h->page->has_after) {
            last = e->pos;
            continue;
        }

        if (e->prev.seq && wsc_pos_cmp(e->prev, last) <= 0) {
            last = e->pos;
            continue;
        }

        if (e->pos.seq != last.seq + 1
            || (e->pos.epoch != last.epoch && last.seq))
        {
            break;
        }

        last = e->pos;
    }

    h->complete_to = last;
}


bk_pg_rc_e
bk_history_sent(PGconn *conn, const wsc_str_t *chat_id, const char *sender,
    const char *cid, wsc_pos_t *pos, wsc_pos_t *complete_to)
{
    char         chat[WSC_MAX_CHAT_ID + 1];
    PGresult    *result;
    bk_pg_rc_e   rc;
    const char  *values[] = { chat, sender, cid };

    memcpy(chat, chat_id->data, chat_id->len);
    chat[chat_id->len] = '\0';

    rc = bk_history_progress(conn, chat_id, complete_to);
    if (rc != BK_PG_OK) {
        return rc;
    }

    rc = bk_pg_exec(conn, "select epoch, seq from messages where chat_id = $1"
                          " and sender = $2 and cid = $3",
                    3, values, &result);
    if (rc != BK_PG_OK) {
        return rc;
    }

    pos->epoch = 0;
    pos->seq = 0;

    if (PQntuples(result)) {
        pos->epoch = bk_pg_number(result, 0, BK_COLUMN_EPOCH);
        pos->seq = bk_pg_number(result, 0, BK_COLUMN_SEQ);
    }

    PQclear(result);

    return BK_PG_OK;
}


static void
bk_history_str(const PGresult *rows, int row, bk_column_e column,
    wsc_str_t *s)
{
    s->data = (u_char *) PQgetvalue(rows, row, column);
    s->len = PQgetlength(rows, row, column);
}

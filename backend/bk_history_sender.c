
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wsc_writer.h"
#include "bk_history_sender.h"
#include "bk_kafka.h"


#define BK_HISTORY_NUMBER  24


static void bk_history_places(const PGresult *rows, uint64_t limit,
    wsc_buf_t *body);


/* a repetition has a text where members have seen it */

static const char  bk_history_sql_sender[] =
    "select chat_id, epoch, seq from messages"
    " where sender = $1 and retracted is null"
    " and (chat_id, epoch, seq) > ($2, $3::bigint, $4::bigint)"
    " and (dup_of is null or message::text <> 'null')"
    " order by chat_id, epoch, seq limit $5::int";


bk_pg_rc_e
bk_history_reached(PGconn *conn, const int64_t *ends, int n, int *is)
{
    int          i, left, partition;
    PGresult    *result;
    bk_pg_rc_e   rc;
    const char  *values[] = { bk_kafka_topic };

    rc = bk_pg_exec(conn, "select partition, next from progress"
                          " where topic = $1",
                    1, values, &result);
    if (rc != BK_PG_OK) {
        return rc;
    }

    left = 0;

    for (i = 0; i < n; i++) {
        left += (ends[i] > 0);
    }

    for (i = 0; i < PQntuples(result); i++) {
        partition = atoi(PQgetvalue(result, i, 0));

        left -= (partition >= 0 && partition < n && ends[partition] > 0
                 && atoll(PQgetvalue(result, i, 1)) >= ends[partition]);
    }

    PQclear(result);

    *is = (left == 0);

    return BK_PG_OK;
}


bk_pg_rc_e
bk_history_sender(PGconn *conn, const char *sender, const char *chat_id,
    wsc_pos_t after, uint64_t limit, wsc_buf_t *body)
{
    char         epoch[BK_HISTORY_NUMBER], seq[BK_HISTORY_NUMBER];
    char         count[BK_HISTORY_NUMBER];
    PGresult    *result;
    bk_pg_rc_e   rc;
    const char  *values[] = { sender, chat_id, epoch, seq, count };

    snprintf(epoch, sizeof(epoch), "%llu", (unsigned long long) after.epoch);
    snprintf(seq, sizeof(seq), "%llu", (unsigned long long) after.seq);
    snprintf(count, sizeof(count), "%llu", (unsigned long long) limit + 1);

    rc = bk_pg_exec(conn, bk_history_sql_sender, 5, values, &result);

    if (rc == BK_PG_OK) {
        bk_history_places(result, limit, body);
        PQclear(result);
    }

    return rc;
}


/* Those of the first chat among them. */

static void
bk_history_places(const PGresult *rows, uint64_t limit, wsc_buf_t *body)
{
    int            i, n;
    wsc_str_t      chat_id;
    wsc_writer_t   w;

    n = PQntuples(rows);

    wsc_writer_init(&w, body, WSC_ENC_JSON);
    wsc_writer_map(&w);

    if (n) {
        chat_id.data = (u_char *) PQgetvalue(rows, 0, 0);
        chat_id.len = PQgetlength(rows, 0, 0);

        wsc_writer_key(&w, "chat_id");
        wsc_writer_str(&w, &chat_id);
    }

    wsc_writer_key(&w, "messages");
    wsc_writer_array(&w);

    for (i = 0; i < n && i < (int) limit
                && strcmp(PQgetvalue(rows, i, 0), PQgetvalue(rows, 0, 0)) == 0;
         i++)
    {
        wsc_writer_map(&w);
        wsc_writer_key(&w, "epoch");
        wsc_writer_uint(&w, bk_pg_number(rows, i, 1));
        wsc_writer_key(&w, "seq");
        wsc_writer_uint(&w, bk_pg_number(rows, i, 2));
        wsc_writer_end(&w);
    }

    wsc_writer_end(&w);

    wsc_writer_key(&w, "more");
    wsc_writer_bool(&w, i < n);

    wsc_writer_end(&w);
}

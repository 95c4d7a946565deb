
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bk_log.h"
#include "bk_pg.h"
#include "bk_status.h"


static void bk_pg_on_notice(void *data, const char *text);
static int bk_pg_prepare(PGconn *conn, unsigned timeout);
static bk_pg_rc_e bk_pg_state(const char *state);


static const char  *bk_pg_connection;


const bk_opt_t  bk_pg_options[] = {
    { "postgres", BK_OPT_TEXT, &bk_pg_connection, NULL,
      "the database: a libpq connection string or URI; what it leaves out "
      "comes from the PG... variables", 0, 0, NULL },
    { NULL, 0, NULL, NULL, NULL, 0, 0, NULL }
};


PGconn *
bk_pg_open(const char *program, unsigned timeout)
{
    PGconn             *conn;
    const char *const   names[] = {
        "connect_timeout", "tcp_user_timeout", "keepalives_idle",
        "keepalives_interval", "keepalives_count", "dbname",
        "fallback_application_name", NULL
    };
    const char *const   values[] = {
        "5", "15000", "10", "5", "3",
        bk_pg_connection ? bk_pg_connection : "", program, NULL
    };

    conn = PQconnectdbParams(names, values, 1);

    if (PQstatus(conn) != CONNECTION_OK) {
        bk_log(BK_LOG_WARN, "PostgreSQL cannot be reached",
               bk_str("error", PQerrorMessage(conn)));
        PQfinish(conn);
        return NULL;
    }

    PQsetNoticeProcessor(conn, bk_pg_on_notice, NULL);

    if (bk_pg_prepare(conn, timeout) == -1) {
        PQfinish(conn);
        return NULL;
    }

    return conn;
}


/* Warnings, and why the server ended a session that was idle. */

static void
bk_pg_on_notice(void *data, const char *text)
{
    bk_log(BK_LOG_WARN, "PostgreSQL", bk_str("text", text));
}


/*
 * A stopped process must not hold a lock for long, and none may wait for ever
 * for one.
 */

static int
bk_pg_prepare(PGconn *conn, unsigned timeout)
{
    int        version;
    char       sql[512];
    PGresult  *result;

    snprintf(sql, sizeof(sql),
             "set client_min_messages = warning;"
             "set statement_timeout = %u;"
             "set lock_timeout = 10000;"
             "set idle_in_transaction_session_timeout = 5000;"
             "set client_encoding = 'UTF8'; set jit = off;"
             "select max(version) from schema_version", timeout);

    if (bk_pg_exec(conn, sql, 0, NULL, &result) != BK_PG_OK) {
        bk_status_set(BK_STATUS_SCHEMA, "the database has no schema");
        return -1;
    }

    version = atoi(PQgetvalue(result, 0, 0));

    PQclear(result);

    if (version < BK_PG_SCHEMA) {
        bk_log(BK_LOG_ERROR, "the database needs ws-chat-migrate",
               bk_num("version", version), bk_num("needed", BK_PG_SCHEMA));
        bk_status_set(BK_STATUS_SCHEMA, "the database has an old schema");
        return -1;
    }

    bk_status_set(BK_STATUS_SCHEMA, NULL);

    return 0;
}


bk_pg_rc_e
bk_pg_exec(PGconn *conn, const char *sql, int n, const char *const *values,
    PGresult **result)
{
    bk_pg_rc_e  rc;

    *result = n ? PQexecParams(conn, sql, n, NULL, values, NULL, NULL, 0)
                : PQexec(conn, sql);

    rc = bk_pg_check(conn, *result);

    if (rc != BK_PG_OK) {
        PQclear(*result);
        *result = NULL;
    }

    return rc;
}


bk_pg_rc_e
bk_pg_do(PGconn *conn, const char *sql)
{
    PGresult    *result;
    bk_pg_rc_e   rc;

    rc = bk_pg_exec(conn, sql, 0, NULL, &result);

    PQclear(result);

    return rc;
}


bk_pg_rc_e
bk_pg_check(PGconn *conn, const PGresult *result)
{
    bk_pg_rc_e       rc;
    const char      *state;
    ExecStatusType   status;

    status = PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK
        || status == PGRES_COPY_IN)
    {
        return BK_PG_OK;
    }

    state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    rc = bk_pg_state(state);

    bk_log(rc == BK_PG_BROKEN ? BK_LOG_ERROR : BK_LOG_WARN,
           "PostgreSQL refused", bk_str("state", state ? state : "none"),
           bk_str("error", PQerrorMessage(conn)));

    return rc;
}


/* Classes: appendix A of PostgreSQL's manual. */

static bk_pg_rc_e
bk_pg_state(const char *state)
{
    if (state == NULL) {
        return BK_PG_RETRY;
    }

    if (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0
        || strcmp(state, "54001") == 0 || strcmp(state, "54000") == 0)
    {
        return BK_PG_DATA;
    }

    if (strncmp(state, "42", 2) == 0 || strncmp(state, "3F", 2) == 0
        || strncmp(state, "28", 2) == 0 || strncmp(state, "3D", 2) == 0)
    {
        return BK_PG_BROKEN;
    }

    return BK_PG_RETRY;
}


uint64_t
bk_pg_number(const PGresult *rows, int row, int column)
{
    return PQgetisnull(rows, row, column)
           ? 0 : strtoull(PQgetvalue(rows, row, column), NULL, 10);
}

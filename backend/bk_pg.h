
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A connection to PostgreSQL, and what its errors mean.
 */


#ifndef _BK_PG_H_INCLUDED_
#define _BK_PG_H_INCLUDED_


#include <libpq-fe.h>

#include "bk_opt.h"


#define BK_PG_SCHEMA  3          /* the version the daemons need */


typedef enum {
    BK_PG_OK = 0,
    BK_PG_RETRY,                 /* later, perhaps on a new connection */
    BK_PG_DATA,                  /* a row is at fault */
    BK_PG_BROKEN                 /* schema, rights: somebody has to see to */
} bk_pg_rc_e;


extern const bk_opt_t  bk_pg_options[];


/*
 * Connects and looks at the schema; timeout: ms that a statement may take.
 * NULL: it is logged why not.
 */
PGconn *bk_pg_open(const char *program, unsigned timeout);

/*
 * Executes with n text parameters (or none and several statements).  The
 * result is the caller's with BK_PG_OK, otherwise NULL, and logged if not
 * BK_PG_DATA.
 */
bk_pg_rc_e bk_pg_exec(PGconn *conn, const char *sql, int n,
    const char *const *values, PGresult **result);

/* The same without a result. */
bk_pg_rc_e bk_pg_do(PGconn *conn, const char *sql);

/* What a result means; log: errors of data too. */
bk_pg_rc_e bk_pg_check(PGconn *conn, const PGresult *result);

/* A value that is no negative number; 0: it is null. */
uint64_t bk_pg_number(const PGresult *rows, int row, int column);


#endif /* _BK_PG_H_INCLUDED_ */

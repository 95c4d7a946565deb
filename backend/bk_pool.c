
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "bk_mem.h"
#include "bk_pool.h"
#include "bk_status.h"


#define BK_POOL_PAUSE  1000       /* ms between attempts to connect */


static int bk_pool_wait(unsigned ms);
static PGconn *bk_pool_open(void);


static pthread_mutex_t   bk_pool_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t    bk_pool_freed = PTHREAD_COND_INITIALIZER;

static PGconn          **bk_pool_idle;
static unsigned          bk_pool_nidle;
static unsigned          bk_pool_left;       /* may still be taken out */
static unsigned          bk_pool_timeout;
static uint64_t          bk_pool_failed;     /* when connecting failed */
static const char       *bk_pool_program;
static const char       *bk_pool_sql;


int
bk_pool_init(const char *program, const char *sql, unsigned n,
    unsigned timeout)
{
    bk_pool_sql = sql;
    bk_pool_program = program;
    bk_pool_timeout = timeout;
    bk_pool_left = n;

    bk_pool_idle = calloc(n, sizeof(PGconn *));

    return bk_pool_idle ? 0 : -1;
}


PGconn *
bk_pool_get(unsigned ms)
{
    PGconn  *conn;

    if (bk_pool_wait(ms) == -1) {
        return NULL;
    }

    conn = NULL;

    pthread_mutex_lock(&bk_pool_lock);

    if (bk_pool_nidle) {
        conn = bk_pool_idle[--bk_pool_nidle];
    }

    pthread_mutex_unlock(&bk_pool_lock);

    if (conn && PQstatus(conn) == CONNECTION_OK) {
        return conn;
    }

    PQfinish(conn);

    conn = bk_pool_open();

    if (conn == NULL) {
        bk_pool_put(NULL);
    }

    return conn;
}


/* Takes one of those that may be out. */

static int
bk_pool_wait(unsigned ms)
{
    int               rc;
    struct timespec   until;

    clock_gettime(CLOCK_REALTIME, &until);

    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;

    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }

    rc = 0;

    pthread_mutex_lock(&bk_pool_lock);

    while (bk_pool_left == 0 && rc == 0) {
        rc = pthread_cond_timedwait(&bk_pool_freed, &bk_pool_lock, &until);
    }

    if (bk_pool_left) {
        bk_pool_left--;
        rc = 0;
    }

    pthread_mutex_unlock(&bk_pool_lock);

    return rc ? -1 : 0;
}


/* While PostgreSQL is away not every request tries. */

static PGconn *
bk_pool_open(void)
{
    int       soon;
    PGconn   *conn;

    pthread_mutex_lock(&bk_pool_lock);
    soon = (bk_pool_failed && bk_ticks() - bk_pool_failed < BK_POOL_PAUSE);
    pthread_mutex_unlock(&bk_pool_lock);

    if (soon) {
        return NULL;
    }

    conn = bk_pg_open(bk_pool_program, bk_pool_timeout);

    if (conn && bk_pg_do(conn, bk_pool_sql) != BK_PG_OK) {
        PQfinish(conn);
        conn = NULL;
    }

    pthread_mutex_lock(&bk_pool_lock);
    bk_pool_failed = conn ? 0 : bk_ticks();
    pthread_mutex_unlock(&bk_pool_lock);

    bk_status_set(BK_STATUS_STORE,
                  conn ? NULL : "PostgreSQL cannot be reached");

    return conn;
}


void
bk_pool_put(PGconn *conn)
{
    if (conn && PQtransactionStatus(conn) != PQTRANS_IDLE) {
        PQfinish(conn);
        conn = NULL;
    }

    pthread_mutex_lock(&bk_pool_lock);

    if (conn) {
        bk_pool_idle[bk_pool_nidle++] = conn;
    }

    bk_pool_left++;

    pthread_cond_signal(&bk_pool_freed);
    pthread_mutex_unlock(&bk_pool_lock);
}


void
bk_pool_done(void)
{
    while (bk_pool_nidle) {
        PQfinish(bk_pool_idle[--bk_pool_nidle]);
    }

    free(bk_pool_idle);
}

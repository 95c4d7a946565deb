
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Connections to PostgreSQL for several threads.
 */


#ifndef _BK_POOL_H_INCLUDED_
#define _BK_POOL_H_INCLUDED_


#include "bk_pg.h"


/*
 * Made on demand, at most n; each executes sql first; timeout: ms of a
 * statement.  0 or -1.
 */
int bk_pool_init(const char *program, const char *sql, unsigned n,
    unsigned timeout);

/*
 * One that is connected, the caller's alone until it is put back; waits for so
 * many ms.  NULL: none was free, or PostgreSQL cannot be reached.
 */
PGconn *bk_pool_get(unsigned ms);
void bk_pool_put(PGconn *conn);

/* Closes all; none is out. */
void bk_pool_done(void);


#endif /* _BK_POOL_H_INCLUDED_ */

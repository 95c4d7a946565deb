
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What must be true of the embedded store's area between any two calls.
 */


#ifndef _WSC_SHMLOG_CHECK_H_INCLUDED_
#define _WSC_SHMLOG_CHECK_H_INCLUDED_


#include "wsc_shmlog.h"


/*
 * Fails the test unless each chunk is in exactly one place, and lists, hash
 * tables and counts agree with the chats' records and entries.
 */
void wsc_shmlog_check(wsc_shmlog_t *l);


#endif /* _WSC_SHMLOG_CHECK_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Where the archive has what a user sent, for who erases it.
 */


#ifndef _BK_HISTORY_SENDER_H_INCLUDED_
#define _BK_HISTORY_SENDER_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_value.h"
#include "bk_pg.h"


/*
 * Whether each of n partitions of the topic is archived up to its end: *is is
 * 1, else 0.
 */
bk_pg_rc_e bk_history_reached(PGconn *conn, const int64_t *ends, int n,
    int *is);

/*
 * The positions of a sender's messages that have their text, in the first
 * chat with some behind a place: chat_id ("": the first of all) and after.
 */
bk_pg_rc_e bk_history_sender(PGconn *conn, const char *sender,
    const char *chat_id, wsc_pos_t after, uint64_t limit, wsc_buf_t *body);


#endif /* _BK_HISTORY_SENDER_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Pages of the archive, as the HTTP API answers them.
 */


#ifndef _BK_HISTORY_H_INCLUDED_
#define _BK_HISTORY_H_INCLUDED_


#include "bk_http.h"
#include "bk_pg.h"
#include "wsc_event.h"


typedef struct {
    wsc_str_t           chat_id;
    wsc_pos_t           after;
    wsc_pos_t           before;
    uint64_t            limit;
    uint64_t            max_bytes;
    unsigned            has_after:1;
    unsigned            has_before:1;
    unsigned            live:1;      /* positions of the chat are dense */
} bk_page_t;


/* What a connection executes first. */
extern const char  bk_history_session[];


/*
 * Reads a page and writes the `history` event.  On failure the body is empty
 * and the connection may be broken.
 */
bk_pg_rc_e bk_history_page(PGconn *conn, const bk_page_t *page,
    wsc_buf_t *body);

/*
 * Where a sender's cid is stored: *pos, seq 0 when it is not, and up to where
 * that is certain.
 */
bk_pg_rc_e bk_history_sent(PGconn *conn, const wsc_str_t *chat_id,
    const char *sender, const char *cid, wsc_pos_t *pos,
    wsc_pos_t *complete_to);


#endif /* _BK_HISTORY_H_INCLUDED_ */

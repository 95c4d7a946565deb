
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Asks ws-chat-history whether a cid is archived.
 */


#ifndef _BK_ASK_H_INCLUDED_
#define _BK_ASK_H_INCLUDED_


#include "bk_opt.h"
#include "bk_record.h"


typedef enum {
    BK_ASK_NEW = 0,              /* it is not archived before that position */
    BK_ASK_FOUND,                /* *first is where */
    BK_ASK_UNKNOWN,              /* the archive is not that far */
    BK_ASK_AWAY                  /* nobody answers */
} bk_ask_e;


extern const bk_opt_t  bk_ask_options[];


/* 1 if there is somebody to ask. */
int bk_ask_whom(void);

/*
 * Was this sender's cid stored before pos?  Asks again as long as that is not
 * known, until the moment (of bk_ticks()) has come.
 */
bk_ask_e bk_ask(const bk_record_t *record, wsc_pos_t pos, uint64_t until,
    wsc_pos_t *first);


#endif /* _BK_ASK_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Reads a `history` event as ws-chat-history gives it: JSON with chat_id,
 * messages, more and complete_to; what else is there is passed over.
 */


#ifndef _WSC_PAGE_H_INCLUDED_
#define _WSC_PAGE_H_INCLUDED_


#include "wsc_value.h"


typedef struct {
    wsc_entry_t        *entries;      /* ascending */
    size_t              n;
    wsc_str_t           chat_id;      /* len 0: it is not named */
    wsc_pos_t           complete_to;  /* seq 0: nothing is */
    unsigned            more:1;
    unsigned            bare:1;       /* entries are positions alone */
} wsc_page_t;


/*
 * The text is changed in place and has the entries' strings; the entries are
 * for wsc_page_free() in any case.  bare: entries need no more than a
 * position.  WSC_OK; WSC_DECLINED with *reason (static); WSC_ERROR: no memory.
 */
ssize_t wsc_page_read(const wsc_alloc_t *alloc, u_char *p, size_t len,
    int bare, wsc_page_t *page, const char **reason);

void wsc_page_free(const wsc_alloc_t *alloc, wsc_page_t *page);


#endif /* _WSC_PAGE_H_INCLUDED_ */

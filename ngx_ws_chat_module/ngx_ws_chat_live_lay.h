
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Reads of the live store, and what became of the page that one has found.
 */


#ifndef _NGX_WS_CHAT_LIVE_LAY_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_LAY_H_INCLUDED_


#include "ngx_ws_chat_live_parts.h"


typedef struct ngx_ws_chat_live_job_s  ngx_ws_chat_live_job_t;


/* A read under way; its caller may call it off. */

struct ngx_ws_chat_live_job_s {
    ngx_queue_t                  queue;
    ngx_ws_chat_live_t          *live;
    ngx_ws_chat_read_t          *r;          /* NULL: called off */
    wsc_pos_t                    after;
    wsc_pos_t                    head;
    wsc_pos_t                    complete_to;  /* of an archived page */
    wsc_entry_t                 *page;       /* r's entries and their octets */
    void                       (*laid)(ngx_ws_chat_live_job_t *job,
                                     ngx_int_t rc);
    ngx_uint_t                   flight;     /* replies to come */
    unsigned                     asked:1;    /* for the range */
    unsigned                     failed:1;
    unsigned                     behind:1;   /* the relay is */
    unsigned                     changed:1;  /* some messages are */
    unsigned                     vain:1;     /* the archive was asked */
    unsigned                     archived:1; /* the page is from there */
};


/*
 * Copies r's entries, which are somebody else's, to job->page (to be freed by
 * the caller), and makes them and r->changed what they are now.  laid() is
 * called once: NGX_OK, strings live until it returns; NGX_AGAIN: the page is
 * gone meanwhile and freed, read again; NGX_ERROR: it is not known.
 */
void ngx_ws_chat_live_lay(ngx_ws_chat_live_job_t *job);


#endif /* _NGX_WS_CHAT_LIVE_LAY_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the store is asked for: changes of messages that are there.  As with
 * all requests, they belong to the caller until they were answered.
 */


#ifndef _NGX_WS_CHAT_STORE_CHANGE_H_INCLUDED_
#define _NGX_WS_CHAT_STORE_CHANGE_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "core/wsc_cmd.h"


typedef struct ngx_ws_chat_change_s   ngx_ws_chat_change_t;
typedef struct ngx_ws_chat_erase_s    ngx_ws_chat_erase_t;


/*
 * Changes a message: edits or retracts it.  Answers: NOT_FOUND: it is not
 * kept, or to be edited though it was retracted; FORBIDDEN: it is another
 * user's.
 * What was retracted before is so again without an error.
 */
struct ngx_ws_chat_change_s {
    ngx_queue_t                 queue;        /* the store's while it has it */
    ngx_ws_chat_zone_t         *zone;
    wsc_str_t                   chat_id;
    wsc_change_t                change;       /* at: the store's */
    wsc_shmlog_limits_t         limits;
    unsigned                    any:1;        /* also other users' */
    void                      (*done)(ngx_ws_chat_change_t *c);
    wsc_err_e                   err;          /* answer; NONE: it is so */
    uint32_t                    retry_ms;     /* with a temporary err */
    unsigned                    dup:1;        /* answer: it was retracted
                                                 before */
    unsigned                    sent:1;       /* the store's: on its way */
    unsigned                    doubt:1;      /* the store's: it may be done or
                                                 not */
    unsigned                    bare:1;       /* the store's: the archive has
                                                 it, its record will do */
    ngx_msec_t                  deadline;     /* the store's */
    void                       *data;         /* the store's while it has it */
};


/* Retracts all that a user has sent so far, in all chats of the zone. */

struct ngx_ws_chat_erase_s {
    ngx_ws_chat_zone_t         *zone;
    wsc_str_t                   user;
    wsc_shmlog_limits_t         limits;
    uint64_t                    timestamp;
    void                       *data;         /* the store's */
    void                      (*done)(ngx_ws_chat_erase_t *e);
    wsc_err_e                   err;          /* answer: repeat it */
    ngx_uint_t                  n;            /* answer: messages retracted */
};


#endif /* _NGX_WS_CHAT_STORE_CHANGE_H_INCLUDED_ */

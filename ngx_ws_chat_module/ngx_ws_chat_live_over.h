
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the live store holds of changed messages while it reads or stores.
 */


#ifndef _NGX_WS_CHAT_LIVE_OVER_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_OVER_H_INCLUDED_


#include "ngx_ws_chat_store.h"


/* Changed messages, by position; their octets lie behind them. */

typedef struct {
    wsc_change_t                    *changes;
    ngx_uint_t                       n;
} ngx_ws_chat_live_over_t;


/* A change of a message, in a transaction of its own. */

typedef struct {
    ngx_ws_chat_change_t            *c;          /* NULL: none, called off */
    wsc_str_t                        chat_id;
    wsc_err_e                        err;
    uint64_t                         life;       /* ms, of what is stored */
    ngx_uint_t                       count;      /* changes there are */
    unsigned                         gone:1;     /* it is retracted already */
    unsigned                         forever:1;  /* the stream lives */
    u_char                           name[WSC_MAX_CHAT_ID];
    wsc_buf_t                        record;     /* for Kafka, once it is
                                                    stored; alloc NULL: none */
} ngx_ws_chat_live_changing_t;


#endif /* _NGX_WS_CHAT_LIVE_OVER_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_authorize: asks a location of the server whether a user may take
 * part in a chat.  The request of the socket is gone by then, so one is made
 * for it that has no socket.
 */


#ifndef _NGX_WS_CHAT_AUTHORIZE_H_INCLUDED_
#define _NGX_WS_CHAT_AUTHORIZE_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "core/wsc_cmd.h"


typedef struct ngx_ws_chat_authorize_s  ngx_ws_chat_authorize_t;


/* The caller's; all of it must live until done() or the cancel. */

typedef struct {
    ngx_ws_chat_loc_conf_t       *conf;
    ngx_connection_t             *connection;    /* the client's */
    wsc_str_t                     user;
    wsc_str_t                     chat_id;
    uint64_t                      session;

    /* WSC_ERR_NONE, FORBIDDEN or UNAVAILABLE.  Never called from inside. */
    void                        (*done)(void *data, wsc_err_e err);
    void                         *data;
} ngx_ws_chat_question_t;


/* Asks, when it is its turn.  NULL: no memory. */
ngx_ws_chat_authorize_t *ngx_ws_chat_authorize(
    const ngx_ws_chat_question_t *question);

/* Before done(): the answer is not wanted any more. */
void ngx_ws_chat_authorize_cancel(ngx_ws_chat_authorize_t *a);


#endif /* _NGX_WS_CHAT_AUTHORIZE_H_INCLUDED_ */

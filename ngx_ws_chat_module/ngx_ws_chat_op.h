
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Operations: commands that take a while.  Each is a copy of its command that
 * lives until it is answered.  What comes for a chat while its join or leave
 * is under way waits behind it, so that commands take effect in order.
 */


#ifndef _NGX_WS_CHAT_OP_H_INCLUDED_
#define _NGX_WS_CHAT_OP_H_INCLUDED_


#include "ngx_ws_chat_authorize.h"
#include "ngx_ws_chat_ban.h"
#include "ngx_ws_chat_client.h"


struct ngx_ws_chat_op_s {
    union {
        ngx_ws_chat_publish_t     publish;        /* send */
        ngx_ws_chat_read_t        read;           /* join, history */
        ngx_ws_chat_ban_t         ban;            /* kick, block */
        ngx_ws_chat_change_t      change;         /* edit, retract */
    } u;                                          /* must be first */

    ngx_ws_chat_waiting_t         waiting;        /* join: for its room */
    ngx_ws_chat_op_t             *next;           /* of the client */
    ngx_ws_chat_op_t            **link;           /* what points to this one */
    ngx_ws_chat_op_t             *behind;         /* waits for this one */
    ngx_ws_chat_op_t            **behind_last;
    ngx_ws_chat_client_t         *client;
    ngx_ws_chat_member_t         *member;
    ngx_ws_chat_authorize_t      *asking;         /* NULL: it does not */
    wsc_cmd_t                     cmd;            /* strings: in data */
    wsc_pos_t                     head;           /* join: delivered so far */
    int                           unread;         /* join; < 0: not known */
    uint64_t                      begun;          /* us, see stat */
    unsigned                      permitted:1;    /* it has asked */
    unsigned                      stored:1;       /* the store has it */
    unsigned                      counted:1;      /* join: `unread` is set */
    unsigned                      awaits:1;       /* ... who is kicked */
    unsigned                      first:1;        /* join: it makes the
                                                     member */
    u_char                        data[1];
};


/* 1: it is stored or not, which its client wants to know. */
#define ngx_ws_chat_op_writes(cmd)                                            \
    ((cmd)->op == WSC_CMD_SEND || ngx_ws_chat_op_changes(cmd))

/* 1: it changes a message. */
#define ngx_ws_chat_op_changes(cmd)                                           \
    ((cmd)->op == WSC_CMD_EDIT || (cmd)->op == WSC_CMD_RETRACT)


/*
 * Runs a decoded command of a client, any but refresh and ping.  The answer
 * may be queued before this returns.
 */
void ngx_ws_chat_op_run(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd);

/*
 * Ends the client's membership of a chat, and what is under way there: it is
 * told `kicked`.  The outcome of its sends is still told.
 */
void ngx_ws_chat_op_expel(ngx_ws_chat_client_t *cl, const wsc_str_t *chat_id);

/* Calls off all of the client's operations, without answers. */
void ngx_ws_chat_op_cancel(ngx_ws_chat_client_t *cl);


#endif /* _NGX_WS_CHAT_OP_H_INCLUDED_ */

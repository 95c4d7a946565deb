
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the files of the operations share.
 */


#ifndef _NGX_WS_CHAT_OP_INT_H_INCLUDED_
#define _NGX_WS_CHAT_OP_INT_H_INCLUDED_


#include "ngx_ws_chat_op.h"


#define NGX_WS_CHAT_RETRY_MS  1000


/* 1: it is about who may be here, and needs no membership. */
#define ngx_ws_chat_op_moderates(op)                                          \
    ((op)->cmd.op == WSC_CMD_KICK || (op)->cmd.op == WSC_CMD_BLOCK)

/* Starts a join; m: the client's membership, if it has one already. */
void ngx_ws_chat_op_join(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m);

/* 1: its client is told when it is done. */
#define ngx_ws_chat_op_answers(op)                                            \
    ((op)->cmd.id.type != WSC_ID_NONE || (op)->client->answers)

/* What changes a chat's state; they answer and free it. */
void ngx_ws_chat_op_signal(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m);
void ngx_ws_chat_op_typing(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m);

/* Edits or retracts; m: NULL for a guest's. */
void ngx_ws_chat_op_change(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m);

/*
 * What needs the chat's state: mark and presence; they answer and free it.  Of
 * a guest the room is visited (m: NULL).
 */
void ngx_ws_chat_op_look(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m);

/* Kicks from a chat, or blocks; answers and frees it. */
void ngx_ws_chat_op_ban(ngx_ws_chat_op_t *op);

/*
 * Is its client kept out of the chat?  NGX_OK: it is not; NGX_DONE: it is, or
 * that is not known yet: the operation is taken care of.
 */
ngx_int_t ngx_ws_chat_op_admit(ngx_ws_chat_op_t *op);

/* Goes on with one that waited and is no member's. */
void ngx_ws_chat_op_go(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m);

/* Takes the operation off its client's list and frees it. */
void ngx_ws_chat_op_free(ngx_ws_chat_op_t *op);

/* The same for a join or leave, and starts what waited behind it. */
void ngx_ws_chat_op_release(ngx_ws_chat_op_t *op, wsc_err_e err);

/* Begins what the store is going to answer; m: NULL for a guest's. */
void ngx_ws_chat_op_hold(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m);

/* The same for what the store answered; its member may wait to leave. */
void ngx_ws_chat_op_settled(ngx_ws_chat_op_t *op);

/* Answers a command by an error. */
void ngx_ws_chat_op_error(ngx_ws_chat_client_t *cl,
    const wsc_cmd_t *cmd, wsc_err_e code, const char *message,
    uint32_t retry_ms);

/* Asks the store for entries; upto, after and before are the caller's. */
void ngx_ws_chat_op_read(ngx_ws_chat_op_t *op, ngx_uint_t limit,
    void (*done)(ngx_ws_chat_read_t *r));


#endif /* _NGX_WS_CHAT_OP_INT_H_INCLUDED_ */

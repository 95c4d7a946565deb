
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Editing and retracting.
 */


#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_op_int.h"
#include "ngx_ws_chat_reply.h"


static void ngx_ws_chat_op_change_done(ngx_ws_chat_change_t *c);
static const char *ngx_ws_chat_op_change_reason(wsc_err_e err);


/* Whose messages: one's own, or with the claim `moderate` anybody's. */

void
ngx_ws_chat_op_change(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    ngx_ws_chat_change_t  *c;
    ngx_ws_chat_client_t  *cl;

    cl = op->client;
    c = &op->u.change;

    ngx_memzero(c, sizeof(ngx_ws_chat_change_t));

    c->zone = cl->conf->zone;
    c->chat_id = op->cmd.chat_id;
    c->limits = cl->conf->history;
    c->any = cl->moderate;
    c->change.pos = op->cmd.pos;
    c->change.by.data = ngx_ws_chat_client_user(cl);
    c->change.by.len = cl->user_len;
    c->change.timestamp = ngx_ws_chat_now();
    c->change.retracted = (op->cmd.op == WSC_CMD_RETRACT);
    c->done = ngx_ws_chat_op_change_done;

    if (!c->change.retracted) {
        c->change.message = op->cmd.message;
    }

    ngx_ws_chat_op_hold(op, m);
    op->stored = 1;

    c->zone->store->change(c);
}


static void
ngx_ws_chat_op_change_done(ngx_ws_chat_change_t *c)
{
    ngx_ws_chat_op_t      *op;
    ngx_ws_chat_client_t  *cl;

    op = (ngx_ws_chat_op_t *) c;
    cl = op->client;
    op->stored = 0;

    if (c->err != WSC_ERR_NONE) {
        ngx_ws_chat_op_error(cl, &op->cmd, c->err,
                             ngx_ws_chat_op_change_reason(c->err),
                             c->retry_ms);

    } else if (ngx_ws_chat_op_answers(op)) {
        wsc_event_ack(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id,
                      &op->cmd.chat_id, &op->cmd.cid, c->change.timestamp,
                      &c->change.pos, 0);
        ngx_ws_chat_reply(cl);
    }

    ngx_ws_chat_op_settled(op);
}


static const char *
ngx_ws_chat_op_change_reason(wsc_err_e err)
{
    switch (err) {

    case WSC_ERR_NOT_FOUND:
        return "there is no such message any more";

    case WSC_ERR_FORBIDDEN:
        return "the message is another user's";

    case WSC_ERR_BAD_REQUEST:
        return "the message is too large";

    case WSC_ERR_UNKNOWN:
        return "it is not known whether this was done";

    default:
        return "not changed, try again later";
    }
}

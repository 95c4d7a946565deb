
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Kicks and blocks: by whom a token allows it, and of whom.
 */


#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_op_int.h"
#include "ngx_ws_chat_client_all.h"
#include "ngx_ws_chat_reply.h"


static void ngx_ws_chat_op_banned(ngx_ws_chat_ban_t *ban, wsc_err_e err);
static void ngx_ws_chat_op_known(ngx_ws_chat_waiting_t *w, wsc_err_e err);
static ngx_ws_chat_op_t *ngx_ws_chat_op_end(ngx_ws_chat_client_t *cl,
    ngx_ws_chat_member_t *m);
static void ngx_ws_chat_op_kicked(ngx_ws_chat_client_t *cl,
    const wsc_str_t *chat_id);


void
ngx_ws_chat_op_ban(ngx_ws_chat_op_t *op)
{
    ngx_ws_chat_ban_t  *ban;

    ban = &op->u.ban;

    ban->zone = op->client->conf->zone;
    ban->type = WSC_NEWS_BAN;
    ban->user = op->cmd.name;
    ban->chat_id = op->cmd.chat_id;
    ban->done = ngx_ws_chat_op_banned;

    if (op->cmd.has_seconds) {
        ban->seconds = op->cmd.seconds;

    } else {
        ban->seconds = (op->cmd.op == WSC_CMD_KICK) ? NGX_WS_CHAT_BAN_KICK
                                                    : NGX_WS_CHAT_BAN_EVER;
    }

    op->stored = 1;

    ngx_ws_chat_ban(ban);
}


static void
ngx_ws_chat_op_banned(ngx_ws_chat_ban_t *ban, wsc_err_e err)
{
    ngx_ws_chat_op_t      *op;
    ngx_ws_chat_client_t  *cl;

    op = (ngx_ws_chat_op_t *) ban;
    cl = op->client;
    op->stored = 0;

    if (err != WSC_ERR_NONE) {
        ngx_ws_chat_op_error(cl, &op->cmd, err,
                             (err == WSC_ERR_UNKNOWN)
                             ? "it is not known whether this was done"
                             : "not done, try again later",
                             NGX_WS_CHAT_RETRY_MS);

    } else if (ngx_ws_chat_op_answers(op)) {
        wsc_event_ok(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id);
        ngx_ws_chat_reply(cl);
    }

    ngx_ws_chat_op_free(op);
}


ngx_int_t
ngx_ws_chat_op_admit(ngx_ws_chat_op_t *op)
{
    wsc_str_t              user;
    ngx_ws_chat_client_t  *cl;

    cl = op->client;

    user.data = ngx_ws_chat_client_user(cl);
    user.len = cl->user_len;

    switch (ngx_ws_chat_ban_check(cl->conf->zone, &op->cmd.chat_id, &user)) {

    case NGX_OK:
        return NGX_OK;

    case NGX_AGAIN:
        op->awaits = 1;
        op->waiting.ready = ngx_ws_chat_op_known;

        ngx_ws_chat_ban_wait(cl->conf->zone, &op->waiting);
        return NGX_DONE;

    case NGX_BUSY:
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_UNAVAILABLE,
                             "the chat cannot be opened now",
                             NGX_WS_CHAT_RETRY_MS);
        ngx_ws_chat_op_release(op, WSC_ERR_UNAVAILABLE);
        return NGX_DONE;

    default:
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_FORBIDDEN,
                             "this user is kicked or blocked", 0);
        ngx_ws_chat_op_release(op, WSC_ERR_FORBIDDEN);
        return NGX_DONE;
    }
}


/* It is known now who is kept out. */

static void
ngx_ws_chat_op_known(ngx_ws_chat_waiting_t *w, wsc_err_e err)
{
    ngx_ws_chat_op_t  *op;

    op = ngx_queue_data(w, ngx_ws_chat_op_t, waiting);

    op->awaits = 0;

    if (err == WSC_ERR_NONE) {
        ngx_ws_chat_op_go(op, NULL);
        return;
    }

    ngx_ws_chat_op_error(op->client, &op->cmd, err,
                         "the chat cannot be opened now",
                         NGX_WS_CHAT_RETRY_MS);
    ngx_ws_chat_op_release(op, err);
}


void
ngx_ws_chat_op_expel(ngx_ws_chat_client_t *cl, const wsc_str_t *chat_id)
{
    ngx_uint_t             joined;
    ngx_ws_chat_op_t      *op;
    ngx_ws_chat_member_t  *m;

    m = ngx_ws_chat_client_member(cl, chat_id);

    if (m == NULL) {
        return;
    }

    op = ngx_ws_chat_op_end(cl, m);
    joined = (op == NULL || op->cmd.op == WSC_CMD_LEAVE);

    cl->chats--;
    ngx_ws_chat_client_leave(cl, m);

    if (joined) {
        ngx_ws_chat_op_kicked(cl, chat_id);
    }

    if (op && joined) {
        ngx_ws_chat_op_go(op, NULL);

    } else if (op) {
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_FORBIDDEN,
                             "this user is kicked or blocked", 0);
        ngx_ws_chat_op_release(op, WSC_ERR_FORBIDDEN);
    }

    ngx_ws_chat_client_tell(cl);

    if (ngx_ws_chat_client_ops(cl)->left) {
        ngx_ws_chat_client_ops(cl)->left(cl);
    }
}


/*
 * Parts a member from what is under way, and answers that, but for what it
 * joins or leaves by: this is returned, or NULL.
 */

static ngx_ws_chat_op_t *
ngx_ws_chat_op_end(ngx_ws_chat_client_t *cl, ngx_ws_chat_member_t *m)
{
    ngx_uint_t         waits;
    ngx_ws_chat_op_t  *op, *next, *found;

    found = NULL;

    for (op = cl->ops; op; op = next) {
        next = op->next;
        waits = (m->reader.waits && op->waiting.member == m);

        if (op->member != m && !waits) {
            continue;
        }

        op->member = NULL;
        op->waiting.member = NULL;

        if (op->waiting.queued) {
            ngx_queue_remove(&op->waiting.queue);
            op->waiting.queued = 0;
        }

        if (op->cmd.op == WSC_CMD_SEND) {
            continue;
        }

        if (op->stored) {
            op->stored = 0;
            cl->conf->zone->store->cancel_read(&op->u.read);
        }

        if (waits) {
            found = op;
            continue;
        }

        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_FORBIDDEN,
                             "this user is kicked or blocked", 0);
        ngx_ws_chat_op_free(op);
    }

    m->reader.waits = 0;

    return found;
}


static void
ngx_ws_chat_op_kicked(ngx_ws_chat_client_t *cl, const wsc_str_t *chat_id)
{
    wsc_event_kicked(ngx_ws_chat_reply_buf(), cl->enc, chat_id, "kicked");
    ngx_ws_chat_reply(cl);
}

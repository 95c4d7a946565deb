
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_op_int.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_client_all.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_reply.h"


#define NGX_WS_CHAT_HISTORY       50


static ngx_ws_chat_op_t *ngx_ws_chat_op_create(ngx_ws_chat_client_t *cl,
    const wsc_cmd_t *cmd);
static void ngx_ws_chat_op_copy(wsc_str_t *s, u_char **p);
static ngx_uint_t ngx_ws_chat_op_reads(ngx_ws_chat_op_t *op);
static ngx_ws_chat_op_t *ngx_ws_chat_op_waiting(ngx_ws_chat_client_t *cl,
    ngx_ws_chat_member_t *m);
static void ngx_ws_chat_op_start(ngx_ws_chat_op_t *op);
static void ngx_ws_chat_op_do(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m);
static ngx_ws_chat_op_t *ngx_ws_chat_op_asking(ngx_ws_chat_op_t *op);
static void ngx_ws_chat_op_ask(ngx_ws_chat_op_t *op);
static void ngx_ws_chat_op_asked(void *data, wsc_err_e err);
static ngx_uint_t ngx_ws_chat_op_allowed(ngx_ws_chat_op_t *op,
    ngx_ws_chat_member_t *m);


static void ngx_ws_chat_op_leave(ngx_ws_chat_op_t *op,
    ngx_ws_chat_member_t *m);
static void ngx_ws_chat_op_send(ngx_ws_chat_op_t *op,
    ngx_ws_chat_member_t *m);
static void ngx_ws_chat_op_send_done(ngx_ws_chat_publish_t *p);
static void ngx_ws_chat_op_history(ngx_ws_chat_op_t *op,
    ngx_ws_chat_member_t *m);
static void ngx_ws_chat_op_history_done(ngx_ws_chat_read_t *r);


void
ngx_ws_chat_op_run(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd)
{
    uint32_t           retry_ms;
    ngx_ws_chat_op_t  *op;

    if ((ngx_ws_chat_op_writes(cmd) || cmd->op == WSC_CMD_SIGNAL
         || cmd->op == WSC_CMD_TYPING || cmd->op == WSC_CMD_KICK
         || cmd->op == WSC_CMD_BLOCK)
        && ngx_ws_chat_reply_rate(cl, &retry_ms) != NGX_OK)
    {
        ngx_ws_chat_op_error(cl, cmd, WSC_ERR_RATE_LIMITED,
                             "too many messages", retry_ms);
        return;
    }

    op = ngx_ws_chat_op_create(cl, cmd);

    if (op == NULL) {
        ngx_ws_chat_op_error(cl, cmd, WSC_ERR_OVERLOADED, "out of memory",
                             NGX_WS_CHAT_RETRY_MS);
        return;
    }

    ngx_ws_chat_op_start(op);
}


void
ngx_ws_chat_op_cancel(ngx_ws_chat_client_t *cl)
{
    ngx_ws_chat_op_t           *op;
    const ngx_ws_chat_store_t  *store;

    store = cl->conf->zone ? cl->conf->zone->store : NULL;

    while (cl->ops) {
        op = cl->ops;

        if (op->stored && op->cmd.op == WSC_CMD_SEND) {
            store->cancel_publish(&op->u.publish);

        } else if (op->stored && ngx_ws_chat_op_moderates(op)) {
            ngx_ws_chat_ban_cancel(&op->u.ban);

        } else if (op->stored && ngx_ws_chat_op_changes(&op->cmd)) {
            store->cancel_change(&op->u.change);

        } else if (op->stored) {
            store->cancel_read(&op->u.read);
        }

        if (op->asking) {
            ngx_ws_chat_authorize_cancel(op->asking);
        }

        if (op->waiting.room) {
            ngx_ws_chat_room_visited(&op->waiting);
        }

        if (op->waiting.queued) {
            ngx_queue_remove(&op->waiting.queue);
        }

        if (op->waiting.member) {
            op->waiting.member->reader.waits = 0;
        }

        ngx_ws_chat_op_free(op);
    }
}


static ngx_ws_chat_op_t *
ngx_ws_chat_op_create(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd)
{
    u_char            *p;
    ngx_ws_chat_op_t  *op;

    op = wsc_alloc(&ngx_ws_chat_alloc,
                   sizeof(ngx_ws_chat_op_t) + cmd->id.string.len
                   + cmd->chat_id.len + cmd->cid.len
                   + cmd->name.len + cmd->message.data.len);
    if (op == NULL) {
        return NULL;
    }

    ngx_memzero(op, sizeof(ngx_ws_chat_op_t));

    op->begun = ngx_ws_chat_stat_clock();

    op->client = cl;
    op->cmd = *cmd;

    p = op->data;
    ngx_ws_chat_op_copy(&op->cmd.id.string, &p);
    ngx_ws_chat_op_copy(&op->cmd.chat_id, &p);
    ngx_ws_chat_op_copy(&op->cmd.cid, &p);
    ngx_ws_chat_op_copy(&op->cmd.name, &p);
    ngx_ws_chat_op_copy(&op->cmd.message.data, &p);

    op->behind_last = &op->behind;

    op->next = cl->ops;
    op->link = &cl->ops;

    if (op->next) {
        op->next->link = &op->next;
    }

    cl->ops = op;

    if (ngx_ws_chat_op_reads(op)) {
        cl->reads++;
    }

    return op;
}


static void
ngx_ws_chat_op_copy(wsc_str_t *s, u_char **p)
{
    if (s->len) {
        ngx_memcpy(*p, s->data, s->len);
    }

    s->data = *p;
    *p += s->len;
}


void
ngx_ws_chat_op_free(ngx_ws_chat_op_t *op)
{
    ngx_ws_chat_client_t  *cl;

    *op->link = op->next;

    if (op->next) {
        op->next->link = op->link;
    }

    cl = op->client;

    if (ngx_ws_chat_op_reads(op)) {
        cl->reads--;

        if (cl->peer.want_drain && !cl->gone) {
            cl->peer.ops->drained(&cl->peer);
        }
    }

    wsc_free(&ngx_ws_chat_alloc, op);
}


/* Its answer may be large, and take its time. */

static ngx_uint_t
ngx_ws_chat_op_reads(ngx_ws_chat_op_t *op)
{
    return op->cmd.op == WSC_CMD_JOIN || op->cmd.op == WSC_CMD_HISTORY;
}


/* What a member joins or leaves by. */

static ngx_ws_chat_op_t *
ngx_ws_chat_op_waiting(ngx_ws_chat_client_t *cl, ngx_ws_chat_member_t *m)
{
    ngx_ws_chat_op_t  *op;

    for (op = cl->ops; op->waiting.member != m; op = op->next) { /* void */ }

    return op;
}


/* Starts it, or puts it behind a join or leave of the same chat. */

static void
ngx_ws_chat_op_start(ngx_ws_chat_op_t *op)
{
    ngx_ws_chat_op_t      *before;
    ngx_ws_chat_member_t  *m;

    m = ngx_ws_chat_client_member(op->client, &op->cmd.chat_id);

    before = (m && m->reader.waits) ? ngx_ws_chat_op_waiting(op->client, m)
                                    : ngx_ws_chat_op_asking(op);

    if (before) {
        op->behind = NULL;
        *before->behind_last = op;
        before->behind_last = &op->behind;
        return;
    }

    ngx_ws_chat_op_go(op, m);
}


void
ngx_ws_chat_op_go(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    if (op->client->guest
        && (op->cmd.op == WSC_CMD_JOIN || op->cmd.op == WSC_CMD_LEAVE))
    {
        ngx_ws_chat_op_error(op->client, &op->cmd, WSC_ERR_BAD_REQUEST,
                             "a POST joins nothing: open a stream by GET", 0);
        ngx_ws_chat_op_free(op);
        return;
    }

    if (op->cmd.op == WSC_CMD_LEAVE) {
        ngx_ws_chat_op_leave(op, m);
        return;
    }

    if (m == NULL && op->cmd.op != WSC_CMD_JOIN && !op->client->guest
        && !ngx_ws_chat_op_moderates(op))
    {
        ngx_ws_chat_op_error(op->client, &op->cmd, WSC_ERR_NOT_JOINED,
                             "join the chat first", 0);
        ngx_ws_chat_op_free(op);
        return;
    }

    if (!ngx_ws_chat_op_allowed(op, m)) {
        ngx_ws_chat_op_error(op->client, &op->cmd, WSC_ERR_FORBIDDEN,
                             "the token does not allow this", 0);
        ngx_ws_chat_op_release(op, WSC_ERR_FORBIDDEN);
        return;
    }

    if (m == NULL && ngx_ws_chat_op_admit(op) != NGX_OK) {
        return;
    }

    if (ngx_ws_chat_op_moderates(op)) {
        ngx_ws_chat_op_ban(op);
        return;
    }

    if (m == NULL && op->client->conf->authorize.len && !op->permitted) {
        ngx_ws_chat_op_ask(op);
        return;
    }

    ngx_ws_chat_op_do(op, m);
}


static void
ngx_ws_chat_op_do(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    switch (op->cmd.op) {

    case WSC_CMD_JOIN:
        ngx_ws_chat_op_join(op, m);
        return;

    case WSC_CMD_SEND:
        ngx_ws_chat_op_send(op, m);
        return;

    case WSC_CMD_EDIT:
    case WSC_CMD_RETRACT:
        ngx_ws_chat_op_change(op, m);
        return;

    case WSC_CMD_SIGNAL:
        ngx_ws_chat_op_signal(op, m);
        return;

    case WSC_CMD_TYPING:
        ngx_ws_chat_op_typing(op, m);
        return;

    case WSC_CMD_MARK:
    case WSC_CMD_PRESENCE:
        ngx_ws_chat_op_look(op, m);
        return;

    default:
        ngx_ws_chat_op_history(op, m);
    }
}


/* The join of the same chat that waits to be allowed, or NULL. */

static ngx_ws_chat_op_t *
ngx_ws_chat_op_asking(ngx_ws_chat_op_t *op)
{
    ngx_ws_chat_op_t  *other;

    if (op->client->reads == 0) {
        return NULL;
    }

    for (other = op->client->ops; other; other = other->next) {

        if ((other->asking || other->awaits) && other->cmd.op == WSC_CMD_JOIN
            && wsc_str_same(&other->cmd.chat_id, &op->cmd.chat_id))
        {
            return other;
        }
    }

    return NULL;
}


static void
ngx_ws_chat_op_ask(ngx_ws_chat_op_t *op)
{
    ngx_ws_chat_client_t    *cl;
    ngx_ws_chat_question_t   q;

    cl = op->client;

    q.conf = cl->conf;
    q.connection = cl->peer.connection;
    q.user.data = ngx_ws_chat_client_user(cl);
    q.user.len = cl->user_len;
    q.chat_id = op->cmd.chat_id;
    q.session = cl->session;
    q.done = ngx_ws_chat_op_asked;
    q.data = op;

    op->asking = ngx_ws_chat_authorize(&q);

    if (op->asking) {
        return;
    }

    ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_OVERLOADED, "out of memory",
                         NGX_WS_CHAT_RETRY_MS);
    ngx_ws_chat_op_free(op);
}


static void
ngx_ws_chat_op_asked(void *data, wsc_err_e err)
{
    ngx_ws_chat_op_t  *op = data;

    op->asking = NULL;

    if (err == WSC_ERR_NONE) {
        op->permitted = 1;
        ngx_ws_chat_op_go(op, NULL);
        return;
    }

    ngx_ws_chat_op_error(op->client, &op->cmd, err,
                         (err == WSC_ERR_FORBIDDEN)
                         ? "the chat is not for this user"
                         : "nobody says now whether this is allowed",
                         (err == WSC_ERR_FORBIDDEN) ? 0
                                                    : NGX_WS_CHAT_RETRY_MS);
    ngx_ws_chat_op_release(op, err);
}


/* What its token says of the chat; who is in may stay in. */

static ngx_uint_t
ngx_ws_chat_op_allowed(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    const wsc_grant_t  *g;

    g = op->client->grant;

    if (ngx_ws_chat_op_moderates(op)) {
        return op->client->moderate;
    }

    if (m == NULL && !wsc_grant_allows(g, WSC_GRANT_JOIN, &op->cmd.chat_id)) {
        return 0;
    }

    if (op->client->moderate && ngx_ws_chat_op_changes(&op->cmd)) {
        return 1;
    }

    switch (op->cmd.op) {

    case WSC_CMD_SEND:
    case WSC_CMD_EDIT:
    case WSC_CMD_RETRACT:
    case WSC_CMD_SIGNAL:
    case WSC_CMD_TYPING:
        return wsc_grant_allows(g, WSC_GRANT_SEND, &op->cmd.chat_id);

    default:
        return 1;
    }
}


/*
 * A join or leave is over: what waited behind it is started; after a failed
 * join (err) what needs the membership fails likewise.
 */

void
ngx_ws_chat_op_release(ngx_ws_chat_op_t *op, wsc_err_e err)
{
    ngx_ws_chat_op_t  *next, *behind;

    behind = op->behind;

    ngx_ws_chat_op_free(op);

    for ( /* void */ ; behind; behind = next) {
        next = behind->behind;

        behind->behind = NULL;
        behind->behind_last = &behind->behind;

        if (err == WSC_ERR_NONE
            || behind->cmd.op == WSC_CMD_JOIN
            || behind->cmd.op == WSC_CMD_LEAVE)
        {
            ngx_ws_chat_op_start(behind);
            continue;
        }

        ngx_ws_chat_op_error(behind->client, &behind->cmd, err,
                             "the chat could not be joined",
                             wsc_err_temporary(err) ? NGX_WS_CHAT_RETRY_MS
                                                    : 0);
        ngx_ws_chat_op_free(behind);
    }
}


/* The member, if there is one, cannot leave before it is settled. */

void
ngx_ws_chat_op_hold(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    op->member = m;

    if (m) {
        m->reader.inflight++;
    }
}


/* The store answered an operation of a member, who may wait to leave. */

void
ngx_ws_chat_op_settled(ngx_ws_chat_op_t *op)
{
    ngx_ws_chat_op_t      *leave;
    ngx_ws_chat_member_t  *m;

    m = op->member;

    ngx_ws_chat_op_free(op);

    if (m == NULL) {
        return;
    }

    m->reader.inflight--;

    if (m->reader.inflight || !m->reader.waits) {
        return;
    }

    leave = ngx_ws_chat_op_waiting(ngx_ws_chat_client(m->reader.peer), m);

    if (leave->cmd.op == WSC_CMD_LEAVE) {
        ngx_ws_chat_op_leave(leave, m);
    }
}


void
ngx_ws_chat_op_error(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd,
    wsc_err_e code, const char *message, uint32_t retry_ms)
{
    wsc_error_t  e;

    ngx_memzero(&e, sizeof(wsc_error_t));

    e.code = code;
    e.message = message;
    e.chat_id = cmd->chat_id;
    e.cid = cmd->cid;
    e.retry_ms = retry_ms;

    ngx_ws_chat_reply_error(cl, &cmd->id, &e);
}


static void
ngx_ws_chat_op_leave(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    ngx_ws_chat_client_t  *cl;

    cl = op->client;

    if (m && m->reader.inflight) {
        /* nothing of a chat may come after its `left` */
        m->reader.waits = 1;
        op->waiting.member = m;
        return;
    }

    if (m) {
        cl->chats--;
        ngx_ws_chat_client_leave(cl, m);
    }

    if (ngx_ws_chat_op_answers(op)) {
        wsc_event_left(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id,
                       &op->cmd.chat_id);
        ngx_ws_chat_reply(cl);
    }

    /* it may have been the one without news */
    ngx_ws_chat_client_tell(cl);

    ngx_ws_chat_op_release(op, WSC_ERR_NONE);
}


static void
ngx_ws_chat_op_send(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    ngx_ws_chat_client_t   *cl;
    ngx_ws_chat_publish_t  *p;

    cl = op->client;
    p = &op->u.publish;

    p->zone = cl->conf->zone;
    p->chat_id = op->cmd.chat_id;
    p->limits = cl->conf->history;
    p->entry.sender.data = ngx_ws_chat_client_user(cl);
    p->entry.sender.len = cl->user_len;
    p->entry.cid = op->cmd.cid;
    p->entry.message = op->cmd.message;
    p->entry.timestamp = ngx_ws_chat_now();
    p->retry = op->cmd.retry;
    p->done = ngx_ws_chat_op_send_done;

    cl->received++;
    p->zone->stat->counters.messages_in++;

    ngx_ws_chat_op_hold(op, m);
    op->stored = 1;

    p->zone->store->publish(p);
}


static void
ngx_ws_chat_op_send_done(ngx_ws_chat_publish_t *p)
{
    ngx_ws_chat_op_t      *op;
    ngx_ws_chat_client_t  *cl;

    op = (ngx_ws_chat_op_t *) p;
    cl = op->client;
    op->stored = 0;

    if (p->err != WSC_ERR_NONE) {
        ngx_ws_chat_op_error(cl, &op->cmd, p->err,
                             (p->err == WSC_ERR_UNKNOWN)
                             ? "it is not known whether this was stored"
                             : (p->err == WSC_ERR_BAD_REQUEST)
                             ? "too large to be stored"
                             : "not stored, try again later", p->retry_ms);

    } else {
        wsc_hist_add(&p->zone->stat->ack,
                     ngx_ws_chat_stat_clock() - op->begun);
    }

    if (p->err == WSC_ERR_NONE && ngx_ws_chat_op_answers(op)) {
        wsc_event_ack(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id,
                      &op->cmd.chat_id, &op->cmd.cid, p->entry.timestamp,
                      p->known ? &p->entry.pos : NULL, p->dup);
        ngx_ws_chat_reply(cl);
    }

    ngx_ws_chat_op_settled(op);
}


static void
ngx_ws_chat_op_history(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    if (!ngx_ws_chat_op_answers(op)) {
        ngx_ws_chat_op_free(op);
        return;
    }

    ngx_ws_chat_op_hold(op, m);

    /* no bound: what was acknowledged is in it, delivered here or not */

    op->u.read.after = op->cmd.after;
    op->u.read.has_after = op->cmd.has_after;
    op->u.read.before = op->cmd.before;
    op->u.read.has_before = op->cmd.has_before;

    ngx_ws_chat_op_read(op, op->cmd.has_limit ? op->cmd.limit
                                              : NGX_WS_CHAT_HISTORY,
                        ngx_ws_chat_op_history_done);
}


static void
ngx_ws_chat_op_history_done(ngx_ws_chat_read_t *r)
{
    wsc_history_t          h;
    ngx_ws_chat_op_t      *op;
    ngx_ws_chat_client_t  *cl;

    op = (ngx_ws_chat_op_t *) r;
    cl = op->client;
    op->stored = 0;

    if (r->err != WSC_ERR_NONE) {
        ngx_ws_chat_op_error(cl, &op->cmd, r->err,
                             "history cannot be read now",
                             NGX_WS_CHAT_RETRY_MS);
        ngx_ws_chat_op_settled(op);
        return;
    }

    ngx_ws_chat_reply_fit(r);
    ngx_memzero(&h, sizeof(wsc_history_t));

    h.messages = r->entries;
    h.n = r->n;
    h.more = r->more;
    h.complete_to = r->chat.head;

    wsc_event_history(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id,
                      &op->cmd.chat_id, &h);
    ngx_ws_chat_reply(cl);

    ngx_ws_chat_op_settled(op);
}


/* Asks the store for entries; upto, after and before are the caller's. */

void
ngx_ws_chat_op_read(ngx_ws_chat_op_t *op, ngx_uint_t limit,
    void (*done)(ngx_ws_chat_read_t *r))
{
    ngx_ws_chat_read_t    *r;
    ngx_ws_chat_client_t  *cl;

    cl = op->client;
    r = &op->u.read;

    r->zone = cl->conf->zone;
    r->chat_id = op->cmd.chat_id;
    r->limits = cl->conf->history;
    r->limit = limit;
    r->max_bytes = NGX_WS_CHAT_REPLY_BYTES;
    r->done = done;

    op->stored = 1;

    r->zone->store->read(r);
}

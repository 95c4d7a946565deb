
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Joining: from the room to the answer, and what a resume may promise.
 */


#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_op_int.h"
#include "ngx_ws_chat_client_all.h"
#include "ngx_ws_chat_reply.h"
#include "ngx_ws_chat_room_marks.h"
#include "ngx_ws_chat_stat.h"


#define NGX_WS_CHAT_UNREAD  100       /* or more */
#define NGX_WS_CHAT_MANY    10000     /* ms that this counts for all */


static void ngx_ws_chat_op_join_ready(ngx_ws_chat_waiting_t *w,
    wsc_err_e err);
static void ngx_ws_chat_op_join_read(ngx_ws_chat_op_t *op);
static ngx_uint_t ngx_ws_chat_op_join_ahead(ngx_ws_chat_op_t *op);
static void ngx_ws_chat_op_join_looked(ngx_ws_chat_read_t *r);
static void ngx_ws_chat_op_join_behind(ngx_ws_chat_op_t *op);
static void ngx_ws_chat_op_join_go_on(ngx_ws_chat_waiting_t *w,
    wsc_err_e err);
static ngx_uint_t ngx_ws_chat_op_join_unread(ngx_ws_chat_op_t *op);
static void ngx_ws_chat_op_join_counted(ngx_ws_chat_read_t *r);
static ngx_uint_t ngx_ws_chat_op_join_count(ngx_ws_chat_op_t *op,
    const ngx_ws_chat_read_t *r);
static const char *ngx_ws_chat_op_join_reason(ngx_ws_chat_op_t *op);
static void ngx_ws_chat_op_join_done(ngx_ws_chat_read_t *r);
static ngx_uint_t ngx_ws_chat_op_join_follows(const ngx_ws_chat_read_t *r);
static void ngx_ws_chat_op_join_answer(ngx_ws_chat_op_t *op,
    wsc_joined_t *j);


void
ngx_ws_chat_op_join(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    ngx_ws_chat_client_t  *cl;

    cl = op->client;

    if (m) {
        /* joined already: answered again, members notice nothing */
        op->member = m;
        op->head = ngx_ws_chat_room_seen(ngx_ws_chat_room_of(m));

        m->reader.inflight++;
        ngx_ws_chat_op_join_read(op);
        return;
    }

    if (cl->chats >= cl->conf->max_chats) {
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_TOO_MANY_CHATS,
                             "too many chats joined", 0);
        ngx_ws_chat_op_release(op, WSC_ERR_TOO_MANY_CHATS);
        return;
    }

    op->first = 1;
    op->waiting.ready = ngx_ws_chat_op_join_ready;

    cl->chats++;
    cl->chats_max = ngx_max(cl->chats_max, cl->chats);

    if (ngx_ws_chat_room_enter(cl->conf->zone, &op->cmd.chat_id, cl->conf,
                               &cl->peer,
                               cl->kind, &op->waiting)
        != NGX_OK)
    {
        cl->chats--;
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_OVERLOADED,
                             "out of memory", NGX_WS_CHAT_RETRY_MS);
        ngx_ws_chat_op_release(op, WSC_ERR_OVERLOADED);
    }
}


static void
ngx_ws_chat_op_join_ready(ngx_ws_chat_waiting_t *w, wsc_err_e err)
{
    ngx_ws_chat_op_t      *op;
    ngx_ws_chat_member_t  *m;

    op = ngx_queue_data(w, ngx_ws_chat_op_t, waiting);
    m = w->member;

    if (err == WSC_ERR_NONE) {
        op->member = m;
        op->head = ngx_ws_chat_room_seen(ngx_ws_chat_room_of(m));

        /* what came while the room was loaded is in the answer */
        ngx_ws_chat_reader_forward(&m->reader);

        ngx_ws_chat_client_arrive(op->client, m);

        m->reader.inflight++;
        ngx_ws_chat_op_join_read(op);
        return;
    }

    ngx_ws_chat_op_error(op->client, &op->cmd, err,
                         "the chat cannot be opened now",
                         NGX_WS_CHAT_RETRY_MS);

    op->client->chats--;
    ngx_ws_chat_room_leave(m);
    ngx_ws_chat_op_release(op, err);
}


/* Reads what the answer needs, or answers at once. */

static void
ngx_ws_chat_op_join_read(ngx_ws_chat_op_t *op)
{
    const char    *reason;
    wsc_joined_t   j;

    if (ngx_ws_chat_op_join_ahead(op) || ngx_ws_chat_op_join_unread(op)) {
        return;
    }

    ngx_memzero(&j, sizeof(wsc_joined_t));

    /* what comes behind it, the member reads from the room's log */
    op->u.read.upto = op->head;

    reason = ngx_ws_chat_op_join_reason(op);

    if (reason == NULL && ngx_ws_chat_op_answers(op)) {

        if (op->cmd.has_after
            && (wsc_pos_cmp(op->cmd.after, op->head) != 0
                || ngx_ws_chat_room_of(op->member)->attach.changed))
        {
            op->u.read.after = op->cmd.after;
            op->u.read.has_after = 1;
            op->u.read.changes = 1;
            ngx_ws_chat_op_read(op, WSC_MAX_LIMIT, ngx_ws_chat_op_join_done);
            return;
        }

        if (!op->cmd.has_after && op->cmd.limit && op->head.seq) {
            ngx_ws_chat_op_read(op, op->cmd.limit, ngx_ws_chat_op_join_done);
            return;
        }
    }

    j.reason = reason;
    j.recovered = (reason == NULL);

    ngx_ws_chat_op_join_answer(op, &j);
}


/*
 * Another worker may have told the client more than was delivered here yet.
 * Whether it did, the store knows.  1: it is being asked.
 */

static ngx_uint_t
ngx_ws_chat_op_join_ahead(ngx_ws_chat_op_t *op)
{
    if (!op->cmd.has_after || !ngx_ws_chat_op_answers(op)
        || wsc_pos_cmp(op->cmd.after, op->head) <= 0
        || (op->client->conf->zone->redis == NULL
            && op->cmd.after.epoch != op->head.epoch))
    {
        return 0;
    }

    op->u.read.after = op->cmd.after;
    op->u.read.has_after = 1;
    op->u.read.upto.seq = 0;

    ngx_ws_chat_op_read(op, 1, ngx_ws_chat_op_join_looked);

    return 1;
}


static void
ngx_ws_chat_op_join_looked(ngx_ws_chat_read_t *r)
{
    wsc_joined_t         j;
    ngx_ws_chat_op_t    *op;
    ngx_ws_chat_room_t  *room;

    op = (ngx_ws_chat_op_t *) r;
    op->stored = 0;

    if (r->err == WSC_ERR_NONE
        && wsc_pos_cmp(op->cmd.after, r->chat.head) <= 0)
    {
        op->waiting.ready = ngx_ws_chat_op_join_go_on;

        room = ngx_ws_chat_room_of(op->member);

        if (wsc_pos_cmp(op->cmd.after, ngx_ws_chat_room_seen(room)) > 0) {
            ngx_ws_chat_room_wait(room, &op->waiting);
            return;
        }

        ngx_ws_chat_op_join_go_on(&op->waiting, WSC_ERR_NONE);
        return;
    }

    if (op->client->conf->zone->durable) {
        ngx_ws_chat_op_join_behind(op);
        return;
    }

    ngx_memzero(&j, sizeof(wsc_joined_t));

    j.reason = (r->err == WSC_ERR_NONE) ? ngx_ws_chat_op_join_reason(op)
                                        : "unavailable";

    ngx_ws_chat_op_join_answer(op, &j);
}


/* What the client has seen is stored, but not yet where it is read from. */

static void
ngx_ws_chat_op_join_behind(ngx_ws_chat_op_t *op)
{
    ngx_ws_chat_member_t  *m;

    m = op->member;

    ngx_ws_chat_op_error(op->client, &op->cmd, WSC_ERR_UNAVAILABLE,
                         "the chat is not read that far yet",
                         NGX_WS_CHAT_RETRY_MS);

    if (!op->first) {
        ngx_ws_chat_op_settled(op);
        return;
    }

    op->client->chats--;
    m->reader.inflight--;
    m->reader.waits = 0;

    ngx_ws_chat_client_leave(op->client, m);
    ngx_ws_chat_op_release(op, WSC_ERR_UNAVAILABLE);
}


/* More was delivered to the room, perhaps enough. */

static void
ngx_ws_chat_op_join_go_on(ngx_ws_chat_waiting_t *w, wsc_err_e err)
{
    ngx_ws_chat_op_t  *op;

    op = ngx_queue_data(w, ngx_ws_chat_op_t, waiting);

    op->head = ngx_ws_chat_room_seen(ngx_ws_chat_room_of(op->member));

    if (op->first) {
        ngx_ws_chat_reader_forward(&op->member->reader);
    }

    ngx_ws_chat_op_join_read(op);
}


/* How much there is behind what the user has read.  1: the store is asked. */

static ngx_uint_t
ngx_ws_chat_op_join_unread(ngx_ws_chat_op_t *op)
{
    wsc_pos_t             read;
    wsc_str_t             user;
    ngx_ws_chat_state_t  *st;

    if (op->counted || !ngx_ws_chat_op_answers(op)) {
        return 0;
    }

    op->counted = 1;

    user.data = ngx_ws_chat_client_user(op->client);
    user.len = op->client->user_len;

    st = ngx_ws_chat_room_of(op->member)->state;
    read = ngx_ws_chat_marks_read(st, &user);

    if (op->head.seq == 0 || wsc_pos_cmp(read, op->head) >= 0) {
        return 0;
    }

    if (read.seq == 0 && st->many
        && (uint32_t) ngx_current_msec - st->many < NGX_WS_CHAT_MANY)
    {
        op->unread = NGX_WS_CHAT_UNREAD;
        return 0;
    }

    op->u.read.after = read;
    op->u.read.has_after = 1;
    op->u.read.upto = op->head;

    ngx_ws_chat_op_read(op, NGX_WS_CHAT_UNREAD + 1,
                        ngx_ws_chat_op_join_counted);
    return 1;
}


static void
ngx_ws_chat_op_join_counted(ngx_ws_chat_read_t *r)
{
    ngx_ws_chat_op_t     *op;
    ngx_ws_chat_state_t  *st;

    op = (ngx_ws_chat_op_t *) r;
    op->stored = 0;

    op->unread = (r->err == WSC_ERR_NONE)
                 ? (int) ngx_ws_chat_op_join_count(op, r) : -1;

    if (r->after.seq == 0 && op->unread == NGX_WS_CHAT_UNREAD) {
        st = ngx_ws_chat_room_of(op->member)->state;
        st->many = (uint32_t) ngx_current_msec | 1;
    }

    ngx_memzero(r, sizeof(ngx_ws_chat_read_t));

    ngx_ws_chat_op_join_read(op);
}


/* One's own messages are no news; large ones are not all looked at. */

static ngx_uint_t
ngx_ws_chat_op_join_count(ngx_ws_chat_op_t *op, const ngx_ws_chat_read_t *r)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < r->n; i++) {
        n += !ngx_ws_chat_client_is(op->client, &r->entries[i].sender);
    }

    if (r->more && r->after.epoch == op->head.epoch) {
        n = ngx_max(n, op->head.seq - r->after.seq - (r->n - n));
    }

    return ngx_min(n, NGX_WS_CHAT_UNREAD);
}


/* Why a resume is hopeless before anything is read, or NULL. */

static const char *
ngx_ws_chat_op_join_reason(ngx_ws_chat_op_t *op)
{
    if (!op->cmd.has_after) {
        return NULL;
    }

    if (op->client->conf->zone->redis == NULL
        && op->cmd.after.epoch != op->head.epoch)
    {
        /* an embedded chat knows nothing of other epochs */
        return "epoch";
    }

    if (wsc_pos_cmp(op->cmd.after, op->head) > 0) {
        return (op->cmd.after.epoch == op->head.epoch) ? "ahead" : "epoch";
    }

    return NULL;
}


static void
ngx_ws_chat_op_join_done(ngx_ws_chat_read_t *r)
{
    wsc_joined_t       j;
    ngx_ws_chat_op_t  *op;

    op = (ngx_ws_chat_op_t *) r;
    op->stored = 0;

    ngx_ws_chat_reply_fit(r);
    ngx_memzero(&j, sizeof(wsc_joined_t));

    j.recovered = 1;
    j.messages = r->entries;
    j.n = r->n;
    j.more = r->more;
    j.changed = r->changed;
    j.nchanged = r->nchanged;

    if (r->err != WSC_ERR_NONE) {
        j.reason = "unavailable";

    } else if (op->cmd.has_after && r->overrun) {
        j.reason = "too_old";

    } else if (op->cmd.has_after && !ngx_ws_chat_op_join_follows(r)
               && wsc_pos_cmp(op->cmd.after, op->head) != 0)
    {
        /* the first one kept does not follow what the client has */
        j.reason = (op->cmd.after.epoch == 0
                    || op->cmd.after.epoch == op->head.epoch)
                   ? "too_old" : "epoch";
    }

    if (j.reason) {
        j.recovered = 0;
        j.n = 0;
        j.more = 0;
        j.nchanged = 0;
    }

    ngx_ws_chat_op_join_answer(op, &j);
}


/* Is it proven that nothing is missing between r->after and the first one? */

static ngx_uint_t
ngx_ws_chat_op_join_follows(const ngx_ws_chat_read_t *r)
{
    const wsc_entry_t  *first;

    if (r->n == 0) {
        return 0;
    }

    first = r->entries;

    if (first->prev.seq == 0) {
        /* the chat began anew: only who had nothing missed nothing */
        return r->after.seq == 0
               && (r->after.epoch == first->pos.epoch
                   || (r->after.epoch == 0 && r->young));
    }

    return wsc_pos_cmp(first->prev, r->after) <= 0;
}


static void
ngx_ws_chat_op_join_answer(ngx_ws_chat_op_t *op, wsc_joined_t *j)
{
    ngx_ws_chat_client_t  *cl;
    ngx_ws_chat_member_t  *m;

    cl = op->client;
    m = op->member;

    if (op->cmd.has_after) {
        wsc_hist_add(&cl->conf->zone->stat->resume,
                     ngx_ws_chat_stat_clock() - op->begun);
    }

    if (ngx_ws_chat_op_answers(op)) {
        j->head = op->head;
        j->typing = &ngx_ws_chat_room_of(m)->state->typing;
        j->signals = &ngx_ws_chat_room_of(m)->state->signals;
        j->presence = &ngx_ws_chat_room_of(m)->state->presence;
        j->marks = ngx_ws_chat_marks_known(ngx_ws_chat_room_of(m)->state);
        j->user.data = ngx_ws_chat_client_user(cl);
        j->user.len = cl->user_len;
        j->unread = op->counted ? op->unread : -1;

        if (ngx_ws_chat_client_ops(cl)->joined) {
            ngx_ws_chat_client_ops(cl)->joined(cl, &op->cmd, j);

        } else {
            wsc_event_joined(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id,
                             &op->cmd.chat_id, j);
            ngx_ws_chat_reply(cl);
        }
    }

    if (!op->first) {
        ngx_ws_chat_op_settled(op);
        return;
    }

    m->reader.inflight--;
    m->reader.waits = 0;

    ngx_ws_chat_client_tell(cl);
    ngx_ws_chat_reader_release(&m->reader);
    ngx_ws_chat_op_release(op, WSC_ERR_NONE);
}

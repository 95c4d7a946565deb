
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_ban.h"
#include "ngx_ws_chat_client_all.h"
#include "ngx_ws_chat_client_grant.h"
#include "ngx_ws_chat_client_id.h"
#include "ngx_ws_chat_client_welcome.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_events.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_reply.h"
#include "ngx_ws_chat_room_presence.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_OUT_LIMIT  (2 * 1024 * 1024)   /* direct octets: who lags
                                                      behind them as well is
                                                      closed */
#define NGX_WS_CHAT_LEAVING_MS  1000               /* to be back elsewhere */
#define NGX_WS_CHAT_READS      8                   /* joins and questions at a
                                                      time */


static ngx_uint_t ngx_ws_chat_client_blocked(ngx_ws_chat_client_t *cl);
static void ngx_ws_chat_client_refuse(ngx_ws_chat_client_t *cl,
    const wsc_cmd_t *cmd, wsc_err_e code, const char *reason,
    uint32_t retry_ms);
static uint64_t ngx_ws_chat_client_since(ngx_ws_chat_client_t *cl);
static void ngx_ws_chat_client_run(ngx_ws_chat_client_t *cl,
    const wsc_cmd_t *cmd);
static void ngx_ws_chat_client_event(ngx_ws_chat_client_t *cl,
    ngx_ws_chat_member_t *m, const char *event);


void
ngx_ws_chat_client_set_user(ngx_ws_chat_client_t *cl, size_t at,
    const wsc_str_t *user)
{
    cl->user_at = (uint16_t) at;
    cl->user_len = (uint8_t) user->len;

    if (user->len) {
        ngx_memcpy(ngx_ws_chat_client_user(cl), user->data, user->len);
    }
}


ngx_uint_t
ngx_ws_chat_client_is(const ngx_ws_chat_client_t *cl, const wsc_str_t *user)
{
    return user->len == cl->user_len
           && ngx_memcmp(user->data, ngx_ws_chat_client_user(cl), user->len)
              == 0;
}


void
ngx_ws_chat_client_open(ngx_ws_chat_client_t *cl, const wsc_str_t *join)
{
    u_char     *p, *last, *end;
    wsc_cmd_t   cmd;

    if (cl->conf->rate) {
        wsc_bucket_init(&cl->bucket, cl->conf->burst,
                        (uint32_t) ngx_current_msec);
    }

    ngx_ws_chat_client_enter(cl);

    if (ngx_ws_chat_client_blocked(cl)) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_FORBIDDEN, "blocked");
        return;
    }

    ngx_ws_chat_client_welcome(cl);

    cl->told = 1;
    ngx_ws_chat_client_event(cl, NULL, "connect");

    p = join->data;
    last = p + join->len;

    while (p < last && !cl->peer.muted) {

        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        ngx_memzero(&cmd, sizeof(wsc_cmd_t));

        cmd.op = WSC_CMD_JOIN;
        cmd.chat_id.data = p;
        cmd.chat_id.len = end - p;

        p = end + 1;

        if (wsc_chat_id_valid(&cmd.chat_id)) {
            ngx_ws_chat_op_run(cl, &cmd);
            continue;
        }

        cmd.chat_id.len = 0;

        ngx_ws_chat_client_refuse(cl, &cmd, WSC_ERR_BAD_REQUEST,
                                  "bad chat_id in ?join=", 0);
    }
}


static ngx_uint_t
ngx_ws_chat_client_blocked(ngx_ws_chat_client_t *cl)
{
    wsc_str_t  user;

    static const wsc_str_t  all = wsc_null_string;

    user.data = ngx_ws_chat_client_user(cl);
    user.len = cl->user_len;

    return cl->conf->zone
           && ngx_ws_chat_ban_check(cl->conf->zone, &all, &user)
              == NGX_DECLINED;
}


ngx_uint_t
ngx_ws_chat_client_busy(ngx_ws_chat_client_t *cl)
{
    return cl->peer.out_bytes > NGX_WS_CHAT_OUT_PAUSE
           || cl->reads >= NGX_WS_CHAT_READS;
}


ngx_int_t
ngx_ws_chat_client_message(ngx_ws_chat_client_t *cl, wsc_str_t *data,
    ngx_uint_t *done)
{
    ssize_t       rc;
    wsc_cmd_t     cmd;
    wsc_err_e     err;
    ngx_uint_t    n;
    const char   *reason;
    wsc_batch_t  *batch;

    ngx_memzero(&cmd, sizeof(wsc_cmd_t));

    rc = wsc_batch_open(&ngx_ws_chat_alloc, cl->enc, data, &batch, &reason);

    if (rc == WSC_DECLINED) {
        ngx_ws_chat_client_refuse(cl, &cmd, WSC_ERR_BAD_REQUEST, reason, 0);
        return NGX_OK;
    }

    if (rc == WSC_ERROR) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_INTERNAL, "out of memory");
        return NGX_OK;
    }

    for (n = 0; n < *done && rc != WSC_ERROR; n++) {
        rc = wsc_batch_next(batch, &cmd, &err, &reason);
    }

    /* a close in between ends the batch: its peer is muted then */

    rc = NGX_OK;

    for (n = *done; rc == NGX_OK && !cl->peer.muted; n++) {

        if (n > *done && ngx_ws_chat_client_busy(cl)) {
            *done = n;
            rc = NGX_AGAIN;
            break;
        }

        rc = ngx_ws_chat_client_next(cl, batch);
    }

    wsc_batch_close(batch);

    return (rc == NGX_AGAIN) ? NGX_AGAIN : NGX_OK;
}


ngx_int_t
ngx_ws_chat_client_next(ngx_ws_chat_client_t *cl, wsc_batch_t *batch)
{
    wsc_cmd_t    cmd;
    wsc_err_e    err;
    const char  *reason;

    ngx_memzero(&cmd, sizeof(wsc_cmd_t));

    switch (wsc_batch_next(batch, &cmd, &err, &reason)) {

    case WSC_OK:
        ngx_ws_chat_client_run(cl, &cmd);
        return NGX_OK;

    case WSC_DECLINED:
        ngx_ws_chat_client_refuse(cl, &cmd, err, reason, 0);
        return NGX_OK;

    case WSC_DONE:
        return NGX_DONE;

    default:
        ngx_ws_chat_client_close(cl, WSC_CLOSE_INTERNAL, "out of memory");
        return NGX_ERROR;
    }
}


static void
ngx_ws_chat_client_run(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd)
{
    if (cl->leaving && ngx_ws_chat_op_writes(cmd)) {
        ngx_ws_chat_client_refuse(cl, cmd, WSC_ERR_UNAVAILABLE,
                                  "not stored, reconnect first",
                                  NGX_WS_CHAT_LEAVING_MS);
        return;
    }

    if (cl->full) {
        ngx_ws_chat_client_refuse(cl, cmd, WSC_ERR_OVERLOADED,
                                  "not done, the answer is long enough: ask "
                                  "again", NGX_WS_CHAT_LEAVING_MS);
        return;
    }

    if (cmd->op == WSC_CMD_REFRESH) {
        ngx_ws_chat_client_refresh(cl, cmd);
        return;
    }

    if (cmd->op != WSC_CMD_PING) {
        ngx_ws_chat_op_run(cl, cmd);
        return;
    }

    if (cmd->id.type == WSC_ID_NONE && !cl->answers) {
        return;
    }

    wsc_event_pong(ngx_ws_chat_reply_buf(), cl->enc, &cmd->id);
    ngx_ws_chat_reply(cl);
}


static void
ngx_ws_chat_client_refuse(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd,
    wsc_err_e code, const char *reason, uint32_t retry_ms)
{
    wsc_error_t  e;

    ngx_memzero(&e, sizeof(wsc_error_t));

    e.code = code;
    e.message = reason;
    e.chat_id = cmd->chat_id;
    e.cid = cmd->cid;
    e.retry_ms = retry_ms;

    ngx_ws_chat_reply_error(cl, &cmd->id, &e);
}


void
ngx_ws_chat_client_reconnect(ngx_ws_chat_client_t *cl, ngx_uint_t in_ms,
    const char *reason)
{
    cl->leaving = 1;

    wsc_event_reconnect(ngx_ws_chat_reply_buf(), cl->enc, in_ms, reason);
    ngx_ws_chat_reply(cl);
}


ngx_uint_t
ngx_ws_chat_client_sending(ngx_ws_chat_client_t *cl)
{
    ngx_ws_chat_op_t  *op;

    for (op = cl->ops; op; op = op->next) {
        if (ngx_ws_chat_op_writes(&op->cmd)) {
            return 1;
        }
    }

    return 0;
}


void
ngx_ws_chat_client_abandon(ngx_ws_chat_client_t *cl)
{
    ngx_ws_chat_op_t  *op;

    for (op = cl->ops; op; op = op->next) {

        if (!ngx_ws_chat_op_writes(&op->cmd)) {
            continue;
        }

        if (op->stored) {
            ngx_ws_chat_client_refuse(cl, &op->cmd, WSC_ERR_UNKNOWN,
                                      "it is not known whether this was "
                                      "stored", NGX_WS_CHAT_LEAVING_MS);
            continue;
        }

        ngx_ws_chat_client_refuse(cl, &op->cmd, WSC_ERR_UNAVAILABLE,
                                  "not stored, reconnect first",
                                  NGX_WS_CHAT_LEAVING_MS);
    }
}


void
ngx_ws_chat_client_tell(ngx_ws_chat_client_t *cl)
{
    uint64_t  since;

    if (cl->conf->zone == NULL || cl->conf->zone->store->stale == NULL) {
        return;
    }

    since = ngx_ws_chat_client_since(cl);

    if (cl->stale == (since != 0)) {
        return;
    }

    cl->stale = !cl->stale;

    if (!cl->stale) {
        since = ngx_ws_chat_now();
    }

    wsc_event_status(ngx_ws_chat_reply_buf(), cl->enc, cl->stale, since);
    ngx_ws_chat_reply(cl);
}


/* Since when there is no news of one of its chats; 0: there is of all. */

static uint64_t
ngx_ws_chat_client_since(ngx_ws_chat_client_t *cl)
{
    uint64_t               since, stale;
    ngx_ws_chat_zone_t    *z;
    ngx_ws_chat_member_t  *m;
    ngx_ws_chat_reader_t  *r;

    z = cl->conf->zone;
    since = 0;

    if (z->stale == 0) {
        return 0;
    }

    for (r = cl->peer.readers; r; r = r->next) {
        m = (ngx_ws_chat_member_t *) r;
        stale = z->store->stale(z, ngx_ws_chat_room_name(
                                                  ngx_ws_chat_room_of(m)));

        if (stale && (since == 0 || stale < since)) {
            since = stale;
        }
    }

    return since;
}


void
ngx_ws_chat_client_status(ngx_ws_chat_zone_t *z)
{
    ngx_uint_t             i;
    ngx_rbtree_node_t     *node;
    ngx_ws_chat_room_t    *room;
    ngx_ws_chat_stream_t  *st;

    if (z->rooms.root == z->rooms.sentinel) {
        return;
    }

    for (node = ngx_rbtree_min(z->rooms.root, z->rooms.sentinel);
         node;
         node = ngx_rbtree_next(&z->rooms, node))
    {
        room = ngx_rbtree_data(node, ngx_ws_chat_room_t, node);

        for (st = room->streams; st; st = st->sibling) {
            for (i = 0; i < st->n; i++) {
                ngx_ws_chat_client_tell(ngx_ws_chat_client(
                                                      st->readers[i]->peer));
            }
        }
    }
}


void
ngx_ws_chat_client_gone(ngx_ws_chat_client_t *cl)
{
    cl->gone = 1;

    ngx_ws_chat_client_exit(cl);
    ngx_ws_chat_op_cancel(cl);

    while (cl->peer.readers) {
        ngx_ws_chat_client_leave(cl, (ngx_ws_chat_member_t *)
                                                           cl->peer.readers);
    }

    if (cl->told) {
        ngx_ws_chat_client_event(cl, NULL, "disconnect");
    }

    ngx_ws_chat_client_revoke(cl);

    wsc_free(&ngx_ws_chat_alloc, cl->faults);
    cl->faults = NULL;
}


void
ngx_ws_chat_client_arrive(ngx_ws_chat_client_t *cl, ngx_ws_chat_member_t *m)
{
    wsc_str_t  user;

    m->reader.told = 1;
    ngx_ws_chat_client_event(cl, m, "join");

    if (!cl->conf->presence) {
        return;
    }

    user.data = ngx_ws_chat_client_user(cl);
    user.len = cl->user_len;

    m->reader.present = 1;
    ngx_ws_chat_presence_join(ngx_ws_chat_room_of(m)->state, &user,
                              ngx_ws_chat_client_info(cl));
}


void
ngx_ws_chat_client_leave(ngx_ws_chat_client_t *cl, ngx_ws_chat_member_t *m)
{
    wsc_str_t  user;

    if (m->reader.told) {
        ngx_ws_chat_client_event(cl, m, "leave");
    }

    if (m->reader.present) {
        user.data = ngx_ws_chat_client_user(cl);
        user.len = cl->user_len;

        ngx_ws_chat_presence_leave(ngx_ws_chat_room_of(m)->state, &user);
    }

    ngx_ws_chat_room_leave(m);
}


/* Tells back ends of a connection, or (m) of its membership. */

static void
ngx_ws_chat_client_event(ngx_ws_chat_client_t *cl, ngx_ws_chat_member_t *m,
    const char *event)
{
    u_char           text[NGX_WS_CHAT_CLIENT_ID];
    wsc_happening_t  h;

    if (!ngx_ws_chat_events_are(cl->conf->zone)) {
        return;
    }

    ngx_memzero(&h, sizeof(wsc_happening_t));

    h.event = event;
    h.user.data = ngx_ws_chat_client_user(cl);
    h.user.len = cl->user_len;
    h.session = ngx_ws_chat_client_id_text(cl->session, text);

    if (m) {
        h.chat_id = *ngx_ws_chat_room_name(ngx_ws_chat_room_of(m));
    }

    ngx_ws_chat_events_tell(cl->conf->zone, &h);
}


ngx_int_t
ngx_ws_chat_client_gap(ngx_ws_chat_reader_t *r, wsc_pos_t after,
    wsc_pos_t before)
{
    ngx_ws_chat_client_t  *cl;
    ngx_ws_chat_member_t  *m;

    m = (ngx_ws_chat_member_t *) r;
    cl = ngx_ws_chat_client(r->peer);

    if (cl->conf->lag_policy == NGX_WS_CHAT_LAG_CLOSE
        || cl->peer.out_bytes > NGX_WS_CHAT_OUT_LIMIT)
    {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_SLOW, "slow consumer");
        return NGX_DECLINED;
    }

    cl->conf->zone->stat->counters.gaps++;

    wsc_event_gap(ngx_ws_chat_reply_buf(), cl->enc,
                  ngx_ws_chat_room_name(ngx_ws_chat_room_of(m)), after,
                  before, "slow");
    ngx_ws_chat_reply(cl);

    return NGX_OK;
}


ngx_ws_chat_member_t *
ngx_ws_chat_client_member(ngx_ws_chat_client_t *cl,
    const wsc_str_t *chat_id)
{
    wsc_str_t             *name;
    ngx_ws_chat_member_t  *m;
    ngx_ws_chat_reader_t  *r;

    for (r = cl->peer.readers; r; r = r->next) {
        m = (ngx_ws_chat_member_t *) r;
        name = ngx_ws_chat_room_name(ngx_ws_chat_room_of(m));

        if (wsc_str_same(name, chat_id)) {
            return m;
        }
    }

    return NULL;
}

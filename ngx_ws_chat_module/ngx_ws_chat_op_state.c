
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What members tell each other beside messages.
 */


#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_op_int.h"
#include "ngx_ws_chat_reply.h"
#include "ngx_ws_chat_room_marks.h"
#include "core/wsc_event_state.h"


static void ngx_ws_chat_op_place(ngx_ws_chat_op_t *op,
    ngx_ws_chat_member_t *m, ngx_ws_chat_place_t *place);
static void ngx_ws_chat_op_look_ready(ngx_ws_chat_waiting_t *w,
    wsc_err_e err);
static void ngx_ws_chat_op_look_at(ngx_ws_chat_op_t *op,
    ngx_ws_chat_room_t *room);
static void ngx_ws_chat_op_mark(ngx_ws_chat_op_t *op,
    ngx_ws_chat_state_t *st);
static void ngx_ws_chat_op_presence(ngx_ws_chat_op_t *op,
    ngx_ws_chat_state_t *st);
static void ngx_ws_chat_op_end(ngx_ws_chat_op_t *op);
static void ngx_ws_chat_op_told(ngx_ws_chat_op_t *op, ngx_int_t rc);


void
ngx_ws_chat_op_signal(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    wsc_note_t             note;
    ngx_ws_chat_place_t    place;
    ngx_ws_chat_client_t  *cl;

    cl = op->client;
    ngx_memzero(&note, sizeof(wsc_note_t));

    note.key = op->cmd.name;
    note.sender.data = ngx_ws_chat_client_user(cl);
    note.sender.len = cl->user_len;
    note.value = op->cmd.message;
    note.n[0] = op->cmd.keep;

    ngx_ws_chat_op_place(op, m, &place);
    ngx_ws_chat_op_told(op, ngx_ws_chat_state_signal(&place, &note));
}


void
ngx_ws_chat_op_typing(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    wsc_str_t              user;
    ngx_ws_chat_place_t    place;
    ngx_ws_chat_client_t  *cl;

    cl = op->client;

    user.data = ngx_ws_chat_client_user(cl);
    user.len = cl->user_len;

    ngx_ws_chat_op_place(op, m, &place);
    ngx_ws_chat_op_told(op, ngx_ws_chat_state_typing(&place, &user,
                                                     op->cmd.on));
}


void
ngx_ws_chat_op_look(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m)
{
    ngx_ws_chat_client_t  *cl;

    if (m) {
        ngx_ws_chat_op_look_at(op, ngx_ws_chat_room_of(m));
        return;
    }

    cl = op->client;
    op->waiting.ready = ngx_ws_chat_op_look_ready;

    if (ngx_ws_chat_room_visit(cl->conf->zone, &op->cmd.chat_id, cl->conf,
                               &op->waiting)
        != NGX_OK)
    {
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_OVERLOADED,
                             "out of memory", NGX_WS_CHAT_RETRY_MS);
        ngx_ws_chat_op_free(op);
    }
}


static void
ngx_ws_chat_op_look_ready(ngx_ws_chat_waiting_t *w, wsc_err_e err)
{
    ngx_ws_chat_op_t  *op;

    op = ngx_queue_data(w, ngx_ws_chat_op_t, waiting);

    if (err == WSC_ERR_NONE) {
        ngx_ws_chat_op_look_at(op, w->room);
        return;
    }

    ngx_ws_chat_room_visited(w);

    ngx_ws_chat_op_error(op->client, &op->cmd, err,
                         "the chat cannot be opened now",
                         NGX_WS_CHAT_RETRY_MS);
    ngx_ws_chat_op_free(op);
}


static void
ngx_ws_chat_op_look_at(ngx_ws_chat_op_t *op, ngx_ws_chat_room_t *room)
{
    if (op->cmd.op == WSC_CMD_MARK) {
        ngx_ws_chat_op_mark(op, room->state);
        return;
    }

    ngx_ws_chat_op_presence(op, room->state);
}


static void
ngx_ws_chat_op_mark(ngx_ws_chat_op_t *op, ngx_ws_chat_state_t *st)
{
    ngx_int_t  rc;
    wsc_str_t  user;

    user.data = ngx_ws_chat_client_user(op->client);
    user.len = op->client->user_len;

    rc = ngx_ws_chat_marks_say(st, &user, op->cmd.delivered, op->cmd.read);

    ngx_ws_chat_op_told(op, rc);
}


static void
ngx_ws_chat_op_presence(ngx_ws_chat_op_t *op, ngx_ws_chat_state_t *st)
{
    ngx_ws_chat_client_t  *cl;

    cl = op->client;

    if (ngx_ws_chat_op_answers(op)) {
        wsc_event_presence_page(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id,
                                &op->cmd.chat_id, &st->presence,
                                op->cmd.offset, op->cmd.limit);
        ngx_ws_chat_reply(cl);
    }

    ngx_ws_chat_op_end(op);
}


/* The visit, if it is one, is over. */

static void
ngx_ws_chat_op_end(ngx_ws_chat_op_t *op)
{
    if (op->waiting.room) {
        ngx_ws_chat_room_visited(&op->waiting);
    }

    ngx_ws_chat_op_free(op);
}


/* m: NULL for who is no member. */

static void
ngx_ws_chat_op_place(ngx_ws_chat_op_t *op, ngx_ws_chat_member_t *m,
    ngx_ws_chat_place_t *place)
{
    place->zone = op->client->conf->zone;
    place->chat_id = op->cmd.chat_id;
    place->state = m ? ngx_ws_chat_room_of(m)->state : NULL;
}


static void
ngx_ws_chat_op_told(ngx_ws_chat_op_t *op, ngx_int_t rc)
{
    ngx_ws_chat_client_t  *cl;

    cl = op->client;

    if (rc == NGX_ABORT) {
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_FORBIDDEN,
                             "this chat keeps 32 names already", 0);

    } else if (rc != NGX_OK) {
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_UNAVAILABLE,
                             "nobody was told, try again later",
                             NGX_WS_CHAT_RETRY_MS);

    } else if (ngx_ws_chat_op_answers(op)) {
        wsc_event_ok(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id);
        ngx_ws_chat_reply(cl);
    }

    ngx_ws_chat_op_end(op);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What members tell each other beside messages.
 */


#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_op_int.h"
#include "ngx_ws_chat_reply.h"


static void ngx_ws_chat_op_emit(ngx_ws_chat_op_t *op, ngx_uint_t type,
    const wsc_note_t *note);


void
ngx_ws_chat_op_signal(ngx_ws_chat_op_t *op)
{
    wsc_note_t  note;

    ngx_memzero(&note, sizeof(wsc_note_t));

    note.key = op->cmd.name;
    note.value = op->cmd.message;

    ngx_ws_chat_op_emit(op, WSC_NEWS_SIGNAL, &note);
}


/* The note's sender is the client. */

static void
ngx_ws_chat_op_emit(ngx_ws_chat_op_t *op, ngx_uint_t type,
    const wsc_note_t *note)
{
    wsc_news_t             news;
    wsc_note_t             own;
    ngx_ws_chat_zone_t    *z;
    ngx_ws_chat_client_t  *cl;

    cl = op->client;
    z = cl->conf->zone;
    own = *note;

    own.sender.data = cl->user;
    own.sender.len = cl->user_len;

    news.type = type;
    news.to = WSC_TO_CHAT;
    news.name = op->cmd.chat_id;
    news.notes = &own;
    news.count = 1;

    if (z->store->emit(z, &news) != NGX_OK) {
        ngx_ws_chat_op_error(cl, &op->cmd, WSC_ERR_UNAVAILABLE,
                             "nobody was told, try again later",
                             NGX_WS_CHAT_RETRY_MS);

    } else if (ngx_ws_chat_op_answers(op)) {
        wsc_event_ok(ngx_ws_chat_reply_buf(), cl->enc, &op->cmd.id);
        ngx_ws_chat_reply(cl);
    }

    ngx_ws_chat_op_free(op);
}

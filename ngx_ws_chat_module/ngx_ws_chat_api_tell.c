
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Calls that reach many: several chats, all devices of a user, every client.
 */


#include "ngx_ws_chat_api_message.h"
#include "ngx_ws_chat_api_message_int.h"
#include "ngx_ws_chat_api_body.h"
#include "core/wsc_json.h"
#include "core/wsc_writer.h"


#define NGX_WS_CHAT_API_CHATS  500     /* of a broadcast */


static ngx_int_t ngx_ws_chat_api_message_chats(ngx_ws_chat_api_message_t *m,
    const char **reason);
static ngx_int_t ngx_ws_chat_api_message_each(ngx_ws_chat_api_message_t *m);
static ngx_int_t ngx_ws_chat_api_message_emit(ngx_ws_chat_api_message_t *m,
    wsc_to_e to, const wsc_str_t *name);


ngx_int_t
ngx_ws_chat_api_message_broadcast(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t                   rc;
    const char                 *reason;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_ws_chat_api_message_body(m, &reason);

    if (rc == NGX_OK) {
        rc = ngx_ws_chat_api_message_chats(m, &reason);
    }

    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    if (m->chats == NULL) {
        return ngx_ws_chat_api_message_emit(m, WSC_TO_ZONE, NULL);
    }

    wsc_buf_add(&m->text, "{\"replies\":[", sizeof("{\"replies\":[") - 1);

    m->next = ngx_ws_chat_api_message_each;
    ngx_ws_chat_api_message_publish(m, &m->chats[0]);

    return ngx_ws_chat_api_message_wait(m);
}


/* Leaves m->chats NULL if there are none named: it is for every client. */

static ngx_int_t
ngx_ws_chat_api_message_chats(ngx_ws_chat_api_message_t *m,
    const char **reason)
{
    int            it;
    ngx_int_t      rc;
    wsc_str_t      list, key, value;
    const u_char  *p, *last;

    if (ngx_ws_chat_api_body_field(m->call, "chat_ids", &list) != NGX_OK) {
        return NGX_OK;
    }

    *reason = "chat_ids must be an array of 1 to 500 chat_ids";

    if (list.data[0] != '[') {
        return NGX_DECLINED;
    }

    m->chats = ngx_palloc(m->call->request->pool,
                          NGX_WS_CHAT_API_CHATS * sizeof(wsc_str_t));
    if (m->chats == NULL) {
        return NGX_ERROR;
    }

    it = 0;
    p = list.data;
    last = p + list.len;

    while (wsc_json_next(&p, last, &it, &key, &value) == WSC_OK) {

        if (m->n == NGX_WS_CHAT_API_CHATS) {
            return NGX_DECLINED;
        }

        rc = ngx_ws_chat_api_body_string(m->call, &value, &m->chats[m->n]);
        if (rc != NGX_OK) {
            return rc;
        }

        if (!wsc_chat_id_valid(&m->chats[m->n])) {
            return NGX_DECLINED;
        }

        m->n++;
    }

    return m->n ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_ws_chat_api_message_each(ngx_ws_chat_api_message_t *m)
{
    ngx_ws_chat_api_message_position(&m->text, &m->u.publish,
                                     &m->chats[m->i]);

    if (++m->i < m->n) {
        wsc_buf_byte(&m->text, ',');
        ngx_ws_chat_api_message_publish(m, &m->chats[m->i]);
        return ngx_ws_chat_api_message_wait(m);
    }

    wsc_buf_add(&m->text, "]}", 2);

    return ngx_ws_chat_api_message_answer(m, NGX_HTTP_OK);
}


ngx_int_t
ngx_ws_chat_api_message_user(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t                   rc;
    wsc_str_t                   user;
    const char                 *reason;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_ws_chat_api_message_body(m, &reason);

    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    user.data = call->params[0].data;
    user.len = call->params[0].len;

    return ngx_ws_chat_api_message_emit(m, WSC_TO_USER, &user);
}


/* Tells all clients, or those of a user, and answers by when that was. */

static ngx_int_t
ngx_ws_chat_api_message_emit(ngx_ws_chat_api_message_t *m, wsc_to_e to,
    const wsc_str_t *name)
{
    wsc_news_t           news;
    wsc_note_t           note;
    ngx_ws_chat_zone_t  *z;

    z = m->call->conf->zone;

    ngx_memzero(&news, sizeof(wsc_news_t));
    ngx_memzero(&note, sizeof(wsc_note_t));

    if (name) {
        news.name = *name;

        if (!wsc_user_valid(name)) {
            return ngx_ws_chat_api_message_refuse(m, NGX_DECLINED,
                                                  "bad user");
        }
    }

    note.sender = m->sender;
    note.value = m->message;
    note.n[0] = m->timestamp;

    news.type = WSC_NEWS_MESSAGE;
    news.to = to;
    news.notes = &note;
    news.count = 1;

    if (z->store->emit(z, &news) != NGX_OK) {
        return ngx_ws_chat_api_message_store_error(m, WSC_ERR_UNAVAILABLE);
    }

    return ngx_ws_chat_api_message_done(m);
}


ngx_int_t
ngx_ws_chat_api_message_done(ngx_ws_chat_api_message_t *m)
{
    wsc_writer_t  w;

    wsc_writer_init(&w, &m->text, WSC_ENC_JSON);
    wsc_writer_map(&w);
    wsc_writer_key(&w, "timestamp");
    wsc_writer_uint(&w, m->timestamp);
    wsc_writer_end(&w);

    return ngx_ws_chat_api_message_answer(m, NGX_HTTP_OK);
}

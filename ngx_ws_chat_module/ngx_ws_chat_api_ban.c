
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Calls that keep users out: of a chat, of all, or once.
 */


#include "ngx_ws_chat_api_message.h"
#include "ngx_ws_chat_api_message_int.h"
#include "ngx_ws_chat_api_body.h"
#include "core/wsc_json.h"
#include "core/wsc_number.h"
#include "core/wsc_writer.h"


#define NGX_WS_CHAT_API_RECALL  3600    /* s that a disconnect is kept, for
                                           nodes that are cut off */


static ngx_int_t ngx_ws_chat_api_ban_user(ngx_ws_chat_api_call_t *call,
    wsc_str_t *user);
static ngx_int_t ngx_ws_chat_api_ban_seconds(ngx_ws_chat_api_call_t *call,
    uint64_t *seconds, const char **reason);
static ngx_int_t ngx_ws_chat_api_ban_all(ngx_ws_chat_api_call_t *call,
    ngx_uint_t type, uint64_t seconds, ngx_uint_t body);
static ngx_int_t ngx_ws_chat_api_ban_tell(ngx_ws_chat_api_message_t *m,
    ngx_uint_t type);
static void ngx_ws_chat_api_ban_told(ngx_ws_chat_ban_t *ban, wsc_err_e err);
static ngx_int_t ngx_ws_chat_api_ban_answer(ngx_ws_chat_api_message_t *m);


ngx_int_t
ngx_ws_chat_api_ban_kick(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t                   rc;
    const char                 *reason;
    ngx_ws_chat_ban_t          *ban;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ban = &m->u.ban;

    ban->chat_id.data = call->params[0].data;
    ban->chat_id.len = call->params[0].len;
    ban->seconds = NGX_WS_CHAT_BAN_KICK;

    reason = "bad chat_id";
    rc = wsc_chat_id_valid(&ban->chat_id) ? NGX_OK : NGX_DECLINED;

    if (rc == NGX_OK) {
        rc = ngx_ws_chat_api_body_check(call, &reason);
    }

    if (rc == NGX_OK) {
        reason = "user must be a user's name";
        rc = ngx_ws_chat_api_ban_user(call, &ban->user);
    }

    if (rc == NGX_OK) {
        rc = ngx_ws_chat_api_ban_seconds(call, &ban->seconds, &reason);
    }

    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    return ngx_ws_chat_api_ban_tell(m, WSC_NEWS_BAN);
}


ngx_int_t
ngx_ws_chat_api_ban_block(ngx_ws_chat_api_call_t *call)
{
    return ngx_ws_chat_api_ban_all(call, WSC_NEWS_BAN, NGX_WS_CHAT_BAN_EVER,
                                   1);
}


ngx_int_t
ngx_ws_chat_api_ban_unblock(ngx_ws_chat_api_call_t *call)
{
    return ngx_ws_chat_api_ban_all(call, WSC_NEWS_BAN, 0, 0);
}


ngx_int_t
ngx_ws_chat_api_ban_disconnect(ngx_ws_chat_api_call_t *call)
{
    return ngx_ws_chat_api_ban_all(call, WSC_NEWS_DISCONNECT,
                                   NGX_WS_CHAT_API_RECALL, 0);
}


/* body: it may say for how long. */

static ngx_int_t
ngx_ws_chat_api_ban_all(ngx_ws_chat_api_call_t *call, ngx_uint_t type,
    uint64_t seconds, ngx_uint_t body)
{
    ngx_int_t                   rc;
    const char                 *reason;
    const u_char               *last;
    ngx_ws_chat_ban_t          *ban;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ban = &m->u.ban;

    ban->user.data = call->params[0].data;
    ban->user.len = call->params[0].len;
    ban->seconds = seconds;

    reason = "bad user";
    rc = wsc_user_valid(&ban->user) ? NGX_OK : NGX_DECLINED;

    last = call->body.data + call->body.len;

    if (rc == NGX_OK && body
        && wsc_json_space(call->body.data, last) != last)
    {
        rc = ngx_ws_chat_api_body_check(call, &reason);

        if (rc == NGX_OK) {
            rc = ngx_ws_chat_api_ban_seconds(call, &ban->seconds, &reason);
        }
    }

    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    return ngx_ws_chat_api_ban_tell(m, type);
}


static ngx_int_t
ngx_ws_chat_api_ban_user(ngx_ws_chat_api_call_t *call, wsc_str_t *user)
{
    ngx_int_t  rc;
    wsc_str_t  value;

    if (ngx_ws_chat_api_body_field(call, "user", &value) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_ws_chat_api_body_string(call, &value, user);

    if (rc != NGX_OK) {
        return rc;
    }

    return wsc_user_valid(user) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_ws_chat_api_ban_seconds(ngx_ws_chat_api_call_t *call, uint64_t *seconds,
    const char **reason)
{
    int        negative;
    wsc_str_t  value;

    if (ngx_ws_chat_api_body_field(call, "seconds", &value) != NGX_OK) {
        return NGX_OK;
    }

    *reason = "seconds must be an integer from 0 to 315360000";

    if (value.data[0] < '0' || value.data[0] > '9'
        || wsc_number_integer(value.data, value.len, seconds, &negative)
           != WSC_OK
        || *seconds > WSC_MAX_SECONDS)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_api_ban_tell(ngx_ws_chat_api_message_t *m, ngx_uint_t type)
{
    ngx_ws_chat_ban_t  *ban;

    ban = &m->u.ban;

    ban->zone = m->call->conf->zone;
    ban->type = type;
    ban->done = ngx_ws_chat_api_ban_told;

    m->next = ngx_ws_chat_api_ban_answer;
    m->banning = 1;

    ngx_ws_chat_ban(ban);

    return ngx_ws_chat_api_message_wait(m);
}


static void
ngx_ws_chat_api_ban_told(ngx_ws_chat_ban_t *ban, wsc_err_e err)
{
    ngx_ws_chat_api_message_t  *m;

    m = (ngx_ws_chat_api_message_t *) ban;

    m->banning = 0;
    m->err = err;

    ngx_post_event(&m->event, &ngx_posted_events);
}


static ngx_int_t
ngx_ws_chat_api_ban_answer(ngx_ws_chat_api_message_t *m)
{
    if (m->err != WSC_ERR_NONE) {
        return ngx_ws_chat_api_message_store_error(m, m->err);
    }

    return ngx_ws_chat_api_message_done(m);
}

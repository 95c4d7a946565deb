
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The room is visited: it is loaded if this worker has no member of it.
 */


#include "ngx_ws_chat_api_state.h"
#include "ngx_ws_chat_api_message_int.h"
#include "ngx_ws_chat_room_marks.h"
#include "core/wsc_event_state.h"


static ngx_int_t ngx_ws_chat_api_state_visit(ngx_ws_chat_api_call_t *call,
    void (*ready)(ngx_ws_chat_waiting_t *w, wsc_err_e err));
static ngx_int_t ngx_ws_chat_api_state_after(ngx_ws_chat_api_call_t *call,
    wsc_str_t *after);
static void ngx_ws_chat_api_state_write_presence(ngx_ws_chat_waiting_t *w,
    wsc_err_e err);
static void ngx_ws_chat_api_state_write_marks(ngx_ws_chat_waiting_t *w,
    wsc_err_e err);
static void ngx_ws_chat_api_state_visited(ngx_ws_chat_api_message_t *m,
    wsc_err_e err);
static ngx_int_t ngx_ws_chat_api_state_page(ngx_ws_chat_api_message_t *m);


ngx_int_t
ngx_ws_chat_api_state_presence(ngx_ws_chat_api_call_t *call)
{
    return ngx_ws_chat_api_state_visit(call,
                                       ngx_ws_chat_api_state_write_presence);
}


ngx_int_t
ngx_ws_chat_api_state_marks(ngx_ws_chat_api_call_t *call)
{
    return ngx_ws_chat_api_state_visit(call,
                                       ngx_ws_chat_api_state_write_marks);
}


static ngx_int_t
ngx_ws_chat_api_state_visit(ngx_ws_chat_api_call_t *call,
    void (*ready)(ngx_ws_chat_waiting_t *w, wsc_err_e err))
{
    ngx_int_t                   rc;
    wsc_str_t                   chat_id;
    const char                 *reason;
    ngx_ws_chat_api_message_t  *m;

    m = ngx_ws_chat_api_message_create(call);
    if (m == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    reason = "bad chat_id";
    rc = ngx_ws_chat_api_message_chat(call, &chat_id);

    if (rc == NGX_OK) {
        reason = "limit must be from 1 to 500";
        rc = ngx_ws_chat_api_message_limit(call, &m->n);
    }

    if (rc == NGX_OK) {
        reason = "after must be a user's name";
        rc = ngx_ws_chat_api_state_after(call, &m->sender);
    }

    if (rc != NGX_OK) {
        return ngx_ws_chat_api_message_refuse(m, rc, reason);
    }

    m->next = ngx_ws_chat_api_state_page;
    m->u.visit.ready = ready;
    m->visiting = 1;

    if (ngx_ws_chat_room_visit(call->conf->zone, &chat_id, call->conf,
                               &m->u.visit)
        != NGX_OK)
    {
        m->visiting = 0;
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_api_message_wait(m);
}


static ngx_int_t
ngx_ws_chat_api_state_after(ngx_ws_chat_api_call_t *call, wsc_str_t *after)
{
    ngx_int_t  rc;

    rc = ngx_ws_chat_api_message_arg(call, "after", after);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_OK : rc;
    }

    return wsc_user_valid(after) ? NGX_OK : NGX_DECLINED;
}


static void
ngx_ws_chat_api_state_write_presence(ngx_ws_chat_waiting_t *w, wsc_err_e err)
{
    ngx_ws_chat_api_message_t  *m;

    m = ngx_queue_data(w, ngx_ws_chat_api_message_t, u.visit);

    if (err == WSC_ERR_NONE) {
        wsc_event_presence_after(&m->text, WSC_ENC_JSON,
                                 ngx_ws_chat_room_name(w->room),
                                 &w->room->state->presence, &m->sender,
                                 m->n);
    }

    ngx_ws_chat_api_state_visited(m, err);
}


static void
ngx_ws_chat_api_state_write_marks(ngx_ws_chat_waiting_t *w, wsc_err_e err)
{
    ngx_ws_chat_api_message_t  *m;

    m = ngx_queue_data(w, ngx_ws_chat_api_message_t, u.visit);

    if (err == WSC_ERR_NONE) {
        wsc_event_marks_after(&m->text, WSC_ENC_JSON,
                              ngx_ws_chat_room_name(w->room),
                              ngx_ws_chat_marks_known(w->room->state),
                              &m->sender, m->n);
    }

    ngx_ws_chat_api_state_visited(m, err);
}


static void
ngx_ws_chat_api_state_visited(ngx_ws_chat_api_message_t *m, wsc_err_e err)
{
    ngx_ws_chat_room_visited(&m->u.visit);

    m->visiting = 0;
    m->err = err;

    ngx_post_event(&m->event, &ngx_posted_events);
}


static ngx_int_t
ngx_ws_chat_api_state_page(ngx_ws_chat_api_message_t *m)
{
    if (m->err != WSC_ERR_NONE) {
        return ngx_ws_chat_api_message_store_error(m, m->err);
    }

    return ngx_ws_chat_api_message_answer(m, NGX_HTTP_OK);
}

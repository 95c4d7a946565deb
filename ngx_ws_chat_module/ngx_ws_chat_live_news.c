
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * News of a live zone: published on the channel of their chat, or on the one
 * that every worker listens to.
 */


#include "ngx_ws_chat_live_parts.h"


static void ngx_ws_chat_live_tell_one(ngx_ws_chat_attach_t *a,
    const void *data);


ngx_int_t
ngx_ws_chat_live_emit(ngx_ws_chat_zone_t *z, const wsc_news_t *news)
{
    ngx_int_t                sent;
    wsc_buf_t                b;
    wsc_str_t                s;
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_redis_t     *rc;
    ngx_ws_chat_live_cmd_t  *c;

    l = z->data;

    rc = (news->to == WSC_TO_CHAT)
         ? ngx_ws_chat_live_command_for(l, &news->name)
         : l->shards[0].node->command;

    wsc_buf_init(&b, &ngx_ws_chat_alloc);
    wsc_envelope_news(&b, news);

    s.data = b.data;
    s.len = b.len;

    c = ngx_ws_chat_live_cmd_publish(l);

    if (news->to == WSC_TO_CHAT) {
        ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_CHANNEL, &news->name);

    } else {
        ngx_ws_chat_live_control(c, l);
    }

    ngx_ws_chat_live_str(c, &s);

    sent = b.failed ? NGX_ERROR : ngx_ws_chat_live_send(c, rc, NULL, NULL);

    wsc_buf_free(&b);

    return (sent == NGX_OK) ? NGX_OK : NGX_DECLINED;
}


void
ngx_ws_chat_live_tell(ngx_ws_chat_live_t *l, ngx_ws_chat_live_chat_t *chat,
    const wsc_news_t *news)
{
    if (news->to != WSC_TO_CHAT) {
        if (l->zone->news) {
            l->zone->news(l->zone, news);
        }

        return;
    }

    if (chat != NULL
        && chat->chat_id.len == news->name.len
        && ngx_memcmp(chat->chat_id.data, news->name.data, news->name.len)
           == 0)
    {
        ngx_ws_chat_live_each(chat, ngx_ws_chat_live_tell_one, news);
    }
}


static void
ngx_ws_chat_live_tell_one(ngx_ws_chat_attach_t *a, const void *data)
{
    if (a->news) {
        a->news(a, data);
    }
}


/* Who is called may detach any; who attaches meanwhile is left out. */

void
ngx_ws_chat_live_each(ngx_ws_chat_live_chat_t *chat,
    void (*call)(ngx_ws_chat_attach_t *a, const void *data),
    const void *data)
{
    ngx_queue_t            turn, *q;
    ngx_ws_chat_attach_t  *a;

    if (ngx_queue_empty(&chat->attaches)) {
        return;
    }

    chat->busy++;

    ngx_queue_init(&turn);
    ngx_queue_add(&turn, &chat->attaches);
    ngx_queue_init(&chat->attaches);

    while (!ngx_queue_empty(&turn)) {
        q = ngx_queue_head(&turn);
        a = ngx_queue_data(q, ngx_ws_chat_attach_t, queue);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&chat->attaches, q);

        if (a->attached) {
            call(a, data);
        }
    }

    chat->busy--;
}

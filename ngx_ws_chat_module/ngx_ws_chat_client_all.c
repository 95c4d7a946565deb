
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_client_all.h"
#include "ngx_ws_chat_ban.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_reply.h"
#include "ngx_ws_chat_room_presence.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_ALL_BUCKETS  64           /* to start with */
#define NGX_WS_CHAT_ALL_LENGTH   4            /* clients a bucket, about */


typedef struct {
    unsigned                    enc;
    wsc_buf_t                  *event;
    const wsc_str_t            *chat_id;      /* of its members; NULL: all */
} ngx_ws_chat_notice_t;


static ngx_ws_chat_client_t **ngx_ws_chat_client_bucket(
    ngx_ws_chat_zone_t *z, const ngx_ws_chat_client_t *cl);
static void ngx_ws_chat_client_grow(ngx_ws_chat_zone_t *z);
static void ngx_ws_chat_client_notice(ngx_ws_chat_zone_t *z,
    const wsc_str_t *user, const wsc_note_t *note);
static void ngx_ws_chat_client_settled(ngx_ws_chat_zone_t *z,
    const wsc_news_t *news, const wsc_note_t *note);
static void ngx_ws_chat_client_put(ngx_ws_chat_client_t *cl, void *data);


void
ngx_ws_chat_client_enter(ngx_ws_chat_client_t *cl)
{
    ngx_ws_chat_zone_t     *z;
    ngx_ws_chat_client_t  **bucket;

    z = cl->conf->zone;

    if (z == NULL) {
        return;
    }

    if (z->clients == NULL) {
        z->clients = &z->client;
    }

    if (z->nclients / NGX_WS_CHAT_ALL_LENGTH > z->clients_mask) {
        ngx_ws_chat_client_grow(z);
    }

    bucket = ngx_ws_chat_client_bucket(z, cl);

    cl->next = *bucket;
    *bucket = cl;

    cl->entered = 1;
    z->nclients++;
}


void
ngx_ws_chat_client_exit(ngx_ws_chat_client_t *cl)
{
    ngx_ws_chat_zone_t     *z;
    ngx_ws_chat_client_t  **p;

    z = cl->conf->zone;

    if (!cl->entered) {
        return;
    }

    p = ngx_ws_chat_client_bucket(z, cl);

    while (*p != cl) {
        p = &(*p)->next;
    }

    *p = cl->next;
    z->nclients--;
}


static ngx_ws_chat_client_t **
ngx_ws_chat_client_bucket(ngx_ws_chat_zone_t *z,
    const ngx_ws_chat_client_t *cl)
{
    return &z->clients[ngx_murmur_hash2(ngx_ws_chat_client_user(cl),
                                        cl->user_len)
                       & z->clients_mask];
}


/* Without memory the lists only become longer. */

static void
ngx_ws_chat_client_grow(ngx_ws_chat_zone_t *z)
{
    ngx_uint_t              i, n;
    ngx_ws_chat_client_t   *cl, *next, **old, **bucket;

    n = ngx_max((z->clients_mask + 1) * 2, NGX_WS_CHAT_ALL_BUCKETS);

    bucket = wsc_alloc(&ngx_ws_chat_alloc, n * sizeof(ngx_ws_chat_client_t *));
    if (bucket == NULL) {
        return;
    }

    ngx_memzero(bucket, n * sizeof(ngx_ws_chat_client_t *));

    old = z->clients;
    i = z->clients_mask + 1;

    z->clients = bucket;
    z->clients_mask = n - 1;

    while (i) {
        for (cl = old[--i]; cl; cl = next) {
            next = cl->next;

            bucket = ngx_ws_chat_client_bucket(z, cl);
            cl->next = *bucket;
            *bucket = cl;
        }
    }

    if (old != &z->client) {
        wsc_free(&ngx_ws_chat_alloc, old);
    }
}


void
ngx_ws_chat_client_each(ngx_ws_chat_zone_t *z, const wsc_str_t *user,
    void (*call)(ngx_ws_chat_client_t *cl, void *data), void *data)
{
    ngx_uint_t             i, n;
    ngx_ws_chat_client_t  *cl, *next;

    if (z->clients == NULL) {
        return;
    }

    i = 0;
    n = z->clients_mask + 1;

    if (user) {
        i = ngx_murmur_hash2(user->data, user->len) & z->clients_mask;
        n = i + 1;
    }

    for ( /* void */ ; i < n; i++) {
        for (cl = z->clients[i]; cl; cl = next) {
            next = cl->next;

            if (user == NULL || ngx_ws_chat_client_is(cl, user)) {
                call(cl, data);
            }
        }
    }
}


void
ngx_ws_chat_client_all_done(ngx_ws_chat_zone_t *z)
{
    if (z->clients && z->clients != &z->client) {
        wsc_free(&ngx_ws_chat_alloc, z->clients);
    }

    z->clients = NULL;
    z->clients_mask = 0;
}


void
ngx_ws_chat_client_news(ngx_ws_chat_zone_t *z, const wsc_news_t *news)
{
    size_t            i;
    const wsc_str_t  *user;

    user = (news->to == WSC_TO_USER) ? &news->name : NULL;

    switch (news->type) {

    case WSC_NEWS_MESSAGE:
        for (i = 0; i < news->count; i++) {
            ngx_ws_chat_client_notice(z, user, &news->notes[i]);
        }

        return;

    case WSC_NEWS_SETTLED:
        for (i = 0; i < news->count; i++) {
            ngx_ws_chat_client_settled(z, news, &news->notes[i]);
        }

        return;

    case WSC_NEWS_BEAT:
        ngx_ws_chat_presence_beat(news);
        return;

    case WSC_NEWS_DISCONNECT:
    case WSC_NEWS_BAN:
        ngx_ws_chat_ban_news(z, news);
        return;

    default:
        return;
    }
}


/* Encoded once; plain, as each client has a window of its own. */

static void
ngx_ws_chat_client_notice(ngx_ws_chat_zone_t *z, const wsc_str_t *user,
    const wsc_note_t *note)
{
    wsc_enc_e              enc;
    ngx_ws_chat_notice_t   notice;

    for (enc = 0; enc < WSC_ENC_N; enc++) {
        notice.enc = enc;
        notice.chat_id = NULL;
        notice.event = ngx_ws_chat_reply_buf();

        wsc_event_notice(notice.event, enc, note);

        if (!notice.event->failed) {
            ngx_ws_chat_client_each(z, user, ngx_ws_chat_client_put, &notice);
        }
    }
}


/* To the sender's clients that are members. */

static void
ngx_ws_chat_client_settled(ngx_ws_chat_zone_t *z, const wsc_news_t *news,
    const wsc_note_t *note)
{
    wsc_enc_e              enc;
    ngx_ws_chat_notice_t   notice;

    for (enc = 0; enc < WSC_ENC_N; enc++) {
        notice.enc = enc;
        notice.chat_id = &news->name;
        notice.event = ngx_ws_chat_reply_buf();

        wsc_event_settled(notice.event, enc, &news->name, note);

        if (!notice.event->failed) {
            ngx_ws_chat_client_each(z, &note->sender, ngx_ws_chat_client_put,
                                    &notice);
        }
    }
}


static void
ngx_ws_chat_client_put(ngx_ws_chat_client_t *cl, void *data)
{
    ngx_ws_chat_notice_t *notice = data;

    ngx_ws_chat_member_t  *m;

    if (cl->enc != notice->enc) {
        return;
    }

    if (notice->chat_id) {
        m = ngx_ws_chat_client_member(cl, notice->chat_id);

        /* before its `joined`, and while it leaves, there is none */

        if (m == NULL || m->reader.waits) {
            return;
        }
    }

    if (ngx_ws_chat_client_ops(cl)->event) {
        ngx_ws_chat_client_ops(cl)->event(cl, notice->event, NULL);
        return;
    }

    (void) ngx_ws_chat_peer_send(&cl->peer, WSC_FRAME_FIN,
                                 (cl->enc == WSC_ENC_JSON) ? WSC_OP_TEXT
                                                           : WSC_OP_BINARY,
                                 notice->event->data, notice->event->len);
}

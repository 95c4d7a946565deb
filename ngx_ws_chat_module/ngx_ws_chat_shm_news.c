
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * News of an embedded zone: envelopes in a ring, which every worker reads with
 * a cursor of its own when it is woken.
 */


#include "ngx_ws_chat_shm.h"
#include "ngx_ws_chat_bus.h"
#include "core/wsc_envelope.h"


#define NGX_WS_CHAT_NEWS_BATCH   65536        /* octets copied at a time */
#define NGX_WS_CHAT_NEWS_BATCHES  4           /* a turn */


/* Lies before each envelope in a batch. */

typedef struct {
    size_t                      len;
    uint32_t                    chat;         /* 0: to users or the zone */
} ngx_ws_chat_shm_news_t;


static ngx_uint_t ngx_ws_chat_shm_alone(const uint64_t *mask);
static ngx_int_t ngx_ws_chat_shm_keep(ngx_ws_chat_shm_t *shm,
    const wsc_news_t *news, wsc_buf_t *b);
static ngx_int_t ngx_ws_chat_shm_kept(ngx_ws_chat_shm_t *shm,
    ngx_ws_chat_load_t *l, wsc_buf_t *b);
static ngx_int_t ngx_ws_chat_shm_fetch(ngx_ws_chat_shm_t *shm, wsc_buf_t *b);
static ngx_ws_chat_attach_t *ngx_ws_chat_shm_listener(
    ngx_ws_chat_shm_t *shm, uint32_t chat);
static ngx_uint_t ngx_ws_chat_shm_listens(ngx_ws_chat_shm_t *shm,
    uint32_t chat);
static ngx_int_t ngx_ws_chat_shm_copy_to(wsc_buf_t *b, uint32_t chat,
    size_t len, u_char **p);
static u_char *ngx_ws_chat_shm_each(u_char *p, uint32_t *chat, wsc_str_t *s);
static void ngx_ws_chat_shm_tell(ngx_ws_chat_shm_t *shm, uint32_t chat,
    const wsc_str_t *s);


ngx_int_t
ngx_ws_chat_shm_emit(ngx_ws_chat_zone_t *z, const wsc_news_t *news)
{
    size_t              len;
    ssize_t             rc;
    uint32_t            chat;
    uint64_t            mask[WSC_SHMLOG_SLOTS / 64];
    wsc_buf_t           b;
    ngx_ws_chat_shm_t  *shm;

    shm = z->data;
    rc = WSC_DECLINED;
    chat = 0;

    ngx_ws_chat_shm_take(&b);
    wsc_envelope_news(&b, news);
    len = b.len;

    if (!b.failed) {
        ngx_ws_chat_shm_lock(shm);

        if (news->to == WSC_TO_CHAT) {
            chat = wsc_shmlog_find(&shm->log, &news->name);
        }

        if (chat) {
            ngx_memcpy(mask, wsc_shmlog_mask(&shm->log, chat), sizeof(mask));

            if (wsc_news_known(news->type) && ngx_ws_chat_shm_alone(mask)) {
                chat = 0;
            }
        }

        if (len <= wsc_shmring_max(shm->ring)
            && ngx_ws_chat_shm_keep(shm, news, &b) == NGX_OK)
        {
            rc = (news->to == WSC_TO_CHAT && chat == 0)
                 ? WSC_OK : wsc_shmring_put(shm->ring, chat, b.data, len);
        }

        ngx_ws_chat_shm_unlock(shm);
    }

    ngx_ws_chat_shm_give(&b);

    if (rc != WSC_OK) {
        return NGX_DECLINED;
    }

    if (chat) {
        ngx_ws_chat_shm_wake(mask);

    } else if (news->to != WSC_TO_CHAT) {
        ngx_ws_chat_bus_wake_workers();
    }

    return NGX_OK;
}


/* No worker but this one listens. */

static ngx_uint_t
ngx_ws_chat_shm_alone(const uint64_t *mask)
{
    uint64_t    others;
    ngx_uint_t  i, own;

    own = ngx_ws_chat_bus_slot();
    others = 0;

    for (i = 0; i < WSC_SHMLOG_SLOTS / 64; i++) {
        others |= mask[i] & ~((own / 64 == i) ? 1ULL << own % 64 : 0);
    }

    return others == 0;
}


/*
 * What finds no room is told, but not kept; unless it must be: NGX_DECLINED.
 * What is written is behind the envelope in the buffer.
 */

static ngx_int_t
ngx_ws_chat_shm_keep(ngx_ws_chat_shm_t *shm, const wsc_news_t *news,
    wsc_buf_t *b)
{
    size_t       i, begin;
    ssize_t      rc;
    u_char       field[WSC_MAX_NOTE_FIELD];
    wsc_str_t    f, value;
    wsc_keep_e   keep;
    wsc_news_t   one;

    /* the name is in the key already */

    one = *news;
    one.to = WSC_TO_ZONE;
    one.name.len = 0;
    one.count = 1;

    f.data = field;
    begin = b->len;

    for (i = 0; i < news->count; i++) {
        one.notes = &news->notes[i];
        keep = wsc_news_keep(news->type, one.notes);

        if (keep == WSC_KEEP_NOT) {
            continue;
        }

        f.len = wsc_news_field(field, news->type, one.notes);

        if (keep == WSC_KEEP_DROP) {
            wsc_shmkeep_drop(shm->keep, &news->name, &f);
            continue;
        }

        b->len = begin;
        wsc_envelope_news(b, &one);

        value.data = b->data + begin;
        value.len = b->len - begin;

        rc = b->failed ? WSC_ERROR
                       : wsc_shmkeep_set(shm->keep, &news->name, &f, &value,
                                         wsc_news_soft(news->type));

        if (rc != WSC_OK && wsc_news_hard(news->type)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


void
ngx_ws_chat_shm_load(ngx_ws_chat_load_t *l)
{
    u_char              *p, *last;
    uint32_t             chat;
    wsc_buf_t            b;
    wsc_str_t            s;
    wsc_envelope_t       v;
    ngx_ws_chat_shm_t   *shm;

    shm = l->zone->data;

    ngx_ws_chat_shm_take(&b);

    l->err = (ngx_ws_chat_shm_kept(shm, l, &b) == NGX_OK)
             ? WSC_ERR_NONE : WSC_ERR_UNAVAILABLE;

    p = b.data;
    last = p + b.len;

    while (p < last) {
        p = ngx_ws_chat_shm_each(p, &chat, &s);

        if (wsc_envelope_is(&ngx_ws_chat_alloc, &s, WSC_ENVELOPE_NEWS, &v)) {
            l->news(l, &v.news);
        }
    }

    l->done(l);

    ngx_ws_chat_shm_give(&b);
}


static ngx_int_t
ngx_ws_chat_shm_kept(ngx_ws_chat_shm_t *shm, ngx_ws_chat_load_t *l,
    wsc_buf_t *b)
{
    u_char     *p;
    size_t      len;
    uint32_t    at;
    ngx_int_t   rc;

    at = 0;
    rc = NGX_OK;

    ngx_ws_chat_shm_lock(shm);

    while (rc == NGX_OK
           && wsc_shmkeep_next(shm->keep, &l->chat_id, &at, &len) == WSC_OK)
    {
        rc = ngx_ws_chat_shm_copy_to(b, 0, len, &p);

        if (rc == NGX_OK) {
            wsc_shmkeep_copy(shm->keep, at, p);
        }
    }

    ngx_ws_chat_shm_unlock(shm);

    return rc;
}


/* Who is told may emit, attach, detach; the batch is its own until then. */

ngx_int_t
ngx_ws_chat_shm_hear(ngx_ws_chat_shm_t *shm)
{
    u_char                  *p, *last;
    uint32_t                 chat;
    ngx_int_t                rc;
    wsc_buf_t                b;
    wsc_str_t                s;
    ngx_uint_t               i;

    rc = NGX_AGAIN;

    for (i = 0; rc == NGX_AGAIN && i < NGX_WS_CHAT_NEWS_BATCHES; i++) {

        if (shm->heard == wsc_shmring_end(shm->ring)) {
            return NGX_OK;
        }

        ngx_ws_chat_shm_take(&b);

        rc = ngx_ws_chat_shm_fetch(shm, &b);

        p = b.data;
        last = p + b.len;

        while (p < last) {
            p = ngx_ws_chat_shm_each(p, &chat, &s);
            ngx_ws_chat_shm_tell(shm, chat, &s);
        }

        ngx_ws_chat_shm_give(&b);

        if (shm->lapped) {
            shm->lapped = 0;
            shm->zone->missed(shm->zone);
        }
    }

    return rc;
}


/*
 * Copies what concerns this worker.  NGX_OK: that is all; NGX_AGAIN: there is
 * more.
 */

static ngx_int_t
ngx_ws_chat_shm_fetch(ngx_ws_chat_shm_t *shm, wsc_buf_t *b)
{
    u_char    *p;
    size_t     len;
    ssize_t    rc;
    uint32_t   chat;

    ngx_ws_chat_shm_lock(shm);

    for ( ;; ) {
        rc = wsc_shmring_look(shm->ring, &shm->heard, &chat, &len);

        if (rc == WSC_DONE || b->len >= NGX_WS_CHAT_NEWS_BATCH) {
            break;
        }

        if (rc == WSC_DECLINED) {
            shm->lapped = 1;
            ngx_ws_chat_shm_mark_all(shm, 1);
            continue;
        }

        if (chat == 0 || ngx_ws_chat_shm_listens(shm, chat)) {

            if (ngx_ws_chat_shm_copy_to(b, chat, len, &p) == NGX_OK) {
                wsc_shmring_copy(shm->ring, shm->heard, p);

            } else {
                shm->lapped = 1;
                ngx_ws_chat_shm_mark_all(shm, 1);
            }
        }

        wsc_shmring_skip(shm->ring, &shm->heard);
    }

    ngx_ws_chat_shm_unlock(shm);

    return (rc == WSC_DONE) ? NGX_OK : NGX_AGAIN;
}


/*
 * Older news of a chat than its attach are in what is loaded, which is newer:
 * a worker that was alone with a chat tells those who come later nothing else.
 */

static ngx_uint_t
ngx_ws_chat_shm_listens(ngx_ws_chat_shm_t *shm, uint32_t chat)
{
    ngx_ws_chat_attach_t  *a;

    a = ngx_ws_chat_shm_listener(shm, chat);

    return a && shm->heard >= a->since;
}


/* Makes room for an envelope behind its head. */

static ngx_int_t
ngx_ws_chat_shm_copy_to(wsc_buf_t *b, uint32_t chat, size_t len, u_char **p)
{
    ngx_ws_chat_shm_news_t  head;

    *p = wsc_buf_reserve(b, sizeof(ngx_ws_chat_shm_news_t) + len);
    if (*p == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&head, sizeof(ngx_ws_chat_shm_news_t));
    head.len = len;
    head.chat = chat;

    *p = ngx_cpymem(*p, &head, sizeof(ngx_ws_chat_shm_news_t));
    b->len += sizeof(ngx_ws_chat_shm_news_t) + len;

    return NGX_OK;
}


/* The envelope at p; returns what is behind it. */

static u_char *
ngx_ws_chat_shm_each(u_char *p, uint32_t *chat, wsc_str_t *s)
{
    ngx_ws_chat_shm_news_t  head;

    ngx_memcpy(&head, p, sizeof(ngx_ws_chat_shm_news_t));

    *chat = head.chat;
    s->data = p + sizeof(ngx_ws_chat_shm_news_t);
    s->len = head.len;

    return s->data + s->len;
}


static ngx_ws_chat_attach_t *
ngx_ws_chat_shm_listener(ngx_ws_chat_shm_t *shm, uint32_t chat)
{
    ngx_queue_t           *q, *bucket;
    ngx_ws_chat_attach_t  *a;

    bucket = &shm->buckets[chat & shm->mask];

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        a = ngx_queue_data(q, ngx_ws_chat_attach_t, queue);

        if (a->chat == chat) {
            return a;
        }
    }

    return NULL;
}


/* A chat's number may belong to another one by now: the name decides. */

static void
ngx_ws_chat_shm_tell(ngx_ws_chat_shm_t *shm, uint32_t chat,
    const wsc_str_t *s)
{
    const char            *reason;
    wsc_envelope_t         v;
    ngx_ws_chat_attach_t  *a;

    if (wsc_envelope_read(&ngx_ws_chat_alloc, s, &v, &reason) != WSC_OK) {
        return;
    }

    if (v.news.to != WSC_TO_CHAT) {
        if (shm->zone->news) {
            shm->zone->news(shm->zone, &v.news);
        }

        return;
    }

    a = ngx_ws_chat_shm_listener(shm, chat);

    if (a && wsc_str_same(&a->chat_id, &v.news.name)) {
        a->ops->news(a, &v.news);
    }
}

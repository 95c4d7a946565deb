
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * News of a live zone: published on the channel of their chat, or on the one
 * that every worker listens to.
 */


#include "ngx_ws_chat_live_durable.h"


/* A load under way; its caller may call it off. */

typedef struct {
    ngx_ws_chat_live_t           *live;
    ngx_ws_chat_load_t           *load;         /* NULL: called off */
} ngx_ws_chat_live_load_job_t;


/* News that are not told unless they are kept, while they are being kept. */

typedef struct {
    ngx_ws_chat_live_t           *live;
    ngx_uint_t                    drop;         /* then some others are not */
    size_t                        len;
    u_char                        data[];       /* their envelope */
} ngx_ws_chat_live_hard_t;


static ngx_ws_chat_redis_t *ngx_ws_chat_live_news_command(
    ngx_ws_chat_live_t *l, const wsc_news_t *news);
static ngx_int_t ngx_ws_chat_live_emit_hard(ngx_ws_chat_live_t *l,
    ngx_ws_chat_redis_t *rc, const wsc_news_t *news, wsc_buf_t *b);
static ngx_ws_chat_live_hard_t *ngx_ws_chat_live_hard(ngx_ws_chat_live_t *l,
    const wsc_news_t *news, wsc_buf_t *b);
static void ngx_ws_chat_live_on_hard(void *data, const redisReply *r);
static void ngx_ws_chat_live_tell_hard(ngx_ws_chat_live_hard_t *hard,
    const wsc_news_t *news);
static ngx_int_t ngx_ws_chat_live_publish_news(ngx_ws_chat_live_t *l,
    ngx_ws_chat_redis_t *rc, const wsc_news_t *news, wsc_buf_t *b);
static void ngx_ws_chat_live_news_key(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_live_t *l, wsc_to_e to, const wsc_str_t *name, u_char kind);
static ngx_int_t ngx_ws_chat_live_keep(ngx_ws_chat_live_t *l,
    ngx_ws_chat_redis_t *rc, const wsc_news_t *news, wsc_buf_t *b);
static ngx_ws_chat_live_cmd_t *ngx_ws_chat_live_keep_words(
    ngx_ws_chat_live_t *l, const wsc_news_t *news, wsc_buf_t *b,
    wsc_keep_e keep);
static void ngx_ws_chat_live_on_kept(void *data, const redisReply *r);
static void ngx_ws_chat_live_tell_one(ngx_ws_chat_attach_t *a,
    const void *data);
static void ngx_ws_chat_live_missed_one(ngx_ws_chat_attach_t *a,
    const void *data);


ngx_int_t
ngx_ws_chat_live_emit(ngx_ws_chat_zone_t *z, const wsc_news_t *news)
{
    ngx_int_t             sent;
    wsc_buf_t             b;
    ngx_ws_chat_live_t   *l;
    ngx_ws_chat_redis_t  *rc;

    l = z->data;
    rc = ngx_ws_chat_live_news_command(l, news);

    wsc_buf_init(&b, &ngx_ws_chat_alloc);

    if (wsc_news_hard(news->type)) {
        sent = ngx_ws_chat_live_emit_hard(l, rc, news, &b);

    } else {
        sent = ngx_ws_chat_live_keep(l, rc, news, &b);

        if (sent == NGX_OK) {
            sent = ngx_ws_chat_live_publish_news(l, rc, news, &b);
        }
    }

    wsc_buf_free(&b);

    if (sent == NGX_OK && news->type == WSC_NEWS_MARK) {
        ngx_ws_chat_live_record_marks(l, news);
    }

    return (sent == NGX_OK) ? NGX_OK : NGX_DECLINED;
}


static ngx_ws_chat_redis_t *
ngx_ws_chat_live_news_command(ngx_ws_chat_live_t *l, const wsc_news_t *news)
{
    return (news->to == WSC_TO_CHAT)
           ? ngx_ws_chat_live_command_for(l, &news->name)
           : l->shards[0].node->command;
}


/*
 * They are published when Redis has said that it keeps them: its memory may be
 * full, or its disk.  Not by MULTI, which a full Redis refuses even to those
 * who take something back.
 */

static ngx_int_t
ngx_ws_chat_live_emit_hard(ngx_ws_chat_live_t *l, ngx_ws_chat_redis_t *rc,
    const wsc_news_t *news, wsc_buf_t *b)
{
    ngx_int_t                 sent;
    ngx_ws_chat_live_cmd_t   *c;
    ngx_ws_chat_live_hard_t  *hard;

    hard = ngx_ws_chat_live_hard(l, news, b);

    if (hard == NULL) {
        return NGX_ERROR;
    }

    c = ngx_ws_chat_live_keep_words(l, news, b, WSC_KEEP_SET);
    hard->drop = (c != NULL);

    if (c == NULL) {
        c = ngx_ws_chat_live_keep_words(l, news, b, WSC_KEEP_DROP);
    }

    sent = c ? ngx_ws_chat_live_send(c, rc, ngx_ws_chat_live_on_hard, hard)
             : NGX_ERROR;

    if (sent != NGX_OK) {
        wsc_free(&ngx_ws_chat_alloc, hard);
    }

    return sent;
}


static ngx_ws_chat_live_hard_t *
ngx_ws_chat_live_hard(ngx_ws_chat_live_t *l, const wsc_news_t *news,
    wsc_buf_t *b)
{
    ngx_ws_chat_live_hard_t  *hard;

    wsc_envelope_news(b, news);

    hard = b->failed ? NULL
           : wsc_alloc(&ngx_ws_chat_alloc,
                       sizeof(ngx_ws_chat_live_hard_t) + b->len);

    if (hard != NULL) {
        hard->live = l;
        hard->len = b->len;
        ngx_memcpy(hard->data, b->data, b->len);
    }

    return hard;
}


/* Without a reply it is not known: whoever waits to hear of it will see. */

static void
ngx_ws_chat_live_on_hard(void *data, const redisReply *r)
{
    ngx_ws_chat_live_hard_t *hard = data;

    wsc_str_t            s;
    const char          *reason;
    wsc_envelope_t       v;
    ngx_ws_chat_zone_t  *z;

    z = hard->live->zone;

    s.data = hard->data;
    s.len = hard->len;

    if (r == NULL
        || wsc_envelope_read(&ngx_ws_chat_alloc, &s, &v, &reason) != WSC_OK)
    {
        /* void */

    } else if (r->type != REDIS_REPLY_ERROR) {
        ngx_ws_chat_live_tell_hard(hard, &v.news);

    } else {
        if (!ngx_ws_chat_live_later(hard->live, r)) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "Redis of zone \"%V\" keeps no news: %s",
                          &z->name, r->str);
        }

        if (z->untold) {
            z->untold(z, &v.news);
        }
    }

    wsc_free(&ngx_ws_chat_alloc, hard);
}


static void
ngx_ws_chat_live_tell_hard(ngx_ws_chat_live_hard_t *hard,
    const wsc_news_t *news)
{
    wsc_buf_t                b;
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_redis_t     *rc;
    ngx_ws_chat_live_cmd_t  *c;

    l = hard->live;
    rc = ngx_ws_chat_live_news_command(l, news);

    wsc_buf_init(&b, &ngx_ws_chat_alloc);

    c = hard->drop ? ngx_ws_chat_live_keep_words(l, news, &b, WSC_KEEP_DROP)
                   : NULL;

    if (c == NULL || ngx_ws_chat_live_send(c, rc, NULL, NULL) == NGX_OK) {
        (void) ngx_ws_chat_live_publish_news(l, rc, news, &b);
    }

    wsc_buf_free(&b);
}


static ngx_int_t
ngx_ws_chat_live_publish_news(ngx_ws_chat_live_t *l, ngx_ws_chat_redis_t *rc,
    const wsc_news_t *news, wsc_buf_t *b)
{
    wsc_str_t                s;
    ngx_ws_chat_live_cmd_t  *c;

    b->len = 0;
    wsc_envelope_news(b, news);

    s.data = b->data;
    s.len = b->len;

    c = ngx_ws_chat_live_cmd_publish(l);
    ngx_ws_chat_live_news_key(c, l, news->to, &news->name,
                              NGX_WS_CHAT_LIVE_CHANNEL);
    ngx_ws_chat_live_str(c, &s);

    return b->failed ? NGX_ERROR : ngx_ws_chat_live_send(c, rc, NULL, NULL);
}


static void
ngx_ws_chat_live_news_key(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_live_t *l,
    wsc_to_e to, const wsc_str_t *name, u_char kind)
{
    if (to == WSC_TO_CHAT) {
        ngx_ws_chat_live_key(c, l, kind, name);
        return;
    }

    ngx_ws_chat_live_control(c, l, kind);
}


/* Before it is published, on the same connection: a load has it by then. */

static ngx_int_t
ngx_ws_chat_live_keep(ngx_ws_chat_live_t *l, ngx_ws_chat_redis_t *rc,
    const wsc_news_t *news, wsc_buf_t *b)
{
    ngx_int_t                sent;
    ngx_ws_chat_live_cmd_t  *c;

    c = ngx_ws_chat_live_keep_words(l, news, b, WSC_KEEP_DROP);
    sent = c ? ngx_ws_chat_live_send(c, rc, NULL, NULL) : NGX_OK;

    if (sent != NGX_OK) {
        return sent;
    }

    c = ngx_ws_chat_live_keep_words(l, news, b, WSC_KEEP_SET);

    if (c == NULL) {
        return NGX_OK;
    }

    sent = ngx_ws_chat_live_send(c, rc, NULL, NULL);

    /* what is kept of the zone ends as it says itself */

    if (sent == NGX_OK && news->to == WSC_TO_CHAT) {
        c = ngx_ws_chat_live_cmd("PEXPIRE");
        ngx_ws_chat_live_news_key(c, l, news->to, &news->name,
                                  NGX_WS_CHAT_LIVE_KEPT);
        ngx_ws_chat_live_num(c, ngx_max(l->zone->keep, NGX_WS_CHAT_KEEP));

        sent = ngx_ws_chat_live_send(c, rc, NULL, NULL);
    }

    return sent;
}


/* HSET or HDEL of the notes that want it; NULL: none does. */

static ngx_ws_chat_live_cmd_t *
ngx_ws_chat_live_keep_words(ngx_ws_chat_live_t *l, const wsc_news_t *news,
    wsc_buf_t *b, wsc_keep_e keep)
{
    size_t                   i, at[WSC_NEWS_NOTES + 1];
    u_char                   field[WSC_MAX_NOTE_FIELD];
    wsc_str_t                value;
    wsc_news_t               one;
    ngx_uint_t               n;
    ngx_ws_chat_live_cmd_t  *c;

    /* all values at first: the buffer moves while it grows */

    one = *news;
    one.to = WSC_TO_ZONE;
    one.name.len = 0;
    one.count = 1;

    b->len = 0;
    n = 0;

    for (i = 0; i < news->count; i++) {
        one.notes = &news->notes[i];
        at[i] = b->len;

        if (wsc_news_keep(news->type, one.notes) == keep) {
            wsc_envelope_news(b, &one);
            n++;
        }
    }

    at[i] = b->len;

    if (n == 0) {
        return NULL;
    }

    c = ngx_ws_chat_live_cmd(keep == WSC_KEEP_SET ? "HSET" : "HDEL");
    c->failed |= b->failed;
    ngx_ws_chat_live_news_key(c, l, news->to, &news->name,
                              NGX_WS_CHAT_LIVE_KEPT);

    for (i = 0; i < news->count; i++) {

        if (at[i + 1] == at[i]) {
            continue;
        }

        ngx_ws_chat_live_text(c, field, wsc_news_field(field, news->type,
                                                       &news->notes[i]));
        if (keep == WSC_KEEP_SET) {
            value.data = b->data + at[i];
            value.len = at[i + 1] - at[i];
            ngx_ws_chat_live_str(c, &value);
        }
    }

    return c;
}


void
ngx_ws_chat_live_load(ngx_ws_chat_load_t *load)
{
    ngx_ws_chat_live_t           *l;
    ngx_ws_chat_redis_t          *rc;
    ngx_ws_chat_live_cmd_t       *c;
    ngx_ws_chat_live_load_job_t  *job;

    l = load->zone->data;

    job = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_live_load_job_t));

    if (job != NULL) {
        job->live = l;
        job->load = load;
        load->data = job;

        rc = load->chat_id.len
             ? ngx_ws_chat_live_command_for(l, &load->chat_id)
             : l->shards[0].node->command;

        c = ngx_ws_chat_live_cmd("HVALS");
        ngx_ws_chat_live_news_key(c, l, load->chat_id.len ? WSC_TO_CHAT
                                                          : WSC_TO_ZONE,
                                  &load->chat_id, NGX_WS_CHAT_LIVE_KEPT);

        if (ngx_ws_chat_live_send(c, rc, ngx_ws_chat_live_on_kept, job)
            == NGX_OK)
        {
            return;
        }

        wsc_free(&ngx_ws_chat_alloc, job);
    }

    load->data = NULL;
    load->err = WSC_ERR_UNAVAILABLE;
    load->done(load);
}


void
ngx_ws_chat_live_cancel_load(ngx_ws_chat_load_t *load)
{
    ngx_ws_chat_live_load_job_t  *job;

    job = load->data;

    if (job != NULL) {
        job->load = NULL;
        load->data = NULL;
    }
}


static void
ngx_ws_chat_live_on_kept(void *data, const redisReply *r)
{
    ngx_ws_chat_live_load_job_t *job = data;

    size_t               i;
    wsc_str_t            s;
    wsc_envelope_t       v;
    ngx_ws_chat_load_t  *load;

    for (i = 0;
         job->load && r && r->type == REDIS_REPLY_ARRAY && i < r->elements;
         i++)
    {
        if (ngx_ws_chat_live_reply_str(r->element[i], &s) == NULL
            || !wsc_envelope_is(&ngx_ws_chat_alloc, &s, WSC_ENVELOPE_NEWS,
                                &v))
        {
            job->live->stat.bad++;
            continue;
        }

        job->load->news(job->load, &v.news);
    }

    load = job->load;
    wsc_free(&ngx_ws_chat_alloc, job);

    if (load != NULL) {
        load->data = NULL;
        load->err = (r && r->type == REDIS_REPLY_ARRAY)
                    ? WSC_ERR_NONE : WSC_ERR_UNAVAILABLE;
        load->done(load);
    }
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

    if (chat != NULL && wsc_str_same(&chat->chat_id, &news->name)) {
        ngx_ws_chat_live_each(chat, ngx_ws_chat_live_tell_one, news);
    }
}


static void
ngx_ws_chat_live_tell_one(ngx_ws_chat_attach_t *a, const void *data)
{
    a->ops->news(a, data);
}


void
ngx_ws_chat_live_missed(ngx_ws_chat_live_chat_t *chat)
{
    ngx_ws_chat_live_each(chat, ngx_ws_chat_live_missed_one, NULL);
}


static void
ngx_ws_chat_live_missed_one(ngx_ws_chat_attach_t *a, const void *data)
{
    a->ops->missed(a);
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

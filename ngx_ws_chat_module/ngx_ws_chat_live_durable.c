
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_live_durable.h"
#include "ngx_ws_chat_kafka.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_stat.h"
#include "core/wsc_event.h"
#include "core/wsc_progress.h"
#include "core/wsc_record.h"


#define NGX_WS_CHAT_LIVE_UNKNOWN  10000        /* ms without a report */
#define NGX_WS_CHAT_LIVE_AFRESH   1000         /* ms, told to senders */


/* A record on its way; the producer has it until its report has come. */

struct ngx_ws_chat_live_letter_s {
    ngx_ws_chat_kafka_job_t       job;         /* must be first */
    ngx_queue_t                   queue;       /* by age, while it waits */
    ngx_ws_chat_live_t           *live;
    void                        (*told)(void *data, wsc_err_e err);
    void                         *data;        /* NULL: called off, answered */
    ngx_msec_t                    deadline;
};


/* For all records of a live zone; outlives them. */

struct ngx_ws_chat_live_recorder_s {
    ngx_ws_chat_kafka_job_t       job;         /* must be first */
    ngx_ws_chat_zone_t           *zone;
};


static void ngx_ws_chat_live_reported(ngx_ws_chat_kafka_job_t *job,
    ngx_int_t rc);
static void ngx_ws_chat_live_settle(ngx_ws_chat_live_letter_t *letter,
    wsc_err_e err);
static void ngx_ws_chat_live_told(void *data, wsc_err_e err);
static void ngx_ws_chat_live_record_send(ngx_ws_chat_live_t *l,
    const wsc_str_t *chat_id, const wsc_buf_t *value,
    ngx_ws_chat_kafka_record_t *r);
static void ngx_ws_chat_live_recorded(ngx_ws_chat_kafka_job_t *job,
    ngx_int_t rc);


void
ngx_ws_chat_live_post(ngx_ws_chat_publish_t *p)
{
    wsc_buf_t                   *b;
    wsc_err_e                    err;
    ngx_ws_chat_live_t          *l;
    ngx_ws_chat_kafka_record_t   r;

    l = p->zone->data;
    p->data = NULL;

    if (l->refused || l->exiting) {
        ngx_ws_chat_live_told(p, WSC_ERR_UNAVAILABLE);
        return;
    }

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_record_message(b, p->zone->kafka->format, &p->chat_id, &p->entry);

    r.topic = p->zone->kafka;
    r.key = p->chat_id;
    r.value = b;
    r.nheaders = 0;

    if (p->retry) {
        r.headers[r.nheaders].name = WSC_RECORD_RETRY;
        r.headers[r.nheaders++].value = 1;
    }

    p->data = ngx_ws_chat_live_letter(l, &r, ngx_ws_chat_live_told, p, &err);

    if (p->data == NULL) {
        ngx_ws_chat_live_told(p, err);
    }
}


ngx_ws_chat_live_letter_t *
ngx_ws_chat_live_letter(ngx_ws_chat_live_t *l,
    const ngx_ws_chat_kafka_record_t *r,
    void (*told)(void *data, wsc_err_e err), void *data, wsc_err_e *err)
{
    ngx_int_t                   rc;
    ngx_ws_chat_live_letter_t  *letter;

    letter = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_live_letter_t));

    rc = letter ? ngx_ws_chat_kafka_send(r, &letter->job) : NGX_ERROR;

    if (rc != NGX_OK) {
        wsc_free(&ngx_ws_chat_alloc, letter);

        *err = (rc == NGX_DECLINED) ? WSC_ERR_UNAVAILABLE
               : (rc == NGX_ABORT) ? WSC_ERR_BAD_REQUEST
               : WSC_ERR_OVERLOADED;
        return NULL;
    }

    letter->job.done = ngx_ws_chat_live_reported;
    letter->live = l;
    letter->told = told;
    letter->data = data;
    letter->deadline = ngx_current_msec + NGX_WS_CHAT_LIVE_UNKNOWN;

    ngx_queue_insert_tail(&l->letters, &letter->queue);
    l->stat.pending++;

    return letter;
}


static void
ngx_ws_chat_live_reported(ngx_ws_chat_kafka_job_t *job, ngx_int_t rc)
{
    ngx_ws_chat_live_letter_t  *letter;

    letter = (ngx_ws_chat_live_letter_t *) job;

    if (letter->data) {
        ngx_ws_chat_live_settle(letter, (rc == NGX_OK) ? WSC_ERR_NONE
                                        : (rc == NGX_DECLINED)
                                        ? WSC_ERR_UNAVAILABLE
                                        : (rc == NGX_ABORT)
                                        ? WSC_ERR_BAD_REQUEST
                                        : WSC_ERR_UNKNOWN);
    }

    wsc_free(&ngx_ws_chat_alloc, letter);
}


void
ngx_ws_chat_live_cancel_post(ngx_ws_chat_publish_t *p)
{
    if (p->placing) {
        ngx_ws_chat_live_cancel_await(p);

    } else {
        ngx_ws_chat_live_call_off(p->data);
    }
}


void
ngx_ws_chat_live_call_off(ngx_ws_chat_live_letter_t *letter)
{
    letter->data = NULL;
    ngx_queue_remove(&letter->queue);
    letter->live->stat.pending--;
}


void
ngx_ws_chat_live_post_expire(ngx_ws_chat_live_t *l, ngx_uint_t all)
{
    ngx_queue_t                *q;
    ngx_ws_chat_live_letter_t  *letter;

    /* who is told may call off others: each time from the start */

    while (!ngx_queue_empty(&l->letters)) {
        q = ngx_queue_head(&l->letters);
        letter = ngx_queue_data(q, ngx_ws_chat_live_letter_t, queue);

        if (!all
            && (ngx_msec_int_t) (letter->deadline - ngx_current_msec) > 0)
        {
            return;
        }

        ngx_ws_chat_live_settle(letter, WSC_ERR_UNKNOWN);
    }
}


static void
ngx_ws_chat_live_settle(ngx_ws_chat_live_letter_t *letter, wsc_err_e err)
{
    void  *data;

    data = letter->data;

    ngx_ws_chat_live_call_off(letter);
    letter->told(data, err);
}


/*
 * Where it is the relay decides, which drops repetitions: members hear of it
 * by the message, senders of a repetition by `settled`.
 */

static void
ngx_ws_chat_live_told(void *data, wsc_err_e err)
{
    ngx_ws_chat_publish_t *p = data;

    p->err = err;
    p->known = 0;
    p->dup = 0;
    p->retry_ms = wsc_err_temporary(err)
                  ? NGX_WS_CHAT_LIVE_AFRESH
                    + ngx_random() % NGX_WS_CHAT_LIVE_AFRESH
                  : 0;

    if (err == WSC_ERR_NONE && p->place
        && ngx_ws_chat_live_await(p) == NGX_OK)
    {
        return;
    }

    p->done(p);
}


/* heads */

ngx_int_t
ngx_ws_chat_live_ask_end(ngx_ws_chat_live_t *l, ngx_ws_chat_redis_t *rc,
    const wsc_str_t *chat_id, ngx_ws_chat_redis_reply_pt reply, void *data)
{
    ngx_ws_chat_live_cmd_t  *c;

    c = ngx_ws_chat_live_cmd("MGET");
    ngx_ws_chat_live_progress(c, ngx_ws_chat_live_shard(l, chat_id));
    ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_HEAD, chat_id);

    return ngx_ws_chat_live_send(c, rc, reply, data);
}


ngx_int_t
ngx_ws_chat_live_ends(const redisReply *r, wsc_pos_t *end)
{
    wsc_str_t       s;
    wsc_dedupe_t    head;
    wsc_progress_t  progress;

    ngx_memzero(end, sizeof(wsc_pos_t));

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2
        || ngx_ws_chat_live_reply_str(r->element[0], &s) == NULL
        || wsc_progress_parse(&s, &progress) != WSC_OK
        || progress.next < progress.goal)
    {
        return NGX_AGAIN;
    }

    if (ngx_ws_chat_live_reply_str(r->element[1], &s)
        && wsc_dedupe_parse(&s, &head) == WSC_OK)
    {
        *end = head.pos;
        return NGX_OK;
    }

    /* Redis was empty once: there may be older ones, none behind the floor */

    if (progress.floor) {
        end->epoch = progress.epoch;
        end->seq = progress.floor;
    }

    return NGX_OK;
}


/* a live zone's messages */

ngx_int_t
ngx_ws_chat_live_recorder_init(ngx_ws_chat_live_t *l, ngx_pool_t *pool)
{
    l->recorder = ngx_palloc(pool, sizeof(ngx_ws_chat_live_recorder_t));
    if (l->recorder == NULL) {
        return NGX_ERROR;
    }

    l->recorder->job.done = ngx_ws_chat_live_recorded;
    l->recorder->zone = l->zone;

    return NGX_OK;
}


void
ngx_ws_chat_live_record(ngx_ws_chat_live_t *l, const wsc_str_t *chat_id,
    const wsc_buf_t *value, wsc_pos_t pos, const wsc_pos_t *first)
{
    wsc_pos_t                    prev;
    ngx_ws_chat_kafka_header_t  *h;
    ngx_ws_chat_kafka_record_t   r;

    h = r.headers;
    h[0].name = WSC_RECORD_EPOCH;
    h[0].value = pos.epoch;
    h[1].name = WSC_RECORD_SEQ;
    h[1].value = pos.seq;
    r.nheaders = 2;

    if (wsc_stream_prev(pos, &prev) == WSC_OK) {
        first = &prev;
    }

    if (first) {
        h[2].name = WSC_RECORD_PREV_EPOCH;
        h[2].value = first->epoch;
        h[3].name = WSC_RECORD_PREV_SEQ;
        h[3].value = first->seq;
        r.nheaders = 4;
    }

    ngx_ws_chat_live_record_send(l, chat_id, value, &r);
}


void
ngx_ws_chat_live_record_change(ngx_ws_chat_live_t *l,
    const wsc_str_t *chat_id, const wsc_buf_t *value)
{
    ngx_ws_chat_kafka_record_t  r;

    r.nheaders = 0;

    ngx_ws_chat_live_record_send(l, chat_id, value, &r);
}


static void
ngx_ws_chat_live_record_send(ngx_ws_chat_live_t *l, const wsc_str_t *chat_id,
    const wsc_buf_t *value, ngx_ws_chat_kafka_record_t *r)
{
    r->topic = l->zone->kafka;
    r->key = *chat_id;
    r->value = value;

    if (ngx_ws_chat_kafka_send(r, &l->recorder->job) != NGX_OK) {
        l->zone->stat->counters.unrecorded++;
    }
}


static void
ngx_ws_chat_live_recorded(ngx_ws_chat_kafka_job_t *job, ngx_int_t rc)
{
    ngx_ws_chat_live_recorder_t  *recorder;

    recorder = (ngx_ws_chat_live_recorder_t *) job;

    if (rc != NGX_OK) {
        recorder->zone->stat->counters.unrecorded++;
    }
}


/* what is no message */

void
ngx_ws_chat_live_record_marks(ngx_ws_chat_live_t *l, const wsc_news_t *news)
{
    u_char                       key[WSC_RECORD_MARK_KEY];
    size_t                       i;
    uint64_t                     now;
    wsc_buf_t                   *b;
    ngx_ws_chat_kafka_record_t   r;

    if (l->zone->kafka == NULL || l->zone->kafka->marks == NULL) {
        return;
    }

    now = ngx_ws_chat_now();
    b = &ngx_ws_chat_scratch.event;

    for (i = 0; i < news->count; i++) {

        if (news->notes[i].n[1] == 0) {
            /* Redis keeps it no more */
            continue;
        }

        wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
        wsc_record_mark(b, l->zone->kafka->format, &news->name,
                        &news->notes[i], now);

        r.topic = l->zone->kafka->marks;
        r.key.data = key;
        r.key.len = wsc_record_mark_key(key, &news->name, &news->notes[i]);
        r.value = b;
        r.nheaders = 0;

        (void) ngx_ws_chat_kafka_send(&r, NULL);
    }
}

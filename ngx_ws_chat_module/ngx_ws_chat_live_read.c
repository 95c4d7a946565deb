
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * History and resume, from the stream: its end, then the range that was asked
 * for and one more.  What is older than the limits allow is left out: the
 * entry behind it shows by its prev that something was there.
 *
 *     HLEN u   XREVRANGE s   XRANGE s ..           if nothing was changed, all
 */


#include "ngx_ws_chat_live_archive.h"
#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_live_durable.h"
#include "ngx_ws_chat_live_lay.h"
#include "ngx_ws_chat_now.h"


static void ngx_ws_chat_live_read_inc(ngx_ws_chat_live_job_t *job);
static void ngx_ws_chat_live_read_on_inc(void *data, const redisReply *reply);
static void ngx_ws_chat_live_read_ask(ngx_ws_chat_live_job_t *job);
static ngx_int_t ngx_ws_chat_live_read_ask_head(ngx_ws_chat_live_job_t *job,
    ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_read_upper(ngx_ws_chat_live_cmd_t *c,
    const ngx_ws_chat_read_t *r);
static ngx_int_t ngx_ws_chat_live_read_range_words(
    ngx_ws_chat_live_job_t *job, ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_live_read_count(void *data, const redisReply *reply);
static void ngx_ws_chat_live_read_arrived(ngx_ws_chat_live_job_t *job);
static void ngx_ws_chat_live_read_head(void *data, const redisReply *reply);
static void ngx_ws_chat_live_read_range(void *data, const redisReply *reply);
static ngx_int_t ngx_ws_chat_live_read_take(ngx_ws_chat_live_job_t *job,
    const redisReply *reply, wsc_entry_t *entries);
static ngx_uint_t ngx_ws_chat_live_read_short(ngx_ws_chat_read_t *r);
static void ngx_ws_chat_live_read_further(ngx_ws_chat_live_job_t *job);
static void ngx_ws_chat_live_read_page(void *data, wsc_page_t *page);
static void ngx_ws_chat_live_read_laid(ngx_ws_chat_live_job_t *job,
    ngx_int_t rc);
static void ngx_ws_chat_live_read_done(ngx_ws_chat_live_job_t *job,
    wsc_err_e err);


void
ngx_ws_chat_live_read(ngx_ws_chat_read_t *r)
{
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_job_t  *job;

    l = r->zone->data;
    job = NULL;

    r->entries = NULL;
    r->n = 0;
    r->more = 0;
    r->young = 0;
    r->behind = 0;
    r->changed = NULL;
    r->nchanged = 0;
    r->overrun = 0;
    r->data = NULL;
    ngx_memzero(&r->chat, sizeof(wsc_shmlog_chat_t));

    if (l->refused == 0
        && ngx_ws_chat_redis_is_up(ngx_ws_chat_live_command_for(l,
                                                             &r->chat_id)))
    {
        job = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_live_job_t));
    }

    if (job == NULL) {
        r->err = WSC_ERR_UNAVAILABLE;
        r->done(r);
        return;
    }

    ngx_memzero(job, sizeof(ngx_ws_chat_live_job_t));

    job->live = l;
    job->r = r;
    job->after = r->after;
    job->laid = ngx_ws_chat_live_read_laid;

    r->data = job;
    ngx_queue_insert_tail(&l->reads, &job->queue);

    if (l->zone->durable) {
        /* the first message of all says so itself */
        r->young = 1;

    } else if (r->has_after && r->after.seq == 0) {
        ngx_ws_chat_live_read_inc(job);
        return;
    }

    ngx_ws_chat_live_read_ask(job);
}


void
ngx_ws_chat_live_cancel_read(ngx_ws_chat_read_t *r)
{
    ngx_ws_chat_live_job_t  *job;

    job = r->data;

    if (job != NULL) {
        job->r = NULL;
        r->data = NULL;
    }
}


/*
 * The caller joined before the first message.  Whether all since then is still
 * there shows only as long as nothing is old enough to have expired.
 */

static void
ngx_ws_chat_live_read_inc(ngx_ws_chat_live_job_t *job)
{
    ngx_ws_chat_live_cmd_t    *c;
    ngx_ws_chat_live_shard_t  *shard;

    shard = ngx_ws_chat_live_shard(job->live, &job->r->chat_id);

    c = ngx_ws_chat_live_cmd("GET");
    ngx_ws_chat_live_inc(c, shard);

    if (ngx_ws_chat_live_send(c, shard->node->command,
                              ngx_ws_chat_live_read_on_inc, job)
        != NGX_OK)
    {
        ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
    }
}


static void
ngx_ws_chat_live_read_on_inc(void *data, const redisReply *reply)
{
    ngx_ws_chat_live_job_t *job = data;

    wsc_str_t            value;
    wsc_inc_t            inc;
    ngx_ws_chat_read_t  *r;

    r = job->r;

    if (r == NULL || reply == NULL) {
        ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    if (ngx_ws_chat_live_reply_str(reply, &value)
        && value.len >= WSC_REPLID_LEN
        && wsc_inc_decide(&value, value.data, 0, 0, &inc) == WSC_OK)
    {
        r->young = (r->limits.age == 0
                    || inc.epoch + r->limits.age > ngx_ws_chat_now());
    }

    ngx_ws_chat_live_read_ask(job);
}


static void
ngx_ws_chat_live_read_ask(ngx_ws_chat_live_job_t *job)
{
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_read_t      *r;
    ngx_ws_chat_redis_t     *rc;
    ngx_ws_chat_live_cmd_t  *c;

    l = job->live;
    r = job->r;
    rc = ngx_ws_chat_live_command_for(l, &r->chat_id);

    c = ngx_ws_chat_live_cmd("HLEN");
    ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_CHANGES, &r->chat_id);

    if (ngx_ws_chat_live_send(c, rc, ngx_ws_chat_live_read_count, job)
        != NGX_OK)
    {
        ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    job->flight = 1;
    job->asked = 0;

    if (ngx_ws_chat_live_read_ask_head(job, rc) == NGX_OK) {
        job->flight++;

        if (ngx_ws_chat_live_read_range_words(job, rc) == NGX_OK) {
            job->asked = 1;
            return;
        }
    }

    /* the last of the replies ends it */

    ngx_ws_chat_redis_break(rc, "out of memory");
}


static ngx_int_t
ngx_ws_chat_live_read_range_words(ngx_ws_chat_live_job_t *job,
    ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_read_t      *r;
    ngx_ws_chat_live_cmd_t  *c;

    r = job->r;

    c = ngx_ws_chat_live_cmd(r->has_after ? "XRANGE" : "XREVRANGE");
    ngx_ws_chat_live_key(c, job->live, NGX_WS_CHAT_LIVE_STREAM, &r->chat_id);

    if (r->has_after) {
        ngx_ws_chat_live_id(c, job->after, 1);
    }

    ngx_ws_chat_live_read_upper(c, r);

    if (!r->has_after) {
        ngx_ws_chat_live_word(c, "-");
    }

    ngx_ws_chat_live_word(c, "COUNT");
    ngx_ws_chat_live_num(c, r->limit + 1);

    return ngx_ws_chat_live_send(c, rc, ngx_ws_chat_live_read_range, job);
}


static ngx_int_t
ngx_ws_chat_live_read_ask_head(ngx_ws_chat_live_job_t *job,
    ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_cmd_t  *c;

    l = job->live;

    if (l->zone->durable) {
        return ngx_ws_chat_live_ask_end(l, rc, &job->r->chat_id,
                                        ngx_ws_chat_live_read_head, job);
    }

    c = ngx_ws_chat_live_cmd("XREVRANGE");
    ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_STREAM, &job->r->chat_id);
    ngx_ws_chat_live_word(c, "+");
    ngx_ws_chat_live_word(c, "-");
    ngx_ws_chat_live_word(c, "COUNT");
    ngx_ws_chat_live_word(c, "1");

    return ngx_ws_chat_live_send(c, rc, ngx_ws_chat_live_read_head, job);
}


static void
ngx_ws_chat_live_read_upper(ngx_ws_chat_live_cmd_t *c,
    const ngx_ws_chat_read_t *r)
{
    u_char  *p, buf[32];

    if (r->has_after || !r->has_before
        || (r->upto.seq && wsc_pos_cmp(r->before, r->upto) > 0))
    {
        if (r->upto.seq == 0) {
            ngx_ws_chat_live_word(c, "+");
            return;
        }

        ngx_ws_chat_live_id(c, r->upto, 0);
        return;
    }

    if (r->before.seq) {
        ngx_ws_chat_live_id(c, r->before, 1);
        return;
    }

    /* before an epoch; Redis knows nothing before 0-1 */

    p = ngx_sprintf(buf, "(%uL-%ui", r->before.epoch,
                    (ngx_uint_t) (r->before.epoch == 0));
    ngx_ws_chat_live_text(c, buf, p - buf);
}


static void
ngx_ws_chat_live_read_count(void *data, const redisReply *reply)
{
    ngx_ws_chat_live_job_t *job = data;

    if (reply && reply->type == REDIS_REPLY_INTEGER) {
        job->changed = (reply->integer != 0);

    } else {
        (void) ngx_ws_chat_live_later(job->live, reply);
        job->failed = 1;
    }

    ngx_ws_chat_live_read_arrived(job);
}


static void
ngx_ws_chat_live_read_head(void *data, const redisReply *reply)
{
    ngx_ws_chat_live_job_t *job = data;

    if (reply != NULL && job->live->zone->durable) {
        job->behind = (ngx_ws_chat_live_ends(reply, &job->head) != NGX_OK);

    } else if (reply != NULL) {
        job->head = ngx_ws_chat_live_reply_head(reply);
    }

    ngx_ws_chat_live_read_arrived(job);
}


/* A reply before that of the range, which may never have been asked for. */

static void
ngx_ws_chat_live_read_arrived(ngx_ws_chat_live_job_t *job)
{
    if (--job->flight == 0 && !job->asked) {
        ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
    }
}


static void
ngx_ws_chat_live_read_range(void *data, const redisReply *reply)
{
    ngx_ws_chat_live_job_t *job = data;

    ngx_int_t            rc;
    wsc_entry_t         *entries;
    ngx_ws_chat_read_t  *r;

    r = job->r;

    (void) ngx_ws_chat_live_later(job->live, reply);

    if (r && reply && job->behind && !job->failed
        && ngx_ws_chat_live_archive_is(job->live->zone))
    {
        ngx_ws_chat_live_read_further(job);
        return;
    }

    if (r == NULL || job->behind || job->failed
        || reply == NULL || reply->type != REDIS_REPLY_ARRAY)
    {
        ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    entries = NULL;

    if (reply->elements) {
        entries = wsc_alloc(&ngx_ws_chat_alloc,
                            reply->elements * sizeof(wsc_entry_t));

        if (entries == NULL) {
            ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
            return;
        }
    }

    rc = ngx_ws_chat_live_read_take(job, reply, entries);

    r->chat.head = job->head;

    if (rc == NGX_AGAIN) {
        ngx_ws_chat_live_read_ask(job);

    } else if (!job->vain && ngx_ws_chat_live_archive_is(job->live->zone)
               && ngx_ws_chat_live_read_short(r))
    {
        ngx_ws_chat_live_read_further(job);

    } else if (job->changed) {
        ngx_ws_chat_live_lay(job);

    } else {
        ngx_ws_chat_live_read_done(job, WSC_ERR_NONE);
    }

    wsc_free(&ngx_ws_chat_alloc, entries);
}


/* Does Redis keep too little for an answer?  Then the archive has it. */

static ngx_uint_t
ngx_ws_chat_live_read_short(ngx_ws_chat_read_t *r)
{
    wsc_pos_t  end;

    if (r->has_after) {
        end = r->upto.seq ? r->upto : r->chat.head;

        return r->n ? wsc_pos_cmp(r->entries[0].prev, r->after) > 0
                    : wsc_pos_cmp(r->after, end) < 0;
    }

    if (r->n == 0) {
        return r->chat.head.seq != 0;
    }

    if (r->entries[0].prev.seq) {
        /* the next question is about those */
        r->more = 1;
    }

    return 0;
}


static void
ngx_ws_chat_live_read_further(ngx_ws_chat_live_job_t *job)
{
    ngx_ws_chat_read_t  *r;

    r = job->r;

    r->entries = NULL;
    r->n = 0;
    r->more = 0;

    job->live->stat.archived++;

    if (ngx_ws_chat_live_archive(r, ngx_ws_chat_live_read_page, job)
        != NGX_OK)
    {
        ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
    }
}


static void
ngx_ws_chat_live_read_page(void *data, wsc_page_t *page)
{
    ngx_ws_chat_live_job_t *job = data;

    wsc_pos_t            end;
    ngx_ws_chat_read_t  *r;

    r = job->r;

    if (r == NULL || page == NULL) {
        ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    if (job->behind) {
        /* what is archived is what can be told meanwhile */
        r->behind = 1;
        r->chat.head = r->upto.seq ? r->upto : page->complete_to;
        job->head = r->chat.head;
    }

    end = r->upto.seq ? r->upto : job->head;
    r->more = page->more;

    while (page->n && wsc_pos_cmp(page->entries[page->n - 1].pos, end) > 0) {
        page->n--;
        r->more &= !r->has_after;
    }

    if (r->has_after && page->n == 0 && !job->live->zone->durable) {
        /* what it has not got, or not yet: Redis knows what is behind it */
        job->vain = 1;
        job->after = r->after;
        ngx_ws_chat_live_read_ask(job);
        return;
    }

    r->entries = page->entries;
    r->n = page->n;

    if (r->has_after && r->n
        && wsc_pos_cmp(r->entries[r->n - 1].pos, end) < 0)
    {
        r->more = 1;
    }

    if (!r->has_after && r->has_before && wsc_pos_cmp(r->before, end) <= 0) {
        end = r->before;
        end.seq -= (end.seq != 0);
    }

    if (job->live->zone->durable && (r->n == 0 || !r->has_after)
        && wsc_pos_cmp(page->complete_to, end) < 0)
    {
        /* the archive has not come so far yet */
        ngx_ws_chat_live_read_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    job->archived = 1;
    job->complete_to = page->complete_to;
    ngx_ws_chat_live_lay(job);
}


static void
ngx_ws_chat_live_read_laid(ngx_ws_chat_live_job_t *job, ngx_int_t rc)
{
    if (rc == NGX_AGAIN) {
        job->after = job->r->after;
        ngx_ws_chat_live_read_ask(job);
        return;
    }

    ngx_ws_chat_live_read_done(job, (rc == NGX_OK) ? WSC_ERR_NONE
                                                   : WSC_ERR_UNAVAILABLE);
}


/* Fills the answer; NGX_AGAIN: all of it was too old, behind it is more. */

static ngx_int_t
ngx_ws_chat_live_read_take(ngx_ws_chat_live_job_t *job,
    const redisReply *reply, wsc_entry_t *entries)
{
    size_t               i, size;
    wsc_entry_t          e, *first, *last;
    ngx_ws_chat_read_t  *r;

    r = job->r;
    size = 0;

    /* from the bound that counts: ascending, or from the end descending */

    first = r->has_after ? entries : entries + reply->elements;
    last = first;

    for (i = 0; i < reply->elements; i++) {

        if (ngx_ws_chat_live_reply_entry(job->live, reply->element[i], &e)
            != NGX_OK)
        {
            continue;
        }

        job->after = e.pos;

        if (ngx_ws_chat_live_old(&r->limits, e.timestamp)) {
            if (r->has_after) {
                continue;
            }

            break;
        }

        size += e.sender.len + e.cid.len + e.message.data.len;

        if ((ngx_uint_t) (last - first) == r->limit
            || (last != first && r->max_bytes && size > r->max_bytes))
        {
            r->more = 1;
            break;
        }

        if (r->has_after) {
            *last++ = e;

        } else {
            *--first = e;
        }
    }

    r->entries = first;
    r->n = last - first;

    if (r->n == 0 && r->has_after && reply->elements > r->limit) {
        return NGX_AGAIN;
    }

    return NGX_OK;
}


static void
ngx_ws_chat_live_read_done(ngx_ws_chat_live_job_t *job, wsc_err_e err)
{
    wsc_entry_t         *page;
    ngx_ws_chat_read_t  *r;

    r = job->r;
    page = job->page;

    ngx_queue_remove(&job->queue);
    wsc_free(&ngx_ws_chat_alloc, job);

    if (r != NULL) {
        r->data = NULL;
        r->err = err;

        r->done(r);
    }

    wsc_free(&ngx_ws_chat_alloc, page);
}

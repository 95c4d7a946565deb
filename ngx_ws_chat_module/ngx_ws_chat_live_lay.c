
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What became of a page that was read: what is in the hash of changes is laid
 * over it.
 *
 *     MULTI   HMGET u ID..   XRANGE s   EXEC
 *
 * or HVALS for a resume, which is told of changes before its page as well.
 * Changes of what the stream drops are dropped as well, perhaps before they
 * were asked for: what is before its first entry by now is not shown.  Where
 * the page is the archive's, it is asked instead how far the relay is.
 */


#include "ngx_ws_chat_live_archive.h"
#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_live_lay.h"
#include "core/wsc_progress.h"


#define NGX_WS_CHAT_LIVE_CHANGED       500             /* that a resume is */
#define NGX_WS_CHAT_LIVE_CHANGED_SIZE  (256 * 1024)    /* told of */


/* 1: r also asks for what was changed before its entries. */

#define ngx_ws_chat_live_lay_tells(r)  ((r)->changes && (r)->has_after)


static ngx_int_t ngx_ws_chat_live_lay_keep(ngx_ws_chat_live_job_t *job);
static u_char *ngx_ws_chat_live_lay_octets(u_char *p, wsc_str_t *s);
static ngx_int_t ngx_ws_chat_live_lay_words(ngx_ws_chat_live_job_t *job,
    ngx_ws_chat_redis_t *rc);
static ngx_ws_chat_live_cmd_t *ngx_ws_chat_live_lay_cmd(ngx_ws_chat_live_t *l,
    const ngx_ws_chat_read_t *r);
static void ngx_ws_chat_live_lay_on_queued(void *data,
    const redisReply *reply);
static void ngx_ws_chat_live_lay_on_exec(void *data, const redisReply *reply);
static ngx_uint_t ngx_ws_chat_live_lay_newer(const ngx_ws_chat_live_job_t *job,
    const redisReply *reply);
static ngx_int_t ngx_ws_chat_live_lay_over(ngx_ws_chat_live_job_t *job,
    const redisReply *reply, ngx_uint_t newer);
static wsc_entry_t *ngx_ws_chat_live_lay_find(const ngx_ws_chat_read_t *r,
    wsc_pos_t pos);
static ngx_int_t ngx_ws_chat_live_lay_changed(ngx_ws_chat_read_t *r,
    const wsc_change_t *c, size_t *size);
static int ngx_libc_cdecl ngx_ws_chat_live_lay_cmp(const void *one,
    const void *two);
static ngx_int_t ngx_ws_chat_live_lay_drop(ngx_ws_chat_live_job_t *job,
    const redisReply *reply);


void
ngx_ws_chat_live_lay(ngx_ws_chat_live_job_t *job)
{
    ngx_ws_chat_read_t   *r;
    ngx_ws_chat_redis_t  *rc;

    r = job->r;

    if (r->n == 0 && !ngx_ws_chat_live_lay_tells(r)) {
        job->laid(job, NGX_OK);
        return;
    }

    rc = ngx_ws_chat_live_command_for(job->live, &r->chat_id);

    if (ngx_ws_chat_live_lay_keep(job) != NGX_OK
        || ngx_ws_chat_live_send(ngx_ws_chat_live_cmd("MULTI"), rc, NULL, NULL)
           != NGX_OK)
    {
        job->laid(job, NGX_ERROR);
        return;
    }

    if (ngx_ws_chat_live_lay_words(job, rc) != NGX_OK) {
        ngx_ws_chat_redis_break(rc, "out of memory");
        job->laid(job, NGX_ERROR);
    }
}


/* Entries first, then their octets. */

static ngx_int_t
ngx_ws_chat_live_lay_keep(ngx_ws_chat_live_job_t *job)
{
    u_char              *p;
    size_t               size;
    ngx_uint_t           i;
    wsc_entry_t         *e;
    ngx_ws_chat_read_t  *r;

    r = job->r;

    if (r->n == 0) {
        return NGX_OK;
    }

    size = r->n * sizeof(wsc_entry_t);

    for (i = 0; i < r->n; i++) {
        e = &r->entries[i];
        size += e->sender.len + e->cid.len + e->message.data.len;
    }

    job->page = wsc_alloc(&ngx_ws_chat_alloc, size);
    if (job->page == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(job->page, r->entries, r->n * sizeof(wsc_entry_t));
    r->entries = job->page;

    for (i = 0; i < r->n; i++) {
        e = &r->entries[i];
        p = ngx_ws_chat_live_lay_octets(p, &e->sender);
        p = ngx_ws_chat_live_lay_octets(p, &e->cid);
        p = ngx_ws_chat_live_lay_octets(p, &e->message.data);
    }

    return NGX_OK;
}


static u_char *
ngx_ws_chat_live_lay_octets(u_char *p, wsc_str_t *s)
{
    u_char  *last;

    last = ngx_cpymem(p, s->data, s->len);
    s->data = p;

    return last;
}


static ngx_int_t
ngx_ws_chat_live_lay_words(ngx_ws_chat_live_job_t *job,
    ngx_ws_chat_redis_t *rc)
{
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_cmd_t  *c;

    l = job->live;
    c = ngx_ws_chat_live_lay_cmd(l, job->r);

    if (ngx_ws_chat_live_send(c, rc, ngx_ws_chat_live_lay_on_queued, l)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (job->archived) {
        c = ngx_ws_chat_live_cmd("GET");
        ngx_ws_chat_live_progress(c, ngx_ws_chat_live_shard(l,
                                                         &job->r->chat_id));

    } else {
        c = ngx_ws_chat_live_cmd("XRANGE");
        ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_STREAM, &job->r->chat_id);
        ngx_ws_chat_live_word(c, "-");
        ngx_ws_chat_live_word(c, "+");
        ngx_ws_chat_live_word(c, "COUNT");
        ngx_ws_chat_live_word(c, "1");
    }

    if (ngx_ws_chat_live_send(c, rc, ngx_ws_chat_live_lay_on_queued, l)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_ws_chat_live_send(ngx_ws_chat_live_cmd("EXEC"), rc,
                                 ngx_ws_chat_live_lay_on_exec, job);
}


static ngx_ws_chat_live_cmd_t *
ngx_ws_chat_live_lay_cmd(ngx_ws_chat_live_t *l, const ngx_ws_chat_read_t *r)
{
    u_char                   buf[WSC_ID_LEN];
    ngx_uint_t               i;
    ngx_ws_chat_live_cmd_t  *c;

    if (ngx_ws_chat_live_lay_tells(r)) {
        c = ngx_ws_chat_live_cmd("HVALS");
        ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_CHANGES, &r->chat_id);
        return c;
    }

    c = ngx_ws_chat_live_cmd("HMGET");
    ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_CHANGES, &r->chat_id);

    for (i = 0; i < r->n; i++) {
        ngx_ws_chat_live_text(c, buf,
                              wsc_stream_id_print(buf, r->entries[i].pos));
    }

    return c;
}


static void
ngx_ws_chat_live_lay_on_queued(void *data, const redisReply *reply)
{
    (void) ngx_ws_chat_live_later(data, reply);
}


static void
ngx_ws_chat_live_lay_on_exec(void *data, const redisReply *reply)
{
    ngx_ws_chat_live_job_t *job = data;

    ngx_int_t            rc;
    wsc_entry_t         *changed;
    ngx_ws_chat_read_t  *r;

    r = job->r;

    if (r == NULL || reply == NULL || reply->type != REDIS_REPLY_ARRAY
        || reply->elements != 2)
    {
        job->laid(job, NGX_ERROR);
        return;
    }

    rc = ngx_ws_chat_live_lay_over(job, reply->element[0],
                                   ngx_ws_chat_live_lay_newer(job,
                                                        reply->element[1]));
    changed = r->changed;

    if (rc == NGX_OK && !job->archived) {
        rc = ngx_ws_chat_live_lay_drop(job, reply->element[1]);
    }

    job->laid(job, rc);

    wsc_free(&ngx_ws_chat_alloc, changed);
}


/*
 * In a durable chat relay and archive go by the same log: the page has all
 * that is in Redis if the relay is not beyond what the archive said before it
 * read the page.
 */

static ngx_uint_t
ngx_ws_chat_live_lay_newer(const ngx_ws_chat_live_job_t *job,
    const redisReply *reply)
{
    wsc_pos_t       pos;
    wsc_str_t       s;
    wsc_progress_t  progress;

    if (!job->archived || !job->live->zone->durable) {
        return 1;
    }

    if (ngx_ws_chat_live_reply_str(reply, &s) == NULL
        || wsc_progress_parse(&s, &progress) != WSC_OK)
    {
        return 0;
    }

    pos.epoch = progress.epoch;
    pos.seq = progress.next;

    return wsc_pos_cmp(pos, job->complete_to) > 0;
}


/* In a page of the archive behind a retraction comes nothing. */

static ngx_int_t
ngx_ws_chat_live_lay_over(ngx_ws_chat_live_job_t *job,
    const redisReply *reply, ngx_uint_t newer)
{
    size_t               i, size;
    wsc_str_t            s;
    wsc_entry_t         *e;
    wsc_envelope_t       v;
    ngx_ws_chat_read_t  *r;

    r = job->r;
    size = 0;

    if (reply->type != REDIS_REPLY_ARRAY) {
        return NGX_ERROR;
    }

    for (i = 0; i < reply->elements; i++) {

        if (ngx_ws_chat_live_reply_str(reply->element[i], &s) == NULL) {
            continue;
        }

        if (!wsc_envelope_is(&ngx_ws_chat_alloc, &s, WSC_ENVELOPE_CHANGE,
                             &v))
        {
            job->live->stat.bad++;
            continue;
        }

        e = ngx_ws_chat_live_lay_find(r, v.change.pos);

        if (e == NULL) {

            if (ngx_ws_chat_live_lay_changed(r, &v.change, &size) != NGX_OK) {
                return NGX_ERROR;
            }

        } else if (newer && !e->retracted) {
            ngx_ws_chat_live_over_entry(&v.change, e);
        }
    }

    if (r->nchanged) {
        ngx_qsort(r->changed, r->nchanged, sizeof(wsc_entry_t),
                  ngx_ws_chat_live_lay_cmp);
    }

    return NGX_OK;
}


static wsc_entry_t *
ngx_ws_chat_live_lay_find(const ngx_ws_chat_read_t *r, wsc_pos_t pos)
{
    wsc_entry_t  key;

    key.pos = pos;

    return r->n ? bsearch(&key, r->entries, r->n, sizeof(wsc_entry_t),
                          ngx_ws_chat_live_lay_cmp)
                : NULL;
}


/* One more that a resume is told of, as long as they are not too many. */

static ngx_int_t
ngx_ws_chat_live_lay_changed(ngx_ws_chat_read_t *r, const wsc_change_t *c,
    size_t *size)
{
    wsc_entry_t  *e;

    if (r->overrun || !ngx_ws_chat_live_lay_tells(r)
        || wsc_pos_cmp(c->pos, r->after) > 0
        || !ngx_ws_chat_live_over_since(c, r->after))
    {
        return NGX_OK;
    }

    *size += c->message.data.len;

    if (r->nchanged == NGX_WS_CHAT_LIVE_CHANGED
        || *size > NGX_WS_CHAT_LIVE_CHANGED_SIZE)
    {
        r->overrun = 1;
        r->nchanged = 0;
        return NGX_OK;
    }

    if (r->changed == NULL) {
        r->changed = wsc_alloc(&ngx_ws_chat_alloc, NGX_WS_CHAT_LIVE_CHANGED
                                                   * sizeof(wsc_entry_t));
        if (r->changed == NULL) {
            return NGX_ERROR;
        }
    }

    e = &r->changed[r->nchanged++];
    ngx_memzero(e, sizeof(wsc_entry_t));
    ngx_ws_chat_live_over_entry(c, e);

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_ws_chat_live_lay_cmp(const void *one, const void *two)
{
    return wsc_pos_cmp(((const wsc_entry_t *) one)->pos,
                       ((const wsc_entry_t *) two)->pos);
}


/* What is not in the stream any more; NGX_AGAIN: that is all of the page. */

static ngx_int_t
ngx_ws_chat_live_lay_drop(ngx_ws_chat_live_job_t *job, const redisReply *reply)
{
    wsc_pos_t            first;
    ngx_uint_t           n;
    ngx_ws_chat_read_t  *r;

    r = job->r;

    if (reply->type != REDIS_REPLY_ARRAY) {
        return NGX_ERROR;
    }

    first = ngx_ws_chat_live_reply_head(reply);

    for (n = 0; n < r->n; n++) {
        if (first.seq && wsc_pos_cmp(r->entries[n].pos, first) >= 0) {
            break;
        }
    }

    if (n == 0) {
        return NGX_OK;
    }

    r->entries += n;
    r->n -= n;

    if (r->n) {
        r->more |= (!r->has_after
                    && ngx_ws_chat_live_archive_is(job->live->zone));
        return NGX_OK;
    }

    wsc_free(&ngx_ws_chat_alloc, job->page);

    job->page = NULL;
    r->more = 0;
    r->changed = NULL;
    r->nchanged = 0;
    r->overrun = 0;

    return NGX_AGAIN;
}

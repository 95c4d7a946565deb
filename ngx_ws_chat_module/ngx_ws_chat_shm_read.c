
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What is read from a zone's shared memory, and changed in it.
 */


#include "ngx_ws_chat_shm.h"
#include "ngx_ws_chat_now.h"
#include "core/wsc_shmlog_change.h"


#define NGX_WS_CHAT_SHM_CHANGED  500          /* that a resume is told of */
#define NGX_WS_CHAT_SHM_CHANGED_SIZE  (256 * 1024)    /* ... at most */
#define NGX_WS_CHAT_SHM_UPDATES  64           /* handed over at a time */
#define NGX_WS_CHAT_SHM_SLICE    4096         /* chunks looked at a lock */
#define NGX_WS_CHAT_SHM_RETRY    1000         /* ms, told to senders */


/* An erase under way: chunk by chunk, until a whole round finds nothing. */

typedef struct {
    ngx_event_t                 event;
    ngx_ws_chat_erase_t        *erase;
    uint32_t                    chunk;
    ngx_uint_t                  found;        /* in this round */
} ngx_ws_chat_shm_erase_t;


static ngx_int_t ngx_ws_chat_shm_read_locked(ngx_ws_chat_shm_t *shm,
    ngx_ws_chat_read_t *r, wsc_buf_t *b, wsc_buf_t *changed);
static ngx_int_t ngx_ws_chat_shm_read_changed(ngx_ws_chat_shm_t *shm,
    uint32_t chat, ngx_ws_chat_read_t *r, wsc_buf_t *b);
static wsc_entry_t *ngx_ws_chat_shm_copy_each(ngx_ws_chat_shm_t *shm,
    const uint32_t *at, ngx_uint_t n, wsc_buf_t *b);
static wsc_err_e ngx_ws_chat_shm_change_locked(ngx_ws_chat_shm_t *shm,
    ngx_ws_chat_change_t *c, uint32_t chat);
static void ngx_ws_chat_shm_erase_handler(ngx_event_t *ev);
static ssize_t ngx_ws_chat_shm_erase_some(ngx_ws_chat_shm_t *shm,
    ngx_ws_chat_shm_erase_t *job, uint64_t *mask);


void
ngx_ws_chat_shm_read(ngx_ws_chat_read_t *r)
{
    ngx_int_t           rc;
    wsc_buf_t           b, changed;
    ngx_ws_chat_shm_t  *shm;

    shm = r->zone->data;

    r->entries = NULL;
    r->n = 0;
    r->more = 0;
    r->changed = NULL;
    r->nchanged = 0;
    r->overrun = 0;
    ngx_memzero(&r->chat, sizeof(wsc_shmlog_chat_t));

    wsc_buf_init(&changed, &ngx_ws_chat_alloc);
    ngx_ws_chat_shm_take(&b);
    ngx_ws_chat_shm_lock(shm);

    rc = ngx_ws_chat_shm_read_locked(shm, r, &b, &changed);

    ngx_ws_chat_shm_unlock(shm);

    r->err = (rc == NGX_OK) ? WSC_ERR_NONE : WSC_ERR_UNAVAILABLE;

    r->done(r);

    ngx_ws_chat_shm_give(&b);
    wsc_buf_free(&changed);
}


static ngx_int_t
ngx_ws_chat_shm_read_locked(ngx_ws_chat_shm_t *shm, ngx_ws_chat_read_t *r,
    wsc_buf_t *b, wsc_buf_t *changed)
{
    uint32_t               chat;
    ngx_ws_chat_shm_run_t  run;

    chat = wsc_shmlog_find(&shm->log, &r->chat_id);

    if (chat == 0) {
        return NGX_OK;
    }

    wsc_shmlog_stat_chat(&shm->log, chat, ngx_ws_chat_now(),
                         &r->limits, &r->chat);

    if (r->has_after) {
        ngx_ws_chat_shm_after(shm, chat, r, &run);

    } else {
        ngx_ws_chat_shm_before(shm, chat, r, &run);
    }

    r->more = run.more;

    if (r->changes && r->has_after && r->chat.rev
        && ngx_ws_chat_shm_read_changed(shm, chat, r, changed) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (run.n == 0) {
        return NGX_OK;
    }

    r->entries = ngx_ws_chat_shm_copy(shm, &run, b);
    if (r->entries == NULL) {
        return NGX_ERROR;
    }

    r->n = run.n;

    return NGX_OK;
}


/*
 * Who had seen the message at `after` was told of what was changed before
 * that; a change when it was the head may have come later.
 */

static ngx_int_t
ngx_ws_chat_shm_read_changed(ngx_ws_chat_shm_t *shm, uint32_t chat,
    ngx_ws_chat_read_t *r, wsc_buf_t *b)
{
    size_t              size;
    uint32_t            at[NGX_WS_CHAT_SHM_CHANGED + 1];
    uint64_t            rev;
    ngx_uint_t          i, n;
    wsc_shmlog_since_t  since;

    size = 0;
    since.rev = 0;
    since.since = r->after.seq;
    since.upto = r->after.seq;

    if (r->after.epoch != r->chat.head.epoch) {
        return NGX_OK;
    }

    n = wsc_shmlog_changed(&shm->log, chat, &since, at,
                           NGX_WS_CHAT_SHM_CHANGED + 1, &rev);

    for (i = 0; i < n; i++) {
        size += wsc_shmlog_size(&shm->log, at[i]);
    }

    r->overrun = (n > NGX_WS_CHAT_SHM_CHANGED
                  || size > NGX_WS_CHAT_SHM_CHANGED_SIZE);

    if (n == 0 || r->overrun) {
        return NGX_OK;
    }

    r->changed = ngx_ws_chat_shm_copy_each(shm, at, n, b);
    r->nchanged = n;

    return r->changed ? NGX_OK : NGX_ERROR;
}


/* Copies entries to the buffer: first these, then their octets. */

static wsc_entry_t *
ngx_ws_chat_shm_copy_each(ngx_ws_chat_shm_t *shm, const uint32_t *at,
    ngx_uint_t n, wsc_buf_t *b)
{
    u_char       *p;
    size_t        size;
    ngx_uint_t    i;
    wsc_entry_t  *entries;

    size = n * sizeof(wsc_entry_t);

    for (i = 0; i < n; i++) {
        size += wsc_shmlog_size(&shm->log, at[i]);
    }

    p = wsc_buf_reserve(b, size);
    if (p == NULL) {
        return NULL;
    }

    entries = (wsc_entry_t *) p;
    p += n * sizeof(wsc_entry_t);

    for (i = 0; i < n; i++) {
        wsc_shmlog_copy(&shm->log, at[i], &entries[i], p);
        p += wsc_shmlog_size(&shm->log, at[i]);
    }

    return entries;
}


ngx_int_t
ngx_ws_chat_shm_update(ngx_ws_chat_attach_t *a)
{
    uint32_t             at[NGX_WS_CHAT_SHM_UPDATES];
    uint64_t             rev;
    wsc_buf_t            b;
    ngx_uint_t           n;
    wsc_entry_t         *entries;
    ngx_ws_chat_shm_t   *shm;
    wsc_shmlog_since_t   since;

    shm = a->zone->data;
    entries = NULL;

    since.rev = a->rev;
    since.since = 0;
    since.upto = a->seen.seq;

    ngx_ws_chat_shm_take(&b);
    ngx_ws_chat_shm_lock(shm);

    n = wsc_shmlog_changed(&shm->log, a->chat, &since, at,
                           NGX_WS_CHAT_SHM_UPDATES, &rev);
    if (n) {
        entries = ngx_ws_chat_shm_copy_each(shm, at, n, &b);
    }

    ngx_ws_chat_shm_unlock(shm);

    if (n == 0 || entries != NULL) {
        a->rev = rev;
        a->changed = 1;
    }

    if (entries != NULL) {
        a->ops->update(a, entries, n);
    }

    ngx_ws_chat_shm_give(&b);

    return (n == 0 || entries != NULL) ? NGX_OK : NGX_ERROR;
}


/* changes */

void
ngx_ws_chat_shm_change(ngx_ws_chat_change_t *c)
{
    uint32_t            chat;
    uint64_t            mask[WSC_SHMLOG_SLOTS / 64];
    ngx_ws_chat_shm_t  *shm;

    shm = c->zone->data;
    c->err = WSC_ERR_NOT_FOUND;
    c->dup = 0;

    ngx_ws_chat_shm_lock(shm);

    chat = wsc_shmlog_find(&shm->log, &c->chat_id);

    if (chat) {
        c->err = ngx_ws_chat_shm_change_locked(shm, c, chat);
        ngx_memcpy(mask, wsc_shmlog_mask(&shm->log, chat), sizeof(mask));
    }

    ngx_ws_chat_shm_unlock(shm);

    if (c->err == WSC_ERR_NONE) {
        ngx_ws_chat_shm_wake(mask);
    }

    c->retry_ms = (c->err == WSC_ERR_UNAVAILABLE) ? NGX_WS_CHAT_SHM_RETRY : 0;

    c->done(c);
}


static wsc_err_e
ngx_ws_chat_shm_change_locked(ngx_ws_chat_shm_t *shm, ngx_ws_chat_change_t *c,
    uint32_t chat)
{
    ssize_t              rc;
    uint32_t             at;
    uint64_t             now;
    wsc_shmlog_chat_t    state;
    wsc_shmlog_limits_t  limits;

    now = ngx_ws_chat_now();
    limits = c->limits;

    if (limits.bytes == 0 || limits.bytes > shm->quarter) {
        limits.bytes = shm->quarter;
    }

    /* what is too old is not there any more */

    wsc_shmlog_stat_chat(&shm->log, chat, now, &limits, &state);

    at = wsc_shmlog_entry(&shm->log, chat, c->change.pos);

    if (at == 0) {
        return WSC_ERR_NOT_FOUND;
    }

    if (!c->any && !wsc_shmlog_is_from(&shm->log, at, &c->change.by)) {
        return WSC_ERR_FORBIDDEN;
    }

    if (c->change.retracted) {
        c->dup = (wsc_shmlog_retract(&shm->log, at) == WSC_DONE);
        return WSC_ERR_NONE;
    }

    rc = wsc_shmlog_edit(&shm->log, chat, c->change.pos, &c->change.message,
                         &limits, now);

    return (rc == WSC_OK) ? WSC_ERR_NONE
           : (rc == WSC_DECLINED) ? WSC_ERR_NOT_FOUND : WSC_ERR_UNAVAILABLE;
}


void
ngx_ws_chat_shm_cancel_change(ngx_ws_chat_change_t *c)
{
    /* it was answered at once */
}


void
ngx_ws_chat_shm_erase(ngx_ws_chat_erase_t *e)
{
    ngx_ws_chat_shm_erase_t  *job;

    e->n = 0;

    job = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_shm_erase_t));

    if (job == NULL) {
        e->err = WSC_ERR_UNAVAILABLE;
        e->done(e);
        return;
    }

    ngx_memzero(job, sizeof(ngx_ws_chat_shm_erase_t));

    job->erase = e;
    job->event.handler = ngx_ws_chat_shm_erase_handler;
    job->event.data = job;
    job->event.log = ngx_cycle->log;
    e->data = job;

    ngx_post_event(&job->event, &ngx_posted_next_events);
}


void
ngx_ws_chat_shm_cancel_erase(ngx_ws_chat_erase_t *e)
{
    ngx_ws_chat_shm_erase_t  *job;

    job = e->data;

    if (job != NULL) {
        ngx_delete_posted_event(&job->event);
        wsc_free(&ngx_ws_chat_alloc, job);
        e->data = NULL;
    }
}


/* A slice a turn, so that others get the lock and this worker its events. */

static void
ngx_ws_chat_shm_erase_handler(ngx_event_t *ev)
{
    ssize_t                   rc;
    uint64_t                  mask[WSC_SHMLOG_SLOTS / 64];
    ngx_ws_chat_shm_t        *shm;
    ngx_ws_chat_erase_t      *e;
    ngx_ws_chat_shm_erase_t  *job;

    job = ev->data;
    e = job->erase;
    shm = e->zone->data;

    ngx_memzero(mask, sizeof(mask));
    ngx_ws_chat_shm_lock(shm);

    rc = ngx_ws_chat_shm_erase_some(shm, job, mask);

    ngx_ws_chat_shm_unlock(shm);
    ngx_ws_chat_shm_wake(mask);

    if (rc == WSC_DONE && job->found) {
        /* what was edited meanwhile may have come to lie before this */
        job->chunk = 0;
        job->found = 0;
        rc = WSC_AGAIN;
    }

    if (rc != WSC_DONE) {
        ngx_post_event(ev, &ngx_posted_next_events);
        return;
    }

    wsc_free(&ngx_ws_chat_alloc, job);

    e->data = NULL;
    e->err = WSC_ERR_NONE;
    e->done(e);
}


static ssize_t
ngx_ws_chat_shm_erase_some(ngx_ws_chat_shm_t *shm,
    ngx_ws_chat_shm_erase_t *job, uint64_t *mask)
{
    ssize_t          rc;
    uint32_t         chat, end;
    ngx_uint_t       i;
    const uint64_t  *listens;

    end = job->chunk + NGX_WS_CHAT_SHM_SLICE;

    do {
        rc = wsc_shmlog_sent(&shm->log, &job->erase->user, &job->chunk,
                             end - job->chunk, &chat);

        if (rc == WSC_OK) {
            (void) wsc_shmlog_retract(&shm->log, job->chunk);

            job->found++;
            job->erase->n++;
            listens = wsc_shmlog_mask(&shm->log, chat);

            for (i = 0; i < WSC_SHMLOG_SLOTS / 64; i++) {
                mask[i] |= listens[i];
            }
        }

    } while (rc == WSC_OK);

    return rc;
}

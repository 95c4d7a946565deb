
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_shm.h"
#include "ngx_ws_chat_bus.h"


#define NGX_WS_CHAT_SHM_RING      16          /* this part of a zone ... */
#define NGX_WS_CHAT_SHM_RING_MAX  (1024 * 1024)       /* ... but no more */
#define NGX_WS_CHAT_SHM_KEEP      8           /* this part of a zone */


static ngx_int_t ngx_ws_chat_shm_format(ngx_ws_chat_shm_t *shm,
    ngx_log_t *log);
static ngx_int_t ngx_ws_chat_shm_format_news(ngx_ws_chat_shm_t *shm);


/* Three lives: fresh, kept over a reload (data), mapped already (exists). */

ngx_int_t
ngx_ws_chat_shm_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_ws_chat_shm_t  *shm;

    shm = shm_zone->data;
    shm->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (data == NULL && !shm_zone->shm.exists) {
        if (ngx_ws_chat_shm_format(shm, shm_zone->shm.log) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    shm->root = shm->shpool->data;
    shm->quarter = shm->root->size / 4;

    shm->ring = wsc_shmring_open(shm->root->ring);
    shm->keep = wsc_shmkeep_open(shm->root->keep);

    if (shm->ring == NULL || shm->keep == NULL
        || wsc_shmlog_open(&shm->log, shm->root->area) != WSC_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "ws_chat_zone \"%V\" holds something else",
                      &shm->zone->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* The slab pool is used here only: it could not be repaired later. */

static ngx_int_t
ngx_ws_chat_shm_format(ngx_ws_chat_shm_t *shm, ngx_log_t *log)
{
    void                    *area;
    ngx_uint_t               n;
    wsc_shmlog_t             l;
    ngx_slab_pool_t         *shpool;
    ngx_ws_chat_shm_root_t  *root;

    shpool = shm->shpool;
    shpool->log_nomem = 0;

    root = ngx_slab_calloc(shpool, sizeof(ngx_ws_chat_shm_root_t));
    if (root == NULL) {
        return NGX_ERROR;
    }

    shpool->data = root;
    area = NULL;

    if (ngx_ws_chat_shm_format_news(shm) != NGX_OK) {
        return NGX_ERROR;
    }

    for (n = shpool->pfree; n > 0; n--) {
        area = ngx_slab_alloc(shpool, n * ngx_pagesize);
        if (area != NULL) {
            break;
        }
    }

    if (area == NULL
        || wsc_shmlog_init(&l, area, n * ngx_pagesize) != WSC_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "ws_chat_zone \"%V\" is too "
                      "small", &shm->zone->name);
        return NGX_ERROR;
    }

    root->area = area;
    root->size = n * ngx_pagesize;

    return NGX_OK;
}


/* The ring, and what is kept. */

static ngx_int_t
ngx_ws_chat_shm_format_news(ngx_ws_chat_shm_t *shm)
{
    size_t                   size, ring, keep;
    ngx_ws_chat_shm_root_t  *root;

    root = shm->shpool->data;
    size = shm->shpool->end - (u_char *) root;

    ring = ngx_align(size / NGX_WS_CHAT_SHM_RING, ngx_pagesize);
    ring = ngx_min(ring, NGX_WS_CHAT_SHM_RING_MAX);
    keep = ngx_align(size / NGX_WS_CHAT_SHM_KEEP, ngx_pagesize);

    root->ring = ngx_slab_alloc(shm->shpool, ring);
    root->keep = ngx_slab_alloc(shm->shpool, keep);

    if (root->ring == NULL || wsc_shmring_init(root->ring, ring) == NULL
        || root->keep == NULL || wsc_shmkeep_init(root->keep, keep) == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * The pid in `dirty` outlives its process if it is killed inside, whereas the
 * mutex is then unlocked by the master: who comes next repairs.
 */

void
ngx_ws_chat_shm_lock(ngx_ws_chat_shm_t *shm)
{
    ngx_shmtx_lock(&shm->shpool->mutex);

    if (shm->root->dirty) {
        shm->died = shm->root->dirty;
        wsc_shmlog_repair(&shm->log);
        wsc_shmkeep_repair(shm->keep);
    }

    shm->root->dirty = ngx_pid;
    ngx_memory_barrier();
}


void
ngx_ws_chat_shm_unlock(ngx_ws_chat_shm_t *shm)
{
    ngx_atomic_uint_t  died;

    ngx_memory_barrier();
    shm->root->dirty = 0;
    ngx_memory_barrier();

    ngx_shmtx_unlock(&shm->shpool->mutex);

    died = shm->died;

    if (died == 0) {
        return;
    }

    shm->died = 0;

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "ws_chat_zone \"%V\" was repaired: process %P died while "
                  "it changed it", &shm->zone->name, (ngx_pid_t) died);

    ngx_ws_chat_bus_wake_all();
}


/* Finds the first entries behind r->after. */

void
ngx_ws_chat_shm_after(ngx_ws_chat_shm_t *shm, uint32_t chat,
    const ngx_ws_chat_read_t *r, ngx_ws_chat_shm_run_t *run)
{
    size_t     size, found;
    ssize_t    rc;
    uint32_t   at;
    wsc_pos_t  pos, next;

    ngx_memzero(run, sizeof(ngx_ws_chat_shm_run_t));

    at = 0;
    found = 0;

    while (wsc_shmlog_back(&shm->log, chat, NULL, &at, &pos, &size) == WSC_OK
           && wsc_pos_cmp(pos, r->after) > 0)
    {
        run->at = at;
        next = pos;
        found = size;
    }

    if (run->at == 0) {
        return;
    }

    at = run->at;
    pos = next;
    size = found;
    rc = WSC_OK;

    while (rc == WSC_OK) {

        if (r->upto.seq && wsc_pos_cmp(pos, r->upto) > 0) {
            return;
        }

        if (run->n == r->limit
            || (run->n && run->size + size > r->max_bytes))
        {
            run->more = 1;
            return;
        }

        run->n++;
        run->size += size;

        rc = wsc_shmlog_forward(&shm->log, &at, &pos, &size);
    }
}


/* Finds the last entries before r->before and up to r->upto. */

void
ngx_ws_chat_shm_before(ngx_ws_chat_shm_t *shm, uint32_t chat,
    const ngx_ws_chat_read_t *r, ngx_ws_chat_shm_run_t *run)
{
    size_t            size;
    uint32_t          at;
    wsc_pos_t         pos, end;
    const wsc_pos_t  *before;

    ngx_memzero(run, sizeof(ngx_ws_chat_shm_run_t));

    before = r->has_before ? &r->before : NULL;

    if (r->upto.seq) {
        end = r->upto;
        end.seq++;

        if (before == NULL || wsc_pos_cmp(end, *before) < 0) {
            before = &end;
        }
    }

    at = 0;

    while (wsc_shmlog_back(&shm->log, chat, before, &at, &pos, &size)
           == WSC_OK)
    {
        if (run->n == r->limit
            || (run->n && run->size + size > r->max_bytes))
        {
            run->more = 1;
            return;
        }

        run->at = at;
        run->n++;
        run->size += size;
    }
}


/* Copies a run to the buffer: the entries, then their octets. */

wsc_entry_t *
ngx_ws_chat_shm_copy(ngx_ws_chat_shm_t *shm,
    const ngx_ws_chat_shm_run_t *run, wsc_buf_t *b)
{
    u_char       *p;
    size_t        size;
    uint32_t      at;
    wsc_pos_t     pos;
    ngx_uint_t    i;
    wsc_entry_t  *entries;

    size = run->n * sizeof(wsc_entry_t);

    p = wsc_buf_reserve(b, size + run->size);
    if (p == NULL) {
        return NULL;
    }

    entries = (wsc_entry_t *) p;
    at = run->at;
    p += size;

    for (i = 0; i < run->n; i++) {
        wsc_shmlog_copy(&shm->log, at, &entries[i], p);

        p += entries[i].sender.len + entries[i].cid.len
             + entries[i].message.data.len;

        (void) wsc_shmlog_forward(&shm->log, &at, &pos, &size);
    }

    return entries;
}


/*
 * The buffer is away while its contents are in use: who is called with them
 * may read again.
 */

void
ngx_ws_chat_shm_take(wsc_buf_t *b)
{
    *b = ngx_ws_chat_scratch.entry;

    wsc_buf_init(&ngx_ws_chat_scratch.entry, &ngx_ws_chat_alloc);
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
}


void
ngx_ws_chat_shm_give(wsc_buf_t *b)
{
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

    if (ngx_ws_chat_scratch.entry.data != NULL) {
        wsc_buf_free(b);
        return;
    }

    ngx_ws_chat_scratch.entry = *b;
}

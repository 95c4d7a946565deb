
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Calls are answered at once.  Messages are delivered when the worker is
 * woken, which it is by its own as well as by the others.
 */


#include "ngx_ws_chat_store_shm.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_shm.h"
#include "core/wsc_shmlog_change.h"


#define NGX_WS_CHAT_SHM_BUCKETS     64      /* to start with */
#define NGX_WS_CHAT_SHM_BATCH       64      /* messages a deliver() */
#define NGX_WS_CHAT_SHM_BATCH_SIZE  (256 * 1024)
#define NGX_WS_CHAT_SHM_BATCHES     4       /* a chat and turn */
#define NGX_WS_CHAT_SHM_RETRY       1000    /* ms, told to senders */
#define NGX_WS_CHAT_SHM_PAUSE       100     /* ms, when memory is short */


static void ngx_ws_chat_store_shm_publish(ngx_ws_chat_publish_t *p);

static void ngx_ws_chat_store_shm_attach(ngx_ws_chat_attach_t *a);
static void ngx_ws_chat_store_shm_detach(ngx_ws_chat_attach_t *a);
static void ngx_ws_chat_store_shm_grow(ngx_ws_chat_shm_t *shm);
static ngx_queue_t *ngx_ws_chat_store_shm_buckets(ngx_uint_t n);
static void ngx_ws_chat_store_shm_cancel_publish(ngx_ws_chat_publish_t *p);
static void ngx_ws_chat_store_shm_cancel_read(ngx_ws_chat_read_t *r);

static void ngx_ws_chat_store_shm_cancel_load(ngx_ws_chat_load_t *l);

static void ngx_ws_chat_store_shm_look(ngx_ws_chat_shm_t *shm);
static void ngx_ws_chat_store_shm_turn(void);
static void ngx_ws_chat_store_shm_serve(ngx_ws_chat_attach_t *a);
static ngx_int_t ngx_ws_chat_store_shm_update(ngx_ws_chat_attach_t *a);
static ngx_int_t ngx_ws_chat_store_shm_deliver(ngx_ws_chat_attach_t *a);
static void ngx_ws_chat_store_shm_again(ngx_event_t *ev);

static ngx_int_t ngx_ws_chat_store_shm_init_process(ngx_ws_chat_zone_t *z,
    ngx_cycle_t *cycle);
static void ngx_ws_chat_store_shm_exit_process(ngx_ws_chat_zone_t *z,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_chat_store_shm_health(ngx_ws_chat_zone_t *z,
    const char **reason);


const ngx_ws_chat_store_t  ngx_ws_chat_store_shm = {
    "embedded",
    ngx_ws_chat_store_shm_publish,
    ngx_ws_chat_shm_read,
    ngx_ws_chat_store_shm_attach,
    ngx_ws_chat_store_shm_detach,
    ngx_ws_chat_store_shm_cancel_publish,
    ngx_ws_chat_store_shm_cancel_read,
    ngx_ws_chat_shm_change,
    ngx_ws_chat_shm_cancel_change,
    ngx_ws_chat_shm_erase,
    ngx_ws_chat_shm_cancel_erase,
    ngx_ws_chat_shm_emit,
    ngx_ws_chat_shm_load,
    ngx_ws_chat_store_shm_cancel_load,
    ngx_ws_chat_store_shm_init_process,
    ngx_ws_chat_store_shm_exit_process,
    ngx_ws_chat_store_shm_health,
    NULL
};


/* of this worker */

static ngx_queue_t            ngx_ws_chat_shm_zones = {
    &ngx_ws_chat_shm_zones, &ngx_ws_chat_shm_zones
};

/* attached with something to deliver in this turn */
static ngx_queue_t            ngx_ws_chat_shm_turn;

/* who is being served; NULL once it was detached meanwhile */
static ngx_ws_chat_attach_t  *ngx_ws_chat_shm_current;

static ngx_event_t            ngx_ws_chat_shm_event;


ngx_int_t
ngx_ws_chat_store_shm_create(ngx_conf_t *cf, ngx_ws_chat_zone_t *z,
    size_t size)
{
    ngx_str_t           name;
    ngx_shm_zone_t     *shm_zone;
    ngx_ws_chat_shm_t  *shm;

    /* other modules may have zones of that name */

    name.len = sizeof("ws_chat:") - 1 + z->name.len;
    name.data = ngx_pnalloc(cf->pool, name.len + 1);
    shm = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_shm_t));

    if (name.data == NULL || shm == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(name.data, "ws_chat:%V%Z", &z->name);

    shm_zone = ngx_shared_memory_add(cf, &name, size, &ngx_ws_chat_module);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    shm_zone->init = ngx_ws_chat_shm_init_zone;
    shm_zone->data = shm;

    shm->zone = z;

    z->shm_zone = shm_zone;
    z->data = shm;

    return NGX_OK;
}


/* publish */

static void
ngx_ws_chat_store_shm_publish(ngx_ws_chat_publish_t *p)
{
    ssize_t              rc;
    uint32_t             chat;
    uint64_t             mask[WSC_SHMLOG_SLOTS / 64];
    ngx_ws_chat_shm_t   *shm;
    wsc_shmlog_limits_t  limits;

    shm = p->zone->data;
    limits = p->limits;
    rc = WSC_ERROR;

    if (limits.bytes == 0 || limits.bytes > shm->quarter) {
        limits.bytes = shm->quarter;
    }

    ngx_ws_chat_shm_lock(shm);

    chat = wsc_shmlog_make(&shm->log, &p->chat_id, ngx_ws_chat_now());
    if (chat) {
        rc = wsc_shmlog_append(&shm->log, chat, &p->entry, &limits);
        ngx_memcpy(mask, wsc_shmlog_mask(&shm->log, chat), sizeof(mask));
    }

    ngx_ws_chat_shm_unlock(shm);

    if (rc == WSC_OK) {
        ngx_ws_chat_shm_wake(mask);
    }

    p->err = (rc == WSC_ERROR) ? WSC_ERR_UNAVAILABLE : WSC_ERR_NONE;
    p->retry_ms = (rc == WSC_ERROR) ? NGX_WS_CHAT_SHM_RETRY : 0;
    p->dup = (rc == WSC_DECLINED);
    p->known = (rc != WSC_ERROR);

    p->done(p);
}


static void
ngx_ws_chat_store_shm_cancel_publish(ngx_ws_chat_publish_t *p)
{
    /* it was answered at once */
}


static void
ngx_ws_chat_store_shm_cancel_read(ngx_ws_chat_read_t *r)
{
    /* it was answered at once */
}


static void
ngx_ws_chat_store_shm_cancel_load(ngx_ws_chat_load_t *l)
{
    /* it was answered at once */
}


/* attach */

static void
ngx_ws_chat_store_shm_attach(ngx_ws_chat_attach_t *a)
{
    uint32_t             chat;
    ngx_uint_t           slot;
    wsc_shmlog_chat_t    state;
    ngx_ws_chat_shm_t   *shm;
    wsc_shmlog_limits_t  none;

    shm = a->zone->data;
    chat = 0;
    slot = ngx_ws_chat_bus_slot();

    if (slot != NGX_WS_CHAT_SLOTS) {
        ngx_memzero(&none, sizeof(wsc_shmlog_limits_t));

        ngx_ws_chat_shm_lock(shm);

        chat = wsc_shmlog_make(&shm->log, &a->chat_id, ngx_ws_chat_now());
        if (chat) {
            wsc_shmlog_interest(&shm->log, chat, slot, 1);
            wsc_shmlog_stat_chat(&shm->log, chat, 0, &none, &state);
            a->since = wsc_shmring_end(shm->ring);
        }

        ngx_ws_chat_shm_unlock(shm);
    }

    if (chat == 0) {
        a->err = WSC_ERR_UNAVAILABLE;
        a->ops->done(a);
        return;
    }

    ngx_ws_chat_store_shm_grow(shm);
    ngx_queue_insert_tail(&shm->buckets[chat & shm->mask], &a->queue);
    shm->attached++;

    a->err = WSC_ERR_NONE;
    a->chat = chat;
    a->head = state.head;
    a->seen = state.head;
    a->queued = 0;
    a->lapped = 0;
    a->rev = state.rev;
    a->changed = (state.rev != 0);
    a->attached = 1;

    a->ops->done(a);
}


static void
ngx_ws_chat_store_shm_detach(ngx_ws_chat_attach_t *a)
{
    ngx_queue_t           *q, *bucket;
    ngx_ws_chat_shm_t     *shm;
    ngx_ws_chat_attach_t  *other;

    if (!a->attached) {
        return;
    }

    shm = a->zone->data;

    ngx_queue_remove(&a->queue);
    shm->attached--;
    a->attached = 0;

    if (a->queued) {
        ngx_queue_remove(&a->ready);
        a->queued = 0;
    }

    if (ngx_ws_chat_shm_current == a) {
        ngx_ws_chat_shm_current = NULL;
    }

    bucket = &shm->buckets[a->chat & shm->mask];

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_ws_chat_attach_t, queue);

        if (other->chat == a->chat) {
            return;
        }
    }

    ngx_ws_chat_shm_lock(shm);
    wsc_shmlog_interest(&shm->log, a->chat, ngx_ws_chat_bus_slot(), 0);
    ngx_ws_chat_shm_unlock(shm);
}


/* Doubles the hash table when it is full; without memory it gets slower. */

static void
ngx_ws_chat_store_shm_grow(ngx_ws_chat_shm_t *shm)
{
    ngx_uint_t             i, n;
    ngx_queue_t           *q, *buckets;
    ngx_ws_chat_attach_t  *a;

    if (shm->attached <= shm->mask) {
        return;
    }

    n = 2 * (shm->mask + 1);

    buckets = ngx_ws_chat_store_shm_buckets(n);
    if (buckets == NULL) {
        return;
    }

    for (i = 0; i <= shm->mask; i++) {
        while (!ngx_queue_empty(&shm->buckets[i])) {
            q = ngx_queue_head(&shm->buckets[i]);
            a = ngx_queue_data(q, ngx_ws_chat_attach_t, queue);

            ngx_queue_remove(q);
            ngx_queue_insert_tail(&buckets[a->chat & (n - 1)], q);
        }
    }

    wsc_free(&ngx_ws_chat_alloc, shm->buckets);

    shm->buckets = buckets;
    shm->mask = n - 1;
}


static ngx_queue_t *
ngx_ws_chat_store_shm_buckets(ngx_uint_t n)
{
    ngx_uint_t    i;
    ngx_queue_t  *buckets;

    buckets = wsc_alloc(&ngx_ws_chat_alloc, n * sizeof(ngx_queue_t));

    for (i = 0; buckets != NULL && i < n; i++) {
        ngx_queue_init(&buckets[i]);
    }

    return buckets;
}


/* delivery */

void
ngx_ws_chat_store_shm_wake(void)
{
    ngx_uint_t          more;
    ngx_queue_t        *q;
    ngx_ws_chat_shm_t  *shm;

    more = 0;

    for (q = ngx_queue_head(&ngx_ws_chat_shm_zones);
         q != ngx_queue_sentinel(&ngx_ws_chat_shm_zones);
         q = ngx_queue_next(q))
    {
        shm = ngx_queue_data(q, ngx_ws_chat_shm_t, queue);
        ngx_ws_chat_store_shm_look(shm);
    }

    ngx_ws_chat_store_shm_turn();

    for (q = ngx_queue_head(&ngx_ws_chat_shm_zones);
         q != ngx_queue_sentinel(&ngx_ws_chat_shm_zones);
         q = ngx_queue_next(q))
    {
        shm = ngx_queue_data(q, ngx_ws_chat_shm_t, queue);

        if (ngx_ws_chat_shm_hear(shm) == NGX_AGAIN) {
            more = 1;
        }
    }

    if ((more || !ngx_queue_empty(&ngx_ws_chat_shm_ready))
        && !ngx_ws_chat_shm_event.timer_set)
    {
        ngx_post_event(&ngx_ws_chat_shm_event, &ngx_posted_next_events);
    }
}


/* Serves those that are listed. */

static void
ngx_ws_chat_store_shm_turn(void)
{
    ngx_queue_t           *q;
    ngx_ws_chat_attach_t  *a;

    if (ngx_queue_empty(&ngx_ws_chat_shm_ready)) {
        return;
    }

    /* who has more left enters the next turn */

    ngx_queue_init(&ngx_ws_chat_shm_turn);
    ngx_queue_add(&ngx_ws_chat_shm_turn, &ngx_ws_chat_shm_ready);
    ngx_queue_init(&ngx_ws_chat_shm_ready);

    while (!ngx_queue_empty(&ngx_ws_chat_shm_turn)) {
        q = ngx_queue_head(&ngx_ws_chat_shm_turn);
        a = ngx_queue_data(q, ngx_ws_chat_attach_t, ready);

        ngx_queue_remove(q);
        a->queued = 0;

        ngx_ws_chat_store_shm_serve(a);
    }
}


static void
ngx_ws_chat_store_shm_again(ngx_event_t *ev)
{
    ngx_ws_chat_store_shm_wake();
}


/* Reads the notice board. */

static void
ngx_ws_chat_store_shm_look(ngx_ws_chat_shm_t *shm)
{
    ssize_t     rc;
    uint32_t    chat;
    ngx_uint_t  all;

    all = 0;

    ngx_ws_chat_shm_lock(shm);

    do {
        rc = wsc_shmlog_notice(&shm->log, &shm->cursor, &chat);

        if (rc == WSC_OK) {
            ngx_ws_chat_shm_mark(&shm->buckets[chat & shm->mask], chat);

        } else if (rc == WSC_DECLINED) {
            all = 1;
        }

    } while (rc != WSC_DONE);

    ngx_ws_chat_shm_unlock(shm);

    if (all) {
        ngx_ws_chat_shm_mark_all(shm, 0);
    }
}


/* The deliver() of an attach may detach any of them, and publish. */

static void
ngx_ws_chat_store_shm_serve(ngx_ws_chat_attach_t *a)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_ws_chat_shm_t  *shm;

    rc = NGX_OK;
    shm = a->zone->data;
    ngx_ws_chat_shm_current = a;

    if (a->lapped) {
        a->lapped = 0;

        a->ops->missed(a);

        if (ngx_ws_chat_shm_current != a) {
            return;
        }
    }

    for (i = 0; rc == NGX_OK && i < NGX_WS_CHAT_SHM_BATCHES; i++) {
        rc = (wsc_shmlog_rev(&shm->log, a->chat) != a->rev)
             ? ngx_ws_chat_store_shm_update(a)
             : ngx_ws_chat_store_shm_deliver(a);
    }

    ngx_ws_chat_shm_current = NULL;

    if (rc == NGX_DONE || rc == NGX_ABORT || a->queued) {
        return;
    }

    ngx_queue_insert_tail(&ngx_ws_chat_shm_ready, &a->ready);
    a->queued = 1;

    if (rc == NGX_ERROR) {
        ngx_add_timer(&ngx_ws_chat_shm_event, NGX_WS_CHAT_SHM_PAUSE);
    }
}


/* Hands over what was changed, as deliver() below. */

static ngx_int_t
ngx_ws_chat_store_shm_update(ngx_ws_chat_attach_t *a)
{
    ngx_int_t  rc;

    rc = ngx_ws_chat_shm_update(a);

    return (ngx_ws_chat_shm_current == a) ? rc : NGX_ABORT;
}


/*
 * Hands over what is behind a->seen: NGX_OK, there is more of it; NGX_DONE;
 * NGX_ABORT, a is detached and may be gone; NGX_ERROR, no memory.
 */

static ngx_int_t
ngx_ws_chat_store_shm_deliver(ngx_ws_chat_attach_t *a)
{
    wsc_buf_t              b;
    wsc_pos_t              last;
    wsc_entry_t           *entries;
    ngx_ws_chat_shm_t     *shm;
    ngx_ws_chat_read_t     r;
    ngx_ws_chat_shm_run_t  run;

    shm = a->zone->data;
    entries = NULL;

    ngx_memzero(&r, sizeof(ngx_ws_chat_read_t));

    r.after = a->seen;
    r.limit = NGX_WS_CHAT_SHM_BATCH;
    r.max_bytes = NGX_WS_CHAT_SHM_BATCH_SIZE;

    ngx_ws_chat_shm_take(&b);
    ngx_ws_chat_shm_lock(shm);

    ngx_ws_chat_shm_after(shm, a->chat, &r, &run);

    if (run.n) {
        entries = ngx_ws_chat_shm_copy(shm, &run, &b);
    }

    ngx_ws_chat_shm_unlock(shm);

    if (entries != NULL) {
        last = entries[run.n - 1].pos;
        a->ops->deliver(a, entries, run.n);
    }

    ngx_ws_chat_shm_give(&b);

    if (run.n == 0) {
        return NGX_DONE;
    }

    if (entries == NULL) {
        return NGX_ERROR;
    }

    if (ngx_ws_chat_shm_current != a) {
        return NGX_ABORT;
    }

    if (wsc_pos_cmp(a->seen, last) < 0) {
        a->seen = last;
    }

    return run.more ? NGX_OK : NGX_DONE;
}


/* life */

static ngx_int_t
ngx_ws_chat_store_shm_init_process(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle)
{
    ngx_event_t        *ev;
    ngx_ws_chat_shm_t  *shm;

    shm = z->data;

    shm->mask = NGX_WS_CHAT_SHM_BUCKETS - 1;
    shm->buckets = ngx_ws_chat_store_shm_buckets(NGX_WS_CHAT_SHM_BUCKETS);

    if (shm->buckets == NULL) {
        return NGX_ERROR;
    }

    ngx_ws_chat_shm_lock(shm);
    shm->cursor = wsc_shmlog_cursor(&shm->log);
    shm->heard = wsc_shmring_end(shm->ring);
    ngx_ws_chat_shm_unlock(shm);

    ev = &ngx_ws_chat_shm_event;
    ev->handler = ngx_ws_chat_store_shm_again;
    ev->data = ev;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_queue_insert_tail(&ngx_ws_chat_shm_zones, &shm->queue);

    return NGX_OK;
}


static void
ngx_ws_chat_store_shm_exit_process(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle)
{
    ngx_ws_chat_shm_t  *shm;

    shm = z->data;

    if (ngx_ws_chat_shm_event.posted) {
        ngx_delete_posted_event(&ngx_ws_chat_shm_event);
    }

    if (ngx_ws_chat_shm_event.timer_set) {
        ngx_del_timer(&ngx_ws_chat_shm_event);
    }

    ngx_queue_remove(&shm->queue);

    ngx_ws_chat_shm_lock(shm);
    wsc_shmlog_clear_slot(&shm->log, ngx_ws_chat_bus_slot());
    ngx_ws_chat_shm_unlock(shm);

    wsc_free(&ngx_ws_chat_alloc, shm->buckets);
    shm->buckets = NULL;
}


void
ngx_ws_chat_store_shm_reclaim(ngx_uint_t slot)
{
    ngx_uint_t                i;
    ngx_ws_chat_shm_t        *shm;
    ngx_ws_chat_zone_t      **zones;
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_ws_chat_module);

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {

        if (zones[i]->redis) {
            continue;
        }

        shm = zones[i]->data;

        ngx_ws_chat_shm_lock(shm);
        wsc_shmlog_clear_slot(&shm->log, slot);
        ngx_ws_chat_shm_unlock(shm);
    }
}


static ngx_int_t
ngx_ws_chat_store_shm_health(ngx_ws_chat_zone_t *z, const char **reason)
{
    return NGX_OK;
}


void
ngx_ws_chat_store_shm_stat(ngx_ws_chat_zone_t *z, wsc_shmlog_stat_t *st)
{
    ngx_ws_chat_shm_t  *shm;

    shm = z->data;

    ngx_ws_chat_shm_lock(shm);
    wsc_shmlog_stat(&shm->log, st);
    ngx_ws_chat_shm_unlock(shm);
}


#if (NGX_WS_CHAT_TEST)

void
ngx_ws_chat_store_shm_hook(ngx_ws_chat_zone_t *z, wsc_shmlog_hook_pt hook)
{
    ngx_ws_chat_shm_t  *shm;

    shm = z->data;
    shm->log.hook = hook;
}

#endif

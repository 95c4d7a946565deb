
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The shared memory of a zone: its life, its lock, and runs of entries in it.
 */


#ifndef _NGX_WS_CHAT_SHM_H_INCLUDED_
#define _NGX_WS_CHAT_SHM_H_INCLUDED_


#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_store.h"
#include "core/wsc_shmkeep.h"
#include "core/wsc_shmring.h"


/* What lies at the head of the zone. */

typedef struct {
    ngx_atomic_t                dirty;        /* pid of who changes it now */
    size_t                      size;
    void                       *area;
    void                       *ring;         /* what was emitted */
    void                       *keep;         /* ... and is kept */
} ngx_ws_chat_shm_root_t;


typedef struct {
    ngx_queue_t                 queue;        /* the zones of this worker */
    ngx_ws_chat_zone_t         *zone;
    ngx_slab_pool_t            *shpool;
    ngx_ws_chat_shm_root_t     *root;
    wsc_shmlog_t                log;
    wsc_shmring_t              *ring;
    wsc_shmkeep_t              *keep;
    uint64_t                    cursor;       /* on the notice board */
    uint64_t                    heard;        /* cursor in the ring */
    unsigned                    lapped:1;     /* some of it was missed */
    uint64_t                    quarter;      /* limit of one chat's octets */
    ngx_queue_t                *buckets;      /* attached, by chat number */
    ngx_uint_t                  mask;
    ngx_uint_t                  attached;
    ngx_atomic_uint_t           died;         /* pid of who left it dirty */
} ngx_ws_chat_shm_t;


/* A run of entries, from the one at `at` on. */

typedef struct {
    uint32_t                    at;
    ngx_uint_t                  n;
    size_t                      size;
    unsigned                    more:1;       /* there are further ones */
} ngx_ws_chat_shm_run_t;


/* The init callback of the zone; its data is a ngx_ws_chat_shm_t. */
ngx_int_t ngx_ws_chat_shm_init_zone(ngx_shm_zone_t *shm_zone, void *data);

/*
 * Around every call of wsc_shmlog.  If the last owner died inside, the log is
 * repaired first, and all workers are woken at the unlock.
 */
void ngx_ws_chat_shm_lock(ngx_ws_chat_shm_t *shm);
void ngx_ws_chat_shm_unlock(ngx_ws_chat_shm_t *shm);

/* Finds the first entries behind r->after, as r's other bounds allow. */
void ngx_ws_chat_shm_after(ngx_ws_chat_shm_t *shm, uint32_t chat,
    const ngx_ws_chat_read_t *r, ngx_ws_chat_shm_run_t *run);

/* Finds the last entries, as r's bounds allow. */
void ngx_ws_chat_shm_before(ngx_ws_chat_shm_t *shm, uint32_t chat,
    const ngx_ws_chat_read_t *r, ngx_ws_chat_shm_run_t *run);

/* Copies a run into the buffer.  NULL: no memory. */
wsc_entry_t *ngx_ws_chat_shm_copy(ngx_ws_chat_shm_t *shm,
    const ngx_ws_chat_shm_run_t *run, wsc_buf_t *b);

/*
 * Takes ngx_ws_chat_scratch.entry away while its contents are in use, as who
 * is called with them may read again; gives it back.
 */
void ngx_ws_chat_shm_take(wsc_buf_t *b);
void ngx_ws_chat_shm_give(wsc_buf_t *b);


/* ngx_ws_chat_shm_read.c */

void ngx_ws_chat_shm_read(ngx_ws_chat_read_t *r);
void ngx_ws_chat_shm_change(ngx_ws_chat_change_t *c);
void ngx_ws_chat_shm_cancel_change(ngx_ws_chat_change_t *c);
void ngx_ws_chat_shm_erase(ngx_ws_chat_erase_t *e);
void ngx_ws_chat_shm_cancel_erase(ngx_ws_chat_erase_t *e);

/*
 * Hands over some of what was changed since a->rev, to be called again while
 * that is not the chat's.  NGX_OK; NGX_ERROR: no memory.  a may be gone.
 */
ngx_int_t ngx_ws_chat_shm_update(ngx_ws_chat_attach_t *a);


/* ngx_ws_chat_shm_mark.c */

/* Of the worker: attached with something to deliver in the next turn. */
extern ngx_queue_t  ngx_ws_chat_shm_ready;

/* Lists those of a bucket that are attached to the chat; 0: to any. */
void ngx_ws_chat_shm_mark(ngx_queue_t *bucket, uint32_t chat);

/* Lists all that are attached, to be served; lapped: they missed news. */
void ngx_ws_chat_shm_mark_all(ngx_ws_chat_shm_t *shm, ngx_uint_t lapped);

/* Wakes the workers whose bits are set in a chat's interest mask. */
void ngx_ws_chat_shm_wake(const uint64_t *mask);


/* ngx_ws_chat_shm_news.c */

ngx_int_t ngx_ws_chat_shm_emit(ngx_ws_chat_zone_t *z,
    const wsc_news_t *news);

void ngx_ws_chat_shm_load(ngx_ws_chat_load_t *l);

/*
 * Hands over some of what was emitted since the last call.  NGX_OK: that was
 * all; NGX_AGAIN: call again, in another turn.
 */
ngx_int_t ngx_ws_chat_shm_hear(ngx_ws_chat_shm_t *shm);

#endif /* _NGX_WS_CHAT_SHM_H_INCLUDED_ */

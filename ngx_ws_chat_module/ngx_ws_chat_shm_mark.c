
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who is to be served: readers here, and workers that have some.
 */


#include "ngx_ws_chat_shm.h"
#include "ngx_ws_chat_bus.h"


ngx_queue_t  ngx_ws_chat_shm_ready = {
    &ngx_ws_chat_shm_ready, &ngx_ws_chat_shm_ready
};


void
ngx_ws_chat_shm_mark(ngx_queue_t *bucket, uint32_t chat)
{
    ngx_queue_t           *q;
    ngx_ws_chat_attach_t  *a;

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        a = ngx_queue_data(q, ngx_ws_chat_attach_t, queue);

        if (!a->queued && (chat == 0 || a->chat == chat)) {
            ngx_queue_insert_tail(&ngx_ws_chat_shm_ready, &a->ready);
            a->queued = 1;
        }
    }
}


void
ngx_ws_chat_shm_mark_all(ngx_ws_chat_shm_t *shm, ngx_uint_t lapped)
{
    ngx_uint_t             i;
    ngx_queue_t           *q;
    ngx_ws_chat_attach_t  *a;

    for (i = 0; i <= shm->mask; i++) {

        for (q = ngx_queue_head(&shm->buckets[i]);
             lapped && q != ngx_queue_sentinel(&shm->buckets[i]);
             q = ngx_queue_next(q))
        {
            a = ngx_queue_data(q, ngx_ws_chat_attach_t, queue);
            a->lapped = 1;
        }

        ngx_ws_chat_shm_mark(&shm->buckets[i], 0);
    }
}


void
ngx_ws_chat_shm_wake(const uint64_t *mask)
{
    uint64_t    word;
    ngx_uint_t  i, slot;

    for (i = 0; i < WSC_SHMLOG_SLOTS / 64; i++) {

        slot = i * 64;

        for (word = mask[i]; word; word >>= 1) {
            if (word & 1) {
                ngx_ws_chat_bus_wake(slot);
            }

            slot++;
        }
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store's repair: everything that can be reached from a living
 * chat's record stays; all else is free.  It may be killed and started again.
 */


#include <string.h>

#include "wsc_shmlog_pool.h"


#define WSC_SHMLOG_BINS  32    /* of the sort: bin i holds 2^i chats */


static void wsc_shmlog_repair_chat(wsc_shmlog_t *l, uint32_t chat);
static int wsc_shmlog_repair_entry(wsc_shmlog_t *l, uint32_t chat,
    uint32_t at, uint64_t seq);
static int wsc_shmlog_repair_fits(wsc_shmlog_t *l, uint32_t i, uint32_t type);
static void wsc_shmlog_repair_order(wsc_shmlog_t *l, uint32_t *bins);
static uint32_t wsc_shmlog_repair_merge(wsc_shmlog_t *l, uint32_t a,
    uint32_t b);


void
wsc_shmlog_repair(wsc_shmlog_t *l)
{
    uint32_t             i, n, chat, bins[WSC_SHMLOG_BINS];
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_area_t   *a;
    wsc_shmlog_chunk_t  *chunk;

    a = wsc_shmlog_area(l);

    wsc_shmlog_publish(&a->repairs, a->repairs + 1);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_REPAIR);

    memset(bins, 0, sizeof(bins));
    memset(a->lists, 0, sizeof(a->lists));
    memset(wsc_shmlog_chats(l), 0,
           2 * ((size_t) a->hash_mask + 1) * sizeof(uint32_t));

    a->messages = 0;
    a->free = 0;
    a->nfree = a->n - a->used;

    for (i = 1; i <= a->used; i++) {
        c = wsc_shmlog_at(l, i);

        if (c->chunk.type != WSC_SHMLOG_CHAT) {
            continue;
        }

        wsc_shmlog_repair_chat(l, i);
        wsc_shmlog_step(l, WSC_SHMLOG_STEP_REPAIR);

        chat = i;

        for (n = 0; bins[n]; n++) {
            chat = wsc_shmlog_repair_merge(l, bins[n], chat);
            bins[n] = 0;
        }

        bins[n] = chat;
    }

    wsc_shmlog_repair_order(l, bins);

    for (i = a->used; i; i--) {
        chunk = wsc_shmlog_at(l, i);

        if (chunk->mark != (uint32_t) a->repairs) {
            chunk->more = 0;
            wsc_shmlog_release(l, i);
        }
    }
}


static void
wsc_shmlog_repair_chat(wsc_shmlog_t *l, uint32_t chat)
{
    uint32_t             at, *from;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_area_t   *a;
    wsc_shmlog_entry_t  *m, *last;

    a = wsc_shmlog_area(l);
    c = wsc_shmlog_at(l, chat);

    c->chunk.mark = a->repairs;
    c->newer = 0;
    c->last = 0;
    c->count = 0;
    c->chunks = 0;

    if (c->epoch > a->epoch) {
        a->epoch = c->epoch;
    }

    if (c->stamp > a->stamp) {
        a->stamp = c->stamp;
    }

    wsc_shmlog_link(l, wsc_shmlog_chats(l), chat);

    last = NULL;

    for (from = &c->first; *from; from = &m->next) {
        at = *from;

        if (wsc_shmlog_repair_entry(l, chat, at, last ? last->seq : 0)
            != WSC_OK)
        {
            /* not what was ever written here: the log ends before it */
            *from = 0;
            break;
        }

        m = wsc_shmlog_at(l, at);
        m->older = c->last;
        wsc_shmlog_link(l, wsc_shmlog_dedupe(l), at);
        wsc_shmlog_step(l, WSC_SHMLOG_STEP_REPAIR);

        last = m;
        c->last = at;
        c->count++;
        c->chunks += m->chunks;
        a->messages++;
    }

    if (last && last->seq > c->head) {
        c->head = last->seq;
    }
}


/* Marks the entry's chunks if it is whole and of this chat. */

static int
wsc_shmlog_repair_entry(wsc_shmlog_t *l, uint32_t chat, uint32_t at,
    uint64_t seq)
{
    size_t               n, need;
    uint32_t             i;
    wsc_shmlog_chunk_t  *chunk;
    wsc_shmlog_entry_t  *m;

    if (wsc_shmlog_repair_fits(l, at, WSC_SHMLOG_ENTRY) != WSC_OK) {
        return WSC_DECLINED;
    }

    m = wsc_shmlog_at(l, at);
    need = wsc_shmlog_need((size_t) m->sender + m->cid
                           + (m->retracted ? 0 : m->len));

    if (m->chat != chat || m->seq <= seq
        || (m->chunks != need && !m->retracted))
    {
        return WSC_DECLINED;
    }

    chunk = &m->chunk;

    for (n = 1; n < need; n++) {
        i = chunk->more;

        if (wsc_shmlog_repair_fits(l, i, WSC_SHMLOG_MORE) != WSC_OK) {
            return WSC_DECLINED;
        }

        chunk = wsc_shmlog_at(l, i);
    }

    if (m->retracted) {
        /* what it lost is free, or will be: nothing leads to it */
        (void) wsc_shmlog_strip(l, at);
    }

    if (chunk->more) {
        return WSC_DECLINED;
    }

    for (i = at; i; i = chunk->more) {
        chunk = wsc_shmlog_at(l, i);
        chunk->mark = wsc_shmlog_area(l)->repairs;
    }

    return WSC_OK;
}


static int
wsc_shmlog_repair_fits(wsc_shmlog_t *l, uint32_t i, uint32_t type)
{
    wsc_shmlog_area_t   *a;
    wsc_shmlog_chunk_t  *chunk;

    a = wsc_shmlog_area(l);

    if (i == 0 || i > a->used) {
        return WSC_DECLINED;
    }

    chunk = wsc_shmlog_at(l, i);

    if (chunk->type != type || chunk->mark == (uint32_t) a->repairs) {
        return WSC_DECLINED;
    }

    return WSC_OK;
}


/* Enters all chats into their lists, the least recently used first. */

static void
wsc_shmlog_repair_order(wsc_shmlog_t *l, uint32_t *bins)
{
    uint32_t           i, chat, next;
    wsc_shmlog_rec_t  *c;

    chat = 0;

    for (i = 0; i < WSC_SHMLOG_BINS; i++) {
        chat = wsc_shmlog_repair_merge(l, bins[i], chat);
    }

    for ( /* void */ ; chat; chat = next) {
        c = wsc_shmlog_at(l, chat);
        next = c->newer;
        wsc_shmlog_enlist(l, chat);
    }
}


/* Merges two chains through `newer`, each sorted by stamp. */

static uint32_t
wsc_shmlog_repair_merge(wsc_shmlog_t *l, uint32_t a, uint32_t b)
{
    uint32_t           first, *end;
    wsc_shmlog_rec_t  *ca, *cb;

    end = &first;

    while (a && b) {
        ca = wsc_shmlog_at(l, a);
        cb = wsc_shmlog_at(l, b);

        if (ca->stamp <= cb->stamp) {
            *end = a;
            end = &ca->newer;
            a = ca->newer;

        } else {
            *end = b;
            end = &cb->newer;
            b = cb->newer;
        }
    }

    *end = a ? a : b;

    return first;
}

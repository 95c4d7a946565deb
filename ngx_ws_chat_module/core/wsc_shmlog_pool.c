
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store's pool: chunks, hash tables, the order of use, room.
 */


#include <string.h>

#include "wsc_shmlog_pool.h"


#define WSC_SHMLOG_PRIME      0x9e3779b97f4a7c15ULL
#define WSC_SHMLOG_BOARD_MIN  1024
#define WSC_SHMLOG_BOARD_MAX  65536


static void wsc_shmlog_delist(wsc_shmlog_t *l, uint32_t chat);
static void wsc_shmlog_evict(wsc_shmlog_t *l, uint32_t chat);


ssize_t
wsc_shmlog_init(wsc_shmlog_t *l, void *area, size_t size)
{
    size_t              n, tables;
    uint32_t            board, hash;
    wsc_shmlog_area_t  *a;

    if (size < WSC_SHMLOG_MIN_SIZE) {
        return WSC_DECLINED;
    }

    board = WSC_SHMLOG_BOARD_MIN;

    while (board < WSC_SHMLOG_BOARD_MAX && board < size / 4096) {
        board *= 2;
    }

    hash = 256;

    while (hash < 1U << 30 && hash <= size / WSC_SHMLOG_CHUNK / 2) {
        hash *= 2;
    }

    tables = sizeof(wsc_shmlog_area_t)
             + ((size_t) board + 2 * (size_t) hash) * sizeof(uint32_t);
    tables = (tables + 63) & ~(size_t) 63;

    n = (size - tables) / WSC_SHMLOG_CHUNK;

    if (n > UINT32_MAX - 1) {
        n = UINT32_MAX - 1;
    }

    /* the chunks are touched when they are taken, so memory grows with use */
    memset(area, 0, tables);

    l->area = area;
    l->hook = NULL;
    l->hook_ctx = NULL;

    a = area;
    a->seed = ((uintptr_t) area ^ size) * WSC_SHMLOG_PRIME;
    a->chunks = tables;
    a->n = n;
    a->nfree = n;
    a->board_mask = board - 1;
    a->hash_mask = hash - 1;

    wsc_shmlog_publish(&a->magic, WSC_SHMLOG_MAGIC);

    return WSC_OK;
}


ssize_t
wsc_shmlog_open(wsc_shmlog_t *l, void *area)
{
    wsc_shmlog_area_t  *a;

    a = area;

    if (a->magic != WSC_SHMLOG_MAGIC) {
        return WSC_DECLINED;
    }

    l->area = area;
    l->hook = NULL;
    l->hook_ctx = NULL;

    return WSC_OK;
}


uint32_t *
wsc_shmlog_board(wsc_shmlog_t *l)
{
    return (uint32_t *) (wsc_shmlog_area(l) + 1);
}


uint32_t *
wsc_shmlog_chats(wsc_shmlog_t *l)
{
    return wsc_shmlog_board(l) + wsc_shmlog_area(l)->board_mask + 1;
}


uint32_t *
wsc_shmlog_dedupe(wsc_shmlog_t *l)
{
    return wsc_shmlog_chats(l) + wsc_shmlog_area(l)->hash_mask + 1;
}


uint64_t
wsc_shmlog_hash(uint64_t h, const u_char *p, size_t len)
{
    size_t    n;
    uint64_t  w;

    h ^= len;

    do {
        n = (len < sizeof(w)) ? len : sizeof(w);
        w = 0;

        if (n) {
            memcpy(&w, p, n);
            p += n;
            len -= n;
        }

        h = (h ^ w) * WSC_SHMLOG_PRIME;
        h ^= h >> 29;

    } while (len);

    return h;
}


void
wsc_shmlog_link(wsc_shmlog_t *l, uint32_t *table, uint32_t i)
{
    uint32_t            *slot;
    wsc_shmlog_chunk_t  *c;

    c = wsc_shmlog_at(l, i);
    slot = &table[c->hash & wsc_shmlog_area(l)->hash_mask];

    c->link = *slot;
    *slot = i;
}


void
wsc_shmlog_unlink(wsc_shmlog_t *l, uint32_t *table, uint32_t i)
{
    uint32_t            *slot;
    wsc_shmlog_chunk_t  *c, *p;

    c = wsc_shmlog_at(l, i);
    slot = &table[c->hash & wsc_shmlog_area(l)->hash_mask];

    while (*slot) {
        if (*slot == i) {
            *slot = c->link;
            return;
        }

        p = wsc_shmlog_at(l, *slot);
        slot = &p->link;
    }
}


uint32_t
wsc_shmlog_alloc(wsc_shmlog_t *l)
{
    uint32_t             i;
    wsc_shmlog_area_t   *a;
    wsc_shmlog_chunk_t  *c;

    a = wsc_shmlog_area(l);
    i = a->free;

    if (i) {
        c = wsc_shmlog_at(l, i);
        a->free = c->more;

    } else {
        i = a->used + 1;
        c = wsc_shmlog_at(l, i);
        c->type = WSC_SHMLOG_FREE;
        c->mark = 0;
        wsc_shmlog_publish(&a->used, i);
    }

    wsc_shmlog_step(l, WSC_SHMLOG_STEP_ALLOC);

    a->nfree--;
    c->more = 0;

    return i;
}


void
wsc_shmlog_release(wsc_shmlog_t *l, uint32_t i)
{
    uint32_t             more;
    wsc_shmlog_area_t   *a;
    wsc_shmlog_chunk_t  *c;

    a = wsc_shmlog_area(l);

    while (i) {
        c = wsc_shmlog_at(l, i);
        more = c->more;

        c->type = WSC_SHMLOG_FREE;
        c->more = a->free;
        wsc_shmlog_step(l, WSC_SHMLOG_STEP_RELEASE);

        a->free = i;
        wsc_shmlog_step(l, WSC_SHMLOG_STEP_RELEASE);

        a->nfree++;
        i = more;
    }
}


void
wsc_shmlog_enlist(wsc_shmlog_t *l, uint32_t chat)
{
    size_t              i;
    uint64_t            listened;
    wsc_shmlog_rec_t   *c, *last;
    wsc_shmlog_list_t  *list;

    c = wsc_shmlog_at(l, chat);
    listened = 0;

    for (i = 0; i < WSC_SHMLOG_WORDS; i++) {
        listened |= c->mask[i];
    }

    if (!listened) {
        c->list = c->first ? WSC_SHMLOG_IDLE : WSC_SHMLOG_EMPTY;

    } else {
        c->list = c->first ? WSC_SHMLOG_BUSY : WSC_SHMLOG_BARE;
    }

    list = &wsc_shmlog_area(l)->lists[c->list];

    c->older = list->last;
    c->newer = 0;

    if (list->last) {
        last = wsc_shmlog_at(l, list->last);
        last->newer = chat;

    } else {
        list->first = chat;
    }

    wsc_shmlog_step(l, WSC_SHMLOG_STEP_LIST);

    list->last = chat;
    list->count++;
}


static void
wsc_shmlog_delist(wsc_shmlog_t *l, uint32_t chat)
{
    wsc_shmlog_rec_t   *c, *other;
    wsc_shmlog_list_t  *list;

    c = wsc_shmlog_at(l, chat);
    list = &wsc_shmlog_area(l)->lists[c->list];

    if (c->older) {
        other = wsc_shmlog_at(l, c->older);
        other->newer = c->newer;

    } else {
        list->first = c->newer;
    }

    wsc_shmlog_step(l, WSC_SHMLOG_STEP_LIST);

    if (c->newer) {
        other = wsc_shmlog_at(l, c->newer);
        other->older = c->older;

    } else {
        list->last = c->older;
    }

    list->count--;
}


void
wsc_shmlog_relist(wsc_shmlog_t *l, uint32_t chat)
{
    wsc_shmlog_delist(l, chat);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_LIST);
    wsc_shmlog_enlist(l, chat);
}


void
wsc_shmlog_touch(wsc_shmlog_t *l, uint32_t chat)
{
    wsc_shmlog_rec_t  *c;

    c = wsc_shmlog_at(l, chat);
    c->stamp = ++wsc_shmlog_area(l)->stamp;

    wsc_shmlog_relist(l, chat);
}


void
wsc_shmlog_drop(wsc_shmlog_t *l, uint32_t chat)
{
    uint32_t             at;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m, *next;

    c = wsc_shmlog_at(l, chat);
    at = c->first;
    m = wsc_shmlog_at(l, at);

    wsc_shmlog_publish(&c->first, m->next);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_DROP);

    c->count--;
    c->chunks -= m->chunks;
    wsc_shmlog_area(l)->messages--;

    if (m->next) {
        next = wsc_shmlog_at(l, m->next);
        next->older = 0;

    } else {
        c->last = 0;
        wsc_shmlog_relist(l, chat);
    }

    wsc_shmlog_unlink(l, wsc_shmlog_dedupe(l), at);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_DROP);

    wsc_shmlog_release(l, at);
}


int
wsc_shmlog_expired(wsc_shmlog_t *l, uint32_t at, uint64_t now, uint64_t age)
{
    wsc_shmlog_entry_t  *m;

    m = wsc_shmlog_at(l, at);

    return age && m->timestamp < now && now - m->timestamp > age;
}


void
wsc_shmlog_trim(wsc_shmlog_t *l, uint32_t chat, uint64_t now,
    const wsc_shmlog_limits_t *limits, size_t extra, uint32_t keep)
{
    uint64_t           bytes;
    wsc_shmlog_rec_t  *c;

    c = wsc_shmlog_at(l, chat);

    while (c->count > keep) {
        bytes = ((uint64_t) c->chunks + extra) * WSC_SHMLOG_CHUNK;

        if (!(limits->messages && c->count + (extra != 0) > limits->messages)
            && !(limits->bytes && bytes > limits->bytes)
            && !wsc_shmlog_expired(l, c->first, now, limits->age))
        {
            return;
        }

        wsc_shmlog_drop(l, chat);
    }
}


static void
wsc_shmlog_evict(wsc_shmlog_t *l, uint32_t chat)
{
    uint32_t             at, next;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_area_t   *a;
    wsc_shmlog_entry_t  *m;

    a = wsc_shmlog_area(l);
    c = wsc_shmlog_at(l, chat);

    wsc_shmlog_publish(&c->chunk.type, WSC_SHMLOG_FREE);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_EVICT);

    a->evicted++;
    wsc_shmlog_unlink(l, wsc_shmlog_chats(l), chat);
    wsc_shmlog_delist(l, chat);

    for (at = c->first; at; at = next) {
        m = wsc_shmlog_at(l, at);
        next = m->next;

        a->messages--;
        wsc_shmlog_unlink(l, wsc_shmlog_dedupe(l), at);
        wsc_shmlog_step(l, WSC_SHMLOG_STEP_EVICT);
        wsc_shmlog_release(l, at);
    }

    wsc_shmlog_release(l, chat);
}


ssize_t
wsc_shmlog_room(wsc_shmlog_t *l, uint32_t chat, size_t need,
    const wsc_shmlog_limits_t *limits, uint64_t now)
{
    uint64_t            fixed;
    uint32_t            victim;
    wsc_shmlog_rec_t   *c;
    wsc_shmlog_area_t  *a;

    a = wsc_shmlog_area(l);
    c = chat ? wsc_shmlog_at(l, chat) : NULL;

    fixed = a->lists[WSC_SHMLOG_BUSY].count + a->lists[WSC_SHMLOG_BARE].count
            + (c && c->list < WSC_SHMLOG_BUSY);

    if (need > a->n - fixed) {
        return WSC_ERROR;
    }

    if (c && a->nfree < need) {
        wsc_shmlog_trim(l, chat, now, limits, need, 0);
    }

    while (a->nfree < need) {
        victim = a->lists[WSC_SHMLOG_EMPTY].first;

        /* the chat was touched, so it is the last of its list */

        if (victim == 0 || victim == chat) {
            victim = a->lists[WSC_SHMLOG_IDLE].first;
        }

        if (victim && victim != chat) {
            wsc_shmlog_evict(l, victim);
            continue;
        }

        if (victim) {
            wsc_shmlog_drop(l, victim);
            continue;
        }

        wsc_shmlog_drop(l, a->lists[WSC_SHMLOG_BUSY].first);
    }

    return WSC_OK;
}


size_t
wsc_shmlog_need(size_t len)
{
    if (len <= WSC_SHMLOG_ENTRY_DATA) {
        return 1;
    }

    return 1 + (len - WSC_SHMLOG_ENTRY_DATA + WSC_SHMLOG_MORE_DATA - 1)
               / WSC_SHMLOG_MORE_DATA;
}

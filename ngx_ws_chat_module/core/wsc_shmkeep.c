
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_shmkeep_int.h"


static ssize_t wsc_shmkeep_room(wsc_shmkeep_t *k, uint32_t need,
    uint32_t keep);
static uint32_t wsc_shmkeep_take(wsc_shmkeep_t *k, uint32_t need);


wsc_shmkeep_t *
wsc_shmkeep_init(void *area, size_t size)
{
    size_t          buckets;
    wsc_shmkeep_t  *k;

    if (size < WSC_SHMKEEP_MIN_SIZE || size > UINT32_MAX) {
        return NULL;
    }

    k = area;
    memset(k, 0, sizeof(wsc_shmkeep_t));

    for (buckets = 16; buckets * 2 * WSC_SHMKEEP_CHUNK <= size; buckets *= 2) {
        /* void */
    }

    k->mask = buckets - 1;
    k->fields = sizeof(wsc_shmkeep_t);
    k->names = k->fields + buckets * sizeof(uint32_t);
    k->chunks = (k->names + buckets * sizeof(uint32_t) + 7) & ~7u;
    k->n = (size - k->chunks) / WSC_SHMKEEP_CHUNK;

    memset((u_char *) k + k->chunks, 0, (size_t) k->n * WSC_SHMKEEP_CHUNK);

    wsc_shmkeep_repair(k);
    __atomic_store_n(&k->magic, WSC_SHMKEEP_MAGIC, __ATOMIC_RELEASE);

    return k;
}


wsc_shmkeep_t *
wsc_shmkeep_open(void *area)
{
    wsc_shmkeep_t  *k;

    k = area;

    return (k->magic == WSC_SHMKEEP_MAGIC) ? k : NULL;
}


ssize_t
wsc_shmkeep_set(wsc_shmkeep_t *k, const wsc_str_t *name,
    const wsc_str_t *field, const wsc_str_t *value, int soft)
{
    size_t              len;
    uint32_t            at, old, need, hash;
    wsc_shmkeep_rec_t  *rec;

    if (name->len > WSC_SHMKEEP_MAX_NAME
        || field->len > WSC_SHMKEEP_MAX_FIELD
        || value->len > (size_t) k->n * WSC_SHMKEEP_CHUNK / 4)
    {
        return WSC_ERROR;
    }

    len = name->len + field->len + value->len;
    need = 1;

    if (len > WSC_SHMKEEP_REC_DATA) {
        need += (len - WSC_SHMKEEP_REC_DATA + WSC_SHMKEEP_MORE_DATA - 1)
                / WSC_SHMKEEP_MORE_DATA;
    }

    hash = wsc_shmkeep_hash(wsc_shmkeep_hash(0, name), field);
    old = wsc_shmkeep_lookup(k, name, field, hash);

    if (wsc_shmkeep_room(k, need, old) != WSC_OK) {
        return WSC_ERROR;
    }

    at = wsc_shmkeep_take(k, need);
    rec = wsc_shmkeep_rec(k, at);

    rec->stamp = ++k->stamp;
    rec->hash = hash;
    rec->name_hash = wsc_shmkeep_hash(0, name);
    rec->len = value->len;
    rec->field = field->len;
    rec->name = name->len;
    rec->soft = soft ? 2 : 0;

    wsc_shmkeep_io(k, at, 0, name->data, name->len, 1);
    wsc_shmkeep_io(k, at, name->len, field->data, field->len, 1);
    wsc_shmkeep_io(k, at, name->len + field->len, value->data, value->len, 1);

    __atomic_store_n(&rec->chunk.type, WSC_SHMKEEP_HEAD, __ATOMIC_SEQ_CST);

    wsc_shmkeep_link(k, at);

    if (old) {
        wsc_shmkeep_remove(k, old);
    }

    return WSC_OK;
}


void
wsc_shmkeep_drop(wsc_shmkeep_t *k, const wsc_str_t *name,
    const wsc_str_t *field)
{
    uint32_t  at, hash;

    hash = wsc_shmkeep_hash(wsc_shmkeep_hash(0, name), field);
    at = wsc_shmkeep_lookup(k, name, field, hash);

    if (at) {
        wsc_shmkeep_remove(k, at);
    }
}


ssize_t
wsc_shmkeep_next(wsc_shmkeep_t *k, const wsc_str_t *name, uint32_t *at,
    size_t *len)
{
    uint32_t            hash, i;
    wsc_shmkeep_rec_t  *rec;

    hash = wsc_shmkeep_hash(0, name);

    i = *at ? wsc_shmkeep_rec(k, *at)->next
            : *wsc_shmkeep_bucket(k, k->names, hash);

    for ( /* void */ ; i; i = rec->next) {
        rec = wsc_shmkeep_rec(k, i);

        if (rec->name_hash == hash && rec->name == name->len
            && wsc_shmkeep_same(k, i, 0, name))
        {
            *at = i;
            *len = rec->len;
            return WSC_OK;
        }
    }

    return WSC_DONE;
}


ssize_t
wsc_shmkeep_find(wsc_shmkeep_t *k, const wsc_str_t *name,
    const wsc_str_t *field, uint32_t *at, size_t *len)
{
    *at = wsc_shmkeep_lookup(k, name, field,
                             wsc_shmkeep_hash(wsc_shmkeep_hash(0, name),
                                              field));
    if (*at == 0) {
        return WSC_DECLINED;
    }

    *len = wsc_shmkeep_rec(k, *at)->len;

    return WSC_OK;
}


void
wsc_shmkeep_copy(wsc_shmkeep_t *k, uint32_t at, u_char *buf)
{
    wsc_shmkeep_rec_t  *rec;

    rec = wsc_shmkeep_rec(k, at);

    wsc_shmkeep_io(k, at, rec->name + rec->field, buf, rec->len, 0);
}


void
wsc_shmkeep_stat(wsc_shmkeep_t *k, wsc_shmkeep_stat_t *st)
{
    st->chunks = k->n;
    st->chunks_free = k->nfree;
    st->records = k->records;
    st->evicted = k->evicted;
}


/* Makes room for so many chunks; the record `keep` stays. */

static ssize_t
wsc_shmkeep_room(wsc_shmkeep_t *k, uint32_t need, uint32_t keep)
{
    uint32_t            i;
    wsc_shmkeep_rec_t  *rec;

    for (i = 0; k->nfree < need; i++) {

        if (i == 2 * k->n) {
            return WSC_ERROR;
        }

        k->hand = k->hand % k->n + 1;
        rec = wsc_shmkeep_rec(k, k->hand);

        if (rec->chunk.type != WSC_SHMKEEP_HEAD || rec->soft == 0
            || k->hand == keep)
        {
            continue;
        }

        if (rec->soft == 2) {
            rec->soft = 1;
            continue;
        }

        wsc_shmkeep_remove(k, k->hand);
        k->evicted++;
    }

    return WSC_OK;
}


/* A chain of free chunks, which are there. */

static uint32_t
wsc_shmkeep_take(wsc_shmkeep_t *k, uint32_t need)
{
    uint32_t            at, first;
    wsc_shmkeep_rec_t  *rec;

    first = k->free;
    at = first;
    k->nfree -= need;

    for ( ;; ) {
        rec = wsc_shmkeep_rec(k, at);

        if (--need == 0) {
            break;
        }

        at = rec->chunk.more;
        wsc_shmkeep_rec(k, at)->chunk.type = WSC_SHMKEEP_MORE;
    }

    k->free = rec->chunk.more;
    rec->chunk.more = 0;

    return first;
}

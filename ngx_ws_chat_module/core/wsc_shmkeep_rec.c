
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records: their octets in chunks, and the tables that find them.
 */


#include <string.h>

#include "wsc_shmkeep_int.h"


static void wsc_shmkeep_give(wsc_shmkeep_t *k, uint32_t at);


wsc_shmkeep_rec_t *
wsc_shmkeep_rec(wsc_shmkeep_t *k, uint32_t at)
{
    return (wsc_shmkeep_rec_t *) ((u_char *) k + k->chunks
                                  + (size_t) (at - 1) * WSC_SHMKEEP_CHUNK);
}


uint32_t *
wsc_shmkeep_bucket(wsc_shmkeep_t *k, uint32_t table, uint32_t hash)
{
    return (uint32_t *) ((u_char *) k + table) + (hash & k->mask);
}


/* FNV-1a, mixed at the end. */

uint32_t
wsc_shmkeep_hash(uint32_t hash, const wsc_str_t *s)
{
    size_t  i;

    hash ^= 2166136261u;

    for (i = 0; i < s->len; i++) {
        hash = (hash ^ s->data[i]) * 16777619u;
    }

    hash ^= hash >> 15;
    hash *= 0x2c1b3c6du;

    return hash ^ hash >> 13;
}


uint32_t
wsc_shmkeep_lookup(wsc_shmkeep_t *k, const wsc_str_t *name,
    const wsc_str_t *field, uint32_t hash)
{
    uint32_t            at;
    wsc_shmkeep_rec_t  *rec;

    for (at = *wsc_shmkeep_bucket(k, k->fields, hash); at; at = rec->link) {
        rec = wsc_shmkeep_rec(k, at);

        if (rec->hash == hash
            && rec->name == name->len && rec->field == field->len
            && wsc_shmkeep_same(k, at, 0, name)
            && wsc_shmkeep_same(k, at, name->len, field))
        {
            return at;
        }
    }

    return 0;
}


int
wsc_shmkeep_same(wsc_shmkeep_t *k, uint32_t at, size_t skip,
    const wsc_str_t *s)
{
    u_char  buf[WSC_SHMKEEP_MAX_FIELD];

    /* the zone's name is empty */

    if (s->len == 0) {
        return 1;
    }

    wsc_shmkeep_io(k, at, skip, buf, s->len, 0);

    return memcmp(buf, s->data, s->len) == 0;
}


/* Reads or writes octets of a record's data, which goes on in its chunks. */

void
wsc_shmkeep_io(wsc_shmkeep_t *k, uint32_t at, size_t skip, u_char *buf,
    size_t len, int write)
{
    size_t              n, size;
    u_char             *data;
    wsc_shmkeep_rec_t  *rec;

    rec = wsc_shmkeep_rec(k, at);
    data = rec->data;
    size = WSC_SHMKEEP_REC_DATA;

    while (len) {

        if (skip < size) {
            n = (len < size - skip) ? len : size - skip;

            if (write) {
                memcpy(data + skip, buf, n);

            } else {
                memcpy(buf, data + skip, n);
            }

            buf += n;
            len -= n;
            skip += n;
        }

        if (len == 0) {
            break;
        }

        skip -= size;
        rec = wsc_shmkeep_rec(k, rec->chunk.more);
        data = (u_char *) (&rec->chunk + 1);
        size = WSC_SHMKEEP_MORE_DATA;
    }
}


void
wsc_shmkeep_link(wsc_shmkeep_t *k, uint32_t at)
{
    uint32_t           *bucket;
    wsc_shmkeep_rec_t  *rec;

    rec = wsc_shmkeep_rec(k, at);

    bucket = wsc_shmkeep_bucket(k, k->fields, rec->hash);
    rec->link = *bucket;
    *bucket = at;

    bucket = wsc_shmkeep_bucket(k, k->names, rec->name_hash);
    rec->next = *bucket;
    rec->prev = 0;
    *bucket = at;

    if (rec->next) {
        wsc_shmkeep_rec(k, rec->next)->prev = at;
    }

    k->records++;
}


void
wsc_shmkeep_remove(wsc_shmkeep_t *k, uint32_t at)
{
    uint32_t           *p;
    wsc_shmkeep_rec_t  *rec;

    rec = wsc_shmkeep_rec(k, at);

    __atomic_store_n(&rec->chunk.type, WSC_SHMKEEP_FREE, __ATOMIC_SEQ_CST);

    p = wsc_shmkeep_bucket(k, k->fields, rec->hash);

    while (*p != at) {
        p = &wsc_shmkeep_rec(k, *p)->link;
    }

    *p = rec->link;

    if (rec->prev) {
        wsc_shmkeep_rec(k, rec->prev)->next = rec->next;

    } else {
        *wsc_shmkeep_bucket(k, k->names, rec->name_hash) = rec->next;
    }

    if (rec->next) {
        wsc_shmkeep_rec(k, rec->next)->prev = rec->prev;
    }

    k->records--;
    wsc_shmkeep_give(k, at);
}


static void
wsc_shmkeep_give(wsc_shmkeep_t *k, uint32_t at)
{
    uint32_t            more;
    wsc_shmkeep_rec_t  *rec;

    for ( /* void */ ; at; at = more) {
        rec = wsc_shmkeep_rec(k, at);
        more = rec->chunk.more;

        rec->chunk.type = WSC_SHMKEEP_FREE;
        rec->chunk.more = k->free;
        k->free = at;
        k->nfree++;
    }
}

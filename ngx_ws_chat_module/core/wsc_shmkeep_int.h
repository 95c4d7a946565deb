
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * How the area of kept values looks.  Private to wsc_shmkeep*.c.
 *
 *     header | fields: u32[] | names: u32[] | chunks 1..n
 *
 * Fields marked * are authoritative; the others are rebuilt by repair.
 */


#ifndef _WSC_SHMKEEP_INT_H_INCLUDED_
#define _WSC_SHMKEEP_INT_H_INCLUDED_


#include "wsc_shmkeep.h"


#define WSC_SHMKEEP_MAGIC   0x317065656b6d6873ULL    /* "shmkeep1" */
#define WSC_SHMKEEP_CHUNK   160

#define WSC_SHMKEEP_FREE    0
#define WSC_SHMKEEP_HEAD    1
#define WSC_SHMKEEP_MORE    2


struct wsc_shmkeep_s {
    uint64_t            magic;        /* * stored last */
    uint64_t            stamp;        /* of the newest record */
    uint64_t            records;
    uint64_t            evicted;
    uint32_t            n;            /* * number of chunks */
    uint32_t            mask;         /* * of both tables */
    uint32_t            free;         /* list of free chunks */
    uint32_t            nfree;
    uint32_t            hand;         /* where eviction goes on */
    uint32_t            fields;       /* * offsets from here */
    uint32_t            names;        /* * */
    uint32_t            chunks;       /* * */
};


/*
 * What each chunk begins with; the store of HEAD makes a record.  Octets
 * follow in those that are MORE.
 */

typedef struct {
    uint32_t            type;         /* * */
    uint32_t            more;         /* * next chunk; FREE: next free one */
} wsc_shmkeep_chunk_t;


typedef struct {
    wsc_shmkeep_chunk_t chunk;
    uint64_t            stamp;        /* * */
    uint32_t            hash;         /* * of name and field */
    uint32_t            name_hash;    /* * */
    uint32_t            link;         /* with the same hash */
    uint32_t            next;         /* of the same name's bucket */
    uint32_t            prev;
    uint32_t            len;          /* * of the value */
    uint16_t            field;        /* * length */
    uint8_t             name;         /* * length */
    uint8_t             soft;         /* * 1: may go; 2: not at first */
    u_char              data[];       /* * name, field, value */
} wsc_shmkeep_rec_t;


#define WSC_SHMKEEP_REC_DATA                                                  \
    (WSC_SHMKEEP_CHUNK - offsetof(wsc_shmkeep_rec_t, data))
#define WSC_SHMKEEP_MORE_DATA                                                 \
    (WSC_SHMKEEP_CHUNK - sizeof(wsc_shmkeep_chunk_t))


/* The record or chunk of this number. */
wsc_shmkeep_rec_t *wsc_shmkeep_rec(wsc_shmkeep_t *k, uint32_t at);

/* The hash of a name, or of a name's hash and a field; 0 begins it. */
uint32_t wsc_shmkeep_hash(uint32_t hash, const wsc_str_t *s);

/* Where a hash's list begins in one of the tables. */
uint32_t *wsc_shmkeep_bucket(wsc_shmkeep_t *k, uint32_t table, uint32_t hash);

/* Is this in a record's data, behind `skip` octets? */
int wsc_shmkeep_same(wsc_shmkeep_t *k, uint32_t at, size_t skip,
    const wsc_str_t *s);

/* Finds a record by the hash of both, or 0. */
uint32_t wsc_shmkeep_lookup(wsc_shmkeep_t *k, const wsc_str_t *name,
    const wsc_str_t *field, uint32_t hash);

/* Reads or writes octets of a record's data, which goes on in its chunks. */
void wsc_shmkeep_io(wsc_shmkeep_t *k, uint32_t at, size_t skip, u_char *buf,
    size_t len, int write);

/* Enters a record into the tables; takes it out and frees its chunks. */
void wsc_shmkeep_link(wsc_shmkeep_t *k, uint32_t at);
void wsc_shmkeep_remove(wsc_shmkeep_t *k, uint32_t at);


#endif /* _WSC_SHMKEEP_INT_H_INCLUDED_ */

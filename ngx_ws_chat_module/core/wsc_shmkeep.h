
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Named values in an area that several processes map: the last news of each
 * kind, by name (of a chat) and field.  The caller holds one lock around each
 * call; a process may be killed inside: the next one calls
 * wsc_shmkeep_repair() before anything else.
 *
 * Only records, each published by one store, are authoritative; what is newer
 * of two with the same name and field counts.  Lists, tables and the free list
 * are derived.
 */


#ifndef _WSC_SHMKEEP_H_INCLUDED_
#define _WSC_SHMKEEP_H_INCLUDED_


#include "wsc_base.h"


#define WSC_SHMKEEP_MIN_SIZE   8192
#define WSC_SHMKEEP_MAX_NAME   255
#define WSC_SHMKEEP_MAX_FIELD  511


typedef struct wsc_shmkeep_s  wsc_shmkeep_t;


typedef struct {
    uint64_t            chunks;
    uint64_t            chunks_free;
    uint64_t            records;
    uint64_t            evicted;      /* ever */
} wsc_shmkeep_stat_t;


/* Formats size octets at area, 8 aligned.  NULL: too small. */
wsc_shmkeep_t *wsc_shmkeep_init(void *area, size_t size);

/* The formatted area, or NULL: it is none. */
wsc_shmkeep_t *wsc_shmkeep_open(void *area);

/*
 * Sets the value of a field.  soft: it may be evicted for room.  WSC_OK;
 * WSC_ERROR: no room, or too long: what was there is still there.
 */
ssize_t wsc_shmkeep_set(wsc_shmkeep_t *k, const wsc_str_t *name,
    const wsc_str_t *field, const wsc_str_t *value, int soft);

/* Removes a field, if it is there. */
void wsc_shmkeep_drop(wsc_shmkeep_t *k, const wsc_str_t *name,
    const wsc_str_t *field);

/*
 * Goes through the values of a name: the first call has *at == 0; good under
 * this lock.  WSC_OK: *len is the value's length; WSC_DONE.
 */
ssize_t wsc_shmkeep_next(wsc_shmkeep_t *k, const wsc_str_t *name,
    uint32_t *at, size_t *len);

/* The value of the field.  WSC_OK with *at and *len; WSC_DECLINED: none. */
ssize_t wsc_shmkeep_find(wsc_shmkeep_t *k, const wsc_str_t *name,
    const wsc_str_t *field, uint32_t *at, size_t *len);

/* Copies the value found at `at`. */
void wsc_shmkeep_copy(wsc_shmkeep_t *k, uint32_t at, u_char *buf);

/* Rebuilds what is derived after a process died inside a call. */
void wsc_shmkeep_repair(wsc_shmkeep_t *k);

void wsc_shmkeep_stat(wsc_shmkeep_t *k, wsc_shmkeep_stat_t *st);


#endif /* _WSC_SHMKEEP_H_INCLUDED_ */

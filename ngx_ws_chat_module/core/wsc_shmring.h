
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A bounded ring of records in an area that several processes map, each with
 * a cursor of its own.  A reader that was lapped is told so.  The caller holds
 * one lock around each call; who is killed inside leaves no half record, and
 * nothing to be repaired.
 */


#ifndef _WSC_SHMRING_H_INCLUDED_
#define _WSC_SHMRING_H_INCLUDED_


#include "wsc_buf.h"


#define WSC_SHMRING_MIN_SIZE  4096


typedef struct wsc_shmring_s  wsc_shmring_t;


/* Formats size octets at area, 8 aligned.  NULL: too small. */
wsc_shmring_t *wsc_shmring_init(void *area, size_t size);

/* The formatted ring at area, or NULL: it is none. */
wsc_shmring_t *wsc_shmring_open(void *area);

/* Octets that a record may have. */
size_t wsc_shmring_max(const wsc_shmring_t *r);

/*
 * Appends a record over the oldest ones; the tag is the caller's.  WSC_OK;
 * WSC_DECLINED: it is larger than wsc_shmring_max().
 */
ssize_t wsc_shmring_put(wsc_shmring_t *r, uint32_t tag, const u_char *data,
    size_t len);

/* A cursor behind the last record. */
uint64_t wsc_shmring_end(const wsc_shmring_t *r);

/*
 * The record at the cursor.  WSC_OK with tag and length; WSC_DONE: there is
 * none yet; WSC_DECLINED: it was overwritten, the cursor stands at the end.
 */
ssize_t wsc_shmring_look(const wsc_shmring_t *r, uint64_t *cursor,
    uint32_t *tag, size_t *len);

/* Copies the record at the cursor; moves the cursor behind it. */
void wsc_shmring_copy(const wsc_shmring_t *r, uint64_t cursor, u_char *buf);
void wsc_shmring_skip(const wsc_shmring_t *r, uint64_t *cursor);


#endif /* _WSC_SHMRING_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who is present in a chat: users, each with the connections that workers say
 * it has.  A user comes when the first of them does and leaves when there has
 * been none for the grace; what of that was not told yet is taken as changes,
 * so that who comes and goes, or goes and comes back in time, is never told.
 */


#ifndef _WSC_PRESENCE_H_INCLUDED_
#define _WSC_PRESENCE_H_INCLUDED_


#include "wsc_value.h"


#define WSC_PRESENCE_WORKERS  65535


typedef struct wsc_present_s       wsc_present_t;
typedef struct wsc_present_more_s  wsc_present_more_t;


struct wsc_present_s {
    wsc_present_t       *next;
    wsc_present_more_t  *more;        /* of other workers */
    uint32_t             left;        /* ms clock: when the last one did */
    uint16_t             worker;
    uint16_t             conns;       /* of this worker */
    uint8_t              len;
    unsigned             told:1;      /* as present */
    unsigned             report:1;    /* stays until it was reported */
    unsigned             old:1;       /* not set since the mark */
    unsigned             info:1;      /* ... is behind the user */
    u_char               user[];
};


typedef struct {
    const wsc_alloc_t   *alloc;
    wsc_present_t      **buckets;     /* NULL before the first */
    wsc_present_t       *one;         /* ... without memory for more */
    uint32_t             seed;
    uint32_t             mask;
    uint32_t             entries;
    uint32_t             count;       /* users present, or told as such */
    uint32_t             changes;     /* users that are not as told */
    uint32_t             reports;     /* entries to be reported */
} wsc_presence_t;


/* Empty; nothing is allocated.  It may not move afterwards. */
void wsc_presence_init(wsc_presence_t *p, const wsc_alloc_t *alloc,
    uint32_t seed);

/*
 * A worker has so many connections of a user.  info: JSON text of up to 64
 * KiB; len 0: it stays as it is.  report: the entry stays until it was
 * reported.  WSC_OK; WSC_ERROR: no memory, nothing changed.
 */
ssize_t wsc_presence_set(wsc_presence_t *p, const wsc_str_t *user,
    uint16_t worker, uint16_t conns, const wsc_str_t *info, int report,
    uint32_t now);

wsc_present_t *wsc_presence_find(wsc_presence_t *p, const wsc_str_t *user);

/* JSON text of it; len 0: none. */
wsc_str_t wsc_present_info(const wsc_present_t *u);

/* How many connections a worker has of it, and all of them. */
uint32_t wsc_present_of(const wsc_present_t *u, uint16_t worker);
uint32_t wsc_present_conns(const wsc_present_t *u);

/* It was reported; the entry may be gone. */
void wsc_presence_reported(wsc_presence_t *p, wsc_present_t *u);

/* Forgets all connections of a worker. */
void wsc_presence_forget(wsc_presence_t *p, uint16_t worker, uint32_t now);

/*
 * Marks what is there of all workers but one; later forgets what was not set
 * since then.
 */
void wsc_presence_mark(wsc_presence_t *p, uint16_t but);
void wsc_presence_sweep(wsc_presence_t *p, uint32_t now);

/*
 * Takes changes that are due by now: calls came(), left() for at most max
 * users, whose entries may not be used afterwards.  Returns how many; *wait:
 * in so many ms at least there are further ones, 0: there are none.
 */
size_t wsc_presence_changes(wsc_presence_t *p, uint32_t now, uint32_t grace,
    size_t max, void (*change)(void *ctx, const wsc_present_t *u, int came),
    void *ctx, uint32_t *wait);

/*
 * Iterates over all entries: NULL begins, NULL ends.  The one that was given
 * last may go before the next call if that was asked for before.
 */
wsc_present_t *wsc_presence_next(const wsc_presence_t *p,
    const wsc_present_t *u);

/* 1: present, or told so. */
#define wsc_present(u)  ((u)->conns || (u)->told)

void wsc_presence_free(wsc_presence_t *p);


#endif /* _WSC_PRESENCE_H_INCLUDED_ */

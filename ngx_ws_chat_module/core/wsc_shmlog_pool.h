
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store's pool: chunks, hash tables, the order of use, and how
 * room is made.  Private to wsc_shmlog*.c.
 */


#ifndef _WSC_SHMLOG_POOL_H_INCLUDED_
#define _WSC_SHMLOG_POOL_H_INCLUDED_


#include "wsc_shmlog_int.h"


/* What was just done when the hook is called. */

typedef enum {
    WSC_SHMLOG_STEP_ALLOC = 0,
    WSC_SHMLOG_STEP_RELEASE,
    WSC_SHMLOG_STEP_LIST,
    WSC_SHMLOG_STEP_MAKE,
    WSC_SHMLOG_STEP_EVICT,
    WSC_SHMLOG_STEP_DROP,
    WSC_SHMLOG_STEP_INTEREST,
    WSC_SHMLOG_STEP_APPEND,
    WSC_SHMLOG_STEP_NOTICE,
    WSC_SHMLOG_STEP_REPAIR,
    WSC_SHMLOG_STEP_CHANGE,
    WSC_SHMLOG_STEPS
} wsc_shmlog_step_e;


/* The one store that makes a change: nothing moves across it. */

#define wsc_shmlog_publish(p, v)                                              \
    do {                                                                      \
        __atomic_signal_fence(__ATOMIC_SEQ_CST);                              \
        __atomic_store_n(p, v, __ATOMIC_RELEASE);                             \
        __atomic_signal_fence(__ATOMIC_SEQ_CST);                              \
    } while (0)


#define wsc_shmlog_area(l)  ((wsc_shmlog_area_t *) (l)->area)


static inline void
wsc_shmlog_step(wsc_shmlog_t *l, wsc_shmlog_step_e step)
{
    if (l->hook) {
        l->hook(l->hook_ctx, step);
    }
}


/* The chunk with index i, 1 .. n. */

static inline void *
wsc_shmlog_at(wsc_shmlog_t *l, uint32_t i)
{
    return (u_char *) l->area + wsc_shmlog_area(l)->chunks
           + (size_t) (i - 1) * WSC_SHMLOG_CHUNK;
}


/* Where in an entry's octets we are. */

typedef struct {
    wsc_shmlog_t        *log;
    wsc_shmlog_chunk_t  *chunk;
    u_char              *p;
    size_t               left;        /* in this chunk */
} wsc_shmlog_cursor_t;


/* The tables behind the area's header. */
uint32_t *wsc_shmlog_board(wsc_shmlog_t *l);
uint32_t *wsc_shmlog_chats(wsc_shmlog_t *l);
uint32_t *wsc_shmlog_dedupe(wsc_shmlog_t *l);

/* A hash of len octets at p that goes on from h. */
uint64_t wsc_shmlog_hash(uint64_t h, const u_char *p, size_t len);

/* Puts chunk i, whose hash is set, into the table, and takes it out. */
void wsc_shmlog_link(wsc_shmlog_t *l, uint32_t *table, uint32_t i);
void wsc_shmlog_unlink(wsc_shmlog_t *l, uint32_t *table, uint32_t i);

/* Takes a free chunk; there is one (wsc_shmlog_room saw to that). */
uint32_t wsc_shmlog_alloc(wsc_shmlog_t *l);

/* Frees chunk i and what its `more` leads to. */
void wsc_shmlog_release(wsc_shmlog_t *l, uint32_t i);

/* Enters the chat, which is in no list, as the last of the list it fits. */
void wsc_shmlog_enlist(wsc_shmlog_t *l, uint32_t chat);

/* The same for one that is in a list; touch: and stamps it as just used. */
void wsc_shmlog_relist(wsc_shmlog_t *l, uint32_t chat);
void wsc_shmlog_touch(wsc_shmlog_t *l, uint32_t chat);

/* Drops the chat's oldest entry; it has one. */
void wsc_shmlog_drop(wsc_shmlog_t *l, uint32_t chat);

/* 1: too old at this time, by its own limit of age. */
int wsc_shmlog_expired(wsc_shmlog_t *l, uint32_t at, uint64_t now,
    uint64_t age);

/*
 * Drops the oldest entries that the limits do not allow beside another one of
 * `extra` chunks (0: none comes), but leaves the last `keep` entries.
 */
void wsc_shmlog_trim(wsc_shmlog_t *l, uint32_t chat, uint64_t now,
    const wsc_shmlog_limits_t *limits, size_t extra, uint32_t keep);

/*
 * Makes room for `need` chunks; spares the record of `chat` (0: of none), just
 * touched, but drops first what its limits do not allow beside the new.
 * WSC_OK; WSC_ERROR: that cannot be, nothing was changed.
 */
ssize_t wsc_shmlog_room(wsc_shmlog_t *l, uint32_t chat, size_t need,
    const wsc_shmlog_limits_t *limits, uint64_t now);

/* How many chunks an entry of so many octets takes. */
size_t wsc_shmlog_need(size_t len);

/* Writes an entry of `need` chunks where nobody sees it yet. */
uint32_t wsc_shmlog_fill(wsc_shmlog_t *l, uint32_t chat,
    const wsc_entry_t *e, uint32_t hash, size_t need);

/* Notes on the board that the chat has something new. */
void wsc_shmlog_post(wsc_shmlog_t *l, uint32_t chat);

/*
 * Takes away what is behind the names of an entry that is retracted; the
 * chunks that it needs no longer are returned: the first of them, or 0.
 */
uint32_t wsc_shmlog_strip(wsc_shmlog_t *l, uint32_t at);

/* To the first octet of an entry, then writes and reads octets. */
void wsc_shmlog_seek(wsc_shmlog_t *l, wsc_shmlog_cursor_t *cur, uint32_t at);
void wsc_shmlog_put(wsc_shmlog_cursor_t *cur, const wsc_str_t *s);
void wsc_shmlog_get(wsc_shmlog_cursor_t *cur, u_char *p, size_t len);


#endif /* _WSC_SHMLOG_POOL_H_INCLUDED_ */

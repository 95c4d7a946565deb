
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store: every chat's history in one flat area of memory that
 * several processes map, which is also replay source and notice board between
 * them.  The caller holds one lock around each call; a process may be killed
 * inside: the next one calls wsc_shmlog_repair() before anything else, clears
 * the dead one's slot, and wakes all, as the dead one may have woken nobody.
 *
 * The area is a pool of fixed chunks addressed by 32-bit index.  Only the
 * chats' records and entries, each published by one store, are authoritative;
 * free list, hash tables, LRU order and counts are derived and rebuilt.
 *
 * A chat's index is good as long as the chat has interest, else until the next
 * make of, or append to, another chat.
 */


#ifndef _WSC_SHMLOG_H_INCLUDED_
#define _WSC_SHMLOG_H_INCLUDED_


#include "wsc_value.h"


#define WSC_SHMLOG_SLOTS     256          /* workers, draining ones as well */
#define WSC_SHMLOG_MIN_SIZE  (128 * 1024)


/* Called at each point inside a change where a crash leaves it half done. */
typedef void (*wsc_shmlog_hook_pt)(void *ctx, int step);


/* A process's handle; the area may lie at another address in each process. */
typedef struct {
    void               *area;
    wsc_shmlog_hook_pt  hook;         /* NULL: none; for tests */
    void               *hook_ctx;
} wsc_shmlog_t;


/* What a chat keeps; 0: no such limit.  Only age can drop the newest entry. */

typedef struct {
    uint32_t            messages;
    uint64_t            age;          /* ms */
    uint64_t            bytes;        /* of pool memory under the entries */
} wsc_shmlog_limits_t;


typedef struct {
    wsc_pos_t           head;         /* last position given; seq 0: none */
    wsc_pos_t           first;        /* oldest kept; seq 0: none kept */
    wsc_pos_t           lost;         /* newest position no longer kept;
                                         seq 0: nothing was ever dropped */
    uint64_t            rev;          /* number of its changes, ever */
    uint32_t            count;
} wsc_shmlog_chat_t;


typedef struct {
    uint64_t            chunks;
    uint64_t            chunks_free;
    uint64_t            chats;
    uint64_t            messages;
    uint64_t            evicted;      /* chats dropped for room, ever */
    uint64_t            repairs;      /* ever */
} wsc_shmlog_stat_t;


/*
 * Formats size octets at area (at least WSC_SHMLOG_MIN_SIZE, 16 aligned) and
 * attaches the handle, without a hook.  WSC_OK; WSC_DECLINED: too small.
 */
ssize_t wsc_shmlog_init(wsc_shmlog_t *l, void *area, size_t size);

/* Attaches to a formatted area.  WSC_OK; WSC_DECLINED: not such an area. */
ssize_t wsc_shmlog_open(wsc_shmlog_t *l, void *area);

/* Finds a chat's record: its index, or 0: there is none. */
uint32_t wsc_shmlog_find(wsc_shmlog_t *l, const wsc_str_t *chat_id);

/*
 * Finds or makes a record with a new epoch (ms since 1970, above every epoch
 * given before).  Room is made as for append.  0: every chunk is a chat that
 * somebody listens to, or the name is empty or too long.
 */
uint32_t wsc_shmlog_make(wsc_shmlog_t *l, const wsc_str_t *chat_id,
    uint64_t now);

/* Sets or clears a worker's interest; a chat with any is never evicted. */
void wsc_shmlog_interest(wsc_shmlog_t *l, uint32_t chat, unsigned slot,
    int on);

/* Clears a dead worker's interest in every chat. */
void wsc_shmlog_clear_slot(wsc_shmlog_t *l, unsigned slot);

/* The chat's interest mask: WSC_SHMLOG_SLOTS bits, slot 0 first. */
const uint64_t *wsc_shmlog_mask(wsc_shmlog_t *l, uint32_t chat);

/*
 * Appends e (sender, cid, message, timestamp are read; pos and prev are set)
 * and trims the chat to limits.  WSC_OK; WSC_DECLINED: the same sender and cid
 * (if not empty) are in the log already: pos, prev and timestamp are the first
 * one's; WSC_ERROR: no room, or names too long; nothing was changed.
 * Room is made from what the limits drop, then chats nobody listens to, empty
 * and least recently used ones first, then the oldest entries of the others.
 */
ssize_t wsc_shmlog_append(wsc_shmlog_t *l, uint32_t chat, wsc_entry_t *e,
    const wsc_shmlog_limits_t *limits);

/* Drops what is older than limits allow at this time; fills *c. */
void wsc_shmlog_stat_chat(wsc_shmlog_t *l, uint32_t chat, uint64_t now,
    const wsc_shmlog_limits_t *limits, wsc_shmlog_chat_t *c);

/*
 * Iterates backwards from the newest entry before `before` (NULL: from the
 * newest of all): the first call has *at == 0; *at is good under this lock.
 * Fills pos and size (what wsc_shmlog_copy needs).  WSC_OK; WSC_DONE: no more.
 */
ssize_t wsc_shmlog_back(wsc_shmlog_t *l, uint32_t chat,
    const wsc_pos_t *before, uint32_t *at, wsc_pos_t *pos, size_t *size);

/* Goes forward to the entry behind *at.  WSC_OK; WSC_DONE: *at stays. */
ssize_t wsc_shmlog_forward(wsc_shmlog_t *l, uint32_t *at, wsc_pos_t *pos,
    size_t *size);

/* Copies the entry at `at`: e's strings point into buf of `size` octets. */
void wsc_shmlog_copy(wsc_shmlog_t *l, uint32_t at, wsc_entry_t *e,
    u_char *buf);

/*
 * The notice board: which chats were appended to since *cursor.  WSC_OK: *chat
 * is the next one; WSC_DONE: none; WSC_DECLINED: the board was lapped: look
 * at every chat; the cursor stands at its end now (wsc_shmlog_cursor()).
 */
uint64_t wsc_shmlog_cursor(wsc_shmlog_t *l);
ssize_t wsc_shmlog_notice(wsc_shmlog_t *l, uint64_t *cursor, uint32_t *chat);

/* The name of the chat whose record has this index; it lies in the area. */
void wsc_shmlog_name(wsc_shmlog_t *l, uint32_t chat, wsc_str_t *chat_id);

/* Rebuilds everything derived after a process died inside a call. */
void wsc_shmlog_repair(wsc_shmlog_t *l);

void wsc_shmlog_stat(wsc_shmlog_t *l, wsc_shmlog_stat_t *st);


#endif /* _WSC_SHMLOG_H_INCLUDED_ */

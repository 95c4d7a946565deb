
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store: messages that are edited or retracted.  The caller holds
 * the lock, as for wsc_shmlog.h.
 */


#ifndef _WSC_SHMLOG_CHANGE_H_INCLUDED_
#define _WSC_SHMLOG_CHANGE_H_INCLUDED_


#include "wsc_shmlog.h"


/* Which changes are asked for. */

typedef struct {
    uint64_t            rev;          /* those behind it, */
    uint64_t            since;        /* made when the head was here or later,
                                         */
    uint64_t            upto;         /* of messages up to here */
} wsc_shmlog_since_t;


/* The entry at this position; 0: there is none. */
uint32_t wsc_shmlog_entry(wsc_shmlog_t *l, uint32_t chat, wsc_pos_t pos);

/* 1: it was sent by this user. */
int wsc_shmlog_is_from(wsc_shmlog_t *l, uint32_t at, const wsc_str_t *user);

/*
 * Puts another message in the place of the one at pos; room is made as for
 * append.  WSC_OK; WSC_DECLINED: there is none, or it was retracted;
 * WSC_ERROR: no room, nothing was changed.
 */
ssize_t wsc_shmlog_edit(wsc_shmlog_t *l, uint32_t chat, wsc_pos_t pos,
    const wsc_value_t *message, const wsc_shmlog_limits_t *limits,
    uint64_t now);

/*
 * Takes a message's octets away for good, and leaves its place.  WSC_OK;
 * WSC_DONE: that was done before.
 */
ssize_t wsc_shmlog_retract(wsc_shmlog_t *l, uint32_t at);

/*
 * Looks for messages of a user that are not retracted, in any chat, among the
 * `n` chunks behind *chunk (0: from the start).  WSC_OK: *chunk is one, and
 * *chat its chat; WSC_AGAIN: there is none among these; WSC_DONE: that was the
 * end.
 */
ssize_t wsc_shmlog_sent(wsc_shmlog_t *l, const wsc_str_t *user,
    uint32_t *chunk, uint32_t n, uint32_t *chat);

/*
 * Finds changed entries, of all of these the `max` first changed ones.  How
 * many there are in `at`; *rev: the revision of the last one, or of the chat
 * if these are all.
 */
size_t wsc_shmlog_changed(wsc_shmlog_t *l, uint32_t chat,
    const wsc_shmlog_since_t *since, uint32_t *at, size_t max, uint64_t *rev);

/* The number of the chat's changes; it may be read without the lock. */
uint64_t wsc_shmlog_rev(wsc_shmlog_t *l, uint32_t chat);

/* What wsc_shmlog_copy() needs for the entry. */
size_t wsc_shmlog_size(wsc_shmlog_t *l, uint32_t at);


#endif /* _WSC_SHMLOG_CHANGE_H_INCLUDED_ */

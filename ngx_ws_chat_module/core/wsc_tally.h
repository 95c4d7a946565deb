
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * How many of something each key has, over several processes: a table of
 * fixed size in memory that they share, without locks.  Each process counts in
 * words of its own, so what a dead one had counted can be forgotten.
 */


#ifndef _WSC_TALLY_H_INCLUDED_
#define _WSC_TALLY_H_INCLUDED_


#include "wsc_base.h"


#define WSC_TALLY_WORDS   524288    /* pairs of key and owner: 4 MiB */
#define WSC_TALLY_WINDOW  128       /* a key's words are within so many */
#define WSC_TALLY_OWNERS  256
#define WSC_TALLY_MOST    65535     /* of one key and owner */


/* All zero at first. */

typedef struct {
    uint8_t          used[WSC_TALLY_OWNERS];    /* 1: may have words */
    uint64_t         words[WSC_TALLY_WORDS];    /* tag 40, owner 8, count 16
                                                   bits; 0: free */
} wsc_tally_t;


/*
 * Counts one more for a key, unless there are `limit` already.  The key is a
 * hash that nobody outside can foresee; only its owner's process calls this.
 * Of two that count the last one at the same moment both may be refused, but
 * there are never more than the limit.
 *
 * WSC_OK; WSC_DECLINED: at the limit; WSC_AGAIN: there is no room to count it
 * (it is then not to be dropped either).
 */
int wsc_tally_add(wsc_tally_t *t, uint64_t key, unsigned owner,
    uint64_t limit);

/* Takes back one that wsc_tally_add() has counted. */
void wsc_tally_drop(wsc_tally_t *t, uint64_t key, unsigned owner);

/* The sum over all owners. */
uint64_t wsc_tally_count(wsc_tally_t *t, uint64_t key);

/* Forgets all that an owner had counted; it does not count any more. */
void wsc_tally_forget(wsc_tally_t *t, unsigned owner);


#endif /* _WSC_TALLY_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * How far a partition is in Redis: "<epoch> <next> <goal> <floor>".
 *
 *     next   the offset to fetch next
 *     goal   what is before it was published once already: it is put back
 *            quietly after Redis lost everything
 *     floor  offsets before it may be missing here; 0: none is
 */


#ifndef _WSC_PROGRESS_H_INCLUDED_
#define _WSC_PROGRESS_H_INCLUDED_


#include "wsc_base.h"


#define WSC_PROGRESS_LEN  (4 * 20 + 3)


typedef struct {
    uint64_t         epoch;
    uint64_t         next;
    uint64_t         goal;
    uint64_t         floor;
} wsc_progress_t;


typedef enum {
    WSC_PROGRESS_OK = 0,          /* stands where the batch was fetched from */
    WSC_PROGRESS_DUP,             /* another one was faster */
    WSC_PROGRESS_GAP,             /* Redis has lost its end */
    WSC_PROGRESS_EMPTY,           /* Redis has lost everything */
    WSC_PROGRESS_OLD,             /* it is of an epoch before ours */
    WSC_PROGRESS_NEW              /* ours is over */
} wsc_progress_e;


/* WSC_OK or WSC_DECLINED (not one); the octets written. */
ssize_t wsc_progress_parse(const wsc_str_t *s, wsc_progress_t *p);
size_t wsc_progress_print(u_char *buf, const wsc_progress_t *p);

/*
 * What the value (NULL: there is none; what is no progress counts the same)
 * says to a batch that was fetched from an offset.  *p is set but for EMPTY.
 */
wsc_progress_e wsc_progress_decide(const wsc_str_t *value, uint64_t epoch,
    uint64_t from, wsc_progress_t *p);

/*
 * A partition's progress in a Redis that knows nothing of it.  low: the first
 * offset there is; goal: what was published before; keep: how many records
 * are put back at most.
 */
void wsc_progress_begin(wsc_progress_t *p, uint64_t epoch, uint64_t low,
    uint64_t goal, uint64_t keep);

/*
 * The position before the message at `offset`: head is the chat's last known
 * one, or NULL.  Where that is not certain it is the one right before it, so
 * that a reader who stands before that has to look.
 */
wsc_pos_t wsc_progress_prev(const wsc_progress_t *p, const wsc_pos_t *head,
    uint64_t offset);


#endif /* _WSC_PROGRESS_H_INCLUDED_ */

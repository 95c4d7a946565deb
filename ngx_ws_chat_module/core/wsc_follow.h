
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A reader of one chat over a lossy bus.  Who appends to the stream publishes
 * the message in the same transaction, so the order on the bus is that of the
 * stream, but can only say which position it expects: the one behind the last
 * that the writer knew.  A reader is aligned when a read that began after its
 * subscription was confirmed saw that last is the end of the stream, and
 * nothing came meanwhile: then what comes next was read already, or is the
 * very next entry.  An aligned reader may take a message whose prev is its
 * last one, for the position then is as expected.  Anything else says that
 * there is something behind last, and the stream, which is the authority, is
 * read.
 */


#ifndef _WSC_FOLLOW_H_INCLUDED_
#define _WSC_FOLLOW_H_INCLUDED_


#include "wsc_value.h"


typedef struct {
    wsc_pos_t            last;        /* delivered */
    unsigned             aligned:1;
    unsigned             reading:1;   /* a read is under way */
    unsigned             missed:1;    /* it will not have shown everything */
    unsigned             there:1;     /* it showed last */
    unsigned             due:1;       /* to be read */
} wsc_follow_t;


/* Not aligned; last may be set as long as nothing was delivered. */
void wsc_follow_init(wsc_follow_t *f);

/*
 * What came before tells nothing: a subscription was confirmed, or ended, or
 * something was stored by a writer that knows no position.
 */
void wsc_follow_astray(wsc_follow_t *f);

/*
 * A message came by the bus.  WSC_OK: deliver it, last has moved on to it;
 * WSC_AGAIN: read the stream.
 */
ssize_t wsc_follow_message(wsc_follow_t *f, const wsc_entry_t *e);

/* A read of last and all behind it begins. */
void wsc_follow_read(wsc_follow_t *f);

/*
 * An entry of it, ascending: WSC_OK: deliver it, last has moved on to it; if
 * its prev is behind the last before, what was between is gone.
 * WSC_DECLINED: it was delivered before, as last was.
 */
ssize_t wsc_follow_entry(wsc_follow_t *f, const wsc_entry_t *e);

/* The read is over.  whole: it came to the stream's end as it stood then. */
void wsc_follow_was_read(wsc_follow_t *f, int whole);

/* 1: the stream is to be read, and no read is under way. */
int wsc_follow_due(const wsc_follow_t *f);


#endif /* _WSC_FOLLOW_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * How far each user has come in a chat: what has reached it, what it has read.
 * Marks only rise.  Of a bounded number of users, of which those go first that
 * were not raised for the longest time; what such a one had, no unknown user
 * is below any more, so that it never goes back either.
 */


#ifndef _WSC_MARKS_H_INCLUDED_
#define _WSC_MARKS_H_INCLUDED_


#include "wsc_value.h"


typedef struct wsc_mark_s  wsc_mark_t;


struct wsc_mark_s {
    wsc_mark_t         *link;         /* of the same bucket */
    wsc_mark_t         *next;         /* raised before this one */
    wsc_mark_t         *prev;
    wsc_pos_t           delivered;    /* not before read */
    wsc_pos_t           read;         /* seq 0: nothing */
    uint32_t            hash;
    uint32_t            at;           /* the owner's: a ms clock */
    uint8_t             len;
    unsigned            told:1;       /* the owner's: `at` is set */
    unsigned            due:1;
    u_char              user[];
};


typedef struct {
    const wsc_alloc_t  *alloc;
    wsc_mark_t        **buckets;
    wsc_mark_t         *one;          /* the only one before it grows */
    wsc_mark_t         *first;        /* raised last */
    wsc_mark_t         *last;
    wsc_pos_t           floor;        /* of those that had to go */
    uint32_t            seed;
    uint32_t            mask;
    uint32_t            n;
    uint32_t            max;
    uint32_t            due;          /* so many are */
} wsc_marks_t;


/* Empty; nothing is allocated.  It may not move afterwards. */
void wsc_marks_init(wsc_marks_t *m, const wsc_alloc_t *alloc, uint32_t max,
    uint32_t seed);

wsc_mark_t *wsc_marks_find(const wsc_marks_t *m, const wsc_str_t *user);

/*
 * A user has come so far; what was read was delivered.  WSC_OK: with *mark,
 * which is the first one now; WSC_DECLINED: that is known; WSC_ERROR: no
 * memory.
 */
ssize_t wsc_marks_raise(wsc_marks_t *m, const wsc_str_t *user,
    wsc_pos_t delivered, wsc_pos_t read, wsc_mark_t **mark);

/* 1: it is known that the user has come so far. */
int wsc_marks_cover(const wsc_marks_t *m, const wsc_str_t *user,
    wsc_pos_t delivered, wsc_pos_t read);

/* Sets `due`. */
void wsc_marks_due(wsc_marks_t *m, wsc_mark_t *mark, int due);

/* Removes a mark; forget: of a user that may come again with a lower one. */
void wsc_marks_drop(wsc_marks_t *m, wsc_mark_t *mark);
void wsc_marks_forget(wsc_marks_t *m, wsc_mark_t *mark);

/* Empty again, without what it needed. */
void wsc_marks_free(wsc_marks_t *m);


#endif /* _WSC_MARKS_H_INCLUDED_ */

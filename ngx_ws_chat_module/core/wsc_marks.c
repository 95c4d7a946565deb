
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_marks.h"


static uint32_t wsc_marks_hash(const wsc_marks_t *m, const wsc_str_t *user);
static wsc_mark_t **wsc_marks_bucket(const wsc_marks_t *m, uint32_t hash);
static void wsc_marks_grow(wsc_marks_t *m);
static wsc_mark_t *wsc_marks_add(wsc_marks_t *m, const wsc_str_t *user);
static void wsc_marks_lead(wsc_marks_t *m, wsc_mark_t *mark);
static void wsc_marks_unlink(wsc_marks_t *m, wsc_mark_t *mark);
static wsc_pos_t wsc_marks_above(const wsc_marks_t *m, wsc_pos_t pos);


void
wsc_marks_init(wsc_marks_t *m, const wsc_alloc_t *alloc, uint32_t max,
    uint32_t seed)
{
    memset(m, 0, sizeof(wsc_marks_t));

    m->alloc = alloc;
    m->buckets = &m->one;
    m->max = max;
    m->seed = seed;
}


wsc_mark_t *
wsc_marks_find(const wsc_marks_t *m, const wsc_str_t *user)
{
    uint32_t     hash;
    wsc_mark_t  *mark;

    hash = wsc_marks_hash(m, user);

    for (mark = *wsc_marks_bucket(m, hash); mark; mark = mark->link) {
        if (mark->hash == hash && mark->len == user->len
            && memcmp(mark->user, user->data, user->len) == 0)
        {
            break;
        }
    }

    return mark;
}


ssize_t
wsc_marks_raise(wsc_marks_t *m, const wsc_str_t *user, wsc_pos_t delivered,
    wsc_pos_t read, wsc_mark_t **mark)
{
    wsc_mark_t  *found;

    if (wsc_marks_cover(m, user, delivered, read)) {
        return WSC_DECLINED;
    }

    found = wsc_marks_find(m, user);

    if (found == NULL) {
        delivered = wsc_marks_above(m, delivered);
        read = wsc_marks_above(m, read);

        found = wsc_marks_add(m, user);
        if (found == NULL) {
            return WSC_ERROR;
        }
    }

    if (wsc_pos_cmp(read, found->read) > 0) {
        found->read = read;
    }

    if (wsc_pos_cmp(delivered, found->delivered) > 0) {
        found->delivered = delivered;
    }

    if (wsc_pos_cmp(found->read, found->delivered) > 0) {
        found->delivered = found->read;
    }

    wsc_marks_unlink(m, found);
    wsc_marks_lead(m, found);

    *mark = found;

    return WSC_OK;
}


int
wsc_marks_cover(const wsc_marks_t *m, const wsc_str_t *user,
    wsc_pos_t delivered, wsc_pos_t read)
{
    const wsc_mark_t  *mark;

    mark = wsc_marks_find(m, user);

    if (mark == NULL) {
        return wsc_marks_above(m, delivered).seq == 0
               && wsc_marks_above(m, read).seq == 0;
    }

    return wsc_pos_cmp(delivered, mark->delivered) <= 0
           && wsc_pos_cmp(read, mark->read) <= 0;
}


void
wsc_marks_due(wsc_marks_t *m, wsc_mark_t *mark, int due)
{
    m->due += due - mark->due;
    mark->due = due;
}


void
wsc_marks_drop(wsc_marks_t *m, wsc_mark_t *mark)
{
    wsc_mark_t  **p;

    for (p = wsc_marks_bucket(m, mark->hash); *p != mark; p = &(*p)->link) {
        /* void */
    }

    *p = mark->link;

    wsc_marks_due(m, mark, 0);
    wsc_marks_unlink(m, mark);
    wsc_free(m->alloc, mark);

    m->n--;
}


void
wsc_marks_forget(wsc_marks_t *m, wsc_mark_t *mark)
{
    if (wsc_pos_cmp(mark->delivered, m->floor) > 0) {
        m->floor = mark->delivered;
    }

    wsc_marks_drop(m, mark);
}


void
wsc_marks_free(wsc_marks_t *m)
{
    while (m->first) {
        wsc_marks_drop(m, m->first);
    }

    if (m->buckets != &m->one) {
        wsc_free(m->alloc, m->buckets);
    }

    wsc_marks_init(m, m->alloc, m->max, m->seed);
}


/* FNV-1a, mixed at the end. */

static uint32_t
wsc_marks_hash(const wsc_marks_t *m, const wsc_str_t *user)
{
    size_t    i;
    uint32_t  hash;

    hash = m->seed ^ 2166136261u;

    for (i = 0; i < user->len; i++) {
        hash = (hash ^ user->data[i]) * 16777619u;
    }

    return hash ^ hash >> 15;
}


static wsc_mark_t **
wsc_marks_bucket(const wsc_marks_t *m, uint32_t hash)
{
    return &m->buckets[hash & m->mask];
}


/* Without memory the lists only become longer. */

static void
wsc_marks_grow(wsc_marks_t *m)
{
    size_t        size;
    wsc_mark_t   *mark, **to;

    size = 2 * ((size_t) m->mask + 1) * sizeof(wsc_mark_t *);

    to = wsc_alloc(m->alloc, size);
    if (to == NULL) {
        return;
    }

    memset(to, 0, size);

    if (m->buckets != &m->one) {
        wsc_free(m->alloc, m->buckets);
    }

    m->buckets = to;
    m->mask = 2 * m->mask + 1;

    for (mark = m->first; mark; mark = mark->next) {
        to = wsc_marks_bucket(m, mark->hash);
        mark->link = *to;
        *to = mark;
    }
}


static wsc_mark_t *
wsc_marks_add(wsc_marks_t *m, const wsc_str_t *user)
{
    wsc_mark_t  *mark, **bucket;

    if (m->n == m->max) {
        wsc_marks_forget(m, m->last);
    }

    if (m->n > m->mask) {
        wsc_marks_grow(m);
    }

    mark = wsc_alloc(m->alloc, sizeof(wsc_mark_t) + user->len);
    if (mark == NULL) {
        return NULL;
    }

    memset(mark, 0, sizeof(wsc_mark_t));

    mark->hash = wsc_marks_hash(m, user);
    mark->len = user->len;
    memcpy(mark->user, user->data, user->len);

    bucket = wsc_marks_bucket(m, mark->hash);
    mark->link = *bucket;
    *bucket = mark;

    wsc_marks_lead(m, mark);
    m->n++;

    return mark;
}


static void
wsc_marks_lead(wsc_marks_t *m, wsc_mark_t *mark)
{
    mark->prev = NULL;
    mark->next = m->first;

    if (mark->next) {
        mark->next->prev = mark;

    } else {
        m->last = mark;
    }

    m->first = mark;
}


static void
wsc_marks_unlink(wsc_marks_t *m, wsc_mark_t *mark)
{
    if (mark->prev) {
        mark->prev->next = mark->next;

    } else {
        m->first = mark->next;
    }

    if (mark->next) {
        mark->next->prev = mark->prev;

    } else {
        m->last = mark->prev;
    }
}


/* The position, or seq 0: a user that had to go may have had it. */

static wsc_pos_t
wsc_marks_above(const wsc_marks_t *m, wsc_pos_t pos)
{
    if (wsc_pos_cmp(pos, m->floor) <= 0) {
        pos.epoch = 0;
        pos.seq = 0;
    }

    return pos;
}

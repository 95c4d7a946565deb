
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The room log: chunks that are slotted pages.  Frames grow from the front,
 * a tag for each from the back:
 *
 *     | frame 0 | frame 1 | ...   free   ... | tag 1 | tag 0 |
 */


#include <string.h>

#include "wsc_roomlog.h"


#define WSC_ROOMLOG_MIN  4096      /* octets of memory of a chunk */
#define WSC_ROOMLOG_MAX  65536


typedef struct {
    uint64_t            end;       /* offset behind the frame */
    wsc_pos_t           pos;       /* of the last message up to here */
} wsc_roomlog_tag_t;


struct wsc_chunk_s {
    wsc_chunk_t        *next;
    uint64_t            start;     /* offset of data[0] */
    uint64_t            frames;    /* in the chunks before */
    size_t              size;      /* of data, a multiple of a tag's align */
    size_t              used;      /* by frames */
    size_t              n;         /* tags */
    u_char              data[];
};


#define wsc_roomlog_end(c)  ((c)->start + (c)->used)


static wsc_chunk_t *wsc_roomlog_grow(wsc_roomlog_t *l, size_t need);
static wsc_roomlog_tag_t *wsc_roomlog_tag(const wsc_chunk_t *c, size_t i);
static size_t wsc_roomlog_done(const wsc_chunk_t *c, uint64_t at);
static wsc_chunk_t *wsc_roomlog_find(const wsc_roomlog_t *l, uint64_t at);


void
wsc_roomlog_init(wsc_roomlog_t *l, const wsc_alloc_t *alloc, wsc_pos_t pos)
{
    l->alloc = alloc;
    l->first = NULL;
    l->last = NULL;
    l->start = 0;
    l->end = 0;
    l->before = pos;
    l->tail = pos;
}


ssize_t
wsc_roomlog_append(wsc_roomlog_t *l, const u_char *header, size_t hlen,
    const u_char *p, size_t len, const wsc_pos_t *pos)
{
    size_t              need;
    u_char             *to;
    wsc_chunk_t        *c;
    wsc_roomlog_tag_t  *tag;

    if (hlen > SIZE_MAX / 4 || len > SIZE_MAX / 4) {
        return WSC_ERROR;
    }

    need = hlen + len + sizeof(wsc_roomlog_tag_t);
    c = l->last;

    if (c == NULL
        || c->size - c->used - c->n * sizeof(wsc_roomlog_tag_t) < need)
    {
        c = wsc_roomlog_grow(l, need);

        if (c == NULL) {
            return WSC_ERROR;
        }
    }

    to = c->data + c->used;

    if (hlen) {
        memcpy(to, header, hlen);
    }

    if (len) {
        memcpy(to + hlen, p, len);
    }

    if (pos) {
        l->tail = *pos;
    }

    c->used += hlen + len;
    l->end += hlen + len;

    tag = wsc_roomlog_tag(c, c->n++);
    tag->end = l->end;
    tag->pos = l->tail;

    return WSC_OK;
}


/* A log that fills chunks while it is read is hot: the next is larger. */

static wsc_chunk_t *
wsc_roomlog_grow(wsc_roomlog_t *l, size_t need)
{
    size_t        size;
    wsc_chunk_t  *c, *last;

    last = l->last;
    size = WSC_ROOMLOG_MIN;

    if (last) {
        size = 2 * (sizeof(wsc_chunk_t) + last->size);
    }

    if (size > WSC_ROOMLOG_MAX) {
        size = WSC_ROOMLOG_MAX;
    }

    size -= sizeof(wsc_chunk_t);

    if (size < need) {
        size = (need + sizeof(uint64_t) - 1) & ~(sizeof(uint64_t) - 1);
    }

    c = wsc_alloc(l->alloc, sizeof(wsc_chunk_t) + size);

    if (c == NULL) {
        return NULL;
    }

    c->next = NULL;
    c->start = l->end;
    c->frames = last ? last->frames + last->n : 0;
    c->size = size;
    c->used = 0;
    c->n = 0;

    if (last) {
        last->next = c;

    } else {
        l->first = c;
    }

    l->last = c;

    return c;
}


size_t
wsc_roomlog_slices(const wsc_roomlog_t *l, uint64_t from, size_t max,
    wsc_slice_t *slices, size_t n, size_t *total)
{
    size_t              i, len;
    const wsc_chunk_t  *c;

    *total = 0;

    if (from < l->start || from >= l->end) {
        return 0;
    }

    if (max == 0) {
        max = SIZE_MAX;
    }

    i = 0;

    for (c = wsc_roomlog_find(l, from); c && i < n && max; c = c->next) {
        len = wsc_roomlog_end(c) - from;

        if (len > max) {
            len = max;
        }

        slices[i].data = (u_char *) c->data + (from - c->start);
        slices[i].len = len;
        i++;

        from += len;
        max -= len;
        *total += len;
    }

    return i;
}


uint64_t
wsc_roomlog_border(const wsc_roomlog_t *l, uint64_t at)
{
    size_t              i;
    const wsc_chunk_t  *c;

    if (at <= l->start) {
        return l->start;
    }

    if (at >= l->end) {
        return l->end;
    }

    c = wsc_roomlog_find(l, at);

    if (at == c->start) {
        return at;
    }

    i = wsc_roomlog_done(c, at - 1);

    return wsc_roomlog_tag(c, i)->end;
}


wsc_pos_t
wsc_roomlog_position(const wsc_roomlog_t *l, uint64_t at)
{
    size_t              i;
    const wsc_chunk_t  *c;

    if (at >= l->end) {
        return l->tail;
    }

    if (at <= l->start) {
        return l->before;
    }

    c = wsc_roomlog_find(l, at);
    i = wsc_roomlog_done(c, at);

    if (i) {
        return wsc_roomlog_tag(c, i - 1)->pos;
    }

    /* the chunk before ends exactly where this one starts */

    if (c == l->first) {
        return l->before;
    }

    c = wsc_roomlog_find(l, c->start - 1);

    return wsc_roomlog_tag(c, c->n - 1)->pos;
}


uint64_t
wsc_roomlog_frames(const wsc_roomlog_t *l, uint64_t from, uint64_t to)
{
    const wsc_chunk_t  *c, *d;

    if (from < l->start) {
        from = l->start;
    }

    if (to > l->end) {
        to = l->end;
    }

    if (from >= to) {
        return 0;
    }

    c = wsc_roomlog_find(l, from);
    d = wsc_roomlog_find(l, to);

    return d->frames + wsc_roomlog_done(d, to)
           - c->frames - wsc_roomlog_done(c, from);
}


void
wsc_roomlog_trim(wsc_roomlog_t *l, uint64_t to)
{
    wsc_chunk_t  *c;

    while (l->first) {
        c = l->first;

        if (wsc_roomlog_end(c) > to) {
            return;
        }

        l->before = wsc_roomlog_tag(c, c->n - 1)->pos;
        l->start = wsc_roomlog_end(c);
        l->first = c->next;

        if (l->first == NULL) {
            l->last = NULL;
        }

        wsc_free(l->alloc, c);
    }
}


size_t
wsc_roomlog_memory(const wsc_roomlog_t *l)
{
    size_t              size;
    const wsc_chunk_t  *c;

    size = 0;

    for (c = l->first; c; c = c->next) {
        size += sizeof(wsc_chunk_t) + c->size;
    }

    return size;
}


void
wsc_roomlog_free(wsc_roomlog_t *l)
{
    wsc_roomlog_trim(l, l->end);
}


static wsc_roomlog_tag_t *
wsc_roomlog_tag(const wsc_chunk_t *c, size_t i)
{
    return (wsc_roomlog_tag_t *) (c->data + c->size) - i - 1;
}


/* How many of the chunk's frames end at or before `at`. */

static size_t
wsc_roomlog_done(const wsc_chunk_t *c, uint64_t at)
{
    size_t  low, high, middle;

    low = 0;
    high = c->n;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (wsc_roomlog_tag(c, middle)->end <= at) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low;
}


/* The chunk with the octet at `at`, start <= at < end, or the last. */

static wsc_chunk_t *
wsc_roomlog_find(const wsc_roomlog_t *l, uint64_t at)
{
    wsc_chunk_t  *c;

    if (at >= l->last->start) {
        return l->last;
    }

    for (c = l->first; at >= wsc_roomlog_end(c); c = c->next) { /* void */ }

    return c;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A growable output buffer with a sticky error.
 */


#include <string.h>

#include "wsc_buf.h"


#define WSC_BUF_MIN  64


static inline u_char *wsc_buf_room(wsc_buf_t *b, size_t n);


void
wsc_buf_init(wsc_buf_t *b, const wsc_alloc_t *alloc)
{
    b->alloc = alloc;
    b->data = NULL;
    b->len = 0;
    b->size = 0;
    b->failed = 0;
}


void
wsc_buf_reset(wsc_buf_t *b, size_t keep)
{
    if (b->size > keep) {
        wsc_buf_free(b);
        return;
    }

    b->len = 0;
    b->failed = 0;
}


void
wsc_buf_free(wsc_buf_t *b)
{
    wsc_free(b->alloc, b->data);
    wsc_buf_init(b, b->alloc);
}


u_char *
wsc_buf_reserve(wsc_buf_t *b, size_t n)
{
    return wsc_buf_room(b, n);
}


/* Most octets find their place: then this is all there is to do. */

static inline u_char *
wsc_buf_room(wsc_buf_t *b, size_t n)
{
    if (n < b->size - b->len && !b->failed) {
        return b->data + b->len;
    }

    return wsc_buf_reserve_max(b, n, SIZE_MAX);
}


u_char *
wsc_buf_reserve_max(wsc_buf_t *b, size_t n, size_t max)
{
    size_t   size;
    u_char  *data;

    if (b->failed) {
        return NULL;
    }

    if (b->len > max || n > max - b->len) {
        b->failed = 1;
        return NULL;
    }

    if (b->data != NULL && n <= b->size - b->len) {
        return b->data + b->len;
    }

    size = (b->size > max / 2) ? max : b->size * 2;

    if (size < WSC_BUF_MIN) {
        size = (max < WSC_BUF_MIN) ? max : WSC_BUF_MIN;
    }

    if (size < b->len + n) {
        size = b->len + n;
    }

    data = wsc_alloc(b->alloc, size);
    if (data == NULL) {
        b->failed = 1;
        return NULL;
    }

    if (b->len) {
        memcpy(data, b->data, b->len);
    }

    wsc_free(b->alloc, b->data);

    b->data = data;
    b->size = size;

    return data + b->len;
}


void
wsc_buf_add(wsc_buf_t *b, const void *p, size_t n)
{
    u_char  *to;

    if (n == 0) {
        return;
    }

    to = wsc_buf_room(b, n);
    if (to == NULL) {
        return;
    }

    memcpy(to, p, n);
    b->len += n;
}


void
wsc_buf_byte(wsc_buf_t *b, u_char ch)
{
    u_char  *to;

    to = wsc_buf_room(b, 1);
    if (to == NULL) {
        return;
    }

    *to = ch;
    b->len++;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * permessage-deflate on zlib, whose memory comes from a wsc_alloc_t.
 */


#include <string.h>
#include <zlib.h>

#include "wsc_deflate.h"


#define WSC_DEFLATE_TAIL      4       /* 00 00 ff ff */

/* as much for tables as for the window */
#define wsc_deflate_memlevel(window)  ((window) > 13 ? (window) - 7 : 6)

#define WSC_INFLATE_STEP      1024    /* asked for when out has no room */

/* bits of z_stream.data_type after inflate(): just behind a whole block */
#define WSC_INFLATE_BETWEEN   128


typedef struct {
    const wsc_alloc_t  *alloc;
    size_t              size;         /* octets given to zlib */
} wsc_zmem_t;


struct wsc_deflate_s {
    wsc_zmem_t          mem;
    z_stream            stream;
};


struct wsc_inflate_s {
    wsc_zmem_t          mem;
    z_stream            stream;
    unsigned            fresh:1;      /* nothing fed since the message began
                                         or since a final block */
};


static ssize_t wsc_deflate_into(wsc_deflate_t *d, const u_char *p, size_t len,
    size_t room, wsc_buf_t *out);
static void wsc_zmem_init(wsc_zmem_t *m, const wsc_alloc_t *alloc,
    z_stream *s);
static void *wsc_zmem_alloc(void *ctx, unsigned n, unsigned size);
static void wsc_zmem_free(void *ctx, void *p);
static ssize_t wsc_inflate_feed(wsc_inflate_t *i, const u_char *p, size_t len,
    size_t limit, wsc_buf_t *out);
static ssize_t wsc_inflate_step(wsc_inflate_t *i, size_t limit,
    wsc_buf_t *out);


wsc_deflate_t *
wsc_deflate_create(const wsc_alloc_t *alloc, int window, int level)
{
    wsc_deflate_t  *d;

    d = wsc_alloc(alloc, sizeof(wsc_deflate_t));
    if (d == NULL) {
        return NULL;
    }

    memset(d, 0, sizeof(wsc_deflate_t));
    wsc_zmem_init(&d->mem, alloc, &d->stream);

    if (deflateInit2(&d->stream, level, Z_DEFLATED, -window,
                     wsc_deflate_memlevel(window), Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        wsc_free(alloc, d);
        return NULL;
    }

    return d;
}


ssize_t
wsc_deflate_message(wsc_deflate_t *d, const u_char *p, size_t len,
    wsc_buf_t *out)
{
    ssize_t  rc;

    if (len > WSC_DEFLATE_MAX) {
        return WSC_DECLINED;
    }

    /* what fills this and the tail would not be smaller than the message */
    rc = wsc_deflate_into(d, p, len, (len ? len : 2) + WSC_DEFLATE_TAIL, out);

    deflateReset(&d->stream);

    return rc;
}


ssize_t
wsc_deflate_next(wsc_deflate_t *d, int fresh, const u_char *p, size_t len,
    wsc_buf_t *out)
{
    if (len > WSC_DEFLATE_MAX) {
        return WSC_DECLINED;
    }

    if (fresh) {
        deflateReset(&d->stream);
    }

    /* section 7.2.3.6; zlib has nothing to flush twice */

    if (len == 0) {
        wsc_buf_byte(out, 0);
        return out->failed ? WSC_ERROR : WSC_OK;
    }

    return wsc_deflate_into(d, p, len, deflateBound(&d->stream, len)
                                       + 2 * WSC_DEFLATE_TAIL, out);
}


/* WSC_DECLINED: it fills the room. */

static ssize_t
wsc_deflate_into(wsc_deflate_t *d, const u_char *p, size_t len, size_t room,
    wsc_buf_t *out)
{
    int        rc;
    size_t     left;
    z_stream  *s;

    if (wsc_buf_reserve(out, room) == NULL) {
        return WSC_ERROR;
    }

    s = &d->stream;
    s->next_in = (u_char *) p;
    s->avail_in = (uInt) len;
    s->next_out = out->data + out->len;
    s->avail_out = (uInt) room;

    rc = deflate(s, Z_SYNC_FLUSH);
    left = s->avail_out;

    if (rc != Z_OK || left == 0) {
        return WSC_DECLINED;
    }

    out->len += room - left - WSC_DEFLATE_TAIL;

    return WSC_OK;
}


void
wsc_deflate_destroy(wsc_deflate_t *d)
{
    if (d == NULL) {
        return;
    }

    deflateEnd(&d->stream);
    wsc_free(d->mem.alloc, d);
}


wsc_inflate_t *
wsc_inflate_create(const wsc_alloc_t *alloc, int window)
{
    wsc_inflate_t  *i;

    i = wsc_alloc(alloc, sizeof(wsc_inflate_t));
    if (i == NULL) {
        return NULL;
    }

    memset(i, 0, sizeof(wsc_inflate_t));
    wsc_zmem_init(&i->mem, alloc, &i->stream);
    i->fresh = 1;

    if (inflateInit2(&i->stream, -(window < 9 ? 9 : window)) != Z_OK) {
        wsc_free(alloc, i);
        return NULL;
    }

    return i;
}


ssize_t
wsc_inflate_piece(wsc_inflate_t *i, const u_char *p, size_t len, int last,
    size_t limit, wsc_buf_t *out)
{
    ssize_t  rc;

    static const u_char  tail[WSC_DEFLATE_TAIL] = { 0, 0, 0xff, 0xff };

    if (len > WSC_DEFLATE_MAX) {
        return WSC_DECLINED;
    }

    rc = wsc_inflate_feed(i, p, len, limit, out);
    if (rc != WSC_OK || !last) {
        return rc;
    }

    if (i->fresh) {
        return WSC_OK;
    }

    rc = wsc_inflate_feed(i, tail, sizeof(tail), limit, out);
    if (rc != WSC_OK) {
        return rc;
    }

    if (!i->fresh && !(i->stream.data_type & WSC_INFLATE_BETWEEN)) {
        return WSC_ERROR;
    }

    i->fresh = 1;

    return WSC_OK;
}


void
wsc_inflate_reset(wsc_inflate_t *i)
{
    inflateReset(&i->stream);
    i->fresh = 1;
}


size_t
wsc_inflate_memory(const wsc_inflate_t *i)
{
    return sizeof(wsc_inflate_t) + i->mem.size;
}


void
wsc_inflate_destroy(wsc_inflate_t *i)
{
    if (i == NULL) {
        return;
    }

    inflateEnd(&i->stream);
    wsc_free(i->mem.alloc, i);
}


static void
wsc_zmem_init(wsc_zmem_t *m, const wsc_alloc_t *alloc, z_stream *s)
{
    m->alloc = alloc;
    m->size = 0;

    s->zalloc = wsc_zmem_alloc;
    s->zfree = wsc_zmem_free;
    s->opaque = m;
}


static void *
wsc_zmem_alloc(void *ctx, unsigned n, unsigned size)
{
    void        *p;
    wsc_zmem_t  *m = ctx;

    p = wsc_alloc(m->alloc, (size_t) n * size);
    if (p != NULL) {
        m->size += (size_t) n * size;
    }

    return p;
}


/* zlib frees only at the end, so that the size needs no care here. */

static void
wsc_zmem_free(void *ctx, void *p)
{
    wsc_zmem_t  *m = ctx;

    wsc_free(m->alloc, p);
}


static ssize_t
wsc_inflate_feed(wsc_inflate_t *i, const u_char *p, size_t len, size_t limit,
    wsc_buf_t *out)
{
    ssize_t    rc;
    z_stream  *s;

    if (len == 0) {
        return WSC_OK;
    }

    s = &i->stream;
    s->next_in = (u_char *) p;
    s->avail_in = (uInt) len;

    do {
        rc = wsc_inflate_step(i, limit, out);
        i->fresh = (rc == WSC_DONE);

        /* a final block does not end the message (section 7.2.3.5) */
        if (rc == WSC_DONE) {
            inflateResetKeep(s);
            rc = WSC_OK;
        }

    } while (rc == WSC_OK
             && (s->avail_in > 0 || (s->avail_out == 0 && !i->fresh)));

    return rc;
}


/*
 * Inflates into what room there is.  At the limit one octet more is asked for,
 * to learn whether the message ends there.
 */

static ssize_t
wsc_inflate_step(wsc_inflate_t *i, size_t limit, wsc_buf_t *out)
{
    int        rc;
    u_char     over;
    size_t     left, room;
    z_stream  *s;

    s = &i->stream;
    left = (out->len < limit) ? limit - out->len : 0;
    left = (left < WSC_DEFLATE_MAX) ? left : WSC_DEFLATE_MAX;

    if (left == 0) {
        s->next_out = &over;
        s->avail_out = 1;

        rc = inflate(s, Z_SYNC_FLUSH);

        if (s->avail_out == 0) {
            return WSC_DECLINED;
        }

    } else {
        if (out->len == out->size
            && wsc_buf_reserve_max(out, left < WSC_INFLATE_STEP
                                        ? left : WSC_INFLATE_STEP, limit)
               == NULL)
        {
            return WSC_ERROR;
        }

        room = out->size - out->len;
        room = (room < left) ? room : left;

        s->next_out = out->data + out->len;
        s->avail_out = (uInt) room;

        rc = inflate(s, Z_SYNC_FLUSH);

        out->len += room - s->avail_out;
    }

    switch (rc) {

    case Z_OK:
    case Z_BUF_ERROR:
        return WSC_OK;

    case Z_STREAM_END:
        return WSC_DONE;

    case Z_MEM_ERROR:
        out->failed = 1;
    }

    return WSC_ERROR;
}

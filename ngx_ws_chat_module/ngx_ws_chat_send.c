
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Peers, and the flush of everything that has something to write.
 */


#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_send_flush.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_stream.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_SLICES     16
#define NGX_WS_CHAT_VISIT      65536      /* octets a peer and visit */
#define NGX_WS_CHAT_TURN       2097152    /* cost of a turn of the loop */
#define NGX_WS_CHAT_OUT_BLOCK  1024       /* small frames share a block */


struct ngx_ws_chat_out_s {
    ngx_ws_chat_out_t  *next;
    uint32_t            pos;              /* written */
    uint32_t            len;
    uint32_t            size;
    u_char              data[];
};


/* What one system call is to write. */

typedef struct {
    wsc_slice_t         slices[NGX_WS_CHAT_SLICES];
    size_t              n;
    size_t              total;
    size_t              max;
    ngx_uint_t          more;             /* it was not all */
} ngx_ws_chat_gather_t;


static ngx_ws_chat_out_t *ngx_ws_chat_out_room(ngx_ws_chat_peer_t *p,
    size_t len);
static ngx_ws_chat_out_t *ngx_ws_chat_out_create(size_t size);
static void ngx_ws_chat_peer_fail(ngx_ws_chat_peer_t *p);
static void ngx_ws_chat_peer_visited(ngx_ws_chat_peer_t *p, uint32_t frames);
static void ngx_ws_chat_peer_gather(ngx_ws_chat_peer_t *p,
    ngx_ws_chat_gather_t *g);
static void ngx_ws_chat_gather_out(ngx_ws_chat_peer_t *p,
    ngx_ws_chat_gather_t *g);
static void ngx_ws_chat_gather_log(ngx_ws_chat_gather_t *g,
    ngx_ws_chat_reader_t *r, uint64_t from, uint64_t to);
static ssize_t ngx_ws_chat_peer_push(ngx_ws_chat_peer_t *p,
    ngx_ws_chat_gather_t *g);
static void ngx_ws_chat_peer_took(ngx_ws_chat_peer_t *p, size_t n);
static size_t ngx_ws_chat_peer_took_out(ngx_ws_chat_peer_t *p, size_t n);
static void ngx_ws_chat_peer_begun(ngx_ws_chat_reader_t *r, uint64_t border);
static void ngx_ws_chat_peer_commit(ngx_ws_chat_peer_t *p, size_t len);
static void ngx_ws_chat_flush_handler(ngx_event_t *ev);
static void ngx_ws_chat_flush_peers(void);


static ngx_event_t  ngx_ws_chat_flush_event;


void
ngx_ws_chat_send_init(ngx_log_t *log)
{
    ngx_ws_chat_streams_init();
    ngx_ws_chat_dirty_init();

    ngx_memzero(&ngx_ws_chat_flush_event, sizeof(ngx_event_t));

    ngx_ws_chat_flush_event.handler = ngx_ws_chat_flush_handler;
    ngx_ws_chat_flush_event.log = log;
}


void
ngx_ws_chat_send_done(void)
{
    if (ngx_ws_chat_flush_event.posted) {
        ngx_delete_posted_event(&ngx_ws_chat_flush_event);
    }

    ngx_ws_chat_dirty_done();
}


void
ngx_ws_chat_flush_post(void)
{
    ngx_post_event(&ngx_ws_chat_flush_event, &ngx_posted_events);
}


void
ngx_ws_chat_peer_init(ngx_ws_chat_peer_t *p, ngx_connection_t *c,
    const ngx_ws_chat_peer_ops_t *ops, size_t lag_limit)
{
    ngx_memzero(p, sizeof(ngx_ws_chat_peer_t));

    p->connection = c;
    p->ops = ops;
    p->lag_limit = (uint32_t) ngx_min(lag_limit, NGX_MAX_UINT32_VALUE);

    if (ops->push) {
        ngx_ws_chat_peer_bound(p);
    }
}


void
ngx_ws_chat_peer_done(ngx_ws_chat_peer_t *p)
{
    ngx_ws_chat_out_t  *o, *next;

    ngx_ws_chat_dirty_remove(p);

    if (p->out == NULL) {
        return;
    }

    o = p->out->next;
    p->out->next = NULL;

    for ( /* void */ ; o; o = next) {
        next = o->next;
        wsc_free(&ngx_ws_chat_alloc, o);
    }

    p->out = NULL;
    p->out_bytes = 0;
}


ngx_int_t
ngx_ws_chat_peer_send(ngx_ws_chat_peer_t *p, u_char flags, u_char opcode,
    const u_char *data, size_t len)
{
    u_char  header[WSC_FRAME_MAX_HEADER];
    size_t  hlen;

    hlen = wsc_frame_header(header, flags, opcode, len, NULL);

    return ngx_ws_chat_peer_put(p, header, hlen, data, len);
}


ngx_int_t
ngx_ws_chat_peer_put(ngx_ws_chat_peer_t *p, const u_char *header, size_t hlen,
    const u_char *data, size_t len)
{
    ngx_ws_chat_out_t  *o;

    if (p->muted) {
        return NGX_OK;
    }

    if (p->broken) {
        return NGX_ERROR;
    }

    o = ngx_ws_chat_out_room(p, hlen + len);
    if (o == NULL) {
        ngx_ws_chat_peer_fail(p);
        return NGX_ERROR;
    }

    if (hlen) {
        ngx_memcpy(o->data + o->len, header, hlen);
    }

    if (len) {
        ngx_memcpy(o->data + o->len + hlen, data, len);
    }

    o->len += hlen + len;
    p->out_bytes += hlen + len;

    ngx_ws_chat_peer_dirty(p);

    return NGX_OK;
}


/* Where the next direct frame goes: the last block, or a new one. */

static ngx_ws_chat_out_t *
ngx_ws_chat_out_room(ngx_ws_chat_peer_t *p, size_t len)
{
    ngx_uint_t          shared;
    ngx_ws_chat_out_t  *o, *last;

    last = p->out;

    if (last && len <= last->size - last->len) {
        return last;
    }

    if (len > NGX_MAX_INT32_VALUE - p->out_bytes) {
        return NULL;
    }

    /* the 101 will not be alone either */
    shared = last || (!p->begun && p->ops->push == NULL);

    o = ngx_ws_chat_out_create(shared && len < NGX_WS_CHAT_OUT_BLOCK
                               ? NGX_WS_CHAT_OUT_BLOCK : len);
    if (o == NULL) {
        return NULL;
    }

    if (last) {
        o->next = last->next;
        last->next = o;

    } else {
        o->next = o;
    }

    p->out = o;

    return o;
}


static ngx_ws_chat_out_t *
ngx_ws_chat_out_create(size_t size)
{
    ngx_ws_chat_out_t  *o;

    o = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_out_t) + size);
    if (o == NULL) {
        return NULL;
    }

    o->pos = 0;
    o->len = 0;
    o->size = (uint32_t) size;

    return o;
}


ngx_int_t
ngx_ws_chat_peer_keep(ngx_ws_chat_peer_t *p)
{
    size_t                 i, n, len;
    wsc_slice_t            slices[NGX_WS_CHAT_SLICES];
    ngx_ws_chat_out_t     *o;
    ngx_ws_chat_reader_t  *r;

    r = p->readers;
    len = p->mid;
    p->mid = 0;

    o = ngx_ws_chat_out_create(len);
    if (o == NULL) {
        r->pos += len;
        ngx_ws_chat_peer_fail(p);
        return NGX_ERROR;
    }

    while (o->len < len) {
        n = wsc_roomlog_slices(&r->stream->log, r->pos + o->len, len - o->len,
                               slices, NGX_WS_CHAT_SLICES, &i);

        for (i = 0; i < n; i++) {
            ngx_memcpy(o->data + o->len, slices[i].data, slices[i].len);
            o->len += slices[i].len;
        }
    }

    if (p->out) {
        o->next = p->out->next;
        p->out->next = o;

    } else {
        o->next = o;
        p->out = o;
    }

    p->out_bytes += len;
    r->pos += len;

    ngx_ws_chat_peer_dirty(p);

    return NGX_OK;
}


ngx_uint_t
ngx_ws_chat_peer_idle(ngx_ws_chat_peer_t *p)
{
    ngx_ws_chat_reader_t  *r;

    if (p->out || p->mid) {
        return 0;
    }

    for (r = p->readers; r; r = r->next) {
        if (r->pos < r->stream->log.end) {
            return 0;
        }
    }

    return 1;
}


void
ngx_ws_chat_peer_dirty(ngx_ws_chat_peer_t *p)
{
    if (p->dirty || p->broken) {
        return;
    }

    if (ngx_ws_chat_dirty_add(p) != NGX_OK) {
        ngx_ws_chat_peer_fail(p);
        return;
    }

    ngx_ws_chat_flush_post();
}


static void
ngx_ws_chat_peer_fail(ngx_ws_chat_peer_t *p)
{
    if (p->broken) {
        return;
    }

    p->broken = 1;
    p->ops->broken(p);
}


void
ngx_ws_chat_peer_write(ngx_ws_chat_peer_t *p)
{
    (void) ngx_ws_chat_peer_visit(p);
}


/*
 * With TLS and partial writes enabled a short write does not mean that the
 * next one would block, so only c->write->ready ends the loop.
 */

size_t
ngx_ws_chat_peer_visit(ngx_ws_chat_peer_t *p)
{
    size_t                 done, cost;
    ssize_t                n;
    uint32_t               frames;
    ngx_connection_t      *c;
    ngx_ws_chat_gather_t   g;

    c = p->connection;
    done = 0;
    cost = 0;
    frames = p->frames;

    /* the log is shared, and a peer comes first in what it belongs to */

    if (p->ops->push == NULL) {
        c->log->data = p;
        c->log->connection = c->number;
    }

    while (ngx_ws_chat_peer_ready(p) && !p->broken) {

        g.max = NGX_WS_CHAT_VISIT - done;

        ngx_ws_chat_peer_gather(p, &g);

        if (g.n == 0) {
            if (g.more) {
                ngx_ws_chat_peer_dirty(p);
            }

            break;
        }

        n = ngx_ws_chat_peer_push(p, &g);
        cost += NGX_WS_CHAT_WRITE;

        if (n == NGX_ERROR) {
            ngx_ws_chat_peer_fail(p);
            return cost;
        }

        if (n == NGX_AGAIN || n == 0) {
            ngx_ws_chat_peer_commit(p, g.slices[0].len);
            break;
        }

        done += n;

        ngx_ws_chat_peer_took(p, n);

        if ((size_t) n == g.total && !g.more) {
            break;
        }
    }

    ngx_ws_chat_peer_visited(p, frames);

    return cost + done;
}


/* frames: how many of readers there were before. */

static void
ngx_ws_chat_peer_visited(ngx_ws_chat_peer_t *p, uint32_t frames)
{
    if (ngx_handle_write_event(p->connection->write, 0) != NGX_OK) {
        ngx_ws_chat_peer_fail(p);
        return;
    }

    if (p->ops->flushed && p->frames != frames && p->mid == 0) {
        p->ops->flushed(p);
    }

    if (p->want_drain && p->out == NULL) {
        p->want_drain = 0;
        p->ops->drained(p);
    }
}


/* In the order of writing; ngx_ws_chat_peer_took() goes the same way. */

static void
ngx_ws_chat_peer_gather(ngx_ws_chat_peer_t *p, ngx_ws_chat_gather_t *g)
{
    ngx_ws_chat_reader_t  *r;

    g->n = 0;
    g->total = 0;
    g->more = 0;

    if (p->mid) {
        r = p->readers;
        ngx_ws_chat_gather_log(g, r, r->pos, r->pos + p->mid);
    }

    ngx_ws_chat_gather_out(p, g);

    if (p->muted) {
        return;
    }

    for (r = p->readers; r && !g->more; r = r->next) {
        if (!r->held) {
            ngx_ws_chat_gather_log(g, r,
                                   r->pos + (r == p->readers ? p->mid : 0),
                                   r->stream->log.end);
        }
    }
}


static void
ngx_ws_chat_gather_out(ngx_ws_chat_peer_t *p, ngx_ws_chat_gather_t *g)
{
    size_t              len;
    ngx_ws_chat_out_t  *o;

    if (p->out == NULL) {
        return;
    }

    o = p->out;

    do {
        o = o->next;

        len = ngx_min(o->len - o->pos, g->max - g->total);

        if (len == 0 || g->n == NGX_WS_CHAT_SLICES) {
            g->more = 1;
            return;
        }

        g->slices[g->n].data = o->data + o->pos;
        g->slices[g->n].len = len;
        g->n++;
        g->total += len;

        if (len < o->len - o->pos) {
            g->more = 1;
            return;
        }

    } while (o != p->out);
}


static void
ngx_ws_chat_gather_log(ngx_ws_chat_gather_t *g, ngx_ws_chat_reader_t *r,
    uint64_t from, uint64_t to)
{
    size_t  len, max;

    if (from == to || g->more) {
        return;
    }

    max = ngx_min(to - from, g->max - g->total);

    if (max == 0 || g->n == NGX_WS_CHAT_SLICES) {
        g->more = 1;
        return;
    }

    g->n += wsc_roomlog_slices(&r->stream->log, from, max, g->slices + g->n,
                               NGX_WS_CHAT_SLICES - g->n, &len);
    g->total += len;

    if (len < to - from) {
        g->more = 1;
    }
}


/* TLS takes one slice a call, the others are gathered again. */

static ssize_t
ngx_ws_chat_peer_push(ngx_ws_chat_peer_t *p, ngx_ws_chat_gather_t *g)
{
    size_t             i;
    ssize_t            n;
    ngx_iovec_t        vec;
    struct iovec       iovs[NGX_WS_CHAT_SLICES];
    ngx_connection_t  *c;

    if (p->ops->push) {
        return p->ops->push(p, g->slices, g->n, g->total);
    }

    c = p->connection;

    if (ngx_ws_chat_peer_options(p, g->total) != NGX_OK) {
        return NGX_ERROR;
    }

    if (g->n == 1
#if (NGX_SSL)
        || c->ssl
#endif
       )
    {
        return c->send(c, g->slices[0].data, g->slices[0].len);
    }

    for (i = 0; i < g->n; i++) {
        iovs[i].iov_base = (void *) g->slices[i].data;
        iovs[i].iov_len = g->slices[i].len;
    }

    vec.iovs = iovs;
    vec.count = g->n;
    vec.size = g->total;
    vec.nalloc = NGX_WS_CHAT_SLICES;

    n = ngx_writev(c, &vec);

    if (n != NGX_ERROR && n < (ssize_t) g->total) {
        c->write->ready = 0;
    }

    if (n > 0) {
        c->sent += n;
    }

    return n;
}


static void
ngx_ws_chat_peer_took(ngx_ws_chat_peer_t *p, size_t n)
{
    size_t                 len;
    uint64_t               border;
    ngx_ws_chat_reader_t  *r;

    if (p->mid) {
        len = ngx_min(n, p->mid);
        n -= len;

        p->mid -= len;

        ngx_ws_chat_reader_took(p->readers, len);
    }

    if (n && p->out) {
        n = ngx_ws_chat_peer_took_out(p, n);
    }

    for (r = p->readers; r && n; r = r->next) {

        if (r->held || r->pos == r->stream->log.end) {
            continue;
        }

        len = ngx_min(n, r->stream->log.end - r->pos);
        n -= len;

        border = wsc_roomlog_border(&r->stream->log, r->pos + len);

        ngx_ws_chat_reader_took(r, len);

        if (border != r->pos) {
            ngx_ws_chat_peer_begun(r, border);
            return;
        }
    }
}


/* A frame of the reader is to be written up to there: it becomes the first. */

static void
ngx_ws_chat_peer_begun(ngx_ws_chat_reader_t *r, uint64_t border)
{
    ngx_ws_chat_peer_t     *p;
    ngx_ws_chat_reader_t  **rp;

    p = r->peer;
    p->mid = (uint32_t) (border - r->pos);

    for (rp = &p->readers; *rp != r; rp = &(*rp)->next) { /* void */ }

    *rp = r->next;
    r->next = p->readers;
    p->readers = r;
}


static size_t
ngx_ws_chat_peer_took_out(ngx_ws_chat_peer_t *p, size_t n)
{
    size_t              len;
    ngx_ws_chat_out_t  *o;

    while (n) {
        o = p->out->next;

        len = ngx_min(n, o->len - o->pos);
        n -= len;

        o->pos += len;
        p->out_bytes -= len;

        if (o->pos < o->len) {
            break;
        }

        if (o == p->out) {
            p->out = NULL;
            wsc_free(&ngx_ws_chat_alloc, o);
            break;
        }

        p->out->next = o->next;
        wsc_free(&ngx_ws_chat_alloc, o);
    }

    return n;
}


/*
 * OpenSSL has encrypted what it could not write: the same octets must come
 * first next time, though at a border a direct frame would otherwise.
 */

static void
ngx_ws_chat_peer_commit(ngx_ws_chat_peer_t *p, size_t len)
{
#if (NGX_SSL)

    ngx_ws_chat_reader_t  *r;

    if (p->connection->ssl == NULL || p->mid || p->out) {
        return;
    }

    for (r = p->readers; r; r = r->next) {
        if (!r->held && r->pos < r->stream->log.end) {
            ngx_ws_chat_peer_begun(r, wsc_roomlog_border(&r->stream->log,
                                                         r->pos + len));
            return;
        }
    }

#endif
}


static void
ngx_ws_chat_flush_handler(ngx_event_t *ev)
{
    uint64_t   begin;
    ngx_int_t  rc;

    begin = ngx_ws_chat_stat_clock();

    ngx_ws_chat_flush_peers();
    rc = ngx_ws_chat_streams_flush(NGX_WS_CHAT_TURN);

    wsc_hist_add(&ngx_ws_chat_stat_own->flush,
                 ngx_ws_chat_stat_clock() - begin);

    if (rc == NGX_AGAIN || ngx_ws_chat_dirty_count()) {
        if (ev->posted) {
            ngx_delete_posted_event(ev);
        }

        /* other sockets first */
        ngx_post_event(ev, &ngx_posted_next_events);
    }
}


static void
ngx_ws_chat_flush_peers(void)
{
    size_t               done;
    uint32_t             n;
    ngx_ws_chat_peer_t  *p;

    done = 0;

    /* those that become dirty meanwhile wait for the next turn */

    for (n = ngx_ws_chat_dirty_count(); n && done < NGX_WS_CHAT_TURN; n--) {

        p = ngx_ws_chat_dirty_take();

        if (p) {
            done += ngx_ws_chat_peer_visit(p);
        }
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Streams and their readers: who is behind, who lags too far, what can go.
 *
 * Streams take turns by deficit round-robin: each turn gives a stream the same
 * credit for octets and system calls, and what it overdrew is missing from its
 * next one.  A room of thousands so holds up a small one by a few dozen
 * writes, and the whole loop by some hundred.
 */


#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_send_flush.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_stream.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_QUANTUM    262144     /* cost of a stream's turn */
#define NGX_WS_CHAT_LOOK_COST  64         /* of a reader that gets nothing */
#define NGX_WS_CHAT_LOOK       65536      /* growth between looks at what may
                                             be trimmed */
#define NGX_WS_CHAT_READERS    4
#define NGX_WS_CHAT_FETCH      16         /* readers */


static void ngx_ws_chat_stream_trim(ngx_ws_chat_stream_t *st);
static void ngx_ws_chat_stream_flushed(ngx_ws_chat_stream_t *st);
static ngx_uint_t ngx_ws_chat_stream_fetch(ngx_ws_chat_stream_t *st);
static size_t ngx_ws_chat_stream_visit(ngx_ws_chat_stream_t *st);
static void ngx_ws_chat_stream_caught_up(ngx_ws_chat_stream_t *st);
static size_t ngx_ws_chat_peer_lag(ngx_ws_chat_peer_t *p);
static uint64_t ngx_ws_chat_peer_behind(ngx_ws_chat_peer_t *p);
static ngx_int_t ngx_ws_chat_reader_skip(ngx_ws_chat_reader_t *r);
static ngx_int_t ngx_ws_chat_stream_grow(ngx_ws_chat_stream_t *st);
static void ngx_ws_chat_reader_enter(ngx_ws_chat_reader_t *r,
    ngx_ws_chat_stream_t *st);
static void ngx_ws_chat_reader_quit(ngx_ws_chat_reader_t *r);


static ngx_queue_t  ngx_ws_chat_dirty_streams;


void
ngx_ws_chat_streams_init(void)
{
    ngx_queue_init(&ngx_ws_chat_dirty_streams);
}


void
ngx_ws_chat_stream_init(ngx_ws_chat_stream_t *st, wsc_pos_t pos,
    struct ngx_ws_chat_stat_s *stat, void *owner)
{
    ngx_memzero(st, sizeof(ngx_ws_chat_stream_t));

    wsc_roomlog_init(&st->log, &ngx_ws_chat_alloc, pos);
    st->stat = stat;
    st->owner = owner;

    st->look = st->log.end + NGX_WS_CHAT_LOOK;
}


void
ngx_ws_chat_stream_done(ngx_ws_chat_stream_t *st)
{
    if (st->is_dirty) {
        ngx_queue_remove(&st->dirty);
        st->is_dirty = 0;
    }

    wsc_deflate_destroy(st->context);
    wsc_roomlog_free(&st->log);
    wsc_free(&ngx_ws_chat_alloc, st->readers);

    st->readers = NULL;
}


ngx_int_t
ngx_ws_chat_stream_append(ngx_ws_chat_stream_t *st, u_char flags,
    u_char opcode, const u_char *data, size_t len, const wsc_pos_t *pos)
{
    u_char  header[WSC_FRAME_MAX_HEADER];
    size_t  hlen;

    hlen = wsc_frame_header(header, flags, opcode, len, NULL);

    return ngx_ws_chat_stream_put(st, header, hlen, data, len, pos);
}


ngx_int_t
ngx_ws_chat_stream_put(ngx_ws_chat_stream_t *st, const u_char *header,
    size_t hlen, const u_char *data, size_t len, const wsc_pos_t *pos)
{
    if (wsc_roomlog_append(&st->log, header, hlen, data, len, pos) != WSC_OK) {
        return NGX_ERROR;
    }

    if (st->n == 0) {
        wsc_roomlog_trim(&st->log, st->log.end);
        return NGX_OK;
    }

    st->stat->counters.behind += st->n - st->behind;
    st->left = st->n;
    st->behind = st->n;

    if (!st->is_dirty) {
        st->is_dirty = 1;
        ngx_queue_insert_tail(&ngx_ws_chat_dirty_streams, &st->dirty);
    }

    ngx_ws_chat_flush_post();

    return NGX_OK;
}


ngx_uint_t
ngx_ws_chat_stream_interrupt(ngx_ws_chat_peer_t *p)
{
    ngx_ws_chat_reader_t  *r;

    for (r = p->readers; r; r = r->next) {

        if (r->stream->history && r->pos < r->stream->log.end) {
            return 0;
        }
    }

    for (r = p->readers; r; r = r->next) {
        r->stream->fresh = 1;
    }

    return 1;
}


/* A reader that is held, or of a peer that closes, keeps what it stands at. */

static void
ngx_ws_chat_stream_trim(ngx_ws_chat_stream_t *st)
{
    uint64_t  min;
    uint32_t  i;

    st->look = st->log.end + NGX_WS_CHAT_LOOK;

    min = st->log.end;

    for (i = 0; i < st->n; i++) {
        min = ngx_min(min, st->readers[i]->pos);
    }

    wsc_roomlog_trim(&st->log, min);
}


ngx_int_t
ngx_ws_chat_streams_flush(size_t max)
{
    size_t                 done;
    ngx_queue_t           *q;
    ngx_ws_chat_stream_t  *st;

    done = 0;

    while (!ngx_queue_empty(&ngx_ws_chat_dirty_streams)) {

        if (done >= max) {
            return NGX_AGAIN;
        }

        q = ngx_queue_head(&ngx_ws_chat_dirty_streams);
        st = ngx_queue_data(q, ngx_ws_chat_stream_t, dirty);

        ngx_queue_remove(q);

        done += ngx_ws_chat_stream_visit(st);

        if (st->left) {
            ngx_queue_insert_tail(&ngx_ws_chat_dirty_streams, q);

        } else {
            st->is_dirty = 0;
            st->credit = 0;
            ngx_ws_chat_stream_flushed(st);
        }
    }

    return NGX_OK;
}


/* Everybody got what the socket takes: how old is the first of it? */

static void
ngx_ws_chat_stream_flushed(ngx_ws_chat_stream_t *st)
{
    uint64_t         age;
    struct timespec  ts;

    if (st->born == 0) {
        return;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    age = (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;

    /* the clock of the node where it was sent may be ahead */
    age = (age > st->born * 1000) ? age - st->born * 1000 : 0;

    wsc_hist_add(&st->stat->delivery, age);
    st->born = 0;
}


/*
 * Readers lie anywhere in memory, each behind four pointers: those of the next
 * few are followed side by side, so that one waits for memory as long as all.
 * Returns how many.
 */

static ngx_uint_t
ngx_ws_chat_stream_fetch(ngx_ws_chat_stream_t *st)
{
    ngx_uint_t              i, n;
    ngx_ws_chat_reader_t  **r;

    r = st->readers + st->next;
    n = ngx_min(st->n - st->next, NGX_WS_CHAT_FETCH);

    for (i = 0; i < n; i++) {
        __builtin_prefetch(r[i]);
    }

    for (i = 0; i < n; i++) {
        __builtin_prefetch(r[i]->peer);
        __builtin_prefetch((u_char *) r[i]->peer + 64);
    }

    for (i = 0; i < n; i++) {
        __builtin_prefetch(r[i]->peer->connection);
        __builtin_prefetch(&r[i]->peer->connection->sent);
    }

    for (i = 0; i < n; i++) {
        __builtin_prefetch(r[i]->peer->connection->write);
    }

    /* else gcc takes the function for one without any effect */
    __asm__ volatile ("");

    return n;
}


static size_t
ngx_ws_chat_stream_visit(ngx_ws_chat_stream_t *st)
{
    size_t                 done, cost;
    ngx_uint_t             ahead;
    ngx_ws_chat_peer_t    *p;
    ngx_ws_chat_reader_t  *r;

    done = 0;
    ahead = 0;
    st->credit += NGX_WS_CHAT_QUANTUM;

    while (st->left && st->credit > 0) {

        if (st->next >= st->n) {
            st->next = 0;
        }

        if (ahead == 0) {
            ahead = ngx_ws_chat_stream_fetch(st);
        }

        ahead--;
        r = st->readers[st->next++];
        p = r->peer;

        st->left--;
        cost = NGX_WS_CHAT_LOOK_COST;

        if (r->pos < st->log.end && !r->held && !p->muted && !p->broken) {

            if (ngx_ws_chat_peer_ready(p)) {
                cost += ngx_ws_chat_peer_visit(p);
            }

            if (r->pos < st->log.end && !p->broken) {
                cost += ngx_ws_chat_peer_lag(p);
            }
        }

        done += cost;
        st->credit -= (int32_t) ngx_min(cost, NGX_WS_CHAT_QUANTUM * 64);
    }

    if (st->log.end >= st->look) {
        ngx_ws_chat_stream_trim(st);
    }

    return done;
}


/*
 * Who still takes octets does not lag, only its share of the turn is over: it
 * gets more.  Returns what it cost.
 */

static size_t
ngx_ws_chat_peer_lag(ngx_ws_chat_peer_t *p)
{
    size_t                 cost;
    uint64_t               lag, waits;
    ngx_ws_chat_reader_t  *r;

    cost = 0;

    for ( ;; ) {

        lag = ngx_ws_chat_peer_behind(p);

        if (lag <= p->lag_limit) {
            break;
        }

        waits = lag + p->out_bytes;

        if (ngx_ws_chat_peer_ready(p)) {
            cost += ngx_ws_chat_peer_visit(p);
        }

        if (ngx_ws_chat_peer_behind(p) + p->out_bytes != waits && !p->broken) {
            continue;
        }

        for (r = p->readers; r && !p->broken; r = r->next) {
            if (!r->held && ngx_ws_chat_reader_skip(r) != NGX_OK) {
                break;
            }
        }

        break;
    }

    return cost;
}


/* The lag of a session counts over all its rooms. */

static uint64_t
ngx_ws_chat_peer_behind(ngx_ws_chat_peer_t *p)
{
    uint64_t               lag;
    ngx_ws_chat_reader_t  *r;

    lag = 0;

    for (r = p->readers; r; r = r->next) {
        if (!r->held) {
            lag += r->stream->log.end - r->pos;
        }
    }

    return lag;
}


static ngx_int_t
ngx_ws_chat_reader_skip(ngx_ws_chat_reader_t *r)
{
    wsc_pos_t              after, before;
    ngx_ws_chat_stream_t  *st;

    st = r->stream;

    if (r->pos == st->log.end) {
        return NGX_OK;
    }

    if (r->peer->mid && r->peer->readers == r
        && ngx_ws_chat_peer_keep(r->peer) != NGX_OK)
    {
        return NGX_ERROR;
    }

    after = wsc_roomlog_position(&st->log, r->pos);
    before = st->log.tail;

    ngx_ws_chat_reader_forward(r);

    if (wsc_pos_cmp(after, before) == 0) {
        return NGX_OK;
    }

    before.seq++;

    return r->peer->ops->gap(r, after, before);
}


void
ngx_ws_chat_reader_took(ngx_ws_chat_reader_t *r, size_t n)
{
    uint64_t               frames;
    ngx_ws_chat_stream_t  *st;

    st = r->stream;

    frames = wsc_roomlog_frames(&st->log, r->pos, r->pos + n);

    r->peer->frames += frames;
    st->stat->counters.messages_out += frames;

    r->pos += n;

    if (r->pos == st->log.end) {
        ngx_ws_chat_stream_caught_up(st);
    }
}


static void
ngx_ws_chat_stream_caught_up(ngx_ws_chat_stream_t *st)
{
    st->behind--;
    st->stat->counters.behind--;

    if (st->behind == 0) {
        wsc_roomlog_trim(&st->log, st->log.end);
        st->look = st->log.end + NGX_WS_CHAT_LOOK;
    }
}


ngx_int_t
ngx_ws_chat_reader_add(ngx_ws_chat_reader_t *r, ngx_ws_chat_peer_t *p,
    ngx_ws_chat_stream_t *st)
{
    ngx_ws_chat_reader_t  **rp;

    if (ngx_ws_chat_stream_grow(st) != NGX_OK) {
        return NGX_ERROR;
    }

    r->peer = p;

    /* what was begun of the first goes on being written */
    rp = p->mid ? &p->readers->next : &p->readers;

    r->next = *rp;
    *rp = r;

    ngx_ws_chat_reader_enter(r, st);

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_reader_move(ngx_ws_chat_reader_t *r, ngx_ws_chat_stream_t *st)
{
    if (r->pos < r->stream->log.end) {
        return NGX_DECLINED;
    }

    if (ngx_ws_chat_stream_grow(st) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_ws_chat_reader_quit(r);
    ngx_ws_chat_reader_enter(r, st);

    return NGX_OK;
}


/* Makes room for one more. */

static ngx_int_t
ngx_ws_chat_stream_grow(ngx_ws_chat_stream_t *st)
{
    uint32_t                size;
    ngx_ws_chat_reader_t  **readers;

    if (st->n < st->size) {
        return NGX_OK;
    }

    size = st->size + ngx_max(st->size / 4, NGX_WS_CHAT_READERS);

    readers = wsc_alloc(&ngx_ws_chat_alloc,
                        size * sizeof(ngx_ws_chat_reader_t *));
    if (readers == NULL) {
        return NGX_ERROR;
    }

    if (st->n) {
        ngx_memcpy(readers, st->readers,
                   st->n * sizeof(ngx_ws_chat_reader_t *));
    }

    wsc_free(&ngx_ws_chat_alloc, st->readers);

    st->readers = readers;
    st->size = size;

    return NGX_OK;
}


static void
ngx_ws_chat_reader_enter(ngx_ws_chat_reader_t *r, ngx_ws_chat_stream_t *st)
{
    r->stream = st;
    r->pos = st->log.end;

    r->index = st->n;
    st->readers[st->n++] = r;

    st->fresh = 1;
}


static void
ngx_ws_chat_reader_quit(ngx_ws_chat_reader_t *r)
{
    ngx_ws_chat_stream_t  *st;

    st = r->stream;

    st->n--;
    st->readers[r->index] = st->readers[st->n];
    st->readers[r->index]->index = r->index;

    /* the one that moved may have been about to be visited */
    st->left = st->left ? st->n : 0;
}


void
ngx_ws_chat_reader_forward(ngx_ws_chat_reader_t *r)
{
    if (r->pos < r->stream->log.end) {
        r->pos = r->stream->log.end;
        r->stream->fresh = 1;
        ngx_ws_chat_stream_caught_up(r->stream);
    }
}


void
ngx_ws_chat_reader_release(ngx_ws_chat_reader_t *r)
{
    r->held = 0;

    if (r->pos < r->stream->log.end) {
        ngx_ws_chat_peer_dirty(r->peer);
    }
}


void
ngx_ws_chat_reader_remove(ngx_ws_chat_reader_t *r)
{
    ngx_ws_chat_peer_t     *p;
    ngx_ws_chat_stream_t   *st;
    ngx_ws_chat_reader_t  **rp;

    p = r->peer;
    st = r->stream;

    if (r->pos < st->log.end) {

        if (p->mid && p->readers == r) {
            (void) ngx_ws_chat_peer_keep(p);
        }

        ngx_ws_chat_stream_caught_up(st);
    }

    ngx_ws_chat_reader_quit(r);

    for (rp = &p->readers; *rp != r; rp = &(*rp)->next) { /* void */ }

    *rp = r->next;
}

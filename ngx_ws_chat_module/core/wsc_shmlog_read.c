
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store: what reads it, and the octets of entries.
 */


#include <string.h>

#include "wsc_shmlog_change.h"
#include "wsc_shmlog_pool.h"


static void wsc_shmlog_tell(wsc_shmlog_t *l, uint32_t at, wsc_pos_t *pos,
    size_t *size);
static size_t wsc_shmlog_span(wsc_shmlog_cursor_t *cur, size_t len);


const uint64_t *
wsc_shmlog_mask(wsc_shmlog_t *l, uint32_t chat)
{
    wsc_shmlog_rec_t  *c;

    c = wsc_shmlog_at(l, chat);

    return c->mask;
}


uint64_t
wsc_shmlog_rev(wsc_shmlog_t *l, uint32_t chat)
{
    wsc_shmlog_rec_t  *c;

    c = wsc_shmlog_at(l, chat);

    return __atomic_load_n(&c->rev, __ATOMIC_ACQUIRE);
}


size_t
wsc_shmlog_size(wsc_shmlog_t *l, uint32_t at)
{
    wsc_shmlog_entry_t  *m;

    m = wsc_shmlog_at(l, at);

    return (size_t) m->sender + m->cid + m->len;
}


void
wsc_shmlog_name(wsc_shmlog_t *l, uint32_t chat, wsc_str_t *chat_id)
{
    wsc_shmlog_rec_t  *c;

    c = wsc_shmlog_at(l, chat);

    chat_id->data = c->name;
    chat_id->len = c->len;
}


void
wsc_shmlog_stat_chat(wsc_shmlog_t *l, uint32_t chat, uint64_t now,
    const wsc_shmlog_limits_t *limits, wsc_shmlog_chat_t *c)
{
    wsc_shmlog_rec_t    *r;
    wsc_shmlog_entry_t  *m;

    r = wsc_shmlog_at(l, chat);

    while (r->first && wsc_shmlog_expired(l, r->first, now, limits->age)) {
        wsc_shmlog_drop(l, chat);
    }

    c->head.epoch = r->epoch;
    c->head.seq = r->head;
    c->first.epoch = r->epoch;
    c->first.seq = 0;
    c->lost.epoch = r->epoch;
    c->lost.seq = r->head;
    c->rev = r->rev;
    c->count = r->count;

    if (r->first) {
        m = wsc_shmlog_at(l, r->first);
        c->first.seq = m->seq;
        c->lost.seq = m->prev;
    }
}


ssize_t
wsc_shmlog_back(wsc_shmlog_t *l, uint32_t chat, const wsc_pos_t *before,
    uint32_t *at, wsc_pos_t *pos, size_t *size)
{
    uint32_t             i;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m;

    c = wsc_shmlog_at(l, chat);
    i = c->last;

    if (*at) {
        m = wsc_shmlog_at(l, *at);
        i = m->older;
    }

    for ( /* void */ ; i; i = m->older) {
        m = wsc_shmlog_at(l, i);
        wsc_shmlog_tell(l, i, pos, size);

        if (before == NULL || wsc_pos_cmp(*pos, *before) < 0) {
            *at = i;
            return WSC_OK;
        }
    }

    return WSC_DONE;
}


ssize_t
wsc_shmlog_forward(wsc_shmlog_t *l, uint32_t *at, wsc_pos_t *pos, size_t *size)
{
    wsc_shmlog_entry_t  *m;

    m = wsc_shmlog_at(l, *at);

    if (m->next == 0) {
        return WSC_DONE;
    }

    *at = m->next;
    wsc_shmlog_tell(l, *at, pos, size);

    return WSC_OK;
}


static void
wsc_shmlog_tell(wsc_shmlog_t *l, uint32_t at, wsc_pos_t *pos, size_t *size)
{
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m;

    m = wsc_shmlog_at(l, at);
    c = wsc_shmlog_at(l, m->chat);

    pos->epoch = c->epoch;
    pos->seq = m->seq;
    *size = (size_t) m->sender + m->cid + m->len;
}


void
wsc_shmlog_copy(wsc_shmlog_t *l, uint32_t at, wsc_entry_t *e, u_char *buf)
{
    size_t               size;
    wsc_shmlog_entry_t  *m;
    wsc_shmlog_cursor_t  cur;

    m = wsc_shmlog_at(l, at);

    wsc_shmlog_tell(l, at, &e->pos, &size);
    wsc_shmlog_seek(l, &cur, at);
    wsc_shmlog_get(&cur, buf, size);

    e->prev.epoch = m->prev ? e->pos.epoch : 0;
    e->prev.seq = m->prev;
    e->timestamp = m->timestamp;

    e->sender.data = buf;
    e->sender.len = m->sender;
    e->cid.data = buf + m->sender;
    e->cid.len = m->cid;
    e->message.data.data = e->cid.data + m->cid;
    e->message.data.len = m->len;
    e->message.binary = m->binary;
    e->edited = m->edited;
    e->retracted = m->retracted;
}


void
wsc_shmlog_seek(wsc_shmlog_t *l, wsc_shmlog_cursor_t *cur, uint32_t at)
{
    wsc_shmlog_entry_t  *m;

    m = wsc_shmlog_at(l, at);

    cur->log = l;
    cur->chunk = &m->chunk;
    cur->p = m->data;
    cur->left = WSC_SHMLOG_ENTRY_DATA;
}


void
wsc_shmlog_put(wsc_shmlog_cursor_t *cur, const wsc_str_t *s)
{
    size_t  n, done;

    for (done = 0; done < s->len; done += n) {
        n = wsc_shmlog_span(cur, s->len - done);
        memcpy(cur->p, s->data + done, n);
        cur->p += n;
    }
}


void
wsc_shmlog_get(wsc_shmlog_cursor_t *cur, u_char *p, size_t len)
{
    size_t  n, done;

    for (done = 0; done < len; done += n) {
        n = wsc_shmlog_span(cur, len - done);
        memcpy(p + done, cur->p, n);
        cur->p += n;
    }
}


/* How many of the next len octets, 1 or more, lie at cur->p; takes them. */

static size_t
wsc_shmlog_span(wsc_shmlog_cursor_t *cur, size_t len)
{
    wsc_shmlog_more_t  *more;

    if (cur->left == 0) {
        more = wsc_shmlog_at(cur->log, cur->chunk->more);
        cur->chunk = &more->chunk;
        cur->p = more->data;
        cur->left = WSC_SHMLOG_MORE_DATA;
    }

    if (len > cur->left) {
        len = cur->left;
    }

    cur->left -= len;

    return len;
}


uint64_t
wsc_shmlog_cursor(wsc_shmlog_t *l)
{
    return wsc_shmlog_area(l)->notices;
}


ssize_t
wsc_shmlog_notice(wsc_shmlog_t *l, uint64_t *cursor, uint32_t *chat)
{
    uint32_t             i;
    wsc_shmlog_area_t   *a;
    wsc_shmlog_chunk_t  *chunk;

    a = wsc_shmlog_area(l);

    /* at the mask: a notice half done may have taken the oldest one's place */

    if (a->notices - *cursor > a->board_mask) {
        *cursor = a->notices;
        return WSC_DECLINED;
    }

    while (*cursor != a->notices) {
        i = wsc_shmlog_board(l)[(*cursor)++ & a->board_mask];
        chunk = wsc_shmlog_at(l, i);

        /* it may have been evicted meanwhile */

        if (chunk->type == WSC_SHMLOG_CHAT) {
            *chat = i;
            return WSC_OK;
        }
    }

    return WSC_DONE;
}


void
wsc_shmlog_stat(wsc_shmlog_t *l, wsc_shmlog_stat_t *st)
{
    int                 i;
    wsc_shmlog_area_t  *a;

    a = wsc_shmlog_area(l);

    st->chunks = a->n;
    st->chunks_free = a->nfree;
    st->chats = 0;
    st->messages = a->messages;
    st->evicted = a->evicted;
    st->repairs = a->repairs;

    for (i = 0; i < WSC_SHMLOG_LISTS; i++) {
        st->chats += a->lists[i].count;
    }
}

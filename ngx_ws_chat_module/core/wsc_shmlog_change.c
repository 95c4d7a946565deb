
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store: messages that are changed.  One that is edited is
 * another entry in the place of the first, which one store puts there; one
 * that is retracted becomes so by the store of its mark.
 */


#include <string.h>

#include "wsc_shmlog_change.h"
#include "wsc_shmlog_pool.h"


static void wsc_shmlog_swap(wsc_shmlog_t *l, uint32_t chat, uint32_t old,
    uint32_t at);
static void wsc_shmlog_wipe(wsc_shmlog_t *l, uint32_t i);
static void wsc_shmlog_mark(wsc_shmlog_t *l, uint32_t chat, uint32_t at);


uint32_t
wsc_shmlog_entry(wsc_shmlog_t *l, uint32_t chat, wsc_pos_t pos)
{
    uint32_t             i;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m;

    c = wsc_shmlog_at(l, chat);

    if (pos.epoch != c->epoch) {
        return 0;
    }

    for (i = c->last; i; i = m->older) {
        m = wsc_shmlog_at(l, i);

        if (m->seq <= pos.seq) {
            return (m->seq == pos.seq) ? i : 0;
        }
    }

    return 0;
}


int
wsc_shmlog_is_from(wsc_shmlog_t *l, uint32_t at, const wsc_str_t *user)
{
    u_char               name[WSC_MAX_USER];
    wsc_shmlog_entry_t  *m;
    wsc_shmlog_cursor_t  cur;

    m = wsc_shmlog_at(l, at);

    if (m->sender != user->len) {
        return 0;
    }

    wsc_shmlog_seek(l, &cur, at);
    wsc_shmlog_get(&cur, name, m->sender);

    return memcmp(name, user->data, user->len) == 0;
}


ssize_t
wsc_shmlog_edit(wsc_shmlog_t *l, uint32_t chat, wsc_pos_t pos,
    const wsc_value_t *message, const wsc_shmlog_limits_t *limits,
    uint64_t now)
{
    u_char               names[WSC_MAX_USER + WSC_MAX_CID];
    size_t               need;
    uint32_t             old, at;
    wsc_entry_t          e;
    wsc_shmlog_entry_t  *m;
    wsc_shmlog_cursor_t  cur;

    old = wsc_shmlog_entry(l, chat, pos);
    m = old ? wsc_shmlog_at(l, old) : NULL;

    if (m == NULL || m->retracted) {
        return WSC_DECLINED;
    }

    memset(&e, 0, sizeof(wsc_entry_t));

    wsc_shmlog_seek(l, &cur, old);
    wsc_shmlog_get(&cur, names, (size_t) m->sender + m->cid);

    e.sender.data = names;
    e.sender.len = m->sender;
    e.cid.data = names + m->sender;
    e.cid.len = m->cid;
    e.message = *message;
    e.timestamp = m->timestamp;

    need = wsc_shmlog_need(e.sender.len + e.cid.len + message->data.len);

    wsc_shmlog_touch(l, chat);

    if (message->data.len > UINT32_MAX
        || wsc_shmlog_room(l, chat, need, limits, now) != WSC_OK)
    {
        return WSC_ERROR;
    }

    /* it may be what room was made of */

    old = wsc_shmlog_entry(l, chat, pos);

    if (old == 0) {
        return WSC_DECLINED;
    }

    m = wsc_shmlog_at(l, old);
    at = wsc_shmlog_fill(l, chat, &e, m->chunk.hash, need);

    wsc_shmlog_swap(l, chat, old, at);

    return WSC_OK;
}


/* The entry `at`, which nobody sees yet, takes the place of the old one. */

static void
wsc_shmlog_swap(wsc_shmlog_t *l, uint32_t chat, uint32_t old, uint32_t at)
{
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m, *o, *other;

    c = wsc_shmlog_at(l, chat);
    m = wsc_shmlog_at(l, at);
    o = wsc_shmlog_at(l, old);

    m->seq = o->seq;
    m->prev = o->prev;
    m->next = o->next;
    m->older = o->older;
    m->edited = 1;

    wsc_shmlog_mark(l, chat, at);

    if (o->older) {
        other = wsc_shmlog_at(l, o->older);
        wsc_shmlog_publish(&other->next, at);

    } else {
        wsc_shmlog_publish(&c->first, at);
    }

    wsc_shmlog_step(l, WSC_SHMLOG_STEP_CHANGE);

    if (o->next) {
        other = wsc_shmlog_at(l, o->next);
        other->older = at;

    } else {
        c->last = at;
    }

    c->chunks += m->chunks - o->chunks;

    wsc_shmlog_unlink(l, wsc_shmlog_dedupe(l), old);
    wsc_shmlog_link(l, wsc_shmlog_dedupe(l), at);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_CHANGE);

    memset(o->data, 0, WSC_SHMLOG_ENTRY_DATA);
    wsc_shmlog_wipe(l, o->chunk.more);
    wsc_shmlog_release(l, old);
}


ssize_t
wsc_shmlog_retract(wsc_shmlog_t *l, uint32_t at)
{
    uint32_t             rest, before;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m;

    m = wsc_shmlog_at(l, at);

    if (m->retracted) {
        return WSC_DONE;
    }

    c = wsc_shmlog_at(l, m->chat);
    before = m->chunks;

    wsc_shmlog_touch(l, m->chat);
    wsc_shmlog_mark(l, m->chat, at);

    wsc_shmlog_publish(&m->retracted, 1);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_CHANGE);

    rest = wsc_shmlog_strip(l, at);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_CHANGE);

    c->chunks -= before - m->chunks;

    wsc_shmlog_wipe(l, rest);
    wsc_shmlog_release(l, rest);

    return WSC_OK;
}


uint32_t
wsc_shmlog_strip(wsc_shmlog_t *l, uint32_t at)
{
    size_t               n, len;
    uint32_t             rest;
    wsc_shmlog_chunk_t  *chunk;
    wsc_shmlog_entry_t  *m;
    wsc_shmlog_cursor_t  cur;
    u_char               names[WSC_MAX_USER + WSC_MAX_CID];

    m = wsc_shmlog_at(l, at);
    chunk = &m->chunk;
    len = (size_t) m->sender + m->cid;

    wsc_shmlog_seek(l, &cur, at);
    wsc_shmlog_get(&cur, names, len);
    memset(cur.p, 0, cur.left);

    m->len = 0;
    m->binary = 0;
    m->chunks = wsc_shmlog_need(len);

    for (n = 1; n < m->chunks; n++) {
        chunk = wsc_shmlog_at(l, chunk->more);
    }

    rest = chunk->more;
    chunk->more = 0;

    return rest;
}


/* Gives the change its number; the notice goes first, see append. */

static void
wsc_shmlog_mark(wsc_shmlog_t *l, uint32_t chat, uint32_t at)
{
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m;

    c = wsc_shmlog_at(l, chat);
    m = wsc_shmlog_at(l, at);

    wsc_shmlog_post(l, chat);

    wsc_shmlog_publish(&c->rev, c->rev + 1);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_CHANGE);

    m->rev = c->rev;
    m->since = c->head;
}


/* Octets of chunks that are no more. */

static void
wsc_shmlog_wipe(wsc_shmlog_t *l, uint32_t i)
{
    wsc_shmlog_more_t  *more;

    for ( /* void */ ; i; i = more->chunk.more) {
        more = wsc_shmlog_at(l, i);
        memset(more->data, 0, WSC_SHMLOG_MORE_DATA);
    }
}


ssize_t
wsc_shmlog_sent(wsc_shmlog_t *l, const wsc_str_t *user, uint32_t *chunk,
    uint32_t n, uint32_t *chat)
{
    uint32_t             i;
    wsc_shmlog_entry_t  *m;

    while (n--) {
        i = *chunk + 1;

        if (i > wsc_shmlog_area(l)->used) {
            return WSC_DONE;
        }

        *chunk = i;
        m = wsc_shmlog_at(l, i);

        if (m->chunk.type == WSC_SHMLOG_ENTRY && !m->retracted
            && wsc_shmlog_is_from(l, i, user))
        {
            *chat = m->chat;
            return WSC_OK;
        }
    }

    return WSC_AGAIN;
}


size_t
wsc_shmlog_changed(wsc_shmlog_t *l, uint32_t chat,
    const wsc_shmlog_since_t *since, uint32_t *at, size_t max, uint64_t *rev)
{
    size_t               n, k;
    uint32_t             i;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m, *o;

    c = wsc_shmlog_at(l, chat);
    *rev = c->rev;
    n = 0;

    if (c->rev <= since->rev) {
        return 0;
    }

    for (i = c->last; i; i = m->older) {
        m = wsc_shmlog_at(l, i);

        if (m->rev <= since->rev || m->since < since->since
            || m->seq > since->upto)
        {
            continue;
        }

        /* in order; the last one goes when there are too many */

        for (k = (n < max) ? n++ : n; k > 0; k--) {
            o = wsc_shmlog_at(l, at[k - 1]);

            if (o->rev < m->rev) {
                break;
            }

            if (k < max) {
                at[k] = at[k - 1];
            }
        }

        if (k < max) {
            at[k] = i;
        }
    }

    if (n == max) {
        m = wsc_shmlog_at(l, at[n - 1]);
        *rev = m->rev;
    }

    return n;
}

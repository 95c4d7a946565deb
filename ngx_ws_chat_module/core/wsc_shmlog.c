
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store: what changes it.
 */


#include <string.h>

#include "wsc_shmlog_pool.h"


_Static_assert(sizeof(wsc_shmlog_rec_t) <= WSC_SHMLOG_CHUNK,
               "a chat's record is one chunk");


static uint64_t wsc_shmlog_chat_hash(wsc_shmlog_t *l, const wsc_str_t *name);
static uint64_t wsc_shmlog_entry_hash(wsc_shmlog_t *l, uint32_t chat,
    const wsc_entry_t *e);
static uint32_t wsc_shmlog_duplicate(wsc_shmlog_t *l, uint32_t chat,
    const wsc_entry_t *e, uint32_t hash);
static void wsc_shmlog_commit(wsc_shmlog_t *l, uint32_t chat, uint32_t at);


uint32_t
wsc_shmlog_find(wsc_shmlog_t *l, const wsc_str_t *chat_id)
{
    uint32_t             i, hash;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_area_t   *a;

    a = wsc_shmlog_area(l);
    hash = wsc_shmlog_chat_hash(l, chat_id);

    for (i = wsc_shmlog_chats(l)[hash & a->hash_mask]; i; i = c->chunk.link) {
        c = wsc_shmlog_at(l, i);

        if (c->chunk.hash == hash && c->len == chat_id->len
            && memcmp(c->name, chat_id->data, c->len) == 0)
        {
            return i;
        }
    }

    return 0;
}


uint32_t
wsc_shmlog_make(wsc_shmlog_t *l, const wsc_str_t *chat_id, uint64_t now)
{
    uint32_t            i;
    wsc_shmlog_rec_t   *c;
    wsc_shmlog_area_t  *a;

    if (chat_id->len == 0 || chat_id->len > WSC_MAX_CHAT_ID) {
        return 0;
    }

    i = wsc_shmlog_find(l, chat_id);

    if (i) {
        wsc_shmlog_touch(l, i);
        return i;
    }

    if (wsc_shmlog_room(l, 0, 1, NULL, now) != WSC_OK) {
        return 0;
    }

    a = wsc_shmlog_area(l);

    wsc_shmlog_publish(&a->epoch, (now > a->epoch) ? now : a->epoch + 1);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_MAKE);

    i = wsc_shmlog_alloc(l);
    c = wsc_shmlog_at(l, i);

    c->chunk.hash = wsc_shmlog_chat_hash(l, chat_id);
    c->first = 0;
    c->epoch = a->epoch;
    c->head = 0;
    c->rev = 0;
    c->stamp = ++a->stamp;
    c->last = 0;
    c->count = 0;
    c->chunks = 0;
    c->len = chat_id->len;
    memset(c->mask, 0, sizeof(c->mask));
    memcpy(c->name, chat_id->data, chat_id->len);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_MAKE);

    wsc_shmlog_publish(&c->chunk.type, WSC_SHMLOG_CHAT);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_MAKE);

    wsc_shmlog_link(l, wsc_shmlog_chats(l), i);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_MAKE);

    wsc_shmlog_enlist(l, i);

    return i;
}


void
wsc_shmlog_interest(wsc_shmlog_t *l, uint32_t chat, unsigned slot, int on)
{
    uint64_t           bit, *word;
    wsc_shmlog_rec_t  *c;

    if (slot >= WSC_SHMLOG_SLOTS) {
        return;
    }

    c = wsc_shmlog_at(l, chat);
    word = &c->mask[slot / 64];
    bit = (uint64_t) 1 << slot % 64;

    wsc_shmlog_publish(word, on ? *word | bit : *word & ~bit);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_INTEREST);

    wsc_shmlog_touch(l, chat);
}


void
wsc_shmlog_clear_slot(wsc_shmlog_t *l, unsigned slot)
{
    int                i;
    uint32_t           chat, next, last;
    wsc_shmlog_rec_t  *c;
    wsc_shmlog_list_t  list;

    if (slot >= WSC_SHMLOG_SLOTS) {
        return;
    }

    for (i = WSC_SHMLOG_BUSY; i <= WSC_SHMLOG_BARE; i++) {

        /* those that others listen to move to the list's end */

        list = wsc_shmlog_area(l)->lists[i];
        last = list.last;

        for (chat = list.first; chat; chat = next) {
            c = wsc_shmlog_at(l, chat);
            next = (chat == last) ? 0 : c->newer;

            if (c->mask[slot / 64] >> slot % 64 & 1) {
                wsc_shmlog_interest(l, chat, slot, 0);
            }
        }
    }
}


ssize_t
wsc_shmlog_append(wsc_shmlog_t *l, uint32_t chat, wsc_entry_t *e,
    const wsc_shmlog_limits_t *limits)
{
    size_t               need;
    ssize_t              rc;
    uint32_t             at, hash;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m;

    if (e->sender.len > WSC_MAX_USER || e->cid.len > WSC_MAX_CID
        || e->message.data.len > UINT32_MAX)
    {
        return WSC_ERROR;
    }

    wsc_shmlog_touch(l, chat);

    hash = wsc_shmlog_entry_hash(l, chat, e);
    at = wsc_shmlog_duplicate(l, chat, e, hash);
    rc = WSC_DECLINED;

    if (at == 0) {
        need = wsc_shmlog_need(e->sender.len + e->cid.len
                               + e->message.data.len);

        if (wsc_shmlog_room(l, chat, need, limits, e->timestamp) != WSC_OK) {
            return WSC_ERROR;
        }

        at = wsc_shmlog_fill(l, chat, e, hash, need);
        wsc_shmlog_commit(l, chat, at);
        wsc_shmlog_trim(l, chat, e->timestamp, limits, 0, 1);
        rc = WSC_OK;
    }

    c = wsc_shmlog_at(l, chat);
    m = wsc_shmlog_at(l, at);

    e->pos.epoch = c->epoch;
    e->pos.seq = m->seq;
    e->prev.epoch = m->prev ? c->epoch : 0;
    e->prev.seq = m->prev;
    e->timestamp = m->timestamp;

    return rc;
}


static uint64_t
wsc_shmlog_chat_hash(wsc_shmlog_t *l, const wsc_str_t *name)
{
    return wsc_shmlog_hash(wsc_shmlog_area(l)->seed, name->data, name->len);
}


static uint64_t
wsc_shmlog_entry_hash(wsc_shmlog_t *l, uint32_t chat, const wsc_entry_t *e)
{
    uint64_t  h;

    h = wsc_shmlog_area(l)->seed ^ chat;
    h = wsc_shmlog_hash(h, e->sender.data, e->sender.len);

    return wsc_shmlog_hash(h, e->cid.data, e->cid.len);
}


static uint32_t
wsc_shmlog_duplicate(wsc_shmlog_t *l, uint32_t chat, const wsc_entry_t *e,
    uint32_t hash)
{
    u_char               names[WSC_MAX_USER + WSC_MAX_CID];
    uint32_t             i;
    wsc_shmlog_area_t   *a;
    wsc_shmlog_entry_t  *m;
    wsc_shmlog_cursor_t  cur;

    if (e->cid.len == 0) {
        return 0;
    }

    a = wsc_shmlog_area(l);

    for (i = wsc_shmlog_dedupe(l)[hash & a->hash_mask]; i; i = m->chunk.link) {
        m = wsc_shmlog_at(l, i);

        if (m->chunk.hash != hash || m->chat != chat
            || m->sender != e->sender.len || m->cid != e->cid.len)
        {
            continue;
        }

        wsc_shmlog_seek(l, &cur, i);
        wsc_shmlog_get(&cur, names, (size_t) m->sender + m->cid);

        if (memcmp(names + m->sender, e->cid.data, m->cid) == 0
            && (m->sender == 0
                || memcmp(names, e->sender.data, m->sender) == 0))
        {
            return i;
        }
    }

    return 0;
}


uint32_t
wsc_shmlog_fill(wsc_shmlog_t *l, uint32_t chat, const wsc_entry_t *e,
    uint32_t hash, size_t need)
{
    size_t               n;
    uint32_t             at;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_chunk_t  *chunk;
    wsc_shmlog_entry_t  *m;
    wsc_shmlog_cursor_t  cur;

    c = wsc_shmlog_at(l, chat);
    at = wsc_shmlog_alloc(l);
    m = wsc_shmlog_at(l, at);

    m->chunk.type = WSC_SHMLOG_ENTRY;
    m->chunk.hash = hash;
    m->chat = chat;
    m->seq = c->head + 1;
    m->prev = c->head;
    m->timestamp = e->timestamp;
    m->rev = 0;
    m->since = 0;
    m->len = e->message.data.len;
    m->chunks = need;
    m->next = 0;
    m->older = c->last;
    m->sender = e->sender.len;
    m->cid = e->cid.len;
    m->binary = e->message.binary;
    m->edited = 0;
    m->retracted = 0;

    chunk = &m->chunk;

    for (n = 1; n < need; n++) {
        chunk->more = wsc_shmlog_alloc(l);
        wsc_shmlog_step(l, WSC_SHMLOG_STEP_APPEND);

        chunk = wsc_shmlog_at(l, chunk->more);
        chunk->type = WSC_SHMLOG_MORE;
    }

    wsc_shmlog_seek(l, &cur, at);
    wsc_shmlog_put(&cur, &e->sender);
    wsc_shmlog_put(&cur, &e->cid);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_APPEND);
    wsc_shmlog_put(&cur, &e->message.data);

    return at;
}


/*
 * The entry becomes the chat's newest.  The notice goes first: one too many
 * harms nobody, but a message that nobody hears of does.
 */

static void
wsc_shmlog_commit(wsc_shmlog_t *l, uint32_t chat, uint32_t at)
{
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m, *last;

    c = wsc_shmlog_at(l, chat);
    m = wsc_shmlog_at(l, at);

    wsc_shmlog_post(l, chat);

    if (c->last) {
        last = wsc_shmlog_at(l, c->last);
        wsc_shmlog_publish(&last->next, at);

    } else {
        wsc_shmlog_publish(&c->first, at);
    }

    wsc_shmlog_step(l, WSC_SHMLOG_STEP_APPEND);

    wsc_shmlog_publish(&c->head, m->seq);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_APPEND);

    c->last = at;
    c->count++;
    c->chunks += m->chunks;
    wsc_shmlog_area(l)->messages++;

    wsc_shmlog_link(l, wsc_shmlog_dedupe(l), at);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_APPEND);

    if (c->count == 1) {
        wsc_shmlog_relist(l, chat);
    }
}


void
wsc_shmlog_post(wsc_shmlog_t *l, uint32_t chat)
{
    wsc_shmlog_area_t  *a;

    a = wsc_shmlog_area(l);

    wsc_shmlog_board(l)[a->notices & a->board_mask] = chat;
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_NOTICE);

    wsc_shmlog_publish(&a->notices, a->notices + 1);
    wsc_shmlog_step(l, WSC_SHMLOG_STEP_NOTICE);
}

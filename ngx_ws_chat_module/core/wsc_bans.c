
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_bans.h"


#define WSC_BANS_BUCKETS  64      /* to start with */


static uint32_t wsc_bans_hash(const wsc_str_t *user);
static ssize_t wsc_bans_add(wsc_bans_t *b, unsigned type,
    const wsc_note_t *note, uint32_t hash);
static ssize_t wsc_bans_grow(wsc_bans_t *b);


void
wsc_bans_init(wsc_bans_t *b, const wsc_alloc_t *alloc, size_t max)
{
    memset(b, 0, sizeof(wsc_bans_t));

    b->alloc = alloc;
    b->max = max;
}


ssize_t
wsc_bans_take(wsc_bans_t *b, unsigned type, const wsc_note_t *note)
{
    uint32_t     hash;
    uint64_t     end;
    wsc_ban_t   *ban, **p;

    hash = wsc_bans_hash(&note->key);
    end = note->n[0] ? note->n[0] : note->n[1];

    for (p = b->table ? &b->table[hash & b->mask] : NULL;
         p && *p;
         p = &(*p)->next)
    {
        ban = *p;

        if (ban->hash != hash || ban->end != end
            || !wsc_ban_is(ban, type, &note->sender, &note->key))
        {
            continue;
        }

        if (note->n[0]) {
            ban->old = 0;
            return WSC_DECLINED;
        }

        *p = ban->next;
        wsc_free(b->alloc, ban);
        b->n--;

        return WSC_OK;
    }

    return note->n[0] ? wsc_bans_add(b, type, note, hash) : WSC_DECLINED;
}


static ssize_t
wsc_bans_add(wsc_bans_t *b, unsigned type, const wsc_note_t *note,
    uint32_t hash)
{
    wsc_ban_t  *ban, **bucket;

    if (b->n >= b->max || wsc_bans_grow(b) != WSC_OK) {
        return WSC_ERROR;
    }

    ban = wsc_alloc(b->alloc,
                    sizeof(wsc_ban_t) + note->key.len + note->sender.len);
    if (ban == NULL) {
        return WSC_ERROR;
    }

    ban->end = note->n[0];
    ban->time = note->n[2];
    ban->hash = hash;
    ban->type = type;
    ban->old = 0;

    ban->user.data = ban->data;
    ban->user.len = note->key.len;
    memcpy(ban->user.data, note->key.data, note->key.len);

    ban->chat_id.data = ban->data + note->key.len;
    ban->chat_id.len = note->sender.len;

    if (note->sender.len) {
        memcpy(ban->chat_id.data, note->sender.data, note->sender.len);
    }

    bucket = &b->table[hash & b->mask];
    ban->next = *bucket;
    *bucket = ban;
    b->n++;

    return WSC_OK;
}


/* Without memory the lists only become longer. */

static ssize_t
wsc_bans_grow(wsc_bans_t *b)
{
    size_t       i, n;
    wsc_ban_t   *ban, *next, **table;

    if (b->table && b->n <= b->mask) {
        return WSC_OK;
    }

    n = b->table ? (b->mask + 1) * 2 : WSC_BANS_BUCKETS;

    table = wsc_alloc(b->alloc, n * sizeof(wsc_ban_t *));
    if (table == NULL) {
        return b->table ? WSC_OK : WSC_ERROR;
    }

    memset(table, 0, n * sizeof(wsc_ban_t *));

    for (i = 0; b->table && i <= b->mask; i++) {
        for (ban = b->table[i]; ban; ban = next) {
            next = ban->next;
            ban->next = table[ban->hash & (n - 1)];
            table[ban->hash & (n - 1)] = ban;
        }
    }

    wsc_free(b->alloc, b->table);

    b->table = table;
    b->mask = n - 1;

    return WSC_OK;
}


uint64_t
wsc_bans_end(const wsc_bans_t *b, const wsc_str_t *chat_id,
    const wsc_str_t *user)
{
    uint32_t    hash;
    uint64_t    end;
    wsc_ban_t  *ban;

    hash = wsc_bans_hash(user);
    end = 0;

    for (ban = b->table ? b->table[hash & b->mask] : NULL;
         ban;
         ban = ban->next)
    {
        if (ban->end > end && ban->hash == hash && ban->type == WSC_NEWS_BAN
            && (ban->chat_id.len == 0
                || wsc_str_same(&ban->chat_id, chat_id))
            && wsc_str_same(&ban->user, user))
        {
            end = ban->end;
        }
    }

    return end;
}


wsc_ban_t *
wsc_bans_next(const wsc_bans_t *b, const wsc_ban_t *ban)
{
    size_t  i;

    if (ban && ban->next) {
        return ban->next;
    }

    i = ban ? (ban->hash & b->mask) + 1 : 0;

    for ( /* void */ ; b->table && i <= b->mask; i++) {
        if (b->table[i]) {
            return b->table[i];
        }
    }

    return NULL;
}


int
wsc_ban_is(const wsc_ban_t *ban, unsigned type, const wsc_str_t *chat_id,
    const wsc_str_t *user)
{
    return ban->type == type && wsc_str_same(&ban->chat_id, chat_id)
           && wsc_str_same(&ban->user, user);
}


void
wsc_bans_mark(wsc_bans_t *b)
{
    wsc_ban_t  *ban;

    for (ban = wsc_bans_next(b, NULL); ban; ban = wsc_bans_next(b, ban)) {
        ban->old = 1;
    }
}


void
wsc_bans_sweep(wsc_bans_t *b)
{
    size_t      i;
    wsc_ban_t  *ban, **p;

    for (i = 0; b->table && i <= b->mask; i++) {
        p = &b->table[i];

        while (*p) {
            ban = *p;

            if (!ban->old) {
                p = &ban->next;
                continue;
            }

            *p = ban->next;
            wsc_free(b->alloc, ban);
            b->n--;
        }
    }
}


void
wsc_bans_free(wsc_bans_t *b)
{
    wsc_bans_mark(b);
    wsc_bans_sweep(b);

    wsc_free(b->alloc, b->table);
    b->table = NULL;
}


/* FNV-1a, mixed at the end. */

static uint32_t
wsc_bans_hash(const wsc_str_t *user)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;

    for (i = 0; i < user->len; i++) {
        hash = (hash ^ user->data[i]) * 16777619u;
    }

    return hash ^ hash >> 15;
}

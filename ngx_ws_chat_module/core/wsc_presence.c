
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_presence_int.h"


static uint32_t wsc_presence_hash(const wsc_presence_t *p,
    const wsc_str_t *user);
static wsc_present_t **wsc_presence_bucket(const wsc_presence_t *p,
    uint32_t hash);
static void wsc_presence_grow(wsc_presence_t *p);
static wsc_present_t *wsc_presence_add(wsc_presence_t *p,
    const wsc_str_t *user);
static ssize_t wsc_presence_set_info(wsc_presence_t *p, wsc_present_t *u,
    const wsc_str_t *info);


void
wsc_presence_init(wsc_presence_t *p, const wsc_alloc_t *alloc, uint32_t seed)
{
    memset(p, 0, sizeof(wsc_presence_t));

    p->alloc = alloc;
    p->seed = seed;
    p->buckets = &p->one;
}


ssize_t
wsc_presence_set(wsc_presence_t *p, const wsc_str_t *user, uint16_t worker,
    uint16_t conns, const wsc_str_t *info, int report, uint32_t now)
{
    int             here;
    wsc_present_t  *u;

    u = wsc_presence_find(p, user);

    if (u == NULL) {

        if (conns == 0) {
            return WSC_OK;
        }

        u = wsc_presence_add(p, user);
        if (u == NULL) {
            return WSC_ERROR;
        }
    }

    here = (u->conns != 0);

    if (wsc_presence_set_info(p, u, info) != WSC_OK
        || wsc_presence_set_conns(p, u, worker, conns) != WSC_OK)
    {
        wsc_presence_tidy(p, u);
        return WSC_ERROR;
    }

    if (report && !u->report) {
        u->report = 1;
        p->reports++;
    }

    wsc_presence_changed(p, u, here, u->told, now);
    wsc_presence_tidy(p, u);

    return WSC_OK;
}


wsc_present_t *
wsc_presence_find(wsc_presence_t *p, const wsc_str_t *user)
{
    uint32_t        hash;
    wsc_present_t  *u;

    hash = wsc_presence_hash(p, user);

    for (u = *wsc_presence_bucket(p, hash); u; u = u->next) {
        if (u->hash == hash && u->len == user->len
            && memcmp(u->user, user->data, user->len) == 0)
        {
            break;
        }
    }

    return u;
}


uint32_t
wsc_present_of(const wsc_present_t *u, uint16_t worker)
{
    const wsc_present_more_t  *m;

    if (u->conns && u->worker == worker) {
        return u->conns;
    }

    for (m = u->more; m; m = m->next) {
        if (m->worker == worker) {
            return m->conns;
        }
    }

    return 0;
}


uint32_t
wsc_present_conns(const wsc_present_t *u)
{
    uint32_t                   n;
    const wsc_present_more_t  *m;

    n = u->conns;

    for (m = u->more; m; m = m->next) {
        n += m->conns;
    }

    return n;
}


void
wsc_presence_reported(wsc_presence_t *p, wsc_present_t *u)
{
    if (u->report) {
        u->report = 0;
        p->reports--;
    }

    wsc_presence_tidy(p, u);
}


wsc_present_t *
wsc_presence_next(const wsc_presence_t *p, const wsc_present_t *u)
{
    uint32_t  i;

    i = 0;

    if (u) {
        if (u->next) {
            return u->next;
        }

        i = (u->hash & p->mask) + 1;
    }

    for ( /* void */ ; i <= p->mask; i++) {
        if (p->buckets[i]) {
            return p->buckets[i];
        }
    }

    return NULL;
}


void
wsc_presence_free(wsc_presence_t *p)
{
    wsc_present_t  *u, *next;

    for (u = wsc_presence_next(p, NULL); u; u = next) {
        next = wsc_presence_next(p, u);

        while (u->more) {
            wsc_presence_unset(p, u, &u->more);
        }

        wsc_free(p->alloc, u->info);
        wsc_free(p->alloc, u);
    }

    if (p->buckets != &p->one) {
        wsc_free(p->alloc, p->buckets);
    }

    wsc_presence_init(p, p->alloc, p->seed);
}


static uint32_t
wsc_presence_hash(const wsc_presence_t *p, const wsc_str_t *user)
{
    size_t    i;
    uint32_t  hash;

    hash = p->seed ^ 2166136261u;

    for (i = 0; i < user->len; i++) {
        hash = (hash ^ user->data[i]) * 16777619u;
    }

    return hash ^ hash >> 15;
}


static wsc_present_t **
wsc_presence_bucket(const wsc_presence_t *p, uint32_t hash)
{
    return &p->buckets[hash & p->mask];
}


/* Without memory the lists only become longer. */

static void
wsc_presence_grow(wsc_presence_t *p)
{
    uint32_t         i, old;
    wsc_present_t   *u, *next, **from, **to;

    old = p->mask + 1;

    to = wsc_alloc(p->alloc, 2 * (size_t) old * sizeof(wsc_present_t *));
    if (to == NULL) {
        return;
    }

    memset(to, 0, 2 * (size_t) old * sizeof(wsc_present_t *));

    from = p->buckets;
    p->buckets = to;
    p->mask = 2 * old - 1;

    for (i = 0; i < old; i++) {
        for (u = from[i]; u; u = next) {
            next = u->next;
            to = wsc_presence_bucket(p, u->hash);
            u->next = *to;
            *to = u;
        }
    }

    if (from != &p->one) {
        wsc_free(p->alloc, from);
    }
}


static wsc_present_t *
wsc_presence_add(wsc_presence_t *p, const wsc_str_t *user)
{
    wsc_present_t  *u, **bucket;

    if (p->entries > p->mask) {
        wsc_presence_grow(p);
    }

    u = wsc_alloc(p->alloc, sizeof(wsc_present_t) + user->len);
    if (u == NULL) {
        return NULL;
    }

    memset(u, 0, sizeof(wsc_present_t));

    u->hash = wsc_presence_hash(p, user);
    u->len = user->len;
    memcpy(u->user, user->data, user->len);

    bucket = wsc_presence_bucket(p, u->hash);
    u->next = *bucket;
    *bucket = u;

    p->entries++;

    return u;
}


static ssize_t
wsc_presence_set_info(wsc_presence_t *p, wsc_present_t *u,
    const wsc_str_t *info)
{
    u_char  *copy;

    if (info->len == 0 || info->len > UINT16_MAX
        || (u->info && u->info_len == info->len
            && memcmp(u->info, info->data, info->len) == 0))
    {
        return WSC_OK;
    }

    copy = wsc_alloc(p->alloc, info->len);
    if (copy == NULL) {
        return WSC_ERROR;
    }

    memcpy(copy, info->data, info->len);
    wsc_free(p->alloc, u->info);

    u->info = copy;
    u->info_len = info->len;

    return WSC_OK;
}


ssize_t
wsc_presence_set_conns(wsc_presence_t *p, wsc_present_t *u, uint16_t worker,
    uint16_t conns)
{
    wsc_present_more_t  *m, **place;

    if (u->conns == 0 || u->worker == worker) {

        if (conns == 0) {
            if (u->conns) {
                wsc_presence_unset(p, u, NULL);
            }

            return WSC_OK;
        }

        u->worker = worker;
        u->conns = conns;
        u->old = 0;

        return WSC_OK;
    }

    for (place = &u->more; *place; place = &(*place)->next) {
        if ((*place)->worker == worker) {
            break;
        }
    }

    if (*place && conns == 0) {
        wsc_presence_unset(p, u, place);
        return WSC_OK;
    }

    if (*place == NULL && conns) {
        m = wsc_alloc(p->alloc, sizeof(wsc_present_more_t));
        if (m == NULL) {
            return WSC_ERROR;
        }

        m->next = NULL;
        m->worker = worker;
        *place = m;
    }

    if (*place) {
        (*place)->conns = conns;
        (*place)->old = 0;
    }

    return WSC_OK;
}


void
wsc_presence_unset(wsc_presence_t *p, wsc_present_t *u,
    wsc_present_more_t **more)
{
    wsc_present_more_t  *m;

    if (more == NULL) {
        more = &u->more;

        if (*more == NULL) {
            u->conns = 0;
            return;
        }

        u->worker = (*more)->worker;
        u->conns = (*more)->conns;
        u->old = (*more)->old;
    }

    m = *more;
    *more = m->next;

    wsc_free(p->alloc, m);
}


void
wsc_presence_changed(wsc_presence_t *p, wsc_present_t *u, int was_here,
    int was_told, uint32_t now)
{
    int  here;

    here = (u->conns != 0);

    if (was_here && !here) {
        u->left = now;
    }

    p->changes += (here != u->told) - (was_here != was_told);
    p->count += (here || u->told) - (was_here || was_told);
}


void
wsc_presence_tidy(wsc_presence_t *p, wsc_present_t *u)
{
    wsc_present_t  **place;

    if (u->conns || u->told || u->report) {
        return;
    }

    for (place = wsc_presence_bucket(p, u->hash); *place != u;
         place = &(*place)->next)
    {
        /* void */
    }

    *place = u->next;
    p->entries--;

    wsc_free(p->alloc, u->info);
    wsc_free(p->alloc, u);
}

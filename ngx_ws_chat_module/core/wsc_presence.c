
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_presence_int.h"


#define WSC_PRESENCE_LENGTH  4        /* entries a bucket, about */


static uint32_t wsc_presence_hash(const wsc_presence_t *p,
    const u_char *user, size_t len);
static wsc_present_t **wsc_presence_bucket(const wsc_presence_t *p,
    const u_char *user, size_t len);
static void wsc_presence_grow(wsc_presence_t *p);
static wsc_present_t *wsc_presence_add(wsc_presence_t *p,
    const wsc_str_t *user);
static wsc_present_t *wsc_presence_set_info(wsc_presence_t *p,
    wsc_present_t *u, const wsc_str_t *info);
static wsc_present_t **wsc_presence_place(const wsc_presence_t *p,
    const wsc_present_t *u);


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
    ssize_t         rc;
    wsc_present_t  *u, *set;

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

    set = wsc_presence_set_info(p, u, info);
    rc = WSC_ERROR;

    if (set) {
        u = set;
        rc = wsc_presence_set_conns(p, u, worker, conns);
    }

    if (rc != WSC_OK) {
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
    wsc_present_t  *u;

    u = *wsc_presence_bucket(p, user->data, user->len);

    for ( /* void */ ; u; u = u->next) {
        if (u->len == user->len
            && memcmp(u->user, user->data, user->len) == 0)
        {
            break;
        }
    }

    return u;
}


wsc_str_t
wsc_present_info(const wsc_present_t *u)
{
    uint16_t       len;
    wsc_str_t      s;
    const u_char  *p;

    len = 0;
    p = u->user + u->len;

    if (u->info) {
        memcpy(&len, p, sizeof(uint16_t));
    }

    s.data = (u_char *) p + sizeof(uint16_t);
    s.len = len;

    return s;
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

        i = (wsc_presence_hash(p, u->user, u->len) & p->mask) + 1;
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

        wsc_free(p->alloc, u);
    }

    if (p->buckets != &p->one) {
        wsc_free(p->alloc, p->buckets);
    }

    wsc_presence_init(p, p->alloc, p->seed);
}


static uint32_t
wsc_presence_hash(const wsc_presence_t *p, const u_char *user, size_t len)
{
    size_t    i;
    uint32_t  hash;

    hash = p->seed ^ 2166136261u;

    for (i = 0; i < len; i++) {
        hash = (hash ^ user[i]) * 16777619u;
    }

    return hash ^ hash >> 15;
}


static wsc_present_t **
wsc_presence_bucket(const wsc_presence_t *p, const u_char *user, size_t len)
{
    return &p->buckets[wsc_presence_hash(p, user, len) & p->mask];
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
            to = wsc_presence_bucket(p, u->user, u->len);
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
    size_t          size;
    wsc_present_t  *u, **bucket;

    if (p->entries / WSC_PRESENCE_LENGTH > p->mask) {
        wsc_presence_grow(p);
    }

    size = offsetof(wsc_present_t, user) + user->len;
    size = (size < sizeof(wsc_present_t)) ? sizeof(wsc_present_t) : size;

    u = wsc_alloc(p->alloc, size);
    if (u == NULL) {
        return NULL;
    }

    memset(u, 0, size);

    u->len = user->len;
    memcpy(u->user, user->data, user->len);

    bucket = wsc_presence_bucket(p, u->user, u->len);
    u->next = *bucket;
    *bucket = u;

    p->entries++;

    return u;
}


/* The entry, which may have moved; NULL: no memory. */

static wsc_present_t *
wsc_presence_set_info(wsc_presence_t *p, wsc_present_t *u,
    const wsc_str_t *info)
{
    size_t           size;
    u_char          *data;
    uint16_t         len;
    wsc_str_t        old;
    wsc_present_t   *copy;

    old = wsc_present_info(u);

    if (info->len == 0 || info->len > UINT16_MAX
        || (old.len == info->len
            && memcmp(old.data, info->data, info->len) == 0))
    {
        return u;
    }

    len = (uint16_t) info->len;
    size = offsetof(wsc_present_t, user) + u->len;

    copy = wsc_alloc(p->alloc, size + sizeof(uint16_t) + len);
    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, u, size);
    copy->info = 1;

    data = copy->user + copy->len;
    memcpy(data, &len, sizeof(uint16_t));
    memcpy(data + sizeof(uint16_t), info->data, len);

    *wsc_presence_place(p, u) = copy;
    wsc_free(p->alloc, u);

    return copy;
}


/* What points to an entry. */

static wsc_present_t **
wsc_presence_place(const wsc_presence_t *p, const wsc_present_t *u)
{
    wsc_present_t  **place;

    place = wsc_presence_bucket(p, u->user, u->len);

    while (*place != u) {
        place = &(*place)->next;
    }

    return place;
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

    place = wsc_presence_place(p, u);
    *place = u->next;
    p->entries--;

    wsc_free(p->alloc, u);
}

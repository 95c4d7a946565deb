
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_holdback.h"


struct wsc_held_s {
    wsc_held_t          *next;
    wsc_entry_t          entry;
    uint64_t             at;          /* ms: when it came */
    size_t               size;
    u_char               data[1];
};


static ssize_t wsc_holdback_hold(wsc_holdback_t *h, const wsc_entry_t *e,
    uint64_t now);
static wsc_held_t *wsc_holdback_copy(const wsc_alloc_t *alloc,
    const wsc_entry_t *e);
static void wsc_holdback_put(u_char **p, wsc_str_t *s);
static void wsc_holdback_drop(wsc_holdback_t *h);
static void wsc_holdback_settle(wsc_holdback_t *h);


void
wsc_holdback_init(wsc_holdback_t *h, const wsc_alloc_t *alloc, wsc_pos_t last)
{
    memset(h, 0, sizeof(wsc_holdback_t));

    h->alloc = alloc;
    h->last = last;
}


void
wsc_holdback_free(wsc_holdback_t *h)
{
    while (h->held) {
        wsc_holdback_drop(h);
    }

    wsc_free(h->alloc, h->out);
    h->out = NULL;
}


ssize_t
wsc_holdback_message(wsc_holdback_t *h, const wsc_entry_t *e, uint64_t now)
{
    if (h->hints && --h->hints == 0) {
        h->hinted = 0;
    }

    if (wsc_pos_cmp(e->pos, h->last) <= 0) {
        return WSC_DECLINED;
    }

    if (wsc_pos_cmp(e->prev, h->last) > 0) {
        return wsc_holdback_hold(h, e, now);
    }

    h->last = e->pos;
    wsc_holdback_settle(h);

    return WSC_OK;
}


ssize_t
wsc_holdback_entry(wsc_holdback_t *h, const wsc_entry_t *e)
{
    if (wsc_pos_cmp(e->pos, h->last) <= 0) {
        return WSC_DECLINED;
    }

    h->last = e->pos;
    wsc_holdback_settle(h);

    return WSC_OK;
}


ssize_t
wsc_holdback_next(wsc_holdback_t *h, wsc_entry_t *e)
{
    wsc_holdback_settle(h);

    if (h->held == NULL
        || wsc_pos_cmp(h->held->entry.prev, h->last) > 0)
    {
        return WSC_DONE;
    }

    return wsc_holdback_skip(h, e);
}


ssize_t
wsc_holdback_skip(wsc_holdback_t *h, wsc_entry_t *e)
{
    wsc_held_t  *held;

    held = h->held;

    if (held == NULL) {
        return WSC_DONE;
    }

    h->held = held->next;
    h->bytes -= held->size;
    h->n--;

    wsc_free(h->alloc, h->out);
    h->out = held;

    *e = held->entry;
    h->last = e->pos;
    wsc_holdback_settle(h);

    return WSC_OK;
}


void
wsc_holdback_hint(wsc_holdback_t *h, uint64_t n, uint64_t now)
{
    if (n == 0) {
        return;
    }

    h->hinted = now;
    h->hints = (n > UINT32_MAX - h->hints) ? UINT32_MAX : h->hints + n;
}


void
wsc_holdback_was_read(wsc_holdback_t *h, uint64_t started)
{
    h->read = 0;
    h->looked = started;

    if (h->hinted <= started) {
        h->hints = 0;
        h->hinted = 0;
    }
}


wsc_holdback_e
wsc_holdback_due(const wsc_holdback_t *h, uint64_t now, int reading,
    uint64_t *due)
{
    uint64_t  at;

    *due = 0;

    if (h->since && h->looked >= h->since) {

        if (now - h->since >= WSC_HOLDBACK_GAP) {
            return WSC_HOLDBACK_SKIP;
        }

        *due = h->since + WSC_HOLDBACK_GAP;
    }

    if (reading) {
        return WSC_HOLDBACK_NONE;
    }

    if (h->read) {
        return WSC_HOLDBACK_READ;
    }

    at = (h->since > h->looked) ? h->since : h->since ? h->looked : 0;

    if (h->hinted && (at == 0 || h->hinted < at)) {
        at = h->hinted;
    }

    if (at == 0) {
        return WSC_HOLDBACK_NONE;
    }

    if (now - at >= WSC_HOLDBACK_WAIT) {
        return WSC_HOLDBACK_READ;
    }

    at += WSC_HOLDBACK_WAIT;

    if (*due == 0 || at < *due) {
        *due = at;
    }

    return WSC_HOLDBACK_NONE;
}


/* Keeps it in its place; a full one keeps those that are due first. */

static ssize_t
wsc_holdback_hold(wsc_holdback_t *h, const wsc_entry_t *e, uint64_t now)
{
    int          cmp;
    wsc_held_t  *held, **p;

    for (p = &h->held; *p; p = &(*p)->next) {
        cmp = wsc_pos_cmp((*p)->entry.pos, e->pos);

        if (cmp == 0) {
            return WSC_DECLINED;
        }

        if (cmp > 0) {
            break;
        }
    }

    held = NULL;

    if (h->n < WSC_HOLDBACK_HELD && h->bytes < WSC_HOLDBACK_BYTES) {
        held = wsc_holdback_copy(h->alloc, e);
    }

    if (held == NULL) {
        h->read = 1;
        return WSC_AGAIN;
    }

    held->at = now;
    held->next = *p;
    *p = held;

    h->bytes += held->size;
    h->n++;
    h->since = h->held->at;

    return WSC_AGAIN;
}


static wsc_held_t *
wsc_holdback_copy(const wsc_alloc_t *alloc, const wsc_entry_t *e)
{
    size_t       size;
    u_char      *p;
    wsc_held_t  *held;

    size = sizeof(wsc_held_t) + e->sender.len + e->cid.len
           + e->message.data.len;

    held = wsc_alloc(alloc, size);
    if (held == NULL) {
        return NULL;
    }

    held->entry = *e;
    held->size = size;

    p = held->data;
    wsc_holdback_put(&p, &held->entry.sender);
    wsc_holdback_put(&p, &held->entry.cid);
    wsc_holdback_put(&p, &held->entry.message.data);

    return held;
}


static void
wsc_holdback_put(u_char **p, wsc_str_t *s)
{
    if (s->len) {
        memcpy(*p, s->data, s->len);
    }

    s->data = *p;
    *p += s->len;
}


static void
wsc_holdback_drop(wsc_holdback_t *h)
{
    wsc_held_t  *held;

    held = h->held;

    h->held = held->next;
    h->bytes -= held->size;
    h->n--;

    wsc_free(h->alloc, held);
}


/* last has moved on: what is held and was delivered otherwise goes. */

static void
wsc_holdback_settle(wsc_holdback_t *h)
{
    while (h->held && wsc_pos_cmp(h->held->entry.pos, h->last) <= 0) {
        wsc_holdback_drop(h);
    }

    h->since = h->held ? h->held->at : 0;
}

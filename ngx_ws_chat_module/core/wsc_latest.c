
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_latest.h"


static wsc_latest_item_t **wsc_latest_place(wsc_latest_t *l,
    const wsc_str_t *key);
static void wsc_latest_copy(u_char **p, wsc_str_t *to, const wsc_str_t *s);


void
wsc_latest_init(wsc_latest_t *l, const wsc_alloc_t *alloc, uint32_t max)
{
    l->alloc = alloc;
    l->first = NULL;
    l->n = 0;
    l->max = max;
}


wsc_latest_item_t *
wsc_latest_find(wsc_latest_t *l, const wsc_str_t *key)
{
    return *wsc_latest_place(l, key);
}


wsc_latest_item_t *
wsc_latest_set(wsc_latest_t *l, const wsc_str_t *key, const wsc_str_t *sender,
    const wsc_value_t *value)
{
    u_char              *p;
    wsc_latest_item_t   *item, *old, **place;

    place = wsc_latest_place(l, key);
    old = *place;

    if (old == NULL && l->n == l->max) {
        return NULL;
    }

    item = wsc_alloc(l->alloc, sizeof(wsc_latest_item_t) + key->len
                               + sender->len + value->data.len);
    if (item == NULL) {
        return NULL;
    }

    memset(item, 0, sizeof(wsc_latest_item_t));

    p = item->data;
    wsc_latest_copy(&p, &item->key, key);
    wsc_latest_copy(&p, &item->sender, sender);
    wsc_latest_copy(&p, &item->value.data, &value->data);
    item->value.binary = value->binary;

    *place = item;

    if (old == NULL) {
        l->n++;
        return item;
    }

    item->next = old->next;
    wsc_free(l->alloc, old);

    return item;
}


void
wsc_latest_drop(wsc_latest_t *l, wsc_latest_item_t *item)
{
    wsc_latest_item_t  **p;

    for (p = &l->first; *p != item; p = &(*p)->next) { /* void */ }

    *p = item->next;
    l->n--;

    wsc_free(l->alloc, item);
}


void
wsc_latest_time(wsc_latest_item_t *item, uint32_t due)
{
    item->due = due;
    item->timed = 1;
}


wsc_latest_item_t *
wsc_latest_due(wsc_latest_t *l, uint32_t now)
{
    wsc_latest_item_t  *item;

    for (item = l->first; item; item = item->next) {
        if (item->timed && (int32_t) (item->due - now) <= 0) {
            break;
        }
    }

    return item;
}


void
wsc_latest_free(wsc_latest_t *l)
{
    while (l->first) {
        wsc_latest_drop(l, l->first);
    }
}


static wsc_latest_item_t **
wsc_latest_place(wsc_latest_t *l, const wsc_str_t *key)
{
    wsc_latest_item_t  **p;

    for (p = &l->first; *p; p = &(*p)->next) {
        if (wsc_str_same(&(*p)->key, key)) {
            break;
        }
    }

    return p;
}


static void
wsc_latest_copy(u_char **p, wsc_str_t *to, const wsc_str_t *s)
{
    to->data = *p;
    to->len = s->len;

    if (s->len) {
        memcpy(*p, s->data, s->len);
        *p += s->len;
    }
}

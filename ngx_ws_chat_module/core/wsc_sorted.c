
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_sorted.h"


static int wsc_sorted_cmp(const wsc_str_t *a, const wsc_str_t *b);


void
wsc_sorted_init(wsc_sorted_t *p, const wsc_str_t *after, size_t max)
{
    p->after = *after;
    p->max = max;
    p->n = 0;
    p->more = 0;
}


void
wsc_sorted_add(wsc_sorted_t *p, const u_char *name, size_t len,
    const void *item)
{
    size_t             first, last, middle;
    wsc_sorted_item_t  one = { { len, (u_char *) name }, item };

    if (p->after.len && wsc_sorted_cmp(&one.name, &p->after) <= 0) {
        return;
    }

    first = 0;
    last = p->n;

    while (first < last) {
        middle = (first + last) / 2;

        if (wsc_sorted_cmp(&one.name, &p->items[middle].name) > 0) {
            first = middle + 1;

        } else {
            last = middle;
        }
    }

    if (p->n == p->max) {
        p->more = 1;

        if (first == p->n) {
            return;
        }

        p->n--;
    }

    memmove(&p->items[first + 1], &p->items[first],
            (p->n - first) * sizeof(wsc_sorted_item_t));

    p->items[first] = one;
    p->n++;
}


static int
wsc_sorted_cmp(const wsc_str_t *a, const wsc_str_t *b)
{
    int  rc;

    rc = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

    if (rc) {
        return rc;
    }

    return (a->len > b->len) - (a->len < b->len);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Repeated keys.  A few are compared with each other by their hashes; more are
 * sorted first.  The sort falls back on the octets where hashes are equal, so
 * keys chosen to collide cost no more than others.
 */


#include <string.h>

#include "wsc_keys.h"
#include "wsc_json_text.h"


#define WSC_KEYS_PAIRS  16   /* up to so many keys: compare each with each */


static uint32_t wsc_key_hash(const wsc_key_t *key);
static int wsc_key_cmp(const wsc_key_t *a, const wsc_key_t *b);
static void wsc_keys_sort(wsc_key_t *keys, size_t n);
static void wsc_keys_sift(wsc_key_t *keys, size_t i, size_t n);


void
wsc_keys_init(wsc_keys_t *k, const wsc_alloc_t *alloc)
{
    k->alloc = alloc;
    k->items = k->few;
    k->n = 0;
    k->size = WSC_KEYS_FEW;
}


ssize_t
wsc_keys_add(wsc_keys_t *k, const u_char *p, size_t len, int escaped)
{
    wsc_key_t  *key, *items;

    if (k->n == k->size) {
        if (k->size > SIZE_MAX / sizeof(wsc_key_t) / 2) {
            return WSC_ERROR;
        }

        items = wsc_alloc(k->alloc, k->size * 2 * sizeof(wsc_key_t));
        if (items == NULL) {
            return WSC_ERROR;
        }

        memcpy(items, k->items, k->n * sizeof(wsc_key_t));
        wsc_keys_free(k);

        k->items = items;
        k->size *= 2;
    }

    key = &k->items[k->n++];

    key->text.data = (u_char *) p;
    key->text.len = len;
    key->escaped = escaped;
    key->hash = wsc_key_hash(key);

    return WSC_OK;
}


int
wsc_keys_close(wsc_keys_t *k, size_t start)
{
    size_t      i, j, n;
    wsc_key_t  *keys;

    keys = k->items + start;
    n = k->n - start;
    k->n = start;

    if (n <= WSC_KEYS_PAIRS) {
        for (i = 1; i < n; i++) {
            for (j = 0; j < i; j++) {
                if (wsc_key_cmp(&keys[i], &keys[j]) == 0) {
                    return 1;
                }
            }
        }

        return 0;
    }

    wsc_keys_sort(keys, n);

    for (i = 1; i < n; i++) {
        if (wsc_key_cmp(&keys[i - 1], &keys[i]) == 0) {
            return 1;
        }
    }

    return 0;
}


void
wsc_keys_free(wsc_keys_t *k)
{
    if (k->items != k->few) {
        wsc_free(k->alloc, k->items);
    }
}


/* FNV-1a of what the key means. */

static uint32_t
wsc_key_hash(const wsc_key_t *key)
{
    size_t         i, n;
    u_char         out[WSC_JSON_CHAR];
    uint32_t       hash;
    const u_char  *p, *last;

    hash = 2166136261u;
    p = key->text.data;
    last = p + key->text.len;

    if (!key->escaped) {
        while (p < last) {
            hash = (hash ^ *p++) * 16777619u;
        }

        return hash;
    }

    while (p < last) {
        n = wsc_json_unescape(&p, last, out);

        for (i = 0; i < n; i++) {
            hash = (hash ^ out[i]) * 16777619u;
        }
    }

    return hash;
}


/* One order for escaped and other keys: by hash, then as memcmp() has it. */

static int
wsc_key_cmp(const wsc_key_t *a, const wsc_key_t *b)
{
    int     rc;
    size_t  len;

    if (a->hash != b->hash) {
        return (a->hash < b->hash) ? -1 : 1;
    }

    if (a->escaped || b->escaped) {
        return wsc_json_cmp(&a->text, &b->text);
    }

    len = (a->text.len < b->text.len) ? a->text.len : b->text.len;
    rc = len ? memcmp(a->text.data, b->text.data, len) : 0;

    if (rc != 0 || a->text.len == b->text.len) {
        return rc;
    }

    return (a->text.len < b->text.len) ? -1 : 1;
}


/* Heapsort: in place, and never slower than n log n. */

static void
wsc_keys_sort(wsc_key_t *keys, size_t n)
{
    size_t     i;
    wsc_key_t  key;

    for (i = n / 2; i-- > 0; /* void */) {
        wsc_keys_sift(keys, i, n);
    }

    while (n > 1) {
        n--;

        key = keys[0];
        keys[0] = keys[n];
        keys[n] = key;

        wsc_keys_sift(keys, 0, n);
    }
}


static void
wsc_keys_sift(wsc_key_t *keys, size_t i, size_t n)
{
    size_t     child;
    wsc_key_t  key;

    key = keys[i];

    for (child = 2 * i + 1; child < n; child = 2 * i + 1) {

        if (child + 1 < n && wsc_key_cmp(&keys[child], &keys[child + 1]) < 0) {
            child++;
        }

        if (wsc_key_cmp(&key, &keys[child]) >= 0) {
            break;
        }

        keys[i] = keys[child];
        i = child;
    }

    keys[i] = key;
}

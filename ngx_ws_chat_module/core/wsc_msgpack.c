
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The msgpack checker.  It reads headers only, and goes on behind a broken
 * rule, so that the structure of the whole object is known.
 */


#include <string.h>

#include "wsc_msgpack.h"
#include "wsc_keys.h"
#include "wsc_utf8.h"


typedef struct {
    size_t              left;         /* objects still to come */
    size_t              keys;         /* where its keys start */
    unsigned            map;
} wsc_msgpack_level_t;


typedef struct {
    const u_char         *p;
    const u_char         *last;
    const char           *rule;       /* the first one broken */
    unsigned              depth;
    unsigned              max_depth;
    unsigned              bin_depth;
    wsc_keys_t            keys;
    wsc_msgpack_level_t   levels[WSC_MSGPACK_NESTING + 1];
} wsc_msgpack_state_t;


/* What the first octets c0..df stand for; contents of fixed size: in head. */

typedef struct {
    u_char              type;
    u_char              head;
    u_char              count;        /* octets of the count behind p[0] */
} wsc_msgpack_head_t;


static ssize_t wsc_msgpack_walk(wsc_msgpack_state_t *s);
static ssize_t wsc_msgpack_value(wsc_msgpack_state_t *s);
static ssize_t wsc_msgpack_key(wsc_msgpack_state_t *s,
    const wsc_msgpack_item_t *item);
static ssize_t wsc_msgpack_open(wsc_msgpack_state_t *s,
    const wsc_msgpack_item_t *item);
static void wsc_msgpack_close(wsc_msgpack_state_t *s);
static void wsc_msgpack_rule(wsc_msgpack_state_t *s, const char *rule);
static void wsc_msgpack_fixed(u_char ch, wsc_msgpack_item_t *item);


static const wsc_msgpack_head_t  wsc_msgpack_heads[] = {

    { WSC_MSGPACK_NIL, 1, 0 },
    { 0, 0, 0 },                               /* c1 is never used */
    { WSC_MSGPACK_BOOL, 1, 0 },
    { WSC_MSGPACK_BOOL, 1, 0 },

    { WSC_MSGPACK_BIN, 2, 1 },
    { WSC_MSGPACK_BIN, 3, 2 },
    { WSC_MSGPACK_BIN, 5, 4 },

    { WSC_MSGPACK_EXT, 3, 1 },
    { WSC_MSGPACK_EXT, 4, 2 },
    { WSC_MSGPACK_EXT, 6, 4 },

    { WSC_MSGPACK_FLOAT, 5, 0 },
    { WSC_MSGPACK_FLOAT, 9, 0 },

    { WSC_MSGPACK_INTEGER, 2, 0 },             /* unsigned */
    { WSC_MSGPACK_INTEGER, 3, 0 },
    { WSC_MSGPACK_INTEGER, 5, 0 },
    { WSC_MSGPACK_INTEGER, 9, 0 },

    { WSC_MSGPACK_INTEGER, 2, 0 },             /* signed */
    { WSC_MSGPACK_INTEGER, 3, 0 },
    { WSC_MSGPACK_INTEGER, 5, 0 },
    { WSC_MSGPACK_INTEGER, 9, 0 },

    { WSC_MSGPACK_EXT, 3, 0 },
    { WSC_MSGPACK_EXT, 4, 0 },
    { WSC_MSGPACK_EXT, 6, 0 },
    { WSC_MSGPACK_EXT, 10, 0 },
    { WSC_MSGPACK_EXT, 18, 0 },

    { WSC_MSGPACK_STR, 2, 1 },
    { WSC_MSGPACK_STR, 3, 2 },
    { WSC_MSGPACK_STR, 5, 4 },

    { WSC_MSGPACK_ARRAY, 3, 2 },
    { WSC_MSGPACK_ARRAY, 5, 4 },

    { WSC_MSGPACK_MAP, 3, 2 },
    { WSC_MSGPACK_MAP, 5, 4 }
};


ssize_t
wsc_msgpack_check(const wsc_alloc_t *alloc, const u_char *p, size_t len,
    unsigned max_depth, unsigned bin_depth, const char **reason)
{
    ssize_t     rc;
    wsc_scan_t  scan;

    rc = wsc_msgpack_scan(alloc, p, len, max_depth, bin_depth, &scan);

    if (rc == WSC_OK && scan.rule) {
        *reason = scan.rule;
        return WSC_DECLINED;
    }

    if (rc == WSC_DECLINED) {
        *reason = scan.reason;
    }

    return rc;
}


ssize_t
wsc_msgpack_scan(const wsc_alloc_t *alloc, const u_char *p, size_t len,
    unsigned max_depth, unsigned bin_depth, wsc_scan_t *scan)
{
    ssize_t              rc;
    wsc_msgpack_item_t   item;
    wsc_msgpack_state_t  s;

    if (len == 0) {
        scan->reason = "not msgpack";
        return WSC_DECLINED;
    }

    s.p = p;
    s.last = p + len;
    s.rule = NULL;
    s.depth = 0;
    s.max_depth = (max_depth < WSC_MSGPACK_LEVELS) ? max_depth
                                                   : WSC_MSGPACK_LEVELS;
    s.bin_depth = bin_depth;

    wsc_keys_init(&s.keys, alloc);

    rc = wsc_msgpack_walk(&s);

    wsc_keys_free(&s.keys);

    scan->reason = (s.depth == WSC_MSGPACK_NESTING) ? "nested far too deep"
                                                    : "not msgpack";
    scan->rule = s.rule;
    scan->elements = 0;

    if (rc == WSC_OK && wsc_msgpack_read(p, s.last, &item) == WSC_OK
        && item.type == WSC_MSGPACK_ARRAY)
    {
        scan->elements = item.n;
    }

    return rc;
}


ssize_t
wsc_msgpack_read(const u_char *p, const u_char *last, wsc_msgpack_item_t *item)
{
    size_t                     i, left;
    const wsc_msgpack_head_t  *head;

    if (p == last) {
        return WSC_DECLINED;
    }

    left = last - p;

    if (*p < 0xc0 || *p > 0xdf) {
        wsc_msgpack_fixed(*p, item);

    } else {
        head = &wsc_msgpack_heads[*p - 0xc0];

        if (head->head == 0 || head->head > left) {
            return WSC_DECLINED;
        }

        item->type = head->type;
        item->head = head->head;
        item->n = 0;

        for (i = 1; i <= head->count; i++) {
            item->n = item->n << 8 | p[i];
        }
    }

    left -= item->head;

    if (item->type == WSC_MSGPACK_MAP) {
        left /= 2;
    }

    return (item->n <= left) ? WSC_OK : WSC_DECLINED;
}


const u_char *
wsc_msgpack_skip(const u_char *p, const u_char *last)
{
    size_t              left;
    wsc_msgpack_item_t  item;

    for (left = 1; left; left--) {

        if (wsc_msgpack_read(p, last, &item) != WSC_OK) {
            return last;
        }

        p += item.head;

        switch (item.type) {

        case WSC_MSGPACK_ARRAY:
            left += item.n;
            break;

        case WSC_MSGPACK_MAP:
            left += item.n * 2;
            break;

        default:
            p += item.n;
        }
    }

    return p;
}


static ssize_t
wsc_msgpack_walk(wsc_msgpack_state_t *s)
{
    ssize_t  rc;

    s->levels[0].left = 1;
    s->levels[0].map = 0;

    for ( ;; ) {

        while (s->levels[s->depth].left == 0) {

            if (s->depth == 0) {
                return (s->p == s->last) ? WSC_OK : WSC_DECLINED;
            }

            wsc_msgpack_close(s);
        }

        rc = wsc_msgpack_value(s);
        if (rc != WSC_OK) {
            return rc;
        }
    }
}


/* One object without the elements of an array or a map. */

static ssize_t
wsc_msgpack_value(wsc_msgpack_state_t *s)
{
    ssize_t               rc;
    wsc_msgpack_item_t    item;
    wsc_msgpack_level_t  *level;

    rc = wsc_msgpack_read(s->p, s->last, &item);
    if (rc != WSC_OK) {
        return rc;
    }

    s->p += item.head;

    level = &s->levels[s->depth];

    if (level->map && level->left % 2 == 0) {
        rc = wsc_msgpack_key(s, &item);
        if (rc != WSC_OK) {
            return rc;
        }
    }

    level->left--;

    switch (item.type) {

    case WSC_MSGPACK_ARRAY:
    case WSC_MSGPACK_MAP:
        return wsc_msgpack_open(s, &item);

    case WSC_MSGPACK_STR:
        if (!wsc_utf8_valid(s->p, item.n)) {
            wsc_msgpack_rule(s, "a string is not UTF-8");
        }

        break;

    case WSC_MSGPACK_BIN:
        if (s->depth >= s->bin_depth) {
            wsc_msgpack_rule(s, "bin is only allowed as the whole message");
        }

        break;

    case WSC_MSGPACK_EXT:
        wsc_msgpack_rule(s, "ext is not allowed");
        break;

    default:
        break;
    }

    s->p += item.n;

    return WSC_OK;
}


static ssize_t
wsc_msgpack_key(wsc_msgpack_state_t *s, const wsc_msgpack_item_t *item)
{
    if (item->type != WSC_MSGPACK_STR) {
        wsc_msgpack_rule(s, "a key is not a string");
    }

    if (s->rule) {
        return WSC_OK;
    }

    return wsc_keys_add(&s->keys, s->p, item->n, 0);
}


static ssize_t
wsc_msgpack_open(wsc_msgpack_state_t *s, const wsc_msgpack_item_t *item)
{
    wsc_msgpack_level_t  *level;

    if (s->depth == WSC_MSGPACK_NESTING) {
        return WSC_DECLINED;
    }

    s->depth++;

    if (s->depth > s->max_depth) {
        wsc_msgpack_rule(s, "nested too deep");
    }

    level = &s->levels[s->depth];

    level->map = (item->type == WSC_MSGPACK_MAP);
    level->left = level->map ? item->n * 2 : item->n;
    level->keys = s->keys.n;

    return WSC_OK;
}


/* No keys are kept once a rule is broken: the first one is what is told. */

static void
wsc_msgpack_close(wsc_msgpack_state_t *s)
{
    wsc_msgpack_level_t  *level;

    level = &s->levels[s->depth--];

    if (s->rule == NULL && level->map
        && wsc_keys_close(&s->keys, level->keys))
    {
        wsc_msgpack_rule(s, "a key is repeated in a map");
    }
}


static void
wsc_msgpack_rule(wsc_msgpack_state_t *s, const char *rule)
{
    if (s->rule == NULL) {
        s->rule = rule;
    }
}


static void
wsc_msgpack_fixed(u_char ch, wsc_msgpack_item_t *item)
{
    item->head = 1;
    item->n = 0;

    if (ch < 0x80 || ch > 0xdf) {
        item->type = WSC_MSGPACK_INTEGER;
        return;
    }

    if (ch > 0x9f) {
        item->type = WSC_MSGPACK_STR;
        item->n = ch & 0x1f;
        return;
    }

    item->type = (ch > 0x8f) ? WSC_MSGPACK_ARRAY : WSC_MSGPACK_MAP;
    item->n = ch & 0x0f;
}

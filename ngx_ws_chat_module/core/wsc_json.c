
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The JSON checker.  It goes over the text once and keeps one bit for each
 * open object or array; it goes on behind a broken rule, so that the grammar
 * of the whole text is known.
 */


#include <math.h>
#include <string.h>

#include "wsc_json.h"
#include "wsc_json_text.h"
#include "wsc_keys.h"
#include "wsc_number.h"
#include "wsc_utf8.h"


/* So many digits, exponent included, every double can hold. */
#define WSC_JSON_DIGITS  308


typedef struct {
    const u_char       *p;
    const u_char       *last;
    const char         *rule;         /* the first one broken */
    size_t              elements;     /* of the outermost array */
    unsigned            depth;
    unsigned            max_depth;
    uint64_t            objects[WSC_JSON_NESTING / 64];
    size_t              starts[WSC_JSON_LEVELS + 1];
    wsc_keys_t          keys;
} wsc_json_state_t;


static ssize_t wsc_json_walk(wsc_json_state_t *s);
static ssize_t wsc_json_value(wsc_json_state_t *s);
static ssize_t wsc_json_behind(wsc_json_state_t *s);
static ssize_t wsc_json_open(wsc_json_state_t *s, int object);
static void wsc_json_close(wsc_json_state_t *s);
static ssize_t wsc_json_key(wsc_json_state_t *s);
static ssize_t wsc_json_text(wsc_json_state_t *s, int *escaped);
static ssize_t wsc_json_escaped(wsc_json_state_t *s);
static ssize_t wsc_json_number(wsc_json_state_t *s);
static size_t wsc_json_digits(wsc_json_state_t *s);
static ssize_t wsc_json_word(wsc_json_state_t *s, const char *word,
    size_t len);
static int wsc_json_in_object(wsc_json_state_t *s);
static void wsc_json_rule(wsc_json_state_t *s, const char *rule);


ssize_t
wsc_json_check(const wsc_alloc_t *alloc, const u_char *p, size_t len,
    unsigned max_depth, const char **reason)
{
    ssize_t     rc;
    wsc_scan_t  scan;

    rc = wsc_json_scan(alloc, p, len, max_depth, &scan);

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
wsc_json_scan(const wsc_alloc_t *alloc, const u_char *p, size_t len,
    unsigned max_depth, wsc_scan_t *scan)
{
    ssize_t           rc;
    wsc_json_state_t  s;

    if (len == 0) {
        scan->reason = "not JSON";
        return WSC_DECLINED;
    }

    if (!wsc_utf8_valid(p, len)) {
        scan->reason = "not UTF-8";
        return WSC_DECLINED;
    }

    s.p = p;
    s.last = p + len;
    s.rule = NULL;
    s.elements = 0;
    s.depth = 0;
    s.max_depth = (max_depth < WSC_JSON_LEVELS) ? max_depth : WSC_JSON_LEVELS;

    wsc_keys_init(&s.keys, alloc);

    rc = wsc_json_walk(&s);

    wsc_keys_free(&s.keys);

    scan->reason = (s.depth == WSC_JSON_NESTING) ? "nested far too deep"
                                                 : "not JSON";
    scan->rule = s.rule;
    scan->elements = s.elements;

    return rc;
}


/* One turn a value: what stands behind it leads to the next. */

static ssize_t
wsc_json_walk(wsc_json_state_t *s)
{
    ssize_t  rc;

    do {
        s->p = wsc_json_space(s->p, s->last);

        rc = wsc_json_value(s);

        if (rc == WSC_OK) {
            rc = wsc_json_behind(s);
        }

    } while (rc == WSC_AGAIN);

    return rc;
}


/* WSC_OK: a value has ended; WSC_AGAIN: one begins inside of it. */

static ssize_t
wsc_json_value(wsc_json_state_t *s)
{
    int  escaped;

    if (s->p == s->last) {
        return WSC_DECLINED;
    }

    switch (*s->p) {

    case '{':
        return wsc_json_open(s, 1);

    case '[':
        return wsc_json_open(s, 0);

    case '"':
        return wsc_json_text(s, &escaped);

    case 't':
        return wsc_json_word(s, "true", 4);

    case 'f':
        return wsc_json_word(s, "false", 5);

    case 'n':
        return wsc_json_word(s, "null", 4);
    }

    return wsc_json_number(s);
}


/* WSC_OK: that was the last value; WSC_AGAIN: another one follows. */

static ssize_t
wsc_json_behind(wsc_json_state_t *s)
{
    int  object;

    for ( ;; ) {
        s->p = wsc_json_space(s->p, s->last);

        if (s->depth == 0) {
            return (s->p == s->last) ? WSC_OK : WSC_DECLINED;
        }

        if (s->p == s->last) {
            return WSC_DECLINED;
        }

        object = wsc_json_in_object(s);
        s->elements += (s->depth == 1);

        if (*s->p == ',') {
            s->p++;
            return object ? wsc_json_key(s) : WSC_AGAIN;
        }

        if (*s->p != (object ? '}' : ']')) {
            return WSC_DECLINED;
        }

        wsc_json_close(s);
    }
}


static ssize_t
wsc_json_open(wsc_json_state_t *s, int object)
{
    uint64_t  bit;

    if (s->depth == WSC_JSON_NESTING) {
        return WSC_DECLINED;
    }

    bit = (uint64_t) 1 << s->depth % 64;

    if (object) {
        s->objects[s->depth / 64] |= bit;

    } else {
        s->objects[s->depth / 64] &= ~bit;
    }

    s->depth++;
    s->p = wsc_json_space(s->p + 1, s->last);

    if (s->depth > s->max_depth) {
        wsc_json_rule(s, "nested too deep");

    } else {
        s->starts[s->depth] = s->keys.n;
    }

    if (s->p < s->last && *s->p == (object ? '}' : ']')) {
        wsc_json_close(s);
        return WSC_OK;
    }

    return object ? wsc_json_key(s) : WSC_AGAIN;
}


/* No keys are kept once a rule is broken: the first one is what is told. */

static void
wsc_json_close(wsc_json_state_t *s)
{
    if (s->rule == NULL && wsc_json_in_object(s)
        && wsc_keys_close(&s->keys, s->starts[s->depth]))
    {
        wsc_json_rule(s, "a key is repeated in an object");
    }

    s->p++;
    s->depth--;
}


static ssize_t
wsc_json_key(wsc_json_state_t *s)
{
    int            escaped;
    ssize_t        rc;
    const u_char  *start;

    s->p = wsc_json_space(s->p, s->last);

    if (s->p == s->last || *s->p != '"') {
        return WSC_DECLINED;
    }

    start = s->p + 1;

    rc = wsc_json_text(s, &escaped);
    if (rc != WSC_OK) {
        return rc;
    }

    if (s->rule == NULL) {
        rc = wsc_keys_add(&s->keys, start, s->p - start - 1, escaped);
        if (rc != WSC_OK) {
            return rc;
        }
    }

    s->p = wsc_json_space(s->p, s->last);

    if (s->p == s->last || *s->p != ':') {
        return WSC_DECLINED;
    }

    s->p++;

    return WSC_AGAIN;
}


static ssize_t
wsc_json_text(wsc_json_state_t *s, int *escaped)
{
    *escaped = 0;

    for (s->p++; /* void */ ; s->p++) {
        s->p = wsc_json_plain(s->p, s->last);

        if (s->p == s->last) {
            return WSC_DECLINED;
        }

        if (*s->p == '"') {
            s->p++;
            return WSC_OK;
        }

        *escaped = 1;

        if (*s->p != '\\' || wsc_json_escaped(s) != WSC_OK) {
            return WSC_DECLINED;
        }
    }
}


/* From the backslash to the escape's last octet. */

static ssize_t
wsc_json_escaped(wsc_json_state_t *s)
{
    uint32_t  code, low;

    s->p++;

    if (s->p == s->last) {
        return WSC_DECLINED;
    }

    if (*s->p != 'u') {
        return *s->p && strchr("\"\\/bfnrt", *s->p) ? WSC_OK : WSC_DECLINED;
    }

    if (wsc_json_hex(s->p + 1, s->last, &code) != WSC_OK) {
        return WSC_DECLINED;
    }

    s->p += 4;

    if (code == 0) {
        wsc_json_rule(s, "\\u0000 in a string");
        return WSC_OK;
    }

    if (code < 0xd800 || code > 0xdfff) {
        return WSC_OK;
    }

    if (code < 0xdc00 && s->last - s->p > 6
        && s->p[1] == '\\' && s->p[2] == 'u'
        && wsc_json_hex(s->p + 3, s->last, &low) == WSC_OK
        && low >= 0xdc00 && low <= 0xdfff)
    {
        s->p += 6;
        return WSC_OK;
    }

    wsc_json_rule(s, "a lone surrogate in a string");

    return WSC_OK;
}


static ssize_t
wsc_json_number(wsc_json_state_t *s)
{
    int            sign;
    size_t         digits;
    const u_char  *start, *first;

    start = s->p;
    sign = (*s->p == '-');
    s->p += sign;
    first = s->p;

    digits = wsc_json_digits(s);

    if (digits == 0 || (digits > 1 && *first == '0')) {
        return WSC_DECLINED;
    }

    if (s->p < s->last && *s->p == '.') {
        s->p++;

        if (wsc_json_digits(s) == 0) {
            return WSC_DECLINED;
        }
    }

    if (s->p < s->last && (*s->p | 0x20) == 'e') {
        s->p++;
        s->p += (s->p < s->last && (*s->p == '+' || *s->p == '-'));

        if (wsc_json_digits(s) == 0) {
            return WSC_DECLINED;
        }

        digits = WSC_JSON_DIGITS + 1;
    }

    if (digits > WSC_JSON_DIGITS
        && isinf(wsc_number_double(start, s->p - start)))
    {
        wsc_json_rule(s, "a number is out of range");
    }

    return WSC_OK;
}


static size_t
wsc_json_digits(wsc_json_state_t *s)
{
    const u_char  *start;

    start = s->p;

    while (s->p < s->last && *s->p >= '0' && *s->p <= '9') {
        s->p++;
    }

    return s->p - start;
}


static ssize_t
wsc_json_word(wsc_json_state_t *s, const char *word, size_t len)
{
    if ((size_t) (s->last - s->p) < len || memcmp(s->p, word, len) != 0) {
        return WSC_DECLINED;
    }

    s->p += len;

    return WSC_OK;
}


static int
wsc_json_in_object(wsc_json_state_t *s)
{
    unsigned  level;

    level = s->depth - 1;

    return s->objects[level / 64] >> level % 64 & 1;
}


static void
wsc_json_rule(wsc_json_state_t *s, const char *rule)
{
    if (s->rule == NULL) {
        s->rule = rule;
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * msgpack to JSON text and back, without recursion and in one pass.
 */


#include <math.h>
#include <string.h>
#include <msgpack.h>

#include "wsc_json.h"
#include "wsc_json_text.h"
#include "wsc_msgpack.h"
#include "wsc_msgpack_pack.h"
#include "wsc_number.h"


typedef struct {
    size_t              begin;        /* to msgpack: what put_begin() told */
    size_t              n;            /* objects in it, keys are some */
    size_t              left;         /* to JSON: of these still to come */
    unsigned            map;
} wsc_transcode_level_t;


static ssize_t wsc_to_json_value(const u_char *p, const u_char *last,
    const wsc_msgpack_item_t *item, wsc_buf_t *out, const char **reason);
static ssize_t wsc_to_json_scalar(const u_char *p, const u_char *last,
    wsc_buf_t *out, const char **reason);
static void wsc_to_json_between(wsc_transcode_level_t *level, wsc_buf_t *out);
static const u_char *wsc_to_msgpack_scalar(const u_char *p,
    const u_char *last, wsc_buf_t *out);
static void wsc_to_msgpack_string(const u_char *p, const u_char *last,
    wsc_buf_t *out);
static void wsc_to_msgpack_number(const u_char *p, size_t len, wsc_buf_t *out);


ssize_t
wsc_msgpack_to_json(const u_char *p, size_t len, wsc_buf_t *out,
    const char **reason)
{
    ssize_t                 rc;
    unsigned                depth;
    const u_char           *last;
    wsc_msgpack_item_t      item;
    wsc_transcode_level_t  *level, levels[WSC_MSGPACK_LEVELS + 1];

    last = p + len;
    depth = 0;
    levels[0].left = levels[0].n = 1;
    levels[0].map = 0;

    for ( ;; ) {
        level = &levels[depth];

        if (level->left == 0) {
            if (depth == 0) {
                return WSC_OK;
            }

            wsc_buf_byte(out, level->map ? '}' : ']');
            depth--;
            continue;
        }

        wsc_to_json_between(level, out);

        if (wsc_msgpack_read(p, last, &item) != WSC_OK) {
            *reason = "not msgpack";
            return WSC_DECLINED;
        }

        if (item.type == WSC_MSGPACK_ARRAY || item.type == WSC_MSGPACK_MAP) {

            if (depth == WSC_MSGPACK_LEVELS) {
                *reason = "nested too deep";
                return WSC_DECLINED;
            }

            level = &levels[++depth];
            level->map = (item.type == WSC_MSGPACK_MAP);
            level->n = item.n << level->map;
            level->left = level->n;

            wsc_buf_byte(out, level->map ? '{' : '[');
            p += item.head;
            continue;
        }

        rc = wsc_to_json_value(p, last, &item, out, reason);
        if (rc != WSC_OK) {
            return rc;
        }

        p += item.head + item.n;
    }
}


ssize_t
wsc_json_to_msgpack(const u_char *p, size_t len, wsc_buf_t *out)
{
    unsigned                depth;
    const u_char           *last;
    wsc_transcode_level_t  *level, levels[WSC_JSON_LEVELS + 1];

    last = p + len;
    depth = 0;
    levels[0].n = 0;

    while (p < last) {
        level = &levels[depth];

        switch (*p) {

        case ' ':
        case '\t':
        case '\n':
        case '\r':
        case ',':
        case ':':
            p++;
            continue;

        case '{':
        case '[':
            level->n++;

            if (depth == WSC_JSON_LEVELS) {
                return WSC_ERROR;
            }

            level = &levels[++depth];
            level->begin = wsc_msgpack_put_begin(out);
            level->n = 0;
            level->map = (*p++ == '{');
            continue;

        case '}':
        case ']':
            if (depth == 0) {
                return WSC_ERROR;
            }

            wsc_msgpack_put_end(out, level->begin, level->map,
                                level->n >> level->map);
            depth--;
            p++;
            continue;
        }

        level->n++;
        p = wsc_to_msgpack_scalar(p, last, out);
    }

    return (out->failed || depth) ? WSC_ERROR : WSC_OK;
}


/* What stands before the next object of an array or a map. */

static void
wsc_to_json_between(wsc_transcode_level_t *level, wsc_buf_t *out)
{
    if (level->left < level->n) {
        wsc_buf_byte(out, (level->map && level->left % 2) ? ':' : ',');
    }

    level->left--;
}


static ssize_t
wsc_to_json_value(const u_char *p, const u_char *last,
    const wsc_msgpack_item_t *item, wsc_buf_t *out, const char **reason)
{
    wsc_str_t  s;

    switch (item->type) {

    case WSC_MSGPACK_NIL:
        wsc_buf_add(out, "null", 4);
        return WSC_OK;

    case WSC_MSGPACK_BIN:
    case WSC_MSGPACK_EXT:
        *reason = "bin and ext have no JSON form";
        return WSC_DECLINED;

    case WSC_MSGPACK_STR:
        s.data = (u_char *) p + item->head;
        s.len = item->n;

        if (s.len && memchr(s.data, '\0', s.len)) {
            *reason = "U+0000 in a string";
            return WSC_DECLINED;
        }

        wsc_json_string(out, &s);
        return WSC_OK;

    default:
        return wsc_to_json_scalar(p, last, out, reason);
    }
}


static ssize_t
wsc_to_json_scalar(const u_char *p, const u_char *last, wsc_buf_t *out,
    const char **reason)
{
    size_t          off;
    u_char         *to;
    msgpack_object  o;

    off = 0;
    (void) msgpack_unpack((const char *) p, last - p, &off, NULL, &o);

    to = wsc_buf_reserve(out, WSC_NUMBER_LEN);
    if (to == NULL) {
        return WSC_OK;
    }

    switch (o.type) {

    case MSGPACK_OBJECT_BOOLEAN:
        wsc_buf_add(out, o.via.boolean ? "true" : "false",
                    4 + !o.via.boolean);
        return WSC_OK;

    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        out->len += wsc_number_print_uint(to, o.via.u64);
        return WSC_OK;

    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        out->len += wsc_number_print_int(to, o.via.i64);
        return WSC_OK;

    default:
        if (!isfinite(o.via.f64)) {
            *reason = "NaN and infinity have no JSON form";
            return WSC_DECLINED;
        }

        out->len += wsc_number_print_double(to, o.via.f64);
        return WSC_OK;
    }
}


static const u_char *
wsc_to_msgpack_scalar(const u_char *p, const u_char *last, wsc_buf_t *out)
{
    const u_char  *end;

    if (*p == '"') {
        end = wsc_json_string_end(p, last);
        wsc_to_msgpack_string(p + 1, end - 1, out);
        return end;
    }

    for (end = p + 1; end < last && *end > ' '; end++) {
        if (*end == ',' || *end == ']' || *end == '}') {
            break;
        }
    }

    switch (*p) {

    case 't':
    case 'f':
        wsc_msgpack_put_bool(out, *p == 't');
        break;

    case 'n':
        wsc_msgpack_put_nil(out);
        break;

    default:
        wsc_to_msgpack_number(p, end - p, out);
    }

    return end;
}


/* The header needs the length without escapes. */

static void
wsc_to_msgpack_string(const u_char *p, const u_char *last, wsc_buf_t *out)
{
    size_t         len;
    u_char        *to, ch[WSC_JSON_CHAR];
    wsc_str_t      s;
    const u_char  *q;

    s.data = (u_char *) p;
    s.len = last - p;

    if (s.len == 0 || memchr(p, '\\', s.len) == NULL) {
        wsc_msgpack_put_str(out, &s);
        return;
    }

    len = 0;

    for (q = p; q < last; /* void */) {
        len += wsc_json_unescape(&q, last, ch);
    }

    wsc_msgpack_put_str_head(out, len);

    to = wsc_buf_reserve(out, len + WSC_JSON_CHAR);
    if (to == NULL) {
        return;
    }

    while (p < last) {
        to += wsc_json_unescape(&p, last, to);
    }

    out->len += len;
}


static void
wsc_to_msgpack_number(const u_char *p, size_t len, wsc_buf_t *out)
{
    int       negative;
    uint64_t  v;

    if (wsc_number_integer(p, len, &v, &negative) != WSC_OK) {
        wsc_msgpack_put_double(out, wsc_number_double(p, len));
        return;
    }

    if (negative) {
        wsc_msgpack_put_int(out, (int64_t) (0 - v));
        return;
    }

    wsc_msgpack_put_uint(out, v);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One writer for both encodings.
 */


#include <limits.h>
#include <string.h>
#include <openssl/evp.h>

#include "wsc_writer.h"
#include "wsc_json.h"
#include "wsc_msgpack.h"
#include "wsc_msgpack_pack.h"
#include "wsc_number.h"


#define wsc_base64_len(n)  (((n) + 2) / 3 * 4)


static void wsc_writer_begin(wsc_writer_t *w, int map);
static void wsc_writer_before(wsc_writer_t *w);
static void wsc_writer_base64(wsc_writer_t *w, const wsc_str_t *s);


void
wsc_writer_init(wsc_writer_t *w, wsc_buf_t *buf, wsc_enc_e enc)
{
    w->buf = buf;
    w->enc = enc;
    w->depth = 0;
    w->keyed = 0;
    w->levels[0].n = 0;
    w->levels[0].map = 0;
}


void
wsc_writer_map(wsc_writer_t *w)
{
    wsc_writer_begin(w, 1);
}


void
wsc_writer_array(wsc_writer_t *w)
{
    wsc_writer_begin(w, 0);
}


void
wsc_writer_end(wsc_writer_t *w)
{
    wsc_writer_level_t  *level;

    if (w->depth == 0) {
        w->buf->failed = 1;
        return;
    }

    level = &w->levels[w->depth--];

    if (w->enc == WSC_ENC_MSGPACK) {
        wsc_msgpack_put_end(w->buf, level->begin, level->map, level->n);
        return;
    }

    wsc_buf_byte(w->buf, level->map ? '}' : ']');
}


void
wsc_writer_key(wsc_writer_t *w, const char *key)
{
    u_char     *p;
    wsc_str_t   s;

    s.data = (u_char *) key;
    s.len = strlen(key);

    wsc_writer_before(w);
    w->keyed = 1;

    if (w->enc == WSC_ENC_MSGPACK) {
        wsc_msgpack_put_str(w->buf, &s);
        return;
    }

    p = wsc_buf_reserve(w->buf, s.len + 3);
    if (p == NULL) {
        return;
    }

    *p++ = '"';
    memcpy(p, s.data, s.len);
    p += s.len;
    *p++ = '"';
    *p = ':';

    w->buf->len += s.len + 3;
}


void
wsc_writer_name(wsc_writer_t *w, const wsc_str_t *name)
{
    wsc_writer_str(w, name);
    w->keyed = 1;

    if (w->enc == WSC_ENC_JSON) {
        wsc_buf_byte(w->buf, ':');
    }
}


void
wsc_writer_pairs(wsc_writer_t *w, const wsc_str_t *pairs, uint32_t n)
{
    wsc_writer_before(w);
    wsc_buf_add(w->buf, pairs->data, pairs->len);

    w->levels[w->depth].n += n - 1;
}


void
wsc_writer_null(wsc_writer_t *w)
{
    wsc_writer_before(w);

    if (w->enc == WSC_ENC_MSGPACK) {
        wsc_msgpack_put_nil(w->buf);
        return;
    }

    wsc_buf_add(w->buf, "null", 4);
}


void
wsc_writer_bool(wsc_writer_t *w, int v)
{
    wsc_writer_before(w);

    if (w->enc == WSC_ENC_MSGPACK) {
        wsc_msgpack_put_bool(w->buf, v);
        return;
    }

    wsc_buf_add(w->buf, v ? "true" : "false", v ? 4 : 5);
}


void
wsc_writer_uint(wsc_writer_t *w, uint64_t v)
{
    u_char  *p;

    wsc_writer_before(w);

    if (w->enc == WSC_ENC_MSGPACK) {
        wsc_msgpack_put_uint(w->buf, v);
        return;
    }

    p = wsc_buf_reserve(w->buf, WSC_NUMBER_LEN);
    if (p != NULL) {
        w->buf->len += wsc_number_print_uint(p, v);
    }
}


void
wsc_writer_int(wsc_writer_t *w, int64_t v)
{
    u_char  *p;

    wsc_writer_before(w);

    if (w->enc == WSC_ENC_MSGPACK) {
        wsc_msgpack_put_int(w->buf, v);
        return;
    }

    p = wsc_buf_reserve(w->buf, WSC_NUMBER_LEN);
    if (p != NULL) {
        w->buf->len += wsc_number_print_int(p, v);
    }
}


void
wsc_writer_str(wsc_writer_t *w, const wsc_str_t *s)
{
    wsc_writer_before(w);

    if (w->enc == WSC_ENC_MSGPACK) {
        wsc_msgpack_put_str(w->buf, s);
        return;
    }

    wsc_json_string(w->buf, s);
}


void
wsc_writer_text(wsc_writer_t *w, const char *s)
{
    wsc_str_t  str;

    str.data = (u_char *) s;
    str.len = strlen(s);

    wsc_writer_str(w, &str);
}


void
wsc_writer_value(wsc_writer_t *w, const wsc_value_t *v)
{
    wsc_writer_before(w);

    if (w->enc == WSC_ENC_MSGPACK) {

        if (v->binary) {
            wsc_msgpack_put_bin(w->buf, &v->data);
            return;
        }

        if (wsc_json_to_msgpack(v->data.data, v->data.len, w->buf)
            != WSC_OK)
        {
            w->buf->failed = 1;
        }

        return;
    }

    if (v->binary) {
        wsc_writer_base64(w, &v->data);
        return;
    }

    wsc_buf_add(w->buf, v->data.data, v->data.len);
}


static void
wsc_writer_begin(wsc_writer_t *w, int map)
{
    wsc_writer_level_t  *level;

    wsc_writer_before(w);

    if (w->depth == WSC_WRITER_LEVELS) {
        w->buf->failed = 1;
        return;
    }

    level = &w->levels[++w->depth];
    level->n = 0;
    level->map = map;
    level->begin = 0;

    if (w->enc == WSC_ENC_MSGPACK) {
        level->begin = wsc_msgpack_put_begin(w->buf);
        return;
    }

    wsc_buf_byte(w->buf, map ? '{' : '[');
}


/* Before a key, an element or a key's value: counts, and sets the comma. */

static void
wsc_writer_before(wsc_writer_t *w)
{
    wsc_writer_level_t  *level;

    if (w->keyed) {
        w->keyed = 0;
        return;
    }

    level = &w->levels[w->depth];

    if (level->n++ && w->enc == WSC_ENC_JSON) {
        wsc_buf_byte(w->buf, ',');
    }
}


/* EVP_EncodeBlock() counts in int and ends with a zero. */

static void
wsc_writer_base64(wsc_writer_t *w, const wsc_str_t *s)
{
    u_char  *p;

    if (s->len > INT_MAX / 2) {
        w->buf->failed = 1;
        return;
    }

    p = wsc_buf_reserve(w->buf, wsc_base64_len(s->len) + 3);
    if (p == NULL) {
        return;
    }

    *p++ = '"';
    p += EVP_EncodeBlock(p, s->data, s->len);
    *p = '"';

    w->buf->len += wsc_base64_len(s->len) + 2;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * msgpack-c's packer on a buffer of ours.
 */


#include <string.h>
#include <msgpack.h>

#include "wsc_msgpack_pack.h"


#define WSC_MSGPACK_FIX  15      /* elements that the first octet can count */


static int wsc_msgpack_write(void *data, const char *p, size_t len);
static void wsc_msgpack_packer(msgpack_packer *pk, wsc_buf_t *b);


void
wsc_msgpack_put_nil(wsc_buf_t *b)
{
    msgpack_packer  pk;

    wsc_msgpack_packer(&pk, b);
    (void) msgpack_pack_nil(&pk);
}


void
wsc_msgpack_put_bool(wsc_buf_t *b, int v)
{
    msgpack_packer  pk;

    wsc_msgpack_packer(&pk, b);
    (void) (v ? msgpack_pack_true(&pk) : msgpack_pack_false(&pk));
}


void
wsc_msgpack_put_uint(wsc_buf_t *b, uint64_t v)
{
    msgpack_packer  pk;

    wsc_msgpack_packer(&pk, b);
    (void) msgpack_pack_uint64(&pk, v);
}


void
wsc_msgpack_put_int(wsc_buf_t *b, int64_t v)
{
    msgpack_packer  pk;

    wsc_msgpack_packer(&pk, b);
    (void) msgpack_pack_int64(&pk, v);
}


void
wsc_msgpack_put_double(wsc_buf_t *b, double v)
{
    msgpack_packer  pk;

    wsc_msgpack_packer(&pk, b);
    (void) msgpack_pack_double(&pk, v);
}


void
wsc_msgpack_put_str_head(wsc_buf_t *b, size_t len)
{
    msgpack_packer  pk;

    wsc_msgpack_packer(&pk, b);
    (void) msgpack_pack_str(&pk, len);
}


void
wsc_msgpack_put_str(wsc_buf_t *b, const wsc_str_t *s)
{
    wsc_msgpack_put_str_head(b, s->len);
    wsc_buf_add(b, s->data, s->len);
}


void
wsc_msgpack_put_bin(wsc_buf_t *b, const wsc_str_t *s)
{
    msgpack_packer  pk;

    wsc_msgpack_packer(&pk, b);
    (void) msgpack_pack_bin(&pk, s->len);
    wsc_buf_add(b, s->data, s->len);
}


/*
 * One octet is kept free, which is enough nearly always; else what was put
 * since moves up:
 *
 *   fix  80..8f, 90..9f     16  de, dc + 2 octets     32  df, dd + 4 octets
 */

size_t
wsc_msgpack_put_begin(wsc_buf_t *b)
{
    wsc_buf_byte(b, 0);

    return b->len - 1;
}


void
wsc_msgpack_put_end(wsc_buf_t *b, size_t begin, int map, size_t n)
{
    size_t   more, i;
    u_char  *p;

    more = (n <= WSC_MSGPACK_FIX) ? 0 : (n <= UINT16_MAX) ? 2 : 4;

    if (wsc_buf_reserve(b, more) == NULL) {
        return;
    }

    p = b->data + begin;

    if (more == 0) {
        *p = (map ? 0x80 : 0x90) | n;
        return;
    }

    memmove(p + 1 + more, p + 1, b->len - begin - 1);
    b->len += more;

    *p = (map ? 0xde : 0xdc) + (more == 4);

    for (i = more; i > 0; i--) {
        p[i] = n & 0xff;
        n >>= 8;
    }
}


static int
wsc_msgpack_write(void *data, const char *p, size_t len)
{
    wsc_buf_t  *b = data;

    wsc_buf_add(b, p, len);

    return b->failed ? -1 : 0;
}


static void
wsc_msgpack_packer(msgpack_packer *pk, wsc_buf_t *b)
{
    msgpack_packer_init(pk, b, wsc_msgpack_write);
}

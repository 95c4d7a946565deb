
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The RFC 6455 frame header.
 */


#include <string.h>

#include "wsc_frame.h"


#define WSC_FRAME_LEN16  126      /* 2 more octets of length */
#define WSC_FRAME_LEN64  127      /* 8 more octets of length */


static uint64_t wsc_frame_number(const u_char *p, size_t n);


ssize_t
wsc_frame_parse(wsc_frame_t *f, const u_char *p, size_t len,
    const char **reason)
{
    size_t    more, size;
    uint64_t  n;

    if (len < 2) {
        return WSC_AGAIN;
    }

    n = p[1] & 0x7f;
    more = (n == WSC_FRAME_LEN64) ? 8 : (n == WSC_FRAME_LEN16) ? 2 : 0;
    size = 2 + more + ((p[1] & WSC_FRAME_MASK) ? 4 : 0);

    if (len < 2 + more) {
        return WSC_AGAIN;
    }

    if (more) {
        n = wsc_frame_number(p + 2, more);

        if (n >> 63) {
            *reason = "frame length has its highest bit set";
            return WSC_ERROR;
        }

        if (n < ((more == 2) ? WSC_FRAME_LEN16 : 0x10000)) {
            *reason = "frame length is not minimal";
            return WSC_ERROR;
        }
    }

    if (len < size) {
        return WSC_AGAIN;
    }

    f->len = n;
    f->flags = p[0] & (WSC_FRAME_FIN | WSC_FRAME_RSV);
    f->opcode = p[0] & 0x0f;
    f->masked = (p[1] & WSC_FRAME_MASK) != 0;
    f->size = (u_char) size;

    if (f->masked) {
        memcpy(f->key, p + 2 + more, 4);
    }

    return WSC_OK;
}


size_t
wsc_frame_header(u_char *p, u_char flags, u_char opcode, uint64_t len,
    const u_char *key)
{
    size_t  i, more, size;

    p[0] = flags | opcode;

    if (len < WSC_FRAME_LEN16) {
        more = 0;
        p[1] = (u_char) len;

    } else if (len < 0x10000) {
        more = 2;
        p[1] = WSC_FRAME_LEN16;

    } else {
        more = 8;
        p[1] = WSC_FRAME_LEN64;
    }

    for (i = 0; i < more; i++) {
        p[2 + i] = (u_char) (len >> 8 * (more - 1 - i));
    }

    size = 2 + more;

    if (key) {
        p[1] |= WSC_FRAME_MASK;
        memcpy(p + size, key, 4);
        size += 4;
    }

    return size;
}


int
wsc_frame_close_code(unsigned code)
{
    if (code < 1000 || code > 4999) {
        return 0;
    }

    if (code >= 3000) {
        return 1;
    }

    /* 1004 is reserved; 1005, 1006 and 1015 are never on the wire */
    return code <= 1003 || (code >= 1007 && code <= 1014);
}


static uint64_t
wsc_frame_number(const u_char *p, size_t n)
{
    size_t    i;
    uint64_t  v;

    v = 0;

    for (i = 0; i < n; i++) {
        v = v << 8 | p[i];
    }

    return v;
}

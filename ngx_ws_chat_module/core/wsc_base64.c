
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_base64.h"


static int wsc_base64_digit(u_char ch);


ssize_t
wsc_base64_url(u_char *out, const u_char *p, size_t len)
{
    int        digit;
    u_char    *to;
    size_t     i;
    unsigned   bits;
    uint32_t   v;

    to = out;
    bits = 0;
    v = 0;

    for (i = 0; i < len; i++) {
        digit = wsc_base64_digit(p[i]);

        if (digit == WSC_DECLINED) {
            return WSC_DECLINED;
        }

        v = (v << 6 | (uint32_t) digit) & 0xffff;
        bits += 6;

        if (bits >= 8) {
            bits -= 8;
            *to++ = (u_char) (v >> bits);
        }
    }

    /* 6 bits are no octet, and what is left over has to be zero */

    if (bits == 6 || (v & ((1u << bits) - 1)) != 0) {
        return WSC_DECLINED;
    }

    return to - out;
}


static int
wsc_base64_digit(u_char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch - 'A';
    }

    if (ch >= 'a' && ch <= 'z') {
        return ch - 'a' + 26;
    }

    if (ch >= '0' && ch <= '9') {
        return ch - '0' + 52;
    }

    if (ch == '-') {
        return 62;
    }

    return (ch == '_') ? 63 : WSC_DECLINED;
}

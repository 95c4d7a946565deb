
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the text of a JSON string means.
 */


#include <string.h>

#include "wsc_json_text.h"


#define WSC_JSON_EACH(ch)  (0x0101010101010101 * (uint64_t) (ch))

/* The top bit of an octet is set if it is zero; maybe of one above such. */
#define wsc_json_has_zero(x)  (((x) - WSC_JSON_EACH(1)) & ~(x))


static uint32_t wsc_json_unicode(const u_char **p, const u_char *last);
static size_t wsc_json_utf8(uint32_t code, u_char *out);


size_t
wsc_json_unescape(const u_char **p, const u_char *last, u_char *out)
{
    u_char  ch;

    ch = *(*p)++;

    if (ch != '\\' || *p == last) {
        out[0] = ch;
        return 1;
    }

    ch = *(*p)++;

    switch (ch) {

    case 'u':
        return wsc_json_utf8(wsc_json_unicode(p, last), out);

    case 'b':
        ch = '\b';
        break;

    case 'f':
        ch = '\f';
        break;

    case 'n':
        ch = '\n';
        break;

    case 'r':
        ch = '\r';
        break;

    case 't':
        ch = '\t';
        break;
    }

    out[0] = ch;

    return 1;
}


/* A raw octet and an escape may stand for the same: compares octets. */

int
wsc_json_cmp(const wsc_str_t *a, const wsc_str_t *b)
{
    size_t         i, j, n, m;
    u_char         x[WSC_JSON_CHAR], y[WSC_JSON_CHAR];
    const u_char  *p, *q, *plast, *qlast;

    p = a->data;
    q = b->data;
    plast = p + a->len;
    qlast = q + b->len;

    i = n = 0;
    j = m = 0;

    for ( ;; ) {

        if (i == n && p < plast) {
            n = wsc_json_unescape(&p, plast, x);
            i = 0;
        }

        if (j == m && q < qlast) {
            m = wsc_json_unescape(&q, qlast, y);
            j = 0;
        }

        if (i == n || j == m) {
            return (i < n) - (j < m);
        }

        if (x[i] != y[j]) {
            return (x[i] < y[j]) ? -1 : 1;
        }

        i++;
        j++;
    }
}


ssize_t
wsc_json_hex(const u_char *p, const u_char *last, uint32_t *code)
{
    u_char    ch;
    unsigned  i;

    if (last - p < 4) {
        return WSC_DECLINED;
    }

    *code = 0;

    for (i = 0; i < 4; i++) {

        if (p[i] >= '0' && p[i] <= '9') {
            *code = *code << 4 | (p[i] - '0');
            continue;
        }

        ch = p[i] | 0x20;

        if (ch < 'a' || ch > 'f') {
            return WSC_DECLINED;
        }

        *code = *code << 4 | (ch - 'a' + 10);
    }

    return WSC_OK;
}


/* Eight octets at a time, as long as none of them is to be looked at. */

const u_char *
wsc_json_plain(const u_char *p, const u_char *last)
{
    uint64_t  x;

    while (last - p >= 8) {
        memcpy(&x, p, 8);

        if (((wsc_json_has_zero(x ^ WSC_JSON_EACH('"')))
             | (wsc_json_has_zero(x ^ WSC_JSON_EACH('\\')))
             | ((x - WSC_JSON_EACH(0x20)) & ~x))
            & WSC_JSON_EACH(0x80))
        {
            break;
        }

        p += 8;
    }

    while (p < last && *p >= 0x20 && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
}


const u_char *
wsc_json_string_end(const u_char *p, const u_char *last)
{
    p++;

    for ( ;; ) {
        p = wsc_json_plain(p, last);

        if (p == last) {
            return last;
        }

        if (*p == '"') {
            return p + 1;
        }

        p += (*p == '\\' && last - p > 1) ? 2 : 1;
    }
}


/* Reads the digits behind \u, and of a pair of surrogates both. */

static uint32_t
wsc_json_unicode(const u_char **p, const u_char *last)
{
    uint32_t       code, low;
    const u_char  *q;

    q = *p;
    *p = last;

    if (wsc_json_hex(q, last, &code) != WSC_OK) {
        return 0;
    }

    q += 4;
    *p = q;

    if (code < 0xd800 || code > 0xdbff || last - q < 2
        || q[0] != '\\' || q[1] != 'u'
        || wsc_json_hex(q + 2, last, &low) != WSC_OK
        || low < 0xdc00 || low > 0xdfff)
    {
        return code;
    }

    *p = q + 6;

    return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
}


static size_t
wsc_json_utf8(uint32_t code, u_char *out)
{
    if (code < 0x80) {
        out[0] = code;
        return 1;
    }

    if (code < 0x800) {
        out[0] = 0xc0 | code >> 6;
        out[1] = 0x80 | (code & 0x3f);
        return 2;
    }

    if (code < 0x10000) {
        out[0] = 0xe0 | code >> 12;
        out[1] = 0x80 | (code >> 6 & 0x3f);
        out[2] = 0x80 | (code & 0x3f);
        return 3;
    }

    out[0] = 0xf0 | code >> 18;
    out[1] = 0x80 | (code >> 12 & 0x3f);
    out[2] = 0x80 | (code >> 6 & 0x3f);
    out[3] = 0x80 | (code & 0x3f);

    return 4;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Writes strings as JSON text, RFC 8259 section 7.
 */


#include "wsc_json.h"
#include "wsc_json_text.h"


static const char wsc_json_digits[] = "0123456789abcdef";


static void wsc_json_escape(wsc_buf_t *b, u_char ch);


void
wsc_json_string(wsc_buf_t *b, const wsc_str_t *s)
{
    const u_char  *p, *last, *start;

    wsc_buf_byte(b, '"');

    if (s->len) {
        last = s->data + s->len;

        for (start = s->data; /* void */ ; start = p + 1) {
            p = wsc_json_plain(start, last);

            wsc_buf_add(b, start, p - start);

            if (p == last) {
                break;
            }

            wsc_json_escape(b, *p);
        }
    }

    wsc_buf_byte(b, '"');
}


static void
wsc_json_escape(wsc_buf_t *b, u_char ch)
{
    u_char  *p;

    p = wsc_buf_reserve(b, sizeof("\\u0000") - 1);
    if (p == NULL) {
        return;
    }

    *p++ = '\\';
    b->len += 2;

    switch (ch) {

    case '"':
    case '\\':
        *p = ch;
        return;

    case '\b':
        *p = 'b';
        return;

    case '\f':
        *p = 'f';
        return;

    case '\n':
        *p = 'n';
        return;

    case '\r':
        *p = 'r';
        return;

    case '\t':
        *p = 't';
        return;
    }

    *p++ = 'u';
    *p++ = '0';
    *p++ = '0';
    *p++ = wsc_json_digits[ch >> 4];
    *p = wsc_json_digits[ch & 0xf];

    b->len += 4;
}

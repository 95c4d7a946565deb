
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The names of chats, users and client messages.
 */


#include "wsc_value.h"
#include "wsc_utf8.h"


static int wsc_chat_id_char(u_char ch);


int
wsc_chat_id_valid(const wsc_str_t *s)
{
    size_t  i;

    if (s->len == 0 || s->len > WSC_MAX_CHAT_ID) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        if (!wsc_chat_id_char(s->data[i])) {
            return 0;
        }
    }

    return 1;
}


/* Control characters are U+0000..001F, U+007F and U+0080..009F (C2 80..9F). */

int
wsc_user_valid(const wsc_str_t *s)
{
    size_t  i;
    u_char  ch;

    if (s->len == 0 || s->len > WSC_MAX_USER) {
        return 0;
    }

    if (!wsc_utf8_valid(s->data, s->len)) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        ch = s->data[i];

        if (ch < 0x20 || ch == 0x7f) {
            return 0;
        }

        if (ch == 0xc2 && s->data[i + 1] < 0xa0) {
            return 0;
        }
    }

    return 1;
}


int
wsc_cid_valid(const wsc_str_t *s)
{
    size_t  i;

    if (s->len == 0 || s->len > WSC_MAX_CID) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < 0x20 || s->data[i] > 0x7e) {
            return 0;
        }
    }

    return 1;
}


static int
wsc_chat_id_char(u_char ch)
{
    if (ch >= '-' && ch <= ':') {             /* - . / 0..9 : */
        return ch != '/';
    }

    if (ch >= '@' && ch <= 'Z') {             /* @ A..Z */
        return 1;
    }

    return ch == '_' || (ch >= 'a' && ch <= 'z');
}

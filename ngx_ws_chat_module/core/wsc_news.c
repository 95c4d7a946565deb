
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_news.h"
#include "wsc_number.h"


void
wsc_news_mark(const wsc_note_t *note, wsc_pos_t *delivered, wsc_pos_t *read)
{
    delivered->epoch = note->n[0];
    delivered->seq = note->n[1];
    read->epoch = note->n[2];
    read->seq = note->n[3];
}


wsc_keep_e
wsc_news_keep(unsigned type, const wsc_note_t *note)
{
    switch (type) {

    case WSC_NEWS_SIGNAL:
        if (note->n[0] == 0) {
            return WSC_KEEP_NOT;
        }

        return wsc_news_null(note) ? WSC_KEEP_DROP : WSC_KEEP_SET;

    case WSC_NEWS_TYPING:
    case WSC_NEWS_PRESENCE:
    case WSC_NEWS_DISCONNECT:
    case WSC_NEWS_BAN:
        return note->n[0] ? WSC_KEEP_SET : WSC_KEEP_DROP;

    case WSC_NEWS_MARK:
        return note->n[1] ? WSC_KEEP_SET : WSC_KEEP_DROP;

    default:
        return WSC_KEEP_NOT;
    }
}


int
wsc_news_null(const wsc_note_t *note)
{
    return !note->value.binary && note->value.data.len == 4
           && memcmp(note->value.data.data, "null", 4) == 0;
}


int
wsc_news_soft(unsigned type)
{
    return type == WSC_NEWS_SIGNAL || type == WSC_NEWS_TYPING
           || type == WSC_NEWS_MARK || type == WSC_NEWS_DISCONNECT;
}


int
wsc_news_hard(unsigned type)
{
    return type == WSC_NEWS_BAN;
}


int
wsc_news_known(unsigned type)
{
    return type == WSC_NEWS_PRESENCE;
}


/*
 * The letter of the type, the key; before it, of presence the worker, of a ban
 * its chat and end.
 */

size_t
wsc_news_field(u_char *p, unsigned type, const wsc_note_t *note)
{
    size_t  n;

    p[0] = 'A' + type;
    n = 1;

    if (type == WSC_NEWS_BAN || type == WSC_NEWS_DISCONNECT) {
        if (note->sender.len) {
            memcpy(p + n, note->sender.data, note->sender.len);
            n += note->sender.len;
        }

        p[n++] = ' ';
        n += wsc_number_print_uint(p + n, note->n[0] ? note->n[0]
                                                     : note->n[1]);
        p[n++] = ' ';
    }

    if (type == WSC_NEWS_PRESENCE) {
        memcpy(p + n, note->sender.data, note->sender.len);
        n += note->sender.len;
        p[n++] = ' ';
    }

    memcpy(p + n, note->key.data, note->key.len);

    return n + note->key.len;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Cookie headers, RFC 6265 section 4.2.  Inline: two modules need it, and
 * share no object files.
 */


#ifndef _WSC_COOKIE_H_INCLUDED_
#define _WSC_COOKIE_H_INCLUDED_


#include <string.h>

#include "wsc_base.h"


/*
 * Looks for a cookie of exactly this name in a Cookie header.  Returns how
 * often it is there; *value (points into the header) is the last one.
 */

static inline size_t
wsc_cookie_find(const wsc_str_t *header, const wsc_str_t *name,
    wsc_str_t *value)
{
    size_t         n;
    const u_char  *p, *end, *last, *equal, *tail;

    n = 0;
    last = header->data + header->len;

    for (p = header->data; p < last; p = end + (end < last)) {
        end = memchr(p, ';', last - p);
        if (end == NULL) {
            end = last;
        }

        while (p < end && (*p == ' ' || *p == '\t')) {
            p++;
        }

        equal = memchr(p, '=', end - p);

        if (equal == NULL || (size_t) (equal - p) != name->len
            || memcmp(p, name->data, name->len) != 0)
        {
            continue;
        }

        for (tail = end; tail > equal + 1; tail--) {
            if (tail[-1] != ' ' && tail[-1] != '\t') {
                break;
            }
        }

        value->data = (u_char *) equal + 1;
        value->len = tail - value->data;
        n++;
    }

    return n;
}


#endif /* _WSC_COOKIE_H_INCLUDED_ */

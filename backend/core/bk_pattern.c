
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "bk_pattern.h"


int
bk_pattern_match(const char *pattern, const wsc_str_t *name)
{
    const char    *star;
    const u_char  *p, *last, *again;

    p = name->data;
    last = p + name->len;

    star = NULL;
    again = NULL;

    while (p != last) {

        if (*pattern == '*') {
            star = ++pattern;
            again = p;
            continue;
        }

        if (*pattern == (char) *p) {
            pattern++;
            p++;
            continue;
        }

        if (star == NULL) {
            return 0;
        }

        /* the last * takes one more */

        pattern = star;
        p = ++again;
    }

    while (*pattern == '*') {
        pattern++;
    }

    return *pattern == '\0';
}

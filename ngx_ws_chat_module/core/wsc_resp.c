
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_number.h"
#include "wsc_resp.h"


/* A type, a number, the end of a line. */
#define WSC_RESP_LINE  (1 + WSC_NUMBER_LEN + 2)


static u_char *wsc_resp_line(u_char *p, u_char type, size_t n);
static u_char *wsc_resp_end(u_char *p);


size_t
wsc_resp_size(size_t n, const wsc_str_t *words)
{
    size_t  i, size;

    size = WSC_RESP_LINE;

    for (i = 0; i < n; i++) {
        size += WSC_RESP_LINE + words[i].len + 2;
    }

    return size;
}


u_char *
wsc_resp_print(u_char *p, size_t n, const wsc_str_t *words)
{
    size_t  i;

    p = wsc_resp_line(p, '*', n);

    for (i = 0; i < n; i++) {
        p = wsc_resp_line(p, '$', words[i].len);

        if (words[i].len) {
            memcpy(p, words[i].data, words[i].len);
            p += words[i].len;
        }

        p = wsc_resp_end(p);
    }

    return p;
}


static u_char *
wsc_resp_line(u_char *p, u_char type, size_t n)
{
    *p++ = type;
    p += wsc_number_print_uint(p, n);

    return wsc_resp_end(p);
}


static u_char *
wsc_resp_end(u_char *p)
{
    *p++ = '\r';
    *p++ = '\n';

    return p;
}

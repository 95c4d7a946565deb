
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "bk_copy.h"


#define BK_COPY_2000  946684800000    /* ms: PostgreSQL's time begins */


static void bk_copy_number(wsc_buf_t *b, uint64_t v, unsigned octets);


/* The signature, flags and the length of an extension. */

void
bk_copy_head(wsc_buf_t *b)
{
    wsc_buf_add(b, "PGCOPY\n\377\r\n\0", 11);
    bk_copy_number(b, 0, 8);
}


void
bk_copy_row(wsc_buf_t *b, unsigned fields)
{
    bk_copy_number(b, fields, 2);
}


void
bk_copy_end(wsc_buf_t *b)
{
    bk_copy_number(b, 0xffff, 2);
}


void
bk_copy_null(wsc_buf_t *b)
{
    bk_copy_number(b, 0xffffffff, 4);
}


void
bk_copy_int(wsc_buf_t *b, int64_t v)
{
    bk_copy_number(b, 8, 4);
    bk_copy_number(b, v, 8);
}


void
bk_copy_time(wsc_buf_t *b, uint64_t ms)
{
    bk_copy_int(b, ((int64_t) ms - BK_COPY_2000) * 1000);
}


void
bk_copy_str(wsc_buf_t *b, const wsc_str_t *s)
{
    bk_copy_number(b, s->len, 4);
    wsc_buf_add(b, s->data, s->len);
}


void
bk_copy_text(wsc_buf_t *b, const char *s)
{
    wsc_str_t  str;

    str.data = (u_char *) s;
    str.len = strlen(s);

    bk_copy_str(b, &str);
}


static void
bk_copy_number(wsc_buf_t *b, uint64_t v, unsigned octets)
{
    while (octets--) {
        wsc_buf_byte(b, v >> (octets * 8));
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Reading lists in header values.
 */


#include <string.h>

#include "wsc_token.h"


static void wsc_list_space(wsc_list_t *l);


void
wsc_list_init(wsc_list_t *l, const wsc_str_t *value)
{
    l->start = value->len ? value->data : (const u_char *) "";
    l->pos = l->start;
    l->last = l->start + value->len;
}


ssize_t
wsc_list_next(wsc_list_t *l)
{
    int  separated;

    separated = (l->pos == l->start);

    while (wsc_list_char(l, ',')) {
        separated = 1;
    }

    if (l->pos == l->last) {
        return WSC_DONE;
    }

    return separated ? WSC_OK : WSC_ERROR;
}


ssize_t
wsc_list_token(wsc_list_t *l, wsc_str_t *t)
{
    t->data = (u_char *) l->pos;

    while (l->pos < l->last && wsc_token_char(*l->pos)) {
        l->pos++;
    }

    t->len = l->pos - t->data;

    return t->len ? WSC_OK : WSC_DECLINED;
}


int
wsc_list_char(wsc_list_t *l, u_char ch)
{
    wsc_list_space(l);

    if (l->pos == l->last || *l->pos != ch) {
        return 0;
    }

    l->pos++;
    wsc_list_space(l);

    return 1;
}


int
wsc_token_space(u_char ch)
{
    return ch == ' ' || ch == '\t';
}


int
wsc_token_char(u_char ch)
{
    if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
        || (ch >= '0' && ch <= '9'))
    {
        return 1;
    }

    return ch != '\0' && strchr("!#$%&'*+-.^_`|~", ch) != NULL;
}


static void
wsc_list_space(wsc_list_t *l)
{
    while (l->pos < l->last && wsc_token_space(*l->pos)) {
        l->pos++;
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_follow.h"


void
wsc_follow_init(wsc_follow_t *f)
{
    memset(f, 0, sizeof(wsc_follow_t));
}


void
wsc_follow_astray(wsc_follow_t *f)
{
    f->aligned = 0;
    f->missed = f->reading;
    f->due = 1;
}


ssize_t
wsc_follow_message(wsc_follow_t *f, const wsc_entry_t *e)
{
    if (f->aligned && wsc_pos_cmp(e->prev, f->last) == 0
        && wsc_pos_cmp(e->pos, f->last) > 0)
    {
        f->last = e->pos;
        return WSC_OK;
    }

    wsc_follow_astray(f);

    return WSC_AGAIN;
}


void
wsc_follow_read(wsc_follow_t *f)
{
    f->reading = 1;
    f->missed = 0;
    f->due = 0;

    /* before the first one there is nothing to see */
    f->there = (f->last.seq == 0);
}


ssize_t
wsc_follow_entry(wsc_follow_t *f, const wsc_entry_t *e)
{
    int  cmp;

    cmp = wsc_pos_cmp(e->pos, f->last);

    if (cmp < 0) {
        return WSC_DECLINED;
    }

    f->there = 1;

    if (cmp == 0) {
        return WSC_DECLINED;
    }

    f->last = e->pos;

    return WSC_OK;
}


void
wsc_follow_was_read(wsc_follow_t *f, int whole)
{
    f->reading = 0;

    if (!whole || f->missed) {
        f->due = 1;
        return;
    }

    /* else the stream was lost, and the bus may bring what was in it */

    f->aligned = f->there;
}


int
wsc_follow_due(const wsc_follow_t *f)
{
    return f->due && !f->reading;
}

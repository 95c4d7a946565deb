
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_sweep.h"


int
wsc_sweep_drops(wsc_sweep_t *s, const wsc_change_t *c)
{
    if (wsc_pos_cmp(c->pos, s->first) >= 0
        || wsc_pos_cmp(c->at, s->from) >= 0)
    {
        return 0;
    }

    if (c->timestamp + s->age < s->now) {
        return 1;
    }

    /* should there be too many, what is archived by now has to do */

    s->young++;

    return s->young > WSC_SWEEP_MOST && c->timestamp + WSC_SWEEP_LAG < s->now;
}

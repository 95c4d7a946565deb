
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Many entries at a time.
 */


#include "wsc_presence_int.h"


void
wsc_presence_forget(wsc_presence_t *p, uint16_t worker, uint32_t now)
{
    int             here;
    wsc_present_t  *u, *next;

    for (u = wsc_presence_next(p, NULL); u; u = next) {
        next = wsc_presence_next(p, u);

        if (wsc_present_of(u, worker)) {
            here = (u->conns != 0);

            (void) wsc_presence_set_conns(p, u, worker, 0);
            wsc_presence_changed(p, u, here, u->told, now);
            wsc_presence_tidy(p, u);
        }
    }
}


void
wsc_presence_mark(wsc_presence_t *p, uint16_t but)
{
    wsc_present_t       *u;
    wsc_present_more_t  *m;

    for (u = wsc_presence_next(p, NULL); u; u = wsc_presence_next(p, u)) {
        u->old = (u->worker != but);

        for (m = u->more; m; m = m->next) {
            m->old = (m->worker != but);
        }
    }
}


void
wsc_presence_sweep(wsc_presence_t *p, uint32_t now)
{
    int                   here;
    wsc_present_t        *u, *next;
    wsc_present_more_t  **m;

    for (u = wsc_presence_next(p, NULL); u; u = next) {
        next = wsc_presence_next(p, u);
        here = (u->conns != 0);

        for (m = &u->more; *m; /* void */ ) {
            if ((*m)->old) {
                wsc_presence_unset(p, u, m);

            } else {
                m = &(*m)->next;
            }
        }

        if (u->conns && u->old) {
            wsc_presence_unset(p, u, NULL);
        }

        wsc_presence_changed(p, u, here, u->told, now);
        wsc_presence_tidy(p, u);
    }
}


size_t
wsc_presence_changes(wsc_presence_t *p, uint32_t now, uint32_t grace,
    size_t max, void (*change)(void *ctx, const wsc_present_t *u, int came),
    void *ctx, uint32_t *wait)
{
    int             here;
    size_t          n;
    uint32_t        gone, least;
    wsc_present_t  *u, *next;

    n = 0;
    least = UINT32_MAX;

    for (u = wsc_presence_next(p, NULL); u && p->changes; u = next) {
        next = wsc_presence_next(p, u);
        here = (u->conns != 0);

        if (here == u->told) {
            continue;
        }

        gone = now - u->left;

        if (!here && gone < grace) {
            least = (grace - gone < least) ? grace - gone : least;
            continue;
        }

        if (n == max) {
            least = 1;
            break;
        }

        n++;
        change(ctx, u, here);

        u->told = here;
        wsc_presence_changed(p, u, here, !here, now);
        wsc_presence_tidy(p, u);
    }

    *wait = p->changes ? least : 0;

    return n;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Inside wsc_presence only.
 */


#ifndef _WSC_PRESENCE_INT_H_INCLUDED_
#define _WSC_PRESENCE_INT_H_INCLUDED_


#include "wsc_presence.h"


/* Connections of a further worker; the entry's own has some while any has. */

struct wsc_present_more_s {
    wsc_present_more_t  *next;
    uint16_t             worker;
    uint16_t             conns;
    unsigned             old:1;
};


/* WSC_OK or WSC_ERROR: no memory. */
ssize_t wsc_presence_set_conns(wsc_presence_t *p, wsc_present_t *u,
    uint16_t worker, uint16_t conns);

/* Takes a further worker away; NULL: the first, another takes its place. */
void wsc_presence_unset(wsc_presence_t *p, wsc_present_t *u,
    wsc_present_more_t **more);

/* Counts what has become of an entry that was so before. */
void wsc_presence_changed(wsc_presence_t *p, wsc_present_t *u, int was_here,
    int was_told, uint32_t now);

/* Frees an entry that nobody needs. */
void wsc_presence_tidy(wsc_presence_t *p, wsc_present_t *u);


#endif /* _WSC_PRESENCE_INT_H_INCLUDED_ */

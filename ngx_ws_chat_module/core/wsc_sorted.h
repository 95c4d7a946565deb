
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A page of things in the order of their names, taken from things in none:
 * the first ones behind a name.  Whoever is asked has the same pages.
 */


#ifndef _WSC_SORTED_H_INCLUDED_
#define _WSC_SORTED_H_INCLUDED_


#include "wsc_value.h"


typedef struct {
    wsc_str_t           name;
    const void         *item;
} wsc_sorted_item_t;


/* Names and items belong to whoever adds them. */

typedef struct {
    wsc_str_t           after;
    size_t              max;
    size_t              n;
    unsigned            more:1;       /* some more are behind them */
    wsc_sorted_item_t   items[WSC_MAX_LIMIT];
} wsc_sorted_t;


/* An empty page of 1 to WSC_MAX_LIMIT items.  after, len 0: from the first. */
void wsc_sorted_init(wsc_sorted_t *p, const wsc_str_t *after, size_t max);

/* Another one, whose name no other has. */
void wsc_sorted_add(wsc_sorted_t *p, const u_char *name, size_t len,
    const void *item);


#endif /* _WSC_SORTED_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The latest notes by key, a bounded number of them, in the order in which
 * they came first; each may have a time when it is due to go.
 */


#ifndef _WSC_LATEST_H_INCLUDED_
#define _WSC_LATEST_H_INCLUDED_


#include "wsc_value.h"


typedef struct wsc_latest_item_s  wsc_latest_item_t;


struct wsc_latest_item_s {
    wsc_latest_item_t  *next;
    wsc_str_t           key;          /* behind this struct */
    wsc_str_t           sender;
    wsc_value_t         value;
    uint32_t            due;          /* ms clock */
    unsigned            timed:1;      /* due is set */
    unsigned            own:1;        /* the owner's */
    u_char              data[];
};


typedef struct {
    const wsc_alloc_t  *alloc;
    wsc_latest_item_t  *first;
    uint32_t            n;
    uint32_t            max;
} wsc_latest_t;


/* Empty; nothing is allocated. */
void wsc_latest_init(wsc_latest_t *l, const wsc_alloc_t *alloc, uint32_t max);

wsc_latest_item_t *wsc_latest_find(wsc_latest_t *l, const wsc_str_t *key);

/*
 * Sets what a key has; flags and due are 0 then, and its place stays.  NULL:
 * there are max others, or no memory: what was there still is.
 */
wsc_latest_item_t *wsc_latest_set(wsc_latest_t *l, const wsc_str_t *key,
    const wsc_str_t *sender, const wsc_value_t *value);

void wsc_latest_drop(wsc_latest_t *l, wsc_latest_item_t *item);

/* Sets when it is due. */
void wsc_latest_time(wsc_latest_item_t *item, uint32_t due);

/* One that is due by now, or NULL. */
wsc_latest_item_t *wsc_latest_due(wsc_latest_t *l, uint32_t now);

void wsc_latest_free(wsc_latest_t *l);


#endif /* _WSC_LATEST_H_INCLUDED_ */

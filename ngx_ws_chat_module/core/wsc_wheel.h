
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A coarse timing wheel: one timer of the host drives any number of nodes.
 */


#ifndef _WSC_WHEEL_H_INCLUDED_
#define _WSC_WHEEL_H_INCLUDED_


#include "wsc_base.h"


#define WSC_WHEEL_SLOTS  256


typedef struct wsc_wheel_node_s  wsc_wheel_node_t;

struct wsc_wheel_node_s {
    wsc_wheel_node_t   *next;         /* NULL: not in the wheel */
    wsc_wheel_node_t   *prev;
};


typedef struct {
    wsc_wheel_node_t    slots[WSC_WHEEL_SLOTS];
    uint64_t            now;          /* the last tick done */
    size_t              count;        /* nodes inside */
} wsc_wheel_t;


/* now: the tick to start from. */
void wsc_wheel_init(wsc_wheel_t *w, uint64_t now);

/* A node is in the wheel at most once; zero it before the first use. */
#define wsc_wheel_active(node)  ((node)->next != NULL)

/*
 * Enters the node (leaving its place first, if it has one) so that it comes
 * out at tick `due`, or WSC_WHEEL_SLOTS - 1 ticks from now if that is later
 * (its owner then enters it again); a due not after now comes out at the next
 * tick.
 */
void wsc_wheel_add(wsc_wheel_t *w, wsc_wheel_node_t *node, uint64_t due);

/* Leaves the wheel; nothing happens if the node is not inside. */
void wsc_wheel_del(wsc_wheel_t *w, wsc_wheel_node_t *node);

/*
 * Takes out the next node that is due at tick `now` or before, or returns NULL
 * when all is done up to now.  Between calls nodes may be added and deleted.
 */
wsc_wheel_node_t *wsc_wheel_expire(wsc_wheel_t *w, uint64_t now);


#endif /* _WSC_WHEEL_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A coarse timing wheel.  The slot of tick `now` is the one being emptied: it
 * gets no new nodes, so that what a callback enters never comes out again at
 * the same tick.
 */


#include "wsc_wheel.h"


#define wsc_wheel_slot(w, tick)  (&(w)->slots[(tick) % WSC_WHEEL_SLOTS])


void
wsc_wheel_init(wsc_wheel_t *w, uint64_t now)
{
    size_t  i;

    for (i = 0; i < WSC_WHEEL_SLOTS; i++) {
        w->slots[i].next = &w->slots[i];
        w->slots[i].prev = &w->slots[i];
    }

    w->now = now;
    w->count = 0;
}


void
wsc_wheel_add(wsc_wheel_t *w, wsc_wheel_node_t *node, uint64_t due)
{
    wsc_wheel_node_t  *slot;

    wsc_wheel_del(w, node);

    if (due <= w->now) {
        due = w->now + 1;
    }

    if (due - w->now >= WSC_WHEEL_SLOTS) {
        due = w->now + WSC_WHEEL_SLOTS - 1;
    }

    slot = wsc_wheel_slot(w, due);

    node->next = slot;
    node->prev = slot->prev;
    slot->prev->next = node;
    slot->prev = node;

    w->count++;
}


void
wsc_wheel_del(wsc_wheel_t *w, wsc_wheel_node_t *node)
{
    if (!wsc_wheel_active(node)) {
        return;
    }

    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = NULL;
    node->prev = NULL;

    w->count--;
}


wsc_wheel_node_t *
wsc_wheel_expire(wsc_wheel_t *w, uint64_t now)
{
    wsc_wheel_node_t  *slot, *node;

    /* after a long pause one turn finds all that is due */

    if (now > w->now && now - w->now > WSC_WHEEL_SLOTS) {
        w->now = now - WSC_WHEEL_SLOTS;
    }

    for ( ;; ) {
        slot = wsc_wheel_slot(w, w->now);
        node = slot->next;

        if (node != slot) {
            wsc_wheel_del(w, node);
            return node;
        }

        if (w->now >= now) {
            return NULL;
        }

        if (w->count == 0) {
            w->now = now;
            return NULL;
        }

        w->now++;
    }
}

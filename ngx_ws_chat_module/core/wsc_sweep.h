
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Which changes of messages are dropped that a chat's stream has no more: not
 * those that who comes back is told of, nor those that the archive may show
 * without, for it is late.
 */


#ifndef _WSC_SWEEP_H_INCLUDED_
#define _WSC_SWEEP_H_INCLUDED_


#include "wsc_value.h"


#define WSC_SWEEP_MOST  1024         /* of what is gone, kept for longer */
#define WSC_SWEEP_LAG   60000        /* ms that the archive may need then */


typedef struct {
    wsc_pos_t  first;         /* in the stream; seq 0: none, or not known */
    wsc_pos_t  from;          /* who comes back from there misses nothing */
    uint64_t   now;           /* ms since 1970 */
    uint64_t   age;           /* ms that the archive may need them */
    size_t     young;         /* so many were: 0 before the first */
} wsc_sweep_t;


/* 1: this one is dropped.  Once for each change of the chat. */
int wsc_sweep_drops(wsc_sweep_t *s, const wsc_change_t *c);


#endif /* _WSC_SWEEP_H_INCLUDED_ */

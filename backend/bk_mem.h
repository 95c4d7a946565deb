
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the core takes as arguments: memory, time, randomness.
 */


#ifndef _BK_MEM_H_INCLUDED_
#define _BK_MEM_H_INCLUDED_


#include "wsc_base.h"


extern const wsc_alloc_t  bk_alloc;      /* malloc() */


/* Milliseconds since 1970; of a clock that is never set. */
uint64_t bk_now(void);
uint64_t bk_ticks(void);

uint32_t bk_random(void);


#endif /* _BK_MEM_H_INCLUDED_ */

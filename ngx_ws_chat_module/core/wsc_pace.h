
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Spreads deeds over time: who has until some tick books one of the ticks up
 * to it.  Bookings of all who share the table go where the fewest are, so
 * that windows that overlap do not add up.
 */


#ifndef _WSC_PACE_H_INCLUDED_
#define _WSC_PACE_H_INCLUDED_


#include "wsc_base.h"


#define WSC_PACE_TICKS  1024


/* All zero at first.  May lie in memory that several processes share. */

typedef struct {
    uint64_t         booked[WSC_PACE_TICKS];   /* tick << 32 | deeds */
} wsc_pace_t;


/*
 * Books a tick from now to now + window, both included: the least busy one of
 * a few that are looked at.  A window of WSC_PACE_TICKS or more is so sparse
 * that any tick of it is taken, without a booking.  random: 32 random bits.
 */
uint32_t wsc_pace_book(wsc_pace_t *p, uint32_t now, uint32_t window,
    uint32_t random);


#endif /* _WSC_PACE_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Times of records: ISO 8601 text and milliseconds since 1970.
 */


#ifndef _WSC_TIME_H_INCLUDED_
#define _WSC_TIME_H_INCLUDED_


#include "wsc_base.h"


#define WSC_TIME_LEN  24          /* 2024-01-31T12:00:00.000Z */


/*
 * Reads YYYY-MM-DDThh:mm:ss with an optional fraction of a second, of which
 * milliseconds count, and Z or an offset +hh:mm, years 1970 to 9999.  WSC_OK
 * with *ms or WSC_DECLINED.
 */
ssize_t wsc_time_parse(const wsc_str_t *s, uint64_t *ms);

/* Writes WSC_TIME_LEN octets, in UTC; ms is before the year 10000. */
void wsc_time_print(u_char *buf, uint64_t ms);


#endif /* _WSC_TIME_H_INCLUDED_ */

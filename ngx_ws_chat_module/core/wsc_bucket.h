
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A token bucket in eight octets.
 */


#ifndef _WSC_BUCKET_H_INCLUDED_
#define _WSC_BUCKET_H_INCLUDED_


#include "wsc_base.h"


typedef struct {
    uint32_t            milli;        /* tokens left, in thousandths */
    uint32_t            last;         /* ms clock at the last refill */
} wsc_bucket_t;


/* Full at ms clock now (any clock, may wrap).  burst: 1 .. 4,000,000. */
void wsc_bucket_init(wsc_bucket_t *b, uint32_t burst, uint32_t now);

/*
 * Takes one token; rate: tokens a second.  WSC_OK; WSC_DECLINED: none left,
 * *retry_ms (1 or more) until there will be one.
 */
ssize_t wsc_bucket_take(wsc_bucket_t *b, uint32_t rate, uint32_t burst,
    uint32_t now, uint32_t *retry_ms);


#endif /* _WSC_BUCKET_H_INCLUDED_ */

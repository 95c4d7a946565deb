
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Where the topic ends, for who does not read it.
 */


#ifndef _BK_KAFKA_ENDS_H_INCLUDED_
#define _BK_KAFKA_ENDS_H_INCLUDED_


#include <stdint.h>


/*
 * What follows the last record of each partition, 0 where there is none: what
 * was acknowledged before the call is before that.  The number of partitions,
 * *ends is to be freed; -1: it is logged why not.
 */
int bk_kafka_ends(int64_t **ends);


#endif /* _BK_KAFKA_ENDS_H_INCLUDED_ */

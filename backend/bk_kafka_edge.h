
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Where partitions begin and end.
 */


#ifndef _BK_KAFKA_EDGE_H_INCLUDED_
#define _BK_KAFKA_EDGE_H_INCLUDED_


#include <librdkafka/rdkafka.h>


/*
 * Sets the offset of each partition of the list to that end of it, which is
 * RD_KAFKA_OFFSET_END or _BEGINNING, within so many ms.  Of both at once, by
 * watermarks, librdkafka gives the one that it was told for the other, too.
 */
rd_kafka_resp_err_t bk_kafka_edge(rd_kafka_t *rk,
    rd_kafka_topic_partition_list_t *list, int64_t which, int timeout);


#endif /* _BK_KAFKA_EDGE_H_INCLUDED_ */

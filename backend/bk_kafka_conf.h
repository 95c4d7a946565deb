
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Configuration of librdkafka's handles.
 */


#ifndef _BK_KAFKA_CONF_H_INCLUDED_
#define _BK_KAFKA_CONF_H_INCLUDED_


#include <librdkafka/rdkafka.h>


/*
 * A configuration with brokers, logging, the pairs (up to NULL) and the
 * properties that were configured.  NULL: it is logged why not.
 */
rd_kafka_conf_t *bk_kafka_conf(const char *const *pairs);


#endif /* _BK_KAFKA_CONF_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records that stand in a wrong partition go to the right one.
 */


#ifndef _BK_KAFKA_OUT_H_INCLUDED_
#define _BK_KAFKA_OUT_H_INCLUDED_


#include "bk_kafka.h"


typedef struct bk_kafka_out_s  bk_kafka_out_t;


/* NULL: it is logged why not. */
bk_kafka_out_t *bk_kafka_out_open(void);
void bk_kafka_out_close(bk_kafka_out_t *out);

/*
 * Produces the record once more, key and partition as they should be, with
 * its headers and `moved`.  0: the topic has it; -1: it may not.
 */
int bk_kafka_out_move(bk_kafka_out_t *out, const bk_kafka_message_t *m,
    const wsc_str_t *key, int32_t partition);

/* 1: the record was moved before. */
int bk_kafka_out_moved(const bk_kafka_message_t *m);


#endif /* _BK_KAFKA_OUT_H_INCLUDED_ */

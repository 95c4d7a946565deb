
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records of the topic chat-messages.  The value is a JSON object {chat_id,
 * sender, message, timestamp, cid} or the same map as msgpack; other fields
 * are ignored.  What a foreign producer left out and can be told otherwise is
 * mended: chat_id from the key, the timestamp from the broker; a cid may be
 * missing.  A value with "enc":"base64" carries octets.
 *
 * A value whose op is "edit" or "retract" is a change of a message, see
 * wsc_record.h.
 *
 * Headers: epoch, seq (decimal) the position of a live chat's message;
 * prev_epoch, prev_seq the one before it; retry: it may have been sent before.
 */


#ifndef _BK_RECORD_H_INCLUDED_
#define _BK_RECORD_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_value.h"


typedef enum {
    BK_HEADER_EPOCH = 0,
    BK_HEADER_SEQ,
    BK_HEADER_PREV_EPOCH,
    BK_HEADER_PREV_SEQ,
    BK_HEADER_RETRY,
    BK_HEADER_N
} bk_header_e;


/* What a record is. */

typedef enum {
    BK_OP_MESSAGE = 0,
    BK_OP_EDIT,
    BK_OP_RETRACT
} bk_op_e;


/* As it comes from the topic; data NULL: not there. */

typedef struct {
    wsc_str_t        key;
    wsc_str_t        value;
    wsc_str_t        headers[BK_HEADER_N];
    uint64_t         timestamp;      /* the broker's, ms */
} bk_raw_t;


/* Strings stand in the raw record or in the buffers. */

typedef struct {
    wsc_str_t        chat_id;
    bk_op_e          op;
    wsc_str_t        sender;         /* of a change: who did it; len 0: a
                                        server */
    wsc_str_t        cid;            /* len 0: none */
    wsc_str_t        message;        /* JSON text; len 0: retracted */
    uint64_t         timestamp;      /* ms */
    wsc_pos_t        pos;            /* of a live chat; seq 0: none */
    wsc_pos_t        target;         /* of a change: the message's */
    wsc_pos_t        prev;           /* seq 0: none before it, or not known */
    const char      *rule;           /* static: why members may not get it */
    wsc_buf_t        names;
    wsc_buf_t        text;
    unsigned         has_prev:1;
    unsigned         base64:1;       /* the message is octets as base64 */
    unsigned         retry:1;
    unsigned         moderate:1;     /* a change, also of others' messages */
} bk_record_t;


extern const char *const  bk_header_names[BK_HEADER_N];


/*
 * Reads one.  WSC_OK; WSC_DECLINED with *reason (static): a bad record;
 * WSC_ERROR: no memory.  bk_record_free() is due in any case.
 */
ssize_t bk_record_read(const wsc_alloc_t *alloc, const bk_raw_t *raw,
    bk_record_t *r, const char **reason);

/* One of zeros is fine, too. */
void bk_record_free(bk_record_t *r);

/*
 * What the message is for members: JSON text, or octets, which are appended
 * to b.  WSC_OK or WSC_ERROR (no memory).
 */
ssize_t bk_record_value(const bk_record_t *r, wsc_buf_t *b, wsc_value_t *v);


#endif /* _BK_RECORD_H_INCLUDED_ */

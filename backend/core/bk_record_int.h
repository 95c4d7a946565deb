
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Internal to bk_record: the fields of a value.
 */


#ifndef _BK_RECORD_INT_H_INCLUDED_
#define _BK_RECORD_INT_H_INCLUDED_


#include "bk_record.h"


typedef enum {
    BK_FIELD_CHAT_ID = 0,
    BK_FIELD_SENDER,
    BK_FIELD_MESSAGE,
    BK_FIELD_TIMESTAMP,
    BK_FIELD_CID,
    BK_FIELD_ENC,
    BK_FIELD_OP,
    BK_FIELD_EPOCH,
    BK_FIELD_SEQ,
    BK_FIELD_BY,
    BK_FIELD_MODERATE,
    BK_FIELD_N
} bk_field_e;


/* The values of the known fields, as they stand in the record's value. */

typedef struct {
    wsc_str_t    values[BK_FIELD_N];     /* data NULL: not there */
    const char  *rule;                   /* the first one JSON text breaks */
    unsigned     msgpack:1;
} bk_fields_t;


/*
 * A string that is a name, unescaped to b where necessary: room for it is
 * there.  WSC_OK; WSC_DONE: the field is not there; WSC_DECLINED: it is no
 * string, or longer than any name.
 */
ssize_t bk_record_string(const bk_fields_t *f, bk_field_e field,
    wsc_buf_t *b, wsc_str_t *s);

/* An integer that is not negative.  WSC_OK or WSC_DECLINED. */
ssize_t bk_record_uint(const bk_fields_t *f, bk_field_e field, uint64_t *n);

/* 1: it is there, and true. */
int bk_record_true(const bk_fields_t *f, bk_field_e field);

/*
 * What the record is, and what a change says beside its message.  WSC_OK, or
 * WSC_DECLINED with *reason.
 */
ssize_t bk_record_change(const bk_fields_t *f, bk_record_t *r,
    const char **reason);

/* The message itself.  WSC_OK, WSC_DECLINED with *reason, or WSC_ERROR. */
ssize_t bk_record_message(const wsc_alloc_t *alloc, const bk_fields_t *f,
    bk_record_t *r, const char **reason);


#endif /* _BK_RECORD_INT_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The binary format of PostgreSQL's COPY.
 */


#ifndef _BK_COPY_H_INCLUDED_
#define _BK_COPY_H_INCLUDED_


#include "wsc_buf.h"


/* Append to a buffer: a head, for each row its fields, an end. */
void bk_copy_head(wsc_buf_t *b);
void bk_copy_row(wsc_buf_t *b, unsigned fields);
void bk_copy_end(wsc_buf_t *b);

void bk_copy_null(wsc_buf_t *b);
void bk_copy_int(wsc_buf_t *b, int64_t v);             /* bigint */
void bk_copy_time(wsc_buf_t *b, uint64_t ms);          /* timestamptz */
void bk_copy_str(wsc_buf_t *b, const wsc_str_t *s);    /* text, json, bytea */
void bk_copy_text(wsc_buf_t *b, const char *s);


#endif /* _BK_COPY_H_INCLUDED_ */

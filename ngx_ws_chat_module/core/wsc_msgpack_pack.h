
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Appends msgpack objects to a buffer, each in its shortest form.  A lack of
 * memory shows in the buffer's failed flag.
 */


#ifndef _WSC_MSGPACK_PACK_H_INCLUDED_
#define _WSC_MSGPACK_PACK_H_INCLUDED_


#include "wsc_buf.h"


void wsc_msgpack_put_nil(wsc_buf_t *b);
void wsc_msgpack_put_bool(wsc_buf_t *b, int v);
void wsc_msgpack_put_uint(wsc_buf_t *b, uint64_t v);
void wsc_msgpack_put_int(wsc_buf_t *b, int64_t v);
void wsc_msgpack_put_double(wsc_buf_t *b, double v);

/* The header of a string of len octets, which the caller adds; a string. */
void wsc_msgpack_put_str_head(wsc_buf_t *b, size_t len);
void wsc_msgpack_put_str(wsc_buf_t *b, const wsc_str_t *s);

void wsc_msgpack_put_bin(wsc_buf_t *b, const wsc_str_t *s);

/*
 * Begins an array or a map whose size is not known yet; the value returned,
 * and how many elements or pairs were put since, are told at its end.
 */
size_t wsc_msgpack_put_begin(wsc_buf_t *b);
void wsc_msgpack_put_end(wsc_buf_t *b, size_t begin, int map, size_t n);


#endif /* _WSC_MSGPACK_PACK_H_INCLUDED_ */

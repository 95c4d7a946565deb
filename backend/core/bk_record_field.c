
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Values of a record's fields, in JSON and msgpack alike.
 */


#include <string.h>

#include "wsc_json_text.h"
#include "wsc_msgpack.h"
#include "wsc_number.h"
#include "bk_record.h"
#include "bk_record_int.h"


static ssize_t bk_record_packed_uint(const wsc_str_t *v, uint64_t *n);


ssize_t
bk_record_string(const bk_fields_t *f, bk_field_e field, wsc_buf_t *b,
    wsc_str_t *s)
{
    const u_char       *p, *last;
    const wsc_str_t    *v;
    wsc_msgpack_item_t  item;

    v = &f->values[field];

    s->len = 0;
    s->data = NULL;

    if (v->data == NULL) {
        return WSC_DONE;
    }

    if (f->msgpack) {
        if (wsc_msgpack_read(v->data, v->data + v->len, &item) != WSC_OK
            || item.type != WSC_MSGPACK_STR)
        {
            return WSC_DECLINED;
        }

        s->data = v->data + item.head;
        s->len = item.n;

        return WSC_OK;
    }

    if (v->len < 2 || v->data[0] != '"') {
        return WSC_DECLINED;
    }

    p = v->data + 1;
    last = v->data + v->len - 1;

    if (memchr(p, '\\', last - p) == NULL) {
        s->data = (u_char *) p;
        s->len = last - p;

        return WSC_OK;
    }

    s->data = b->data + b->len;

    while (p != last) {
        if (s->len > WSC_MAX_USER) {
            return WSC_DECLINED;
        }

        s->len += wsc_json_unescape(&p, last, s->data + s->len);
    }

    b->len += s->len;

    return WSC_OK;
}


ssize_t
bk_record_uint(const bk_fields_t *f, bk_field_e field, uint64_t *n)
{
    int               negative;
    const wsc_str_t  *v;

    v = &f->values[field];

    if (v->data == NULL) {
        return WSC_DECLINED;
    }

    if (f->msgpack) {
        return bk_record_packed_uint(v, n);
    }

    if (v->data[0] == '"'
        || wsc_number_integer(v->data, v->len, n, &negative) != WSC_OK)
    {
        return WSC_DECLINED;
    }

    return negative ? WSC_DECLINED : WSC_OK;
}


static ssize_t
bk_record_packed_uint(const wsc_str_t *v, uint64_t *n)
{
    size_t              i;
    wsc_msgpack_item_t  item;

    if (v->data[0] > 0xcf
        || wsc_msgpack_read(v->data, v->data + v->len, &item) != WSC_OK
        || item.type != WSC_MSGPACK_INTEGER)
    {
        return WSC_DECLINED;
    }

    *n = (item.head == 1) ? v->data[0] : 0;

    for (i = 1; i < item.head; i++) {
        *n = *n << 8 | v->data[i];
    }

    return WSC_OK;
}


int
bk_record_true(const bk_fields_t *f, bk_field_e field)
{
    const wsc_str_t  *v;

    static const u_char  packed = 0xc3;

    v = &f->values[field];

    if (v->data == NULL) {
        return 0;
    }

    return f->msgpack ? v->data[0] == packed : v->data[0] == 't';
}

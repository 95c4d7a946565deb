
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_envelope_int.h"
#include "wsc_json.h"
#include "wsc_msgpack_pack.h"


static void wsc_envelope_values(wsc_buf_t *b, wsc_envelope_e kind,
    const wsc_entry_t *e);


/* writing */

void
wsc_envelope_entry(wsc_buf_t *b, const wsc_entry_t *e, int first)
{
    size_t  begin;

    begin = wsc_msgpack_put_begin(b);

    wsc_envelope_values(b, WSC_ENVELOPE_ENTRY, e);

    if (first) {
        wsc_msgpack_put_uint(b, e->prev.epoch);
        wsc_msgpack_put_uint(b, e->prev.seq);
    }

    wsc_msgpack_put_end(b, begin, 0, first ? WSC_ENVELOPE_FIRST_N
                                           : WSC_ENVELOPE_ENTRY_N);
}


void
wsc_envelope_message(wsc_buf_t *b, const wsc_entry_t *e)
{
    size_t  begin;

    begin = wsc_msgpack_put_begin(b);

    wsc_envelope_values(b, WSC_ENVELOPE_MESSAGE, e);

    wsc_msgpack_put_uint(b, e->pos.epoch);
    wsc_msgpack_put_uint(b, e->pos.seq);
    wsc_msgpack_put_uint(b, e->prev.epoch);
    wsc_msgpack_put_uint(b, e->prev.seq);

    wsc_msgpack_put_end(b, begin, 0, WSC_ENVELOPE_MESSAGE_N);
}


void
wsc_envelope_number(wsc_buf_t *b, wsc_envelope_e kind, uint64_t n)
{
    size_t  begin;

    begin = wsc_msgpack_put_begin(b);

    wsc_msgpack_put_uint(b, WSC_ENVELOPE_VERSION);
    wsc_msgpack_put_uint(b, kind);
    wsc_msgpack_put_uint(b, n);

    wsc_msgpack_put_end(b, begin, 0, WSC_ENVELOPE_NUMBER_N);
}


static void
wsc_envelope_values(wsc_buf_t *b, wsc_envelope_e kind, const wsc_entry_t *e)
{
    wsc_msgpack_put_uint(b, WSC_ENVELOPE_VERSION);
    wsc_msgpack_put_uint(b, kind);
    wsc_msgpack_put_uint(b, e->timestamp);
    wsc_msgpack_put_str(b, &e->sender);
    wsc_msgpack_put_str(b, &e->cid);
    wsc_envelope_value(b, &e->message);
}


void
wsc_envelope_value(wsc_buf_t *b, const wsc_value_t *value)
{
    if (value->binary) {
        wsc_msgpack_put_bin(b, &value->data);
        return;
    }

    wsc_msgpack_put_str(b, &value->data);
}


void
wsc_envelope_entry_read(wsc_envelope_in_t *in, size_t n, wsc_envelope_t *v)
{
    wsc_entry_t         *e;
    wsc_msgpack_type_e   type;

    e = &v->entry;

    e->timestamp = wsc_envelope_uint(in);

    wsc_envelope_str(in, &e->sender, &type);
    in->failed |= (type != WSC_MSGPACK_STR);

    wsc_envelope_str(in, &e->cid, &type);
    in->failed |= (type != WSC_MSGPACK_STR);

    wsc_envelope_str(in, &e->message.data, &type);
    e->message.binary = (type == WSC_MSGPACK_BIN);

    if (v->kind == WSC_ENVELOPE_MESSAGE) {
        e->pos.epoch = wsc_envelope_uint(in);
        e->pos.seq = wsc_envelope_uint(in);

        if (e->pos.seq == 0) {
            in->failed = 1;
        }

    } else if (n < WSC_ENVELOPE_FIRST_N) {
        return;
    }

    v->has_prev = 1;

    e->prev.epoch = wsc_envelope_uint(in);
    e->prev.seq = wsc_envelope_uint(in);

    if (v->kind == WSC_ENVELOPE_MESSAGE && wsc_pos_cmp(e->prev, e->pos) >= 0) {
        in->failed = 1;
    }
}


ssize_t
wsc_envelope_entry_check(const wsc_alloc_t *alloc, const wsc_envelope_t *v,
    const char **reason)
{
    const wsc_entry_t  *e;

    e = &v->entry;

    if (!wsc_user_valid(&e->sender)) {
        *reason = "a bad sender in an envelope";
        return WSC_DECLINED;
    }

    if (e->cid.len && !wsc_cid_valid(&e->cid)) {
        *reason = "a bad cid in an envelope";
        return WSC_DECLINED;
    }

    if (e->message.binary) {
        return WSC_OK;
    }

    return wsc_json_check(alloc, e->message.data.data, e->message.data.len,
                          WSC_MAX_DEPTH, reason);
}


uint64_t
wsc_envelope_uint(wsc_envelope_in_t *in)
{
    size_t              i;
    uint64_t            v;
    wsc_msgpack_item_t  item;

    if (in->failed
        || wsc_msgpack_read(in->p, in->last, &item) != WSC_OK
        || item.type != WSC_MSGPACK_INTEGER
        || *in->p > 0xcf)
    {
        in->failed = 1;
        return 0;
    }

    /* 0xcc .. 0xcf: unsigned, the octets follow; below: the value itself */

    v = (item.head == 1) ? *in->p : 0;

    for (i = 1; i < item.head; i++) {
        v = v << 8 | in->p[i];
    }

    in->p += item.head;

    if (v >= WSC_MAX_INTEGER) {
        in->failed = 1;
        return 0;
    }

    return v;
}


void
wsc_envelope_str(wsc_envelope_in_t *in, wsc_str_t *s,
    wsc_msgpack_type_e *type)
{
    wsc_msgpack_item_t  item;

    *type = WSC_MSGPACK_NIL;

    if (in->failed
        || wsc_msgpack_read(in->p, in->last, &item) != WSC_OK
        || (item.type != WSC_MSGPACK_STR && item.type != WSC_MSGPACK_BIN))
    {
        in->failed = 1;
        return;
    }

    *type = item.type;

    s->data = (u_char *) in->p + item.head;
    s->len = item.n;

    in->p += item.head + item.n;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Envelopes of changes.
 */


#include "wsc_envelope_int.h"
#include "wsc_json.h"
#include "wsc_msgpack_pack.h"


void
wsc_envelope_change(wsc_buf_t *b, const wsc_change_t *change)
{
    size_t                    begin;
    static const wsc_value_t  none = { wsc_null_string, 0 };

    begin = wsc_msgpack_put_begin(b);

    wsc_msgpack_put_uint(b, WSC_ENVELOPE_VERSION);
    wsc_msgpack_put_uint(b, WSC_ENVELOPE_CHANGE);
    wsc_msgpack_put_uint(b, change->timestamp);
    wsc_msgpack_put_str(b, &change->by);
    wsc_msgpack_put_uint(b, change->pos.epoch);
    wsc_msgpack_put_uint(b, change->pos.seq);
    wsc_msgpack_put_uint(b, change->retracted);
    wsc_envelope_value(b, change->retracted ? &none : &change->message);
    wsc_msgpack_put_uint(b, change->at.epoch);
    wsc_msgpack_put_uint(b, change->at.seq);

    wsc_msgpack_put_end(b, begin, 0, WSC_ENVELOPE_CHANGE_N);
}


void
wsc_envelope_change_read(wsc_envelope_in_t *in, wsc_envelope_t *v)
{
    uint64_t             retracted;
    wsc_change_t        *change;
    wsc_msgpack_type_e   type;

    change = &v->change;

    change->timestamp = wsc_envelope_uint(in);

    wsc_envelope_str(in, &change->by, &type);
    in->failed |= (type != WSC_MSGPACK_STR);

    change->pos.epoch = wsc_envelope_uint(in);
    change->pos.seq = wsc_envelope_uint(in);

    retracted = wsc_envelope_uint(in);
    change->retracted = (retracted == 1);

    wsc_envelope_str(in, &change->message.data, &type);
    change->message.binary = (type == WSC_MSGPACK_BIN);

    change->at.epoch = wsc_envelope_uint(in);
    change->at.seq = wsc_envelope_uint(in);

    if (retracted > 1 || change->pos.seq == 0
        || (change->retracted && change->message.data.len))
    {
        in->failed = 1;
    }
}


ssize_t
wsc_envelope_change_check(const wsc_alloc_t *alloc, const wsc_envelope_t *v,
    const char **reason)
{
    const wsc_change_t  *change;

    change = &v->change;

    if (change->by.len && !wsc_user_valid(&change->by)) {
        *reason = "a bad user in an envelope";
        return WSC_DECLINED;
    }

    if (change->retracted || change->message.binary) {
        return WSC_OK;
    }

    return wsc_json_check(alloc, change->message.data.data,
                          change->message.data.len, WSC_MAX_DEPTH, reason);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_envelope_int.h"


/* Elements of each kind. */

static const size_t  wsc_envelope_least[] = {
    0,
    WSC_ENVELOPE_ENTRY_N,
    WSC_ENVELOPE_MESSAGE_N,
    WSC_ENVELOPE_NUMBER_N,
    WSC_ENVELOPE_NUMBER_N,
    WSC_ENVELOPE_NEWS_N,
    WSC_ENVELOPE_CHANGE_N
};


static ssize_t wsc_envelope_head(wsc_envelope_in_t *in, size_t *n,
    wsc_envelope_t *v, const char **reason);


/* reading */

ssize_t
wsc_envelope_read(const wsc_alloc_t *alloc, const wsc_str_t *s,
    wsc_envelope_t *v, const char **reason)
{
    size_t             n;
    ssize_t            rc;
    wsc_envelope_in_t  in;

    memset(v, 0, offsetof(wsc_envelope_t, notes));

    in.p = s->data;
    in.last = s->data + s->len;
    in.failed = 0;

    rc = wsc_envelope_head(&in, &n, v, reason);
    if (rc != WSC_OK) {
        return rc;
    }

    if (v->kind == WSC_ENVELOPE_HINT || v->kind == WSC_ENVELOPE_CANARY) {
        v->n = wsc_envelope_uint(&in);

    } else if (v->kind == WSC_ENVELOPE_NEWS) {
        wsc_envelope_news_read(&in, n, v);

    } else if (v->kind == WSC_ENVELOPE_CHANGE) {
        wsc_envelope_change_read(&in, v);

    } else {
        wsc_envelope_entry_read(&in, n, v);
    }

    if (in.failed) {
        *reason = "a bad element in an envelope";
        return WSC_DECLINED;
    }

    if (v->kind == WSC_ENVELOPE_HINT || v->kind == WSC_ENVELOPE_CANARY) {
        return WSC_OK;
    }

    if (v->kind == WSC_ENVELOPE_NEWS) {
        return wsc_envelope_news_check(alloc, v, reason);
    }

    if (v->kind == WSC_ENVELOPE_CHANGE) {
        return wsc_envelope_change_check(alloc, v, reason);
    }

    return wsc_envelope_entry_check(alloc, v, reason);
}


int
wsc_envelope_is(const wsc_alloc_t *alloc, const wsc_str_t *s,
    wsc_envelope_e kind, wsc_envelope_t *v)
{
    const char  *reason;

    return wsc_envelope_read(alloc, s, v, &reason) == WSC_OK
           && v->kind == kind;
}


static ssize_t
wsc_envelope_head(wsc_envelope_in_t *in, size_t *n, wsc_envelope_t *v,
    const char **reason)
{
    uint64_t            version, kind;
    wsc_msgpack_item_t  item;

    *reason = "not an envelope";

    if (wsc_msgpack_read(in->p, in->last, &item) != WSC_OK
        || item.type != WSC_MSGPACK_ARRAY)
    {
        return WSC_DECLINED;
    }

    in->p += item.head;
    *n = item.n;

    if (*n < WSC_ENVELOPE_NUMBER_N) {
        return WSC_DECLINED;
    }

    version = wsc_envelope_uint(in);

    if (in->failed || version != WSC_ENVELOPE_VERSION) {
        *reason = "an envelope of another version";
        return WSC_DECLINED;
    }

    kind = wsc_envelope_uint(in);

    if (in->failed || kind == 0
        || kind >= sizeof(wsc_envelope_least) / sizeof(size_t))
    {
        *reason = "an envelope of unknown kind";
        return WSC_DECLINED;
    }

    v->kind = kind;

    return (*n < wsc_envelope_least[kind]) ? WSC_DECLINED : WSC_OK;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_json.h"
#include "wsc_json_text.h"
#include "wsc_msgpack.h"
#include "wsc_number.h"
#include "bk_record.h"
#include "bk_record_int.h"
#include "wsc_record.h"
#include "wsc_time.h"


#define BK_RECORD_TIME  253402300800000    /* ms: the year 10000 */


static ssize_t bk_record_position(const bk_raw_t *raw, bk_record_t *r,
    const char **reason);
static ssize_t bk_record_number(const wsc_str_t *s, uint64_t *v);
static ssize_t bk_record_json(const wsc_alloc_t *alloc, const bk_raw_t *raw,
    bk_fields_t *f, const char **reason);
static ssize_t bk_record_msgpack(const wsc_alloc_t *alloc,
    const bk_raw_t *raw, bk_fields_t *f, const char **reason);
static ssize_t bk_record_field(bk_fields_t *f, const wsc_str_t *key,
    const wsc_str_t *value, const char **reason);
static ssize_t bk_record_fields(const wsc_alloc_t *alloc, const bk_raw_t *raw,
    const bk_fields_t *f, bk_record_t *r, const char **reason);
static ssize_t bk_record_names(const bk_raw_t *raw, const bk_fields_t *f,
    bk_record_t *r, const char **reason);
static ssize_t bk_record_time(const bk_raw_t *raw, const bk_fields_t *f,
    bk_record_t *r);


const char *const  bk_header_names[BK_HEADER_N] = {
    WSC_RECORD_EPOCH, WSC_RECORD_SEQ, WSC_RECORD_PREV_EPOCH,
    WSC_RECORD_PREV_SEQ, WSC_RECORD_RETRY
};


static const char *const  bk_field_names[BK_FIELD_N] = {
    "chat_id", "sender", "message", "timestamp", "cid", "enc", "op", "epoch",
    "seq", "by", "moderate"
};


ssize_t
bk_record_read(const wsc_alloc_t *alloc, const bk_raw_t *raw, bk_record_t *r,
    const char **reason)
{
    u_char        ch;
    ssize_t       rc;
    bk_fields_t   f;

    memset(r, 0, sizeof(bk_record_t));
    memset(&f, 0, sizeof(bk_fields_t));

    wsc_buf_init(&r->names, alloc);
    wsc_buf_init(&r->text, alloc);

    if (raw->value.len == 0) {
        *reason = "no value";
        return WSC_DECLINED;
    }

    rc = bk_record_position(raw, r, reason);
    if (rc != WSC_OK) {
        return rc;
    }

    ch = raw->value.data[0];

    /* the first octet of a msgpack map is none that JSON text begins with */

    rc = ((ch >= 0x80 && ch <= 0x8f) || ch == 0xde || ch == 0xdf)
         ? bk_record_msgpack(alloc, raw, &f, reason)
         : bk_record_json(alloc, raw, &f, reason);

    if (rc != WSC_OK) {
        return rc;
    }

    return bk_record_fields(alloc, raw, &f, r, reason);
}


void
bk_record_free(bk_record_t *r)
{
    if (r->names.alloc == NULL) {
        return;
    }

    wsc_buf_free(&r->names);
    wsc_buf_free(&r->text);
}


/* headers */

static ssize_t
bk_record_position(const bk_raw_t *raw, bk_record_t *r, const char **reason)
{
    const wsc_str_t  *h;

    h = raw->headers;

    if (h[BK_HEADER_RETRY].data != NULL) {
        r->retry = 1;
    }

    if (h[BK_HEADER_EPOCH].data == NULL && h[BK_HEADER_SEQ].data == NULL) {
        return WSC_OK;
    }

    if (bk_record_number(&h[BK_HEADER_EPOCH], &r->pos.epoch) != WSC_OK
        || bk_record_number(&h[BK_HEADER_SEQ], &r->pos.seq) != WSC_OK
        || r->pos.seq == 0)
    {
        *reason = "bad epoch or seq header";
        return WSC_DECLINED;
    }

    if (h[BK_HEADER_PREV_EPOCH].data == NULL
        && h[BK_HEADER_PREV_SEQ].data == NULL)
    {
        return WSC_OK;
    }

    if (bk_record_number(&h[BK_HEADER_PREV_EPOCH], &r->prev.epoch) != WSC_OK
        || bk_record_number(&h[BK_HEADER_PREV_SEQ], &r->prev.seq) != WSC_OK
        || wsc_pos_cmp(r->prev, r->pos) >= 0)
    {
        *reason = "bad prev_epoch or prev_seq header";
        return WSC_DECLINED;
    }

    r->has_prev = 1;

    return WSC_OK;
}


static ssize_t
bk_record_number(const wsc_str_t *s, uint64_t *v)
{
    size_t  i;

    *v = 0;

    if (s->data == NULL || s->len == 0) {
        return WSC_DECLINED;
    }

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < '0' || s->data[i] > '9') {
            return WSC_DECLINED;
        }

        *v = *v * 10 + (s->data[i] - '0');

        if (*v >= WSC_MAX_INTEGER) {
            return WSC_DECLINED;
        }
    }

    return WSC_OK;
}


/* the value's fields */

static ssize_t
bk_record_json(const wsc_alloc_t *alloc, const bk_raw_t *raw, bk_fields_t *f,
    const char **reason)
{
    int            it;
    ssize_t        rc;
    wsc_str_t      key, value;
    wsc_scan_t     scan;
    const u_char  *p, *last;

    p = raw->value.data;
    last = p + raw->value.len;

    rc = wsc_json_scan(alloc, p, raw->value.len, WSC_MAX_DEPTH + 1, &scan);
    if (rc != WSC_OK) {
        *reason = scan.reason;
        return rc;
    }

    f->rule = scan.rule;

    p = wsc_json_space(p, last);

    if (*p != '{') {
        *reason = "not an object";
        return WSC_DECLINED;
    }

    it = 0;

    while (wsc_json_next(&p, last, &it, &key, &value) == WSC_OK) {
        if (bk_record_field(f, &key, &value, reason) != WSC_OK) {
            return WSC_DECLINED;
        }
    }

    return WSC_OK;
}


static ssize_t
bk_record_msgpack(const wsc_alloc_t *alloc, const bk_raw_t *raw,
    bk_fields_t *f, const char **reason)
{
    size_t              i, n;
    ssize_t             rc;
    wsc_str_t           key, value;
    const u_char       *p, *last;
    wsc_msgpack_item_t  item;

    f->msgpack = 1;

    p = raw->value.data;
    last = p + raw->value.len;

    rc = wsc_msgpack_check(alloc, p, raw->value.len, WSC_MAX_DEPTH + 1, 2,
                           reason);
    if (rc != WSC_OK) {
        return rc;
    }

    if (wsc_msgpack_read(p, last, &item) != WSC_OK) {
        *reason = "not a map";
        return WSC_DECLINED;
    }

    p += item.head;

    for (i = 0, n = item.n; i < n; i++) {
        (void) wsc_msgpack_read(p, last, &item);

        key.data = (u_char *) p + item.head;
        key.len = item.n;

        p = wsc_msgpack_skip(p, last);

        value.data = (u_char *) p;
        p = wsc_msgpack_skip(p, last);
        value.len = p - value.data;

        if (bk_record_field(f, &key, &value, reason) != WSC_OK) {
            return WSC_DECLINED;
        }
    }

    return WSC_OK;
}


static ssize_t
bk_record_field(bk_fields_t *f, const wsc_str_t *key, const wsc_str_t *value,
    const char **reason)
{
    unsigned  i;

    for (i = 0; i < BK_FIELD_N; i++) {

        if (strlen(bk_field_names[i]) != key->len
            || memcmp(bk_field_names[i], key->data, key->len) != 0)
        {
            continue;
        }

        if (f->values[i].data != NULL) {
            *reason = "a field twice";
            return WSC_DECLINED;
        }

        f->values[i] = *value;
    }

    return WSC_OK;
}


static ssize_t
bk_record_fields(const wsc_alloc_t *alloc, const bk_raw_t *raw,
    const bk_fields_t *f, bk_record_t *r, const char **reason)
{
    ssize_t  rc;

    /* what is unescaped is never longer: the strings do not move */

    if (wsc_buf_reserve(&r->names, BK_FIELD_N * (WSC_MAX_USER + WSC_JSON_CHAR))
        == NULL)
    {
        return WSC_ERROR;
    }

    rc = bk_record_change(f, r, reason);

    if (rc == WSC_OK) {
        rc = bk_record_names(raw, f, r, reason);
    }

    if (rc != WSC_OK) {
        return rc;
    }

    if (bk_record_time(raw, f, r) != WSC_OK) {
        *reason = "bad timestamp";
        return WSC_DECLINED;
    }

    if (r->op == BK_OP_RETRACT) {
        return WSC_OK;
    }

    return bk_record_message(alloc, f, r, reason);
}


static ssize_t
bk_record_names(const bk_raw_t *raw, const bk_fields_t *f, bk_record_t *r,
    const char **reason)
{
    ssize_t  rc;

    rc = bk_record_string(f, BK_FIELD_CHAT_ID, &r->names, &r->chat_id);

    if (rc == WSC_DONE) {
        r->chat_id = raw->key;
        rc = WSC_OK;
    }

    if (rc != WSC_OK || !wsc_chat_id_valid(&r->chat_id)) {
        *reason = "bad or no chat_id";
        return WSC_DECLINED;
    }

    if (r->op != BK_OP_MESSAGE) {
        return WSC_OK;
    }

    if (bk_record_string(f, BK_FIELD_SENDER, &r->names, &r->sender) != WSC_OK
        || !wsc_user_valid(&r->sender))
    {
        *reason = "bad or no sender";
        return WSC_DECLINED;
    }

    rc = bk_record_string(f, BK_FIELD_CID, &r->names, &r->cid);

    if (rc == WSC_DECLINED || (rc == WSC_OK && !wsc_cid_valid(&r->cid))) {
        *reason = "bad cid";
        return WSC_DECLINED;
    }

    return WSC_OK;
}


static ssize_t
bk_record_time(const bk_raw_t *raw, const bk_fields_t *f, bk_record_t *r)
{
    ssize_t    rc;
    wsc_str_t  s;

    rc = WSC_OK;
    r->timestamp = raw->timestamp;

    if (f->values[BK_FIELD_TIMESTAMP].data != NULL) {
        rc = bk_record_uint(f, BK_FIELD_TIMESTAMP, &r->timestamp);

        if (rc != WSC_OK) {
            rc = bk_record_string(f, BK_FIELD_TIMESTAMP, &r->names, &s);

            if (rc == WSC_OK) {
                rc = wsc_time_parse(&s, &r->timestamp);
            }
        }
    }

    /* the broker's is what a producer told it */

    return (rc == WSC_OK && r->timestamp < BK_RECORD_TIME) ? WSC_OK
                                                           : WSC_DECLINED;
}

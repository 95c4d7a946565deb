
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The message of a record: JSON text, or octets.
 */


#include <string.h>
#include <openssl/evp.h>

#include "wsc_json.h"
#include "wsc_json_text.h"
#include "wsc_msgpack.h"
#include "wsc_writer.h"
#include "bk_record.h"
#include "bk_record_int.h"


static ssize_t bk_record_packed(const wsc_str_t *value, bk_record_t *r,
    const char **reason);
static ssize_t bk_record_octets(const wsc_str_t *text, wsc_buf_t *b);


ssize_t
bk_record_message(const wsc_alloc_t *alloc, const bk_fields_t *f,
    bk_record_t *r, const char **reason)
{
    ssize_t           rc;
    wsc_str_t         enc;
    wsc_scan_t        scan;
    const wsc_str_t  *v;

    v = &f->values[BK_FIELD_MESSAGE];

    if (v->data == NULL) {
        *reason = "no message";
        return WSC_DECLINED;
    }

    if (f->msgpack) {
        return bk_record_packed(v, r, reason);
    }

    r->message = *v;

    if (f->rule) {

        /* is it the message that breaks it? */

        rc = wsc_json_scan(alloc, v->data, v->len, WSC_MAX_DEPTH, &scan);
        if (rc == WSC_ERROR) {
            return rc;
        }

        r->rule = scan.rule;
    }

    rc = bk_record_string(f, BK_FIELD_ENC, &r->names, &enc);

    if (rc == WSC_DONE) {
        return WSC_OK;
    }

    if (rc != WSC_OK || enc.len != 6 || memcmp(enc.data, "base64", 6) != 0) {
        *reason = "bad enc";
        return WSC_DECLINED;
    }

    r->base64 = 1;

    rc = bk_record_octets(&r->message, &r->text);

    if (rc == WSC_DECLINED) {
        *reason = "not base64";
    }

    wsc_buf_free(&r->text);

    return rc;
}


static ssize_t
bk_record_packed(const wsc_str_t *value, bk_record_t *r, const char **reason)
{
    ssize_t             rc;
    wsc_value_t         v;
    wsc_writer_t        w;
    wsc_msgpack_item_t  item;

    rc = wsc_msgpack_read(value->data, value->data + value->len, &item);

    if (rc == WSC_OK && item.type == WSC_MSGPACK_BIN) {
        v.data.data = value->data + item.head;
        v.data.len = item.n;
        v.binary = 1;

        wsc_writer_init(&w, &r->text, WSC_ENC_JSON);
        wsc_writer_value(&w, &v);
        r->base64 = 1;

    } else {
        rc = wsc_msgpack_to_json(value->data, value->len, &r->text, reason);
    }

    if (r->text.failed) {
        return WSC_ERROR;
    }

    r->message.data = r->text.data;
    r->message.len = r->text.len;

    return rc;
}


ssize_t
bk_record_value(const bk_record_t *r, wsc_buf_t *b, wsc_value_t *v)
{
    size_t   begin;
    ssize_t  rc;

    v->binary = r->base64;
    v->data = r->message;

    if (!r->base64) {
        return WSC_OK;
    }

    begin = b->len;

    rc = bk_record_octets(&r->message, b);

    v->data.data = b->data + begin;
    v->data.len = b->len - begin;

    return rc;
}


/* Appends what a JSON string with base64 means. */

static ssize_t
bk_record_octets(const wsc_str_t *text, wsc_buf_t *b)
{
    int            n;
    size_t         pad;
    u_char        *start, *out;
    const u_char  *p, *last;

    if (text->len < 2 || text->data[0] != '"') {
        return WSC_DECLINED;
    }

    start = wsc_buf_reserve(b, text->len + WSC_JSON_CHAR);
    if (start == NULL) {
        return WSC_ERROR;
    }

    p = text->data + 1;
    last = text->data + text->len - 1;

    for (out = start; p != last; /* void */ ) {
        out += wsc_json_unescape(&p, last, out);
    }

    /* OpenSSL is lenient with white space, and writes behind what it read */

    for (p = start; p != out; p++) {
        if (*p <= ' ' || *p == '-') {
            return WSC_DECLINED;
        }
    }

    pad = 0;

    while (pad < 2 && out - start > (ssize_t) pad
           && *(out - pad - 1) == '=')
    {
        pad++;
    }

    if (out == start) {
        return WSC_OK;
    }

    n = EVP_DecodeBlock(start, start, out - start);

    if (n < (int) pad || (out - start) % 4) {
        return WSC_DECLINED;
    }

    b->len += n - pad;

    return WSC_OK;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The fields of a JSON command as most clients write it: no escape sequences,
 * integers of a few digits, no positions.  They are where they are in the
 * checked text, so nothing is copied.
 */


#include <string.h>

#include "wsc_cmd_fields.h"
#include "wsc_json.h"
#include "wsc_json_text.h"


#define WSC_PLAIN_DIGITS  15              /* all such are below 2^53 */


static ssize_t wsc_plain_value(const wsc_str_t *value, wsc_field_t *f);
static ssize_t wsc_plain_string(const wsc_str_t *value, wsc_field_t *f);
static ssize_t wsc_plain_number(const wsc_str_t *value, wsc_field_t *f);


ssize_t
wsc_fields_plain(const wsc_str_t *text, wsc_fields_t *fields)
{
    int            it;
    ssize_t        rc;
    wsc_str_t      key, value;
    wsc_field_e    i;
    const u_char  *p, *last;

    p = text->data;
    last = p + text->len;
    it = 0;

    if (text->len == 0 || *p != '{') {
        return WSC_DECLINED;
    }

    while ((rc = wsc_json_next(&p, last, &it, &key, &value)) == WSC_OK) {

        if (wsc_json_plain(key.data, key.data + key.len)
            != key.data + key.len)
        {
            return WSC_DECLINED;
        }

        i = wsc_field_find(key.data, key.len);

        if (i == WSC_FIELD_N) {
            continue;
        }

        if (!wsc_field_is_value(i)) {
            rc = wsc_plain_value(&value, &fields->f[i]);
            if (rc != WSC_OK) {
                return rc;
            }

        } else if (fields->f[i].kind == WSC_KIND_ABSENT) {
            fields->f[i].kind = WSC_KIND_MESSAGE;
            fields->f[i].message.data = value;
        }
    }

    return (rc == WSC_DONE) ? WSC_OK : WSC_DECLINED;
}


static ssize_t
wsc_plain_value(const wsc_str_t *value, wsc_field_t *f)
{
    if (value->len == 0) {
        return WSC_DECLINED;
    }

    switch (value->data[0]) {

    case '"':
        return wsc_plain_string(value, f);

    case 't':
    case 'f':
        f->kind = WSC_KIND_BOOL;
        f->integer = (value->data[0] == 't');
        return WSC_OK;

    case 'n':
        f->kind = WSC_KIND_OTHER;
        return WSC_OK;

    default:
        return wsc_plain_number(value, f);
    }
}


static ssize_t
wsc_plain_string(const wsc_str_t *value, wsc_field_t *f)
{
    u_char  *last;

    last = value->data + value->len - 1;

    if (last == value->data
        || wsc_json_plain(value->data + 1, last) != last)
    {
        return WSC_DECLINED;
    }

    f->kind = WSC_KIND_STRING;
    f->string.data = value->data + 1;
    f->string.len = value->len - 2;

    return WSC_OK;
}


/* Objects and arrays have no digit in front, fractions another octet. */

static ssize_t
wsc_plain_number(const wsc_str_t *value, wsc_field_t *f)
{
    size_t   i;
    int64_t  n;

    n = 0;

    if (value->len > WSC_PLAIN_DIGITS) {
        return WSC_DECLINED;
    }

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9') {
            return WSC_DECLINED;
        }

        n = n * 10 + (value->data[i] - '0');
    }

    f->kind = WSC_KIND_INTEGER;
    f->integer = n;

    return WSC_OK;
}

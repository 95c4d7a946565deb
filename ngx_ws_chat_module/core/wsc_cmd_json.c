
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The fields of a JSON command.  What is not plain jansson reads, from a copy
 * of the text without the values that are passed on as they are.
 */


#include <string.h>
#include <jansson.h>

#include "wsc_cmd_fields.h"
#include "wsc_json.h"
#include "wsc_json_text.h"


/*
 * Integers become doubles, since jansson refuses those over 64 bits, which
 * may stand in fields that do not concern us; all of ours are below 2^53.
 */
#define WSC_JANSSON_FLAGS  JSON_DECODE_INT_AS_REAL


static ssize_t wsc_fields_json_values(const wsc_str_t *text, wsc_buf_t *buf,
    wsc_fields_t *fields, wsc_str_t *control);
static wsc_field_t *wsc_fields_json_value(wsc_fields_t *fields,
    const wsc_str_t *key);
static void wsc_field_json(const json_t *v, wsc_field_t *f);


/*
 * Checked text that jansson cannot load: no memory is left.  Text that breaks
 * a rule is loaded if possible, to find whom to answer.
 */

ssize_t
wsc_fields_json(const wsc_str_t *text, wsc_buf_t *buf, void **doc,
    wsc_fields_t *fields, const char **reason)
{
    json_t       *root, *v;
    ssize_t       rc;
    wsc_str_t     control;
    wsc_field_e   i;

    wsc_fields_json_free(*doc);
    *doc = NULL;

    if (wsc_fields_plain(text, fields) == WSC_OK) {
        return WSC_OK;
    }

    memset(fields, 0, sizeof(wsc_fields_t));

    rc = wsc_fields_json_values(text, buf, fields, &control);
    if (rc != WSC_OK) {
        *reason = "a command must be an object";
        return rc;
    }

    root = json_loadb((char *) control.data, control.len, WSC_JANSSON_FLAGS,
                      NULL);
    if (root == NULL) {
        return WSC_ERROR;
    }

    *doc = root;

    for (i = 0; i < WSC_FIELD_N; i++) {
        v = json_object_get(root, wsc_field_name(i));

        if (v && fields->f[i].kind == WSC_KIND_ABSENT) {
            wsc_field_json(v, &fields->f[i]);
        }
    }

    return WSC_OK;
}


void
wsc_fields_json_free(void *doc)
{
    json_decref(doc);
}


/*
 * Finds the values that are passed on as they are; the control text is a copy
 * with null in their places, or the text itself if there are none.
 */

static ssize_t
wsc_fields_json_values(const wsc_str_t *text, wsc_buf_t *buf,
    wsc_fields_t *fields, wsc_str_t *control)
{
    int            it;
    ssize_t        rc;
    wsc_str_t      key, value;
    const u_char  *p, *from, *last;
    wsc_field_t   *f;

    p = text->data;
    from = p;
    last = p + text->len;
    it = 0;

    if (text->len == 0 || *p != '{') {
        return WSC_DECLINED;
    }

    while ((rc = wsc_json_next(&p, last, &it, &key, &value)) == WSC_OK) {

        f = wsc_fields_json_value(fields, &key);

        if (f == NULL || f->kind != WSC_KIND_ABSENT) {
            continue;
        }

        f->kind = WSC_KIND_MESSAGE;
        f->message.data = value;
        f->message.binary = 0;

        wsc_buf_add(buf, from, value.data - from);
        wsc_buf_add(buf, "null", 4);
        from = value.data + value.len;
    }

    if (rc != WSC_DONE) {
        return rc;
    }

    *control = *text;

    if (from == text->data) {
        return WSC_OK;
    }

    wsc_buf_add(buf, from, last - from);

    control->data = buf->data;
    control->len = buf->len;

    return buf->failed ? WSC_ERROR : WSC_OK;
}


/* The field of a key whose value is passed on, or NULL. */

static wsc_field_t *
wsc_fields_json_value(wsc_fields_t *fields, const wsc_str_t *key)
{
    wsc_str_t    name;
    wsc_field_e  i;

    for (i = WSC_FIELD_MESSAGE; i <= WSC_FIELD_DATA; i++) {
        name.data = (u_char *) wsc_field_name(i);
        name.len = strlen((char *) name.data);

        if (key->len >= name.len && wsc_json_cmp(key, &name) == 0) {
            return &fields->f[i];
        }
    }

    return NULL;
}


static void
wsc_field_json(const json_t *v, wsc_field_t *f)
{
    json_t       *epoch, *seq;
    wsc_field_t   e, s;

    switch (json_typeof(v)) {

    case JSON_TRUE:
    case JSON_FALSE:
        f->kind = WSC_KIND_BOOL;
        f->integer = json_is_true(v);
        return;

    case JSON_REAL:
        wsc_field_number(f, json_real_value(v));
        return;

    case JSON_STRING:
        f->kind = WSC_KIND_STRING;
        f->string.data = (u_char *) json_string_value(v);
        f->string.len = json_string_length(v);
        return;

    case JSON_OBJECT:
        epoch = json_object_get(v, "epoch");
        seq = json_object_get(v, "seq");

        wsc_field_number(&e, json_is_real(epoch) ? json_real_value(epoch)
                                                 : -1);
        wsc_field_number(&s, json_is_real(seq) ? json_real_value(seq) : -1);

        wsc_field_position(f, &e, &s);
        return;

    default:
        f->kind = WSC_KIND_OTHER;
    }
}

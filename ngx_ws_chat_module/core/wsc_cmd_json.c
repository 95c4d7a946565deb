
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The fields of a JSON command.  jansson reads the control fields from a copy
 * of the text without the message, which it must not touch.
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


static ssize_t wsc_fields_json_message(const wsc_str_t *text,
    wsc_str_t *message);
static ssize_t wsc_fields_json_load(const wsc_str_t *text,
    const wsc_str_t *message, wsc_buf_t *buf, json_t **root);
static void wsc_field_json(const json_t *v, wsc_field_t *f);


ssize_t
wsc_fields_json(const wsc_str_t *text, wsc_buf_t *buf, void **doc,
    wsc_fields_t *fields, const char **reason)
{
    json_t       *root, *v;
    ssize_t       rc;
    wsc_str_t     message;
    wsc_field_t  *f;
    wsc_field_e   i;

    wsc_fields_json_free(*doc);
    *doc = NULL;

    rc = wsc_fields_json_message(text, &message);
    if (rc != WSC_OK) {
        *reason = "a command must be an object";
        return rc;
    }

    rc = wsc_fields_json_load(text, &message, buf, &root);
    if (rc != WSC_OK) {
        return rc;
    }

    *doc = root;

    for (i = 0; i < WSC_FIELD_N; i++) {
        f = &fields->f[i];

        if (i == WSC_FIELD_MESSAGE) {
            if (message.data) {
                f->kind = WSC_KIND_MESSAGE;
                f->message.data = message;
                f->message.binary = 0;
            }

            continue;
        }

        v = json_object_get(root, wsc_field_name(i));
        if (v) {
            wsc_field_json(v, f);
        }
    }

    return WSC_OK;
}


void
wsc_fields_json_free(void *doc)
{
    json_decref(doc);
}


/* Where the message stands; message->data NULL: nowhere. */

static ssize_t
wsc_fields_json_message(const wsc_str_t *text, wsc_str_t *message)
{
    int            it;
    ssize_t        rc;
    wsc_str_t      key, value, name;
    const u_char  *p;

    name.data = (u_char *) wsc_field_name(WSC_FIELD_MESSAGE);
    name.len = strlen((char *) name.data);

    message->data = NULL;
    message->len = 0;

    p = text->data;
    it = 0;

    if (text->len == 0 || *p != '{') {
        return WSC_DECLINED;
    }

    for ( ;; ) {
        rc = wsc_json_next(&p, text->data + text->len, &it, &key, &value);
        if (rc != WSC_OK) {
            return (rc == WSC_DONE) ? WSC_OK : rc;
        }

        if (key.len >= name.len && wsc_json_cmp(&key, &name) == 0) {
            *message = value;
            return WSC_OK;
        }
    }
}


/*
 * Checked text that jansson cannot load: no memory is left.  Text that breaks
 * a rule is loaded if possible, to find whom to answer.
 */

static ssize_t
wsc_fields_json_load(const wsc_str_t *text, const wsc_str_t *message,
    wsc_buf_t *buf, json_t **root)
{
    u_char     *end;
    wsc_str_t   control;

    control = *text;

    if (message->data) {
        end = message->data + message->len;

        wsc_buf_add(buf, text->data, message->data - text->data);
        wsc_buf_add(buf, "null", 4);
        wsc_buf_add(buf, end, text->data + text->len - end);

        if (buf->failed) {
            return WSC_ERROR;
        }

        control.data = buf->data;
        control.len = buf->len;
    }

    *root = json_loadb((char *) control.data, control.len, WSC_JANSSON_FLAGS,
                       NULL);

    return *root ? WSC_OK : WSC_ERROR;
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

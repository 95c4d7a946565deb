
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Client commands: a message opened, and its commands one by one.
 */


#include <string.h>

#include "wsc_cmd_fields.h"
#include "wsc_json.h"
#include "wsc_msgpack.h"


/* Scratch memory that a batch keeps from one command to the next. */
#define WSC_CMD_SCRATCH    4096

/* The message's depth and the command's own. */
#define WSC_CMD_DEPTH      (WSC_MAX_DEPTH + 1)

/* A value right in the command may be bin. */
#define WSC_CMD_BIN_DEPTH  2


struct wsc_batch_s {
    const wsc_alloc_t  *alloc;
    wsc_enc_e           enc;
    const u_char       *p;
    const u_char       *last;
    size_t              left;         /* commands still to come */
    int                 it;           /* of wsc_json_next() */
    unsigned            array:1;
    unsigned            broken:1;     /* some command breaks a rule */
    wsc_buf_t           buf;
    void               *doc;
};


static ssize_t wsc_batch_scan(const wsc_alloc_t *alloc, wsc_enc_e enc,
    const wsc_str_t *data, int *array, wsc_scan_t *scan);
static void wsc_batch_element(wsc_batch_t *b, wsc_str_t *element);
static ssize_t wsc_batch_rules(wsc_batch_t *b, const wsc_str_t *element,
    const char **rule);


ssize_t
wsc_batch_open(const wsc_alloc_t *alloc, wsc_enc_e enc, const wsc_str_t *data,
    wsc_batch_t **batch, const char **reason)
{
    int                  array;
    ssize_t              rc;
    wsc_scan_t           scan;
    wsc_batch_t         *b;
    wsc_msgpack_item_t   item;

    if (data->len == 0) {
        *reason = "an empty message";
        return WSC_DECLINED;
    }

    rc = wsc_batch_scan(alloc, enc, data, &array, &scan);
    if (rc != WSC_OK) {
        *reason = scan.reason;
        return rc;
    }

    if (array && scan.elements == 0) {
        *reason = "an empty array of commands";
        return WSC_DECLINED;
    }

    if (array && scan.elements > WSC_MAX_BATCH) {
        *reason = "more than 64 commands in one message";
        return WSC_DECLINED;
    }

    b = wsc_alloc(alloc, sizeof(wsc_batch_t));
    if (b == NULL) {
        return WSC_ERROR;
    }

    memset(b, 0, sizeof(wsc_batch_t));

    b->alloc = alloc;
    b->enc = enc;
    b->p = data->data;
    b->last = data->data + data->len;
    b->left = array ? scan.elements : 1;
    b->array = array;
    b->broken = (scan.rule != NULL);

    if (array && enc == WSC_ENC_MSGPACK
        && wsc_msgpack_read(b->p, b->last, &item) == WSC_OK)
    {
        b->p += item.head;
    }

    wsc_buf_init(&b->buf, alloc);

    *batch = b;

    return WSC_OK;
}


ssize_t
wsc_batch_next(wsc_batch_t *b, wsc_cmd_t *cmd, wsc_err_e *err,
    const char **reason)
{
    ssize_t        rc, rules;
    wsc_str_t      element;
    const char    *rule;
    wsc_fields_t   fields;

    if (b->left == 0) {
        return WSC_DONE;
    }

    b->left--;

    memset(cmd, 0, sizeof(wsc_cmd_t));
    memset(&fields, 0, sizeof(wsc_fields_t));

    *err = WSC_ERR_BAD_REQUEST;

    wsc_batch_element(b, &element);

    rules = wsc_batch_rules(b, &element, &rule);
    if (rules == WSC_ERROR) {
        return WSC_ERROR;
    }

    wsc_buf_reset(&b->buf, WSC_CMD_SCRATCH);

    if (b->enc == WSC_ENC_JSON) {
        rc = wsc_fields_json(&element, &b->buf, &b->doc, &fields, reason);

    } else {
        rc = wsc_fields_msgpack(&element, &b->buf, &fields, reason);
    }

    wsc_cmd_names(&fields, cmd);

    if (rules == WSC_DECLINED) {
        *reason = rule;
        return WSC_DECLINED;
    }

    if (rc != WSC_OK) {
        return rc;
    }

    return wsc_cmd_decode(&fields, cmd, err, reason);
}


void
wsc_batch_close(wsc_batch_t *b)
{
    wsc_fields_json_free(b->doc);
    wsc_buf_free(&b->buf);
    wsc_free(b->alloc, b);
}


/*
 * The rules are for the commands, each answered on its own: here they only
 * tell whether a second look is needed.
 */

static ssize_t
wsc_batch_scan(const wsc_alloc_t *alloc, wsc_enc_e enc, const wsc_str_t *data,
    int *array, wsc_scan_t *scan)
{
    const u_char        *p, *last;
    wsc_msgpack_item_t   item;

    p = data->data;
    last = p + data->len;

    if (enc == WSC_ENC_MSGPACK) {
        *array = (wsc_msgpack_read(p, last, &item) == WSC_OK
                  && item.type == WSC_MSGPACK_ARRAY);

        return wsc_msgpack_scan(alloc, p, data->len,
                                WSC_CMD_DEPTH + *array,
                                WSC_CMD_BIN_DEPTH + *array, scan);
    }

    p = wsc_json_space(p, last);
    *array = (p < last && *p == '[');

    return wsc_json_scan(alloc, p, last - p, WSC_CMD_DEPTH + *array, scan);
}


static void
wsc_batch_element(wsc_batch_t *b, wsc_str_t *element)
{
    wsc_str_t      key;
    const u_char  *p;

    if (b->enc == WSC_ENC_MSGPACK) {
        p = b->p;
        b->p = wsc_msgpack_skip(p, b->last);

        element->data = (u_char *) p;
        element->len = b->p - p;
        return;
    }

    if (b->array) {
        (void) wsc_json_next(&b->p, b->last, &b->it, &key, element);
        return;
    }

    p = wsc_json_space(b->p, b->last);

    element->data = (u_char *) p;
    element->len = b->last - p;
}


static ssize_t
wsc_batch_rules(wsc_batch_t *b, const wsc_str_t *element, const char **rule)
{
    if (!b->broken) {
        return WSC_OK;
    }

    if (b->enc == WSC_ENC_MSGPACK) {
        return wsc_msgpack_check(b->alloc, element->data, element->len,
                                 WSC_CMD_DEPTH, WSC_CMD_BIN_DEPTH, rule);
    }

    return wsc_json_check(b->alloc, element->data, element->len,
                          WSC_CMD_DEPTH, rule);
}

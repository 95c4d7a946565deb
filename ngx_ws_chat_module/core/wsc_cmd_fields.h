
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Inside wsc_cmd only: the fields of one command, between the two files that
 * know how it is encoded and the one that knows what it means.
 */


#ifndef _WSC_CMD_FIELDS_H_INCLUDED_
#define _WSC_CMD_FIELDS_H_INCLUDED_


#include "wsc_cmd.h"


typedef enum {
    WSC_FIELD_OP = 0,
    WSC_FIELD_ID,
    WSC_FIELD_CHAT_ID,
    WSC_FIELD_CID,
    WSC_FIELD_MESSAGE,
    WSC_FIELD_DATA,
    WSC_FIELD_AFTER,
    WSC_FIELD_BEFORE,
    WSC_FIELD_HISTORY,
    WSC_FIELD_LIMIT,
    WSC_FIELD_RETRY,
    WSC_FIELD_NAME,
    WSC_FIELD_KEEP,
    WSC_FIELD_ON,
    WSC_FIELD_TOKEN,
    WSC_FIELD_OFFSET,
    WSC_FIELD_DELIVERED,
    WSC_FIELD_READ,
    WSC_FIELD_USER,
    WSC_FIELD_SECONDS,
    WSC_FIELD_EPOCH,
    WSC_FIELD_SEQ,
    WSC_FIELD_N
} wsc_field_e;


typedef enum {
    WSC_KIND_ABSENT = 0,
    WSC_KIND_BOOL,                /* integer: 0 or 1 */
    WSC_KIND_INTEGER,             /* -2^53 < integer < 2^53 */
    WSC_KIND_STRING,              /* UTF-8 without U+0000 */
    WSC_KIND_POSITION,            /* epoch and seq below 2^53 */
    WSC_KIND_MESSAGE,
    WSC_KIND_OTHER                /* no control field is such a thing */
} wsc_kind_e;


typedef struct {
    wsc_kind_e          kind;
    int64_t             integer;      /* message: where it is in the buffer */
    wsc_str_t           string;
    wsc_pos_t           pos;
    wsc_value_t         message;
    const char         *reason;       /* other: why it is no message */
} wsc_field_t;


typedef struct {
    wsc_field_t         f[WSC_FIELD_N];
} wsc_fields_t;


/* Is its value passed on as it is? */
#define wsc_field_is_value(field)                                             \
    ((field) == WSC_FIELD_MESSAGE || (field) == WSC_FIELD_DATA)

/* The name of a field; and the field of a name, WSC_FIELD_N: not one. */
const char *wsc_field_name(wsc_field_e field);
wsc_field_e wsc_field_find(const u_char *p, size_t len);

/* Makes the field an integer, if v is one and in range, else other. */
void wsc_field_number(wsc_field_t *f, double v);

/* Makes the field a position of these two. */
void wsc_field_position(wsc_field_t *f, const wsc_field_t *epoch,
    const wsc_field_t *seq);

/*
 * Reads the fields of one command from its checked text or object into zeroed
 * fields.  buf is scratch memory, *doc a document that holds strings, NULL or
 * of the call before: both must live as long as the fields.  WSC_OK;
 * WSC_DECLINED with *reason: not an object; WSC_ERROR: no memory.
 */
ssize_t wsc_fields_json(const wsc_str_t *text, wsc_buf_t *buf, void **doc,
    wsc_fields_t *fields, const char **reason);
ssize_t wsc_fields_msgpack(const wsc_str_t *object, wsc_buf_t *buf,
    wsc_fields_t *fields, const char **reason);

/*
 * The same for JSON without escapes and positions; fields point into the text.
 * WSC_DECLINED: it is not so plain, some fields may have been set.
 */
ssize_t wsc_fields_plain(const wsc_str_t *text, wsc_fields_t *fields);

/* Frees the document; NULL is allowed. */
void wsc_fields_json_free(void *doc);

/* Sets id, chat_id and cid of a zeroed command as far as they are valid. */
void wsc_cmd_names(const wsc_fields_t *fields, wsc_cmd_t *cmd);

/* Reads the rest, as wsc_batch_next() tells. */
ssize_t wsc_cmd_decode(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    wsc_err_e *err, const char **reason);

/* How a field of an op is read: WSC_OK, or WSC_DECLINED with *reason. */
ssize_t wsc_cmd_limit(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_name(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_data(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_keep(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_user(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_seconds(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_on(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_place(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_offset(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
ssize_t wsc_cmd_marks(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);


#endif /* _WSC_CMD_FIELDS_H_INCLUDED_ */

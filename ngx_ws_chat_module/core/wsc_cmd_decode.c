
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the fields of a command may be, whatever its encoding.
 */


#include <string.h>

#include "wsc_cmd_fields.h"


#define WSC_DEFAULT_LIMIT  50


/* How a field of an op is read: WSC_OK, or WSC_DECLINED with *reason. */

typedef ssize_t (*wsc_field_pt)(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);


typedef struct {
    const char         *name;
    wsc_op_e            op;
    wsc_field_pt        fields[5];    /* ended by NULL */
} wsc_op_t;


static const wsc_op_t *wsc_cmd_op(const wsc_str_t *name);
static ssize_t wsc_cmd_chat_id(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
static ssize_t wsc_cmd_cid(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
static ssize_t wsc_cmd_message(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
static ssize_t wsc_cmd_after(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
static ssize_t wsc_cmd_before(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
static ssize_t wsc_cmd_position(const wsc_field_t *f);
static ssize_t wsc_cmd_history(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
static ssize_t wsc_cmd_count(const wsc_field_t *f, int64_t least,
    wsc_cmd_t *cmd);
static ssize_t wsc_cmd_retry(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);
static ssize_t wsc_cmd_flag(const wsc_field_t *f);
static ssize_t wsc_cmd_token(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason);


static const wsc_op_t  wsc_ops[] = {

    { "send", WSC_CMD_SEND,
      { wsc_cmd_chat_id, wsc_cmd_cid, wsc_cmd_message, wsc_cmd_retry, NULL } },

    { "join", WSC_CMD_JOIN,
      { wsc_cmd_chat_id, wsc_cmd_after, wsc_cmd_history, NULL } },

    { "leave", WSC_CMD_LEAVE,
      { wsc_cmd_chat_id, NULL } },

    { "edit", WSC_CMD_EDIT,
      { wsc_cmd_chat_id, wsc_cmd_place, wsc_cmd_message, NULL } },

    { "retract", WSC_CMD_RETRACT,
      { wsc_cmd_chat_id, wsc_cmd_place, NULL } },

    { "history", WSC_CMD_HISTORY,
      { wsc_cmd_chat_id, wsc_cmd_after, wsc_cmd_before, wsc_cmd_limit,
        NULL } },

    { "signal", WSC_CMD_SIGNAL,
      { wsc_cmd_chat_id, wsc_cmd_name, wsc_cmd_data, wsc_cmd_keep, NULL } },

    { "typing", WSC_CMD_TYPING,
      { wsc_cmd_chat_id, wsc_cmd_on, NULL } },

    { "mark", WSC_CMD_MARK,
      { wsc_cmd_chat_id, wsc_cmd_marks, NULL } },

    { "presence", WSC_CMD_PRESENCE,
      { wsc_cmd_chat_id, wsc_cmd_offset, wsc_cmd_limit, NULL } },

    { "kick", WSC_CMD_KICK,
      { wsc_cmd_chat_id, wsc_cmd_user, wsc_cmd_seconds, NULL } },

    { "block", WSC_CMD_BLOCK,
      { wsc_cmd_user, wsc_cmd_seconds, NULL } },

    { "refresh", WSC_CMD_REFRESH,
      { wsc_cmd_token, NULL } },

    { "ping", WSC_CMD_PING,
      { NULL } }
};


ssize_t
wsc_cmd_decode(const wsc_fields_t *fields, wsc_cmd_t *cmd, wsc_err_e *err,
    const char **reason)
{
    unsigned            i;
    ssize_t             rc;
    const wsc_op_t     *op;
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_OP];
    *err = WSC_ERR_BAD_REQUEST;

    if (f->kind != WSC_KIND_STRING) {
        *reason = "\"op\" must be a string";
        return WSC_DECLINED;
    }

    if (fields->f[WSC_FIELD_ID].kind != WSC_KIND_ABSENT
        && cmd->id.type == WSC_ID_NONE)
    {
        *reason = "\"id\" must be an integer or a string of up to 64 octets";
        return WSC_DECLINED;
    }

    op = wsc_cmd_op(&f->string);
    if (op == NULL) {
        *err = WSC_ERR_UNKNOWN_OP;
        *reason = "there is no such op";
        return WSC_DECLINED;
    }

    cmd->op = op->op;

    for (i = 0; op->fields[i]; i++) {
        rc = op->fields[i](fields, cmd, reason);
        if (rc != WSC_OK) {
            return rc;
        }
    }

    *err = WSC_ERR_NONE;

    return WSC_OK;
}


void
wsc_cmd_names(const wsc_fields_t *fields, wsc_cmd_t *cmd)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_ID];

    if (f->kind == WSC_KIND_INTEGER) {
        cmd->id.type = WSC_ID_INTEGER;
        cmd->id.integer = f->integer;

    } else if (f->kind == WSC_KIND_STRING && f->string.len <= WSC_MAX_ID) {
        cmd->id.type = WSC_ID_STRING;
        cmd->id.string = f->string;
    }

    f = &fields->f[WSC_FIELD_CHAT_ID];

    if (f->kind == WSC_KIND_STRING && wsc_chat_id_valid(&f->string)) {
        cmd->chat_id = f->string;
    }

    f = &fields->f[WSC_FIELD_CID];

    if (f->kind == WSC_KIND_STRING && wsc_cid_valid(&f->string)) {
        cmd->cid = f->string;
    }
}


static const wsc_op_t *
wsc_cmd_op(const wsc_str_t *name)
{
    size_t  i;

    for (i = 0; i < sizeof(wsc_ops) / sizeof(wsc_ops[0]); i++) {

        if (strlen(wsc_ops[i].name) == name->len
            && memcmp(wsc_ops[i].name, name->data, name->len) == 0)
        {
            return &wsc_ops[i];
        }
    }

    return NULL;
}


static ssize_t
wsc_cmd_chat_id(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason)
{
    if (cmd->chat_id.len) {
        return WSC_OK;
    }

    *reason = "\"chat_id\" must be 1 to 128 characters of"
              " A-Z a-z 0-9 . _ : @ -";
    return WSC_DECLINED;
}


static ssize_t
wsc_cmd_cid(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    if (cmd->cid.len) {
        return WSC_OK;
    }

    *reason = "\"cid\" must be 1 to 64 printable ASCII characters";
    return WSC_DECLINED;
}


static ssize_t
wsc_cmd_message(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_MESSAGE];

    if (f->kind == WSC_KIND_MESSAGE) {
        cmd->message = f->message;
        return WSC_OK;
    }

    *reason = f->reason ? f->reason : "\"message\" is missing";
    return WSC_DECLINED;
}


static ssize_t
wsc_cmd_after(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    *reason = "\"after\" must be {epoch, seq}, integers from 0 to 2^53 - 1";

    cmd->after = fields->f[WSC_FIELD_AFTER].pos;
    cmd->has_after = fields->f[WSC_FIELD_AFTER].kind == WSC_KIND_POSITION;

    return wsc_cmd_position(&fields->f[WSC_FIELD_AFTER]);
}


static ssize_t
wsc_cmd_before(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    *reason = "\"before\" must be {epoch, seq}, integers from 0 to 2^53 - 1";

    cmd->before = fields->f[WSC_FIELD_BEFORE].pos;
    cmd->has_before = fields->f[WSC_FIELD_BEFORE].kind == WSC_KIND_POSITION;

    if (cmd->has_after && cmd->has_before) {
        *reason = "either \"before\" or \"after\", not both";
        return WSC_DECLINED;
    }

    return wsc_cmd_position(&fields->f[WSC_FIELD_BEFORE]);
}


static ssize_t
wsc_cmd_position(const wsc_field_t *f)
{
    return (f->kind == WSC_KIND_POSITION || f->kind == WSC_KIND_ABSENT)
           ? WSC_OK : WSC_DECLINED;
}


static ssize_t
wsc_cmd_history(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason)
{
    *reason = "\"history\" must be an integer from 0 to 500";

    return wsc_cmd_count(&fields->f[WSC_FIELD_HISTORY], 0, cmd);
}


ssize_t
wsc_cmd_limit(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    cmd->limit = WSC_DEFAULT_LIMIT;
    *reason = "\"limit\" must be an integer from 1 to 500";

    return wsc_cmd_count(&fields->f[WSC_FIELD_LIMIT], 1, cmd);
}


static ssize_t
wsc_cmd_count(const wsc_field_t *f, int64_t least, wsc_cmd_t *cmd)
{
    if (f->kind == WSC_KIND_ABSENT) {
        return WSC_OK;
    }

    if (f->kind != WSC_KIND_INTEGER
        || f->integer < least || f->integer > WSC_MAX_LIMIT)
    {
        return WSC_DECLINED;
    }

    cmd->has_limit = 1;
    cmd->limit = f->integer;

    return WSC_OK;
}


static ssize_t
wsc_cmd_retry(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    ssize_t  v;

    *reason = "\"retry\" must be true or false";

    v = wsc_cmd_flag(&fields->f[WSC_FIELD_RETRY]);
    cmd->retry = (v == 1);

    return (v < 0) ? v : WSC_OK;
}


/* 1, 0 (also if it is absent), or WSC_DECLINED. */

static ssize_t
wsc_cmd_flag(const wsc_field_t *f)
{
    if (f->kind == WSC_KIND_ABSENT) {
        return 0;
    }

    return (f->kind == WSC_KIND_BOOL) ? f->integer : WSC_DECLINED;
}


static ssize_t
wsc_cmd_token(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_TOKEN];

    if (f->kind == WSC_KIND_STRING) {
        cmd->token = f->string;
        return WSC_OK;
    }

    *reason = "\"token\" must be a string";
    return WSC_DECLINED;
}

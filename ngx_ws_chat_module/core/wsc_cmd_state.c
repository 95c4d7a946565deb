
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Fields of the commands that are about a chat's state, or a place in it.
 */


#include "wsc_cmd_fields.h"


ssize_t
wsc_cmd_name(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_NAME];

    if (f->kind == WSC_KIND_STRING && f->string.len <= WSC_MAX_NAME
        && wsc_user_valid(&f->string))
    {
        cmd->name = f->string;
        return WSC_OK;
    }

    *reason = "\"name\" must be a string of 1 to 64 octets"
              " without control characters";
    return WSC_DECLINED;
}


ssize_t
wsc_cmd_data(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_DATA];

    if (f->kind != WSC_KIND_MESSAGE) {
        *reason = f->reason ? f->reason : "\"data\" is missing";
        return WSC_DECLINED;
    }

    if (f->message.data.len > WSC_MAX_DATA) {
        *reason = "\"data\" must be of at most 4096 octets";
        return WSC_DECLINED;
    }

    cmd->message = f->message;

    return WSC_OK;
}


ssize_t
wsc_cmd_keep(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_KEEP];

    if (f->kind == WSC_KIND_ABSENT) {
        return WSC_OK;
    }

    if (f->kind != WSC_KIND_BOOL) {
        *reason = "\"keep\" must be true or false";
        return WSC_DECLINED;
    }

    cmd->keep = f->integer;

    return WSC_OK;
}


ssize_t
wsc_cmd_on(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_ON];

    if (f->kind != WSC_KIND_BOOL) {
        *reason = "\"on\" must be true or false";
        return WSC_DECLINED;
    }

    cmd->on = f->integer;

    return WSC_OK;
}


ssize_t
wsc_cmd_offset(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_OFFSET];

    if (f->kind == WSC_KIND_ABSENT) {
        return WSC_OK;
    }

    if (f->kind != WSC_KIND_INTEGER
        || f->integer < 0 || f->integer > INT32_MAX)
    {
        *reason = "\"offset\" must be an integer from 0 to 2^31 - 1";
        return WSC_DECLINED;
    }

    cmd->offset = f->integer;

    return WSC_OK;
}


ssize_t
wsc_cmd_marks(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    const wsc_field_t  *delivered, *read;

    delivered = &fields->f[WSC_FIELD_DELIVERED];
    read = &fields->f[WSC_FIELD_READ];

    if ((delivered->kind == WSC_KIND_ABSENT && read->kind == WSC_KIND_ABSENT)
        || (delivered->kind != WSC_KIND_POSITION
            && delivered->kind != WSC_KIND_ABSENT)
        || (read->kind != WSC_KIND_POSITION && read->kind != WSC_KIND_ABSENT))
    {
        *reason = "\"delivered\" and \"read\", one at least, must be"
                  " {epoch, seq}, integers from 0 to 2^53 - 1";
        return WSC_DECLINED;
    }

    cmd->delivered = delivered->pos;
    cmd->read = read->pos;

    return WSC_OK;
}


ssize_t
wsc_cmd_user(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_USER];

    if (f->kind == WSC_KIND_STRING && wsc_user_valid(&f->string)) {
        cmd->name = f->string;
        return WSC_OK;
    }

    *reason = "\"user\" must be a string of 1 to 128 octets"
              " without control characters";
    return WSC_DECLINED;
}


ssize_t
wsc_cmd_seconds(const wsc_fields_t *fields, wsc_cmd_t *cmd,
    const char **reason)
{
    const wsc_field_t  *f;

    f = &fields->f[WSC_FIELD_SECONDS];

    if (f->kind == WSC_KIND_ABSENT) {
        return WSC_OK;
    }

    if (f->kind != WSC_KIND_INTEGER
        || f->integer < 0 || f->integer > WSC_MAX_SECONDS)
    {
        *reason = "\"seconds\" must be an integer from 0 to 315360000";
        return WSC_DECLINED;
    }

    cmd->has_seconds = 1;
    cmd->seconds = f->integer;

    return WSC_OK;
}


/* The position of a message, field by field. */

ssize_t
wsc_cmd_place(const wsc_fields_t *fields, wsc_cmd_t *cmd, const char **reason)
{
    wsc_field_t  f;

    wsc_field_position(&f, &fields->f[WSC_FIELD_EPOCH],
                       &fields->f[WSC_FIELD_SEQ]);

    if (f.kind == WSC_KIND_POSITION) {
        cmd->pos = f.pos;
        return WSC_OK;
    }

    *reason = "\"epoch\" and \"seq\" must be integers from 0 to 2^53 - 1";
    return WSC_DECLINED;
}

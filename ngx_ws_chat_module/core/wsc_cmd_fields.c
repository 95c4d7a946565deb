
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Fields of commands by their names, and what makes up one.
 */


#include <string.h>

#include "wsc_cmd_fields.h"


const char *
wsc_field_name(wsc_field_e field)
{
    static const char  *names[] = {
        "op", "id", "chat_id", "cid", "message", "data",
        "after", "before", "history", "limit", "retry",
        "name", "keep", "on", "token", "offset", "delivered", "read",
        "user", "seconds", "epoch", "seq"
    };

    return names[field];
}


wsc_field_e
wsc_field_find(const u_char *p, size_t len)
{
    const char   *name;
    wsc_field_e   field;

    for (field = 0; field < WSC_FIELD_N; field++) {
        name = wsc_field_name(field);

        if (len && name[0] == p[0] && strlen(name) == len
            && memcmp(name, p, len) == 0)
        {
            break;
        }
    }

    return field;
}


void
wsc_field_number(wsc_field_t *f, double v)
{
    f->kind = WSC_KIND_OTHER;

    if (v > -(double) WSC_MAX_INTEGER && v < (double) WSC_MAX_INTEGER
        && v == (double) (int64_t) v)
    {
        f->kind = WSC_KIND_INTEGER;
        f->integer = (int64_t) v;
    }
}


void
wsc_field_position(wsc_field_t *f, const wsc_field_t *epoch,
    const wsc_field_t *seq)
{
    f->kind = WSC_KIND_OTHER;

    if (epoch->kind != WSC_KIND_INTEGER || seq->kind != WSC_KIND_INTEGER) {
        return;
    }

    if (epoch->integer < 0 || seq->integer < 0) {
        return;
    }

    f->kind = WSC_KIND_POSITION;
    f->pos.epoch = epoch->integer;
    f->pos.seq = seq->integer;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The fields of a msgpack command.  The structure is walked here; msgpack-c
 * gets single numbers only, for which it needs neither memory nor depth.
 */


#include <string.h>
#include <msgpack.h>

#include "wsc_cmd_fields.h"
#include "wsc_msgpack.h"
#include "wsc_utf8.h"


/* A member of a map; key.data NULL: its key is not a string. */

typedef struct {
    wsc_str_t           key;
    const u_char       *value;
    wsc_msgpack_item_t  item;     /* the value's header */
} wsc_member_t;


static ssize_t wsc_member_next(const u_char **p, const u_char *last,
    wsc_member_t *m);
static void wsc_fields_msgpack_place(wsc_fields_t *fields,
    const wsc_buf_t *buf);
static void wsc_field_msgpack(const wsc_member_t *m, const u_char *last,
    wsc_field_t *f);
static void wsc_field_msgpack_number(const u_char *p, const u_char *last,
    wsc_field_t *f);
static void wsc_field_msgpack_position(const wsc_member_t *m,
    const u_char *last, wsc_field_t *f);
static ssize_t wsc_field_msgpack_message(const wsc_member_t *m,
    const u_char *end, wsc_buf_t *buf, wsc_field_t *f);


ssize_t
wsc_fields_msgpack(const wsc_str_t *object, wsc_buf_t *buf,
    wsc_fields_t *fields, const char **reason)
{
    size_t               n;
    wsc_field_e          i;
    wsc_member_t         m;
    const u_char        *p, *last;
    wsc_msgpack_item_t   map;

    p = object->data;
    last = p + object->len;

    if (wsc_msgpack_read(p, last, &map) != WSC_OK
        || map.type != WSC_MSGPACK_MAP)
    {
        *reason = "a command must be a map";
        return WSC_DECLINED;
    }

    p += map.head;

    for (n = map.n; n; n--) {

        if (wsc_member_next(&p, last, &m) != WSC_OK) {
            break;
        }

        i = m.key.data ? wsc_field_find(m.key.data, m.key.len) : WSC_FIELD_N;

        if (i == WSC_FIELD_N) {
            continue;
        }

        if (!wsc_field_is_value(i)) {
            wsc_field_msgpack(&m, last, &fields->f[i]);
            continue;
        }

        if (wsc_field_msgpack_message(&m, p, buf, &fields->f[i]) != WSC_OK) {
            return WSC_ERROR;
        }
    }

    wsc_fields_msgpack_place(fields, buf);

    return WSC_OK;
}


/* The buffer has its place now: so have the texts in it, in their order. */

static void
wsc_fields_msgpack_place(wsc_fields_t *fields, const wsc_buf_t *buf)
{
    wsc_field_e   i;
    wsc_field_t  *f;

    for (i = WSC_FIELD_MESSAGE; i <= WSC_FIELD_DATA; i++) {
        f = &fields->f[i];

        if (f->kind == WSC_KIND_MESSAGE && !f->message.binary) {
            f->message.data.data = buf->data + f->integer;
        }
    }
}


/* Reads one member and goes behind it. */

static ssize_t
wsc_member_next(const u_char **p, const u_char *last, wsc_member_t *m)
{
    const u_char        *key;
    wsc_msgpack_item_t   item;

    key = *p;

    if (wsc_msgpack_read(key, last, &item) != WSC_OK) {
        return WSC_DECLINED;
    }

    m->key.data = NULL;
    m->key.len = 0;

    if (item.type == WSC_MSGPACK_STR) {
        m->key.data = (u_char *) key + item.head;
        m->key.len = item.n;
    }

    m->value = wsc_msgpack_skip(key, last);

    if (wsc_msgpack_read(m->value, last, &m->item) != WSC_OK) {
        return WSC_DECLINED;
    }

    *p = wsc_msgpack_skip(m->value, last);

    return WSC_OK;
}


static void
wsc_field_msgpack(const wsc_member_t *m, const u_char *last, wsc_field_t *f)
{
    switch (m->item.type) {

    case WSC_MSGPACK_BOOL:
        f->kind = WSC_KIND_BOOL;
        f->integer = (*m->value == 0xc3);
        return;

    case WSC_MSGPACK_INTEGER:
    case WSC_MSGPACK_FLOAT:
        wsc_field_msgpack_number(m->value, last, f);
        return;

    case WSC_MSGPACK_STR:
        f->string.data = (u_char *) m->value + m->item.head;
        f->string.len = m->item.n;
        f->kind = WSC_KIND_STRING;

        if (memchr(f->string.data, '\0', f->string.len)
            || !wsc_utf8_valid(f->string.data, f->string.len))
        {
            f->kind = WSC_KIND_OTHER;
        }

        return;

    case WSC_MSGPACK_MAP:
        wsc_field_msgpack_position(m, last, f);
        return;

    default:
        f->kind = WSC_KIND_OTHER;
    }
}


/* Integers may come as floats: some encoders write all above 2^32 so. */

static void
wsc_field_msgpack_number(const u_char *p, const u_char *last, wsc_field_t *f)
{
    size_t          off;
    msgpack_object  o;

    off = 0;
    (void) msgpack_unpack((const char *) p, last - p, &off, NULL, &o);

    switch (o.type) {

    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        wsc_field_number(f, o.via.u64);
        return;

    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        wsc_field_number(f, o.via.i64);
        return;

    default:
        wsc_field_number(f, o.via.f64);
    }
}


static void
wsc_field_msgpack_position(const wsc_member_t *m, const u_char *last,
    wsc_field_t *f)
{
    size_t         n;
    wsc_field_t    epoch, seq, *to;
    wsc_member_t   member;
    const u_char  *p;

    epoch.kind = WSC_KIND_ABSENT;
    seq.kind = WSC_KIND_ABSENT;

    p = m->value + m->item.head;

    for (n = m->item.n; n; n--) {

        if (wsc_member_next(&p, last, &member) != WSC_OK) {
            break;
        }

        if (member.key.len == 5
            && memcmp(member.key.data, "epoch", 5) == 0)
        {
            to = &epoch;

        } else if (member.key.len == 3
                   && memcmp(member.key.data, "seq", 3) == 0)
        {
            to = &seq;

        } else {
            continue;
        }

        to->kind = WSC_KIND_OTHER;

        if (member.item.type == WSC_MSGPACK_INTEGER
            || member.item.type == WSC_MSGPACK_FLOAT)
        {
            wsc_field_msgpack_number(member.value, last, to);
        }
    }

    wsc_field_position(f, &epoch, &seq);
}


/* A message without a JSON form harms those ops only that want one. */

static ssize_t
wsc_field_msgpack_message(const wsc_member_t *m, const u_char *end,
    wsc_buf_t *buf, wsc_field_t *f)
{
    ssize_t  rc;

    f->kind = WSC_KIND_MESSAGE;
    f->message.binary = (m->item.type == WSC_MSGPACK_BIN);

    if (f->message.binary) {
        f->message.data.data = (u_char *) m->value + m->item.head;
        f->message.data.len = m->item.n;
        return WSC_OK;
    }

    f->integer = buf->len;

    rc = wsc_msgpack_to_json(m->value, end - m->value, buf, &f->reason);
    if (rc != WSC_OK) {
        f->kind = WSC_KIND_OTHER;
    }

    f->message.data.len = buf->len - f->integer;

    return buf->failed ? WSC_ERROR : WSC_OK;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Envelopes of news.
 */


#include "wsc_envelope_int.h"
#include "wsc_json.h"
#include "wsc_msgpack_pack.h"
#include "wsc_utf8.h"


#define WSC_ENVELOPE_NOTE_N  (3 + WSC_NEWS_NUMBERS)    /* elements */


static void wsc_envelope_note_read(wsc_envelope_in_t *in, wsc_note_t *note);


void
wsc_envelope_news(wsc_buf_t *b, const wsc_news_t *news)
{
    size_t             i, k, begin;
    const wsc_note_t  *note;

    begin = wsc_msgpack_put_begin(b);

    wsc_msgpack_put_uint(b, WSC_ENVELOPE_VERSION);
    wsc_msgpack_put_uint(b, WSC_ENVELOPE_NEWS);
    wsc_msgpack_put_uint(b, news->type);
    wsc_msgpack_put_uint(b, news->to);
    wsc_msgpack_put_str(b, &news->name);
    wsc_msgpack_put_uint(b, news->count);

    for (i = 0; i < news->count; i++) {
        note = &news->notes[i];

        wsc_msgpack_put_str(b, &note->key);
        wsc_msgpack_put_str(b, &note->sender);
        wsc_envelope_value(b, &note->value);

        for (k = 0; k < WSC_NEWS_NUMBERS; k++) {
            wsc_msgpack_put_uint(b, note->n[k]);
        }
    }

    wsc_msgpack_put_end(b, begin, 0, WSC_ENVELOPE_NEWS_N
                                     + news->count * WSC_ENVELOPE_NOTE_N);
}


void
wsc_envelope_news_read(wsc_envelope_in_t *in, size_t n, wsc_envelope_t *v)
{
    size_t               i;
    uint64_t             to;
    wsc_msgpack_type_e   type;

    v->news.type = wsc_envelope_uint(in);
    to = wsc_envelope_uint(in);

    wsc_envelope_str(in, &v->news.name, &type);
    in->failed |= (type != WSC_MSGPACK_STR);

    v->news.to = to;
    v->news.notes = v->notes;
    v->news.count = wsc_envelope_uint(in);

    if (in->failed
        || v->news.type == 0 || v->news.type >= WSC_NEWS_TYPES
        || to < WSC_TO_CHAT || to > WSC_TO_ZONE
        || v->news.count > WSC_NEWS_NOTES
        || n - WSC_ENVELOPE_NEWS_N < v->news.count * WSC_ENVELOPE_NOTE_N)
    {
        in->failed = 1;
        return;
    }

    for (i = 0; i < v->news.count; i++) {
        wsc_envelope_note_read(in, &v->notes[i]);
    }
}


static void
wsc_envelope_note_read(wsc_envelope_in_t *in, wsc_note_t *note)
{
    size_t              i;
    wsc_msgpack_type_e  type;

    wsc_envelope_str(in, &note->key, &type);
    in->failed |= (type != WSC_MSGPACK_STR);

    wsc_envelope_str(in, &note->sender, &type);
    in->failed |= (type != WSC_MSGPACK_STR);

    wsc_envelope_str(in, &note->value.data, &type);
    note->value.binary = (type == WSC_MSGPACK_BIN);

    for (i = 0; i < WSC_NEWS_NUMBERS; i++) {
        note->n[i] = wsc_envelope_uint(in);
    }
}


ssize_t
wsc_envelope_news_check(const wsc_alloc_t *alloc, const wsc_envelope_t *v,
    const char **reason)
{
    size_t             i;
    ssize_t            rc;
    const wsc_str_t   *name;
    const wsc_note_t  *note;

    name = &v->news.name;

    if ((v->news.to == WSC_TO_CHAT && !wsc_chat_id_valid(name))
        || (v->news.to == WSC_TO_USER && !wsc_user_valid(name))
        || (v->news.to == WSC_TO_ZONE && name->len))
    {
        *reason = "a bad name in an envelope";
        return WSC_DECLINED;
    }

    for (i = 0; i < v->news.count; i++) {
        note = &v->notes[i];

        if (note->key.len > WSC_MAX_NOTE_KEY
            || !wsc_utf8_valid(note->key.data, note->key.len)
            || (note->sender.len && !wsc_user_valid(&note->sender)))
        {
            *reason = "a bad note in an envelope";
            return WSC_DECLINED;
        }

        if (note->value.binary || note->value.data.len == 0) {
            continue;
        }

        rc = wsc_json_check(alloc, note->value.data.data,
                            note->value.data.len, WSC_MAX_DEPTH, reason);
        if (rc != WSC_OK) {
            return rc;
        }
    }

    return WSC_OK;
}

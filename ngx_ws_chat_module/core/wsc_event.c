
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Server events, each described once for both encodings.
 */


#include "wsc_event_int.h"


#define WSC_EVENT_TERMS  4            /* node, ping_ms, limits, retention */


static void wsc_event_limit(wsc_writer_t *w, const char *key, uint64_t v);
static void wsc_event_id(wsc_writer_t *w, const wsc_id_t *id);


static const char  *wsc_err_names[] = {
    "none",
    "bad_request",
    "unknown_op",
    "forbidden",
    "not_joined",
    "too_many_chats",
    "not_found",
    "rate_limited",
    "overloaded",
    "unavailable",
    "unknown",
    "internal"
};


void
wsc_event_terms(wsc_buf_t *b, wsc_enc_e enc, const wsc_terms_t *terms)
{
    wsc_writer_t  w;

    wsc_writer_init(&w, b, enc);

    wsc_event_str(&w, "node", &terms->node);
    wsc_event_uint(&w, "ping_ms", terms->ping_ms);

    wsc_writer_key(&w, "limits");
    wsc_writer_map(&w);
    wsc_event_uint(&w, "max_message", terms->max_message);
    wsc_event_uint(&w, "max_chats", terms->max_chats);
    wsc_event_uint(&w, "rate", terms->rate);
    wsc_event_uint(&w, "burst", terms->burst);
    wsc_event_limit(&w, "message_ms", terms->message_ms);
    wsc_event_limit(&w, "max_user_connections", terms->user_connections);
    wsc_event_limit(&w, "max_ip_connections", terms->ip_connections);
    wsc_writer_end(&w);

    wsc_writer_key(&w, "retention");
    wsc_writer_map(&w);
    wsc_event_uint(&w, "messages", terms->history);
    wsc_event_uint(&w, "seconds", terms->history_sec);
    wsc_writer_end(&w);
}


void
wsc_event_welcome(wsc_buf_t *b, wsc_enc_e enc, const wsc_welcome_t *welcome)
{
    wsc_writer_t  w;

    wsc_event_begin(&w, b, enc, "welcome");

    wsc_event_uint(&w, "proto", 1);
    wsc_event_str(&w, "user", &welcome->user);
    wsc_event_str(&w, "session", &welcome->session);
    wsc_writer_pairs(&w, &welcome->terms, WSC_EVENT_TERMS);
    wsc_event_uint(&w, "server_time", welcome->server_time);

    wsc_writer_end(&w);
}


void
wsc_event_left(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "left", id, chat_id);
    wsc_writer_end(&w);
}


void
wsc_event_ack(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id, const wsc_str_t *cid, uint64_t timestamp,
    const wsc_pos_t *pos, int dup)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "ack", id, chat_id);

    if (cid->len) {
        wsc_event_str(&w, "cid", cid);
    }

    wsc_event_uint(&w, "timestamp", timestamp);

    if (pos) {
        wsc_event_uint(&w, "epoch", pos->epoch);
        wsc_event_uint(&w, "seq", pos->seq);
    }

    if (cid->len && (pos || dup)) {
        wsc_writer_key(&w, "dup");
        wsc_writer_bool(&w, dup);
    }

    wsc_writer_end(&w);
}


void
wsc_event_pong(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "pong", id, NULL);
    wsc_writer_end(&w);
}


void
wsc_event_gap(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    wsc_pos_t after, wsc_pos_t before, const char *reason)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "gap", NULL, chat_id);

    wsc_event_pos(&w, "after", after);
    wsc_event_pos(&w, "before", before);
    wsc_writer_key(&w, "reason");
    wsc_writer_text(&w, reason);

    wsc_writer_end(&w);
}


void
wsc_event_status(wsc_buf_t *b, wsc_enc_e enc, int stale, uint64_t since)
{
    wsc_writer_t  w;

    wsc_event_begin(&w, b, enc, "status");

    wsc_writer_key(&w, "state");
    wsc_writer_text(&w, stale ? "stale" : "live");
    wsc_writer_key(&w, "since");
    wsc_writer_uint(&w, since);

    wsc_writer_end(&w);
}


void
wsc_event_notice(wsc_buf_t *b, wsc_enc_e enc, const wsc_note_t *note)
{
    wsc_writer_t  w;

    wsc_event_begin(&w, b, enc, "message");

    wsc_event_str(&w, "sender", &note->sender);
    wsc_event_value(&w, "message", &note->value);
    wsc_event_uint(&w, "timestamp", note->n[0]);

    wsc_writer_end(&w);
}


void
wsc_event_ok(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "ok", id, NULL);
    wsc_writer_end(&w);
}


void
wsc_event_kicked(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const char *reason)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "kicked", NULL, chat_id);

    wsc_writer_key(&w, "reason");
    wsc_writer_text(&w, reason);

    wsc_writer_end(&w);
}


void
wsc_event_reconnect(wsc_buf_t *b, wsc_enc_e enc, uint64_t in_ms,
    const char *reason)
{
    wsc_writer_t  w;

    wsc_event_begin(&w, b, enc, "reconnect");

    wsc_event_uint(&w, "in_ms", in_ms);
    wsc_writer_key(&w, "reason");
    wsc_writer_text(&w, reason);

    wsc_writer_end(&w);
}


void
wsc_event_error(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_error_t *e)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "error", id,
                    e->chat_id.len ? &e->chat_id : NULL);

    if (e->cid.len) {
        wsc_event_str(&w, "cid", &e->cid);
    }

    wsc_writer_key(&w, "code");
    wsc_writer_text(&w, wsc_err_name(e->code));
    wsc_writer_key(&w, "message");
    wsc_writer_text(&w, e->message);
    wsc_writer_key(&w, "temporary");
    wsc_writer_bool(&w, wsc_err_temporary(e->code));

    if (e->retry_ms) {
        wsc_event_uint(&w, "retry_ms", e->retry_ms);
    }

    wsc_writer_end(&w);
}


const char *
wsc_err_name(wsc_err_e code)
{
    return wsc_err_names[code];
}


int
wsc_err_temporary(wsc_err_e code)
{
    return code >= WSC_ERR_RATE_LIMITED && code <= WSC_ERR_UNKNOWN;
}


void
wsc_event_begin(wsc_writer_t *w, wsc_buf_t *b, wsc_enc_e enc, const char *ev)
{
    wsc_writer_init(w, b, enc);
    wsc_writer_map(w);
    wsc_writer_key(w, "ev");
    wsc_writer_text(w, ev);
}


void
wsc_event_reply(wsc_writer_t *w, wsc_buf_t *b, wsc_enc_e enc, const char *ev,
    const wsc_id_t *id, const wsc_str_t *chat_id)
{
    wsc_event_begin(w, b, enc, ev);
    wsc_event_id(w, id);

    if (chat_id) {
        wsc_event_str(w, "chat_id", chat_id);
    }
}


static void
wsc_event_id(wsc_writer_t *w, const wsc_id_t *id)
{
    if (id == NULL || id->type == WSC_ID_NONE) {
        return;
    }

    wsc_writer_key(w, "id");

    if (id->type == WSC_ID_INTEGER) {
        wsc_writer_int(w, id->integer);
        return;
    }

    wsc_writer_str(w, &id->string);
}


void
wsc_event_str(wsc_writer_t *w, const char *key, const wsc_str_t *s)
{
    wsc_writer_key(w, key);
    wsc_writer_str(w, s);
}


void
wsc_event_uint(wsc_writer_t *w, const char *key, uint64_t v)
{
    wsc_writer_key(w, key);
    wsc_writer_uint(w, v);
}


static void
wsc_event_limit(wsc_writer_t *w, const char *key, uint64_t v)
{
    if (v) {
        wsc_event_uint(w, key, v);
    }
}


void
wsc_event_pos(wsc_writer_t *w, const char *key, wsc_pos_t pos)
{
    wsc_writer_key(w, key);
    wsc_writer_map(w);
    wsc_event_uint(w, "epoch", pos.epoch);
    wsc_event_uint(w, "seq", pos.seq);
    wsc_writer_end(w);
}


void
wsc_event_value(wsc_writer_t *w, const char *key, const wsc_value_t *value)
{
    wsc_writer_key(w, key);
    wsc_writer_value(w, value);

    if (value->binary && w->enc == WSC_ENC_JSON) {
        wsc_writer_key(w, "enc");
        wsc_writer_text(w, "base64");
    }
}

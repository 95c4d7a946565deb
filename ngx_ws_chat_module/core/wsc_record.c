
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_event_int.h"
#include "wsc_record.h"
#include "wsc_time.h"


void
wsc_record_message(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_entry_t *e)
{
    u_char        text[WSC_TIME_LEN];
    wsc_str_t     time;
    wsc_writer_t  w;

    time.data = text;
    time.len = WSC_TIME_LEN;
    wsc_time_print(text, e->timestamp);

    wsc_writer_init(&w, b, enc);
    wsc_writer_map(&w);

    wsc_event_str(&w, "chat_id", chat_id);
    wsc_event_str(&w, "sender", &e->sender);

    wsc_event_value(&w, "message", &e->message);
    wsc_event_str(&w, "timestamp", &time);
    wsc_event_str(&w, "cid", &e->cid);

    wsc_writer_end(&w);
}

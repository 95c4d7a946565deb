
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Most of the welcome says the same to all clients of a location: that is
 * written once, because it would take longer than all else of it.
 */


#include "ngx_ws_chat_client_welcome.h"
#include "ngx_ws_chat_client_id.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_reply.h"


ngx_int_t
ngx_ws_chat_client_terms(ngx_cycle_t *cycle,
    const ngx_ws_chat_main_conf_t *mcf, ngx_ws_chat_loc_conf_t *conf)
{
    wsc_buf_t    b;
    wsc_enc_e    enc;
    wsc_terms_t  t;

    ngx_memzero(&t, sizeof(wsc_terms_t));

    t.node.data = mcf->node.data;
    t.node.len = mcf->node.len;
    t.ping_ms = conf->ping_interval;
    t.max_message = conf->max_message;
    t.max_chats = conf->max_chats;
    t.rate = conf->rate;
    t.burst = conf->rate ? conf->burst : 0;
    t.message_ms = conf->message_timeout;
    t.user_connections = conf->max_user_connections;
    t.ip_connections = conf->max_ip_connections;
    t.history = conf->history.messages;
    t.history_sec = conf->history.age / 1000;

    for (enc = 0; enc < WSC_ENC_N; enc++) {
        wsc_buf_init(&b, &ngx_ws_chat_alloc);
        wsc_event_terms(&b, enc, &t);

        conf->terms[enc].len = b.len;
        conf->terms[enc].data = b.failed ? NULL
                                         : ngx_pnalloc(cycle->pool, b.len);

        if (conf->terms[enc].data) {
            ngx_memcpy(conf->terms[enc].data, b.data, b.len);
        }

        wsc_buf_free(&b);

        if (conf->terms[enc].data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_ws_chat_client_welcome(ngx_ws_chat_client_t *cl)
{
    u_char         text[NGX_WS_CHAT_CLIENT_ID];
    wsc_welcome_t  w;

    w.user.data = ngx_ws_chat_client_user(cl);
    w.user.len = cl->user_len;
    w.session = ngx_ws_chat_client_id_text(cl->session, text);
    w.terms = cl->conf->terms[cl->enc];
    w.server_time = ngx_ws_chat_now();

    wsc_event_welcome(ngx_ws_chat_reply_buf(), cl->enc, &w);
    ngx_ws_chat_reply(cl);
}

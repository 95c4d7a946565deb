
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the headers of an opening handshake say.
 */


#ifndef _NGX_WS_CHAT_UPGRADE_OFFER_H_INCLUDED_
#define _NGX_WS_CHAT_UPGRADE_OFFER_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "core/wsc_handshake.h"


/* A header that has to come in one line. */

typedef struct {
    wsc_str_t                   value;
    ngx_uint_t                  lines;
} ngx_ws_chat_field_t;


typedef struct {
    ngx_ws_chat_field_t         version;
    ngx_ws_chat_field_t         key;
    wsc_proto_e                 proto;
    wsc_deflate_params_t        deflate;
    size_t                      extension_len;  /* 0: none is agreed */
    unsigned                    takeover:2;     /* WSC_TAKEOVER_..., set
                                                   before */
    unsigned                    upgrade:1;      /* Upgrade: websocket */
    unsigned                    connection:1;   /* Connection: upgrade */
    unsigned                    bad_protocol:1;
    unsigned                    bad_extension:1;
    unsigned                    unknown:1;      /* unknown subprotocols, too */
    u_char                      extension[WSC_EXTENSION_LEN];
} ngx_ws_chat_offer_t;


/* Reads the headers into an offer, else zeroed; values point into r. */
void ngx_ws_chat_offer_read(ngx_http_request_t *r,
    const ngx_ws_chat_loc_conf_t *conf, ngx_ws_chat_offer_t *o);


#endif /* _NGX_WS_CHAT_UPGRADE_OFFER_H_INCLUDED_ */

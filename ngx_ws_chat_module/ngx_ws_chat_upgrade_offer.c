
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the headers of an opening handshake say.
 */


#include "ngx_ws_chat_upgrade_offer.h"


typedef struct {
    ngx_str_t                   name;
    void                      (*read)(ngx_ws_chat_offer_t *o,
                                    const ngx_ws_chat_loc_conf_t *conf,
                                    const wsc_str_t *value);
    size_t                      field;          /* without read(): offset */
} ngx_ws_chat_offer_header_t;


static void ngx_ws_chat_offer_upgrade(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *value);
static void ngx_ws_chat_offer_connection(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *value);
static void ngx_ws_chat_offer_protocol(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *value);
static void ngx_ws_chat_offer_extension(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *value);
static void ngx_ws_chat_offer_header(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, ngx_table_elt_t *h);


static const ngx_ws_chat_offer_header_t  ngx_ws_chat_offer_headers[] = {

    { ngx_string("upgrade"), ngx_ws_chat_offer_upgrade, 0 },

    { ngx_string("connection"), ngx_ws_chat_offer_connection, 0 },

    { ngx_string("sec-websocket-version"), NULL,
      offsetof(ngx_ws_chat_offer_t, version) },

    { ngx_string("sec-websocket-key"), NULL,
      offsetof(ngx_ws_chat_offer_t, key) },

    { ngx_string("sec-websocket-protocol"), ngx_ws_chat_offer_protocol, 0 },

    { ngx_string("sec-websocket-extensions"), ngx_ws_chat_offer_extension, 0 },

    { ngx_null_string, NULL, 0 }
};


void
ngx_ws_chat_offer_read(ngx_http_request_t *r,
    const ngx_ws_chat_loc_conf_t *conf, ngx_ws_chat_offer_t *o)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            ngx_ws_chat_offer_header(o, conf, &h[i]);
        }
    }
}


static void
ngx_ws_chat_offer_header(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, ngx_table_elt_t *h)
{
    wsc_str_t                          value;
    ngx_ws_chat_field_t               *f;
    const ngx_ws_chat_offer_header_t  *oh;

    for (oh = ngx_ws_chat_offer_headers; oh->name.len; oh++) {

        if (h->key.len != oh->name.len
            || ngx_strncasecmp(h->key.data, oh->name.data, oh->name.len) != 0)
        {
            continue;
        }

        value.data = h->value.data;
        value.len = h->value.len;

        if (oh->read) {
            oh->read(o, conf, &value);
            return;
        }

        f = (ngx_ws_chat_field_t *) ((u_char *) o + oh->field);

        f->value = value;
        f->lines++;

        return;
    }
}


static void
ngx_ws_chat_offer_upgrade(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *value)
{
    if (wsc_handshake_token(value, "websocket")) {
        o->upgrade = 1;
    }
}


static void
ngx_ws_chat_offer_connection(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *value)
{
    if (wsc_handshake_token(value, "upgrade")) {
        o->connection = 1;
    }
}


static void
ngx_ws_chat_offer_protocol(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *value)
{
    int        unknown;
    wsc_str_t  bearer;

    unknown = 0;
    ngx_str_null(&bearer);

    if (wsc_handshake_protocol(value, &o->proto, &bearer, &unknown) != WSC_OK)
    {
        o->bad_protocol = 1;
    }

    if (unknown) {
        o->unknown = 1;
    }
}


/* The first offer that can be taken counts; all have to be well formed. */

static void
ngx_ws_chat_offer_extension(ngx_ws_chat_offer_t *o,
    const ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *value)
{
    size_t                len;
    u_char                text[WSC_EXTENSION_LEN];
    ssize_t               rc;
    wsc_deflate_params_t  params;

    rc = wsc_handshake_deflate(value, (int) conf->deflate_window, o->takeover,
                               &params, text, &len);

    if (rc == WSC_ERROR) {
        o->bad_extension = 1;
        return;
    }

    if (rc == WSC_DECLINED || o->extension_len || !conf->deflate) {
        return;
    }

    o->deflate = params;
    o->extension_len = len;
    ngx_memcpy(o->extension, text, len);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Random octets are made for many clients at a time, as each call of OpenSSL
 * costs system calls and locks, whatever it is asked for.
 */


#include "ngx_ws_chat_client_id.h"
#include <openssl/rand.h>


#define NGX_WS_CHAT_IDS  64


static uint64_t    ngx_ws_chat_ids[NGX_WS_CHAT_IDS];
static ngx_uint_t  ngx_ws_chat_nids;


ngx_int_t
ngx_ws_chat_client_id(uint64_t *id)
{
    if (ngx_ws_chat_nids == 0) {

        if (RAND_bytes((u_char *) ngx_ws_chat_ids, sizeof(ngx_ws_chat_ids))
            != 1)
        {
            return NGX_ERROR;
        }

        ngx_ws_chat_nids = NGX_WS_CHAT_IDS;
    }

    ngx_ws_chat_nids--;

    *id = ngx_ws_chat_ids[ngx_ws_chat_nids];
    ngx_ws_chat_ids[ngx_ws_chat_nids] = 0;

    return NGX_OK;
}


wsc_str_t
ngx_ws_chat_client_id_text(uint64_t id, u_char *text)
{
    wsc_str_t  s;

    s.data = text;
    s.len = ngx_sprintf(text, "%016xL", (int64_t) id) - text;

    return s;
}

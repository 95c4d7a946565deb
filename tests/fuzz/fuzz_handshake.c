
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The header values of a handshake, each parser on the same text; the first
 * octet is the window wanted.  What is accepted must make sense.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_handshake.h"
#include "wsc_token.h"


#define fuzz_require(condition)  if (!(condition)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_accept(const wsc_str_t *text);
static void fuzz_protocol(const wsc_str_t *text);
static void fuzz_deflate(const wsc_str_t *text, unsigned window);
static void fuzz_answer(const wsc_str_t *text);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsc_str_t  text;

    if (size < 1) {
        return 0;
    }

    text.data = (u_char *) data + 1;
    text.len = size - 1;

    fuzz_accept(&text);
    fuzz_protocol(&text);
    fuzz_deflate(&text, 9 + data[0] % 7);
    fuzz_answer(&text);

    return 0;
}


static void
fuzz_accept(const wsc_str_t *text)
{
    u_char     accept[WSC_ACCEPT_LEN];
    ssize_t    rc;
    wsc_str_t  key;

    key = *text;
    key.len = (key.len > WSC_KEY_LEN) ? WSC_KEY_LEN : key.len;

    rc = wsc_handshake_accept(&key, accept);
    fuzz_require(rc == WSC_OK || rc == WSC_DECLINED);
    fuzz_require(rc == WSC_DECLINED || accept[WSC_ACCEPT_LEN - 1] == '=');
    fuzz_require(rc == WSC_DECLINED
                 || memcmp(key.data + WSC_KEY_LEN - 2, "==", 2) == 0);
}


static void
fuzz_protocol(const wsc_str_t *text)
{
    int          other;
    size_t       i;
    ssize_t      rc;
    wsc_str_t    bearer = wsc_null_string;
    wsc_proto_e  proto;

    proto = WSC_PROTO_NONE;
    other = 0;

    rc = wsc_handshake_protocol(text, &proto, &bearer, &other);
    fuzz_require(rc == WSC_OK || rc == WSC_DECLINED);
    fuzz_require(rc == WSC_DECLINED || proto != WSC_PROTO_NONE || bearer.len
                 || other);

    for (i = 0; i < bearer.len; i++) {
        fuzz_require(wsc_token_char(bearer.data[i]));
    }

    if (rc == WSC_OK && proto == WSC_PROTO_JSON) {
        fuzz_require(wsc_handshake_token(text, "chat.v1.json"));
    }
}


static void
fuzz_deflate(const wsc_str_t *text, unsigned window)
{
    int                   takeover;
    size_t                len;
    u_char                out[WSC_EXTENSION_LEN];
    ssize_t               rc;
    wsc_str_t             answer;
    wsc_deflate_params_t  p, q;

    takeover = text->len & 3;

    rc = wsc_handshake_deflate(text, (int) window, takeover, &p, out, &len);
    fuzz_require(rc == WSC_OK || rc == WSC_DECLINED || rc == WSC_ERROR);

    if (rc != WSC_OK) {
        return;
    }

    fuzz_require(p.server_window >= 9 && p.server_window <= window);
    fuzz_require(p.client_window >= 8 && p.client_window <= 15);
    fuzz_require(p.server_no_takeover || (takeover & WSC_TAKEOVER_SERVER));
    fuzz_require(p.client_no_takeover || (takeover & WSC_TAKEOVER_CLIENT));
    fuzz_require(len < WSC_EXTENSION_LEN);

    /* a client understands the answer as it is meant */

    answer.data = out;
    answer.len = len;

    fuzz_require(wsc_handshake_answer(&answer, &q) == WSC_OK);
    fuzz_require(p.server_window == q.server_window);
    fuzz_require(p.client_window == q.client_window);
    fuzz_require(p.server_no_takeover == q.server_no_takeover);
    fuzz_require(p.client_no_takeover == q.client_no_takeover);
}


static void
fuzz_answer(const wsc_str_t *text)
{
    wsc_deflate_params_t  p;

    if (wsc_handshake_answer(text, &p) != WSC_OK) {
        return;
    }

    fuzz_require(p.server_window >= 8 && p.server_window <= 15);
    fuzz_require(p.client_window >= 8 && p.client_window <= 15);
}

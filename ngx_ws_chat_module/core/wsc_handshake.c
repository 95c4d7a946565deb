
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The header values of an opening handshake but for extensions.
 */


/*
 * SHA1() looks the algorithm up and allocates a context each time, which takes
 * longer than the hash: OpenSSL 3 has the calls without, but warns of them.
 */
#define OPENSSL_API_COMPAT  0x10101000L

#include <string.h>
#include <strings.h>
#include <openssl/sha.h>

#include "wsc_handshake.h"
#include "wsc_token.h"


#define WSC_ACCEPT_GUID  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define WSC_KEY_DIGITS   22           /* the rest of a key is "==" */
#define WSC_BEARER       "bearer."


static int wsc_handshake_key(const wsc_str_t *key);
static int wsc_handshake_digit(u_char ch);
static void wsc_handshake_base64(u_char *to, const u_char *p, size_t len);
static void wsc_handshake_entry(const wsc_str_t *name, wsc_proto_e *proto,
    wsc_str_t *bearer, int *other);


static const u_char  wsc_base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";


ssize_t
wsc_handshake_accept(const wsc_str_t *key, u_char *accept)
{
    u_char   hash[SHA_DIGEST_LENGTH];
    SHA_CTX  sha;

    if (!wsc_handshake_key(key)) {
        return WSC_DECLINED;
    }

    /* these fail for no input */

    (void) SHA1_Init(&sha);
    (void) SHA1_Update(&sha, key->data, WSC_KEY_LEN);
    (void) SHA1_Update(&sha, WSC_ACCEPT_GUID, sizeof(WSC_ACCEPT_GUID) - 1);
    (void) SHA1_Final(hash, &sha);

    wsc_handshake_base64(accept, hash, sizeof(hash));

    return WSC_OK;
}


int
wsc_handshake_token(const wsc_str_t *list, const char *token)
{
    size_t         len;
    const u_char  *p, *end, *last;

    if (list->len == 0) {
        return 0;
    }

    len = strlen(token);
    last = list->data + list->len;

    for (p = list->data; p < last; p++) {

        while (p < last && wsc_token_space(*p)) {
            p++;
        }

        for (end = p; end < last && *end != ','; end++) { /* void */ }

        if ((size_t) (end - p) >= len
            && strncasecmp((const char *) p, token, len) == 0)
        {
            for (p += len; p < end && wsc_token_space(*p); p++) { /* void */ }

            if (p == end) {
                return 1;
            }
        }

        p = end;
    }

    return 0;
}


ssize_t
wsc_handshake_protocol(const wsc_str_t *list, wsc_proto_e *proto,
    wsc_str_t *bearer, int *other)
{
    ssize_t     rc;
    wsc_str_t   name;
    wsc_list_t  l;

    name.len = 0;
    wsc_list_init(&l, list);

    while ((rc = wsc_list_next(&l)) == WSC_OK) {

        if (wsc_list_token(&l, &name) == WSC_DECLINED) {
            return WSC_DECLINED;
        }

        wsc_handshake_entry(&name, proto, bearer, other);
    }

    return (rc == WSC_DONE && name.len) ? WSC_OK : WSC_DECLINED;
}


/* 16 octets in base64: 21 digits, one with four bits unused, "==". */

static int
wsc_handshake_key(const wsc_str_t *key)
{
    size_t  i;

    if (key->len != WSC_KEY_LEN || key->data[WSC_KEY_DIGITS] != '='
        || key->data[WSC_KEY_DIGITS + 1] != '=')
    {
        return 0;
    }

    for (i = 0; i < WSC_KEY_DIGITS; i++) {
        if (!wsc_handshake_digit(key->data[i])) {
            return 0;
        }
    }

    return memchr("AQgw", key->data[WSC_KEY_DIGITS - 1], 4) != NULL;
}


static int
wsc_handshake_digit(u_char ch)
{
    u_char  letter;

    letter = ch | 0x20;

    return (letter >= 'a' && letter <= 'z') || (ch >= '0' && ch <= '9')
           || ch == '+' || ch == '/';
}


static void
wsc_handshake_base64(u_char *to, const u_char *p, size_t len)
{
    size_t    i, n;
    uint32_t  v;

    for ( /* void */ ; len; p += n, len -= n) {
        n = (len < 3) ? len : 3;
        v = 0;

        for (i = 0; i < 3; i++) {
            v = v << 8 | (i < n ? p[i] : 0);
        }

        for (i = 0; i < 4; i++, v <<= 6) {
            *to++ = (i <= n) ? wsc_base64[v >> 18 & 0x3f] : '=';
        }
    }
}


static void
wsc_handshake_entry(const wsc_str_t *name, wsc_proto_e *proto,
    wsc_str_t *bearer, int *other)
{
    size_t       skip;
    wsc_proto_e  found;

    found = wsc_str_is(name, "chat.v1.json") ? WSC_PROTO_JSON
            : wsc_str_is(name, "chat.v1.msgpack") ? WSC_PROTO_MSGPACK
            : WSC_PROTO_NONE;

    if (found != WSC_PROTO_NONE) {
        *proto = (*proto == WSC_PROTO_NONE) ? found : *proto;
        return;
    }

    skip = sizeof(WSC_BEARER) - 1;

    if (name->len <= skip || memcmp(name->data, WSC_BEARER, skip) != 0) {
        *other = 1;
        return;
    }

    if (bearer->len == 0) {
        bearer->data = name->data + skip;
        bearer->len = name->len - skip;
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The cookie of a front.
 */


#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "wsc_sticky.h"


/* other uses of the same key get other MACs */
#define WSC_STICKY_LABEL  "ws_chat_sticky"


static int wsc_sticky_text(const wsc_str_t *s);
static u_char *wsc_sticky_put(u_char *p, const void *data, size_t len);


ssize_t
wsc_sticky_keys(const wsc_str_t *text, wsc_str_t keys[WSC_STICKY_KEYS],
    const char **reason)
{
    int         lines;
    size_t      left, len;
    ssize_t     n;
    u_char     *p, *end;

    n = 0;
    p = text->data;
    left = text->len;
    lines = wsc_sticky_text(text);

    while (left) {
        end = lines ? memchr(p, '\n', left) : NULL;
        len = end ? (size_t) (end - p) : left;

        if (len && n == WSC_STICKY_KEYS) {
            *reason = "has more than 4 keys";
            return WSC_ERROR;
        }

        if (len) {
            keys[n].data = p;
            keys[n].len = (lines && p[len - 1] == '\r') ? len - 1 : len;

            if (keys[n++].len < WSC_STICKY_KEY) {
                *reason = "has a key of less than 32 octets";
                return WSC_ERROR;
            }
        }

        len += (end != NULL);
        p += len;
        left -= len;
    }

    if (n == 0) {
        *reason = "is empty";
        return WSC_ERROR;
    }

    return n;
}


ssize_t
wsc_sticky_value(const wsc_str_t *key, const wsc_str_t *cookie,
    const wsc_str_t *peer, u_char *out)
{
    u_char        *p;
    size_t         i;
    unsigned int   len;
    u_char         mac[EVP_MAX_MD_SIZE];
    u_char         text[WSC_STICKY_LEN + 2];       /* "=" and a zero */
    u_char         data[sizeof(WSC_STICKY_LABEL) + WSC_STICKY_NAME + 1
                        + WSC_STICKY_PEER];

    if (cookie->len > WSC_STICKY_NAME || peer->len > WSC_STICKY_PEER) {
        return WSC_ERROR;
    }

    /* a zero behind each part but the last: no two inputs look alike */

    p = wsc_sticky_put(data, WSC_STICKY_LABEL, sizeof(WSC_STICKY_LABEL));
    p = wsc_sticky_put(p, cookie->data, cookie->len);
    *p++ = '\0';
    p = wsc_sticky_put(p, peer->data, peer->len);

    if (HMAC(EVP_sha256(), key->data, key->len, data, p - data, mac, &len)
        == NULL)
    {
        return WSC_ERROR;
    }

    (void) EVP_EncodeBlock(text, mac, len);

    for (i = 0; i < WSC_STICKY_LEN; i++) {
        switch (text[i]) {

        case '+':
            out[i] = '-';
            break;

        case '/':
            out[i] = '_';
            break;

        default:
            out[i] = text[i];
        }
    }

    return WSC_OK;
}


int
wsc_sticky_equal(const wsc_str_t *cookie, const u_char *value)
{
    return cookie->len == WSC_STICKY_LEN
           && CRYPTO_memcmp(cookie->data, value, WSC_STICKY_LEN) == 0;
}


static int
wsc_sticky_text(const wsc_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if ((s->data[i] < ' ' || s->data[i] > '~')
            && s->data[i] != '\n' && s->data[i] != '\r')
        {
            return 0;
        }
    }

    return 1;
}


static u_char *
wsc_sticky_put(u_char *p, const void *data, size_t len)
{
    if (len) {
        memcpy(p, data, len);
    }

    return p + len;
}

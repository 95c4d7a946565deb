
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "wsc_test.h"
#include "wsc_test_jwt.h"


char *
test_base64(const void *p, size_t len)
{
    int    n;
    char  *out, *c;

    out = malloc(len * 4 / 3 + 8);
    assert_non_null(out);

    n = EVP_EncodeBlock((u_char *) out, p, (int) len);

    while (n && out[n - 1] == '=') {
        n--;
    }

    out[n] = '\0';

    for (c = out; *c; c++) {
        *c = (*c == '+') ? '-' : (*c == '/') ? '_' : *c;
    }

    return out;
}


char *
test_sign(const char *header, const char *payload, const char *secret)
{
    char      *h, *p, *s, *token;
    u_char     hash[EVP_MAX_MD_SIZE];
    size_t     size;
    unsigned   len;

    h = test_base64(header, strlen(header));
    p = test_base64(payload, strlen(payload));

    size = strlen(h) + strlen(p) + 128;
    token = malloc(size);
    assert_non_null(token);

    snprintf(token, size, "%s.%s", h, p);

    HMAC(EVP_sha256(), secret, (int) strlen(secret), (u_char *) token,
         strlen(token), hash, &len);

    s = test_base64(hash, len);

    strcat(token, ".");
    strcat(token, s);

    free(h);
    free(p);
    free(s);

    return token;
}

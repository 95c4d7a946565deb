
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Digests are compared, all of them and over their whole length, which are
 * equally long whatever the keys are.
 */


#include "ngx_ws_chat_api_key.h"
#include "ngx_ws_chat_auth.h"
#include "ngx_ws_chat_conf_file.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>


#define NGX_WS_CHAT_KEY_MIN   16
#define NGX_WS_CHAT_KEY_MAX   256
#define NGX_WS_CHAT_KEY_HASH  32


typedef struct {
    u_char  hash[NGX_WS_CHAT_KEY_HASH];
} ngx_ws_chat_api_digest_t;


static char *ngx_ws_chat_api_key_parse(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text, ngx_array_t *keys);
static const char *ngx_ws_chat_api_key_fault(u_char *p, size_t len);
static ngx_int_t ngx_ws_chat_api_key_digest(u_char *p, size_t len,
    ngx_ws_chat_api_digest_t *digest);


ngx_int_t
ngx_ws_chat_api_key_check(ngx_http_request_t *r, ngx_array_t *keys)
{
    int                        differs;
    wsc_str_t                  token;
    ngx_uint_t                 i, found;
    ngx_ws_chat_api_digest_t   given, *known;

    if (keys == NULL) {
        return NGX_OK;
    }

    if (ngx_ws_chat_auth_bearer(r, &token) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_ws_chat_api_key_digest(token.data, token.len, &given) != NGX_OK) {
        return NGX_DECLINED;
    }

    known = keys->elts;
    found = 0;

    for (i = 0; i < keys->nelts; i++) {
        differs = CRYPTO_memcmp(given.hash, known[i].hash,
                                NGX_WS_CHAT_KEY_HASH);
        found |= (differs == 0);
    }

    return found ? NGX_OK : NGX_DECLINED;
}


char *
ngx_ws_chat_api_key_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_loc_conf_t  *lcf = conf;

    char         *rv;
    ngx_str_t    *value, name, text;
    ngx_array_t  *keys;

    if (lcf->api_keys != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "open") == 0) {
        lcf->api_keys = NULL;
        return NGX_CONF_OK;
    }

    name = value[1];

    keys = ngx_array_create(cf->pool, 2, sizeof(ngx_ws_chat_api_digest_t));
    if (keys == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_ws_chat_conf_file(cf, &value[0], &name, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_ws_chat_api_key_parse(cf, &name, &text, keys);

    OPENSSL_cleanse(text.data, text.len);

    lcf->api_keys = keys;

    return rv;
}


/* A key a line; what a key is stays out of the log. */

static char *
ngx_ws_chat_api_key_parse(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text,
    ngx_array_t *keys)
{
    u_char                    *p, *q, *end, *last;
    ngx_uint_t                 line;
    const char                *fault;
    ngx_ws_chat_api_digest_t  *digest;

    last = text->data + text->len;
    line = 0;

    for (p = text->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, LF);
        if (end == NULL) {
            end = last;
        }

        line++;

        while (p < end && (*p == ' ' || *p == '\t')) {
            p++;
        }

        for (q = end; q > p; q--) {
            if (q[-1] != ' ' && q[-1] != '\t' && q[-1] != CR) {
                break;
            }
        }

        if (p == q || *p == '#') {
            continue;
        }

        fault = ngx_ws_chat_api_key_fault(p, q - p);

        if (fault != NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ws_chat_api_key\" needs keys of %d to %d "
                               "printable characters without space, line %ui "
                               "of \"%V\" %s", NGX_WS_CHAT_KEY_MIN,
                               NGX_WS_CHAT_KEY_MAX, line, name, fault);
            return NGX_CONF_ERROR;
        }

        digest = ngx_array_push(keys);

        if (digest == NULL
            || ngx_ws_chat_api_key_digest(p, q - p, digest) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (keys->nelts == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_api_key\" finds no key in \"%V\"", name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static const char *
ngx_ws_chat_api_key_fault(u_char *p, size_t len)
{
    size_t  i;

    if (len < NGX_WS_CHAT_KEY_MIN) {
        return "is too short";
    }

    if (len > NGX_WS_CHAT_KEY_MAX) {
        return "is too long";
    }

    for (i = 0; i < len; i++) {
        if (p[i] <= ' ' || p[i] >= 0x7f) {
            return "has another one";
        }
    }

    return NULL;
}


static ngx_int_t
ngx_ws_chat_api_key_digest(u_char *p, size_t len,
    ngx_ws_chat_api_digest_t *digest)
{
    return EVP_Digest(p, len, digest->hash, NULL, EVP_sha256(), NULL) == 1
           ? NGX_OK : NGX_ERROR;
}

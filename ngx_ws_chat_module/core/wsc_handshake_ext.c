
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Negotiation of permessage-deflate (RFC 6455 section 9.1, RFC 7692
 * section 7.1):
 *
 *   permessage-deflate; client_max_window_bits; server_max_window_bits="12"
 */


#include <stdio.h>
#include <string.h>

#include "wsc_handshake.h"
#include "wsc_token.h"


/* The parameters, as places in wsc_ext_names. */

#define WSC_EXT_SERVER_NO_TAKEOVER  0
#define WSC_EXT_CLIENT_NO_TAKEOVER  1
#define WSC_EXT_SERVER_WINDOW       2
#define WSC_EXT_CLIENT_WINDOW       3
#define WSC_EXT_NAMES               4

#define WSC_EXT_WINDOW_MIN  8
#define WSC_EXT_WINDOW_MAX  15

#define wsc_ext_given(x, name)  ((x)->given & (1u << (name)))


/* An element of the list. */

typedef struct {
    unsigned    given;                /* bits of the parameters seen */
    unsigned    window[WSC_EXT_NAMES];  /* 0: without a value */
    unsigned    deflate:1;            /* it is permessage-deflate */
    unsigned    bad:1;                /* unknown, repeated or bad parameters */
} wsc_ext_t;


typedef struct {
    wsc_str_t   name;
    size_t      len;                  /* of the value, 0: there is none */
    u_char      value[2];             /* its beginning, unquoted */
} wsc_ext_param_t;


static ssize_t wsc_ext_next(wsc_list_t *l, wsc_ext_t *x);
static ssize_t wsc_ext_param(wsc_list_t *l, wsc_ext_param_t *param);
static ssize_t wsc_ext_value(wsc_list_t *l, wsc_ext_param_t *param);
static ssize_t wsc_ext_value_char(wsc_ext_param_t *param, u_char ch);
static void wsc_ext_add(wsc_ext_t *x, const wsc_ext_param_t *param);
static unsigned wsc_ext_window(const wsc_ext_param_t *param);
static ssize_t wsc_ext_accept(const wsc_ext_t *x, unsigned window,
    wsc_deflate_params_t *params);
static size_t wsc_ext_answer(const wsc_ext_t *x,
    const wsc_deflate_params_t *params, u_char *out);


static const char *const  wsc_ext_names[WSC_EXT_NAMES] = {
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits"
};


ssize_t
wsc_handshake_deflate(const wsc_str_t *list, int window, int takeover,
    wsc_deflate_params_t *params, u_char *out, size_t *len)
{
    ssize_t     rc, agreed;
    wsc_ext_t   x;
    wsc_list_t  l;

    agreed = WSC_DECLINED;
    wsc_list_init(&l, list);

    while ((rc = wsc_ext_next(&l, &x)) == WSC_OK) {

        if (agreed == WSC_DECLINED
            && wsc_ext_accept(&x, (unsigned) window, params) == WSC_OK)
        {
            if (!(takeover & WSC_TAKEOVER_SERVER)) {
                params->server_no_takeover = 1;
            }

            /* section 7.1.1.2: unasked, too */
            if (!(takeover & WSC_TAKEOVER_CLIENT)) {
                params->client_no_takeover = 1;
            }

            *len = wsc_ext_answer(&x, params, out);
            agreed = WSC_OK;
        }
    }

    return (rc == WSC_DONE) ? agreed : WSC_ERROR;
}


ssize_t
wsc_handshake_answer(const wsc_str_t *value, wsc_deflate_params_t *params)
{
    wsc_ext_t   x, more;
    wsc_list_t  l;

    wsc_list_init(&l, value);

    if (wsc_ext_next(&l, &x) != WSC_OK
        || wsc_ext_next(&l, &more) != WSC_DONE
        || !x.deflate || x.bad)
    {
        return WSC_ERROR;
    }

    params->server_no_takeover =
                            wsc_ext_given(&x, WSC_EXT_SERVER_NO_TAKEOVER) != 0;
    params->client_no_takeover =
                            wsc_ext_given(&x, WSC_EXT_CLIENT_NO_TAKEOVER) != 0;
    params->server_window = WSC_EXT_WINDOW_MAX;
    params->client_window = WSC_EXT_WINDOW_MAX;

    if (wsc_ext_given(&x, WSC_EXT_SERVER_WINDOW)) {
        params->server_window = x.window[WSC_EXT_SERVER_WINDOW] & 0x1f;
    }

    if (wsc_ext_given(&x, WSC_EXT_CLIENT_WINDOW)) {
        params->client_window = x.window[WSC_EXT_CLIENT_WINDOW] & 0x1f;
    }

    /* only an offer may name it without a value */
    return params->client_window ? WSC_OK : WSC_ERROR;
}


/* WSC_OK: x is the next element; WSC_DONE; WSC_ERROR: not the grammar. */

static ssize_t
wsc_ext_next(wsc_list_t *l, wsc_ext_t *x)
{
    ssize_t          rc;
    wsc_str_t        name;
    wsc_ext_param_t  param;

    memset(x, 0, sizeof(wsc_ext_t));

    rc = wsc_list_next(l);
    if (rc != WSC_OK) {
        return rc;
    }

    if (wsc_list_token(l, &name) == WSC_DECLINED) {
        return WSC_ERROR;
    }

    x->deflate = wsc_str_is(&name, "permessage-deflate");

    while (wsc_list_char(l, ';')) {

        if (wsc_ext_param(l, &param) == WSC_ERROR) {
            return WSC_ERROR;
        }

        wsc_ext_add(x, &param);
    }

    return WSC_OK;
}


static ssize_t
wsc_ext_param(wsc_list_t *l, wsc_ext_param_t *param)
{
    param->len = 0;

    if (wsc_list_token(l, &param->name) == WSC_DECLINED) {
        return WSC_ERROR;
    }

    if (!wsc_list_char(l, '=')) {
        return WSC_OK;
    }

    if (wsc_ext_value(l, param) == WSC_ERROR || param->len == 0) {
        return WSC_ERROR;
    }

    return WSC_OK;
}


/* A token, or a quoted string whose content is one. */

static ssize_t
wsc_ext_value(wsc_list_t *l, wsc_ext_param_t *param)
{
    u_char  ch;

    if (l->pos == l->last || *l->pos != '"') {

        while (l->pos < l->last && wsc_token_char(*l->pos)) {
            wsc_ext_value_char(param, *l->pos++);
        }

        return WSC_OK;
    }

    for (l->pos++; l->pos < l->last; /* void */ ) {
        ch = *l->pos++;

        if (ch == '"') {
            return WSC_OK;
        }

        if (ch == '\\' && l->pos < l->last) {
            ch = *l->pos++;
        }

        if (wsc_ext_value_char(param, ch) == WSC_ERROR) {
            return WSC_ERROR;
        }
    }

    return WSC_ERROR;
}


static ssize_t
wsc_ext_value_char(wsc_ext_param_t *param, u_char ch)
{
    if (!wsc_token_char(ch)) {
        return WSC_ERROR;
    }

    if (param->len < sizeof(param->value)) {
        param->value[param->len] = ch;
    }

    param->len++;

    return WSC_OK;
}


static void
wsc_ext_add(wsc_ext_t *x, const wsc_ext_param_t *param)
{
    unsigned  i;

    for (i = 0; i < WSC_EXT_NAMES; i++) {
        if (wsc_str_is(&param->name, wsc_ext_names[i])) {
            break;
        }
    }

    if (i == WSC_EXT_NAMES || wsc_ext_given(x, i)) {
        x->bad = 1;
        return;
    }

    x->given |= 1u << i;

    if (param->len == 0) {
        x->bad |= (i == WSC_EXT_SERVER_WINDOW);
        return;
    }

    if (i != WSC_EXT_SERVER_WINDOW && i != WSC_EXT_CLIENT_WINDOW) {
        x->bad = 1;
        return;
    }

    x->window[i] = wsc_ext_window(param);
    x->bad |= (x->window[i] == 0);
}


/* 8..15 without a leading zero, else 0. */

static unsigned
wsc_ext_window(const wsc_ext_param_t *param)
{
    const u_char  *v;

    v = param->value;

    if (param->len == 1 && (v[0] == '8' || v[0] == '9')) {
        return v[0] - '0';
    }

    if (param->len == 2 && v[0] == '1' && v[1] >= '0' && v[1] <= '5') {
        return 10 + v[1] - '0';
    }

    return 0;
}


static ssize_t
wsc_ext_accept(const wsc_ext_t *x, unsigned window,
    wsc_deflate_params_t *params)
{
    if (!x->deflate || x->bad) {
        return WSC_DECLINED;
    }

    if (wsc_ext_given(x, WSC_EXT_SERVER_WINDOW)) {

        /* zlib has no raw deflate with a window of 256 octets */
        if (x->window[WSC_EXT_SERVER_WINDOW] == WSC_EXT_WINDOW_MIN) {
            return WSC_DECLINED;
        }

        if (x->window[WSC_EXT_SERVER_WINDOW] < window) {
            window = x->window[WSC_EXT_SERVER_WINDOW];
        }
    }

    params->server_window = window & 0x1f;
    params->client_window = WSC_EXT_WINDOW_MAX;
    params->server_no_takeover =
                             wsc_ext_given(x, WSC_EXT_SERVER_NO_TAKEOVER) != 0;
    params->client_no_takeover =
                             wsc_ext_given(x, WSC_EXT_CLIENT_NO_TAKEOVER) != 0;

    if (x->window[WSC_EXT_CLIENT_WINDOW]) {
        params->client_window = x->window[WSC_EXT_CLIENT_WINDOW] & 0x1f;
    }

    return WSC_OK;
}


static size_t
wsc_ext_answer(const wsc_ext_t *x, const wsc_deflate_params_t *params,
    u_char *out)
{
    int    n;
    char  *p;

    p = (char *) out;
    n = snprintf(p, WSC_EXTENSION_LEN, "permessage-deflate%s%s",
                 params->server_no_takeover ? "; server_no_context_takeover"
                                            : "",
                 params->client_no_takeover ? "; client_no_context_takeover"
                                            : "");

    if (wsc_ext_given(x, WSC_EXT_SERVER_WINDOW)
        || params->server_window < WSC_EXT_WINDOW_MAX)
    {
        n += snprintf(p + n, WSC_EXTENSION_LEN - n,
                      "; server_max_window_bits=%u", params->server_window);
    }

    if (x->window[WSC_EXT_CLIENT_WINDOW]) {
        n += snprintf(p + n, WSC_EXTENSION_LEN - n,
                      "; client_max_window_bits=%u", params->client_window);
    }

    return n;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "wsbench_conn.h"
#include "wsbench_http.h"


#define WB_MAX_RESPONSE  16384


static void wb_http_key(wb_proc_t *proc, u_char *key);
static void wb_http_add(wsc_buf_t *out, const char *text);
static ssize_t wb_http_check(wb_proc_t *proc, wb_conn_t *c, size_t len,
    wsc_deflate_params_t *params, int *deflate, char *error, size_t size);


void
wb_http_request(wb_proc_t *proc, wb_conn_t *c, const wb_vars_t *vars)
{
    u_char           key[WSC_KEY_LEN];
    unsigned         i;
    wsc_buf_t       *out;
    wsc_str_t        text;
    const wb_opt_t  *opt;
    const wb_url_t  *url;

    opt = proc->opt;
    out = &c->out;
    url = wb_conn_url(opt, c);

    wb_http_key(proc, key);
    text.data = key;
    text.len = sizeof(key);
    wsc_handshake_accept(&text, c->accept);

    wb_http_add(out, "GET ");
    wb_tpl_render(out, url->path, vars);
    wb_http_add(out, " HTTP/1.1\r\nHost: ");
    wb_http_add(out, url->host);
    wb_http_add(out, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    wsc_buf_add(out, key, sizeof(key));

    if (opt->subprotocol) {
        wb_http_add(out, "\r\nSec-WebSocket-Protocol: ");
        wb_http_add(out, opt->subprotocol);
    }

    if (opt->deflate) {
        wb_http_add(out, "\r\nSec-WebSocket-Extensions: permessage-deflate; "
                    "client_max_window_bits");
    }

    for (i = 0; i < opt->headers.n; i++) {
        wb_http_add(out, "\r\n");
        wb_tpl_render(out, opt->headers.values[i], vars);
    }

    wb_http_add(out, "\r\n\r\n");
}


/* 16 random octets in base64: the last digit carries two bits of them. */

static void
wb_http_key(wb_proc_t *proc, u_char *key)
{
    unsigned           i;
    static const char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (i = 0; i < WSC_KEY_LEN - 3; i++) {
        proc->seed = proc->seed * 6364136223846793005ULL
                     + 1442695040888963407ULL;
        key[i] = digits[proc->seed >> 58];
    }

    key[i++] = "AQgw"[proc->seed >> 40 & 3];
    key[i++] = '=';
    key[i] = '=';
}


static void
wb_http_add(wsc_buf_t *out, const char *text)
{
    wsc_buf_add(out, text, strlen(text));
}


ssize_t
wb_http_response(wb_proc_t *proc, wb_conn_t *c, size_t *used,
    wsc_deflate_params_t *params, int *deflate, char *error, size_t size)
{
    int      n;
    u_char  *end;

    end = memmem(c->in.data, c->in.len, "\r\n\r\n", 4);

    if (end == NULL) {
        if (c->in.len > WB_MAX_RESPONSE) {
            snprintf(error, size, "the response header has no end");
            return WSC_ERROR;
        }

        return WSC_AGAIN;
    }

    *used = end + 4 - c->in.data;

    if (*used < 12 || memcmp(c->in.data, "HTTP/1.1 101", 12) != 0) {
        n = strcspn((char *) c->in.data, "\r");
        snprintf(error, size, "refused: %.*s", n < 80 ? n : 80,
                 (char *) c->in.data);
        return WSC_ERROR;
    }

    return wb_http_check(proc, c, *used, params, deflate, error, size);
}


static ssize_t
wb_http_check(wb_proc_t *proc, wb_conn_t *c, size_t len,
    wsc_deflate_params_t *params, int *deflate, char *error, size_t size)
{
    ssize_t          rc;
    wsc_str_t        value;
    const wb_opt_t  *opt;

    opt = proc->opt;

    rc = wb_http_header(c, "Sec-WebSocket-Accept", len, &value);

    if (rc != WSC_OK || value.len != WSC_ACCEPT_LEN
        || memcmp(value.data, c->accept, WSC_ACCEPT_LEN) != 0)
    {
        snprintf(error, size, "wrong Sec-WebSocket-Accept");
        return WSC_ERROR;
    }

    if (opt->subprotocol) {
        rc = wb_http_header(c, "Sec-WebSocket-Protocol", len, &value);

        if (rc != WSC_OK || value.len != strlen(opt->subprotocol)
            || memcmp(value.data, opt->subprotocol, value.len) != 0)
        {
            snprintf(error, size, "subprotocol \"%s\" was not agreed on",
                     opt->subprotocol);
            return WSC_ERROR;
        }
    }

    rc = wb_http_header(c, "Sec-WebSocket-Extensions", len, &value);
    *deflate = (rc == WSC_OK);

    if (*deflate != opt->deflate) {
        snprintf(error, size, "permessage-deflate was %s",
                 opt->deflate ? "not agreed on" : "not offered");
        return WSC_ERROR;
    }

    if (*deflate && wsc_handshake_answer(&value, params) != WSC_OK) {
        snprintf(error, size, "bad answer to permessage-deflate: %.*s",
                 (int) value.len, (char *) value.data);
        return WSC_ERROR;
    }

    return WSC_OK;
}


ssize_t
wb_http_header(const wb_conn_t *c, const char *name, size_t len,
    wsc_str_t *value)
{
    size_t   n;
    u_char  *p, *eol, *last;

    n = strlen(name);
    last = c->in.data + len - 2;

    for (p = c->in.data; p < last; p = eol + 2) {
        eol = memmem(p, last + 2 - p, "\r\n", 2);

        if ((size_t) (eol - p) > n && p[n] == ':'
            && strncasecmp((char *) p, name, n) == 0)
        {
            for (p += n + 1; p < eol && *p == ' '; p++) { /* void */ }

            value->data = p;
            value->len = eol - p;

            return WSC_OK;
        }
    }

    return WSC_DECLINED;
}

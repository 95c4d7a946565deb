
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The receiving half of a WebSocket: what it owns, and how it ends.
 */


#include <string.h>

#include "wsc_conn_int.h"


void
wsc_conn_init(wsc_conn_t *c, const wsc_conn_conf_t *conf,
    const wsc_deflate_params_t *ext)
{
    memset(c, 0, sizeof(wsc_conn_t));

    c->conf = conf;

    if (ext == NULL) {
        return;
    }

    c->deflate = 1;

    if (conf->client) {
        c->no_takeover = ext->server_no_takeover;
        c->window = ext->server_window;
        return;
    }

    c->no_takeover = ext->client_no_takeover;
    c->window = ext->client_window;
}


int
wsc_conn_incomplete(const wsc_conn_t *c)
{
    return !c->closed && c->partial && !c->partial->spent;
}


size_t
wsc_conn_memory(const wsc_conn_t *c)
{
    size_t  size;

    size = 0;

    if (c->partial) {
        size += sizeof(wsc_partial_t) + c->partial->buf.size;
    }

    if (c->inflate) {
        size += wsc_inflate_memory(c->inflate);
    }

    return size;
}


void
wsc_conn_free(wsc_conn_t *c)
{
    wsc_partial_free(c);

    wsc_inflate_destroy(c->inflate);
    c->inflate = NULL;
}


ssize_t
wsc_conn_event(wsc_conn_t *c, wsc_event_e type, u_char opcode, u_char *data,
    size_t len, wsc_conn_event_t *ev)
{
    if (c->partial && c->partial->opcode == 0) {
        c->partial->spent = 1;
    }

    ev->type = type;
    ev->opcode = opcode;
    ev->code = 0;
    ev->data.len = len;
    ev->data.data = data ? data : (u_char *) "";
    ev->reason = NULL;

    return WSC_OK;
}


ssize_t
wsc_conn_fail(wsc_conn_t *c, unsigned code, const char *reason,
    wsc_conn_event_t *ev)
{
    wsc_conn_free(c);
    c->closed = 1;

    ev->type = WSC_EV_CLOSE;
    ev->opcode = WSC_OP_CLOSE;
    ev->code = (uint16_t) code;
    ev->data.len = 0;
    ev->data.data = (u_char *) "";
    ev->reason = reason;

    return WSC_ERROR;
}


wsc_partial_t *
wsc_partial_get(wsc_conn_t *c)
{
    wsc_partial_t  *p;

    if (c->partial) {
        return c->partial;
    }

    p = wsc_alloc(c->conf->alloc, sizeof(wsc_partial_t));
    if (p == NULL) {
        return NULL;
    }

    memset(p, 0, offsetof(wsc_partial_t, header));
    wsc_buf_init(&p->buf, c->conf->alloc);
    c->partial = p;

    return p;
}


void
wsc_partial_free(wsc_conn_t *c)
{
    if (c->partial == NULL) {
        return;
    }

    wsc_buf_free(&c->partial->buf);
    wsc_free(c->conf->alloc, c->partial);
    c->partial = NULL;
}

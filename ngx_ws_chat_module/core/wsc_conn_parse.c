
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Frame headers and control frames; what data frames become is in
 * wsc_message.c.
 */


#include <string.h>

#include "wsc_mask.h"
#include "wsc_message.h"
#include "wsc_utf8.h"


static ssize_t wsc_conn_header(wsc_conn_t *c, wsc_frame_t *f, u_char **pos,
    u_char *last, wsc_conn_event_t *ev);
static ssize_t wsc_conn_keep_header(wsc_conn_t *c, u_char **pos, u_char *last,
    wsc_conn_event_t *ev);
static ssize_t wsc_conn_check(wsc_conn_t *c, const wsc_frame_t *f,
    wsc_conn_event_t *ev);
static ssize_t wsc_conn_check_control(wsc_conn_t *c, const wsc_frame_t *f,
    wsc_conn_event_t *ev);
static ssize_t wsc_conn_control(wsc_conn_t *c, const wsc_frame_t *f,
    u_char **pos, u_char *last, wsc_conn_event_t *ev);
static ssize_t wsc_conn_control_event(wsc_conn_t *c, u_char opcode,
    u_char *data, size_t len, wsc_conn_event_t *ev);
static ssize_t wsc_conn_close_event(wsc_conn_t *c, wsc_conn_event_t *ev);


ssize_t
wsc_conn_parse(wsc_conn_t *c, u_char **pos, u_char *last,
    wsc_conn_event_t *ev)
{
    ssize_t      rc;
    wsc_frame_t  f;

    if (c->closed) {
        wsc_conn_free(c);
        *pos = last;
        return WSC_AGAIN;
    }

    if (c->partial && c->partial->spent) {
        wsc_partial_free(c);
    }

    do {
        rc = wsc_conn_header(c, &f, pos, last, ev);
        if (rc != WSC_OK) {
            return rc;
        }

        if (f.opcode & WSC_FRAME_CONTROL) {
            rc = wsc_conn_control(c, &f, pos, last, ev);

        } else {
            rc = wsc_message_frame(c, &f, pos, last, ev);
        }

    } while (rc == WSC_DONE);

    return rc;
}


/* Finds the frame to go on with: the one under way or the next. */

static ssize_t
wsc_conn_header(wsc_conn_t *c, wsc_frame_t *f, u_char **pos, u_char *last,
    wsc_conn_event_t *ev)
{
    size_t          n, old;
    u_char         *start;
    ssize_t         rc;
    const char     *reason;
    wsc_partial_t  *p;

    p = c->partial;

    if (p && p->in_frame) {
        *f = p->frame;
        return WSC_OK;
    }

    start = *pos;
    n = last - *pos;
    old = p ? p->nheader : 0;

    if (old) {
        n = (n < sizeof(p->header) - old) ? n : sizeof(p->header) - old;
        memcpy(p->header + old, *pos, n);
        start = p->header;
        n += old;
    }

    rc = wsc_frame_parse(f, start, n, &reason);

    if (rc == WSC_AGAIN) {
        return wsc_conn_keep_header(c, pos, last, ev);
    }

    if (rc == WSC_ERROR) {
        return wsc_conn_fail(c, WSC_CLOSE_PROTOCOL, reason, ev);
    }

    *pos += f->size - old;

    if (old) {
        p->nheader = 0;
    }

    return wsc_conn_check(c, f, ev);
}


/* All the input is the beginning of a header. */

static ssize_t
wsc_conn_keep_header(wsc_conn_t *c, u_char **pos, u_char *last,
    wsc_conn_event_t *ev)
{
    size_t          n;
    wsc_partial_t  *p;

    n = last - *pos;

    if (n == 0) {
        return WSC_AGAIN;
    }

    p = wsc_partial_get(c);
    if (p == NULL) {
        return wsc_conn_fail(c, WSC_CLOSE_INTERNAL, "no memory", ev);
    }

    memcpy(p->header + p->nheader, *pos, n);
    p->nheader += (u_char) n;
    *pos = last;

    return WSC_AGAIN;
}


static ssize_t
wsc_conn_check(wsc_conn_t *c, const wsc_frame_t *f, wsc_conn_event_t *ev)
{
    if (f->masked == c->conf->client) {
        return wsc_conn_fail(c, WSC_CLOSE_PROTOCOL,
                                f->masked ? "masked frame from a server"
                                          : "unmasked frame from a client",
                                ev);
    }

    if (f->opcode & WSC_FRAME_CONTROL) {
        return wsc_conn_check_control(c, f, ev);
    }

    return wsc_message_check(c, f, ev);
}


static ssize_t
wsc_conn_check_control(wsc_conn_t *c, const wsc_frame_t *f,
    wsc_conn_event_t *ev)
{
    const char  *reason;

    if (f->opcode > WSC_OP_PONG) {
        reason = "unknown opcode";

    } else if (f->flags & WSC_FRAME_RSV) {
        reason = "reserved bit in a control frame";

    } else if (!(f->flags & WSC_FRAME_FIN)) {
        reason = "fragmented control frame";

    } else if (f->len > WSC_MAX_CONTROL) {
        reason = "control frame is too long";

    } else if (f->opcode == WSC_OP_CLOSE && f->len == 1) {
        reason = "close frame of one octet";

    } else {
        return WSC_OK;
    }

    return wsc_conn_fail(c, WSC_CLOSE_PROTOCOL, reason, ev);
}


static ssize_t
wsc_conn_control(wsc_conn_t *c, const wsc_frame_t *f, u_char **pos,
    u_char *last, wsc_conn_event_t *ev)
{
    size_t          len, n;
    u_char         *data;
    wsc_partial_t  *p;

    p = c->partial;
    len = (size_t) f->len;
    n = last - *pos;

    if (n >= len && !(p && p->in_frame)) {
        data = *pos;
        *pos += len;

    } else {
        p = wsc_partial_get(c);
        if (p == NULL) {
            return wsc_conn_fail(c, WSC_CLOSE_INTERNAL, "no memory", ev);
        }

        if (!p->in_frame) {
            p->frame = *f;
            p->in_frame = 1;
            p->taken = 0;
        }

        n = (n < len - p->taken) ? n : len - p->taken;
        memcpy(p->control + p->taken, *pos, n);
        p->taken += n;
        *pos += n;

        if (p->taken < len) {
            return WSC_AGAIN;
        }

        p->in_frame = 0;
        data = p->control;
    }

    if (f->masked) {
        wsc_mask(data, len, f->key, 0);
    }

    return wsc_conn_control_event(c, f->opcode, data, len, ev);
}


static ssize_t
wsc_conn_control_event(wsc_conn_t *c, u_char opcode, u_char *data, size_t len,
    wsc_conn_event_t *ev)
{
    switch (opcode) {

    case WSC_OP_PING:
        return wsc_conn_event(c, WSC_EV_PING, opcode, data, len, ev);

    case WSC_OP_PONG:
        return wsc_conn_event(c, WSC_EV_PONG, opcode, data, len, ev);
    }

    wsc_conn_event(c, WSC_EV_CLOSE, opcode, data, len, ev);

    return wsc_conn_close_event(c, ev);
}


/* Takes the payload in ev->data apart (section 5.5.1). */

static ssize_t
wsc_conn_close_event(wsc_conn_t *c, wsc_conn_event_t *ev)
{
    c->closed = 1;

    if (ev->data.len == 0) {
        ev->code = WSC_CLOSE_NO_STATUS;
        return WSC_OK;
    }

    ev->code = (uint16_t) (ev->data.data[0] << 8 | ev->data.data[1]);
    ev->data.data += 2;
    ev->data.len -= 2;

    if (!wsc_frame_close_code(ev->code)) {
        return wsc_conn_fail(c, WSC_CLOSE_PROTOCOL, "invalid close code",
                                ev);
    }

    if (!wsc_utf8_valid(ev->data.data, ev->data.len)) {
        return wsc_conn_fail(c, WSC_CLOSE_BAD_DATA,
                                "close reason is not UTF-8", ev);
    }

    return WSC_OK;
}

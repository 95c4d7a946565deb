
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Data frames to messages.
 */


#include <string.h>

#include "wsc_mask.h"
#include "wsc_message.h"
#include "wsc_utf8.h"


static size_t wsc_message_limit(const wsc_conn_t *c, int compressed);
static ssize_t wsc_message_whole(wsc_conn_t *c, const wsc_frame_t *f,
    u_char **pos, wsc_conn_event_t *ev);
static wsc_partial_t *wsc_message_begin(wsc_conn_t *c, const wsc_frame_t *f);
static ssize_t wsc_message_add(wsc_conn_t *c, const u_char *data, size_t len,
    int final, wsc_conn_event_t *ev);
static ssize_t wsc_message_inflate(wsc_conn_t *c, const u_char *data,
    size_t len, int final, wsc_buf_t *out, uint32_t *utf8,
    wsc_conn_event_t *ev);
static ssize_t wsc_message_text(wsc_conn_t *c, uint32_t *utf8,
    const u_char *data, size_t len, wsc_conn_event_t *ev);
static ssize_t wsc_message_done(wsc_conn_t *c, u_char opcode, uint32_t utf8,
    u_char *data, size_t len, wsc_conn_event_t *ev);


ssize_t
wsc_message_frame(wsc_conn_t *c, const wsc_frame_t *f, u_char **pos,
    u_char *last, wsc_conn_event_t *ev)
{
    int             final;
    size_t          n;
    u_char          opcode, *data;
    ssize_t         rc;
    wsc_partial_t  *p;

    p = c->partial;
    n = last - *pos;

    if (!(p && p->in_frame)) {
        if ((f->flags & WSC_FRAME_FIN) && f->opcode != WSC_OP_CONT
            && n >= f->len)
        {
            return wsc_message_whole(c, f, pos, ev);
        }

        p = wsc_message_begin(c, f);
        if (p == NULL) {
            return wsc_conn_fail(c, WSC_CLOSE_INTERNAL, "no memory", ev);
        }
    }

    n = (n < f->len - p->taken) ? n : (size_t) f->len - p->taken;
    data = *pos;
    *pos += n;

    if (f->masked) {
        wsc_mask(data, n, f->key, p->taken);
    }

    p->taken += n;
    p->in_frame = (p->taken < f->len);
    final = !p->in_frame && (f->flags & WSC_FRAME_FIN);

    rc = wsc_message_add(c, data, n, final, ev);
    if (rc != WSC_OK) {
        return rc;
    }

    if (!final) {
        return p->in_frame ? WSC_AGAIN : WSC_DONE;
    }

    opcode = p->opcode;
    p->opcode = 0;

    return wsc_message_done(c, opcode, p->utf8, p->buf.data, p->buf.len, ev);
}


ssize_t
wsc_message_check(wsc_conn_t *c, const wsc_frame_t *f, wsc_conn_event_t *ev)
{
    int             rsv1;
    size_t          limit, wire;
    const char     *reason;
    wsc_partial_t  *p;

    p = (c->partial && c->partial->opcode) ? c->partial : NULL;
    rsv1 = (f->flags & WSC_FRAME_RSV1) != 0;

    if (f->opcode > WSC_OP_BINARY) {
        reason = "unknown opcode";

    } else if ((f->flags & WSC_FRAME_RSV & ~WSC_FRAME_RSV1)
               || (rsv1 && (!c->deflate || f->opcode == WSC_OP_CONT)))
    {
        reason = "reserved bit in a data frame";

    } else if (f->opcode == WSC_OP_CONT && p == NULL) {
        reason = "continuation of nothing";

    } else if (f->opcode != WSC_OP_CONT && p) {
        reason = "new message inside a fragmented one";

    } else {
        reason = NULL;
    }

    if (reason) {
        return wsc_conn_fail(c, WSC_CLOSE_PROTOCOL, reason, ev);
    }

    if (p && p->fragments >= c->conf->max_fragments) {
        return wsc_conn_fail(c, WSC_CLOSE_POLICY, "too many fragments", ev);
    }

    limit = wsc_message_limit(c, p ? p->compressed : rsv1);
    wire = p ? p->wire : 0;

    if (f->len > limit - wire) {
        return wsc_conn_fail(c, WSC_CLOSE_TOO_BIG, "message is too big",
                                ev);
    }

    return WSC_OK;
}


/*
 * The payload octets a message may have in all.  Fixed Huffman codes may make
 * compressed data an eighth longer, and there is a little overhead.
 */

static size_t
wsc_message_limit(const wsc_conn_t *c, int compressed)
{
    size_t  max;

    max = c->conf->max_message;

    return compressed ? max + max / 8 + 64 : max;
}


/* A message of one frame, all in the input: nothing is kept of it. */

static ssize_t
wsc_message_whole(wsc_conn_t *c, const wsc_frame_t *f, u_char **pos,
    wsc_conn_event_t *ev)
{
    size_t      len;
    u_char     *data;
    ssize_t     rc;
    uint32_t    state, *utf8;
    wsc_buf_t  *out;

    state = WSC_UTF8_ACCEPT;
    utf8 = (f->opcode == WSC_OP_TEXT) ? &state : NULL;

    len = (size_t) f->len;
    data = *pos;
    *pos += len;

    if (f->masked) {
        wsc_mask(data, len, f->key, 0);
    }

    if (f->flags & WSC_FRAME_RSV1) {
        out = c->conf->scratch;
        wsc_buf_reset(out, out->size);

        rc = wsc_message_inflate(c, data, len, 1, out, utf8, ev);
        data = out->data;
        len = out->len;

    } else {
        rc = wsc_message_text(c, utf8, data, len, ev);
    }

    if (rc != WSC_OK) {
        return rc;
    }

    return wsc_message_done(c, f->opcode, state, data, len, ev);
}


/* Puts a frame into the partial state, as the first or next of a message. */

static wsc_partial_t *
wsc_message_begin(wsc_conn_t *c, const wsc_frame_t *f)
{
    wsc_partial_t  *p;

    p = wsc_partial_get(c);
    if (p == NULL) {
        return NULL;
    }

    if (f->opcode != WSC_OP_CONT) {
        p->opcode = f->opcode;
        p->compressed = (f->flags & WSC_FRAME_RSV1) != 0;
    }

    p->frame = *f;
    p->taken = 0;
    p->wire += (size_t) f->len;
    p->fragments++;

    return p;
}


/* Adds a piece of payload; final: the message ends with it. */

static ssize_t
wsc_message_add(wsc_conn_t *c, const u_char *data, size_t len, int final,
    wsc_conn_event_t *ev)
{
    size_t          max;
    u_char         *to;
    uint32_t       *utf8;
    wsc_partial_t  *p;

    p = c->partial;
    utf8 = (p->opcode == WSC_OP_TEXT) ? &p->utf8 : NULL;

    if (p->compressed) {
        return wsc_message_inflate(c, data, len, final, &p->buf, utf8, ev);
    }

    if (len == 0) {
        return WSC_OK;
    }

    if (wsc_message_text(c, utf8, data, len, ev) == WSC_ERROR) {
        return WSC_ERROR;
    }

    /* grows with what arrives, up to what is known to come */
    max = (p->frame.flags & WSC_FRAME_FIN) ? p->wire : c->conf->max_message;

    to = wsc_buf_reserve_max(&p->buf, len, max);
    if (to == NULL) {
        return wsc_conn_fail(c, WSC_CLOSE_INTERNAL, "no memory", ev);
    }

    memcpy(to, data, len);
    p->buf.len += len;

    return WSC_OK;
}


/* What was inflated before an error is looked at first: so it is in pieces. */

static ssize_t
wsc_message_inflate(wsc_conn_t *c, const u_char *data, size_t len, int final,
    wsc_buf_t *out, uint32_t *utf8, wsc_conn_event_t *ev)
{
    size_t   old;
    ssize_t  rc;

    if (c->inflate == NULL) {
        c->inflate = wsc_inflate_create(c->conf->alloc, c->window);
        if (c->inflate == NULL) {
            return wsc_conn_fail(c, WSC_CLOSE_INTERNAL, "no memory", ev);
        }
    }

    old = out->len;
    rc = wsc_inflate_piece(c->inflate, data, len, final, c->conf->max_message,
                           out);

    if (out->len > old
        && wsc_message_text(c, utf8, out->data + old, out->len - old, ev)
           == WSC_ERROR)
    {
        return WSC_ERROR;
    }

    if (rc == WSC_DECLINED) {
        return wsc_conn_fail(c, WSC_CLOSE_TOO_BIG, "message is too big",
                                ev);
    }

    if (rc == WSC_ERROR && out->failed) {
        return wsc_conn_fail(c, WSC_CLOSE_INTERNAL, "no memory", ev);
    }

    if (rc == WSC_ERROR) {
        return wsc_conn_fail(c, WSC_CLOSE_BAD_DATA, "bad compressed data",
                                ev);
    }

    if (final && c->no_takeover) {
        wsc_inflate_destroy(c->inflate);
        c->inflate = NULL;
    }

    return WSC_OK;
}


/* Checks more of a text; utf8: the state, or NULL if it need not be text. */

static ssize_t
wsc_message_text(wsc_conn_t *c, uint32_t *utf8, const u_char *data, size_t len,
    wsc_conn_event_t *ev)
{
    if (utf8 && wsc_utf8_check(utf8, data, len) == WSC_ERROR) {
        return wsc_conn_fail(c, WSC_CLOSE_BAD_DATA, "text is not UTF-8",
                                ev);
    }

    return WSC_OK;
}


static ssize_t
wsc_message_done(wsc_conn_t *c, u_char opcode, uint32_t utf8, u_char *data,
    size_t len, wsc_conn_event_t *ev)
{
    if (utf8 != WSC_UTF8_ACCEPT) {
        return wsc_conn_fail(c, WSC_CLOSE_BAD_DATA,
                                "text ends inside a character", ev);
    }

    return wsc_conn_event(c, WSC_EV_MESSAGE, opcode, data, len, ev);
}

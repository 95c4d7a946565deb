
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_reply.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_pack.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_REPLY_HEAD      1024     /* all but its messages */

#define NGX_WS_CHAT_MISTAKES        20       /* in this time close with 1008 */
#define NGX_WS_CHAT_MISTAKES_TIME   60000

#define NGX_WS_CHAT_LIMITED_TIME    10000    /* over the rate: 4129 */
#define NGX_WS_CHAT_LIMITED_PAUSE   2000     /* quiet for so long: forgiven */


static void ngx_ws_chat_reply_mistake(ngx_ws_chat_client_t *cl);
static void ngx_ws_chat_reply_limited(ngx_ws_chat_client_t *cl, uint32_t now);
static ngx_ws_chat_faults_t *ngx_ws_chat_reply_faults(
    ngx_ws_chat_client_t *cl);


wsc_buf_t *
ngx_ws_chat_reply_buf(void)
{
    wsc_buf_reset(&ngx_ws_chat_scratch.event, NGX_WS_CHAT_SCRATCH_KEEP);

    return &ngx_ws_chat_scratch.event;
}


void
ngx_ws_chat_reply(ngx_ws_chat_client_t *cl)
{
    u_char      flags, opcode;
    wsc_buf_t  *b;
    wsc_str_t   data;

    b = &ngx_ws_chat_scratch.event;

    if (b->failed) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_INTERNAL, "out of memory");
        return;
    }

    if (ngx_ws_chat_client_ops(cl)->event) {
        ngx_ws_chat_client_ops(cl)->event(cl, b, NULL);
        return;
    }

    opcode = (cl->enc == WSC_ENC_JSON) ? WSC_OP_TEXT : WSC_OP_BINARY;
    flags = WSC_FRAME_FIN;
    data.data = b->data;
    data.len = b->len;

    if (cl->deflate
        && ngx_ws_chat_pack(cl->conf, cl->window, b->data, b->len, &data)
           == NGX_OK)
    {
        if (ngx_ws_chat_stream_interrupt(&cl->peer)) {
            flags |= WSC_FRAME_RSV1;

        } else {
            data.data = b->data;
            data.len = b->len;
        }
    }

    (void) ngx_ws_chat_peer_send(&cl->peer, flags, opcode, data.data,
                                 data.len);
}


void
ngx_ws_chat_reply_error(ngx_ws_chat_client_t *cl, const wsc_id_t *id,
    const wsc_error_t *e)
{
    cl->conf->zone->stat->counters.errors++;
    cl->err = e->code;

    wsc_event_error(ngx_ws_chat_reply_buf(), cl->enc, id, e);
    ngx_ws_chat_reply(cl);

    if (!wsc_err_temporary(e->code) && e->code != WSC_ERR_INTERNAL) {
        ngx_ws_chat_reply_mistake(cl);
    }
}


static void
ngx_ws_chat_reply_mistake(ngx_ws_chat_client_t *cl)
{
    uint32_t               now;
    ngx_ws_chat_faults_t  *f;

    now = (uint32_t) ngx_current_msec;
    f = ngx_ws_chat_reply_faults(cl);

    if (f == NULL) {
        return;
    }

    if (f->mistakes == 0 || now - f->mistakes_at > NGX_WS_CHAT_MISTAKES_TIME) {
        f->mistakes = 0;
        f->mistakes_at = now;
    }

    if (++f->mistakes == NGX_WS_CHAT_MISTAKES) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_POLICY, "too many errors");
    }
}


ngx_int_t
ngx_ws_chat_reply_rate(ngx_ws_chat_client_t *cl, uint32_t *retry_ms)
{
    uint32_t  now;

    if (cl->conf->rate == 0) {
        return NGX_OK;
    }

    now = (uint32_t) ngx_current_msec;

    if (wsc_bucket_take(&cl->bucket, cl->conf->rate, cl->conf->burst, now,
                        retry_ms)
        == WSC_OK)
    {
        return NGX_OK;
    }

    ngx_ws_chat_reply_limited(cl, now);

    return NGX_DECLINED;
}


static void
ngx_ws_chat_reply_limited(ngx_ws_chat_client_t *cl, uint32_t now)
{
    ngx_ws_chat_faults_t  *f;

    f = ngx_ws_chat_reply_faults(cl);

    if (f == NULL) {
        return;
    }

    if (f->limited == 0 || now - f->limited_last > NGX_WS_CHAT_LIMITED_PAUSE) {
        f->limited = now | 1;
    }

    f->limited_last = now;

    if ((int32_t) (now - f->limited) >= NGX_WS_CHAT_LIMITED_TIME) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_RATE,
                                 "over the rate for too long");
    }
}


/* NULL: it is gone; or no memory, and this once it is let off. */

static ngx_ws_chat_faults_t *
ngx_ws_chat_reply_faults(ngx_ws_chat_client_t *cl)
{
    if (cl->faults == NULL && !cl->gone) {
        cl->faults = wsc_alloc(&ngx_ws_chat_alloc,
                               sizeof(ngx_ws_chat_faults_t));

        if (cl->faults) {
            ngx_memzero(cl->faults, sizeof(ngx_ws_chat_faults_t));
        }
    }

    return cl->faults;
}


void
ngx_ws_chat_reply_fit(ngx_ws_chat_read_t *r)
{
    size_t      size;
    ngx_uint_t  n;

    size = NGX_WS_CHAT_REPLY_HEAD;

    for (n = 0; n < r->nchanged; n++) {
        size += wsc_entry_size(&r->changed[n]);
    }

    for (n = 0; n < r->n; n++) {
        size += wsc_entry_size(&r->entries[r->has_after ? n : r->n - 1 - n]);

        if (n && size > NGX_WS_CHAT_REPLY_BYTES) {
            break;
        }
    }

    if (n == r->n) {
        return;
    }

    if (!r->has_after) {
        r->entries += r->n - n;
    }

    r->n = n;
    r->more = 1;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Compression of outgoing messages.
 */


#include "ngx_ws_chat_pack.h"


#define NGX_WS_CHAT_WINDOW_MIN  9
#define NGX_WS_CHAT_WINDOW_MAX  15
#define NGX_WS_CHAT_WINDOWS                                                   \
    (NGX_WS_CHAT_WINDOW_MAX - NGX_WS_CHAT_WINDOW_MIN + 1)
#define NGX_WS_CHAT_LEVELS      9

/* of a context, which many read: it takes 64 KB, 256 would gain little */
#define NGX_WS_CHAT_CONTEXT_WINDOW  13
#define NGX_WS_CHAT_CONTEXT_LEVEL   6
#define NGX_WS_CHAT_CONTEXT_MIN     64


static ngx_uint_t ngx_ws_chat_pack_context(const ngx_ws_chat_loc_conf_t *conf,
    int window, ngx_ws_chat_stream_t *st);


static wsc_deflate_t  *ngx_ws_chat_packers[NGX_WS_CHAT_WINDOWS]
                                          [NGX_WS_CHAT_LEVELS];


ngx_int_t
ngx_ws_chat_pack(const ngx_ws_chat_loc_conf_t *conf, int window,
    const u_char *p, size_t len, wsc_str_t *out)
{
    wsc_buf_t       *b;
    wsc_deflate_t  **d;

    if (len < conf->deflate_min_size
        || window < NGX_WS_CHAT_WINDOW_MIN || window > NGX_WS_CHAT_WINDOW_MAX)
    {
        return NGX_DECLINED;
    }

    d = &ngx_ws_chat_packers[window - NGX_WS_CHAT_WINDOW_MIN]
                            [conf->deflate_level - 1];

    if (*d == NULL) {
        *d = wsc_deflate_create(&ngx_ws_chat_alloc, window,
                                (int) conf->deflate_level);
        if (*d == NULL) {
            return NGX_DECLINED;
        }
    }

    b = &ngx_ws_chat_scratch.packed;

    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

    if (wsc_deflate_message(*d, p, len, b) != WSC_OK) {
        return NGX_DECLINED;
    }

    out->data = b->data;
    out->len = b->len;

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_pack_next(const ngx_ws_chat_loc_conf_t *conf, int window,
    ngx_ws_chat_stream_t *st, const u_char *p, size_t len, wsc_str_t *out)
{
    wsc_buf_t  *b;

    if (!ngx_ws_chat_pack_context(conf, window, st)) {
        return ngx_ws_chat_pack(conf, window, p, len, out);
    }

    if (len < ngx_min(conf->deflate_min_size, NGX_WS_CHAT_CONTEXT_MIN)) {
        return NGX_DECLINED;
    }

    b = &ngx_ws_chat_scratch.packed;

    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

    if (wsc_deflate_next(st->context, st->fresh, p, len, b) != WSC_OK) {
        st->fresh = 1;
        return NGX_DECLINED;
    }

    st->fresh = 0;

    out->data = b->data;
    out->len = b->len;

    return NGX_OK;
}


/* 1: there is a context; half as many as it takes to make it keep it. */

static ngx_uint_t
ngx_ws_chat_pack_context(const ngx_ws_chat_loc_conf_t *conf, int window,
    ngx_ws_chat_stream_t *st)
{
    ngx_uint_t  need;

    need = conf->deflate_context;

    if (st->context && st->n < need / 2) {
        wsc_deflate_destroy(st->context);
        st->context = NULL;
    }

    if (st->context || need == 0 || st->n < need) {
        return (st->context != NULL);
    }

    st->context = wsc_deflate_create(&ngx_ws_chat_alloc,
                                     ngx_min(window,
                                             NGX_WS_CHAT_CONTEXT_WINDOW),
                                     ngx_max((int) conf->deflate_level,
                                             NGX_WS_CHAT_CONTEXT_LEVEL));
    st->fresh = 1;

    return (st->context != NULL);
}


void
ngx_ws_chat_pack_done(void)
{
    ngx_uint_t  i, j;

    for (i = 0; i < NGX_WS_CHAT_WINDOWS; i++) {
        for (j = 0; j < NGX_WS_CHAT_LEVELS; j++) {
            wsc_deflate_destroy(ngx_ws_chat_packers[i][j]);
            ngx_ws_chat_packers[i][j] = NULL;
        }
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The receiving half of a WebSocket.  The first octets of the input are the
 * configuration, the next the pattern it is cut by, the rest arrives:
 *
 *   0     role, permessage-deflate, context takeover, window
 *   1     max_message (small ones are the interesting ones)
 *   2     max_fragments
 *   3     seed of the cuts; 0: octet by octet
 *
 * However it is cut, the events are those of the whole.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_conn.h"
#include "wsc_frame.h"
#include "wsc_utf8.h"


#define FUZZ_CONFIG  4


typedef struct {
    uint64_t   hash;
    size_t     events;
} fuzz_result_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *fuzz_alloc(void *ctx, size_t size);
static void fuzz_free(void *ctx, void *p);
static void fuzz_run(const uint8_t *data, size_t size, int cut,
    fuzz_result_t *r);
static void fuzz_feed(wsc_conn_t *c, const uint8_t *p, size_t len,
    fuzz_result_t *r);
static void fuzz_event(const wsc_conn_t *c, ssize_t rc,
    const wsc_conn_event_t *ev, fuzz_result_t *r);
static void fuzz_hash(fuzz_result_t *r, const void *p, size_t len);


static size_t             fuzz_owned;

static const wsc_alloc_t  fuzz_allocator = { fuzz_alloc, fuzz_free, NULL };


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_result_t  whole, cut;

    if (size < FUZZ_CONFIG) {
        return 0;
    }

    fuzz_run(data, size, 0, &whole);
    fuzz_run(data, size, 1, &cut);

    /*
     * Only data behind a small window may be refused in pieces and taken
     * whole: see wsc_inflate_create().
     */

    if (!(data[0] & 8)
        && (whole.hash != cut.hash || whole.events != cut.events))
    {
        abort();
    }

    return 0;
}


static void
fuzz_run(const uint8_t *data, size_t size, int cut, fuzz_result_t *r)
{
    size_t                n, len;
    uint32_t              seed;
    wsc_buf_t             scratch;
    wsc_conn_t            c;
    wsc_conn_conf_t       conf;
    wsc_deflate_params_t  ext;

    memset(r, 0, sizeof(fuzz_result_t));
    memset(&conf, 0, sizeof(wsc_conn_conf_t));
    memset(&ext, 0, sizeof(wsc_deflate_params_t));

    wsc_buf_init(&scratch, &fuzz_allocator);

    conf.alloc = &fuzz_allocator;
    conf.scratch = &scratch;
    conf.max_message = 1 + (size_t) data[1] * data[1];
    conf.max_fragments = 1 + data[2];
    conf.client = data[0] & 1;

    ext.server_no_takeover = ext.client_no_takeover = !(data[0] & 4);
    ext.server_window = ext.client_window = (data[0] & 8) ? 9 : 15;

    wsc_conn_init(&c, &conf, (data[0] & 2) ? &ext : NULL);

    seed = data[3];
    data += FUZZ_CONFIG;
    size -= FUZZ_CONFIG;

    for (n = 0; n < size; n += len) {
        seed = seed ? seed * 1664525 + 1013904223 : 0;
        len = cut ? (seed ? seed >> 27 : 1) : size;
        len = (len < size - n) ? len : size - n;

        fuzz_feed(&c, data + n, len, r);
    }

    wsc_conn_free(&c);
    wsc_buf_free(&scratch);

    if (fuzz_owned) {
        abort();
    }
}


static void
fuzz_feed(wsc_conn_t *c, const uint8_t *p, size_t len, fuzz_result_t *r)
{
    u_char            *copy, *pos;
    ssize_t            rc;
    wsc_conn_event_t   ev;

    copy = malloc(len ? len : 1);
    memcpy(copy, p, len);
    pos = copy;

    for ( ;; ) {
        rc = wsc_conn_parse(c, &pos, copy + len, &ev);

        if (rc == WSC_AGAIN) {
            break;
        }

        fuzz_event(c, rc, &ev, r);
    }

    if (pos != copy + len) {
        abort();
    }

    /* the message, the partial state, zlib with its window */
    if (wsc_conn_memory(c) > c->conf->max_message + 64 * 1024) {
        abort();
    }

    free(copy);
}


static void
fuzz_event(const wsc_conn_t *c, ssize_t rc, const wsc_conn_event_t *ev,
    fuzz_result_t *r)
{
    r->events++;
    fuzz_hash(r, &rc, sizeof(rc));
    fuzz_hash(r, &ev->code, sizeof(ev->code));

    if (rc == WSC_ERROR) {
        fuzz_hash(r, ev->reason, strlen(ev->reason));
        return;
    }

    if (rc != WSC_OK
        || ev->data.len > ((ev->type == WSC_EV_MESSAGE)
                           ? c->conf->max_message : WSC_MAX_CONTROL))
    {
        abort();
    }

    if ((ev->type == WSC_EV_CLOSE
         || (ev->type == WSC_EV_MESSAGE && ev->opcode == WSC_OP_TEXT))
        && !wsc_utf8_valid(ev->data.data, ev->data.len))
    {
        abort();
    }

    fuzz_hash(r, &ev->type, sizeof(ev->type));
    fuzz_hash(r, &ev->opcode, sizeof(ev->opcode));
    fuzz_hash(r, &ev->data.len, sizeof(ev->data.len));
    fuzz_hash(r, ev->data.data, ev->data.len);
}


static void
fuzz_hash(fuzz_result_t *r, const void *p, size_t len)
{
    size_t         i;
    const u_char  *octets = p;

    for (i = 0; i < len; i++) {
        r->hash = (r->hash ^ octets[i]) * 1099511628211ULL;
    }
}


static void *
fuzz_alloc(void *ctx, size_t size)
{
    void  *p;

    p = malloc(size);
    fuzz_owned += (p != NULL);

    return p;
}


static void
fuzz_free(void *ctx, void *p)
{
    fuzz_owned -= (p != NULL);
    free(p);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * permessage-deflate.  The first octet of the input is the window and level,
 * the second the limit, the rest is taken as compressed data, which must give
 * the same whole and octet by octet, and as a message to compress, which must
 * come back.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_deflate.h"


#define FUZZ_CONFIG  2


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_inflate(const u_char *p, size_t len, size_t limit);
static ssize_t fuzz_pieces(wsc_inflate_t *i, const u_char *p, size_t len,
    size_t step, size_t limit, wsc_buf_t *out);
static void fuzz_round_trip(const u_char *p, size_t len, int window,
    int level);
static void fuzz_history(wsc_deflate_t *d, wsc_inflate_t *i, const u_char *p,
    size_t len);
static void *fuzz_alloc(void *ctx, size_t size);
static void fuzz_free(void *ctx, void *p);


static const wsc_alloc_t  fuzz_allocator = { fuzz_alloc, fuzz_free, NULL };


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < FUZZ_CONFIG) {
        return 0;
    }

    fuzz_inflate(data + FUZZ_CONFIG, size - FUZZ_CONFIG,
                 (size_t) data[1] * data[1]);

    fuzz_round_trip(data + FUZZ_CONFIG, size - FUZZ_CONFIG,
                    9 + (data[0] & 7) % 7, 1 + (data[0] >> 3) % 9);

    return 0;
}


static void
fuzz_inflate(const u_char *p, size_t len, size_t limit)
{
    int             n, round;
    ssize_t         rc[2];
    wsc_buf_t       out[2];
    wsc_inflate_t  *i[2];

    for (n = 0; n < 2; n++) {
        wsc_buf_init(&out[n], &fuzz_allocator);
        i[n] = wsc_inflate_create(&fuzz_allocator, 15);
        if (i[n] == NULL) {
            abort();
        }
    }

    /* the second message has the first one's context */

    for (round = 0; round < 2; round++) {

        for (n = 0; n < 2; n++) {
            wsc_buf_reset(&out[n], out[n].size);
            rc[n] = fuzz_pieces(i[n], p, len, n ? 1 : len, limit, &out[n]);

            if (out[n].failed || out[n].len > limit || out[n].size > limit) {
                abort();
            }
        }

        if (rc[0] != rc[1] || out[0].len != out[1].len
            || (out[0].len
                && memcmp(out[0].data, out[1].data, out[0].len) != 0))
        {
            abort();
        }

        if (rc[0] != WSC_OK) {
            break;
        }
    }

    for (n = 0; n < 2; n++) {
        wsc_inflate_destroy(i[n]);
        wsc_buf_free(&out[n]);
    }
}


static ssize_t
fuzz_pieces(wsc_inflate_t *i, const u_char *p, size_t len, size_t step,
    size_t limit, wsc_buf_t *out)
{
    size_t   n;
    ssize_t  rc;

    for ( ;; ) {
        n = (len < step) ? len : step;

        rc = wsc_inflate_piece(i, p, n, n == len, limit, out);
        if (rc != WSC_OK || n == len) {
            return rc;
        }

        p += n;
        len -= n;
    }
}


static void
fuzz_round_trip(const u_char *p, size_t len, int window, int level)
{
    size_t          n;
    ssize_t         rc;
    wsc_buf_t       in, out;
    wsc_deflate_t  *d;
    wsc_inflate_t  *i;

    wsc_buf_init(&in, &fuzz_allocator);
    wsc_buf_init(&out, &fuzz_allocator);

    d = wsc_deflate_create(&fuzz_allocator, window, level);
    i = wsc_inflate_create(&fuzz_allocator, window);

    if (d == NULL || i == NULL) {
        abort();
    }

    rc = wsc_deflate_message(d, p, len, &in);

    if (rc == WSC_OK) {
        if (in.len > (len ? len - 1 : 1)
            || fuzz_pieces(i, in.data, in.len, 1, len, &out) != WSC_OK
            || out.len != len || (len && memcmp(out.data, p, len) != 0))
        {
            abort();
        }

        /* no history: the same again is the same again */

        n = in.len;

        if (wsc_deflate_message(d, p, len, &in) != WSC_OK || in.len != 2 * n
            || memcmp(in.data, in.data + n, n) != 0)
        {
            abort();
        }

    } else if (rc != WSC_DECLINED || in.len) {
        abort();
    }

    fuzz_history(d, i, p, len);

    wsc_deflate_destroy(d);
    wsc_inflate_destroy(i);
    wsc_buf_free(&in);
    wsc_buf_free(&out);
}


/* With a history, which starts anew with each third message. */

static void
fuzz_history(wsc_deflate_t *d, wsc_inflate_t *i, const u_char *p, size_t len)
{
    int        n;
    wsc_buf_t  in, out;

    wsc_buf_init(&in, &fuzz_allocator);
    wsc_buf_init(&out, &fuzz_allocator);
    wsc_inflate_reset(i);

    for (n = 0; n < 5; n++) {
        wsc_buf_reset(&in, 0);
        wsc_buf_reset(&out, 0);

        if (wsc_deflate_next(d, n % 3 == 0, p, len, &in) != WSC_OK
            || in.len > len + len / 1000 + 64
            || fuzz_pieces(i, in.data, in.len, n + 1, len, &out) != WSC_OK
            || out.len != len || (len && memcmp(out.data, p, len) != 0))
        {
            abort();
        }
    }

    wsc_buf_free(&in);
    wsc_buf_free(&out);
}


static void *
fuzz_alloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
fuzz_free(void *ctx, void *p)
{
    free(p);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Both ways of a stream of events.  What a reader sends back: an id of one
 * chat, and a cursor of as many as the first octet says, which is the same
 * when it is written and read again.  What it is told: an event of any JSON,
 * of which a reader gets back each line.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_sse.h"
#include "wsc_value.h"


#define FUZZ_MAX    4096
#define FUZZ_HEAD   "{\"ev\":\"message\",\"message\":"

#define fuzz_require(condition)  if (!(condition)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void *fuzz_alloc(void *ctx, size_t size);
static void fuzz_free(void *ctx, void *p);
static void fuzz_pos(const wsc_str_t *text);
static void fuzz_cursor(const uint8_t *data, size_t size, size_t n);
static void fuzz_event(const uint8_t *data, size_t size, const wsc_pos_t *pos);
static void fuzz_read(const wsc_buf_t *b, const u_char *json, size_t len);


static const wsc_alloc_t  fuzz_allocator = { fuzz_alloc, fuzz_free, NULL };


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsc_pos_t  pos = { 1700000000000, 7 };
    wsc_str_t  text;

    if (size < 1 || size > FUZZ_MAX) {
        return 0;
    }

    text.data = (u_char *) data + 1;
    text.len = size - 1;

    fuzz_pos(&text);
    fuzz_cursor(data + 1, size - 1, 1 + data[0] % WSC_SSE_MAX_CHATS);
    fuzz_event(data + 1, size - 1, (data[0] & 1) ? &pos : NULL);

    return 0;
}


static void
fuzz_pos(const wsc_str_t *text)
{
    size_t      i;
    wsc_pos_t   pos;

    if (wsc_sse_pos_read(text, &pos) != WSC_OK) {
        return;
    }

    fuzz_require(pos.epoch < WSC_MAX_INTEGER);
    fuzz_require(pos.seq < WSC_MAX_INTEGER);

    for (i = 0; i < text->len; i++) {
        fuzz_require(text->data[i] == ':'
                     || (text->data[i] >= '0' && text->data[i] <= '9'));
    }
}


static void
fuzz_cursor(const uint8_t *data, size_t size, size_t n)
{
    size_t      i, len;
    u_char      hash[WSC_SSE_MAX_CURSOR], again[WSC_SSE_MAX_CURSOR];
    u_char      cursor[WSC_SSE_HASH + FUZZ_MAX];
    wsc_pos_t   pos[WSC_SSE_MAX_CHATS], back[WSC_SSE_MAX_CHATS];
    wsc_str_t   text, chats[WSC_SSE_MAX_CHATS];

    for (i = 0; i < n; i++) {
        chats[i].data = (u_char *) "abcdefghijklmnopqrstuvwxyzabcdef" + i;
        chats[i].len = 1;
    }

    /* nobody guesses the hash: it is put before the rest */

    memset(pos, 0, sizeof(pos));
    (void) wsc_sse_cursor_write(hash, chats, pos, n);

    memcpy(cursor, hash, WSC_SSE_HASH);
    memcpy(cursor + WSC_SSE_HASH, data, size);

    text.data = cursor;
    text.len = WSC_SSE_HASH + size;

    if (wsc_sse_cursor_read(&text, chats, pos, n) != WSC_OK) {
        return;
    }

    for (i = 0; i < n; i++) {
        fuzz_require(pos[i].epoch < WSC_MAX_INTEGER);
        fuzz_require(pos[i].seq < WSC_MAX_INTEGER);
    }

    len = wsc_sse_cursor_write(again, chats, pos, n);
    fuzz_require(len <= text.len);

    text.data = again;
    text.len = len;

    fuzz_require(wsc_sse_cursor_read(&text, chats, back, n) == WSC_OK);
    fuzz_require(memcmp(back, pos, n * sizeof(wsc_pos_t)) == 0);
}


static void
fuzz_event(const uint8_t *data, size_t size, const wsc_pos_t *pos)
{
    size_t     len;
    u_char    *json;
    wsc_buf_t  b;

    len = sizeof(FUZZ_HEAD) - 1 + size;
    json = malloc(len);
    fuzz_require(json != NULL);

    memcpy(json, FUZZ_HEAD, sizeof(FUZZ_HEAD) - 1);
    memcpy(json + sizeof(FUZZ_HEAD) - 1, data, size);

    wsc_buf_init(&b, &fuzz_allocator);
    wsc_sse_event(&b, json, len, pos);

    fuzz_require(!b.failed);
    fuzz_read(&b, json, len);

    wsc_buf_free(&b);
    free(json);
}


/* As WHATWG HTML has it; each end of a line is an LF then. */

static void
fuzz_read(const wsc_buf_t *b, const u_char *json, size_t len)
{
    size_t         n;
    const u_char  *p, *end, *last, *left;

    p = b->data;
    last = p + b->len;
    left = json;

    fuzz_require(b->len > 2 && memcmp(last - 2, "\n\n", 2) == 0);
    fuzz_require(memchr(p, '\r', b->len) == NULL);
    fuzz_require(memcmp(p, "event: message\n", 15) == 0);

    for ( /* void */ ; p < last - 1; p = end + 1) {
        end = memchr(p, '\n', last - p);

        if (memcmp(p, "data: ", 6) != 0) {
            fuzz_require(memcmp(p, "event: ", 7) == 0
                         || memcmp(p, "id: ", 4) == 0);
            continue;
        }

        if (left != json) {
            left += (left[0] == '\r' && left + 1 < json + len
                     && left[1] == '\n') ? 2 : 1;
        }

        n = end - p - 6;
        fuzz_require(n <= (size_t) (json + len - left));
        fuzz_require(memcmp(p + 6, left, n) == 0);
        left += n;
    }

    fuzz_require(left == json + len);
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

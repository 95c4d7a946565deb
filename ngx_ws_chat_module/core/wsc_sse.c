
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_sse.h"
#include "wsc_number.h"
#include "wsc_writer.h"
#include <string.h>


/* What an event's text begins with: its name follows. */
#define WSC_SSE_EV       "{\"ev\":\""

#define WSC_SSE_EVENT    "event: "
#define WSC_SSE_ID       "\nid: "
#define WSC_SSE_DATA     "\ndata: "

#define wsc_sse_add(b, text)  wsc_buf_add(b, text, sizeof(text) - 1)


static void wsc_sse_pos(wsc_buf_t *b, const wsc_pos_t *pos);
static void wsc_sse_begin(wsc_writer_t *w, wsc_buf_t *b, const char *ev);
static const u_char *wsc_sse_number_read(const u_char *p, const u_char *last,
    uint64_t *v);
static void wsc_sse_hash(u_char *hash, const wsc_str_t *chats, size_t n);
static u_char *wsc_sse_varint(u_char *p, uint64_t v);
static const u_char *wsc_sse_varint_read(const u_char *p, const u_char *last,
    uint64_t *v);


void
wsc_sse_event(wsc_buf_t *b, const u_char *json, size_t len,
    const wsc_pos_t *pos)
{
    size_t         n;
    const u_char  *p, *line, *last;

    last = json + len;
    p = json + sizeof(WSC_SSE_EV) - 1;

    for (n = 0; p[n] != '"'; n++) { /* void */ }

    wsc_sse_add(b, WSC_SSE_EVENT);
    wsc_buf_add(b, p, n);

    if (pos) {
        wsc_sse_add(b, WSC_SSE_ID);
        wsc_sse_pos(b, pos);
    }

    wsc_sse_add(b, WSC_SSE_DATA);

    for (p = line = json; p < last; p++) {

        if (*p != '\n' && *p != '\r') {
            continue;
        }

        wsc_buf_add(b, line, p - line);

        if (*p == '\r' && last - p > 1 && p[1] == '\n') {
            p++;
        }

        wsc_sse_add(b, WSC_SSE_DATA);
        line = p + 1;
    }

    wsc_buf_add(b, line, last - line);
    wsc_sse_add(b, "\n\n");
}


static void
wsc_sse_pos(wsc_buf_t *b, const wsc_pos_t *pos)
{
    size_t  n;
    u_char  text[WSC_NUMBER_LEN];

    n = wsc_number_print_uint(text, pos->epoch);
    wsc_buf_add(b, text, n);

    wsc_buf_byte(b, ':');

    n = wsc_number_print_uint(text, pos->seq);
    wsc_buf_add(b, text, n);
}


void
wsc_sse_id(wsc_buf_t *b, const wsc_str_t *id)
{
    wsc_sse_add(b, "id: ");
    wsc_buf_add(b, id->data, id->len);
    wsc_sse_add(b, "\n\n");
}


void
wsc_sse_retry(wsc_buf_t *b, uint64_t ms)
{
    u_char  text[WSC_NUMBER_LEN];

    wsc_sse_add(b, "retry: ");
    wsc_buf_add(b, text, wsc_number_print_uint(text, ms));
    wsc_sse_add(b, "\n");
}


void
wsc_sse_reset(wsc_buf_t *b, const wsc_str_t *chat_id, const char *reason)
{
    wsc_writer_t  w;

    wsc_sse_begin(&w, b, "reset");

    if (chat_id) {
        wsc_writer_key(&w, "chat_id");
        wsc_writer_str(&w, chat_id);
    }

    wsc_writer_key(&w, "reason");
    wsc_writer_text(&w, reason);
    wsc_writer_end(&w);
}


void
wsc_sse_close(wsc_buf_t *b, unsigned code, const char *reason)
{
    wsc_writer_t  w;

    wsc_sse_begin(&w, b, "close");

    wsc_writer_key(&w, "code");
    wsc_writer_uint(&w, code);
    wsc_writer_key(&w, "reason");
    wsc_writer_text(&w, reason);
    wsc_writer_end(&w);
}


static void
wsc_sse_begin(wsc_writer_t *w, wsc_buf_t *b, const char *ev)
{
    wsc_writer_init(w, b, WSC_ENC_JSON);
    wsc_writer_map(w);
    wsc_writer_key(w, "ev");
    wsc_writer_text(w, ev);
}


ssize_t
wsc_sse_pos_read(const wsc_str_t *id, wsc_pos_t *pos)
{
    const u_char  *p, *last;

    last = id->data + id->len;

    p = wsc_sse_number_read(id->data, last, &pos->epoch);

    if (p == NULL || p == last || *p != ':') {
        return WSC_DECLINED;
    }

    p = wsc_sse_number_read(p + 1, last, &pos->seq);

    return (p == last) ? WSC_OK : WSC_DECLINED;
}


/* Behind the digits, or NULL: there are none, or the number is too large. */

static const u_char *
wsc_sse_number_read(const u_char *p, const u_char *last, uint64_t *v)
{
    const u_char  *start;

    *v = 0;

    for (start = p; p < last && *p >= '0' && *p <= '9'; p++) {
        *v = *v * 10 + (*p - '0');

        if (*v >= WSC_MAX_INTEGER) {
            return NULL;
        }
    }

    return (p == start) ? NULL : p;
}


size_t
wsc_sse_cursor_write(u_char *out, const wsc_str_t *chats,
    const wsc_pos_t *pos, size_t n)
{
    size_t   i;
    u_char  *p;

    wsc_sse_hash(out, chats, n);
    p = out + WSC_SSE_HASH;

    for (i = 0; i < n; i++) {
        p = wsc_sse_varint(p, pos[i].epoch);
        p = wsc_sse_varint(p, pos[i].seq);
    }

    return p - out;
}


ssize_t
wsc_sse_cursor_read(const wsc_str_t *cursor, const wsc_str_t *chats,
    wsc_pos_t *pos, size_t n)
{
    size_t         i;
    u_char         hash[WSC_SSE_HASH];
    const u_char  *p, *last;

    wsc_sse_hash(hash, chats, n);

    if (cursor->len < WSC_SSE_HASH
        || memcmp(cursor->data, hash, WSC_SSE_HASH) != 0)
    {
        return WSC_DECLINED;
    }

    p = cursor->data + WSC_SSE_HASH;
    last = cursor->data + cursor->len;

    for (i = 0; i < n; i++) {

        p = wsc_sse_varint_read(p, last, &pos[i].epoch);
        if (p == NULL) {
            return WSC_DECLINED;
        }

        p = wsc_sse_varint_read(p, last, &pos[i].seq);
        if (p == NULL) {
            return WSC_DECLINED;
        }
    }

    return (p == last) ? WSC_OK : WSC_DECLINED;
}


/* FNV-1a; a zero, which no name has, ends each of them. */

static void
wsc_sse_hash(u_char *hash, const wsc_str_t *chats, size_t n)
{
    size_t    i, k;
    uint64_t  h;

    h = 0xcbf29ce484222325;

    for (i = 0; i < n; i++) {

        for (k = 0; k < chats[i].len; k++) {
            h = (h ^ chats[i].data[k]) * 0x100000001b3;
        }

        h *= 0x100000001b3;
    }

    for (i = 0; i < WSC_SSE_HASH; i++) {
        hash[i] = (u_char) (h >> (8 * i));
    }
}


/* Seven bits an octet, the low ones first; the last one has no high bit. */

static u_char *
wsc_sse_varint(u_char *p, uint64_t v)
{
    while (v > 0x7f) {
        *p++ = (u_char) (v | 0x80);
        v >>= 7;
    }

    *p++ = (u_char) v;

    return p;
}


static const u_char *
wsc_sse_varint_read(const u_char *p, const u_char *last, uint64_t *v)
{
    unsigned  shift;

    *v = 0;

    for (shift = 0; p < last && shift < 56; shift += 7) {
        *v |= (uint64_t) (*p & 0x7f) << shift;

        if (*p++ < 0x80) {
            return (*v < WSC_MAX_INTEGER) ? p : NULL;
        }
    }

    return NULL;
}

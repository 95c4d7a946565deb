
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What comes by a channel of Redis, or is kept there: anything at all.  What
 * is accepted keeps our limits, and is the same when it is written and read
 * again.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_bans.h"
#include "wsc_envelope.h"


#define FUZZ_BANS  16

#define fuzz_require(condition)  if (!(condition)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
static void *fuzz_alloc(void *ctx, size_t size);
static void fuzz_free(void *ctx, void *p);
static void fuzz_same(const wsc_str_t *a, const wsc_str_t *b);
static void fuzz_notes(const wsc_news_t *news, wsc_bans_t *bans);
static void fuzz_news(const wsc_news_t *news);
static void fuzz_entry(const wsc_envelope_t *v);


static const wsc_alloc_t  fuzz_allocator = { fuzz_alloc, fuzz_free, NULL };


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsc_str_t        s;
    const char      *reason;
    wsc_envelope_t   v;

    s.data = (u_char *) data;
    s.len = size;
    reason = NULL;

    if (wsc_envelope_read(&fuzz_allocator, &s, &v, &reason) != WSC_OK) {
        fuzz_require(reason != NULL);
        return 0;
    }

    switch (v.kind) {

    case WSC_ENVELOPE_NEWS:
        fuzz_news(&v.news);
        break;

    case WSC_ENVELOPE_ENTRY:
    case WSC_ENVELOPE_MESSAGE:
        fuzz_entry(&v);
        break;

    default:
        fuzz_require(v.n < WSC_MAX_INTEGER);
        break;
    }

    return 0;
}


static void
fuzz_news(const wsc_news_t *news)
{
    wsc_buf_t        b;
    wsc_str_t        s;
    wsc_bans_t       bans;
    const char      *reason;
    wsc_envelope_t   again;

    fuzz_require(news->count <= WSC_NEWS_NOTES);
    fuzz_require(news->type > 0 && news->type < WSC_NEWS_TYPES);
    fuzz_require((news->to == WSC_TO_ZONE) == (news->name.len == 0));

    wsc_bans_init(&bans, &fuzz_allocator, FUZZ_BANS);
    fuzz_notes(news, &bans);
    wsc_bans_free(&bans);

    wsc_buf_init(&b, &fuzz_allocator);
    wsc_envelope_news(&b, news);
    fuzz_require(!b.failed);

    s.data = b.data;
    s.len = b.len;

    fuzz_require(wsc_envelope_read(&fuzz_allocator, &s, &again, &reason)
                 == WSC_OK);
    fuzz_require(again.kind == WSC_ENVELOPE_NEWS);
    fuzz_require(again.news.type == news->type && again.news.to == news->to);
    fuzz_require(again.news.count == news->count);
    fuzz_same(&again.news.name, &news->name);

    wsc_buf_free(&b);
}


static void
fuzz_notes(const wsc_news_t *news, wsc_bans_t *bans)
{
    size_t             i, k, n;
    u_char            *field;
    const wsc_note_t  *note;

    for (i = 0; i < news->count; i++) {
        note = &news->notes[i];

        fuzz_require(note->key.len <= WSC_MAX_NOTE_KEY);
        fuzz_require(note->sender.len <= WSC_MAX_USER);

        for (k = 0; k < WSC_NEWS_NUMBERS; k++) {
            fuzz_require(note->n[k] < WSC_MAX_INTEGER);
        }

        (void) wsc_news_keep(news->type, note);

        field = malloc(WSC_MAX_NOTE_FIELD);
        fuzz_require(field != NULL);
        n = wsc_news_field(field, news->type, note);
        fuzz_require(n <= WSC_MAX_NOTE_FIELD);
        free(field);

        (void) wsc_bans_take(bans, news->type, note);
        (void) wsc_bans_end(bans, &note->sender, &note->key);
        fuzz_require(bans->n <= FUZZ_BANS);
    }
}


static void
fuzz_entry(const wsc_envelope_t *v)
{
    fuzz_require(wsc_user_valid(&v->entry.sender));
    fuzz_require(v->entry.cid.len == 0 || wsc_cid_valid(&v->entry.cid));
    fuzz_require(v->entry.timestamp < WSC_MAX_INTEGER);
    fuzz_require(v->entry.prev.epoch < WSC_MAX_INTEGER);
    fuzz_require(v->entry.prev.seq < WSC_MAX_INTEGER);
}


static void
fuzz_same(const wsc_str_t *a, const wsc_str_t *b)
{
    fuzz_require(a->len == b->len
                 && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
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

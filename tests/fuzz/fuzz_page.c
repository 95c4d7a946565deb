
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Pages of history.  What is accepted is in order, and its strings are in the
 * text.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_page.h"


#define fuzz_require(condition)  if (!(condition)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *fuzz_malloc(void *ctx, size_t size);
static void fuzz_free(void *ctx, void *p);


static void *
fuzz_malloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
fuzz_free(void *ctx, void *p)
{
    free(p);
}


static int
fuzz_inside(const wsc_str_t *s, const u_char *p, size_t size)
{
    return s->len == 0 || (s->data >= p && s->data + s->len <= p + size);
}


static void
fuzz_read(const uint8_t *data, size_t size, int bare)
{
    size_t               i;
    u_char              *p;
    const char          *reason;
    wsc_page_t           page;
    const wsc_entry_t   *e;

    static const wsc_alloc_t  alloc = { fuzz_malloc, fuzz_free, NULL };

    p = malloc(size + !size);
    fuzz_require(p);
    memcpy(p, data, size);

    if (wsc_page_read(&alloc, p, size, bare, &page, &reason) == WSC_OK) {

        fuzz_require(page.n <= WSC_MAX_LIMIT);
        fuzz_require(fuzz_inside(&page.chat_id, p, size));

        for (i = 0; i < page.n; i++) {
            e = &page.entries[i];

            fuzz_require(e->pos.seq);
            fuzz_require(bare || wsc_pos_cmp(e->prev, e->pos) < 0);
            fuzz_require(i == 0
                         || wsc_pos_cmp(page.entries[i - 1].pos, e->pos) < 0);
            fuzz_require(fuzz_inside(&e->sender, p, size));
            fuzz_require(fuzz_inside(&e->cid, p, size));
            fuzz_require(fuzz_inside(&e->message.data, p, size));
        }
    }

    wsc_page_free(&alloc, &page);
    free(p);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(data, size, 0);
    fuzz_read(data, size, 1);

    return 0;
}

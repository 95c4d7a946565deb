
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the unit tests share.
 */


#include <stdio.h>
#include "wsc_test.h"


/* Stands before each block and keeps the block aligned. */

typedef union {
    size_t       size;
    max_align_t  align;
} wsc_test_block_t;


static void *wsc_test_alloc(void *ctx, size_t size);
static void wsc_test_free(void *ctx, void *p);


void
wsc_test_mem_init(wsc_test_mem_t *mem, size_t fail_at)
{
    memset(mem, 0, sizeof(wsc_test_mem_t));

    mem->alloc.alloc = wsc_test_alloc;
    mem->alloc.free = wsc_test_free;
    mem->alloc.ctx = mem;
    mem->fail_at = fail_at;
}


void
wsc_test_mem_check(const wsc_test_mem_t *mem)
{
    assert_int_equal(mem->blocks, 0);
    assert_int_equal(mem->bytes, 0);
}


size_t
wsc_test_mem_fail(void (*body)(wsc_test_mem_t *mem, void *data), void *data)
{
    size_t          n;
    wsc_test_mem_t  mem;

    for (n = 1; /* void */ ; n++) {
        wsc_test_mem_init(&mem, n);

        body(&mem, data);
        wsc_test_mem_check(&mem);

        if (mem.calls < n) {
            return n - 1;
        }
    }
}


uint32_t
wsc_test_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;

    return *seed >> 8;
}


u_char *
wsc_test_copy(const void *p, size_t len)
{
    u_char  *copy;

    copy = malloc(len ? len : 1);
    assert_non_null(copy);

    if (len) {
        memcpy(copy, p, len);
    }

    return copy;
}


static void *
wsc_test_alloc(void *ctx, size_t size)
{
    wsc_test_mem_t    *mem = ctx;
    wsc_test_block_t  *b;

    mem->calls++;

    if (size > mem->largest) {
        mem->largest = size;
    }

    if (mem->calls == mem->fail_at) {
        return NULL;
    }

    b = malloc(sizeof(wsc_test_block_t) + size);
    assert_non_null(b);

    b->size = size;
    mem->blocks++;
    mem->bytes += size;

    if (mem->bytes > mem->peak) {
        mem->peak = mem->bytes;
    }

    return b + 1;
}


static void
wsc_test_free(void *ctx, void *p)
{
    wsc_test_mem_t    *mem = ctx;
    wsc_test_block_t  *b;

    if (p == NULL) {
        return;
    }

    b = (wsc_test_block_t *) p - 1;
    mem->blocks--;
    mem->bytes -= b->size;

    free(b);
}


size_t
wsc_test_vector(const char *dir, const char *name, const char *type,
    u_char *data, size_t size)
{
    FILE    *f;
    char     path[256];
    size_t   len;

    snprintf(path, sizeof(path), "tests/vectors/%s/%s.%s", dir, name, type);

    f = fopen(path, "rb");
    assert_non_null(f);

    len = fread(data, 1, size, f);
    assert_true(len && len < size);
    fclose(f);

    return len;
}

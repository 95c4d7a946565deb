
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the unit tests share: cmocka, an allocator that counts, fails on
 * demand and shows leaks, and random numbers that are the same in each run.
 */


#ifndef _WSC_TEST_H_INCLUDED_
#define _WSC_TEST_H_INCLUDED_


#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "wsc_base.h"


#define wsc_test_count(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    wsc_alloc_t  alloc;
    size_t       calls;      /* of alloc() so far */
    size_t       fail_at;    /* the number of the call to fail, 0: none */
    size_t       blocks;     /* not yet freed */
    size_t       bytes;      /* in these */
    size_t       peak;       /* the most bytes there were */
    size_t       largest;    /* the largest block asked for */
} wsc_test_mem_t;


/* Counts from zero; call number fail_at (1 is the first) returns NULL. */
void wsc_test_mem_init(wsc_test_mem_t *mem, size_t fail_at);

/* Fails the test if anything is not freed. */
void wsc_test_mem_check(const wsc_test_mem_t *mem);

/*
 * Runs body(mem, data) with the first, the second ... allocation failing,
 * until none is left to fail; nothing may leak.  Returns the number of runs
 * in which an allocation failed.
 */
size_t wsc_test_mem_fail(void (*body)(wsc_test_mem_t *mem, void *data),
    void *data);

/* The next of a sequence of random numbers; *seed starts as anything. */
uint32_t wsc_test_random(uint32_t *seed);

/* A copy of exactly len octets, so that a sanitizer sees what goes past. */
u_char *wsc_test_copy(const void *p, size_t len);

/*
 * Reads the golden file tests/vectors/DIR/NAME.TYPE; fails the test unless
 * it is there, holds something and is shorter than size.  Returns its length.
 */
size_t wsc_test_vector(const char *dir, const char *name, const char *type,
    u_char *data, size_t size);


#endif /* _WSC_TEST_H_INCLUDED_ */

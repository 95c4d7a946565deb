
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <zlib.h>

#include "wsc_deflate.h"
#include "wsc_test.h"


#define TEST_LIMIT  100000


/* RFC 7692 sections 7.2.3.1 to 7.2.3.6, and edges of section 7.2.2. */

static const struct {
    const char  *name;
    wsc_str_t    data;
    const char  *text;                /* NULL: refused */
} test_vectors[] = {
    { "one block", wsc_string("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello" },
    { "no compression",
      wsc_string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello" },
    { "final block",
      wsc_string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello" },
    { "two blocks",
      wsc_string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
      "Hello" },
    { "empty message", wsc_string("\x00"), "" },
    { "empty fixed block", wsc_string("\x02\x00"), "" },
    { "empty final block", wsc_string("\x03\x00\x00"), "" },
    { "final block, nothing added",
      wsc_string("\xf3\x48\xcd\xc9\xc9\x07\x00"), "Hello" },
    { "final block that ends in the tail", wsc_string("\x01"), "" },
    { "final block, then another",
      wsc_string("\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00"),
      "HelloHello" },
    { "no octet", wsc_string(""), "" },
    { "tail not removed",
      wsc_string("\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"), NULL },
    { "cut in a block", wsc_string("\xf2\x48\xcd\xc9"), NULL },
    { "reserved block type", wsc_string("\x06\x00"), NULL },
    { "distance before the start", wsc_string("\x02\x62\x00\x00"), NULL },
    { "stored length not confirmed",
      wsc_string("\x00\x05\x00\x00\x00Hello\x00"), NULL }
};


/* Inflates a message in steps of so many octets each (0: at once). */

static ssize_t
test_inflate(wsc_inflate_t *i, const u_char *p, size_t len, size_t step,
    size_t limit, wsc_buf_t *out)
{
    size_t    n;
    u_char   *copy;
    ssize_t   rc;

    step = step ? step : len;

    for ( ;; ) {
        n = (len < step) ? len : step;

        copy = wsc_test_copy(p, n);
        rc = wsc_inflate_piece(i, copy, n, n == len, limit, out);
        free(copy);

        if (rc != WSC_OK || n == len) {
            return rc;
        }

        p += n;
        len -= n;
    }
}


static void
test_rfc_vectors(void **state)
{
    size_t          i, step, limit;
    ssize_t         rc;
    wsc_buf_t       out;
    const char     *text;
    wsc_inflate_t  *inflate;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&out, &mem.alloc);

    for (i = 0; i < wsc_test_count(test_vectors); i++) {
        text = test_vectors[i].text;

        /* the last step is at once with no octet of room to spare */

        for (step = 0; step < 5; step++) {
            limit = (step == 4 && text) ? strlen(text) : TEST_LIMIT;

            inflate = wsc_inflate_create(&mem.alloc, 15);
            assert_non_null(inflate);
            wsc_buf_reset(&out, 0);

            rc = test_inflate(inflate, test_vectors[i].data.data,
                              test_vectors[i].data.len, step % 4, limit,
                              &out);

            if (rc != (text ? WSC_OK : WSC_ERROR)
                || (text && (out.len != strlen(text)
                             || memcmp(out.len ? (char *) out.data : "", text,
                                       out.len))))
            {
                fail_msg("%s, step %zu: %zd, %zu octets",
                         test_vectors[i].name, step, rc, out.len);
            }

            assert_false(out.failed);
            wsc_inflate_destroy(inflate);
        }
    }

    wsc_buf_free(&out);
    wsc_test_mem_check(&mem);
}


static void
test_context_takeover(void **state)
{
    wsc_buf_t       out;
    wsc_inflate_t  *i;
    wsc_test_mem_t  mem;

    static const u_char  first[] = "\xf2\x48\xcd\xc9\xc9\x07\x00";
    static const u_char  again[] = "\xf2\x00\x11\x00\x00";
    static const u_char  final[] = "\xf3\x48\xcd\xc9\xc9\x07\x00\x00";

    /* RFC 7692 section 7.2.3.2, also behind a final block */

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&out, &mem.alloc);
    i = wsc_inflate_create(&mem.alloc, 15);

    assert_int_equal(test_inflate(i, first, 7, 0, TEST_LIMIT, &out), WSC_OK);
    assert_int_equal(test_inflate(i, again, 5, 0, TEST_LIMIT, &out), WSC_OK);
    assert_int_equal(test_inflate(i, final, 8, 0, TEST_LIMIT, &out), WSC_OK);
    assert_int_equal(test_inflate(i, again, 5, 1, TEST_LIMIT, &out), WSC_OK);
    assert_int_equal(test_inflate(i, again, 0, 1, TEST_LIMIT, &out), WSC_OK);
    assert_int_equal(test_inflate(i, again, 5, 1, TEST_LIMIT, &out), WSC_OK);

    assert_int_equal(out.len, 25);
    assert_memory_equal(out.data, "HelloHelloHelloHelloHello", 25);
    assert_int_equal(wsc_inflate_memory(i), mem.bytes - out.size);

    /* without history there is nothing to repeat */

    wsc_inflate_reset(i);
    assert_int_equal(test_inflate(i, again, 5, 0, TEST_LIMIT, &out),
                     WSC_ERROR);

    wsc_inflate_reset(i);
    assert_int_equal(test_inflate(i, first, 7, 0, TEST_LIMIT, &out), WSC_OK);

    wsc_inflate_destroy(i);
    wsc_buf_free(&out);
    wsc_test_mem_check(&mem);
}


/* What can be inflated is there at once, to be looked at as early. */

static void
test_nothing_held_back(void **state)
{
    u_char          text[5000], got[sizeof(text)];
    size_t          n;
    z_stream        s;
    wsc_buf_t       in, out;
    wsc_deflate_t  *d;
    wsc_inflate_t  *i;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&in, &mem.alloc);
    wsc_buf_init(&out, &mem.alloc);

    for (n = 0; n < sizeof(text); n++) {
        text[n] = (u_char) ("0123456"[n % 7] + n / 1500);
    }

    d = wsc_deflate_create(&mem.alloc, 15, 9);
    i = wsc_inflate_create(&mem.alloc, 15);
    assert_int_equal(wsc_deflate_message(d, text, sizeof(text), &in), WSC_OK);

    memset(&s, 0, sizeof(s));
    assert_int_equal(inflateInit2(&s, -15), Z_OK);
    s.next_in = in.data;
    s.next_out = got;
    s.avail_out = sizeof(got);

    for (n = 0; n < in.len; n++) {
        s.avail_in = 1;
        inflate(&s, Z_SYNC_FLUSH);

        assert_int_equal(wsc_inflate_piece(i, in.data + n, 1, 0, TEST_LIMIT,
                                           &out), WSC_OK);
        assert_int_equal(out.len, sizeof(got) - s.avail_out);
    }

    inflateEnd(&s);
    wsc_deflate_destroy(d);
    wsc_inflate_destroy(i);
    wsc_buf_free(&in);
    wsc_buf_free(&out);
    wsc_test_mem_check(&mem);
}


static void
test_limit(void **state)
{
    size_t          limit, step;
    u_char         *bomb;
    ssize_t         rc;
    wsc_buf_t       in, out;
    wsc_deflate_t  *d;
    wsc_inflate_t  *i;
    wsc_test_mem_t  mem;

    enum { SIZE = 1 << 20 };

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&in, &mem.alloc);

    bomb = malloc(SIZE);
    assert_non_null(bomb);
    memset(bomb, 'x', SIZE);

    d = wsc_deflate_create(&mem.alloc, 15, 9);
    assert_int_equal(wsc_deflate_message(d, bomb, SIZE, &in), WSC_OK);
    assert_true(in.len < 1200);
    wsc_deflate_destroy(d);

    for (limit = SIZE - 2; limit <= SIZE + 1; limit++) {
        for (step = 0; step <= 100; step += 50) {
            wsc_buf_init(&out, &mem.alloc);
            i = wsc_inflate_create(&mem.alloc, 15);

            rc = test_inflate(i, in.data, in.len, step, limit, &out);
            assert_int_equal(rc, limit < SIZE ? WSC_DECLINED : WSC_OK);
            assert_int_equal(out.len, limit < SIZE ? limit : SIZE);
            assert_memory_equal(out.data, bomb, out.len);
            assert_true(out.size <= limit);

            wsc_inflate_destroy(i);
            wsc_buf_free(&out);
        }
    }

    wsc_buf_free(&in);
    wsc_test_mem_check(&mem);
    free(bomb);
}


static void
test_limit_memory(void **state)
{
    u_char         *zeros;
    wsc_buf_t       in, out;
    wsc_deflate_t  *d;
    wsc_inflate_t  *i;
    wsc_test_mem_t  mem, small;

    wsc_test_mem_init(&mem, 0);
    wsc_test_mem_init(&small, 0);
    wsc_buf_init(&in, &mem.alloc);
    wsc_buf_init(&out, &small.alloc);

    zeros = calloc(1, 1 << 20);
    assert_non_null(zeros);

    d = wsc_deflate_create(&mem.alloc, 15, 9);
    assert_int_equal(wsc_deflate_message(d, zeros, 1 << 20, &in), WSC_OK);

    i = wsc_inflate_create(&small.alloc, 15);
    assert_int_equal(wsc_inflate_piece(i, in.data, in.len, 1, 10000, &out),
                     WSC_DECLINED);
    assert_true(small.peak < 64 * 1024);

    /* what stands in out counts, and nothing fits into a full one */
    wsc_inflate_reset(i);
    assert_int_equal(out.len, 10000);
    assert_int_equal(wsc_inflate_piece(i, in.data, in.len, 1, 10000, &out),
                     WSC_DECLINED);
    assert_int_equal(out.len, 10000);

    wsc_inflate_destroy(i);
    wsc_deflate_destroy(d);
    wsc_buf_free(&in);
    wsc_buf_free(&out);
    wsc_test_mem_check(&mem);
    wsc_test_mem_check(&small);
    free(zeros);
}


static void
test_compress(void **state)
{
    u_char          noise[4096];
    size_t          i;
    uint32_t        seed;
    wsc_buf_t       out;
    wsc_deflate_t  *d;
    wsc_test_mem_t  mem;

    seed = 3;

    for (i = 0; i < sizeof(noise); i++) {
        noise[i] = (u_char) wsc_test_random(&seed);
    }

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&out, &mem.alloc);
    d = wsc_deflate_create(&mem.alloc, 15, 6);

    wsc_buf_add(&out, "head", 4);

    /* 7.2.3.6: an empty message is one octet */
    assert_int_equal(wsc_deflate_message(d, NULL, 0, &out), WSC_OK);
    assert_int_equal(out.len, 5);
    assert_memory_equal(out.data, "head\0", 5);

    /* what would grow is not compressed, nor is the next one harmed */
    assert_int_equal(wsc_deflate_message(d, (u_char *) "a", 1, &out),
                     WSC_DECLINED);
    assert_int_equal(wsc_deflate_message(d, noise, sizeof(noise), &out),
                     WSC_DECLINED);
    assert_int_equal(out.len, 5);

    assert_int_equal(wsc_deflate_message(d, (u_char *)
                                         "aaaaaaaaaaaaaaaaaaaa", 20, &out),
                     WSC_OK);
    assert_true(out.len < 5 + 20);
    i = out.len;

    /* no history: the same again is the same again */
    assert_int_equal(wsc_deflate_message(d, (u_char *)
                                         "aaaaaaaaaaaaaaaaaaaa", 20, &out),
                     WSC_OK);
    assert_int_equal(out.len, i + (i - 5));
    assert_memory_equal(out.data + 5, out.data + i, i - 5);

    wsc_deflate_destroy(d);
    wsc_deflate_destroy(NULL);
    wsc_inflate_destroy(NULL);
    wsc_buf_free(&out);
    wsc_test_mem_check(&mem);
}


/* What goes on from one message to the next. */

typedef struct {
    wsc_test_mem_t  mem;
    wsc_buf_t       in, out;
    wsc_deflate_t  *d;
    wsc_inflate_t  *z;
} test_history_t;


static void
test_history_init(test_history_t *h)
{
    wsc_test_mem_init(&h->mem, 0);
    wsc_buf_init(&h->in, &h->mem.alloc);
    wsc_buf_init(&h->out, &h->mem.alloc);

    h->d = wsc_deflate_create(&h->mem.alloc, 13, 6);
    h->z = wsc_inflate_create(&h->mem.alloc, 15);
}


/* Compresses and inflates one message; its size. */

static size_t
test_history_next(test_history_t *h, int fresh, const void *p, size_t len)
{
    wsc_buf_reset(&h->in, h->in.size);
    wsc_buf_reset(&h->out, h->out.size);

    assert_int_equal(wsc_deflate_next(h->d, fresh, p, len, &h->in), WSC_OK);
    assert_int_equal(test_inflate(h->z, h->in.data, h->in.len, 3, TEST_LIMIT,
                                  &h->out),
                     WSC_OK);
    assert_int_equal(h->out.len, len);
    assert_memory_equal(h->out.data, p, len);

    return h->in.len;
}


static void
test_history_done(test_history_t *h)
{
    wsc_deflate_destroy(h->d);
    wsc_inflate_destroy(h->z);
    wsc_buf_free(&h->in);
    wsc_buf_free(&h->out);
    wsc_test_mem_check(&h->mem);
}


/* Messages refer to those before them, until one is fresh. */

static void
test_history(void **state)
{
    size_t          n, size, alone;
    test_history_t  h;

    static const char  text[] = "{\"ev\":\"message\",\"chat_id\":\"room\"}";

    test_history_init(&h);
    alone = 0;

    for (n = 0; n < 8; n++) {

        if (n == 4) {
            /* who comes at the fresh one needs none of those before */
            wsc_inflate_reset(h.z);
        }

        size = test_history_next(&h, n == 4, text, sizeof(text));

        if (n == 0) {
            alone = size;

        } else {
            assert_true(n == 4 ? size == alone : size < alone / 2);
        }
    }

    wsc_inflate_reset(h.z);
    wsc_buf_reset(&h.in, h.in.size);

    assert_int_equal(wsc_deflate_next(h.d, 0, (u_char *) text, sizeof(text),
                                      &h.in),
                     WSC_OK);
    assert_int_equal(test_inflate(h.z, h.in.data, h.in.len, 0, TEST_LIMIT,
                                  &h.out),
                     WSC_ERROR);

    test_history_done(&h);
}


/* What does not get smaller is sent all the same: it is history, too. */

static void
test_history_noise(void **state)
{
    u_char          noise[4096];
    size_t          i;
    uint32_t        seed;
    test_history_t  h;

    seed = 5;

    for (i = 0; i < sizeof(noise); i++) {
        noise[i] = (u_char) wsc_test_random(&seed);
    }

    test_history_init(&h);

    i = test_history_next(&h, 0, noise, sizeof(noise));
    assert_true(i > sizeof(noise) && i < sizeof(noise) + 20);

    assert_true(test_history_next(&h, 0, noise, sizeof(noise)) < 100);

    assert_int_equal(wsc_deflate_next(h.d, 0, noise,
                                      (size_t) WSC_DEFLATE_MAX + 1, &h.in),
                     WSC_DECLINED);

    test_history_done(&h);
}


/* Text that comes back at a distance which the window cannot reach. */

static void
test_window(void **state)
{
    int             window;
    u_char          text[3 * 32768 + 64], *got;
    size_t          i, distance;
    uint32_t        seed;
    z_stream        s;
    wsc_buf_t       out;
    wsc_deflate_t  *d;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    seed = 5;

    for (window = 9; window <= 15; window++) {
        distance = ((size_t) 1 << window) + 100;
        wsc_buf_init(&out, &mem.alloc);

        for (i = 0; i < sizeof(text); i++) {
            text[i] = (i < distance) ? 'a' + wsc_test_random(&seed) % 8
                                     : text[i - distance];
        }

        d = wsc_deflate_create(&mem.alloc, window, 9);
        assert_non_null(d);
        assert_int_equal(wsc_deflate_message(d, text, sizeof(text), &out),
                         WSC_OK);

        /* octet by octet zlib has only the window to look back into */

        memset(&s, 0, sizeof(s));
        assert_int_equal(inflateInit2(&s, -window), Z_OK);
        got = malloc(sizeof(text));
        assert_non_null(got);

        s.next_in = out.data;
        s.avail_in = (uInt) out.len;

        for (i = 0; i < sizeof(text); i++) {
            s.next_out = got + i;
            s.avail_out = 1;
            assert_int_equal(inflate(&s, Z_SYNC_FLUSH), Z_OK);
        }

        assert_memory_equal(got, text, sizeof(text));

        inflateEnd(&s);
        free(got);
        wsc_deflate_destroy(d);
        wsc_buf_free(&out);
    }

    assert_null(wsc_deflate_create(&mem.alloc, 8, 6));
    assert_null(wsc_deflate_create(&mem.alloc, 16, 6));
    assert_null(wsc_deflate_create(&mem.alloc, 15, 10));
    wsc_test_mem_check(&mem);
}


static void
test_round_trip(void **state)
{
    u_char          text[5000];
    size_t          i, n, len, at;
    uint32_t        seed;
    wsc_buf_t       in, out;
    wsc_deflate_t  *d;
    wsc_inflate_t  *z;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&in, &mem.alloc);
    wsc_buf_init(&out, &mem.alloc);

    d = wsc_deflate_create(&mem.alloc, 9, 6);
    z = wsc_inflate_create(&mem.alloc, 8);
    assert_non_null(z);
    seed = 11;

    for (n = 0; n < 300; n++) {
        len = wsc_test_random(&seed) % sizeof(text);

        for (i = 0; i < len; i++) {
            at = wsc_test_random(&seed) % 100;
            text[i] = (at < 10 || i < 50) ? (u_char) at : text[i - at / 2];
        }

        wsc_buf_reset(&in, in.size);
        wsc_buf_reset(&out, out.size);

        if (wsc_deflate_message(d, text, len, &in) == WSC_DECLINED) {
            continue;
        }

        assert_int_equal(test_inflate(z, in.data, in.len, n % 10, len, &out),
                         WSC_OK);
        assert_int_equal(out.len, len);
        assert_memory_equal(out.len ? out.data : text, text, len);

        if (n & 1) {
            wsc_inflate_reset(z);
        }
    }

    wsc_deflate_destroy(d);
    wsc_inflate_destroy(z);
    wsc_buf_free(&in);
    wsc_buf_free(&out);
    wsc_test_mem_check(&mem);
}


static void
test_no_memory_body(wsc_test_mem_t *mem, void *data)
{
    u_char          text[3000];
    ssize_t         rc;
    wsc_buf_t       in, out;
    wsc_deflate_t  *d;
    wsc_inflate_t  *i;

    memset(text, 'a', sizeof(text));
    wsc_buf_init(&in, &mem->alloc);
    wsc_buf_init(&out, &mem->alloc);

    d = wsc_deflate_create(&mem->alloc, 15, 6);
    i = wsc_inflate_create(&mem->alloc, 15);

    if (d == NULL || i == NULL) {
        goto done;
    }

    rc = wsc_deflate_message(d, text, sizeof(text), &in);
    if (rc != WSC_OK) {
        assert_int_equal(rc, WSC_ERROR);
        assert_true(in.failed);
        goto done;
    }

    rc = test_inflate(i, in.data, in.len, 3, TEST_LIMIT, &out);
    if (rc != WSC_OK) {
        assert_int_equal(rc, WSC_ERROR);
        assert_true(out.failed);
        goto done;
    }

    rc = wsc_deflate_next(d, 1, text, sizeof(text), &in);
    if (rc != WSC_OK) {
        assert_int_equal(rc, WSC_ERROR);
        assert_true(in.failed);
    }

done:

    wsc_deflate_destroy(d);
    wsc_inflate_destroy(i);
    wsc_buf_free(&in);
    wsc_buf_free(&out);
}


static void
test_no_memory(void **state)
{
    assert_true(wsc_test_mem_fail(test_no_memory_body, NULL) > 8);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rfc_vectors),
        cmocka_unit_test(test_context_takeover),
        cmocka_unit_test(test_nothing_held_back),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_limit_memory),
        cmocka_unit_test(test_compress),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_history_noise),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

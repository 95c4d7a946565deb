
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_buf.h"
#include "wsc_test.h"


static void
test_append(void **state)
{
    size_t          i;
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);
    assert_int_equal(mem.calls, 0);

    wsc_buf_add(&b, NULL, 0);
    assert_int_equal(mem.calls, 0);

    for (i = 0; i < 10000; i++) {
        wsc_buf_byte(&b, (u_char) i);
        wsc_buf_add(&b, "abc", 3);
    }

    assert_int_equal(b.len, 40000);
    assert_false(b.failed);

    for (i = 0; i < 10000; i++) {
        assert_int_equal(b.data[i * 4], (u_char) i);
        assert_memory_equal(b.data + i * 4 + 1, "abc", 3);
    }

    /* it grows by doubling */
    assert_true(mem.calls < 12);
    assert_true(b.size < 2 * 40000 + 64);

    wsc_buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.size, 0);
    wsc_test_mem_check(&mem);

    wsc_buf_byte(&b, 'x');
    assert_int_equal(b.len, 1);

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_reserve(void **state)
{
    u_char          *p;
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    wsc_buf_add(&b, "head", 4);
    p = wsc_buf_reserve(&b, 1000);

    assert_ptr_equal(p, b.data + 4);
    assert_int_equal(b.len, 4);
    assert_true(b.size >= 1004);
    memset(p, 'x', 1000);

    assert_non_null(wsc_buf_reserve(&b, 0));
    assert_memory_equal(b.data, "head", 4);

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_reserve_max(void **state)
{
    size_t          i;
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    for (i = 0; i < 1000; i++) {
        assert_non_null(wsc_buf_reserve_max(&b, 1, 1000));
        b.len++;
    }

    assert_int_equal(b.size, 1000);
    assert_int_equal(mem.largest, 1000);

    assert_null(wsc_buf_reserve_max(&b, 1, 1000));
    assert_true(b.failed);
    assert_int_equal(b.len, 1000);

    wsc_buf_free(&b);

    /* what is there already may be more than max */
    wsc_buf_add(&b, "12345678", 8);
    assert_null(wsc_buf_reserve_max(&b, 1, 4));

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_reset(void **state)
{
    u_char          *p;
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    p = wsc_buf_reserve(&b, 100);
    b.len = 100;

    wsc_buf_reset(&b, b.size);
    assert_int_equal(b.len, 0);
    assert_ptr_equal(b.data, p);

    wsc_buf_reset(&b, b.size - 1);
    assert_null(b.data);
    assert_int_equal(mem.blocks, 0);

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_overflow(void **state)
{
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    wsc_buf_byte(&b, 'x');
    assert_null(wsc_buf_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    assert_int_equal(mem.calls, 1);

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_no_memory(void **state)
{
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 2);
    wsc_buf_init(&b, &mem.alloc);

    wsc_buf_byte(&b, 'a');
    assert_false(b.failed);

    wsc_buf_add(&b, "0123456789012345678901234567890123456789"
                    "0123456789012345678901234567890123456789", 80);
    assert_true(b.failed);
    assert_int_equal(b.len, 1);

    /* the error stays, though there is memory again */
    wsc_buf_byte(&b, 'b');
    assert_int_equal(b.len, 1);
    assert_null(wsc_buf_reserve(&b, 1));

    wsc_buf_reset(&b, b.size);
    assert_false(b.failed);
    wsc_buf_byte(&b, 'c');
    assert_int_equal(b.data[0], 'c');

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_reserve_max),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

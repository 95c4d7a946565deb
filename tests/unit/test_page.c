
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Pages of history: whole, refused, and without memory.
 */


#include "wsc_test.h"
#include "wsc_page.h"


#define ENTRY(seq, prev)                                                      \
    "{\"ev\":\"message\",\"chat_id\":\"r\",\"epoch\":7,\"seq\":" seq          \
    ",\"prev\":" prev ",\"cid\":\"c\\u0031\",\"sender\":\"Zo\\u00eb\","       \
    "\"message\":{\"a\": [1.0]},\"timestamp\":12}"

#define PAGE(messages)                                                        \
    "{\"ev\":\"history\",\"chat_id\":\"r\",\"messages\":[" messages "],"      \
    "\"more\":true,\"complete_to\":{\"epoch\":7,\"seq\":9}}"


static const char  whole[] =
    PAGE(ENTRY("3", "null") ", " ENTRY("5", "{\"epoch\":7,\"seq\":3}"));


static ssize_t
page_read(const wsc_alloc_t *alloc, const char *text, u_char **copy,
    wsc_page_t *page)
{
    const char  *reason;

    *copy = wsc_test_copy(text, strlen(text));

    return wsc_page_read(alloc, *copy, strlen(text), 0, page, &reason);
}


static void
test_whole(void **state)
{
    u_char          *copy;
    wsc_page_t       page;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);

    assert_int_equal(page_read(&mem.alloc, whole, &copy, &page), WSC_OK);
    assert_int_equal(page.n, 2);
    assert_true(page.more);
    assert_int_equal(page.chat_id.len, 1);
    assert_memory_equal(page.chat_id.data, "r", 1);
    assert_int_equal(page.complete_to.epoch, 7);
    assert_int_equal(page.complete_to.seq, 9);

    assert_int_equal(page.entries[0].pos.seq, 3);
    assert_int_equal(page.entries[0].prev.seq, 0);
    assert_int_equal(page.entries[1].pos.epoch, 7);
    assert_int_equal(page.entries[1].prev.seq, 3);
    assert_int_equal(page.entries[1].timestamp, 12);
    assert_int_equal(page.entries[1].sender.len, 4);
    assert_memory_equal(page.entries[1].sender.data, "Zo\xc3\xab", 4);
    assert_int_equal(page.entries[1].cid.len, 2);
    assert_memory_equal(page.entries[1].cid.data, "c1", 2);
    assert_int_equal(page.entries[1].message.data.len, 12);
    assert_memory_equal(page.entries[1].message.data.data, "{\"a\": [1.0]}",
                        12);

    wsc_page_free(&mem.alloc, &page);
    wsc_test_mem_check(&mem);
    free(copy);
}


/* Those that were changed; who retracted one took all of it. */

static void
test_changed(void **state)
{
    u_char          *copy;
    wsc_page_t       page;
    wsc_test_mem_t   mem;

    static const char  text[] =
        PAGE("{\"epoch\":7,\"seq\":3,\"prev\":null,\"cid\":\"a\","
             "\"sender\":\"ann\",\"message\":1,\"edited\":true,"
             "\"timestamp\":1},"
             "{\"epoch\":7,\"seq\":4,\"prev\":null,\"cid\":\"b\","
             "\"sender\":\"ann\",\"retracted\":true,\"timestamp\":1}");
    static const char *const  bad[] = {
        PAGE("{\"epoch\":7,\"seq\":3,\"sender\":\"ann\","
             "\"retracted\":false}"),
        PAGE("{\"epoch\":7,\"seq\":3,\"sender\":\"ann\","
             "\"retracted\":true,\"message\":1}")
    };
    size_t  i;

    wsc_test_mem_init(&mem, 0);

    assert_int_equal(page_read(&mem.alloc, text, &copy, &page), WSC_OK);
    assert_int_equal(page.n, 2);
    assert_true(page.entries[0].edited && !page.entries[0].retracted);
    assert_true(page.entries[1].retracted);
    assert_int_equal(page.entries[1].message.data.len, 0);

    wsc_page_free(&mem.alloc, &page);
    free(copy);

    for (i = 0; i < wsc_test_count(bad); i++) {
        assert_int_equal(page_read(&mem.alloc, bad[i], &copy, &page),
                         WSC_DECLINED);
        wsc_page_free(&mem.alloc, &page);
        free(copy);
    }

    wsc_test_mem_check(&mem);
}


static void
test_octets(void **state)
{
    u_char          *copy;
    wsc_page_t       page;
    wsc_test_mem_t   mem;

    static const char  text[] =
        PAGE("{\"epoch\":1,\"seq\":1,\"prev\":null,\"sender\":\"a\","
             "\"message\":\"+\\/8=\",\"enc\":\"base64\"}");

    wsc_test_mem_init(&mem, 0);

    assert_int_equal(page_read(&mem.alloc, text, &copy, &page), WSC_OK);
    assert_true(page.entries[0].message.binary);
    assert_int_equal(page.entries[0].message.data.len, 2);
    assert_memory_equal(page.entries[0].message.data.data, "\xfb\xff", 2);
    assert_int_equal(page.entries[0].cid.len, 0);

    wsc_page_free(&mem.alloc, &page);
    wsc_test_mem_check(&mem);
    free(copy);
}


/* Positions alone are enough where that is said. */

static void
test_bare(void **state)
{
    u_char          *copy;
    wsc_page_t       page;
    const char      *reason;
    wsc_test_mem_t   mem;

    static const char  text[] =
        "{\"chat_id\":\"r\",\"messages\":[{\"epoch\":7,\"seq\":3},"
        "{\"epoch\":8,\"seq\":1}],\"more\":false}";
    static const char  none[] = "{\"messages\":[],\"more\":false}";
    static const char  bad[] =
        "{\"chat_id\":\"r\",\"messages\":[{\"epoch\":7}],\"more\":false}";

    wsc_test_mem_init(&mem, 0);

    copy = wsc_test_copy(text, strlen(text));
    assert_int_equal(wsc_page_read(&mem.alloc, copy, strlen(text), 1, &page,
                                   &reason),
                     WSC_OK);
    assert_int_equal(page.n, 2);
    assert_int_equal(page.entries[0].pos.seq, 3);
    assert_int_equal(page.entries[1].pos.epoch, 8);
    assert_memory_equal(page.chat_id.data, "r", 1);
    assert_false(page.more);
    wsc_page_free(&mem.alloc, &page);
    free(copy);

    assert_int_equal(page_read(&mem.alloc, text, &copy, &page),
                     WSC_DECLINED);
    wsc_page_free(&mem.alloc, &page);
    free(copy);

    copy = wsc_test_copy(none, strlen(none));
    assert_int_equal(wsc_page_read(&mem.alloc, copy, strlen(none), 1, &page,
                                   &reason),
                     WSC_OK);
    assert_int_equal(page.n, 0);
    assert_int_equal(page.chat_id.len, 0);
    wsc_page_free(&mem.alloc, &page);
    free(copy);

    copy = wsc_test_copy(bad, strlen(bad));
    assert_int_equal(wsc_page_read(&mem.alloc, copy, strlen(bad), 1, &page,
                                   &reason),
                     WSC_DECLINED);
    wsc_page_free(&mem.alloc, &page);
    free(copy);

    wsc_test_mem_check(&mem);
}


static void
test_refused(void **state)
{
    size_t           i;
    u_char          *copy;
    wsc_page_t       page;
    wsc_test_mem_t   mem;

    static const char *const  bad[] = {
        "",
        "[]",
        "1",
        "{\"messages\":1}",
        "{\"messages\":[1]}",
        "{\"chat_id\":1,\"messages\":[]}",
        "{\"messages\":{}}",
        "{\"messages\":[],\"complete_to\":1}",
        "{\"messages\":[],\"complete_to\":{\"seq\":-1}}",
        PAGE(ENTRY("0", "null")),
        PAGE(ENTRY("1.5", "null")),
        PAGE(ENTRY("9007199254740992", "null")),
        PAGE(ENTRY("3", "{\"epoch\":7,\"seq\":3}")),
        PAGE(ENTRY("3", "null") "," ENTRY("3", "null")),
        PAGE("{\"epoch\":1,\"seq\":1,\"sender\":\"a\"}"),
        PAGE("{\"epoch\":1,\"seq\":1,\"message\":1}"),
        PAGE("{\"epoch\":1,\"seq\":1,\"sender\":1,\"message\":1}"),
        PAGE("{\"epoch\":1,\"seq\":1,\"sender\":\"a\",\"message\":1,"
             "\"enc\":\"base64\"}"),
        PAGE("{\"epoch\":1,\"seq\":1,\"sender\":\"a\",\"message\":\"*\","
             "\"enc\":\"base64\"}")
    };

    for (i = 0; i < wsc_test_count(bad); i++) {
        wsc_test_mem_init(&mem, 0);

        assert_int_equal(page_read(&mem.alloc, bad[i], &copy, &page),
                         WSC_DECLINED);

        wsc_page_free(&mem.alloc, &page);
        wsc_test_mem_check(&mem);
        free(copy);
    }
}


static void
read_whole(wsc_test_mem_t *mem, void *data)
{
    u_char      *copy;
    ssize_t      rc;
    wsc_page_t   page;

    rc = page_read(&mem->alloc, whole, &copy, &page);
    assert_true(rc == WSC_OK || rc == WSC_ERROR);

    wsc_page_free(&mem->alloc, &page);
    free(copy);
}


static void
test_memory(void **state)
{
    assert_true(wsc_test_mem_fail(read_whole, NULL) > 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

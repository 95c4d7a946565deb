
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_prom.h"


static void
test_prom_same(wsc_buf_t *b, const char *text)
{
    assert_false(b->failed);
    assert_int_equal(b->len, strlen(text));
    assert_memory_equal(b->data, text, b->len);
}


static void
test_prom_samples(void **state)
{
    wsc_buf_t       b;
    wsc_test_mem_t  mem;

    wsc_prom_label_t  labels[] = {
        { "zone", wsc_string("a\"b\\c\nd\xc3\xab") },
        { "node", wsc_null_string },
        { NULL, wsc_null_string }
    };

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    wsc_prom_metric(&b, "x_open", WSC_PROM_GAUGE, "Open things.");
    wsc_prom_sample(&b, "x_open", NULL, 0);
    wsc_prom_sample(&b, "x_open", labels, UINT64_MAX);
    wsc_prom_sample(&b, "x_open", labels + 1, 7);
    wsc_prom_sample(&b, "x_open", labels + 2, 8);
    wsc_prom_metric(&b, "x_age_seconds", WSC_PROM_GAUGE, "How old.");
    wsc_prom_seconds(&b, "x_age_seconds", NULL, 0);
    wsc_prom_seconds(&b, "x_age_seconds", NULL, 1);
    wsc_prom_seconds(&b, "x_age_seconds", NULL, 1500000);
    wsc_prom_seconds(&b, "x_age_seconds", NULL, 20000000);
    wsc_prom_seconds(&b, "x_age_seconds", NULL, UINT64_MAX);
    wsc_prom_metric(&b, "x_total", WSC_PROM_COUNTER, "All.");
    wsc_prom_sample(&b, "x_total", NULL, 1);

    test_prom_same(&b,
                   "# HELP x_open Open things.\n"
                   "# TYPE x_open gauge\n"
                   "x_open 0\n"
                   "x_open{zone=\"a\\\"b\\\\c\\nd\xc3\xab\",node=\"\"} "
                   "18446744073709551615\n"
                   "x_open{node=\"\"} 7\n"
                   "x_open 8\n"
                   "# HELP x_age_seconds How old.\n"
                   "# TYPE x_age_seconds gauge\n"
                   "x_age_seconds 0\n"
                   "x_age_seconds 0.000001\n"
                   "x_age_seconds 1.5\n"
                   "x_age_seconds 20\n"
                   "x_age_seconds 18446744073709.551615\n"
                   "# HELP x_total All.\n"
                   "# TYPE x_total counter\n"
                   "x_total 1\n");

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static const char  test_prom_text[] =
    "h_seconds_bucket{zone=\"z\",le=\"0.0001\"} 2\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.00025\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.0005\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.001\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.0025\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.005\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.01\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.025\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.05\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.1\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.25\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"0.5\"} 3\n"
    "h_seconds_bucket{zone=\"z\",le=\"1\"} 4\n"
    "h_seconds_bucket{zone=\"z\",le=\"2.5\"} 4\n"
    "h_seconds_bucket{zone=\"z\",le=\"5\"} 4\n"
    "h_seconds_bucket{zone=\"z\",le=\"10\"} 4\n"
    "h_seconds_bucket{zone=\"z\",le=\"+Inf\"} 5\n"
    "h_seconds_count{zone=\"z\"} 5\n"
    "h_seconds_sum{zone=\"z\"} 11.000202\n";


static void
test_prom_histogram(void **state)
{
    wsc_buf_t       b;
    wsc_hist_t      h;
    wsc_test_mem_t  mem;

    wsc_prom_label_t  label = { "zone", wsc_string("z") };

    memset(&h, 0, sizeof(wsc_hist_t));

    wsc_hist_add(&h, 0);
    wsc_hist_add(&h, 100);
    wsc_hist_add(&h, 101);
    wsc_hist_add(&h, 1000000);
    wsc_hist_add(&h, 10000001);

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    wsc_prom_histogram(&b, "h_seconds", &label, &h);
    test_prom_same(&b, test_prom_text);

    b.len = 0;
    wsc_prom_histogram(&b, "h", NULL, &h);
    wsc_buf_byte(&b, '\0');
    assert_non_null(strstr((char *) b.data, "h_bucket{le=\"0.0001\"} 2\n"));
    assert_non_null(strstr((char *) b.data, "\nh_count 5\nh_sum 11.000202\n"));

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_prom_write(wsc_test_mem_t *mem, void *data)
{
    wsc_buf_t         b;
    wsc_hist_t        h;
    wsc_prom_label_t  label = { "zone", wsc_string("z") };

    memset(&h, 0, sizeof(wsc_hist_t));
    wsc_buf_init(&b, &mem->alloc);

    wsc_prom_metric(&b, "h", WSC_PROM_HISTOGRAM, "Times.");
    wsc_prom_histogram(&b, "h", &label, &h);

    assert_int_equal(b.failed, mem->fail_at && mem->fail_at <= mem->calls);
    wsc_buf_free(&b);
}


static void
test_prom_memory(void **state)
{
    assert_true(wsc_test_mem_fail(test_prom_write, NULL) >= 2);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_prom_samples),
        cmocka_unit_test(test_prom_histogram),
        cmocka_unit_test(test_prom_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

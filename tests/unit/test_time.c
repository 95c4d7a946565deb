
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Times and patterns of the daemons.
 */


#include <time.h>

#include "wsc_test.h"
#include "bk_pattern.h"
#include "wsc_time.h"


typedef struct {
    const char  *text;
    int64_t      ms;          /* -1: refused */
} test_time_t;


static const test_time_t  times[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "1970-01-01T00:00:00.001Z", 1 },
    { "2000-02-29T12:34:56.789Z", 951827696789 },
    { "2023-11-14T22:13:20.5Z", 1700000000500 },
    { "2023-11-14T22:13:20,25Z", 1700000000250 },
    { "2023-11-14T22:13:20.123456789Z", 1700000000123 },
    { "2023-11-15T00:13:20+02:00", 1700000000000 },
    { "2023-11-14T16:43:20-05:30", 1700000000000 },
    { "2016-12-31T23:59:60Z", 1483228800000 },
    { "9999-12-31T23:59:59.999Z", 253402300799999 },
    { "", -1 },
    { "2023-11-14", -1 },
    { "2023-11-14T22:13:20", -1 },
    { "2023-11-14 22:13:20Z", -1 },
    { "2023-11-14T22:13Z", -1 },
    { "2023-11-14T22:13:20.Z", -1 },
    { "2023-11-14T22:13:20Zx", -1 },
    { "2023-11-14T22:13:20+0200", -1 },
    { "2023-11-14T22:13:20+24:00", -1 },
    { "2023-13-14T22:13:20Z", -1 },
    { "2023-11-32T22:13:20Z", -1 },
    { "2023-00-14T22:13:20Z", -1 },
    { "2023-11-14T24:13:20Z", -1 },
    { "1969-12-31T23:59:59Z", -1 },
    { "1970-01-01T00:00:00+00:01", -1 },
    { "+023-11-14T22:13:20Z", -1 }
};


static void
test_parse(void **state)
{
    size_t      i;
    ssize_t     rc;
    uint64_t    ms;
    wsc_str_t   s;

    for (i = 0; i < wsc_test_count(times); i++) {
        s.len = strlen(times[i].text);
        s.data = wsc_test_copy(times[i].text, s.len);

        rc = wsc_time_parse(&s, &ms);

        assert_int_equal(rc, times[i].ms == -1 ? WSC_DECLINED : WSC_OK);

        if (rc == WSC_OK) {
            assert_int_equal(ms, times[i].ms);
        }

        free(s.data);
    }
}


/* Each day of eight thousand years, against the C library. */

static void
test_print(void **state)
{
    char        text[WSC_TIME_LEN + 1], other[64];
    time_t      sec;
    uint64_t    ms, again;
    wsc_str_t   s;
    struct tm   tm;

    text[WSC_TIME_LEN] = '\0';
    s.data = (u_char *) text;
    s.len = WSC_TIME_LEN;

    for (sec = 0; sec < 253402300800; sec += 86399) {
        ms = (uint64_t) sec * 1000 + sec % 1000;

        wsc_time_print((u_char *) text, ms);

        gmtime_r(&sec, &tm);
        strftime(other, sizeof(other), "%Y-%m-%dT%H:%M:%S", &tm);

        assert_memory_equal(text, other, 19);
        assert_int_equal(wsc_time_parse(&s, &again), WSC_OK);
        assert_int_equal(again, ms);
    }
}


typedef struct {
    const char  *pattern;
    const char  *name;
    int          match;
} test_pattern_t;


static const test_pattern_t  patterns[] = {
    { "*", "room", 1 }, { "room", "room", 1 }, { "room", "rooms", 0 },
    { "rooms", "room", 0 }, { "room-*", "room-", 1 },
    { "room-*", "room-1", 1 }, { "room-*", "room", 0 },
    { "*-x", "a-x-x", 1 }, { "*-x", "a-x-y", 0 }, { "a*b*c", "abc", 1 },
    { "a*b*c", "a1b2b3c", 1 }, { "a*b*c", "acb", 0 }, { "**", "x", 1 },
    { "", "x", 0 }, { "a*", "ba", 0 }, { "*aab", "aaab", 1 }
};


static void
test_pattern(void **state)
{
    size_t      i;
    wsc_str_t   s;

    for (i = 0; i < wsc_test_count(patterns); i++) {
        s.len = strlen(patterns[i].name);
        s.data = wsc_test_copy(patterns[i].name, s.len);

        assert_int_equal(bk_pattern_match(patterns[i].pattern, &s),
                         patterns[i].match);
        free(s.data);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_pattern)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

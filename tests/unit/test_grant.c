
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_grant.h"
#include "wsc_test.h"


static wsc_str_t
test_str(const char *text)
{
    wsc_str_t  s;

    s.data = (u_char *) text;
    s.len = strlen(text);

    return s;
}


static void
test_matches(void **state)
{
    size_t     i;
    wsc_str_t  pattern, id;

    static const struct {
        const char  *pattern;
        const char  *id;
        int          matches;
    } rows[] = {
        { "a", "a", 1 },
        { "a", "A", 0 },
        { "a", "ab", 0 },
        { "ab", "a", 0 },
        { "*", "a", 1 },
        { "*", "team:7@x-y_z.w", 1 },
        { "team.*", "team.", 1 },
        { "team.*", "team.a.b", 1 },
        { "team.*", "team", 0 },
        { "team.*", "xteam.a", 0 },
        { "*.team", "a.team", 1 },
        { "*.team", "a.team.b", 0 },
        { "a*z", "az", 1 },
        { "a*z", "abzcz", 1 },
        { "a*z", "abzc", 0 },
        { "a*b*c", "abc", 1 },
        { "a*b*c", "axbxbxc", 1 },
        { "a*b*c", "acb", 0 },
        { "**a**", "a", 1 },
        { "**a**", "b", 0 },
        { "*aab", "aaaab", 1 },
        { "a.c", "abc", 0 }
    };

    for (i = 0; i < wsc_test_count(rows); i++) {
        pattern = test_str(rows[i].pattern);
        id = test_str(rows[i].id);

        if (wsc_grant_matches(&pattern, &id) != rows[i].matches) {
            fail_msg("%s %s", rows[i].pattern, rows[i].id);
        }
    }
}


/* The worst of patterns ends soon. */

static void
test_backtracking(void **state)
{
    u_char     stars[255], as[128];
    size_t     i;
    wsc_str_t  pattern, id;

    for (i = 0; i < sizeof(stars); i++) {
        stars[i] = (i % 2) ? 'a' : '*';
    }

    stars[254] = 'b';
    memset(as, 'a', sizeof(as));

    pattern.data = stars;
    pattern.len = sizeof(stars);
    id.data = as;
    id.len = sizeof(as);

    for (i = 0; i < 10000; i++) {
        assert_int_equal(wsc_grant_matches(&pattern, &id), 0);
    }
}


static void
test_allows(void **state)
{
    wsc_str_t         a, b, team;
    wsc_grant_t      *g;
    wsc_test_mem_t    mem;
    wsc_jwt_claims_t  claims;

    wsc_test_mem_init(&mem, 0);
    memset(&claims, 0, sizeof(wsc_jwt_claims_t));

    a = test_str("a");
    b = test_str("b");
    team = test_str("team.1");

    assert_true(wsc_grant_allows(NULL, WSC_GRANT_JOIN, &a));

    /* nothing said: everything */

    claims.exp = 7;
    g = wsc_grant_create(&mem.alloc, &claims);

    assert_int_equal(g->exp, 7);
    assert_int_equal(g->info.len, 0);
    assert_true(wsc_grant_allows(g, WSC_GRANT_JOIN, &a));
    assert_true(wsc_grant_allows(g, WSC_GRANT_SEND, &a));

    wsc_free(&mem.alloc, g);

    claims.info = test_str("{\"a\":1}");
    claims.join = test_str("[\"a\", \"team.*\"]");
    claims.send = test_str("[\"\\u0061\"]");
    claims.moderate = 1;

    g = wsc_grant_create(&mem.alloc, &claims);

    assert_int_equal(g->moderate, 1);
    assert_int_equal(g->info.len, 7);
    assert_memory_equal(g->info.data, "{\"a\":1}", 7);
    assert_true(wsc_grant_allows(g, WSC_GRANT_JOIN, &a));
    assert_true(wsc_grant_allows(g, WSC_GRANT_JOIN, &team));
    assert_false(wsc_grant_allows(g, WSC_GRANT_JOIN, &b));
    assert_true(wsc_grant_allows(g, WSC_GRANT_SEND, &a));
    assert_false(wsc_grant_allows(g, WSC_GRANT_SEND, &team));

    wsc_free(&mem.alloc, g);

    /* an empty list: nothing */

    claims.join = test_str("[]");
    claims.send.data = NULL;
    claims.send.len = 0;

    g = wsc_grant_create(&mem.alloc, &claims);

    assert_false(wsc_grant_allows(g, WSC_GRANT_JOIN, &a));
    assert_true(wsc_grant_allows(g, WSC_GRANT_SEND, &a));

    wsc_free(&mem.alloc, g);
    wsc_test_mem_check(&mem);

    wsc_test_mem_init(&mem, 1);
    assert_null(wsc_grant_create(&mem.alloc, &claims));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_backtracking),
        cmocka_unit_test(test_allows)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_test_jwt.h"


#define TEST_SUB     "\"sub\":\"ann\""
#define TEST_EXP     "\"exp\":1000060"
#define TEST_BOTH    TEST_SUB "," TEST_EXP
#define TEST_TEN     "aaaaaaaaaa"
#define TEST_64      TEST_TEN TEST_TEN TEST_TEN TEST_TEN TEST_TEN TEST_TEN    \
                     "aaaa"
#define TEST_128     TEST_64 TEST_64
#define TEST_1024    TEST_128 TEST_128 TEST_128 TEST_128 TEST_128 TEST_128    \
                     TEST_128 TEST_128


static const struct {
    const char  *payload;
    ssize_t      rc;
}  test_rows[] = {
    { "{" TEST_BOTH "}", WSC_OK },
    { " {" TEST_BOTH ",\"other\":[1,{}]} ", WSC_OK },

    /* sub */
    { "{" TEST_EXP ",\"sub\":\"\\u00e4\\ud83d\\ude00 b\"}", WSC_OK },
    { "{" TEST_EXP ",\"sub\":\"" TEST_128 "\"}", WSC_OK },
    { "{" TEST_EXP ",\"sub\":\"" TEST_128 "a\"}", WSC_DECLINED },
    { "{" TEST_EXP "}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":\"\"}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":null}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":7}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":[\"ann\"]}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":{\"a\":1}}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":true}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":\"a\\nb\"}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":\"a\\u0000b\"}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":\"\\u0085\"}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":\"\\u007f\"}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":\"\\ud800\"}", WSC_DECLINED },
    { "{" TEST_EXP ",\"sub\":\"\xff\"}", WSC_DECLINED },
    { "{" TEST_BOTH "," TEST_SUB "}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"\\u0073ub\":\"bob\"}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"x\":{\"y\":1,\"y\":2}}", WSC_DECLINED },

    /* exp */
    { "{" TEST_SUB ",\"exp\":999971}", WSC_OK },
    { "{" TEST_SUB ",\"exp\":999971.5}", WSC_OK },
    { "{" TEST_SUB ",\"exp\":1.00006e6}", WSC_OK },
    { "{" TEST_SUB ",\"exp\":9007199254740991}", WSC_OK },
    { "{" TEST_SUB ",\"exp\":999970}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":0}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":-1}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":9007199254740992}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":1e300}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":1e999}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":\"1000060\"}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":null}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":true}", WSC_DECLINED },
    { "{" TEST_SUB ",\"exp\":[1000060]}", WSC_DECLINED },
    { "{" TEST_SUB "}", WSC_DECLINED },
    { "{" TEST_BOTH "," TEST_EXP "}", WSC_DECLINED },

    /* nbf and iat */
    { "{" TEST_BOTH ",\"nbf\":1000030,\"iat\":1000030}", WSC_OK },
    { "{" TEST_BOTH ",\"nbf\":0,\"iat\":0}", WSC_OK },
    { "{" TEST_BOTH ",\"nbf\":1000031}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"nbf\":\"0\"}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"nbf\":null}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"nbf\":-1}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"iat\":1000031}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"iat\":\"0\"}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"iat\":{}}", WSC_DECLINED },

    /* iss and aud, that nobody asks for here */
    { "{" TEST_BOTH ",\"iss\":\"x\",\"aud\":\"y\"}", WSC_OK },
    { "{" TEST_BOTH ",\"aud\":[\"y\",\"z\"]}", WSC_OK },
    { "{" TEST_BOTH ",\"aud\":[]}", WSC_OK },
    { "{" TEST_BOTH ",\"iss\":7}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"iss\":null}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"aud\":7}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"aud\":{\"y\":1}}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"aud\":[\"y\",7]}", WSC_DECLINED },

    /* info */
    { "{" TEST_BOTH ",\"info\":{\"name\":\"Ann\"}}", WSC_OK },
    { "{" TEST_BOTH ",\"info\":null}", WSC_OK },
    { "{" TEST_BOTH ",\"info\":\"" TEST_1024 "\"}", WSC_DECLINED },

    /* moderate */
    { "{" TEST_BOTH ",\"moderate\":true}", WSC_OK },
    { "{" TEST_BOTH ",\"moderate\":false}", WSC_OK },
    { "{" TEST_BOTH ",\"moderate\":1}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"moderate\":\"true\"}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"moderate\":null}", WSC_DECLINED },

    /* chat */
    { "{" TEST_BOTH ",\"chat\":{}}", WSC_OK },
    { "{" TEST_BOTH ",\"chat\":{\"join\":[],\"send\":[]}}", WSC_OK },
    { "{" TEST_BOTH ",\"chat\":{\"join\":[\"a.*\",\"*\",\"b\"]}}",
      WSC_OK },
    { "{" TEST_BOTH ",\"chat\":null}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":[]}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":\"*\"}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":{\"join\":\"*\"}}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":{\"join\":null}}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":{\"join\":[\"a\",1]}}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":{\"join\":[\"\"]}}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":{\"join\":[\"a b\"]}}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":{\"send\":{\"a\":1}}}", WSC_DECLINED },
    { "{" TEST_BOTH ",\"chat\":{\"send\":[\"" TEST_128 TEST_128 "\"]}}",
      WSC_DECLINED },

    /* no object at all */
    { "", WSC_DECLINED },
    { "null", WSC_DECLINED },
    { "[{" TEST_BOTH "}]", WSC_DECLINED },
    { "{" TEST_BOTH "}x", WSC_DECLINED },
    { "{" TEST_BOTH, WSC_DECLINED }
};


static ssize_t
test_claims(const wsc_jwt_policy_t *policy, const char *payload,
    wsc_jwt_claims_t *claims)
{
    ssize_t          rc;
    wsc_str_t        s;
    const char      *reason;
    wsc_test_mem_t   mem;

    static wsc_jwt_buf_t  buf;

    wsc_test_mem_init(&mem, 0);

    /* the claims point into the text */

    s.len = strlen(payload);
    s.data = buf.payload;
    memcpy(s.data, payload, s.len);

    rc = wsc_jwt_claims(policy, &mem.alloc, &s, TEST_NOW, &buf, claims,
                        &reason);

    assert_true(rc == WSC_OK || reason != NULL);
    wsc_test_mem_check(&mem);

    return rc;
}


static void
test_table(void **state)
{
    size_t             i;
    wsc_jwt_claims_t   claims;

    static const wsc_jwt_policy_t  policy;

    for (i = 0; i < wsc_test_count(test_rows); i++) {
        if (test_claims(&policy, test_rows[i].payload, &claims)
            != test_rows[i].rc)
        {
            fail_msg("%s", test_rows[i].payload);
        }
    }
}


static void
test_values(void **state)
{
    wsc_jwt_claims_t  claims;

    static const wsc_jwt_policy_t  policy;

    assert_int_equal(test_claims(&policy, "{\"sub\":\"Zo\\u00eb\","
                                 TEST_EXP ",\"moderate\":true,"
                                 "\"info\": {\"a\": 1} ,"
                                 "\"chat\":{\"send\":[\"x\"]}}", &claims),
                     WSC_OK);

    assert_int_equal(claims.sub.len, 4);
    assert_memory_equal(claims.sub.data, "Zo\xc3\xab", 4);
    assert_int_equal(claims.exp, 1000060);
    assert_int_equal(claims.moderate, 1);
    assert_int_equal(claims.info.len, 8);
    assert_memory_equal(claims.info.data, "{\"a\": 1}", 8);
    assert_null(claims.join.data);
    assert_int_equal(claims.send.len, 5);

    assert_int_equal(test_claims(&policy, "{" TEST_BOTH ",\"info\":null}",
                                 &claims), WSC_OK);
    assert_int_equal(claims.info.len, 0);
    assert_int_equal(claims.moderate, 0);
}


static void
test_parties(void **state)
{
    size_t             i;
    wsc_jwt_claims_t   claims;
    wsc_jwt_policy_t   policy;

    static const wsc_str_t  audiences[] = {
        wsc_string("chat"), wsc_string("h\xc3\xa9")
    };

    static const struct {
        const char  *payload;
        ssize_t      rc;
    } rows[] = {
        { "{" TEST_BOTH ",\"iss\":\"me\",\"aud\":\"chat\"}", WSC_OK },
        { "{" TEST_BOTH ",\"iss\":\"\\u006de\",\"aud\":[\"x\",\"h\\u00e9\"]}",
          WSC_OK },
        { "{" TEST_BOTH ",\"iss\":\"me\"}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":\"me\",\"aud\":[]}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":\"me\",\"aud\":\"Chat\"}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":\"me\",\"aud\":\"chats\"}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":\"me\",\"aud\":[\"x\"]}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":\"me\",\"aud\":[\"chat\",1]}",
          WSC_DECLINED },
        { "{" TEST_BOTH ",\"aud\":\"chat\"}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":\"Me\",\"aud\":\"chat\"}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":\"me/\",\"aud\":\"chat\"}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":\"\",\"aud\":\"chat\"}", WSC_DECLINED },
        { "{" TEST_BOTH ",\"iss\":[\"me\"],\"aud\":\"chat\"}", WSC_DECLINED }
    };

    memset(&policy, 0, sizeof(wsc_jwt_policy_t));

    policy.issuer.data = (u_char *) "me";
    policy.issuer.len = 2;
    policy.audiences = audiences;
    policy.naudiences = wsc_test_count(audiences);

    for (i = 0; i < wsc_test_count(rows); i++) {
        if (test_claims(&policy, rows[i].payload, &claims) != rows[i].rc) {
            fail_msg("%s", rows[i].payload);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_parties)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The rules one by one; all of them together are in test_epoch_model.c.
 */


#include "wsc_test.h"
#include "wsc_epoch.h"
#include "wsc_value.h"


#define REPLID  "0123456789abcdef0123456789abcdef01234567"
#define OTHER   "fedcba9876543210fedcba9876543210fedcba98"


static wsc_str_t
test_str(const char *text)
{
    wsc_str_t  s;

    s.data = (u_char *) text;
    s.len = strlen(text);

    return s;
}


static void
test_epoch_replid(void **state)
{
    u_char     replid[WSC_REPLID_LEN];
    wsc_str_t  s;

    s = test_str("# Replication\r\nrole:master\r\nmaster_replid:" REPLID
                 "\r\nmaster_replid2:" OTHER "\r\n");
    assert_int_equal(wsc_replid_find(&s, replid), WSC_OK);
    assert_memory_equal(replid, REPLID, WSC_REPLID_LEN);

    s = test_str("role:master\r\nno_master_replid:" REPLID "\r\n");
    assert_int_equal(wsc_replid_find(&s, replid), WSC_DECLINED);

    s = test_str("master_replid:0123");
    assert_int_equal(wsc_replid_find(&s, replid), WSC_DECLINED);

    s.len = 0;
    assert_int_equal(wsc_replid_find(&s, replid), WSC_DECLINED);
}


static void
test_epoch_inc(void **state)
{
    size_t      i, n;
    u_char      buf[WSC_INC_LEN];
    wsc_str_t   s;
    wsc_inc_t   inc;

    static const char  *bad[] = {
        "", "1", REPLID, REPLID " ", REPLID " x", REPLID " 1 ",
        REPLID "-500", REPLID " 9007199254740992"
    };

    s = test_str(REPLID " 500");
    assert_int_equal(wsc_inc_decide(&s, (u_char *) REPLID, 900, 700, &inc),
                     WSC_OK);
    assert_int_equal(inc.epoch, 500);

    n = wsc_inc_print(buf, &inc);
    assert_int_equal(n, s.len);
    assert_memory_equal(buf, s.data, n);

    /* another incarnation: above now, the old one and what was seen */

    assert_int_equal(wsc_inc_decide(&s, (u_char *) OTHER, 900, 0, &inc),
                     WSC_AGAIN);
    assert_int_equal(inc.epoch, 900);
    assert_memory_equal(inc.replid, OTHER, WSC_REPLID_LEN);

    assert_int_equal(wsc_inc_decide(&s, (u_char *) OTHER, 400, 0, &inc),
                     WSC_AGAIN);
    assert_int_equal(inc.epoch, 501);

    assert_int_equal(wsc_inc_decide(&s, (u_char *) OTHER, 400, 700, &inc),
                     WSC_AGAIN);
    assert_int_equal(inc.epoch, 701);

    assert_int_equal(wsc_inc_decide(NULL, (u_char *) REPLID, 400, 700, &inc),
                     WSC_AGAIN);
    assert_int_equal(inc.epoch, 701);

    for (i = 0; i < wsc_test_count(bad); i++) {
        s = test_str(bad[i]);
        assert_int_equal(wsc_inc_decide(&s, (u_char *) REPLID, 900, 0, &inc),
                         WSC_AGAIN);
        assert_int_equal(inc.epoch, 900);
    }
}


static void
test_epoch_chat(void **state)
{
    uint64_t   epoch;
    wsc_str_t  s;
    wsc_pos_t  none = { 0, 0 };
    wsc_pos_t  top = { 800, 3 };

    s = test_str("500");
    assert_int_equal(wsc_epoch_decide(&s, 500, &epoch), WSC_OK);
    assert_int_equal(epoch, 500);

    assert_int_equal(wsc_epoch_decide(&s, 501, &epoch), WSC_AGAIN);
    assert_int_equal(wsc_epoch_decide(NULL, 1, &epoch), WSC_AGAIN);

    s = test_str("50x");
    assert_int_equal(wsc_epoch_decide(&s, 1, &epoch), WSC_AGAIN);

    assert_int_equal(wsc_epoch_next(900, 500, 0, none), 900);
    assert_int_equal(wsc_epoch_next(400, 500, 0, none), 500);
    assert_int_equal(wsc_epoch_next(400, 500, 600, none), 601);
    assert_int_equal(wsc_epoch_next(400, 500, 600, top), 801);
}


static void
test_epoch_ids(void **state)
{
    size_t        i, n;
    u_char        buf[WSC_ID_LEN];
    wsc_str_t     s;
    wsc_pos_t     pos, prev;

    static const char  *bad[] = {
        "", "-", "1", "1-", "-1", "1-2-3", "1 2", "1-2 ", "x-1",
        "9007199254740992-1", "1-9007199254740991"
    };

    s = test_str("1700000000000-0");
    assert_int_equal(wsc_stream_id_parse(&s, &pos), WSC_OK);
    assert_int_equal(pos.epoch, 1700000000000);
    assert_int_equal(pos.seq, 1);
    assert_int_equal(wsc_stream_prev(pos, &prev), WSC_DECLINED);

    n = wsc_stream_id_print(buf, pos);
    assert_int_equal(n, s.len);
    assert_memory_equal(buf, s.data, n);

    pos.seq = 2;
    assert_int_equal(wsc_stream_prev(pos, &prev), WSC_OK);
    assert_int_equal(prev.epoch, pos.epoch);
    assert_int_equal(prev.seq, 1);

    for (i = 0; i < wsc_test_count(bad); i++) {
        s = test_str(bad[i]);
        assert_int_equal(wsc_stream_id_parse(&s, &pos), WSC_DECLINED);
    }
}


static void
test_epoch_dedupe(void **state)
{
    size_t        n;
    u_char        buf[WSC_ID_LEN];
    wsc_str_t     s;
    wsc_dedupe_t  d;

    s = test_str("1700000000000 0");
    assert_int_equal(wsc_dedupe_parse(&s, &d), WSC_OK);
    assert_int_equal(d.placed, 0);
    assert_int_equal(d.pos.seq, 0);

    n = wsc_dedupe_print(buf, &d);
    assert_int_equal(n, s.len);
    assert_memory_equal(buf, s.data, n);

    s = test_str("1700000000000-17");
    assert_int_equal(wsc_dedupe_parse(&s, &d), WSC_OK);
    assert_int_equal(d.placed, 1);
    assert_int_equal(d.pos.seq, 17);

    n = wsc_dedupe_print(buf, &d);
    assert_int_equal(n, s.len);
    assert_memory_equal(buf, s.data, n);

    s = test_str("1700000000000-0");
    assert_int_equal(wsc_dedupe_parse(&s, &d), WSC_DECLINED);

    s = test_str("17");
    assert_int_equal(wsc_dedupe_parse(&s, &d), WSC_DECLINED);
}


/* What Kafka's own client gives for these (org.apache.kafka.common.utils). */

static void
test_epoch_shard(void **state)
{
    size_t     i;
    wsc_str_t  s;

    static const struct {
        const char  *key;
        int32_t      hash;
    } keys[] = {
        { "21", -973932308 },
        { "foobar", -790332482 },
        { "a-little-bit-long-string", -985981536 },
        { "a-little-bit-longer-string", -1486304829 },
        { "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 }
    };

    for (i = 0; i < wsc_test_count(keys); i++) {
        s = test_str(keys[i].key);
        assert_int_equal(wsc_shard(&s, 1), 0);
        assert_int_equal(wsc_shard(&s, 64), (keys[i].hash & 0x7fffffff) % 64);
        assert_int_equal(wsc_shard(&s, INT32_MAX),
                         (keys[i].hash & 0x7fffffff) % INT32_MAX);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_epoch_replid),
        cmocka_unit_test(test_epoch_inc),
        cmocka_unit_test(test_epoch_chat),
        cmocka_unit_test(test_epoch_ids),
        cmocka_unit_test(test_epoch_dedupe),
        cmocka_unit_test(test_epoch_shard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_test.h"
#include "wsc_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define ID_A  "07c37dfeb235213a872192d90877d0cd55635b91"
#define ID_B  "67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1"
#define ID_C  "292f8b365bb7edb5e285caf0b7e6ddc7265d2f4f"

static const char  nodes[] =
    ID_A " 127.0.0.1:30001@31001,one.example myself,master - 0 0 1 connected"
         " 0-5460 16383 [93-<-" ID_B "] [77->-" ID_C "]\n"
    ID_B " ::1:30002@31002,,shard-id=69bc master - 0 1426238316232 2"
         " connected 5461-10922\n"
    ID_C " 10.0.0.3:30003@31003 master,fail - 0 1426238318243 3 disconnected"
         " 10923-16382\n"
    ID_C " 10.0.0.4:30004@31004 slave " ID_A " 0 1426238317239 4 connected\n"
    ID_C " :0@0 master,noaddr - 0 0 5 disconnected 5\n"
    ID_C " :30006@31006 master - 0 0 6 connected\n";


static wsc_cluster_map_t  map;


static wsc_str_t
text_of(const char *s)
{
    wsc_str_t  text;

    text.data = (u_char *) s;
    text.len = strlen(s);

    return text;
}


static ssize_t
read_nodes(const char *s)
{
    wsc_str_t  text;

    text = text_of(s);

    return wsc_cluster_read(&text, &map);
}


static unsigned
slot_of(const char *s)
{
    wsc_str_t  text;

    text = text_of(s);

    return wsc_cluster_slot(&text);
}


/* As CLUSTER KEYSLOT says. */

static void
test_cluster_slot(void **state)
{
    assert_int_equal(slot_of("123456789"), 0x31c3);
    assert_int_equal(slot_of(""), 0);
    assert_int_equal(slot_of("foo"), 12182);
    assert_int_equal(slot_of("wsc:{0}:inc"), slot_of("0"));
    assert_int_equal(slot_of("wsc:{0}:s:{1}"), slot_of("0"));
    assert_int_equal(slot_of("0"), 13907);
    assert_int_equal(slot_of("foo{}{bar}"), 8363);
    assert_int_equal(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    assert_int_equal(slot_of("foo{bar"), 15278);
    assert_int_equal(slot_of("{bar}"), slot_of("bar"));
}


/* Many tags are spread over three equal parts of the slots. */

static void
test_cluster_spread(void **state)
{
    char      key[16];
    unsigned  i, n[3] = { 0, 0, 0 };

    for (i = 0; i < 64; i++) {
        (void) snprintf(key, sizeof(key), "x:{%u}:", i);
        n[slot_of(key) * 3 / WSC_CLUSTER_SLOTS]++;
    }

    assert_in_range(n[0], 20, 23);
    assert_in_range(n[1], 20, 23);
    assert_in_range(n[2], 20, 23);
}


static void
test_cluster_read(void **state)
{
    assert_int_equal(read_nodes(nodes), WSC_OK);
    assert_int_equal(map.n, 3);

    assert_memory_equal(map.owners[0].ip.data, "127.0.0.1", 9);
    assert_int_equal(map.owners[0].ip.len, 9);
    assert_memory_equal(map.owners[0].host.data, "one.example", 11);
    assert_int_equal(map.owners[0].host.len, 11);
    assert_int_equal(map.owners[0].port, 30001);

    assert_memory_equal(map.owners[1].ip.data, "::1", 3);
    assert_int_equal(map.owners[1].ip.len, 3);
    assert_int_equal(map.owners[1].host.len, 0);
    assert_int_equal(map.owners[1].port, 30002);

    assert_int_equal(map.owners[2].port, 30003);

    assert_int_equal(map.slots[0], 1);
    assert_int_equal(map.slots[93], 1);
    assert_int_equal(map.slots[5460], 1);
    assert_int_equal(map.slots[5461], 2);
    assert_int_equal(map.slots[10922], 2);
    assert_int_equal(map.slots[10923], 3);
    assert_int_equal(map.slots[16382], 3);
    assert_int_equal(map.slots[16383], 1);
}


/* A node that knows nobody does not know its own address. */

static void
test_cluster_alone(void **state)
{
    assert_int_equal(read_nodes(ID_A " :7000@17000 myself,master - 0 0 0"
                                " connected 0-16383\n"), WSC_OK);
    assert_int_equal(map.n, 1);
    assert_int_equal(map.owners[0].ip.len, 0);
    assert_int_equal(map.owners[0].port, 7000);

    assert_int_equal(read_nodes(ID_A " :7000@17000 myself,master - 0 0 0"
                                " connected\n"), WSC_OK);
    assert_int_equal(map.n, 0);
    assert_int_equal(map.slots[0], 0);

    /* a server before 4.0 */
    assert_int_equal(read_nodes(ID_A " 1.2.3.4:7000 myself,master - 0 0 0"
                                " connected 7\r\n"), WSC_OK);
    assert_int_equal(map.slots[7], 1);
}


static void
test_cluster_bad(void **state)
{
    unsigned     i;
    const char  *bad[] = {
        "",
        "OK",
        ID_A " 1.2.3.4:7000@17000 master - 0 0 0\n",
        ID_A " 1.2.3.4@17000 master - 0 0 0 connected 1\n",
        ID_A " 1.2.3.4:@17000 master - 0 0 0 connected 1\n",
        ID_A " 1.2.3.4:0@17000 master - 0 0 0 connected 1\n",
        ID_A " 1.2.3.4:65536@17000 master - 0 0 0 connected 1\n",
        ID_A " 1.2.3.4:7a@17000 master - 0 0 0 connected 1\n",
        ID_A " , master - 0 0 0 connected 1\n",
        ID_A "  master - 0 0 0 connected 1\n",
        ID_A " 1.2.3.4:7000@17000 master - 0 0 0 connected 16384\n",
        ID_A " 1.2.3.4:7000@17000 master - 0 0 0 connected 1-16384\n",
        ID_A " 1.2.3.4:7000@17000 master - 0 0 0 connected 000001\n",
        ID_A " 1.2.3.4:7000@17000 master - 0 0 0 connected x\n",
        ID_A " 1.2.3.4:7000@17000 master - 0 0 0 connected -1\n",
        ID_A " 1.2.3.4:7000@17000 master - 0 0 0 connected 1-3 3\n",
        NULL
    };

    for (i = 0; bad[i]; i++) {
        assert_int_equal(read_nodes(bad[i]), WSC_DECLINED);
    }
}


/* Cut anywhere it is read or refused, and nothing behind it is looked at. */

static void
test_cluster_cut(void **state)
{
    size_t     len;
    u_char    *copy;
    wsc_str_t  text;

    for (len = 0; len < sizeof(nodes); len++) {
        copy = malloc(len ? len : 1);
        assert_non_null(copy);

        memcpy(copy, nodes, len);
        text.data = copy;
        text.len = len;

        (void) wsc_cluster_read(&text, &map);
        (void) wsc_cluster_ok(&text);
        (void) wsc_cluster_error(&text);
        (void) wsc_cluster_slot(&text);

        free(copy);
    }
}


static void
test_cluster_many(void **state)
{
    char      *p, *s;
    unsigned   i;

    s = malloc(100 * (WSC_CLUSTER_OWNERS + 1));
    assert_non_null(s);

    for (i = 0, p = s; i < WSC_CLUSTER_OWNERS; i++) {
        p += sprintf(p, ID_A " 1.2.3.4:%u@1 master - 0 0 0 connected %u\n",
                     i + 1, i);
    }

    assert_int_equal(read_nodes(s), WSC_OK);
    assert_int_equal(map.n, WSC_CLUSTER_OWNERS);
    assert_int_equal(map.slots[i - 1], WSC_CLUSTER_OWNERS);

    (void) sprintf(p, ID_A " 1.2.3.4:9@1 master - 0 0 0 connected %u\n", i);
    assert_int_equal(read_nodes(s), WSC_DECLINED);

    free(s);
}


static void
test_cluster_ok(void **state)
{
    wsc_str_t  text;

    text = text_of("cluster_state:ok\r\ncluster_slots_assigned:16384\r\n");
    assert_int_equal(wsc_cluster_ok(&text), 1);

    text = text_of("cluster_enabled:1\ncluster_state:ok");
    assert_int_equal(wsc_cluster_ok(&text), 1);

    text = text_of("cluster_state:fail\r\ncluster_slots_ok:0\r\n");
    assert_int_equal(wsc_cluster_ok(&text), 0);

    text = text_of("");
    assert_int_equal(wsc_cluster_ok(&text), 0);
}


static void
test_cluster_error(void **state)
{
    unsigned   i;
    wsc_str_t  text;

    static const struct {
        const char           *text;
        wsc_cluster_error_e   what;
    } errors[] = {
        { "MOVED 3999 127.0.0.1:6381", WSC_CLUSTER_MOVED },
        { "READONLY You can't write against a read only replica.",
          WSC_CLUSTER_MOVED },
        { "ASK 3999 127.0.0.1:6381", WSC_CLUSTER_LATER },
        { "TRYAGAIN Multiple keys request during rehashing of slot",
          WSC_CLUSTER_LATER },
        { "CLUSTERDOWN The cluster is down", WSC_CLUSTER_LATER },
        { "MASTERDOWN Link with MASTER is down", WSC_CLUSTER_LATER },
        { "LOADING Redis is loading the dataset in memory",
          WSC_CLUSTER_LATER },
        { "ASKED", WSC_CLUSTER_REFUSED },
        { "OOM command not allowed when used memory > 'maxmemory'.",
          WSC_CLUSTER_REFUSED },
        { "EXECABORT Transaction discarded because of previous errors.",
          WSC_CLUSTER_REFUSED },
        { "", WSC_CLUSTER_REFUSED }
    };

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        text = text_of(errors[i].text);
        assert_int_equal(wsc_cluster_error(&text), errors[i].what);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_cluster_slot),
        cmocka_unit_test(test_cluster_spread),
        cmocka_unit_test(test_cluster_read),
        cmocka_unit_test(test_cluster_alone),
        cmocka_unit_test(test_cluster_bad),
        cmocka_unit_test(test_cluster_cut),
        cmocka_unit_test(test_cluster_many),
        cmocka_unit_test(test_cluster_ok),
        cmocka_unit_test(test_cluster_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

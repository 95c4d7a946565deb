
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_handshake.h"
#include "wsc_test.h"
#include "wsc_token.h"


#define TEST_PMD  "permessage-deflate"
#define TEST_ANS  "permessage-deflate; server_no_context_takeover"


/* An exact copy of a text as a string, so that reading past it is seen. */

static wsc_str_t
test_str(const char *text)
{
    wsc_str_t  s;

    s.len = strlen(text);
    s.data = wsc_test_copy(text, s.len);

    return s;
}


static void
test_accept(void **state)
{
    u_char      accept[WSC_ACCEPT_LEN];
    size_t      i;
    wsc_str_t   key;

    static const struct {
        const char  *key;
        const char  *accept;          /* NULL: refused */
    } keys[] = {
        /* RFC 6455 section 1.3 */
        { "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
        { "x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk=" },
        { "AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI=" },
        { "/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g=" },
        { "", NULL },
        { "dGhlIHNhbXBsZSBub25jZQ", NULL },
        { "dGhlIHNhbXBsZSBub25jZQ=", NULL },
        { "dGhlIHNhbXBsZSBub25jZQ===", NULL },
        { "dGhlIHNhbXBsZSBub25jZQ= ", NULL },
        { " dGhlIHNhbXBsZSBub25jZQ=", NULL },
        { "dGhlIHNhbXBsZSBub25jZR==", NULL },       /* unused bits set */
        { "dGhlIHNhbXBsZSBub25jZf==", NULL },
        { "dGhlIHNhbXBsZSBub25jZQA=", NULL },       /* 17 octets */
        { "dGhlIHNhbXBsZSBub25jZQAA", NULL },       /* 18 octets */
        { "dGhlIHNhbXBsZSBub25jQ===", NULL },
        { "dGhlIHNhbXBsZS-ub25jZQ==", NULL },       /* base64url */
        { "dGhlIHNhbXBsZS_ub25jZQ==", NULL },
        { "dGhlIHNhb=BsZSBub25jZQ==", NULL },
        { "dGhlIHNhbXBsZSBub25j\xc3\xa9==", NULL }
    };

    for (i = 0; i < wsc_test_count(keys); i++) {
        key = test_str(keys[i].key);

        if (wsc_handshake_accept(&key, accept)
            != (keys[i].accept ? WSC_OK : WSC_DECLINED))
        {
            fail_msg("key \"%s\"", keys[i].key);
        }

        if (keys[i].accept) {
            assert_memory_equal(accept, keys[i].accept, WSC_ACCEPT_LEN);
        }

        free(key.data);
    }
}


/* Of the 64 digits at the end only those with four zero bits are canonical. */

static void
test_key_last_digit(void **state)
{
    size_t     i, good;
    u_char     accept[WSC_ACCEPT_LEN], text[] = "dGhlIHNhbXBsZSBub25jZQ==";
    wsc_str_t  key = { WSC_KEY_LEN, text };

    good = 0;

    for (i = 0; i < 256; i++) {
        text[21] = (u_char) i;
        good += (wsc_handshake_accept(&key, accept) == WSC_OK);
    }

    assert_int_equal(good, 4);
}


static void
test_token_chars(void **state)
{
    int  i;

    /* RFC 7230 section 3.2.6: visible but for these */

    for (i = 0; i < 256; i++) {
        assert_int_equal(wsc_token_char((u_char) i),
                         i > ' ' && i < 0x7f
                         && strchr("\"(),/:;<=>?@[\\]{}", i) == NULL);
    }
}


static void
test_token(void **state)
{
    size_t      i;
    wsc_str_t   list;

    static const struct {
        const char  *list;
        int          found;
    } lists[] = {
        { "Upgrade", 1 },
        { "upgrade", 1 },
        { "UPGRADE", 1 },
        { "keep-alive, Upgrade", 1 },
        { "Upgrade,keep-alive", 1 },
        { "keep-alive,\tupgrade \t, x", 1 },
        { " , ,, upgrade,", 1 },
        { "  upgrade  ", 1 },
        { "a/b, upgrade", 1 },
        { "\"x\", upgrade", 1 },
        { "upgrade, upgrade", 1 },
        { "", 0 },
        { ",", 0 },
        { " ", 0 },
        { "keep-alive", 0 },
        { "upgrades", 0 },
        { "xupgrade", 0 },
        { "upgrad", 0 },
        { "up grade", 0 },
        { "upgrade x", 0 },
        { "x upgrade", 0 },
        { "a/upgrade", 0 },
        { "upgrade/1", 0 },
        { "upgrade;", 0 },
        { "\"upgrade\"", 0 }
    };

    for (i = 0; i < wsc_test_count(lists); i++) {
        list = test_str(lists[i].list);

        if (wsc_handshake_token(&list, "upgrade") != lists[i].found) {
            fail_msg("list \"%s\"", lists[i].list);
        }

        free(list.data);
    }

    list.len = 0;
    list.data = NULL;
    assert_false(wsc_handshake_token(&list, "upgrade"));
}


static const struct {
    const char   *list;
    wsc_proto_e   proto;
    const char   *bearer;
    int           other;
    int           bad;
} test_protocols[] = {
    { "chat.v1.json", WSC_PROTO_JSON, "", 0, 0 },
    { "chat.v1.msgpack", WSC_PROTO_MSGPACK, "", 0, 0 },
    { "chat.v1.msgpack, chat.v1.json", WSC_PROTO_MSGPACK, "", 0, 0 },
    { "chat.v1.json,chat.v1.msgpack", WSC_PROTO_JSON, "", 0, 0 },
    { "chat.v2.json, chat.v1.json", WSC_PROTO_JSON, "", 1, 0 },
    { "mqtt", WSC_PROTO_NONE, "", 1, 0 },
    { "Chat.v1.json", WSC_PROTO_NONE, "", 1, 0 },
    { "chat.v1.jso", WSC_PROTO_NONE, "", 1, 0 },
    { "chat.v1.jsonx", WSC_PROTO_NONE, "", 1, 0 },
    { "bearer.a.b-c_d.e, chat.v1.json", WSC_PROTO_JSON, "a.b-c_d.e", 0,
      0 },
    { "chat.v1.msgpack , bearer.x", WSC_PROTO_MSGPACK, "x", 0, 0 },
    { "bearer.first, bearer.second", WSC_PROTO_NONE, "first", 0, 0 },
    { "bearer.x", WSC_PROTO_NONE, "x", 0, 0 },
    { "bearer.", WSC_PROTO_NONE, "", 1, 0 },
    { "bearer", WSC_PROTO_NONE, "", 1, 0 },
    { "Bearer.x", WSC_PROTO_NONE, "", 1, 0 },
    { " ,\tchat.v1.json ,, ", WSC_PROTO_JSON, "", 0, 0 },
    { "", WSC_PROTO_NONE, "", 0, 1 },
    { " , ", WSC_PROTO_NONE, "", 0, 1 },
    { "chat.v1.json chat.v1.msgpack", WSC_PROTO_JSON, "", 0, 1 },
    { "chat.v1.json;", WSC_PROTO_JSON, "", 0, 1 },
    { "chat/v1", WSC_PROTO_NONE, "", 1, 1 },
    { "\"chat.v1.json\"", WSC_PROTO_NONE, "", 0, 1 },
    { "chat.v1.json, @", WSC_PROTO_JSON, "", 0, 1 },
    { "\x7f", WSC_PROTO_NONE, "", 0, 1 },
    { "\xc3\xa9", WSC_PROTO_NONE, "", 0, 1 }
};


static void
test_protocol(void **state)
{
    int          other;
    size_t       i;
    ssize_t      rc;
    wsc_str_t    list, bearer;
    wsc_proto_e  proto;

    for (i = 0; i < wsc_test_count(test_protocols); i++) {
        list = test_str(test_protocols[i].list);
        proto = WSC_PROTO_NONE;
        bearer.len = 0;
        bearer.data = NULL;
        other = 0;

        rc = wsc_handshake_protocol(&list, &proto, &bearer, &other);

        if (rc != (test_protocols[i].bad ? WSC_DECLINED : WSC_OK)) {
            fail_msg("list \"%s\": %zd", test_protocols[i].list, rc);
        }

        if (rc == WSC_OK
            && (proto != test_protocols[i].proto
                || other != test_protocols[i].other
                || bearer.len != strlen(test_protocols[i].bearer)
                || strncmp(bearer.len ? (char *) bearer.data : "",
                           test_protocols[i].bearer, bearer.len)
                   != 0))
        {
            fail_msg("list \"%s\": %d, other %d", test_protocols[i].list,
                     proto, other);
        }

        free(list.data);
    }
}


static void
test_protocol_lines(void **state)
{
    int          other;
    wsc_str_t    bearer = wsc_null_string;
    wsc_proto_e  proto;

    static const wsc_str_t  first = wsc_string("bearer.t, mqtt");
    static const wsc_str_t  second = wsc_string("chat.v1.msgpack, bearer.u");
    static const wsc_str_t  third = wsc_string("chat.v1.json");

    proto = WSC_PROTO_NONE;
    other = 0;

    wsc_handshake_protocol(&first, &proto, &bearer, &other);
    wsc_handshake_protocol(&second, &proto, &bearer, &other);
    wsc_handshake_protocol(&third, &proto, &bearer, &other);

    assert_int_equal(proto, WSC_PROTO_MSGPACK);
    assert_int_equal(bearer.len, 1);
    assert_ptr_equal(bearer.data, first.data + 7);
    assert_int_equal(other, 1);
}


/* answer: NULL: declined; "": not the grammar. */

static const struct {
    const char  *offer;
    int          window;
    const char  *answer;
    int          server, client, client_no;
} test_offers[] = {

    { TEST_PMD, 15, TEST_ANS, 15, 15, 0 },
    { TEST_PMD, 12, TEST_ANS "; server_max_window_bits=12", 12, 15, 0 },
    { "  " TEST_PMD "\t", 15, TEST_ANS, 15, 15, 0 },
    { "," TEST_PMD ",,", 15, TEST_ANS, 15, 15, 0 },

    { TEST_PMD "; server_no_context_takeover", 15, TEST_ANS, 15, 15, 0 },
    { TEST_PMD "; client_no_context_takeover", 15,
      TEST_ANS "; client_no_context_takeover", 15, 15, 1 },
    { TEST_PMD ";server_no_context_takeover;client_no_context_takeover", 15,
      TEST_ANS "; client_no_context_takeover", 15, 15, 1 },
    { TEST_PMD "; server_no_context_takeover=1", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_no_context_takeover=true", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_no_context_takeover=\"\\1\"", 15, NULL, 0, 0, 0 },

    { TEST_PMD "; client_max_window_bits", 15, TEST_ANS, 15, 15, 0 },
    { TEST_PMD "; client_max_window_bits=15", 15,
      TEST_ANS "; client_max_window_bits=15", 15, 15, 0 },
    { TEST_PMD "; client_max_window_bits=10", 15,
      TEST_ANS "; client_max_window_bits=10", 15, 10, 0 },
    { TEST_PMD "; client_max_window_bits=8", 15,
      TEST_ANS "; client_max_window_bits=8", 15, 8, 0 },
    { TEST_PMD "; client_max_window_bits=\"9\"", 15,
      TEST_ANS "; client_max_window_bits=9", 15, 9, 0 },
    { TEST_PMD "; client_max_window_bits=\"1\\1\"", 15,
      TEST_ANS "; client_max_window_bits=11", 15, 11, 0 },
    { TEST_PMD " ; client_max_window_bits = 12", 15,
      TEST_ANS "; client_max_window_bits=12", 15, 12, 0 },
    { TEST_PMD "; client_max_window_bits=7", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=16", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=0", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=08", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=010", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=100", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=+9", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=-9", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=1e1", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=a", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=99999999999999999999", 15, NULL,
      0, 0, 0 },

    { TEST_PMD "; server_max_window_bits=15", 15,
      TEST_ANS "; server_max_window_bits=15", 15, 15, 0 },
    { TEST_PMD "; server_max_window_bits=9", 15,
      TEST_ANS "; server_max_window_bits=9", 9, 15, 0 },
    { TEST_PMD "; server_max_window_bits=14", 11,
      TEST_ANS "; server_max_window_bits=11", 11, 15, 0 },
    { TEST_PMD "; server_max_window_bits=10", 11,
      TEST_ANS "; server_max_window_bits=10", 10, 15, 0 },
    { TEST_PMD "; server_max_window_bits=\"13\"", 15,
      TEST_ANS "; server_max_window_bits=13", 13, 15, 0 },
    { TEST_PMD "; server_max_window_bits", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; server_max_window_bits=8", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; server_max_window_bits=16", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; server_max_window_bits=09", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; server_max_window_bits=x", 15, NULL, 0, 0, 0 },

    { TEST_PMD "; server_max_window_bits=12; client_max_window_bits=9"
      "; client_no_context_takeover; server_no_context_takeover", 15,
      TEST_ANS "; client_no_context_takeover; server_max_window_bits=12"
      "; client_max_window_bits=9", 12, 9, 1 },

    { TEST_PMD "; client_max_window_bits; client_max_window_bits", 15, NULL,
      0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=9; client_max_window_bits=9", 15,
      NULL, 0, 0, 0 },
    { TEST_PMD "; server_max_window_bits=9; server_max_window_bits=10", 15,
      NULL, 0, 0, 0 },
    { TEST_PMD "; server_no_context_takeover; server_no_context_takeover",
      15, NULL, 0, 0, 0 },
    { TEST_PMD "; client_no_context_takeover; client_no_context_takeover",
      15, NULL, 0, 0, 0 },
    { TEST_PMD "; unknown", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; unknown=1; client_max_window_bits", 15, NULL, 0, 0, 0 },
    { TEST_PMD "; Client_max_window_bits", 15, NULL, 0, 0, 0 },

    { "x-webkit-deflate-frame", 15, NULL, 0, 0, 0 },
    { "Permessage-Deflate", 15, NULL, 0, 0, 0 },
    { TEST_PMD "x", 15, NULL, 0, 0, 0 },
    { "permessage-bzip2; method=\"a\", " TEST_PMD, 15, TEST_ANS, 15, 15, 0 },
    { "foo; client_max_window_bits=99, " TEST_PMD, 15, TEST_ANS, 15, 15, 0 },
    { "foo;a;a;a=\"b\\\\c\"", 15, "", 0, 0, 0 },
    { "foo; a=\"b c\"", 15, "", 0, 0, 0 },
    { TEST_PMD "; server_max_window_bits=8, " TEST_PMD, 15, TEST_ANS, 15, 15,
      0 },
    { TEST_PMD "; server_max_window_bits=10, " TEST_PMD, 15,
      TEST_ANS "; server_max_window_bits=10", 10, 15, 0 },
    { TEST_PMD "; unknown, " TEST_PMD "; client_no_context_takeover, "
      TEST_PMD, 15, TEST_ANS "; client_no_context_takeover", 15, 15, 1 },
    { TEST_PMD "; client_max_window_bits, bar", 15, TEST_ANS, 15, 15, 0 },

    { "", 15, NULL, 0, 0, 0 },
    { " , ", 15, NULL, 0, 0, 0 },
    { ";", 15, "", 0, 0, 0 },
    { "=", 15, "", 0, 0, 0 },
    { TEST_PMD ";", 15, "", 0, 0, 0 },
    { TEST_PMD "; ;client_max_window_bits", 15, "", 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=", 15, "", 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=\"\"", 15, "", 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=\"10", 15, "", 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=\"10\\", 15, "", 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=\"", 15, "", 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=10\"", 15, "", 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits=10 11", 15, "", 0, 0, 0 },
    { TEST_PMD "; client_max_window_bits 10", 15, "", 0, 0, 0 },
    { TEST_PMD "; =10", 15, "", 0, 0, 0 },
    { TEST_PMD " " TEST_PMD, 15, "", 0, 0, 0 },
    { TEST_PMD ", /", 15, "", 0, 0, 0 },
    { "/, " TEST_PMD, 15, "", 0, 0, 0 },
    { "\"" TEST_PMD "\"", 15, "", 0, 0, 0 },
    { "\xff\xfe", 15, "", 0, 0, 0 },
    { TEST_PMD "; a=\xc3\xa9", 15, "", 0, 0, 0 },
    { TEST_PMD "\r\n", 15, "", 0, 0, 0 },
    { "{}", 15, "", 0, 0, 0 }
};


static void
test_deflate_offers(void **state)
{
    int                    expected;
    size_t                 i, len;
    u_char                 out[WSC_EXTENSION_LEN];
    ssize_t                rc;
    wsc_str_t              offer;
    const char            *answer;
    wsc_deflate_params_t   p;

    assert_true(wsc_test_count(test_offers) >= 60);

    for (i = 0; i < wsc_test_count(test_offers); i++) {
        offer = test_str(test_offers[i].offer);
        answer = test_offers[i].answer;
        expected = (answer == NULL) ? WSC_DECLINED
                   : (*answer == '\0') ? WSC_ERROR : WSC_OK;

        rc = wsc_handshake_deflate(&offer, test_offers[i].window,
                                   WSC_TAKEOVER_CLIENT, &p, out, &len);
        free(offer.data);

        if (rc != expected) {
            fail_msg("offer \"%s\": %zd", test_offers[i].offer, rc);
        }

        if (rc != WSC_OK) {
            continue;
        }

        if (len != strlen(answer) || memcmp(out, answer, len) != 0
            || p.server_window != (unsigned) test_offers[i].server
            || p.client_window != (unsigned) test_offers[i].client
            || p.client_no_takeover != (unsigned) test_offers[i].client_no
            || !p.server_no_takeover)
        {
            fail_msg("offer \"%s\": \"%.*s\"", test_offers[i].offer,
                     (int) len, out);
        }
    }
}


static void
test_longest_answer(void **state)
{
    size_t                len;
    u_char                out[WSC_EXTENSION_LEN];
    wsc_deflate_params_t  p;

    static const wsc_str_t  offer = wsc_string(TEST_PMD
        "; server_max_window_bits=10; client_max_window_bits=10"
        "; client_no_context_takeover; server_no_context_takeover");

    assert_int_equal(wsc_handshake_deflate(&offer, 15, 0, &p, out, &len),
                     WSC_OK);
    assert_int_equal(len, offer.len);
    assert_true(len < WSC_EXTENSION_LEN);

    /* the client accepts what the server says */
    assert_int_equal(wsc_handshake_answer(&offer, &p), WSC_OK);
}


/* The server wants to keep its context, and the client to keep none. */

static void
test_takeover(void **state)
{
    size_t                len;
    u_char                out[WSC_EXTENSION_LEN];
    wsc_str_t             answer;
    wsc_deflate_params_t  p;

    static const wsc_str_t  offer = wsc_string(TEST_PMD),
        wanted = wsc_string(TEST_PMD "; client_no_context_takeover"),
        without = wsc_string(TEST_PMD "; server_no_context_takeover");

    assert_int_equal(wsc_handshake_deflate(&offer, 15, WSC_TAKEOVER_SERVER,
                                           &p, out, &len),
                     WSC_OK);
    assert_int_equal(len, wanted.len);
    assert_memory_equal(out, wanted.data, len);
    assert_false(p.server_no_takeover);
    assert_true(p.client_no_takeover);

    answer.data = out;
    answer.len = len;

    assert_int_equal(wsc_handshake_answer(&answer, &p), WSC_OK);
    assert_false(p.server_no_takeover);
    assert_true(p.client_no_takeover);

    assert_int_equal(wsc_handshake_deflate(&without, 15, WSC_TAKEOVER_SERVER,
                                           &p, out, &len),
                     WSC_OK);
    assert_int_equal(len, strlen(TEST_ANS "; client_no_context_takeover"));
    assert_true(p.server_no_takeover);
}


static void
test_answer(void **state)
{
    size_t                 i;
    ssize_t                rc;
    wsc_str_t              value;
    wsc_deflate_params_t   p;

    static const struct {
        const char  *value;
        int          server, client, server_no, client_no;   /* 0: refused */
    } answers[] = {
        { TEST_PMD, 15, 15, 0, 0 },
        { TEST_ANS, 15, 15, 1, 0 },
        { TEST_PMD "; client_no_context_takeover", 15, 15, 0, 1 },
        { TEST_PMD "; server_max_window_bits=8", 8, 15, 0, 0 },
        { TEST_PMD "; server_max_window_bits=\"12\"", 12, 15, 0, 0 },
        { TEST_PMD "; client_max_window_bits=9", 15, 9, 0, 0 },
        { TEST_ANS "; client_max_window_bits=15; server_max_window_bits=10",
          10, 15, 1, 0 },
        { TEST_PMD "; client_max_window_bits", 0, 0, 0, 0 },
        { TEST_PMD "; server_max_window_bits", 0, 0, 0, 0 },
        { TEST_PMD "; client_max_window_bits=7", 0, 0, 0, 0 },
        { TEST_PMD "; server_no_context_takeover=1", 0, 0, 0, 0 },
        { TEST_ANS "; server_no_context_takeover", 0, 0, 0, 0 },
        { TEST_PMD "; unknown", 0, 0, 0, 0 },
        { TEST_PMD ", " TEST_PMD, 0, 0, 0, 0 },
        { TEST_PMD ", foo", 0, 0, 0, 0 },
        { TEST_PMD ";", 0, 0, 0, 0 },
        { TEST_PMD " x", 0, 0, 0, 0 },
        { "foo", 0, 0, 0, 0 },
        { "", 0, 0, 0, 0 },
        { ";", 0, 0, 0, 0 }
    };

    for (i = 0; i < wsc_test_count(answers); i++) {
        value = test_str(answers[i].value);
        rc = wsc_handshake_answer(&value, &p);
        free(value.data);

        if (rc != (answers[i].server ? WSC_OK : WSC_ERROR)) {
            fail_msg("answer \"%s\": %zd", answers[i].value, rc);
        }

        if (rc == WSC_OK) {
            assert_int_equal(p.server_window, answers[i].server);
            assert_int_equal(p.client_window, answers[i].client);
            assert_int_equal(p.server_no_takeover, answers[i].server_no);
            assert_int_equal(p.client_no_takeover, answers[i].client_no);
        }
    }
}


/* Long values take linear time and no recursion. */

static void
test_long(void **state)
{
    u_char                *data, out[WSC_EXTENSION_LEN];
    size_t                 i, len;
    wsc_str_t              list;
    wsc_deflate_params_t   p;

    list.len = 1 << 20;
    data = malloc(list.len);
    assert_non_null(data);
    list.data = data;

    for (i = 0; i < list.len; i++) {
        data[i] = (i & 1) ? ',' : 'a';
    }

    assert_int_equal(wsc_handshake_deflate(&list, 15, 0, &p, out, &len),
                     WSC_DECLINED);
    assert_false(wsc_handshake_token(&list, "upgrade"));

    memset(data, ';', list.len);
    assert_int_equal(wsc_handshake_deflate(&list, 15, 0, &p, out, &len),
                     WSC_ERROR);

    memset(data, ' ', list.len);
    assert_int_equal(wsc_handshake_deflate(&list, 15, 0, &p, out, &len),
                     WSC_DECLINED);
    assert_false(wsc_handshake_token(&list, "upgrade"));

    free(data);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_key_last_digit),
        cmocka_unit_test(test_token_chars),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_protocol),
        cmocka_unit_test(test_protocol_lines),
        cmocka_unit_test(test_deflate_offers),
        cmocka_unit_test(test_longest_answer),
        cmocka_unit_test(test_takeover),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_long)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

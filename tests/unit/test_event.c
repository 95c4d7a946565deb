
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Events against the golden ones of tests/vectors/events, which other
 * libraries made; and the writer.  Run from the top of the tree.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_event_state.h"
#include "wsc_json.h"
#include "wsc_msgpack.h"
#include "wsc_writer.h"


#define TEST_EPOCH  1700000000000
#define TEST_LAST   (WSC_MAX_INTEGER - 1)
#define TEST_N      17


typedef void (*test_event_pt)(wsc_buf_t *b, wsc_enc_e enc);


static void test_golden(void **state);
static void test_valid(void **state);
static void test_appends(void **state);
static void test_entry_size(void **state);
static void test_one_allocation(void **state);
static void test_memory(void **state);
static void test_errors(void **state);
static void test_writer(void **state);
static void test_writer_misuse(void **state);


static void event_welcome(wsc_buf_t *b, wsc_enc_e enc);
static void event_welcome_limits(wsc_buf_t *b, wsc_enc_e enc);
static void event_welcome_on(wsc_buf_t *b, wsc_enc_e enc, wsc_welcome_t *w,
    const wsc_terms_t *terms);
static void event_joined_empty(wsc_buf_t *b, wsc_enc_e enc);
static void event_joined(wsc_buf_t *b, wsc_enc_e enc);
static void event_joined_lost(wsc_buf_t *b, wsc_enc_e enc);
static void event_left(wsc_buf_t *b, wsc_enc_e enc);
static void event_ack(wsc_buf_t *b, wsc_enc_e enc);
static void event_ack_dup(wsc_buf_t *b, wsc_enc_e enc);
static void event_ack_unplaced(wsc_buf_t *b, wsc_enc_e enc);
static void event_pong(wsc_buf_t *b, wsc_enc_e enc);
static void event_history(wsc_buf_t *b, wsc_enc_e enc);
static void event_history_long(wsc_buf_t *b, wsc_enc_e enc);
static void event_message(wsc_buf_t *b, wsc_enc_e enc);
static void event_joined_updates(wsc_buf_t *b, wsc_enc_e enc);
static void event_message_edited(wsc_buf_t *b, wsc_enc_e enc);
static void event_message_retracted(wsc_buf_t *b, wsc_enc_e enc);
static void event_update(wsc_buf_t *b, wsc_enc_e enc);
static void event_update_binary(wsc_buf_t *b, wsc_enc_e enc);
static void event_update_retracted(wsc_buf_t *b, wsc_enc_e enc);
static void event_ack_change(wsc_buf_t *b, wsc_enc_e enc);
static void event_message_first(wsc_buf_t *b, wsc_enc_e enc);
static void event_message_binary(wsc_buf_t *b, wsc_enc_e enc);
static void event_message_limits(wsc_buf_t *b, wsc_enc_e enc);
static void event_gap(wsc_buf_t *b, wsc_enc_e enc);
static void event_joined_state(wsc_buf_t *b, wsc_enc_e enc);
static void event_presence(wsc_buf_t *b, wsc_enc_e enc);
static void event_presence_page(wsc_buf_t *b, wsc_enc_e enc);
static void event_presence_after(wsc_buf_t *b, wsc_enc_e enc);
static void event_typing(wsc_buf_t *b, wsc_enc_e enc);
static void event_typing_off(wsc_buf_t *b, wsc_enc_e enc);
static void event_mark(wsc_buf_t *b, wsc_enc_e enc);
static void event_mark_delivered(wsc_buf_t *b, wsc_enc_e enc);
static void event_marks_page(wsc_buf_t *b, wsc_enc_e enc);
static void event_signal(wsc_buf_t *b, wsc_enc_e enc);
static void event_signal_binary(wsc_buf_t *b, wsc_enc_e enc);
static void event_settled(wsc_buf_t *b, wsc_enc_e enc);
static void event_notice(wsc_buf_t *b, wsc_enc_e enc);
static void event_ok(wsc_buf_t *b, wsc_enc_e enc);
static void event_kicked(wsc_buf_t *b, wsc_enc_e enc);
static void event_reconnect(wsc_buf_t *b, wsc_enc_e enc);
static void event_error(wsc_buf_t *b, wsc_enc_e enc);
static void event_error_bare(wsc_buf_t *b, wsc_enc_e enc);


static const struct {
    const char     *name;
    test_event_pt   write;
} events[] = {
    { "welcome", event_welcome },
    { "welcome_limits", event_welcome_limits },
    { "joined_empty", event_joined_empty },
    { "joined", event_joined },
    { "joined_lost", event_joined_lost },
    { "left", event_left },
    { "ack", event_ack },
    { "ack_dup", event_ack_dup },
    { "ack_unplaced", event_ack_unplaced },
    { "pong", event_pong },
    { "history", event_history },
    { "history_long", event_history_long },
    { "message", event_message },
    { "message_first", event_message_first },
    { "message_binary", event_message_binary },
    { "message_limits", event_message_limits },
    { "joined_updates", event_joined_updates },
    { "message_edited", event_message_edited },
    { "message_retracted", event_message_retracted },
    { "update", event_update },
    { "update_binary", event_update_binary },
    { "update_retracted", event_update_retracted },
    { "ack_change", event_ack_change },
    { "gap", event_gap },
    { "joined_state", event_joined_state },
    { "presence", event_presence },
    { "presence_page", event_presence_page },
    { "presence_after", event_presence_after },
    { "typing", event_typing },
    { "typing_off", event_typing_off },
    { "mark", event_mark },
    { "mark_delivered", event_mark_delivered },
    { "marks_page", event_marks_page },
    { "signal", event_signal },
    { "signal_binary", event_signal_binary },
    { "settled", event_settled },
    { "notice", event_notice },
    { "ok", event_ok },
    { "kicked", event_kicked },
    { "reconnect", event_reconnect },
    { "error", event_error },
    { "error_bare", event_error_bare }
};


static wsc_str_t  lobby = wsc_string("lobby");
static wsc_str_t  c1 = wsc_string("c1");


static const wsc_entry_t  entries[] = {
    {
        { TEST_EPOCH, 1 }, { 0, 0 }, 1700000001234,
        wsc_string("ann"), wsc_string("c1"),
        { wsc_string("\"hello\""), 0 }, 0, 0
    },
    {
        { TEST_EPOCH, 2 }, { TEST_EPOCH, 1 }, 1700000001234,
        wsc_string("Zo\xc3\xab \"Z\" \xe2\x82\xac"), wsc_string("\"c\\2\""),
        { wsc_string("{ \"a\" : [1.50, \"\\u00e9\\ud83d\\ude00\\/\"] }"), 0 },
        0, 0
    },
    {
        { TEST_EPOCH, 3 }, { TEST_EPOCH - 1, TEST_LAST }, 1700000001234,
        wsc_string("ann"), wsc_string("c1"),
        { wsc_string("\x00\xff\x10" "octets"), 1 }, 0, 0
    }
};


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_entry_size),
        cmocka_unit_test(test_one_allocation),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_writer),
        cmocka_unit_test(test_writer_misuse)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


static void
event_welcome(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_terms_t    terms = {
        wsc_string("node1"), 30000, 65536, 64, 20, 40, 1000, 86400, 0, 0, 0
    };
    wsc_welcome_t  w = {
        wsc_string("Zo\xc3\xab \"Z\" \xe2\x82\xac"), wsc_string("s-1"),
        wsc_null_string, 1700000000123
    };

    event_welcome_on(b, enc, &w, &terms);
}


static void
event_welcome_limits(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_terms_t    terms = {
        wsc_string("node1"), 30000, 65536, 64, 0, 0, 1000, 86400, 30000, 8, 100
    };
    wsc_welcome_t  w = {
        wsc_string("ann"), wsc_string("s-1"), wsc_null_string, 1700000000123
    };

    event_welcome_on(b, enc, &w, &terms);
}


static void
event_welcome_on(wsc_buf_t *b, wsc_enc_e enc, wsc_welcome_t *w,
    const wsc_terms_t *terms)
{
    wsc_buf_t  text;

    wsc_buf_init(&text, b->alloc);
    wsc_event_terms(&text, enc, terms);

    w->terms.data = text.data;
    w->terms.len = text.len;

    wsc_event_welcome(b, enc, w);

    b->failed |= text.failed;
    wsc_buf_free(&text);
}


static void
event_joined_empty(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t      id = { WSC_ID_INTEGER, 1, wsc_null_string };
    wsc_joined_t  j = { { TEST_EPOCH, 0 }, NULL, 0, NULL, 0, 0, NULL, NULL,
                        NULL, NULL, wsc_null_string, 0,
                        NULL, 0 };

    wsc_event_joined(b, enc, &id, &lobby, &j);
}


static void
event_joined(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t      id = { WSC_ID_STRING, 0, wsc_string("x\"\xc3\xa9") };
    wsc_joined_t  j = { { TEST_EPOCH, 3 }, entries, 3, NULL, 1, 1, NULL,
                        NULL, NULL, NULL, wsc_null_string, 0,
                        NULL, 0 };

    wsc_event_joined(b, enc, &id, &lobby, &j);
}


static void
event_joined_lost(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t      id = { WSC_ID_NONE, 0, wsc_null_string };
    wsc_joined_t  j = { { TEST_EPOCH, 3 }, &entries[2], 1, "too_old", 0, 0,
                        NULL, NULL, NULL, NULL, wsc_null_string, 0,
                        NULL, 0 };

    wsc_event_joined(b, enc, &id, &lobby, &j);
}


static void
event_left(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t  id = { WSC_ID_INTEGER, -7, wsc_null_string };

    wsc_event_left(b, enc, &id, &lobby);
}


static void
event_ack(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t   id = { WSC_ID_INTEGER, TEST_LAST, wsc_null_string };
    wsc_pos_t  pos = { TEST_EPOCH, 128 };

    wsc_event_ack(b, enc, &id, &lobby, &c1, 1700000001234, &pos, 0);
}


static void
event_ack_dup(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t   id = { WSC_ID_INTEGER, -(int64_t) TEST_LAST, wsc_null_string };
    wsc_pos_t  pos = { TEST_EPOCH, 65536 };

    wsc_event_ack(b, enc, &id, &lobby, &c1, 1700000001234, &pos, 1);
}


static void
event_ack_unplaced(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t  id = { WSC_ID_STRING, 0, wsc_string("") };

    wsc_event_ack(b, enc, &id, &lobby, &c1, 1700000001234, NULL, 0);
}


static void
event_ack_change(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t   id = { WSC_ID_INTEGER, 3, wsc_null_string };
    wsc_str_t  none = wsc_null_string;
    wsc_pos_t  pos = { TEST_EPOCH, 2 };

    wsc_event_ack(b, enc, &id, &lobby, &none, 1700000001234, &pos, 0);
}


static void
event_pong(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t  id = { WSC_ID_INTEGER, 0, wsc_null_string };

    wsc_event_pong(b, enc, &id);
}


static void
event_history(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t       id = { WSC_ID_INTEGER, 256, wsc_null_string };
    wsc_history_t  h = { entries, 2, { TEST_EPOCH, 2 }, 1 };

    wsc_event_history(b, enc, &id, &lobby, &h);
}


static void
event_history_long(wsc_buf_t *b, wsc_enc_e enc)
{
    int            i;
    char           text[TEST_N][8];
    wsc_id_t       id = { WSC_ID_INTEGER, 1, wsc_null_string };
    wsc_entry_t    many[TEST_N];
    wsc_history_t  h = { many, TEST_N, { TEST_EPOCH, TEST_N }, 0 };

    for (i = 0; i < TEST_N; i++) {
        many[i] = entries[0];
        many[i].pos.seq = i + 1;
        many[i].prev.epoch = i ? TEST_EPOCH : 0;
        many[i].prev.seq = i;
        many[i].message.data.data = (u_char *) text[i];
        many[i].message.data.len = sprintf(text[i], "%d", i - 8);
    }

    wsc_event_history(b, enc, &id, &lobby, &h);
}


static void
event_message(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_event_message(b, enc, &lobby, &entries[1]);
}


static void
event_message_edited(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_entry_t  e;

    e = entries[1];
    e.edited = 1;

    wsc_event_message(b, enc, &lobby, &e);
}


static wsc_entry_t
retracted(void)
{
    wsc_entry_t  e;

    e = entries[1];
    e.edited = 1;
    e.retracted = 1;
    e.message.data.len = 0;

    return e;
}


static void
event_joined_updates(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t      id = { WSC_ID_INTEGER, 1, wsc_null_string };
    wsc_entry_t   changed[2] = { entries[0], retracted() };
    wsc_joined_t  j = { { TEST_EPOCH, 3 }, &entries[2], 1, NULL, 1, 0, NULL,
                        NULL, NULL, NULL, wsc_null_string, -1, changed, 2 };

    wsc_event_joined(b, enc, &id, &lobby, &j);
}


static void
event_message_retracted(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_entry_t  e;

    e = retracted();
    wsc_event_message(b, enc, &lobby, &e);
}


static void
event_update(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_event_update(b, enc, &lobby, &entries[1]);
}


static void
event_update_binary(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_event_update(b, enc, &lobby, &entries[2]);
}


static void
event_update_retracted(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_entry_t  e;

    e = retracted();
    wsc_event_update(b, enc, &lobby, &e);
}


static void
event_message_first(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_event_message(b, enc, &lobby, &entries[0]);
}


static void
event_message_binary(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_event_message(b, enc, &lobby, &entries[2]);
}


static void
event_message_limits(wsc_buf_t *b, wsc_enc_e enc)
{
    int          i;
    u_char       chat_id[WSC_MAX_CHAT_ID], user[WSC_MAX_USER];
    u_char       cid[WSC_MAX_CID];
    wsc_str_t    name = { sizeof(chat_id), chat_id };

    wsc_entry_t  e = {
        { TEST_LAST, TEST_LAST }, { TEST_LAST, TEST_LAST }, TEST_LAST,
        { sizeof(user), user }, { sizeof(cid), cid },
        { wsc_string("[18446744073709551615,-9223372036854775808,1e-7,-0.0,"
                     "123456789012345678901234567890,null,true,false,{},[]]"),
          0 }, 0, 0
    };

    memset(chat_id, 'x', sizeof(chat_id));
    memset(cid, '~', sizeof(cid));
    memset(user, '"', sizeof(user));

    for (i = 0; i < 42; i++) {
        memcpy(user + 3 * i, "\xe2\x82\xac", 3);
    }

    wsc_event_message(b, enc, &name, &e);
}


static void
event_gap(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_pos_t  after = { TEST_EPOCH, 3 };
    wsc_pos_t  before = { TEST_EPOCH, 70000 };

    wsc_event_gap(b, enc, &lobby, after, before, "slow");
}


static void test_mark(wsc_marks_t *marks, const wsc_str_t *user,
    uint64_t delivered, uint64_t read, wsc_mark_t **mark);


static void
event_joined_state(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t           id = { WSC_ID_INTEGER, 1, wsc_null_string };
    wsc_str_t          ann = wsc_string("ann");
    wsc_str_t          zoe = wsc_string("Zo\xc3\xab \"Z\" \xe2\x82\xac");
    wsc_str_t          pos = wsc_string("pos \"\xc3\xa9\"");
    wsc_str_t          blob = wsc_string("blob");
    wsc_value_t        none = { wsc_null_string, 0 };
    wsc_value_t        x = { wsc_string("{\"x\":1.50}"), 0 };
    wsc_value_t        octets = { wsc_string("\x00\xff\x10"), 1 };
    wsc_joined_t       j = { { TEST_EPOCH, 0 }, NULL, 0, NULL, 1, 0, NULL,
                             NULL, NULL, NULL, wsc_null_string, 0,
                        NULL, 0 };
    wsc_mark_t        *mark;
    wsc_marks_t        marks;
    wsc_latest_t       typing, signals;
    wsc_presence_t     presence;
    wsc_test_mem_t     mem;

    wsc_test_mem_init(&mem, 0);
    wsc_latest_init(&typing, &mem.alloc, 2);
    wsc_latest_init(&signals, &mem.alloc, 2);

    (void) wsc_latest_set(&typing, &zoe, &ann, &none);
    (void) wsc_latest_set(&typing, &ann, &ann, &none);
    (void) wsc_latest_set(&signals, &pos, &ann, &x);
    (void) wsc_latest_set(&signals, &blob, &ann, &octets);

    wsc_presence_init(&presence, &mem.alloc, 1);
    (void) wsc_presence_set(&presence, &zoe, 0, 1, &x.data, 0, 0);
    (void) wsc_presence_set(&presence, &zoe, 1, 2, &none.data, 0, 0);

    wsc_marks_init(&marks, &mem.alloc, 3, 1);
    test_mark(&marks, &zoe, 2, 1, &mark);
    test_mark(&marks, &ann, 3, 0, &mark);
    test_mark(&marks, &blob, 4, 4, &mark);

    j.marks = &marks;
    j.user = zoe;
    j.unread = 100;
    j.typing = &typing;
    j.signals = &signals;
    j.presence = &presence;

    wsc_event_joined(b, enc, &id, &lobby, &j);

    wsc_latest_free(&typing);
    wsc_latest_free(&signals);
    wsc_presence_free(&presence);
    wsc_marks_free(&marks);
    wsc_test_mem_check(&mem);
}


static void
test_mark(wsc_marks_t *marks, const wsc_str_t *user, uint64_t delivered,
    uint64_t read, wsc_mark_t **mark)
{
    wsc_pos_t  d = { TEST_EPOCH, delivered };
    wsc_pos_t  r = { TEST_EPOCH, read };

    assert_int_equal(wsc_marks_raise(marks, user, d, r, mark), WSC_OK);
}


static void
event_presence(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_buf_t  changes;

    static u_char  list[] = "\x01\x03" "ann"
                            "\x00\x0c" "Zo\xc3\xab \"Z\" \xe2\x82\xac"
                            "\x01\x01" "\"";

    memset(&changes, 0, sizeof(wsc_buf_t));
    changes.data = list;
    changes.len = sizeof(list) - 1;

    wsc_event_presence(b, enc, &lobby, &changes, 1234);
}


static void
event_presence_page(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t        id = { WSC_ID_STRING, 0, wsc_string("x") };
    wsc_str_t       ann = wsc_string("ann");
    wsc_str_t       none = wsc_null_string;
    wsc_presence_t  presence;
    wsc_test_mem_t  mem;

    wsc_test_mem_init(&mem, 0);
    wsc_presence_init(&presence, &mem.alloc, 1);
    (void) wsc_presence_set(&presence, &ann, 0, 1, &none, 0, 0);

    wsc_event_presence_page(b, enc, &id, &lobby, &presence, 0, 10);

    wsc_presence_free(&presence);
    wsc_test_mem_check(&mem);
}


static void
event_presence_after(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_str_t        ann = wsc_string("ann");
    wsc_str_t        bob = wsc_string("bob");
    wsc_str_t        none = wsc_null_string;
    wsc_presence_t   presence;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_presence_init(&presence, &mem.alloc, 1);
    (void) wsc_presence_set(&presence, &bob, 0, 2, &none, 0, 0);
    (void) wsc_presence_set(&presence, &ann, 0, 1, &none, 0, 0);

    wsc_event_presence_after(b, enc, &lobby, &presence, &none, 1);

    wsc_presence_free(&presence);
    wsc_test_mem_check(&mem);
}


static void
event_typing(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_note_t  note = {
        wsc_string("ann"), wsc_string("w-1"), { wsc_null_string, 0 },
        { 1700000001234, 0, 0, 0 }
    };

    wsc_event_typing(b, enc, &lobby, &note);
}


static void
event_typing_off(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_note_t  note = {
        wsc_string("ann"), wsc_null_string, { wsc_null_string, 0 },
        { 0, 0, 0, 0 }
    };

    wsc_event_typing(b, enc, &lobby, &note);
}


static void
event_mark(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_note_t  note = {
        wsc_string("Zo\xc3\xab \"Z\" \xe2\x82\xac"), wsc_string("w-1"),
        { wsc_null_string, 0 }, { TEST_EPOCH, TEST_LAST, TEST_EPOCH - 1, 7 }
    };

    wsc_event_mark(b, enc, &lobby, &note);
}


static void
event_mark_delivered(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_note_t  note = {
        wsc_string("ann"), wsc_string("w-1"), { wsc_null_string, 0 },
        { TEST_EPOCH, 3, 0, 0 }
    };

    wsc_event_mark(b, enc, &lobby, &note);
}


static void
event_marks_page(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_str_t        ann = wsc_string("ann");
    wsc_str_t        bob = wsc_string("bob");
    wsc_str_t        eve = wsc_string("eve");
    wsc_mark_t      *mark;
    wsc_marks_t      marks;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_marks_init(&marks, &mem.alloc, 3, 1);
    test_mark(&marks, &ann, 3, 1, &mark);
    test_mark(&marks, &bob, 2, 2, &mark);
    test_mark(&marks, &eve, 1, 0, &mark);

    wsc_event_marks_after(b, enc, &lobby, &marks, &ann, 1);

    wsc_marks_free(&marks);
    wsc_test_mem_check(&mem);
}


static void
event_signal(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_note_t  note = {
        wsc_string("pos"), wsc_string("Zo\xc3\xab \"Z\" \xe2\x82\xac"),
        { wsc_string("{\"x\":1.50}"), 0 }, { 0, 0, 0, 0 }
    };

    wsc_event_signal(b, enc, &lobby, &note);
}


static void
event_signal_binary(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_note_t  note = {
        wsc_string("\""), wsc_string("ann"),
        { wsc_string("\x00\xff\x10"), 1 }, { 0, 0, 0, 0 }
    };

    wsc_event_signal(b, enc, &lobby, &note);
}


static void
event_settled(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_note_t  note = {
        wsc_string("c1"), wsc_string("ann"), { wsc_null_string, 0 },
        { TEST_EPOCH, 65536, 0, 0 }
    };

    wsc_event_settled(b, enc, &lobby, &note);
}


static void
event_notice(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_note_t  note = {
        wsc_null_string, wsc_string("ann"), { wsc_string("\"hi\""), 0 },
        { 1700000001234, 0, 0, 0 }
    };

    wsc_event_notice(b, enc, &note);
}


static void
event_ok(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t  id = { WSC_ID_STRING, 0, wsc_string("x") };

    wsc_event_ok(b, enc, &id);
}


static void
event_kicked(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_event_kicked(b, enc, &lobby, "kicked");
}


static void
event_reconnect(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_event_reconnect(b, enc, 1500, "restart");
}


static void
event_error(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t     id = { WSC_ID_INTEGER, 5, wsc_null_string };
    wsc_error_t  e = { WSC_ERR_RATE_LIMITED, "too many commands",
                       wsc_string("lobby"), wsc_string("c1"), 250 };

    wsc_event_error(b, enc, &id, &e);
}


static void
event_error_bare(wsc_buf_t *b, wsc_enc_e enc)
{
    wsc_id_t     id = { WSC_ID_NONE, 0, wsc_null_string };
    wsc_error_t  e = { WSC_ERR_BAD_REQUEST, "not JSON", wsc_null_string,
                       wsc_null_string, 0 };

    wsc_event_error(b, enc, &id, &e);
}


static size_t
read_golden(const char *name, wsc_enc_e enc, u_char *buf, size_t size)
{
    size_t  len;

    len = wsc_test_vector("events", name,
                          (enc == WSC_ENC_JSON) ? "json" : "msgpack", buf,
                          size);

    if (enc == WSC_ENC_JSON) {
        assert_int_equal(buf[--len], '\n');
    }

    return len;
}


static void
test_golden(void **state)
{
    size_t           i, len;
    u_char           golden[16384];
    wsc_buf_t        b;
    wsc_enc_e        enc;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    for (i = 0; i < wsc_test_count(events); i++) {
        for (enc = 0; enc < WSC_ENC_N; enc++) {
            len = read_golden(events[i].name, enc, golden, sizeof(golden));

            b.len = 0;
            events[i].write(&b, enc);

            assert_false(b.failed);
            assert_int_equal(b.len, len);
            assert_memory_equal(b.data, golden, len);
        }
    }

    wsc_buf_free(&b);
    wsc_test_mem_check(&mem);
}


static void
test_valid(void **state)
{
    size_t           i;
    wsc_buf_t        b;
    const char      *reason;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    for (i = 0; i < wsc_test_count(events); i++) {
        b.len = 0;
        events[i].write(&b, WSC_ENC_JSON);
        assert_int_equal(wsc_json_check(&mem.alloc, b.data, b.len, 34,
                                        &reason), WSC_OK);
        b.len = 0;
        events[i].write(&b, WSC_ENC_MSGPACK);
        assert_int_equal(wsc_msgpack_check(&mem.alloc, b.data, b.len, 34, 4,
                                           &reason), WSC_OK);
    }

    wsc_buf_free(&b);
}


/* What the buffer holds already stays before the event. */

static void
test_appends(void **state)
{
    wsc_buf_t        b;
    wsc_enc_e        enc;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);

    for (enc = 0; enc < WSC_ENC_N; enc++) {
        wsc_buf_init(&b, &mem.alloc);

        event_history_long(&b, enc);
        event_pong(&b, enc);

        if (enc == WSC_ENC_JSON) {
            assert_memory_equal(b.data + b.len - 20,
                                "{\"ev\":\"pong\",\"id\":0}", 20);
            assert_int_equal(b.data[b.len - 21], '}');

        } else {
            assert_memory_equal(b.data + b.len - 13,
                                "\x82\xa2" "ev\xa4pong\xa2id\x00", 13);
        }

        wsc_buf_free(&b);
    }
}


static void
check_entry_size(const wsc_entry_t *e)
{
    size_t           one, two;
    wsc_buf_t        b;
    wsc_enc_e        enc;
    wsc_id_t         id = { WSC_ID_NONE, 0, wsc_null_string };
    wsc_str_t        name;
    u_char           chat_id[WSC_MAX_CHAT_ID];
    wsc_entry_t      pair[2];
    wsc_history_t    h = { pair, 1, { 1, 1 }, 0 };
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    memset(chat_id, 'x', sizeof(chat_id));
    name.data = chat_id;
    name.len = sizeof(chat_id);
    pair[0] = pair[1] = *e;

    for (enc = 0; enc < WSC_ENC_N; enc++) {
        b.len = 0;
        h.n = 1;
        wsc_event_history(&b, enc, &id, &name, &h);
        one = b.len;

        b.len = 0;
        h.n = 2;
        wsc_event_history(&b, enc, &id, &name, &h);
        two = b.len;

        assert_true(two - one <= wsc_entry_size(e));
        assert_true(wsc_entry_size(e)
                    <= two - one + 300 + WSC_MAX_CHAT_ID + WSC_MAX_USER
                       + WSC_MAX_CID + 2 * e->message.data.len);
    }

    wsc_buf_free(&b);
}


/* With the longest names and what grows most, the size told is enough. */

static void
test_entry_size(void **state)
{
    size_t       i, j, n;
    u_char       user[WSC_MAX_USER], cid[WSC_MAX_CID], *text;
    wsc_entry_t  e;

    static const struct {
        const char  *part;
        const char  *first;
        const char  *last;
        int          binary;
    } shapes[] = {
        { "1e5,", "[", "0]", 0 }, { "0.5,", "[", "0]", 0 },
        { "1,", "[", "0]", 0 }, { "-129,", "[", "0]", 0 },
        { "123456789012345678901,", "[", "0]", 0 },
        { "65536,", "[", "0]", 0 }, { "[],", "[", "0]", 0 },
        { "{},", "[", "0]", 0 }, { "\"\",", "[", "0]", 0 },
        { "x", "\"", "\"", 0 }, { "\\n", "\"", "\"", 0 },
        { "\xff", "", "", 1 }, { "1.e", "\"", "\"", 0 }
    };

    memset(user, '"', sizeof(user));
    memset(cid, '\\', sizeof(cid));
    memset(&e, 0, sizeof(wsc_entry_t));

    e.pos.epoch = e.pos.seq = e.prev.epoch = e.prev.seq = TEST_LAST;
    e.timestamp = TEST_LAST;
    e.sender.data = user;
    e.sender.len = sizeof(user);
    e.cid.data = cid;
    e.cid.len = sizeof(cid);

    text = malloc(100000);
    assert_non_null(text);
    e.message.data.data = text;

    for (i = 0; i < wsc_test_count(shapes); i++) {
        for (n = 0; n < 4000; n = n * 3 + 1) {
            e.message.binary = shapes[i].binary;
            e.message.data.len = sprintf((char *) text, "%s",
                                         shapes[i].first);

            for (j = 0; j < n; j++) {
                e.message.data.len += sprintf((char *) text
                    + e.message.data.len, "%s", shapes[i].part);
            }

            e.message.data.len += sprintf((char *) text + e.message.data.len,
                                          "%s", shapes[i].last);
            check_entry_size(&e);
        }
    }

    free(text);
}


static void
test_one_allocation(void **state)
{
    size_t           i;
    wsc_buf_t        b;
    wsc_enc_e        enc;
    wsc_test_mem_t   mem;

    for (i = 0; i < wsc_test_count(entries); i++) {
        for (enc = 0; enc < WSC_ENC_N; enc++) {
            wsc_test_mem_init(&mem, 0);
            wsc_buf_init(&b, &mem.alloc);
            wsc_event_message(&b, enc, &lobby, &entries[i]);
            assert_int_equal(mem.calls, 1);
            wsc_buf_free(&b);
        }
    }
}


static void
write_event(wsc_test_mem_t *mem, void *data)
{
    size_t           i;
    wsc_buf_t        b;
    wsc_enc_e        enc;
    test_event_pt   *write = data;

    for (enc = 0; enc < WSC_ENC_N; enc++) {
        i = mem->calls;

        wsc_buf_init(&b, &mem->alloc);
        (*write)(&b, enc);

        assert_int_equal(b.failed,
                         mem->fail_at > i && mem->fail_at <= mem->calls);
        wsc_buf_free(&b);
    }
}


static void
test_memory(void **state)
{
    size_t         i;
    test_event_pt  write;

    for (i = 0; i < wsc_test_count(events); i++) {
        write = events[i].write;
        assert_true(wsc_test_mem_fail(write_event, &write) >= 2);
    }
}


static void
test_errors(void **state)
{
    wsc_err_e  code;

    static const struct {
        const char  *name;
        int          temporary;
    } errors[] = {
        { "none", 0 }, { "bad_request", 0 }, { "unknown_op", 0 },
        { "forbidden", 0 }, { "not_joined", 0 }, { "too_many_chats", 0 },
        { "not_found", 0 }, { "rate_limited", 1 }, { "overloaded", 1 },
        { "unavailable", 1 }, { "unknown", 1 }, { "internal", 0 }
    };

    for (code = WSC_ERR_NONE; code <= WSC_ERR_INTERNAL; code++) {
        assert_string_equal(wsc_err_name(code), errors[code].name);
        assert_int_equal(wsc_err_temporary(code), errors[code].temporary);
    }
}


/* Everything a writer can write, nested, and maps of more than 15 members. */

static void
write_everything(wsc_buf_t *b, wsc_enc_e enc)
{
    int           i;
    char          key[2] = "a";
    wsc_writer_t  w;

    wsc_writer_init(&w, b, enc);

    wsc_writer_array(&w);
    wsc_writer_null(&w);
    wsc_writer_bool(&w, 1);
    wsc_writer_bool(&w, 0);
    wsc_writer_uint(&w, 0);
    wsc_writer_uint(&w, UINT64_MAX);
    wsc_writer_int(&w, -1);
    wsc_writer_text(&w, "a\n");

    wsc_writer_map(&w);
    wsc_writer_key(&w, "k");
    wsc_writer_array(&w);
    wsc_writer_end(&w);
    wsc_writer_key(&w, "m");
    wsc_writer_map(&w);
    wsc_writer_end(&w);
    wsc_writer_end(&w);

    wsc_writer_map(&w);

    for (i = 0; i < 17; i++) {
        key[0]++;
        wsc_writer_key(&w, key);
        wsc_writer_uint(&w, 1);
    }

    wsc_writer_end(&w);

    wsc_writer_array(&w);
    wsc_writer_end(&w);
    wsc_writer_end(&w);
}


static void
test_writer(void **state)
{
    wsc_buf_t        b, packed;
    wsc_enc_e        enc;
    const char      *reason;
    wsc_test_mem_t   mem;

    static const char  expected[] =
        "[null,true,false,0,18446744073709551615,-1,\"a\\n\",{\"k\":[],"
        "\"m\":{}},{\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,"
        "\"i\":1,\"j\":1,\"k\":1,\"l\":1,\"m\":1,\"n\":1,\"o\":1,\"p\":1,"
        "\"q\":1,\"r\":1},[]]";

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&packed, &mem.alloc);

    for (enc = 0; enc < WSC_ENC_N; enc++) {
        wsc_buf_init(&b, &mem.alloc);
        write_everything(&b, enc);

        if (enc == WSC_ENC_MSGPACK) {
            assert_int_equal(wsc_msgpack_to_json(b.data, b.len, &packed,
                                                 &reason), WSC_OK);
            wsc_buf_free(&b);
            b = packed;
        }

        assert_int_equal(b.len, sizeof(expected) - 1);
        assert_memory_equal(b.data, expected, b.len);
        wsc_buf_free(&b);
    }

    wsc_test_mem_check(&mem);
}


static void
test_writer_misuse(void **state)
{
    int              i;
    wsc_buf_t        b;
    wsc_writer_t     w;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);
    wsc_writer_init(&w, &b, WSC_ENC_JSON);

    for (i = 0; i < WSC_WRITER_LEVELS; i++) {
        wsc_writer_array(&w);
        assert_false(b.failed);
    }

    wsc_writer_array(&w);
    assert_true(b.failed);
    wsc_buf_free(&b);

    wsc_writer_init(&w, &b, WSC_ENC_JSON);
    wsc_writer_end(&w);
    assert_true(b.failed);

    wsc_test_mem_check(&mem);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A script is a list of frames and what must come of them.  Each is fed
 * whole, octet by octet, cut in two at every place, and in random pieces:
 * the events must always be the same.
 */


#include "wsc_frame.h"
#include "wsc_test_conn.h"


#define TEXT      (WSC_FRAME_FIN | WSC_OP_TEXT)
#define BINARY    (WSC_FRAME_FIN | WSC_OP_BINARY)
#define CONT      (WSC_FRAME_FIN | WSC_OP_CONT)
#define CLOSE     (WSC_FRAME_FIN | WSC_OP_CLOSE)
#define PING      (WSC_FRAME_FIN | WSC_OP_PING)
#define PONG      (WSC_FRAME_FIN | WSC_OP_PONG)
#define DEFLATED  (TEXT | WSC_FRAME_RSV1)

#define CLIENT    WSC_TEST_CLIENT
#define DEFLATE   WSC_TEST_DEFLATE
#define TAKEOVER  (WSC_TEST_DEFLATE | WSC_TEST_TAKEOVER)

#define F(first, s)  { first, 0, s, sizeof(s) - 1 }   /* a frame */
#define R(s)         { 0, 1, s, sizeof(s) - 1 }       /* octets as they are */

#define HELLO     "\xf2\x48\xcd\xc9\xc9\x07\x00"      /* compressed */
#define AGAIN     "\xf2\x00\x11\x00\x00"              /* with its context */
#define EMPTY     "\x00\x00\x00\xff\xff"               /* a block */
#define EMPTY7    EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY
#define KOSME     "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"
#define KOSME_TRACE  "\\ce\\ba\\e1\\bd\\b9\\cf\\83\\ce\\bc\\ce\\b5"

#define T10       "0123456789"
#define T50       T10 T10 T10 T10 T10
#define T125      T50 T50 T10 T10 "01234"

#define ERR_RSV     "error:1002:reserved bit in a data frame"
#define ERR_OPCODE  "error:1002:unknown opcode"
#define ERR_UTF8    "error:1007:text is not UTF-8"
#define ERR_END     "error:1007:text ends inside a character"
#define ERR_BIG     "error:1009:message is too big"
#define ERR_DATA    "error:1007:bad compressed data"
#define ERR_CODE    "error:1002:invalid close code"
#define ERR_LEN     "error:1002:frame length is not minimal"
#define ERR_BIT63   "error:1002:frame length has its highest bit set"


typedef struct {
    u_char       first;
    u_char       raw;
    const char  *data;
    size_t       len;
} test_frame_t;


typedef struct {
    int            flags;
    size_t         max;               /* 0: 1000 */
    uint32_t       fragments;         /* 0: 100 */
    const char    *trace;
    test_frame_t   frames[8];
} test_script_t;


static const test_script_t  test_plain[] = {

    { 0, 0, 0, "text:Hello", { F(TEXT, "Hello") } },
    { CLIENT, 0, 0, "text:Hello", { F(TEXT, "Hello") } },
    { 0, 0, 0, "text: binary: text:a",
      { F(TEXT, ""), F(BINARY, ""), F(TEXT, "a") } },
    { CLIENT, 0, 0, "text: binary: text:a",
      { F(TEXT, ""), F(BINARY, ""), F(TEXT, "a") } },
    { 0, 0, 0, "binary:\\00\\ff\\80", { F(BINARY, "\x00\xff\x80") } },
    { 0, 0, 0, "text:[125] text:[126] binary:[251]",
      { F(TEXT, T125), F(TEXT, T125 "x"), F(BINARY, T125 T125 "y") } },

    /* fragments */

    { 0, 0, 0, "text:Hello", { F(WSC_OP_TEXT, "Hel"), F(CONT, "lo") } },
    { CLIENT, 0, 0, "text:Hello", { F(WSC_OP_TEXT, "Hel"), F(CONT, "lo") } },
    { 0, 0, 0, "binary:\\ff\\fe\\fd text:x",
      { F(WSC_OP_BINARY, "\xff"), F(WSC_OP_CONT, "\xfe"), F(CONT, "\xfd"),
        F(TEXT, "x") } },
    { 0, 0, 0, "text: text:a text:b",
      { F(WSC_OP_TEXT, ""), F(WSC_OP_CONT, ""), F(CONT, ""),
        F(WSC_OP_TEXT, ""), F(CONT, "a"), F(WSC_OP_TEXT, "b"),
        F(CONT, "") } },
    { 0, 0, 0, "ping:p pong: ping: text:Hello",
      { F(WSC_OP_TEXT, "He"), F(PING, "p"), F(WSC_OP_CONT, "l"), F(PONG, ""),
        F(PING, ""), F(CONT, "lo") } },
    { 0, 0, 0, "close:1000:",
      { F(WSC_OP_TEXT, "He"), F(CLOSE, "\x03\xe8"), F(CONT, "llo") } },

    { 0, 0, 0, "error:1002:continuation of nothing", { F(CONT, "x") } },
    { 0, 0, 0, "text:a error:1002:continuation of nothing",
      { F(TEXT, "a"), F(WSC_OP_CONT, "x"), F(TEXT, "b") } },
    { 0, 0, 0, "text:ab error:1002:continuation of nothing",
      { F(WSC_OP_TEXT, "a"), F(CONT, "b"), F(CONT, "c") } },
    { 0, 0, 0, "error:1002:new message inside a fragmented one",
      { F(WSC_OP_TEXT, "a"), F(TEXT, "b") } },
    { 0, 0, 0, "ping: error:1002:new message inside a fragmented one",
      { F(WSC_OP_TEXT, "a"), F(PING, ""), F(WSC_OP_BINARY, "b") } },

    { 0, 0, 3, "text:abc",
      { F(WSC_OP_TEXT, "a"), F(WSC_OP_CONT, "b"), F(CONT, "c") } },
    { 0, 0, 2, "error:1008:too many fragments",
      { F(WSC_OP_TEXT, "a"), F(WSC_OP_CONT, "b"), F(CONT, "c") } },
    { 0, 0, 1, "text:a error:1008:too many fragments",
      { F(TEXT, "a"), F(WSC_OP_BINARY, ""), F(CONT, "") } },

    /* control frames */

    { 0, 0, 0, "ping: pong: ping:\\ff\\00 pong:x",
      { F(PING, ""), F(PONG, ""), F(PING, "\xff\x00"), F(PONG, "x") } },
    { 0, 10, 0, "ping:[125] pong:[125]", { F(PING, T125), F(PONG, T125) } },
    { 0, 0, 0, "error:1002:control frame is too long",
      { F(PING, T125 "x") } },
    { 0, 0, 0, "error:1002:control frame is too long",
      { F(CLOSE, "\x03\xe8" T125) } },
    { 0, 0, 0, "error:1002:fragmented control frame",
      { F(WSC_OP_PING, "a"), F(CONT, "b") } },
    { 0, 0, 0, "error:1002:reserved bit in a control frame",
      { F(PING | 0x40, "") } },
    { DEFLATE, 0, 0, "error:1002:reserved bit in a control frame",
      { F(PONG | 0x40, "") } },
    { 0, 0, 0, "error:1002:reserved bit in a control frame",
      { F(CLOSE | 0x10, "\x03\xe8") } },

    /* masking and lengths */

    { 0, 0, 0, "error:1002:unmasked frame from a client",
      { R("\x81\x05Hello") } },
    { 0, 0, 0, "error:1002:unmasked frame from a client", { R("\x89\x00") } },
    { CLIENT, 0, 0, "error:1002:masked frame from a server",
      { R("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") } },
    { 0, 0, 0, "text:Hello",
      { R("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58") } },
    { CLIENT, 0, 0, ERR_LEN, { R("\x81\x7e\x00\x05Hello") } },
    { CLIENT, 0, 0, ERR_LEN, { R("\x81\x7f\0\0\0\0\0\0\0\x05Hello") } },
    { 0, 0, 0, ERR_BIT63, { R("\x82\xff\x80\0\0\0\0\0\0\x01....x") } },
    { 0, 0, 0, ERR_BIT63,
      { R("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff....x") } },
    { 0, 0, 0, ERR_BIG,
      { R("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff....x") } },

    /* sizes */

    { 0, 5, 0, "text:Hello text:World", { F(TEXT, "Hello"),
      F(TEXT, "World") } },
    { 0, 5, 0, "text:Hello " ERR_BIG,
      { F(TEXT, "Hello"), F(TEXT, "Hello!") } },
    { 0, 5, 0, "text:Hello", { F(WSC_OP_TEXT, "Hel"), F(CONT, "lo") } },
    { 0, 5, 0, ERR_BIG, { F(WSC_OP_TEXT, "Hel"), F(CONT, "lo!") } },
    { 0, 5, 0, ERR_BIG,
      { F(WSC_OP_TEXT, "Hello"), F(WSC_OP_CONT, ""), F(CONT, "!") } },
    { 0, 5, 0, ERR_BIG,
      { F(WSC_OP_TEXT, "Hel"),
        R("\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff....") } },

    /* opcodes and reserved bits */

    { 0, 0, 0, ERR_OPCODE, { F(0x83, "") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x84, "a") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x85, "") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x86, "") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x07, "") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x8b, "") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x8c, "a") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x8d, "") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x8e, "") } },
    { 0, 0, 0, ERR_OPCODE, { F(0x0f, "") } },
    { 0, 0, 0, ERR_RSV, { F(TEXT | 0x40, "a") } },
    { 0, 0, 0, ERR_RSV, { F(TEXT | 0x20, "a") } },
    { 0, 0, 0, ERR_RSV, { F(BINARY | 0x10, "a") } },
    { DEFLATE, 0, 0, ERR_RSV, { F(TEXT | 0x60, "a") } },
    { 0, 0, 0, "text:a " ERR_RSV,
      { F(TEXT, "a"), F(BINARY | 0x70, "a"), F(TEXT, "b") } },
    { 0, 0, 0, ERR_RSV, { F(WSC_OP_TEXT, "a"), F(CONT | 0x20, "b") } }
};


static const test_script_t  test_text[] = {

    { 0, 0, 0, "text:" KOSME_TRACE, { F(TEXT, KOSME) } },
    { 0, 0, 0, "text:\\f0\\9f\\98\\80 text:a",
      { F(WSC_OP_TEXT, "\xf0"), F(WSC_OP_CONT, "\x9f\x98"), F(CONT, "\x80"),
        F(TEXT, "a") } },
    { 0, 0, 0, "ping:\\ff text:\\c3\\a9",
      { F(WSC_OP_TEXT, "\xc3"), F(PING, "\xff"), F(CONT, "\xa9") } },
    { 0, 0, 0, "binary:\\c3", { F(BINARY, "\xc3") } },
    { 0, 0, 0, ERR_UTF8, { F(TEXT, "a\xff") } },
    { 0, 0, 0, ERR_UTF8, { F(TEXT, "\xed\xa0\x80") } },
    { 0, 0, 0, ERR_UTF8, { F(TEXT, T50 T50 "\xc0\xaf" T50) } },
    { 0, 0, 0, ERR_END, { F(TEXT, T50 "\xe2\x82") } },
    { 0, 0, 0, ERR_END, { F(WSC_OP_TEXT, "\xe2\x82"), F(CONT, "") } },
    { 0, 0, 0, ERR_UTF8, { F(WSC_OP_TEXT, "\xe2"), F(CONT, "a") } },
    { 0, 0, 0, "text:a " ERR_END,
      { F(TEXT, "a"), F(TEXT, "\xc3"), F(TEXT, "\xa9") } },

    /* Autobahn 6.4 */

    { 0, 0, 0, ERR_UTF8,
      { F(WSC_OP_TEXT, KOSME), F(WSC_OP_CONT, "\xf4\x90\x80\x80"),
        F(CONT, "edited") } },
    { 0, 0, 0, ERR_UTF8,
      { F(WSC_OP_TEXT, KOSME "\xf4"), F(WSC_OP_CONT, "\x90"),
        F(CONT, "\x80\x80" "edited") } },
    { 0, 0, 0, ERR_UTF8,
      { F(WSC_OP_TEXT, KOSME "\xf4\x90\x80\x80" "edited"), F(CONT, "") } }
};


static const test_script_t  test_close[] = {

    { 0, 0, 0, "close:1005:", { F(CLOSE, "") } },
    { CLIENT, 0, 0, "close:1005:", { F(CLOSE, "") } },
    { 0, 0, 0, "close:1000:", { F(CLOSE, "\x03\xe8") } },
    { 0, 0, 0, "text:a close:1001:bye",
      { F(TEXT, "a"), F(CLOSE, "\x03\xe9" "bye") } },
    { 0, 0, 0, "close:4999:\\c3\\a9", { F(CLOSE, "\x13\x87\xc3\xa9") } },
    { 0, 0, 0, "close:3000:[123]",
      { F(CLOSE, "\x0b\xb8" T50 T50 T10 T10 "012") } },
    { 0, 0, 0, "close:1000:",
      { F(CLOSE, "\x03\xe8"), F(TEXT, "after"), F(0x7f, "junk"),
        F(CLOSE, "\x03\xe8") } },
    { 0, 0, 0, "close:1000:", { F(CLOSE, "\x03\xe8"), R("\x81") } },
    { 0, 0, 0, "error:1002:close frame of one octet", { F(CLOSE, "x") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\x00\x00") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\x03\xe7") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\x03\xec") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\x03\xed" "1005") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\x03\xee") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\x03\xf7") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\x0b\xb7") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\x13\x88") } },
    { 0, 0, 0, ERR_CODE, { F(CLOSE, "\xff\xff") } },
    { 0, 0, 0, "error:1007:close reason is not UTF-8",
      { F(CLOSE, "\x03\xe8" KOSME "\xed\xa0\x80" "edited") } },
    { 0, 0, 0, "error:1007:close reason is not UTF-8",
      { F(CLOSE, "\x03\xe8\xc3"), F(TEXT, "after") } }
};


static const test_script_t  test_deflate[] = {

    { DEFLATE, 0, 0, "text:Hello", { F(DEFLATED, HELLO) } },
    { DEFLATE | CLIENT, 0, 0, "text:Hello", { F(DEFLATED, HELLO) } },
    { DEFLATE, 0, 0, "text:Hello text:plain text:Hello",
      { F(DEFLATED, HELLO), F(TEXT, "plain"), F(DEFLATED, HELLO) } },
    { DEFLATE, 0, 0, "text: text: text:Hello",
      { F(DEFLATED, "\0"), F(DEFLATED, ""), F(DEFLATED, HELLO) } },
    { DEFLATE, 0, 0, "binary:Hello", { F(BINARY | 0x40, HELLO) } },
    { DEFLATE, 0, 0, "text:HelloHello",
      { F(DEFLATED, "\xf3\x48\xcd\xc9\xc9\x07\x00" HELLO) } },

    { DEFLATE, 0, 0, "text:Hello",
      { F(0x41, "\xf2\x48\xcd"), F(CONT, "\xc9\xc9\x07\x00") } },
    { DEFLATE, 0, 0, "ping:x text:Hello text:Hello",
      { F(0x41, ""), F(WSC_OP_CONT, "\xf2"), F(PING, "x"),
        F(WSC_OP_CONT, ""), F(WSC_OP_CONT, "\x48\xcd\xc9\xc9\x07\x00"),
        F(CONT, ""), F(DEFLATED, HELLO) } },
    { DEFLATE, 0, 0, "text: text:",
      { F(0x41, "\0"), F(CONT, ""), F(0x41, ""), F(CONT, "") } },

    { TAKEOVER, 0, 0, "text:Hello text:Hello text:plain text:Hello",
      { F(DEFLATED, HELLO), F(DEFLATED, AGAIN), F(TEXT, "plain"),
        F(DEFLATED, AGAIN) } },
    { TAKEOVER | CLIENT, 0, 0, "text:Hello text:Hello",
      { F(DEFLATED, HELLO), F(DEFLATED, AGAIN) } },
    { TAKEOVER, 0, 0, "text:Hello text: text:Hello",
      { F(DEFLATED, HELLO), F(DEFLATED, "\0"), F(DEFLATED, AGAIN) } },
    { TAKEOVER, 0, 0, "text:Hello text:Hello",
      { F(0x41, "\xf2\x48\xcd"), F(CONT, "\xc9\xc9\x07\x00"),
        F(0x41, "\xf2\x00"), F(CONT, "\x11\x00\x00") } },
    { DEFLATE, 0, 0, "text:Hello " ERR_DATA,
      { F(DEFLATED, HELLO), F(DEFLATED, AGAIN) } },

    { 0, 0, 0, ERR_RSV, { F(DEFLATED, HELLO) } },
    { DEFLATE, 0, 0, ERR_RSV,
      { F(0x41, "\xf2\x48\xcd"), F(CONT | 0x40, "\xc9\xc9\x07\x00") } },
    { DEFLATE, 0, 0, ERR_RSV, { F(WSC_OP_TEXT, "a"), F(CONT | 0x40, "b") } },
    { DEFLATE, 0, 0, ERR_DATA, { F(DEFLATED, "\x06\x00") } },
    { DEFLATE, 0, 0, ERR_DATA, { F(DEFLATED, "\xf2\x48") } },
    { DEFLATE, 0, 0, ERR_DATA, { F(DEFLATED, HELLO "\x00\x00\xff\xff") } },

    /* sizes: HELLO is 7 octets, the bomb has 11 for 1032 times 'a' */

    { DEFLATE, 5, 0, "text:Hello", { F(DEFLATED, HELLO) } },
    { DEFLATE, 4, 0, ERR_BIG, { F(DEFLATED, HELLO) } },
    { DEFLATE, 4, 0, ERR_BIG,
      { F(0x41, "\xf2\x48\xcd"), F(CONT, "\xc9\xc9\x07\x00") } },
    { DEFLATE, 1032, 0, "text:[1032]",
      { F(DEFLATED, "\x4a\x4c\x1c\x05\xa3\x60\x14\x8c\x74\x00\x00") } },
    { DEFLATE, 1031, 0, ERR_BIG,
      { F(DEFLATED, "\x4a\x4c\x1c\x05\xa3\x60\x14\x8c\x74\x00\x00") } },

    /* what is on the wire may be a little longer, but not any longer */

    { DEFLATE, 50, 0, "text:" T50,
      { F(DEFLATED, "\x00\x32\x00\xcd\xff" T50 "\x00") } },
    { DEFLATE, 50, 0, ERR_BIG, { F(DEFLATED, T125) } },
    { DEFLATE, 50, 0, ERR_BIG,
      { F(0x41, "\x00\x32\x00\xcd\xff" T50), F(WSC_OP_CONT, EMPTY7),
        F(CONT, EMPTY7) } },

    /* text: "Hell\xff", "\xff" before the data break, "\xc3" at the end */

    { DEFLATE, 0, 0, ERR_UTF8,
      { F(DEFLATED, "\x00\x05\x00\xfa\xffHell\xff\x00") } },
    { DEFLATE, 0, 0, ERR_UTF8,
      { F(DEFLATED, "\x00\x01\x00\xfe\xff\xff\x06") } },
    { DEFLATE, 1, 0, ERR_UTF8,
      { F(DEFLATED, "\x00\x02\x00\xfd\xff\xff\xff\x00") } },
    { DEFLATE, 0, 0, ERR_END,
      { F(DEFLATED, "\x00\x01\x00\xfe\xff\xc3\x00") } },
    { DEFLATE, 0, 0, "text:\\c3\\a9",
      { F(0x41, "\x00\x02\x00\xfd\xff\xc3"), F(CONT, "\xa9\x00") } }
};


static void
test_build(const test_script_t *s, const wsc_test_conn_t *t, wsc_buf_t *out)
{
    const test_frame_t  *f;

    for (f = s->frames; f->data; f++) {

        if (f->raw) {
            wsc_buf_add(out, f->data, f->len);
            continue;
        }

        wsc_test_conn_frame(t, out, f->first, f->data, f->len);
    }
}


/* cut: 0: whole; SIZE_MAX: octet by octet; else the octets before the cut. */

static void
test_run(const test_script_t *s, size_t cut, uint32_t random)
{
    size_t           n, len;
    wsc_buf_t        in;
    wsc_test_mem_t   mem, other;
    wsc_test_conn_t  t;

    wsc_test_mem_init(&mem, 0);
    wsc_test_mem_init(&other, 0);
    wsc_test_conn_init(&t, &mem, s->flags, s->max, s->fragments);

    wsc_buf_init(&in, &other.alloc);
    test_build(s, &t, &in);

    if (random) {
        for (n = 0; n < in.len; n += len) {
            len = wsc_test_random(&random) % 12;
            len = (len < in.len - n) ? len : in.len - n;
            wsc_test_conn_feed(&t, in.data + n, len);
        }

    } else if (cut == SIZE_MAX) {
        wsc_test_conn_feed_by(&t, in.data, in.len, 1);

    } else {
        wsc_test_conn_feed(&t, in.data, cut);
        wsc_test_conn_feed(&t, in.data + cut, in.len - cut);
    }

    if (strcmp(t.trace, s->trace) != 0) {
        fail_msg("cut %zd, random %u: \"%s\", not \"%s\"", (ssize_t) cut,
                 random, t.trace, s->trace);
    }

    assert_false(wsc_conn_incomplete(&t.conn));

    if (!(s->flags & WSC_TEST_TAKEOVER)) {
        assert_int_equal(wsc_conn_memory(&t.conn), 0);
        assert_int_equal(mem.bytes, t.scratch.size);
    }

    wsc_test_conn_free(&t);
    wsc_test_mem_check(&mem);
    wsc_buf_free(&in);
}


static void
test_scripts(const test_script_t *scripts, size_t n)
{
    size_t           cut, len;
    uint32_t         seed;
    wsc_buf_t        in;
    wsc_test_mem_t   mem;
    wsc_test_conn_t  t;

    for ( /* void */ ; n; scripts++, n--) {
        wsc_test_mem_init(&mem, 0);
        wsc_test_conn_init(&t, &mem, scripts->flags, 0, 0);
        wsc_buf_init(&in, &mem.alloc);
        test_build(scripts, &t, &in);
        len = in.len;
        wsc_buf_free(&in);

        for (cut = 0; cut <= len; cut++) {
            test_run(scripts, cut, 0);
        }

        test_run(scripts, SIZE_MAX, 0);

        for (seed = 1; seed <= 50; seed++) {
            test_run(scripts, 0, seed);
        }
    }
}


static void
test_plain_scripts(void **state)
{
    test_scripts(test_plain, wsc_test_count(test_plain));
}


static void
test_text_scripts(void **state)
{
    test_scripts(test_text, wsc_test_count(test_text));
}


static void
test_close_scripts(void **state)
{
    test_scripts(test_close, wsc_test_count(test_close));
}


static void
test_deflate_scripts(void **state)
{
    test_scripts(test_deflate, wsc_test_count(test_deflate));
}


/* Lengths of 16 and 64 bits, and a message beyond 64K, in pieces. */

static void
test_long_frames(void **state)
{
    size_t           i, j;
    u_char          *data;
    uint32_t         hash;
    wsc_buf_t        in;
    wsc_test_mem_t   mem, other;
    wsc_test_conn_t  t;

    static const size_t  lens[] = { 126, 65535, 65536, 100000 };
    static const size_t  steps[] = { 1, 13, 4096, 200000 };

    data = malloc(100000);
    assert_non_null(data);

    for (i = 0; i < 100000; i++) {
        data[i] = (u_char) (i * 7 >> 3);
    }

    for (i = 0; i < wsc_test_count(lens); i++) {
        hash = 0;

        for (j = 0; j < lens[i]; j++) {
            hash = (hash ^ data[j]) * 16777619;
        }

        for (j = 0; j < wsc_test_count(steps); j++) {
            wsc_test_mem_init(&mem, 0);
            wsc_test_mem_init(&other, 0);
            wsc_buf_init(&in, &other.alloc);
            wsc_test_conn_init(&t, &mem, 0, 100000, 0);
            wsc_test_conn_frame(&t, &in, BINARY, data, lens[i]);

            assert_int_equal(wsc_test_conn_feed_by(&t, in.data, in.len,
                                                   steps[j]), 1);
            assert_int_equal(t.ev.type, WSC_EV_MESSAGE);
            assert_int_equal(t.ev.data.len, lens[i]);
            assert_int_equal(t.hash, hash);

            wsc_test_conn_free(&t);
            wsc_buf_free(&in);
            wsc_test_mem_check(&mem);
        }
    }

    free(data);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_plain_scripts),
        cmocka_unit_test(test_text_scripts),
        cmocka_unit_test(test_close_scripts),
        cmocka_unit_test(test_deflate_scripts),
        cmocka_unit_test(test_long_frames)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

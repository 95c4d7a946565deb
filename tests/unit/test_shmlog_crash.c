
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store when processes die inside its calls: random schedules
 * that are cut at a random point, repaired and compared with a model.
 * WSC_TEST_SEED in the environment gives other schedules.
 */


#include <stdio.h>

#include "wsc_test.h"
#include "wsc_shmlog.h"
#include "wsc_shmlog_check.h"
#include "wsc_shmlog_pool.h"


#define TEST_CRASH_SCHEDULES  25000
#define TEST_CRASH_LIFE       250      /* schedules of one area */
#define TEST_CRASH_CHATS      12
#define TEST_CRASH_KEPT       600      /* more than the area has chunks */
#define TEST_CRASH_TEXT       16384


typedef enum {
    TEST_CRASH_APPEND = 0,
    TEST_CRASH_MAKE,
    TEST_CRASH_INTEREST,
    TEST_CRASH_CLEAR,
    TEST_CRASH_STAT,
    TEST_CRASH_KINDS
} test_crash_kind_e;


typedef struct {
    uint64_t             seq;
    uint64_t             prev;
    uint64_t             timestamp;
    size_t               text;     /* where in the text it begins */
    size_t               len;
    unsigned             sender;
    unsigned             cid;      /* 0: none */
} test_crash_message_t;


typedef struct {
    int                  exists;
    uint64_t             epoch;
    uint64_t             head;
    uint64_t             mask[WSC_SHMLOG_WORDS];
    size_t               n;
    test_crash_message_t kept[TEST_CRASH_KEPT];
} test_crash_chat_t;


/* A call, what the model knew before it, and what came of it. */

typedef struct {
    test_crash_kind_e    kind;
    unsigned             chat;
    unsigned             slot;
    int                  on;
    uint64_t             now;
    wsc_shmlog_limits_t  limits;
    test_crash_message_t message;
    uint32_t             index;    /* of the chat; 0: not there */
    int                  pressed;  /* there was not room enough */
    int                  killed;
    ssize_t              rc;
    wsc_entry_t          e;
} test_crash_op_t;


static wsc_shmlog_t       store;
static test_crash_chat_t  chats[TEST_CRASH_CHATS];
static test_crash_op_t    op;
static u_char             text[TEST_CRASH_TEXT];
static jmp_buf            death;
static uint32_t           seed;
static int                countdown;  /* steps until the process dies */
static uint64_t           now;
static uint64_t           epoch;      /* the greatest seen */
static uint64_t           cursor;
static int                limited;    /* in this life of the area */
static size_t             kills[WSC_SHMLOG_STEPS];

static const unsigned     slots[] = { 0, 63, 64, 255 };


static void
test_crash_hook(void *ctx, int step)
{
    if (--countdown == 0) {
        kills[step]++;
        longjmp(death, 1);
    }
}


static uint32_t
test_crash_random(uint32_t n)
{
    return wsc_test_random(&seed) % n;
}


static wsc_str_t
test_crash_name(char *buf, const char *prefix, unsigned n)
{
    wsc_str_t  s;

    s.len = sprintf(buf, "%s%u", prefix, n);
    s.data = (u_char *) buf;

    return s;
}


static void
test_crash_start(u_char *area)
{
    size_t  i;

    for (i = 0; i < TEST_CRASH_TEXT; i++) {
        text[i] = test_crash_random(256);
    }

    memset(chats, 0, sizeof(chats));
    assert_int_equal(wsc_shmlog_init(&store, area, WSC_SHMLOG_MIN_SIZE),
                     WSC_OK);
    store.hook = test_crash_hook;
    epoch = 0;
    limited = test_crash_random(2);
    cursor = wsc_shmlog_cursor(&store);
}


/* Thinks of a call. */

static void
test_crash_plan(void)
{
    char               buf[16];
    size_t             need;
    wsc_str_t          name;
    wsc_shmlog_stat_t  st;

    static const uint32_t  messages[] = { 0, 0, 0, 1, 3, 20, 100 };
    static const uint64_t  bytes[] = { 0, 0, 0, 1, 256, 5000 };
    static const uint64_t  ages[] = { 0, 0, 0, 100, 1000 };
    static const uint32_t  lengths[] = { 1, 100, 100, 300, 3000, 16000 };

    memset(&op, 0, sizeof(op));

    now += test_crash_random(20);
    now -= test_crash_random(5);

    op.kind = test_crash_random(20);

    if (op.kind >= TEST_CRASH_KINDS
        || (op.kind == TEST_CRASH_CLEAR && test_crash_random(4)))
    {
        op.kind = TEST_CRASH_APPEND;
    }

    op.chat = test_crash_random(TEST_CRASH_CHATS);
    op.slot = slots[test_crash_random(wsc_test_count(slots))];
    op.on = test_crash_random(8) > 0;
    op.now = now;

    if (limited) {
        op.limits.messages = messages[test_crash_random(7)];
        op.limits.bytes = bytes[test_crash_random(6)];
        op.limits.age = ages[test_crash_random(5)];
    }

    op.message.timestamp = now;
    op.message.len = test_crash_random(lengths[test_crash_random(6)]);
    op.message.text = test_crash_random(TEST_CRASH_TEXT - op.message.len);
    op.message.sender = test_crash_random(3);
    op.message.cid = test_crash_random(100);

    name = test_crash_name(buf, "chat", op.chat);
    op.index = wsc_shmlog_find(&store, &name);

    if (op.index == 0 && op.kind != TEST_CRASH_CLEAR) {
        op.kind = TEST_CRASH_MAKE;
    }

    /* names take at most 6 octets */
    need = wsc_shmlog_need(op.message.len + 6);

    wsc_shmlog_stat(&store, &st);
    op.pressed = st.chunks_free < (op.kind == TEST_CRASH_APPEND ? need : 1);
}


static void
test_crash_run(void)
{
    char               chat[16], sender[16], cid[16];
    wsc_str_t          name;
    wsc_shmlog_chat_t  c;

    name = test_crash_name(chat, "chat", op.chat);

    switch (op.kind) {

    case TEST_CRASH_MAKE:
        op.rc = wsc_shmlog_make(&store, &name, op.now) ? WSC_OK : WSC_ERROR;
        return;

    case TEST_CRASH_INTEREST:
        wsc_shmlog_interest(&store, op.index, op.slot, op.on);
        return;

    case TEST_CRASH_CLEAR:
        wsc_shmlog_clear_slot(&store, op.slot);
        return;

    case TEST_CRASH_STAT:
        wsc_shmlog_stat_chat(&store, op.index, op.now, &op.limits, &c);
        return;

    default:
        op.e.timestamp = op.message.timestamp;
        op.e.sender = test_crash_name(sender, "u", op.message.sender);
        op.e.cid = test_crash_name(cid, "c", op.message.cid);
        op.e.message.data.data = text + op.message.text;
        op.e.message.data.len = op.message.len;
        op.e.message.binary = op.message.len & 1;

        if (op.message.cid == 0) {
            op.e.cid.len = 0;
        }

        op.rc = wsc_shmlog_append(&store, op.index, &op.e, &op.limits);
    }
}


/* Runs the call; dies at the given step, if it comes to that, and repairs. */

static void
test_crash_live(int die)
{
    volatile int  steps, repair;

    steps = die;
    repair = 0;

    if (setjmp(death) == 0) {
        countdown = steps;
        test_crash_run();
        countdown = 0;
        return;
    }

    op.killed = 1;
    steps = test_crash_random(3) ? 0 : 1 + test_crash_random(600);

    /* one that repairs may die, too */

    if (setjmp(death) != 0) {
        steps = test_crash_random(2) ? 0 : 1 + test_crash_random(600);
        repair++;
    }

    countdown = steps;
    wsc_shmlog_repair(&store);
    countdown = 0;
}


static size_t
test_crash_chunks(const test_crash_message_t *m)
{
    char    buf[16];
    size_t  len;

    len = m->len + test_crash_name(buf, "u", m->sender).len;

    if (m->cid) {
        len += test_crash_name(buf, "c", m->cid).len;
    }

    return wsc_shmlog_need(len);
}


/* How many the limits drop. */

static size_t
test_crash_excess(const test_crash_chat_t *c, size_t keep)
{
    size_t                      i, j, chunks;
    uint64_t                    age;
    const wsc_shmlog_limits_t  *limits;

    limits = &op.limits;

    for (i = 0; i + keep < c->n; i++) {
        chunks = 0;

        for (j = i; j < c->n; j++) {
            chunks += test_crash_chunks(&c->kept[j]);
        }

        age = (c->kept[i].timestamp < op.now)
              ? op.now - c->kept[i].timestamp : 0;

        if (limits->age && age > limits->age) {
            continue;
        }

        if (op.kind == TEST_CRASH_STAT) {
            break;
        }

        if (!(limits->messages && c->n - i > limits->messages)
            && !(limits->bytes && chunks * 256 > limits->bytes))
        {
            break;
        }
    }

    return i;
}


/* The area's entry is the model's message. */

static void
test_crash_same(uint32_t at, const wsc_pos_t *pos, size_t size,
    const test_crash_chat_t *c, const test_crash_message_t *m)
{
    char         buf[16];
    u_char      *octets;
    wsc_str_t    s;
    wsc_entry_t  e;

    octets = malloc(size + 1);
    assert_non_null(octets);
    wsc_shmlog_copy(&store, at, &e, octets);

    assert_true(pos->epoch == c->epoch);
    assert_true(pos->seq == m->seq);
    assert_int_equal(wsc_pos_cmp(*pos, e.pos), 0);
    assert_true(e.prev.seq == m->prev);
    assert_true(e.timestamp == m->timestamp);

    s = test_crash_name(buf, "u", m->sender);
    assert_int_equal(e.sender.len, s.len);
    assert_memory_equal(e.sender.data, s.data, s.len);

    s = test_crash_name(buf, "c", m->cid);
    assert_int_equal(e.cid.len, m->cid ? s.len : 0);
    assert_memory_equal(e.cid.data, s.data, e.cid.len);

    assert_int_equal(e.message.data.len, m->len);
    assert_memory_equal(e.message.data.data, text + m->text, m->len);
    assert_int_equal(e.message.binary, m->len & 1);
    assert_int_equal(size, e.sender.len + e.cid.len + m->len);

    free(octets);
}


/* All the area keeps of the chat is the end of what the model does. */

static void
test_crash_suffix(uint32_t index, const test_crash_chat_t *c, size_t count)
{
    size_t     i, size;
    uint32_t   at;
    wsc_pos_t  pos;

    assert_true(count <= c->n);
    at = 0;

    for (i = 0; i < count; i++) {
        assert_int_equal(wsc_shmlog_back(&store, index, NULL, &at, &pos,
                                         &size), WSC_OK);
        test_crash_same(at, &pos, size, c, &c->kept[c->n - 1 - i]);
    }

    assert_int_equal(wsc_shmlog_back(&store, index, NULL, &at, &pos, &size),
                     WSC_DONE);
}


/* The model's side of an append; the area tells if a killed one was done. */

static int
test_crash_appended(test_crash_chat_t *c, const wsc_shmlog_chat_t *real)
{
    size_t                 i;
    test_crash_message_t  *m;

    for (i = 0; op.message.cid && i < c->n; i++) {
        m = &c->kept[i];

        if (m->cid != op.message.cid || m->sender != op.message.sender) {
            continue;
        }

        if (!op.killed) {
            assert_int_equal(op.rc, WSC_DECLINED);
            assert_true(op.e.pos.seq == m->seq);
            assert_true(op.e.pos.epoch == c->epoch);
            assert_true(op.e.prev.seq == m->prev);
            assert_true(op.e.timestamp == m->timestamp);
        }

        return 0;
    }

    if (op.killed && real->head.seq == c->head) {
        return 0;
    }

    assert_true(op.killed || op.rc == WSC_OK);
    assert_true(c->n < TEST_CRASH_KEPT);

    op.message.seq = c->head + 1;
    op.message.prev = c->head;
    c->kept[c->n++] = op.message;
    c->head++;

    if (!op.killed) {
        assert_true(op.e.pos.seq == c->head);
        assert_true(op.e.pos.epoch == c->epoch);
        assert_true(op.e.prev.seq == c->head - 1);
    }

    return 1;
}


static void
test_crash_noticed(uint32_t index, int appended)
{
    int       seen;
    uint32_t  chat;

    seen = 0;

    while (wsc_shmlog_notice(&store, &cursor, &chat) == WSC_OK) {
        seen |= chat == index;
    }

    assert_true(seen || !appended);
}


/* Bits of interest: as they were, or as the call was to make them. */

static void
test_crash_masks(unsigned k, uint32_t index)
{
    size_t           i;
    uint64_t         want, bit;
    const uint64_t  *mask;

    mask = wsc_shmlog_mask(&store, index);
    bit = (uint64_t) 1 << op.slot % 64;

    for (i = 0; i < WSC_SHMLOG_WORDS; i++) {
        want = chats[k].mask[i];

        if (i == op.slot / 64) {
            if (op.kind == TEST_CRASH_INTEREST && op.chat == k) {
                want = op.on ? want | bit : want & ~bit;
            }

            if (op.kind == TEST_CRASH_CLEAR) {
                want &= ~bit;
            }
        }

        assert_true(mask[i] == want
                    || (op.killed && mask[i] == chats[k].mask[i]));
        chats[k].mask[i] = mask[i];
    }
}


static void
test_crash_made(unsigned k, uint32_t index)
{
    test_crash_chat_t  *c;
    wsc_shmlog_chat_t   real;

    c = &chats[k];
    assert_int_equal(op.kind, TEST_CRASH_MAKE);
    assert_int_equal(op.chat, k);

    op.limits.age = 0;
    wsc_shmlog_stat_chat(&store, index, 0, &op.limits, &real);
    assert_true(real.head.epoch > epoch);
    assert_true(real.head.epoch >= op.now);
    assert_true(real.head.seq == 0);
    assert_int_equal(real.count, 0);

    epoch = real.head.epoch;
    memset(c, 0, sizeof(test_crash_chat_t));
    c->exists = 1;
    c->epoch = epoch;
}


/* Compares a chat, and takes over what may be either way.  1: it lost some. */

static int
test_crash_compare(unsigned k, uint32_t index)
{
    int                  own, appended;
    size_t               lost, may;
    test_crash_chat_t   *c;
    wsc_shmlog_chat_t    real;
    wsc_shmlog_limits_t  none;

    memset(&none, 0, sizeof(none));
    c = &chats[k];
    own = op.chat == k
          && (op.kind == TEST_CRASH_APPEND || op.kind == TEST_CRASH_STAT);

    wsc_shmlog_stat_chat(&store, index, 0, &none, &real);
    assert_true(real.head.epoch == c->epoch);
    test_crash_masks(k, index);

    appended = 0;

    if (own && op.kind == TEST_CRASH_APPEND) {
        appended = test_crash_appended(c, &real);
        test_crash_noticed(index, appended);
    }

    assert_true(real.head.seq == c->head);
    test_crash_suffix(index, c, real.count);

    lost = c->n - real.count;
    may = 0;

    if (own && (appended || op.kind == TEST_CRASH_STAT)) {
        may = test_crash_excess(c, appended);
    }

    if (!op.pressed) {
        assert_true(lost == may || (op.killed && lost < may));
    }

    if (appended) {
        assert_true(real.count >= 1);
    }

    memmove(c->kept, c->kept + lost,
            real.count * sizeof(test_crash_message_t));
    c->n = real.count;

    assert_true(real.first.seq == (c->n ? c->kept[0].seq : 0));
    assert_true(real.lost.seq == (c->n ? c->kept[0].prev : c->head));

    return lost > may;
}


static void
test_crash_verify(void)
{
    int                 i, idle, robbed;
    char                buf[16];
    unsigned            k;
    uint32_t            index;
    uint64_t            listened;
    wsc_str_t           name;
    test_crash_chat_t  *c;

    wsc_shmlog_check(&store);
    idle = 0;
    robbed = 0;

    for (k = 0; k < TEST_CRASH_CHATS; k++) {
        c = &chats[k];
        name = test_crash_name(buf, "chat", k);
        index = wsc_shmlog_find(&store, &name);
        listened = 0;

        for (i = 0; i < WSC_SHMLOG_WORDS; i++) {
            listened |= c->mask[i];
        }

        if (index == 0 && c->exists) {
            assert_true(op.pressed && !listened);
            c->exists = 0;
            continue;
        }

        if (index && !c->exists) {
            test_crash_made(k, index);
        }

        if (index == 0) {
            assert_true(op.killed || op.kind != TEST_CRASH_MAKE
                        || op.chat != k);
            continue;
        }

        if (op.chat != k && !listened) {
            idle = 1;
        }

        if (test_crash_compare(k, index) && op.chat != k) {
            robbed = 1;
        }
    }

    /* nobody who is listened to is robbed while an idle chat is left */
    assert_false(robbed && idle);
}


static void
test_crash_seed(void)
{
    const char  *s;

    s = getenv("WSC_TEST_SEED");
    seed = s ? strtoul(s, NULL, 0) : 20240607;
    print_message("seed %u\n", seed);
}


static void
test_crash_schedules(void **state)
{
    int      i, n;
    u_char  *area;
    size_t   step, killed, pressed;

    test_crash_seed();
    area = malloc(WSC_SHMLOG_MIN_SIZE);
    assert_non_null(area);

    killed = 0;
    pressed = 0;
    now = 1000000;

    for (i = 0; i < TEST_CRASH_SCHEDULES; i++) {
        if (i % TEST_CRASH_LIFE == 0) {
            test_crash_start(area);
        }

        for (n = test_crash_random(6); n; n--) {
            test_crash_plan();
            test_crash_live(0);
            test_crash_verify();
            pressed += op.pressed;
        }

        test_crash_plan();
        test_crash_live(1 + test_crash_random(1 << test_crash_random(9)));
        test_crash_verify();
        killed += op.killed;
    }

    print_message("%d schedules, %zu died in a call; %zu calls had to make "
                  "room\n", i, killed, pressed);

    assert_true(killed > TEST_CRASH_SCHEDULES / 3);
    assert_true(pressed > TEST_CRASH_SCHEDULES / 20);

    /* every kind of point was met; for changes see test_shmlog_change.c */
    for (step = 0; step < WSC_SHMLOG_STEPS; step++) {
        assert_true(step == WSC_SHMLOG_STEP_CHANGE || kills[step] > 20);
    }

    free(area);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_crash_schedules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

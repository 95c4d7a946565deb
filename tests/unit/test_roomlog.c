
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The room log, against a model that keeps every frame's end and position.
 */


#include "wsc_test.h"
#include "wsc_roomlog.h"


#define TEST_ROOMLOG_FRAMES  4000
#define TEST_ROOMLOG_FRAME   100000
#define TEST_ROOMLOG_SLICES  16


typedef struct {
    uint64_t         end;
    wsc_pos_t        pos;         /* of the last message up to here */
} test_roomlog_frame_t;


typedef struct {
    wsc_roomlog_t         log;
    wsc_test_mem_t        mem;
    wsc_pos_t             origin;
    size_t                n;
    test_roomlog_frame_t  frames[TEST_ROOMLOG_FRAMES];
} test_roomlog_t;


static test_roomlog_t  room;
static u_char          frame[TEST_ROOMLOG_FRAME];
static const wsc_pos_t origin = { 1000, 7 };


/* Each octet of the log is known from its offset. */

static u_char
test_roomlog_octet(uint64_t offset)
{
    return offset * 0x9e3779b97f4a7c15ULL >> 56;
}


static void
test_roomlog_start(size_t fail_at)
{
    wsc_test_mem_init(&room.mem, fail_at);
    wsc_roomlog_init(&room.log, &room.mem.alloc, origin);
    room.n = 0;

    assert_int_equal(room.mem.calls, 0);
}


static void
test_roomlog_stop(void)
{
    wsc_roomlog_free(&room.log);
    wsc_test_mem_check(&room.mem);
    assert_int_equal(wsc_roomlog_memory(&room.log), 0);
}


static ssize_t
test_roomlog_append(size_t hlen, size_t len, int tagged)
{
    size_t                 i;
    ssize_t                rc;
    uint64_t               end;
    wsc_pos_t              pos;
    wsc_roomlog_t          before;
    test_roomlog_frame_t  *f;

    before = room.log;
    end = room.log.end;
    pos = room.log.tail;
    pos.seq++;

    for (i = 0; i < hlen + len; i++) {
        frame[i] = test_roomlog_octet(end + i);
    }

    rc = wsc_roomlog_append(&room.log, frame, hlen, frame + hlen, len,
                            tagged ? &pos : NULL);
    if (rc != WSC_OK) {
        assert_memory_equal(&room.log, &before, sizeof(before));
        return rc;
    }

    assert_true(room.log.end == end + hlen + len);

    assert_true(room.n < TEST_ROOMLOG_FRAMES);
    f = &room.frames[room.n++];
    f->end = room.log.end;
    f->pos = room.log.tail;

    assert_int_equal(wsc_pos_cmp(f->pos, tagged ? pos : before.tail), 0);
    assert_int_equal(wsc_roomlog_memory(&room.log), room.mem.bytes);

    return WSC_OK;
}


/* The octets of slices are the log's, without a hole. */

static size_t
test_roomlog_read(uint64_t from, size_t max, size_t n)
{
    size_t       i, j, got, total;
    uint64_t     want;
    wsc_slice_t  slices[TEST_ROOMLOG_SLICES];

    got = wsc_roomlog_slices(&room.log, from, max, slices, n, &total);
    assert_true(got <= n);

    want = room.log.end - from;

    if (max && want > max) {
        want = max;
    }

    assert_true(total == want || (got == n && total < want));

    for (i = 0; i < got; i++) {
        assert_true(slices[i].len);

        for (j = 0; j < slices[i].len; j++) {
            if (slices[i].data[j] != test_roomlog_octet(from++)) {
                fail_msg("wrong octet at %zu of slice %zu", j, i);
            }
        }

        total -= slices[i].len;
    }

    assert_int_equal(total, 0);

    return got;
}


static void
test_roomlog_look(uint64_t from, uint64_t at)
{
    size_t     i, frames;
    uint64_t   border;
    wsc_pos_t  pos;

    border = room.log.start;
    pos = room.origin;
    frames = 0;

    for (i = 0; i < room.n; i++) {
        if (room.frames[i].end <= at) {
            pos = room.frames[i].pos;
            frames += room.frames[i].end > from;
        }

        if (border < at) {
            border = room.frames[i].end;
        }
    }

    assert_true(wsc_roomlog_border(&room.log, at) == border);
    assert_true(wsc_roomlog_frames(&room.log, from, at) == frames);
    assert_int_equal(wsc_pos_cmp(wsc_roomlog_position(&room.log, at), pos),
                     0);
}


static void
test_roomlog_trim(uint64_t to)
{
    size_t         i;
    uint64_t       border;
    wsc_roomlog_t  before;

    before = room.log;
    border = wsc_roomlog_border(&room.log, to);
    wsc_roomlog_trim(&room.log, to);

    assert_true(room.log.start >= before.start);
    assert_true(room.log.start <= border);
    assert_true(room.log.end == before.end);
    assert_int_equal(wsc_roomlog_memory(&room.log), room.mem.bytes);

    if (to == room.log.end) {
        assert_null(room.log.first);
        assert_null(room.log.last);
        assert_true(room.log.start == to);
        assert_int_equal(room.mem.blocks, 0);
    }

    for (i = 0; i < room.n && room.frames[i].end <= room.log.start; i++) {
        room.origin = room.frames[i].pos;
    }

    room.n -= i;
    memmove(room.frames, room.frames + i,
            room.n * sizeof(test_roomlog_frame_t));

    assert_int_equal(wsc_pos_cmp(room.log.before, room.origin), 0);
}


static void
test_roomlog_empty(void **state)
{
    size_t       total;
    wsc_slice_t  slice;

    test_roomlog_start(0);

    total = 5;
    assert_int_equal(wsc_roomlog_slices(&room.log, 0, 0, &slice, 1, &total),
                     0);
    assert_int_equal(total, 0);
    assert_true(wsc_roomlog_border(&room.log, 0) == 0);
    assert_true(wsc_roomlog_frames(&room.log, 0, 0) == 0);
    assert_int_equal(wsc_pos_cmp(wsc_roomlog_position(&room.log, 0), origin),
                     0);
    wsc_roomlog_trim(&room.log, 0);

    test_roomlog_stop();
}


/* A frame stays where it is; the next ones stand behind it in one piece. */

static void
test_roomlog_one_piece(void **state)
{
    int          i;
    size_t       total;
    u_char      *first;
    wsc_slice_t  slice;

    test_roomlog_start(0);
    room.origin = origin;

    assert_int_equal(test_roomlog_append(2, 98, 1), WSC_OK);
    assert_int_equal(wsc_roomlog_slices(&room.log, 0, 0, &slice, 1, &total),
                     1);
    first = slice.data;

    for (i = 1; i < 30; i++) {
        assert_int_equal(test_roomlog_append(2, 98, 1), WSC_OK);
    }

    assert_int_equal(wsc_roomlog_slices(&room.log, 0, 0, &slice, 1, &total),
                     1);
    assert_ptr_equal(slice.data, first);
    assert_int_equal(total, 3000);
    assert_int_equal(room.mem.blocks, 1);

    assert_int_equal(test_roomlog_read(150, 0, 1), 1);
    test_roomlog_look(150, 2950);

    test_roomlog_stop();
}


/* 4 KiB at rest, more while the log is hot; a huge frame's own size. */

static void
test_roomlog_sizes(void **state)
{
    int     i;
    size_t  size;

    test_roomlog_start(0);
    room.origin = origin;
    size = 4096;

    while (room.n < 2000) {
        assert_int_equal(test_roomlog_append(4, 496, 1), WSC_OK);

        if (room.mem.largest > size) {
            size *= 2;
            assert_int_equal(room.mem.largest, size);
        }
    }

    assert_int_equal(size, 65536);
    assert_true(room.mem.bytes < 2000 * 600 + 65536);

    test_roomlog_trim(room.log.end);

    for (i = 0; i < 3; i++) {
        assert_int_equal(test_roomlog_append(4, 496, 1), WSC_OK);
        assert_int_equal(room.mem.bytes, 4096);
        test_roomlog_trim(room.log.end);
    }

    assert_int_equal(test_roomlog_append(10, 70001, 1), WSC_OK);
    assert_in_range(room.mem.bytes, 70011, 70011 + 128);
    assert_int_equal(test_roomlog_append(10, 10, 0), WSC_OK);
    assert_int_equal(room.mem.blocks, 2);
    assert_int_equal(test_roomlog_read(room.log.start, 0, 2), 2);

    test_roomlog_stop();
}


static void
test_roomlog_absurd(void **state)
{
    wsc_roomlog_t  before;

    test_roomlog_start(0);
    before = room.log;

    assert_int_equal(wsc_roomlog_append(&room.log, frame, SIZE_MAX, frame, 1,
                                        NULL), WSC_ERROR);
    assert_int_equal(wsc_roomlog_append(&room.log, frame, 1, frame, SIZE_MAX,
                                        NULL), WSC_ERROR);
    assert_int_equal(wsc_roomlog_append(&room.log, frame, SIZE_MAX / 2, frame,
                                        SIZE_MAX / 2, NULL), WSC_ERROR);
    assert_memory_equal(&room.log, &before, sizeof(before));
    assert_int_equal(room.mem.calls, 0);
}


/* Offsets that are not retained give an answer, too. */

static void
test_roomlog_outside(void **state)
{
    size_t       total;
    uint64_t     end;
    wsc_slice_t  slice;

    test_roomlog_start(0);
    room.origin = origin;

    while (room.log.first == room.log.last) {
        assert_int_equal(test_roomlog_append(2, 1000, 1), WSC_OK);
    }

    end = room.log.end;
    test_roomlog_trim(end - 1);
    assert_true(room.log.start > 0);

    assert_int_equal(wsc_roomlog_slices(&room.log, 0, 0, &slice, 1, &total),
                     0);
    assert_int_equal(wsc_roomlog_slices(&room.log, end + 1, 0, &slice, 1,
                                        &total), 0);
    assert_true(wsc_roomlog_border(&room.log, 0) == room.log.start);
    assert_true(wsc_roomlog_border(&room.log, end + 1) == end);
    assert_int_equal(wsc_pos_cmp(wsc_roomlog_position(&room.log, 0),
                                 room.log.before), 0);
    assert_int_equal(wsc_pos_cmp(wsc_roomlog_position(&room.log, end + 1),
                                 room.log.tail), 0);
    assert_true(wsc_roomlog_frames(&room.log, 0, end + 1) == room.n);
    assert_true(wsc_roomlog_frames(&room.log, end, 0) == 0);

    test_roomlog_stop();
}


static uint64_t
test_roomlog_any(uint32_t *seed)
{
    uint64_t  at;

    at = room.log.end - room.log.start;

    if (wsc_test_random(seed) % 4 == 0 && room.n) {
        return room.frames[wsc_test_random(seed) % room.n].end;
    }

    return room.log.start + wsc_test_random(seed) % (at + 1);
}


static void
test_roomlog_random_step(uint32_t *seed)
{
    size_t    len;
    uint64_t  from, to;

    switch (wsc_test_random(seed) % 8) {

    case 0:
    case 1:
    case 2:
    case 3:
        len = wsc_test_random(seed) % 300;

        if (wsc_test_random(seed) % 30 == 0) {
            len = wsc_test_random(seed) % (TEST_ROOMLOG_FRAME - 20);
        }

        test_roomlog_append(wsc_test_random(seed) % 15, len,
                            wsc_test_random(seed) % 4 != 0);
        return;

    case 4:
        test_roomlog_read(test_roomlog_any(seed),
                          wsc_test_random(seed) % 3
                              ? wsc_test_random(seed) % 20000 : 0,
                          wsc_test_random(seed) % TEST_ROOMLOG_SLICES + 1);
        return;

    case 5:
    case 6:
        from = test_roomlog_any(seed);
        to = test_roomlog_any(seed);
        test_roomlog_look(from, to);
        return;

    case 7:
        if (wsc_test_random(seed) % 8 == 0) {
            to = test_roomlog_any(seed);
            test_roomlog_trim(wsc_test_random(seed) % 8 ? to : room.log.end);
        }

        return;
    }
}


static void
test_roomlog_random(void **state)
{
    int       n, round;
    size_t    failed;
    uint32_t  seed;

    seed = 3;
    failed = 0;

    for (round = 0; round < 60; round++) {
        test_roomlog_start(0);
        room.origin = origin;

        for (n = 0; n < 2000; n++) {
            if (wsc_test_random(&seed) % 8 == 0) {
                room.mem.fail_at = room.mem.calls + 1;
            }

            test_roomlog_random_step(&seed);
            failed += room.mem.fail_at == room.mem.calls && room.mem.fail_at;
            room.mem.fail_at = 0;
        }

        test_roomlog_stop();
    }

    assert_true(failed > 100);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_roomlog_empty),
        cmocka_unit_test(test_roomlog_one_piece),
        cmocka_unit_test(test_roomlog_sizes),
        cmocka_unit_test(test_roomlog_absurd),
        cmocka_unit_test(test_roomlog_outside),
        cmocka_unit_test(test_roomlog_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

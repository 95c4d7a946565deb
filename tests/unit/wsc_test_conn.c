
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A connection under test.
 */


#include <stdio.h>

#include "wsc_frame.h"
#include "wsc_mask.h"
#include "wsc_test_conn.h"


#define WSC_TEST_SHOWN  64            /* longer data is given by its length */


static void wsc_test_conn_trace(wsc_test_conn_t *t, ssize_t rc);
static void wsc_test_conn_data(wsc_test_conn_t *t);


void
wsc_test_conn_init(wsc_test_conn_t *t, wsc_test_mem_t *mem, int flags,
    size_t max, uint32_t fragments)
{
    wsc_deflate_params_t  ext;

    memset(t, 0, sizeof(wsc_test_conn_t));
    memset(&ext, 0, sizeof(wsc_deflate_params_t));

    wsc_buf_init(&t->scratch, &mem->alloc);

    t->mem = mem;
    t->conf.alloc = &mem->alloc;
    t->conf.scratch = &t->scratch;
    t->conf.max_message = max ? max : 1000;
    t->conf.max_fragments = fragments ? fragments : 100;
    t->conf.client = (flags & WSC_TEST_CLIENT) != 0;

    ext.server_window = 15;
    ext.client_window = 15;
    ext.server_no_takeover = !t->conf.client || !(flags & WSC_TEST_TAKEOVER);
    ext.client_no_takeover = t->conf.client || !(flags & WSC_TEST_TAKEOVER);

    wsc_conn_init(&t->conn, &t->conf,
                  (flags & WSC_TEST_DEFLATE) ? &ext : NULL);
}


size_t
wsc_test_conn_feed(wsc_test_conn_t *t, const void *p, size_t len)
{
    size_t    n;
    u_char   *copy, *pos;
    ssize_t   rc;

    copy = wsc_test_copy(p, len);
    pos = copy;

    t->input = copy;
    t->input_len = len;

    for (n = 0; /* void */ ; n++) {
        rc = wsc_conn_parse(&t->conn, &pos, copy + len, &t->ev);

        assert_in_range(pos - copy, 0, len);

        if (rc == WSC_AGAIN) {
            assert_ptr_equal(pos, copy + len);
            break;
        }

        wsc_test_conn_trace(t, rc);
    }

    free(copy);

    return n;
}


size_t
wsc_test_conn_feed_by(wsc_test_conn_t *t, const void *p, size_t len,
    size_t step)
{
    size_t         n, events;
    const u_char  *pos;

    events = 0;

    for (pos = p; len; pos += n, len -= n) {
        n = (len < step) ? len : step;
        events += wsc_test_conn_feed(t, pos, n);
    }

    return events;
}


void
wsc_test_conn_free(wsc_test_conn_t *t)
{
    wsc_conn_free(&t->conn);
    assert_int_equal(wsc_conn_memory(&t->conn), 0);

    wsc_buf_free(&t->scratch);
}


void
wsc_test_conn_frame(const wsc_test_conn_t *t, wsc_buf_t *out, u_char first,
    const void *data, size_t len)
{
    u_char   key[4], *p;
    size_t   i;

    for (i = 0; i < 4; i++) {
        key[i] = (u_char) (0x9d * (i + 1) + out->len);
    }

    p = wsc_buf_reserve(out, WSC_FRAME_MAX_HEADER + len);
    assert_non_null(p);

    out->len += wsc_frame_header(p, first & 0xf0, first & 0x0f, len,
                                 t->conf.client ? NULL : key);
    p = out->data + out->len;
    wsc_buf_add(out, data, len);

    if (!t->conf.client) {
        wsc_mask(p, len, key, 0);
    }
}


static void
wsc_test_conn_trace(wsc_test_conn_t *t, ssize_t rc)
{
    int          n;
    char        *p;
    size_t       room;
    const char  *name;

    p = t->trace + t->len;
    room = sizeof(t->trace) - t->len;
    assert_true(room > 16 + 4 * WSC_TEST_SHOWN);

    if (t->len) {
        *p++ = ' ';
        room--;
    }

    if (rc == WSC_ERROR || t->ev.type == WSC_EV_MESSAGE
        || t->ev.type == WSC_EV_CLOSE)
    {
        assert_false(wsc_conn_incomplete(&t->conn));
    }

    if (rc == WSC_ERROR) {
        assert_int_equal(wsc_conn_memory(&t->conn), 0);
        assert_non_null(t->ev.reason);
        n = snprintf(p, room, "error:%u:%s", t->ev.code, t->ev.reason);
        t->len = p + n - t->trace;
        return;
    }

    assert_int_equal(rc, WSC_OK);
    assert_null(t->ev.reason);
    assert_non_null(t->ev.data.data);
    assert_true(t->ev.data.len <= t->conf.max_message
                || t->ev.type != WSC_EV_MESSAGE);

    name = (t->ev.type == WSC_EV_PING) ? "ping:"
           : (t->ev.type == WSC_EV_PONG) ? "pong:"
           : (t->ev.type == WSC_EV_CLOSE) ? "close:"
           : (t->ev.opcode == WSC_OP_TEXT) ? "text:"
           : (t->ev.opcode == WSC_OP_BINARY) ? "binary:" : "?";

    n = snprintf(p, room, "%s", name);

    if (t->ev.type == WSC_EV_CLOSE) {
        n += snprintf(p + n, room - n, "%u:", t->ev.code);
    }

    t->len = p + n - t->trace;
    wsc_test_conn_data(t);
}


static void
wsc_test_conn_data(wsc_test_conn_t *t)
{
    char       *p;
    size_t      i;
    wsc_str_t   data;

    p = t->trace + t->len;
    data = t->ev.data;

    for (i = 0; i < data.len; i++) {
        t->hash = (t->hash ^ data.data[i]) * 16777619;

        if (data.len > WSC_TEST_SHOWN) {
            continue;
        }

        if (data.data[i] > ' ' && data.data[i] < 0x7f) {
            *p++ = (char) data.data[i];
            continue;
        }

        p += sprintf(p, "\\%02x", data.data[i]);
    }

    if (data.len > WSC_TEST_SHOWN) {
        p += sprintf(p, "[%zu]", data.len);
    }

    *p = '\0';
    t->len = p - t->trace;
}

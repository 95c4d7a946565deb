
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A connection under test: octets in, a readable trace of events out.
 */


#ifndef _WSC_TEST_CONN_H_INCLUDED_
#define _WSC_TEST_CONN_H_INCLUDED_


#include "wsc_conn.h"
#include "wsc_test.h"


/* How it is set up; 0: a server, no extension. */

#define WSC_TEST_CLIENT    1          /* it is a client */
#define WSC_TEST_DEFLATE   2
#define WSC_TEST_TAKEOVER  4          /* the peer keeps its context */


typedef struct {
    wsc_conn_t        conn;
    wsc_conn_conf_t   conf;
    wsc_buf_t         scratch;
    wsc_test_mem_t   *mem;
    const u_char     *input;          /* what the last event was read from */
    size_t            input_len;
    wsc_conn_event_t  ev;             /* the last one */
    uint32_t          hash;           /* of all data */
    size_t            len;            /* of trace */
    char              trace[4096];    /* "text:Hello ping: error:1002:why" */
} wsc_test_conn_t;


/* max, fragments: 0 is 1000 and 100. */
void wsc_test_conn_init(wsc_test_conn_t *t, wsc_test_mem_t *mem, int flags,
    size_t max, uint32_t fragments);

/* Feeds octets and takes all events; returns how many there were. */
size_t wsc_test_conn_feed(wsc_test_conn_t *t, const void *p, size_t len);

/* The same in pieces of so many octets each. */
size_t wsc_test_conn_feed_by(wsc_test_conn_t *t, const void *p, size_t len,
    size_t step);

/* Frees all; what is left in mem is then the test's or a leak. */
void wsc_test_conn_free(wsc_test_conn_t *t);

/*
 * Appends a frame with this first octet, masked unless t is a client; the key
 * depends on what is in out.
 */
void wsc_test_conn_frame(const wsc_test_conn_t *t, wsc_buf_t *out,
    u_char first, const void *data, size_t len);


#endif /* _WSC_TEST_CONN_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * As much of Redis as the model test of the epoch and dedupe rules needs:
 * strings and streams that expire, and what WATCH looks at.
 */


#ifndef _WSC_TEST_REDIS_H_INCLUDED_
#define _WSC_TEST_REDIS_H_INCLUDED_


#include "wsc_test.h"
#include "wsc_epoch.h"


#define WSC_TEST_CHATS    2
#define WSC_TEST_CIDS     24
#define WSC_TEST_ENTRIES  512
#define WSC_TEST_VALUE    64

/* The keys: inc, e of each chat, d of each chat and cid. */
#define WSC_TEST_INC            0
#define WSC_TEST_E(chat)        (1 + (chat))
#define WSC_TEST_D(chat, cid)                                                 \
    (1 + WSC_TEST_CHATS + (chat) * WSC_TEST_CIDS + (cid))
#define WSC_TEST_KEYS           WSC_TEST_D(WSC_TEST_CHATS, 0)


typedef struct {
    uint64_t               expire;      /* ms; 0: never */
    uint32_t               touched;     /* what WATCH compares */
    uint32_t               len;         /* 0: there is no such key */
    u_char                 data[WSC_TEST_VALUE];
} wsc_test_key_t;


typedef struct {
    wsc_pos_t              pos;
    wsc_pos_t              prev;        /* as the writer put it in */
    uint64_t               at;
    unsigned               cid;
    unsigned               first:1;     /* it carries prev */
} wsc_test_entry_t;


typedef struct {
    wsc_pos_t              top;
    uint64_t               expire;
    uint32_t               n;
    wsc_test_entry_t       entries[WSC_TEST_ENTRIES];
} wsc_test_stream_t;


typedef struct {
    u_char                 replid[WSC_REPLID_LEN];
    wsc_test_key_t         keys[WSC_TEST_KEYS];
    wsc_test_stream_t      streams[WSC_TEST_CHATS];
} wsc_test_redis_t;


/* A new server, or one that was promoted or restarted: a new replid. */
void wsc_test_redis_init(wsc_test_redis_t *r);
void wsc_test_redis_incarnate(wsc_test_redis_t *r, uint32_t n);

/* Drops what has expired by now; 1 if any stream did. */
int wsc_test_redis_expire(wsc_test_redis_t *r, uint64_t now);

/* NULL for nil; s is filled. */
const wsc_str_t *wsc_test_redis_get(wsc_test_redis_t *r, unsigned key,
    wsc_str_t *s);

void wsc_test_redis_set(wsc_test_redis_t *r, unsigned key, const u_char *p,
    size_t len, uint64_t expire);

/* XADD <epoch>-*: the id as a position. */
wsc_pos_t wsc_test_redis_xadd(wsc_test_redis_t *r, unsigned chat,
    uint64_t epoch, const wsc_test_entry_t *e, uint64_t expire);

void wsc_test_redis_flushall(wsc_test_redis_t *r);

/* The entry of this cid behind `after`, or NULL. */
const wsc_test_entry_t *wsc_test_redis_find(wsc_test_redis_t *r,
    unsigned chat, unsigned cid, wsc_pos_t after);


#endif /* _WSC_TEST_REDIS_H_INCLUDED_ */

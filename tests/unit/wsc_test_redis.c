
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>

#include "wsc_test_redis.h"


void
wsc_test_redis_init(wsc_test_redis_t *r)
{
    memset(r, 0, sizeof(wsc_test_redis_t));
    wsc_test_redis_incarnate(r, 0);
}


void
wsc_test_redis_incarnate(wsc_test_redis_t *r, uint32_t n)
{
    char  text[WSC_REPLID_LEN + 1];

    snprintf(text, sizeof(text), "%040x", n);
    memcpy(r->replid, text, WSC_REPLID_LEN);
}


int
wsc_test_redis_expire(wsc_test_redis_t *r, uint64_t now)
{
    int       any;
    unsigned  i;

    any = 0;

    for (i = 0; i < WSC_TEST_KEYS; i++) {
        if (r->keys[i].len && r->keys[i].expire && r->keys[i].expire <= now) {
            r->keys[i].len = 0;
            r->keys[i].touched++;
        }
    }

    for (i = 0; i < WSC_TEST_CHATS; i++) {
        if (r->streams[i].expire && r->streams[i].expire <= now) {
            memset(&r->streams[i], 0, offsetof(wsc_test_stream_t, entries));
            any = 1;
        }
    }

    return any;
}


const wsc_str_t *
wsc_test_redis_get(wsc_test_redis_t *r, unsigned key, wsc_str_t *s)
{
    s->data = r->keys[key].data;
    s->len = r->keys[key].len;

    return s->len ? s : NULL;
}


void
wsc_test_redis_set(wsc_test_redis_t *r, unsigned key, const u_char *p,
    size_t len, uint64_t expire)
{
    wsc_test_key_t  *k;

    k = &r->keys[key];

    assert_true(len <= WSC_TEST_VALUE);
    memcpy(k->data, p, len);

    k->len = len;
    k->expire = expire;
    k->touched++;
}


wsc_pos_t
wsc_test_redis_xadd(wsc_test_redis_t *r, unsigned chat, uint64_t epoch,
    const wsc_test_entry_t *e, uint64_t expire)
{
    wsc_test_entry_t   *added;
    wsc_test_stream_t  *st;

    st = &r->streams[chat];

    /* else XADD fails: "equal or smaller than the target stream top item" */
    assert_true(epoch >= st->top.epoch);
    assert_true(st->n < WSC_TEST_ENTRIES);

    st->top.seq = (epoch == st->top.epoch) ? st->top.seq + 1 : 1;
    st->top.epoch = epoch;
    st->expire = expire;

    added = &st->entries[st->n++];
    *added = *e;
    added->pos = st->top;

    return st->top;
}


void
wsc_test_redis_flushall(wsc_test_redis_t *r)
{
    unsigned  i;

    for (i = 0; i < WSC_TEST_KEYS; i++) {
        if (r->keys[i].len) {
            r->keys[i].len = 0;
            r->keys[i].touched++;
        }
    }

    for (i = 0; i < WSC_TEST_CHATS; i++) {
        memset(&r->streams[i], 0, offsetof(wsc_test_stream_t, entries));
    }
}


const wsc_test_entry_t *
wsc_test_redis_find(wsc_test_redis_t *r, unsigned chat, unsigned cid,
    wsc_pos_t after)
{
    uint32_t            i;
    wsc_test_stream_t  *st;

    st = &r->streams[chat];

    for (i = 0; i < st->n; i++) {
        if (st->entries[i].cid == cid
            && wsc_pos_cmp(st->entries[i].pos, after) > 0)
        {
            return &st->entries[i];
        }
    }

    return NULL;
}

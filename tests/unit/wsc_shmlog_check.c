
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store's area, looked at from inside.
 */


#include "wsc_test.h"
#include "wsc_shmlog_check.h"
#include "wsc_shmlog_pool.h"


static void wsc_shmlog_check_list(wsc_shmlog_t *l, unsigned n, u_char *seen);
static void wsc_shmlog_check_chat(wsc_shmlog_t *l, uint32_t chat,
    u_char *seen);
static void wsc_shmlog_check_entry(wsc_shmlog_t *l, uint32_t at,
    u_char *seen);
static void wsc_shmlog_check_linked(wsc_shmlog_t *l, uint32_t *table,
    uint32_t i);
static uint64_t wsc_shmlog_check_table(wsc_shmlog_t *l, uint32_t *table);
static void *wsc_shmlog_check_see(wsc_shmlog_t *l, uint32_t i, uint32_t type,
    u_char *seen);


void
wsc_shmlog_check(wsc_shmlog_t *l)
{
    u_char              *seen;
    uint32_t             i, nfree;
    wsc_shmlog_area_t   *a;
    wsc_shmlog_stat_t    st;
    wsc_shmlog_chunk_t  *c;

    a = wsc_shmlog_area(l);
    seen = calloc(a->used + 1, 1);
    assert_non_null(seen);

    for (i = 0; i < WSC_SHMLOG_LISTS; i++) {
        wsc_shmlog_check_list(l, i, seen);
    }

    nfree = a->n - a->used;

    for (i = a->free; i; i = c->more) {
        c = wsc_shmlog_check_see(l, i, WSC_SHMLOG_FREE, seen);
        nfree++;
    }

    assert_int_equal(nfree, a->nfree);

    for (i = 1; i <= a->used; i++) {
        assert_int_equal(seen[i], 1);
    }

    free(seen);

    wsc_shmlog_stat(l, &st);
    assert_int_equal(wsc_shmlog_check_table(l, wsc_shmlog_chats(l)),
                     st.chats);
    assert_int_equal(wsc_shmlog_check_table(l, wsc_shmlog_dedupe(l)),
                     st.messages);
}


static void
wsc_shmlog_check_list(wsc_shmlog_t *l, unsigned n, u_char *seen)
{
    size_t              i;
    uint32_t            chat, older;
    uint64_t            count, listened;
    wsc_shmlog_rec_t   *c;
    wsc_shmlog_list_t  *list;

    list = &wsc_shmlog_area(l)->lists[n];
    count = 0;
    older = 0;

    for (chat = list->first; chat; chat = c->newer) {
        c = wsc_shmlog_check_see(l, chat, WSC_SHMLOG_CHAT, seen);
        listened = 0;

        for (i = 0; i < WSC_SHMLOG_WORDS; i++) {
            listened |= c->mask[i];
        }

        assert_int_equal(c->list, n);
        assert_int_equal(n < WSC_SHMLOG_BUSY, listened == 0);
        assert_false(n == WSC_SHMLOG_EMPTY && c->first != 0);
        assert_false(n == WSC_SHMLOG_IDLE && c->first == 0);
        assert_false(n == WSC_SHMLOG_BUSY && c->first == 0);
        assert_false(n == WSC_SHMLOG_BARE && c->first != 0);
        assert_int_equal(c->older, older);

        older = chat;
        count++;

        wsc_shmlog_check_chat(l, chat, seen);
    }

    assert_int_equal(list->last, older);
    assert_int_equal(list->count, count);
}


static void
wsc_shmlog_check_chat(wsc_shmlog_t *l, uint32_t chat, u_char *seen)
{
    uint32_t             at, count, chunks, older;
    uint64_t             seq;
    wsc_str_t            name;
    wsc_shmlog_rec_t    *c;
    wsc_shmlog_entry_t  *m;

    c = wsc_shmlog_at(l, chat);

    wsc_shmlog_name(l, chat, &name);
    assert_int_equal(wsc_shmlog_find(l, &name), chat);

    assert_true(c->epoch <= wsc_shmlog_area(l)->epoch);
    assert_true(c->stamp <= wsc_shmlog_area(l)->stamp);

    count = 0;
    chunks = 0;
    older = 0;
    seq = 0;

    for (at = c->first; at; at = m->next) {
        m = wsc_shmlog_check_see(l, at, WSC_SHMLOG_ENTRY, seen);

        assert_int_equal(m->chat, chat);
        assert_int_equal(m->older, older);
        assert_true(m->seq > m->prev);
        assert_true(older == 0 || m->prev == seq);

        wsc_shmlog_check_entry(l, at, seen);
        wsc_shmlog_check_linked(l, wsc_shmlog_dedupe(l), at);

        older = at;
        seq = m->seq;
        count++;
        chunks += m->chunks;
    }

    assert_int_equal(c->last, older);
    assert_int_equal(c->count, count);
    assert_int_equal(c->chunks, chunks);
    assert_true(older == 0 || c->head == seq);
}


static void
wsc_shmlog_check_entry(wsc_shmlog_t *l, uint32_t at, u_char *seen)
{
    size_t               len;
    uint32_t             i, n;
    wsc_shmlog_entry_t  *m;
    wsc_shmlog_chunk_t  *c;

    m = wsc_shmlog_at(l, at);
    len = (size_t) m->sender + m->cid + m->len;
    n = 1;

    assert_int_equal(m->chunks, wsc_shmlog_need(len));

    for (i = m->chunk.more; i; i = c->more) {
        c = wsc_shmlog_check_see(l, i, WSC_SHMLOG_MORE, seen);
        n++;
    }

    assert_int_equal(m->chunks, n);
}


static void
wsc_shmlog_check_linked(wsc_shmlog_t *l, uint32_t *table, uint32_t i)
{
    uint32_t             at, found;
    wsc_shmlog_chunk_t  *c;

    c = wsc_shmlog_at(l, i);
    found = 0;

    for (at = table[c->hash & wsc_shmlog_area(l)->hash_mask]; at;
         at = c->link)
    {
        c = wsc_shmlog_at(l, at);
        found += at == i;
    }

    assert_int_equal(found, 1);
}


static uint64_t
wsc_shmlog_check_table(wsc_shmlog_t *l, uint32_t *table)
{
    uint32_t             i, at;
    uint64_t             n;
    wsc_shmlog_chunk_t  *c;

    n = 0;

    for (i = 0; i <= wsc_shmlog_area(l)->hash_mask; i++) {
        for (at = table[i]; at; at = c->link) {
            c = wsc_shmlog_at(l, at);
            n++;
        }
    }

    return n;
}


static void *
wsc_shmlog_check_see(wsc_shmlog_t *l, uint32_t i, uint32_t type, u_char *seen)
{
    wsc_shmlog_chunk_t  *c;

    assert_in_range(i, 1, wsc_shmlog_area(l)->used);
    assert_int_equal(seen[i], 0);
    seen[i] = 1;

    c = wsc_shmlog_at(l, i);
    assert_int_equal(c->type, type);

    return c;
}

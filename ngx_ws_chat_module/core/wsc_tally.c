
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A word with an owner is altered by that owner only, a free one is taken by
 * compare-and-swap.  Words are freed in any order, so all of a key's window
 * is looked at each time: a kilobyte.
 */


#include "wsc_tally.h"


#define wsc_tally_word(t, key, i)                                             \
    (&(t)->words[((key) + (i)) % WSC_TALLY_WORDS])

#define wsc_tally_load(word)   __atomic_load_n(word, __ATOMIC_SEQ_CST)
#define wsc_tally_store(word, value)                                          \
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST)

#define wsc_tally_tag(word)    ((word) >> 24)
#define wsc_tally_owner(word)  ((unsigned) ((word) >> 16) & 0xff)
#define wsc_tally_n(word)      ((word) & 0xffff)


static uint64_t *wsc_tally_find(wsc_tally_t *t, uint64_t key,
    unsigned owner);
static uint64_t *wsc_tally_take(wsc_tally_t *t, uint64_t key,
    unsigned owner);
static void wsc_tally_less(uint64_t *word);


int
wsc_tally_add(wsc_tally_t *t, uint64_t key, unsigned owner, uint64_t limit)
{
    uint64_t  *word;

    if (wsc_tally_count(t, key) >= limit) {
        return WSC_DECLINED;
    }

    t->used[owner] = 1;

    word = wsc_tally_find(t, key, owner);

    if (word == NULL) {
        word = wsc_tally_take(t, key, owner);

    } else if (wsc_tally_n(wsc_tally_load(word)) == WSC_TALLY_MOST) {
        word = NULL;

    } else {
        wsc_tally_store(word, wsc_tally_load(word) + 1);
    }

    if (word == NULL) {
        return WSC_AGAIN;
    }

    /* others may have counted, too */

    if (wsc_tally_count(t, key) > limit) {
        wsc_tally_less(word);
        return WSC_DECLINED;
    }

    return WSC_OK;
}


void
wsc_tally_drop(wsc_tally_t *t, uint64_t key, unsigned owner)
{
    uint64_t  *word;

    word = wsc_tally_find(t, key, owner);

    if (word != NULL) {
        wsc_tally_less(word);
    }
}


uint64_t
wsc_tally_count(wsc_tally_t *t, uint64_t key)
{
    uint64_t  sum, word;
    unsigned  i;

    sum = 0;

    for (i = 0; i < WSC_TALLY_WINDOW; i++) {
        word = wsc_tally_load(wsc_tally_word(t, key, i));

        if (word && wsc_tally_tag(word) == wsc_tally_tag(key)) {
            sum += wsc_tally_n(word);
        }
    }

    return sum;
}


void
wsc_tally_forget(wsc_tally_t *t, unsigned owner)
{
    uint64_t  word;
    unsigned  i;

    if (!t->used[owner]) {
        return;
    }

    for (i = 0; i < WSC_TALLY_WORDS; i++) {
        word = wsc_tally_load(&t->words[i]);

        if (word && wsc_tally_owner(word) == owner) {
            wsc_tally_store(&t->words[i], 0);
        }
    }

    t->used[owner] = 0;
}


static uint64_t *
wsc_tally_find(wsc_tally_t *t, uint64_t key, unsigned owner)
{
    uint64_t  word;
    unsigned  i;

    for (i = 0; i < WSC_TALLY_WINDOW; i++) {
        word = wsc_tally_load(wsc_tally_word(t, key, i));

        if (word && wsc_tally_tag(word) == wsc_tally_tag(key)
            && wsc_tally_owner(word) == owner)
        {
            return wsc_tally_word(t, key, i);
        }
    }

    return NULL;
}


/* A free word becomes one of this key, which counts 1; NULL: none is free. */

static uint64_t *
wsc_tally_take(wsc_tally_t *t, uint64_t key, unsigned owner)
{
    uint64_t  was, now;
    unsigned  i;

    now = (wsc_tally_tag(key) << 24) | ((uint64_t) owner << 16) | 1;

    for (i = 0; i < WSC_TALLY_WINDOW; i++) {
        was = 0;

        if (__atomic_compare_exchange_n(wsc_tally_word(t, key, i), &was, now,
                                        0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        {
            return wsc_tally_word(t, key, i);
        }
    }

    return NULL;
}


static void
wsc_tally_less(uint64_t *word)
{
    uint64_t  now;

    now = wsc_tally_load(word) - 1;

    wsc_tally_store(word, wsc_tally_n(now) ? now : 0);
}

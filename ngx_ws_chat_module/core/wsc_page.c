
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_base64.h"
#include "wsc_json.h"
#include "wsc_json_text.h"
#include "wsc_number.h"
#include "wsc_page.h"


#define WSC_PAGE_DEPTH  (WSC_MAX_DEPTH + 3)    /* the messages' own, and around
                                                  them */


static ssize_t wsc_page_messages(const wsc_alloc_t *alloc, wsc_str_t *v,
    wsc_page_t *page);
static ssize_t wsc_page_entry(wsc_str_t *v, int bare, wsc_entry_t *e);
static ssize_t wsc_page_field(wsc_entry_t *e, const wsc_str_t *key,
    wsc_str_t *v, unsigned *binary);
static ssize_t wsc_page_uint(const wsc_str_t *v, uint64_t *n);
static ssize_t wsc_page_pos(const wsc_str_t *v, wsc_pos_t *pos);
static ssize_t wsc_page_string(const wsc_str_t *v, wsc_str_t *s);
static ssize_t wsc_page_octets(wsc_value_t *v);


ssize_t
wsc_page_read(const wsc_alloc_t *alloc, u_char *p, size_t len, int bare,
    wsc_page_t *page, const char **reason)
{
    int            it;
    ssize_t        rc;
    wsc_str_t      key, value;
    const u_char  *pos, *last;

    memset(page, 0, sizeof(wsc_page_t));
    page->bare = bare;

    rc = wsc_json_check(alloc, p, len, WSC_PAGE_DEPTH, reason);
    if (rc != WSC_OK) {
        return rc;
    }

    it = 0;
    pos = p;
    last = p + len;
    *reason = "not a page of history";

    while (rc == WSC_OK) {
        rc = wsc_json_next(&pos, last, &it, &key, &value);

        if (rc != WSC_OK || it != '{') {
            break;
        }

        if (wsc_str_is(&key, "messages")) {
            rc = wsc_page_messages(alloc, &value, page);

        } else if (wsc_str_is(&key, "chat_id")) {
            rc = wsc_page_string(&value, &page->chat_id);

        } else if (wsc_str_is(&key, "complete_to")) {
            rc = wsc_page_pos(&value, &page->complete_to);

        } else if (wsc_str_is(&key, "more")) {
            page->more = (value.data[0] == 't');
        }
    }

    return (rc == WSC_DONE && it == '{') ? WSC_OK
           : (rc == WSC_ERROR) ? WSC_ERROR : WSC_DECLINED;
}


void
wsc_page_free(const wsc_alloc_t *alloc, wsc_page_t *page)
{
    wsc_free(alloc, page->entries);
    page->entries = NULL;
    page->n = 0;
}


static ssize_t
wsc_page_messages(const wsc_alloc_t *alloc, wsc_str_t *v, wsc_page_t *page)
{
    int            it;
    ssize_t        rc;
    wsc_str_t      key, value;
    const u_char  *pos, *last;

    if (page->entries) {
        return WSC_DECLINED;
    }

    page->entries = wsc_alloc(alloc, WSC_MAX_LIMIT * sizeof(wsc_entry_t));
    if (page->entries == NULL) {
        return WSC_ERROR;
    }

    it = 0;
    pos = v->data;
    last = pos + v->len;

    for ( ;; ) {
        rc = wsc_json_next(&pos, last, &it, &key, &value);

        if (rc != WSC_OK) {
            return (rc == WSC_DONE && it == '[') ? WSC_OK : WSC_DECLINED;
        }

        if (page->n == WSC_MAX_LIMIT
            || wsc_page_entry(&value, page->bare, &page->entries[page->n])
               != WSC_OK
            || (page->n
                && wsc_pos_cmp(page->entries[page->n - 1].pos,
                               page->entries[page->n].pos)
                   >= 0))
        {
            return WSC_DECLINED;
        }

        page->n++;
    }
}


static ssize_t
wsc_page_entry(wsc_str_t *v, int bare, wsc_entry_t *e)
{
    int            it;
    ssize_t        rc;
    unsigned       binary;
    wsc_str_t      key, value;
    const u_char  *pos, *last;

    memset(e, 0, sizeof(wsc_entry_t));

    it = 0;
    binary = 0;
    pos = v->data;
    last = pos + v->len;

    for ( ;; ) {
        rc = wsc_json_next(&pos, last, &it, &key, &value);

        if (rc != WSC_OK || it != '{') {
            break;
        }

        if (wsc_page_field(e, &key, &value, &binary) != WSC_OK) {
            return WSC_DECLINED;
        }
    }

    if (rc != WSC_DONE || e->pos.seq == 0) {
        return WSC_DECLINED;
    }

    if (bare) {
        return WSC_OK;
    }

    if ((e->message.data.len == 0) != e->retracted
        || e->sender.len == 0 || wsc_pos_cmp(e->prev, e->pos) >= 0)
    {
        return WSC_DECLINED;
    }

    return (binary && !e->retracted) ? wsc_page_octets(&e->message) : WSC_OK;
}


static ssize_t
wsc_page_field(wsc_entry_t *e, const wsc_str_t *key, wsc_str_t *v,
    unsigned *binary)
{
    if (wsc_str_is(key, "epoch")) {
        return wsc_page_uint(v, &e->pos.epoch);
    }

    if (wsc_str_is(key, "seq")) {
        return wsc_page_uint(v, &e->pos.seq);
    }

    if (wsc_str_is(key, "prev")) {
        return wsc_page_pos(v, &e->prev);
    }

    if (wsc_str_is(key, "timestamp")) {
        return wsc_page_uint(v, &e->timestamp);
    }

    if (wsc_str_is(key, "sender")) {
        return wsc_page_string(v, &e->sender);
    }

    if (wsc_str_is(key, "cid")) {
        return wsc_page_string(v, &e->cid);
    }

    if (wsc_str_is(key, "message")) {
        e->message.data = *v;

    } else if (wsc_str_is(key, "enc")) {
        *binary = 1;

    } else if (wsc_str_is(key, "edited")) {
        e->edited = (v->data[0] == 't');

    } else if (wsc_str_is(key, "retracted")) {
        e->retracted = (v->data[0] == 't');
    }

    return WSC_OK;
}


static ssize_t
wsc_page_uint(const wsc_str_t *v, uint64_t *n)
{
    int  negative;

    if (v->data[0] < '0' || v->data[0] > '9'
        || wsc_number_integer(v->data, v->len, n, &negative) != WSC_OK
        || *n >= WSC_MAX_INTEGER)
    {
        return WSC_DECLINED;
    }

    return WSC_OK;
}


/* An object, or null for none. */

static ssize_t
wsc_page_pos(const wsc_str_t *v, wsc_pos_t *pos)
{
    int            it;
    ssize_t        rc;
    wsc_str_t      key, value;
    const u_char  *p, *last;

    pos->epoch = 0;
    pos->seq = 0;

    if (v->data[0] == 'n') {
        return WSC_OK;
    }

    it = 0;
    p = v->data;
    last = p + v->len;

    for ( ;; ) {
        rc = wsc_json_next(&p, last, &it, &key, &value);

        if (rc != WSC_OK || it != '{') {
            return (rc == WSC_DONE && it == '{') ? WSC_OK : WSC_DECLINED;
        }

        if ((wsc_str_is(&key, "epoch")
             && wsc_page_uint(&value, &pos->epoch) != WSC_OK)
            || (wsc_str_is(&key, "seq")
                && wsc_page_uint(&value, &pos->seq) != WSC_OK))
        {
            return WSC_DECLINED;
        }
    }
}


/* What it means takes no more room than how it is written. */

static ssize_t
wsc_page_string(const wsc_str_t *v, wsc_str_t *s)
{
    const u_char  *p, *last;

    if (v->len < 2 || v->data[0] != '"') {
        return WSC_DECLINED;
    }

    p = v->data + 1;
    last = v->data + v->len - 1;

    s->data = v->data + 1;
    s->len = 0;

    while (p != last) {
        s->len += wsc_json_unescape(&p, last, s->data + s->len);
    }

    return WSC_OK;
}


static ssize_t
wsc_page_octets(wsc_value_t *v)
{
    size_t    i;
    ssize_t   n;
    wsc_str_t s;

    if (wsc_page_string(&v->data, &s) != WSC_OK) {
        return WSC_DECLINED;
    }

    while (s.len && s.data[s.len - 1] == '=') {
        s.len--;
    }

    for (i = 0; i < s.len; i++) {
        s.data[i] = (s.data[i] == '+') ? '-'
                    : (s.data[i] == '/') ? '_' : s.data[i];
    }

    n = wsc_base64_url(s.data, s.data, s.len);

    if (n < 0) {
        return WSC_DECLINED;
    }

    v->data.data = s.data;
    v->data.len = n;
    v->binary = 1;

    return WSC_OK;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_grant.h"
#include "wsc_jwt_json.h"


static size_t wsc_grant_pack(const wsc_str_t *patterns, u_char *out);


wsc_grant_t *
wsc_grant_create(const wsc_alloc_t *alloc, const wsc_jwt_claims_t *claims)
{
    u_char       *p;
    size_t        size, n;
    wsc_grant_t  *g;

    /* a packed pattern is shorter than its text with quotes */

    size = claims->info.len + claims->join.len + claims->send.len;

    g = wsc_alloc(alloc, sizeof(wsc_grant_t) + size);
    if (g == NULL) {
        return NULL;
    }

    memset(g, 0, sizeof(wsc_grant_t));

    g->exp = claims->exp;
    g->moderate = claims->moderate;
    g->info.data = g->data;
    g->info.len = claims->info.len;

    p = g->data;

    if (claims->info.len) {
        memcpy(p, claims->info.data, claims->info.len);
        p += claims->info.len;
    }

    if (claims->join.data) {
        n = wsc_grant_pack(&claims->join, p);
        p += n;

        g->len[WSC_GRANT_JOIN] = (uint16_t) n;
        g->limited |= 1 << WSC_GRANT_JOIN;
    }

    if (claims->send.data) {
        n = wsc_grant_pack(&claims->send, p);

        g->len[WSC_GRANT_SEND] = (uint16_t) n;
        g->limited |= 1 << WSC_GRANT_SEND;
    }

    return g;
}


static size_t
wsc_grant_pack(const wsc_str_t *patterns, u_char *out)
{
    int            it;
    u_char        *to;
    wsc_str_t      value, s;
    const u_char  *p, *last;

    it = 0;
    to = out;
    p = patterns->data;
    last = p + patterns->len;

    while (wsc_jwt_strings(&p, last, &it, &value) == WSC_OK) {

        if (wsc_jwt_text(&value, to + 1, WSC_JWT_PATTERN, &s) == WSC_OK) {
            *to = (u_char) s.len;
            to += 1 + s.len;
        }
    }

    return (size_t) (to - out);
}


int
wsc_grant_allows(const wsc_grant_t *g, wsc_grant_e what,
    const wsc_str_t *chat_id)
{
    wsc_str_t      pattern;
    const u_char  *p, *last;

    if (g == NULL || (g->limited & (1u << what)) == 0) {
        return 1;
    }

    p = g->data + g->info.len;

    if (what == WSC_GRANT_SEND) {
        p += g->len[WSC_GRANT_JOIN];
    }

    for (last = p + g->len[what]; p < last; p += pattern.len) {
        pattern.len = *p++;
        pattern.data = (u_char *) p;

        if (wsc_grant_matches(&pattern, chat_id)) {
            return 1;
        }
    }

    return 0;
}


int
wsc_grant_pattern_valid(const wsc_str_t *pattern)
{
    size_t     i;
    wsc_str_t  one;

    if (pattern->len == 0 || pattern->len > WSC_JWT_PATTERN) {
        return 0;
    }

    one.len = 1;

    for (i = 0; i < pattern->len; i++) {
        one.data = pattern->data + i;

        if (pattern->data[i] != '*' && !wsc_chat_id_valid(&one)) {
            return 0;
        }
    }

    return 1;
}


/*
 * Only the last asterisk ever needs to stand for more: what stood before it
 * has matched as early as it could.
 */

int
wsc_grant_matches(const wsc_str_t *pattern, const wsc_str_t *chat_id)
{
    size_t         back;
    const u_char  *p, *plast, *s, *slast, *star;

    p = pattern->data;
    plast = p + pattern->len;
    s = chat_id->data;
    slast = s + chat_id->len;

    star = NULL;
    back = 0;

    while (s < slast) {

        if (p < plast && *p == '*') {
            star = ++p;
            back = (size_t) (s - chat_id->data);
            continue;
        }

        if (p < plast && *p == *s) {
            p++;
            s++;
            continue;
        }

        if (star == NULL) {
            return 0;
        }

        p = star;
        s = chat_id->data + ++back;
    }

    while (p < plast && *p == '*') {
        p++;
    }

    return p == plast;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_jwt_json.h"
#include "wsc_json.h"
#include "wsc_json_text.h"


static int wsc_jwt_quoted(const wsc_str_t *value, wsc_str_t *inner);


ssize_t
wsc_jwt_members(const wsc_str_t *text, wsc_jwt_member_t *members, size_t n)
{
    int            it;
    size_t         i;
    ssize_t        rc;
    wsc_str_t      key, value, name;
    const u_char  *p, *last;

    for (i = 0; i < n; i++) {
        members[i].value.data = NULL;
        members[i].value.len = 0;
    }

    it = 0;
    last = text->data + text->len;
    p = wsc_json_space(text->data, last);

    if (p == last || *p != '{') {
        return WSC_DECLINED;
    }

    while ((rc = wsc_json_next(&p, last, &it, &key, &value)) == WSC_OK) {

        for (i = 0; i < n; i++) {
            name.data = (u_char *) members[i].name;
            name.len = strlen(members[i].name);

            if (wsc_json_cmp(&key, &name) == 0) {
                members[i].value = value;
                break;
            }
        }
    }

    return (rc == WSC_DONE) ? WSC_OK : WSC_DECLINED;
}


static int
wsc_jwt_quoted(const wsc_str_t *value, wsc_str_t *inner)
{
    if (value->len < 2 || value->data[0] != '"') {
        return 0;
    }

    inner->data = value->data + 1;
    inner->len = value->len - 2;

    return 1;
}


ssize_t
wsc_jwt_text(const wsc_str_t *value, u_char *out, size_t max, wsc_str_t *s)
{
    size_t         n;
    u_char         ch[WSC_JSON_CHAR];
    wsc_str_t      inner;
    const u_char  *p, *last;

    if (!wsc_jwt_quoted(value, &inner)) {
        return WSC_DECLINED;
    }

    s->data = out;
    s->len = 0;

    p = inner.data;
    last = p + inner.len;

    while (p < last) {
        n = wsc_json_unescape(&p, last, ch);

        if (n > max - s->len) {
            return WSC_DECLINED;
        }

        memcpy(out + s->len, ch, n);
        s->len += n;
    }

    return WSC_OK;
}


int
wsc_jwt_is(const wsc_str_t *value, const char *meaning)
{
    wsc_str_t  inner, name;

    name.data = (u_char *) meaning;
    name.len = strlen(meaning);

    return wsc_jwt_quoted(value, &inner) && wsc_json_cmp(&inner, &name) == 0;
}


ssize_t
wsc_jwt_strings(const u_char **p, const u_char *last, int *it,
    wsc_str_t *value)
{
    ssize_t    rc;
    wsc_str_t  key, inner;

    if (*it == 0 && (*p == last || **p != '[')) {
        return WSC_DECLINED;
    }

    rc = wsc_json_next(p, last, it, &key, value);

    if (rc == WSC_OK && !wsc_jwt_quoted(value, &inner)) {
        return WSC_DECLINED;
    }

    return rc;
}

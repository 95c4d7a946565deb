
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The iterator over checked JSON text.
 */


#include "wsc_json.h"
#include "wsc_json_text.h"


static const u_char *wsc_json_skip(const u_char *p, const u_char *last);


ssize_t
wsc_json_next(const u_char **p, const u_char *last, int *it, wsc_str_t *key,
    wsc_str_t *value)
{
    int            object;
    const u_char  *q;

    q = wsc_json_space(*p, last);

    if (*it == 0) {
        if (q == last || (*q != '{' && *q != '[')) {
            return WSC_DECLINED;
        }

        *it = *q;
        q = wsc_json_space(q + 1, last);

    } else if (q < last && *q == ',') {
        q = wsc_json_space(q + 1, last);
    }

    if (q == last || *q == '}' || *q == ']') {
        *p = q;
        return WSC_DONE;
    }

    object = (*it == '{');
    key->len = 0;
    key->data = (u_char *) q;

    if (object) {
        key->data++;
        q = wsc_json_string_end(q, last);
        key->len = q - key->data - 1;

        q = wsc_json_space(q, last);                      /* before ':' */
        q = wsc_json_space(q + (q < last), last);
    }

    value->data = (u_char *) q;
    *p = wsc_json_skip(q, last);
    value->len = *p - q;

    return WSC_OK;
}


const u_char *
wsc_json_space(const u_char *p, const u_char *last)
{
    while (p < last
           && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    {
        p++;
    }

    return p;
}


/* Behind a value of checked text: no grammar, only brackets and strings. */

static const u_char *
wsc_json_skip(const u_char *p, const u_char *last)
{
    size_t  depth;

    depth = 0;

    while (p < last) {

        switch (*p) {

        case '"':
            p = wsc_json_string_end(p, last);
            break;

        case '{':
        case '[':
            depth++;
            p++;
            break;

        case '}':
        case ']':
            if (depth == 0) {
                return p;
            }

            depth--;
            p++;
            break;

        case ',':
        case ' ':
        case '\n':
        case '\r':
        case '\t':
            if (depth == 0) {
                return p;
            }

            p++;
            continue;

        default:
            p++;
            continue;
        }

        if (depth == 0) {
            return p;
        }
    }

    return p;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_api_body.h"
#include "ngx_ws_chat_mem.h"
#include "core/wsc_json.h"
#include "core/wsc_json_text.h"


ngx_int_t
ngx_ws_chat_api_body_check(ngx_ws_chat_api_call_t *call, const char **reason)
{
    ssize_t        rc;
    const u_char  *p, *last;

    last = call->body.data + call->body.len;
    p = wsc_json_space(call->body.data, last);

    if (p == last) {
        *reason = "a body is needed";
        return NGX_DECLINED;
    }

    /* the message is one level below */

    rc = wsc_json_check(&ngx_ws_chat_alloc, call->body.data, call->body.len,
                        WSC_MAX_DEPTH + 1, reason);
    if (rc != WSC_OK) {
        return (rc == WSC_DECLINED) ? NGX_DECLINED : NGX_ERROR;
    }

    if (*p != '{') {
        *reason = "the body must be an object";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_api_body_field(ngx_ws_chat_api_call_t *call, const char *name,
    wsc_str_t *value)
{
    int            it;
    wsc_str_t      key, wanted;
    const u_char  *p, *last;

    it = 0;
    last = call->body.data + call->body.len;
    p = wsc_json_space(call->body.data, last);

    wanted.data = (u_char *) name;
    wanted.len = ngx_strlen(name);

    while (wsc_json_next(&p, last, &it, &key, value) == WSC_OK) {
        if (wsc_json_cmp(&key, &wanted) == 0) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_ws_chat_api_body_string(ngx_ws_chat_api_call_t *call,
    const wsc_str_t *json, wsc_str_t *text)
{
    u_char        *out;
    const u_char  *p, *last;

    if (json->len < 2 || json->data[0] != '"') {
        return NGX_DECLINED;
    }

    p = json->data + 1;
    last = json->data + json->len - 1;

    out = ngx_pnalloc(call->request->pool, json->len + WSC_JSON_CHAR);
    if (out == NULL) {
        return NGX_ERROR;
    }

    text->data = out;

    while (p < last) {
        out += wsc_json_unescape(&p, last, out);
    }

    text->len = out - text->data;

    return NGX_OK;
}

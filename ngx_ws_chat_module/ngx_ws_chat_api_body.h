
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a call brings: the fields of its body, and names in its path.
 */


#ifndef _NGX_WS_CHAT_API_BODY_H_INCLUDED_
#define _NGX_WS_CHAT_API_BODY_H_INCLUDED_


#include "ngx_ws_chat_api_call.h"
#include "core/wsc_value.h"


/*
 * NGX_OK if the body is a JSON object that keeps our rules; NGX_DECLINED with
 * the reason, static; NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_api_body_check(ngx_ws_chat_api_call_t *call,
    const char **reason);

/*
 * The JSON text of a field of a checked body: NGX_OK, or NGX_DECLINED: it has
 * none.
 */
ngx_int_t ngx_ws_chat_api_body_field(ngx_ws_chat_api_call_t *call,
    const char *name, wsc_str_t *value);

/* A JSON string's text, in the request's pool; NGX_DECLINED: it is none. */
ngx_int_t ngx_ws_chat_api_body_string(ngx_ws_chat_api_call_t *call,
    const wsc_str_t *json, wsc_str_t *text);


#endif /* _NGX_WS_CHAT_API_BODY_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_api_key: who may call the API.  A configuration has an array of
 * digests of keys, NULL for "open", or NGX_CONF_UNSET_PTR.
 */


#ifndef _NGX_WS_CHAT_API_KEY_H_INCLUDED_
#define _NGX_WS_CHAT_API_KEY_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


/* The directive: reads the file. */
char *ngx_ws_chat_api_key_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * NGX_OK if the request brings one of the keys, or none is needed, else
 * NGX_DECLINED; the time it takes tells nothing about the keys.
 */
ngx_int_t ngx_ws_chat_api_key_check(ngx_http_request_t *r,
    ngx_array_t *keys);


#endif /* _NGX_WS_CHAT_API_KEY_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_sse: server-sent events by GET, and commands by POST.
 */


#ifndef _NGX_WS_CHAT_SSE_H_INCLUDED_
#define _NGX_WS_CHAT_SSE_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


ngx_int_t ngx_ws_chat_sse_handler(ngx_http_request_t *r);

/* In init_process. */
void ngx_ws_chat_sse_init(ngx_cycle_t *cycle);


#endif /* _NGX_WS_CHAT_SSE_H_INCLUDED_ */

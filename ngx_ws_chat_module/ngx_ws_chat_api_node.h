
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Calls that concern the node: drain and info.
 */


#ifndef _NGX_WS_CHAT_API_NODE_H_INCLUDED_
#define _NGX_WS_CHAT_API_NODE_H_INCLUDED_


#include "ngx_ws_chat_api_call.h"


/* As ngx_ws_chat_api_route_t wants them. */
ngx_int_t ngx_ws_chat_api_node_drain(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_node_info(ngx_ws_chat_api_call_t *call);


#endif /* _NGX_WS_CHAT_API_NODE_H_INCLUDED_ */

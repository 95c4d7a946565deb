
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Calls that send and read messages, and those to all devices of a user.
 */


#ifndef _NGX_WS_CHAT_API_MESSAGE_H_INCLUDED_
#define _NGX_WS_CHAT_API_MESSAGE_H_INCLUDED_


#include "ngx_ws_chat_api_call.h"


/* As ngx_ws_chat_api_route_t wants them. */
ngx_int_t ngx_ws_chat_api_message_send(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_message_read(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_message_broadcast(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_message_user(ngx_ws_chat_api_call_t *call);

ngx_int_t ngx_ws_chat_api_ban_kick(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_ban_block(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_ban_unblock(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_ban_disconnect(ngx_ws_chat_api_call_t *call);


#endif /* _NGX_WS_CHAT_API_MESSAGE_H_INCLUDED_ */

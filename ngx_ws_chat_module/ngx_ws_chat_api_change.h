
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Calls that change messages: of everybody, whoever sent them.
 */


#ifndef _NGX_WS_CHAT_API_CHANGE_H_INCLUDED_
#define _NGX_WS_CHAT_API_CHANGE_H_INCLUDED_


#include "ngx_ws_chat_api_call.h"


/* PATCH and DELETE chats/{chat_id}/messages/{epoch}:{seq} */
ngx_int_t ngx_ws_chat_api_change_edit(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_change_retract(ngx_ws_chat_api_call_t *call);

/* DELETE users/{user} */
ngx_int_t ngx_ws_chat_api_change_erase(ngx_ws_chat_api_call_t *call);


#endif /* _NGX_WS_CHAT_API_CHANGE_H_INCLUDED_ */

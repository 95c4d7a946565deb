
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The API: a chat's state beside its messages.
 */


#ifndef _NGX_WS_CHAT_API_STATE_H_INCLUDED_
#define _NGX_WS_CHAT_API_STATE_H_INCLUDED_


#include "ngx_ws_chat_api_call.h"


/* GET chats/{chat_id}/presence and .../marks, page by page. */
ngx_int_t ngx_ws_chat_api_state_presence(ngx_ws_chat_api_call_t *call);
ngx_int_t ngx_ws_chat_api_state_marks(ngx_ws_chat_api_call_t *call);


#endif /* _NGX_WS_CHAT_API_STATE_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Commands by POST, for those who hold no WebSocket: a client that lives as
 * long as its request.
 */


#ifndef _NGX_WS_CHAT_POST_H_INCLUDED_
#define _NGX_WS_CHAT_POST_H_INCLUDED_


#include "ngx_ws_chat_admit.h"


/* Runs the commands of who was admitted; what the content handler returns. */
ngx_int_t ngx_ws_chat_post(ngx_http_request_t *r,
    const ngx_ws_chat_admit_t *a);


#endif /* _NGX_WS_CHAT_POST_H_INCLUDED_ */

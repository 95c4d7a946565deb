
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * From a request whose 101 was queued to a session without a request.
 */


#ifndef _NGX_WS_CHAT_UPGRADE_RELEASE_H_INCLUDED_
#define _NGX_WS_CHAT_UPGRADE_RELEASE_H_INCLUDED_


#include "ngx_ws_chat_session.h"


/*
 * To be called at the end of a content handler, which returns the result:
 * when the 101 is written and the handler has returned, the request is freed
 * and a session takes its connection.  init, with addr, pending, holds and
 * pooled unset, lives in the request's pool, and so do its strings.
 */
ngx_int_t ngx_ws_chat_release(ngx_http_request_t *r,
    ngx_ws_chat_session_init_t *init);


#endif /* _NGX_WS_CHAT_UPGRADE_RELEASE_H_INCLUDED_ */

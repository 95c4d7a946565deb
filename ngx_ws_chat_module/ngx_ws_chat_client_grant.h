
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the token of a client allows it, and for how long.
 */


#ifndef _NGX_WS_CHAT_CLIENT_GRANT_H_INCLUDED_
#define _NGX_WS_CHAT_CLIENT_GRANT_H_INCLUDED_


#include "ngx_ws_chat_client.h"


/*
 * The client may do from now on what these claims say, and has their info;
 * NULL: anything, without an end.  NGX_OK or NGX_ERROR (no memory, nothing
 * changed).
 */
ngx_int_t ngx_ws_chat_client_grant(ngx_ws_chat_client_t *cl,
    const wsc_jwt_claims_t *claims);

/* Gives its memory back. */
void ngx_ws_chat_client_revoke(ngx_ws_chat_client_t *cl);

/*
 * Milliseconds until the client has to be closed with 4001, 0 or less: now.
 * Clients whose tokens end in the same second end in different moments.
 */
int64_t ngx_ws_chat_client_left(const ngx_ws_chat_client_t *cl);

/* The command `refresh`: answers, and may start a close. */
void ngx_ws_chat_client_refresh(ngx_ws_chat_client_t *cl,
    const wsc_cmd_t *cmd);


#endif /* _NGX_WS_CHAT_CLIENT_GRANT_H_INCLUDED_ */

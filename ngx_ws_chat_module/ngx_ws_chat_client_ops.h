
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a transport does for the client that is on it.
 */


#ifndef _NGX_WS_CHAT_CLIENT_OPS_H_INCLUDED_
#define _NGX_WS_CHAT_CLIENT_OPS_H_INCLUDED_


#include "ngx_ws_chat_room.h"
#include "core/wsc_event.h"


typedef struct ngx_ws_chat_client_s  ngx_ws_chat_client_t;


/* What the transport of a client does; the peer's ops point to it. */

typedef struct {
    ngx_ws_chat_peer_ops_t         peer;          /* must be first */

    /* Starts the end of it; the client lives until it is told to be gone. */
    void                         (*close)(ngx_ws_chat_client_t *cl,
                                       ngx_uint_t code, const char *reason);

    /*
     * Queues one event that is encoded as the client wants it.  pos: of a
     * message, else NULL.  NULL: a frame of a WebSocket takes it.
     */
    void                         (*event)(ngx_ws_chat_client_t *cl,
                                       const wsc_buf_t *b,
                                       const wsc_pos_t *pos);

    /* A first join was answered: what the client is told.  NULL: `joined`. */
    void                         (*joined)(ngx_ws_chat_client_t *cl,
                                       const wsc_cmd_t *cmd,
                                       wsc_joined_t *j);

    /* It was made to leave a chat.  NULL: nothing. */
    void                         (*left)(ngx_ws_chat_client_t *cl);

    /* Its token was refreshed: it may end at another time.  NULL: nothing. */
    void                         (*granted)(ngx_ws_chat_client_t *cl);
} ngx_ws_chat_client_ops_t;


#endif /* _NGX_WS_CHAT_CLIENT_OPS_H_INCLUDED_ */

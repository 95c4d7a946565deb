
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * All clients of a zone in this worker, by user.
 */


#ifndef _NGX_WS_CHAT_CLIENT_ALL_H_INCLUDED_
#define _NGX_WS_CHAT_CLIENT_ALL_H_INCLUDED_


#include "ngx_ws_chat_client.h"


/* Enters a client into its zone, whose location may have none. */
void ngx_ws_chat_client_enter(ngx_ws_chat_client_t *cl);
void ngx_ws_chat_client_exit(ngx_ws_chat_client_t *cl);

/*
 * Calls back for each client of a user; user NULL: of the zone.  The client it
 * is called with may be gone afterwards, no other.
 */
void ngx_ws_chat_client_each(ngx_ws_chat_zone_t *z, const wsc_str_t *user,
    void (*call)(ngx_ws_chat_client_t *cl, void *data), void *data);

/*
 * A client's member has joined, and counts as present unless its location has
 * that off; it is removed.
 */
void ngx_ws_chat_client_arrive(ngx_ws_chat_client_t *cl,
    ngx_ws_chat_member_t *m);
void ngx_ws_chat_client_leave(ngx_ws_chat_client_t *cl,
    ngx_ws_chat_member_t *m);

/* The zone's news(): what was emitted to a user or to all. */
void ngx_ws_chat_client_news(ngx_ws_chat_zone_t *z, const wsc_news_t *news);

/* In exit_process, when all clients are gone. */
void ngx_ws_chat_client_all_done(ngx_ws_chat_zone_t *z);


#endif /* _NGX_WS_CHAT_CLIENT_ALL_H_INCLUDED_ */

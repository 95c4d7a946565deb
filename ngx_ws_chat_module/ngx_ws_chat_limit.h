
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Connections per user and per address, over all workers of the master and
 * over reloads (ws_chat_max_user_connections, ws_chat_max_ip_connections).
 */


#ifndef _NGX_WS_CHAT_LIMIT_H_INCLUDED_
#define _NGX_WS_CHAT_LIMIT_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


/*
 * Called by the master while it reads a configuration: makes the table unless
 * it is there.  NGX_ERROR refuses the configuration.
 */
ngx_int_t ngx_ws_chat_limit_create(ngx_log_t *log);

/*
 * Counts this request's connection for as long as the request lives, or the
 * session that takes over the cleanup with ngx_ws_chat_limit_release() as its
 * handler, whose data is an array of two pointers that may be copied.
 *
 * user: NULL where nobody has a name.  NGX_OK, also if there is no room to
 * count it; NGX_DECLINED: the user has enough; NGX_BUSY: the address has;
 * NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_limit_take(ngx_http_request_t *r,
    ngx_ws_chat_loc_conf_t *conf, const wsc_str_t *user);
void ngx_ws_chat_limit_release(void *data);

/*
 * Takes back what ngx_ws_chat_limit_take() has counted: the request is going
 * to be refused, and its answer may take a while.
 */
void ngx_ws_chat_limit_return(ngx_http_request_t *r);

/* What the worker of this slot had counted is gone with it. */
void ngx_ws_chat_limit_forget(ngx_uint_t slot);


#endif /* _NGX_WS_CHAT_LIMIT_H_INCLUDED_ */

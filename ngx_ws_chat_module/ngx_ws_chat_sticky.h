
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A front's configuration of one upstream.  This and the two files that
 * include it are a module of their own: it needs nothing of the chat's.
 */


#ifndef _NGX_WS_CHAT_STICKY_H_INCLUDED_
#define _NGX_WS_CHAT_STICKY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/wsc_cookie.h"
#include "core/wsc_sticky.h"


/* The cookie's values that stand for a peer, the one for the first key too. */

typedef struct {
    u_char                          name[WSC_STICKY_PEER];
    size_t                          len;
    u_char                          value[WSC_STICKY_KEYS][WSC_STICKY_LEN];
} ngx_ws_chat_sticky_values_t;


typedef struct {
    ngx_http_upstream_init_pt       init_upstream;    /* of what we wrap */
    ngx_http_upstream_init_peer_pt  init_peer;

    ngx_str_t                       cookie;           /* its name */
    ngx_str_t                       attributes;       /* from the "; " on */
    wsc_str_t                       keys[WSC_STICKY_KEYS];
    ngx_uint_t                      nkeys;            /* 0: not sticky */

    /* as peers stand in their list, then the backup peers; filled on use */
    ngx_array_t                     values;  /* ngx_ws_chat_sticky_values_t */

    unsigned                        wrapped:1;
    unsigned                        warned:1;
} ngx_ws_chat_sticky_conf_t;


/* The setter of "ws_chat_sticky". */
char *ngx_ws_chat_sticky_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


#endif /* _NGX_WS_CHAT_STICKY_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the table of the directives takes from ngx_ws_chat_conf.c.
 */


#ifndef _NGX_WS_CHAT_CONF_SET_H_INCLUDED_
#define _NGX_WS_CHAT_CONF_SET_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


/* Bounds of a number, size or time; 0 may be allowed beside them. */

typedef struct {
    ngx_conf_post_handler_pt          post_handler;
    ngx_uint_t                        low;
    ngx_uint_t                        high;
    ngx_uint_t                        zero;
    const char                       *text;        /* what it must be */
} ngx_ws_chat_bounds_t;


void *ngx_ws_chat_conf_create_main(ngx_conf_t *cf);
void *ngx_ws_chat_conf_create_loc(ngx_conf_t *cf);
char *ngx_ws_chat_conf_merge_loc(ngx_conf_t *cf, void *parent, void *child);

/* Post handlers and setters of the directives. */
char *ngx_ws_chat_conf_bounds(ngx_conf_t *cf, void *post, void *data);
char *ngx_ws_chat_conf_node(ngx_conf_t *cf, void *post, void *data);
char *ngx_ws_chat_conf_authorize(ngx_conf_t *cf, void *post, void *data);
char *ngx_ws_chat_conf_origins(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_chat_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_ws_chat_conf_lag_policy(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_chat_conf_history(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_WS_CHAT_CONF_SET_H_INCLUDED_ */

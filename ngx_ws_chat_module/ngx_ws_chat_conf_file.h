
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Small files that directives name: keys and secrets.
 */


#ifndef _NGX_WS_CHAT_CONF_FILE_H_INCLUDED_
#define _NGX_WS_CHAT_CONF_FILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_WS_CHAT_FILE_MAX  65536


/*
 * Reads a file of at most NGX_WS_CHAT_FILE_MAX octets to memory of the pool;
 * *name becomes its full name.  NGX_OK, or NGX_ERROR: the log says why.
 */
ngx_int_t ngx_ws_chat_conf_file(ngx_conf_t *cf, const ngx_str_t *directive,
    ngx_str_t *name, ngx_str_t *text);


#endif /* _NGX_WS_CHAT_CONF_FILE_H_INCLUDED_ */

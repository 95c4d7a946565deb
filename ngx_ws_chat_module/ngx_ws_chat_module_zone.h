
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#ifndef _NGX_WS_CHAT_MODULE_ZONE_H_INCLUDED_
#define _NGX_WS_CHAT_MODULE_ZONE_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


/* The directive ws_chat_zone. */
char *ngx_ws_chat_module_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * All was read: a zone with a Redis is live or durable, others are embedded.
 */
char *ngx_ws_chat_module_stores(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf);


#endif /* _NGX_WS_CHAT_MODULE_ZONE_H_INCLUDED_ */

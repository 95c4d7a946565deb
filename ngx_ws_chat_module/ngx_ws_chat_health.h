
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#ifndef _NGX_WS_CHAT_HEALTH_H_INCLUDED_
#define _NGX_WS_CHAT_HEALTH_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


/*
 * What this worker wants of load balancers, as an HTTP status, with the word
 * for it and, unless that is "ready", the reason; both are static.
 */
ngx_uint_t ngx_ws_chat_health(ngx_ws_chat_main_conf_t *mcf,
    const char **state, const char **reason);


#endif /* _NGX_WS_CHAT_HEALTH_H_INCLUDED_ */

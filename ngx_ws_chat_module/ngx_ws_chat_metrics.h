
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_metrics: all counts of the node for Prometheus.
 */


#ifndef _NGX_WS_CHAT_METRICS_H_INCLUDED_
#define _NGX_WS_CHAT_METRICS_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


ngx_int_t ngx_ws_chat_metrics_handler(ngx_http_request_t *r);


#endif /* _NGX_WS_CHAT_METRICS_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The wall clock, as NGINX read it last.
 */


#ifndef _NGX_WS_CHAT_NOW_H_INCLUDED_
#define _NGX_WS_CHAT_NOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* ms since 1970 */

static ngx_inline uint64_t
ngx_ws_chat_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


#endif /* _NGX_WS_CHAT_NOW_H_INCLUDED_ */

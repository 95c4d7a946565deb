
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The store interface.  Every call is asynchronous: it is answered by one call
 * of a function of the request, which may come before the call returns or any
 * time later, in any order.  A request belongs to the caller, who keeps it and
 * its strings until it was answered.
 */


#ifndef _NGX_WS_CHAT_STORE_H_INCLUDED_
#define _NGX_WS_CHAT_STORE_H_INCLUDED_


#include "ngx_ws_chat_store_call.h"
#include "ngx_ws_chat_store_change.h"


struct ngx_ws_chat_store_s {
    const char   *name;

    void        (*publish)(ngx_ws_chat_publish_t *p);
    void        (*read)(ngx_ws_chat_read_t *r);
    void        (*attach)(ngx_ws_chat_attach_t *a);

    /* At once; also takes back an attach that was not answered yet. */
    void        (*detach)(ngx_ws_chat_attach_t *a);

    /*
     * Calls off a publish (the message may be stored or not) or a read: done()
     * is not called any more.
     */
    void        (*cancel_publish)(ngx_ws_chat_publish_t *p);
    void        (*cancel_read)(ngx_ws_chat_read_t *r);

    /* Calls off: it may be done or not, also in part. */
    void        (*change)(ngx_ws_chat_change_t *c);
    void        (*cancel_change)(ngx_ws_chat_change_t *c);
    void        (*erase)(ngx_ws_chat_erase_t *e);
    void        (*cancel_erase)(ngx_ws_chat_erase_t *e);

    /*
     * Tells news (core/wsc_news.h) to every worker of every node, its own one
     * included but for news that are wsc_news_known(), which it may be told:
     * of a chat to the news() of those that are attached to it, of a user or
     * the zone to the zone's news().  What one worker emits to one chat, or to
     * users and the zone, arrives in its order.  What
     * wsc_news_keep() tells to be kept of a chat is kept, for load().  Never
     * calls back before it returns; the news are the caller's again.
     * NGX_OK: on its way (a node cut off from the backplane misses it), but
     * hard news that cannot be kept: the zone's untold() is called.
     * NGX_DECLINED: nobody hears of it.
     */
    ngx_int_t   (*emit)(ngx_ws_chat_zone_t *z, const wsc_news_t *news);

    void        (*load)(ngx_ws_chat_load_t *l);
    void        (*cancel_load)(ngx_ws_chat_load_t *l);

    /* In each worker. */
    ngx_int_t   (*init_process)(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle);
    void        (*exit_process)(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle);

    /* NGX_OK, or NGX_DECLINED with *reason: senders get `unavailable`. */
    ngx_int_t   (*health)(ngx_ws_chat_zone_t *z, const char **reason);

    /*
     * ms since 1970 since when no news come about a chat; 0: they do.  NULL:
     * they always do.
     */
    uint64_t    (*stale)(ngx_ws_chat_zone_t *z, const wsc_str_t *chat_id);
};


#endif /* _NGX_WS_CHAT_STORE_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who is kicked from a chat, blocked or disconnected: kept with the zone, and
 * known in every worker, so that each join is judged here and now.
 */


#ifndef _NGX_WS_CHAT_BAN_H_INCLUDED_
#define _NGX_WS_CHAT_BAN_H_INCLUDED_


#include "ngx_ws_chat_room.h"
#include "core/wsc_bans.h"


#define NGX_WS_CHAT_BAN_KICK   3600            /* s, unless it is said */
#define NGX_WS_CHAT_BAN_EVER   (WSC_MAX_SECONDS + 1)


typedef struct ngx_ws_chat_ban_s  ngx_ws_chat_ban_t;


/* What is to be told; the caller's, who keeps it and its strings. */

struct ngx_ws_chat_ban_s {
    ngx_queue_t                       queue;
    ngx_event_t                       event;
    ngx_ws_chat_zone_t               *zone;
    ngx_uint_t                        type;       /* WSC_NEWS_BAN, _DISCONNECT
                                                     */
    wsc_str_t                         user;
    wsc_str_t                         chat_id;    /* empty: of all */
    uint64_t                          seconds;    /* 0: none any more; EVER */
    uint64_t                          end;        /* ms since 1970; of what is
                                                     to be heard of */
    unsigned                          waiting:1;

    /* Every worker is told, or not (err).  Perhaps before ban() returns. */
    void                            (*done)(ngx_ws_chat_ban_t *ban,
                                          wsc_err_e err);
};


/* Tells it; the caller has set all but queue, event and end. */
void ngx_ws_chat_ban(ngx_ws_chat_ban_t *ban);

/* done() is not called any more. */
void ngx_ws_chat_ban_cancel(ngx_ws_chat_ban_t *ban);

/*
 * May a user be in a chat (empty: in any)?  NGX_OK; NGX_DECLINED; NGX_AGAIN:
 * it is not known yet, which it will be soon; NGX_BUSY: not for long.
 */
ngx_int_t ngx_ws_chat_ban_check(ngx_ws_chat_zone_t *z,
    const wsc_str_t *chat_id, const wsc_str_t *user);

/* Calls w->ready() when it is known. */
void ngx_ws_chat_ban_wait(ngx_ws_chat_zone_t *z, ngx_ws_chat_waiting_t *w);

/* Of the zone: its news of these types, those that are untold, missed(). */
void ngx_ws_chat_ban_news(ngx_ws_chat_zone_t *z, const wsc_news_t *news);
void ngx_ws_chat_ban_untold(ngx_ws_chat_zone_t *z, const wsc_news_t *news);
void ngx_ws_chat_ban_missed(ngx_ws_chat_zone_t *z);

/* In init_process, behind the stores; in exit_process, before the store. */
ngx_int_t ngx_ws_chat_ban_init(ngx_ws_chat_main_conf_t *mcf, ngx_log_t *log);
void ngx_ws_chat_ban_done(ngx_ws_chat_zone_t *z);


#endif /* _NGX_WS_CHAT_BAN_H_INCLUDED_ */

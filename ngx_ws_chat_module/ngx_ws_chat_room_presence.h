
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who is present.  Each worker tells how many connections its users have in
 * its rooms, and that it lives; each of them makes of that for its own members
 * what they are told.
 */


#ifndef _NGX_WS_CHAT_ROOM_PRESENCE_H_INCLUDED_
#define _NGX_WS_CHAT_ROOM_PRESENCE_H_INCLUDED_


#include "ngx_ws_chat_room_state.h"


#define NGX_WS_CHAT_PRESENCE_NAMES  1000    /* of more users only the count is
                                               told, but for who asks */


/* A connection of a user has joined, or leaves.  info: JSON text, or NULL. */
void ngx_ws_chat_presence_join(ngx_ws_chat_state_t *st,
    const wsc_str_t *user, const wsc_str_t *info);
void ngx_ws_chat_presence_leave(ngx_ws_chat_state_t *st,
    const wsc_str_t *user);

/* Parts of the state's functions of these names. */
void ngx_ws_chat_presence_take(ngx_ws_chat_state_t *st,
    const wsc_note_t *note);
void ngx_ws_chat_presence_loading(ngx_ws_chat_state_t *st);
void ngx_ws_chat_presence_loaded(ngx_ws_chat_state_t *st, wsc_err_e err);
void ngx_ws_chat_presence_missed(ngx_ws_chat_state_t *st);
ngx_uint_t ngx_ws_chat_presence_visit(ngx_ws_chat_state_t *st);

/* All that is to be told.  NGX_OK or NGX_DECLINED. */
ngx_int_t ngx_ws_chat_presence_report(ngx_ws_chat_state_t *st);
void ngx_ws_chat_presence_done(ngx_ws_chat_state_t *st);

/* News of the zone: a worker lives. */
void ngx_ws_chat_presence_beat(const wsc_news_t *news);

/* In init_process and exit_process. */
void ngx_ws_chat_presence_init(ngx_ws_chat_main_conf_t *mcf, ngx_log_t *log);
void ngx_ws_chat_presence_exit(void);


#endif /* _NGX_WS_CHAT_ROOM_PRESENCE_H_INCLUDED_ */

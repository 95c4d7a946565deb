
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * How far each user has come in a chat.  What its members say goes out a
 * quarter of a second apart for each user, and comes in the same way.
 */


#ifndef _NGX_WS_CHAT_ROOM_MARKS_H_INCLUDED_
#define _NGX_WS_CHAT_ROOM_MARKS_H_INCLUDED_


#include "ngx_ws_chat_room_state.h"


#define NGX_WS_CHAT_MARKS_USERS  10000    /* that a chat keeps marks of */


struct ngx_ws_chat_marks_s {
    wsc_marks_t                       known;      /* of everybody */
    wsc_marks_t                       said;       /* here, lately; due: not
                                                     told to others yet */
    ngx_msec_t                        since;      /* when was counted: */
    ngx_uint_t                        nsent;
    ngx_uint_t                        ntold;
};


/*
 * A user says how far it has come; behind the last message that was delivered
 * here nobody has come.  NGX_OK; NGX_DECLINED: it could not be told.
 */
ngx_int_t ngx_ws_chat_marks_say(ngx_ws_chat_state_t *st,
    const wsc_str_t *user, wsc_pos_t delivered, wsc_pos_t read);

/* What a user has read, as far as it is known here. */
wsc_pos_t ngx_ws_chat_marks_read(ngx_ws_chat_state_t *st,
    const wsc_str_t *user);

/* What is known of everybody, or NULL: nothing is. */
#define ngx_ws_chat_marks_known(st)                                           \
    ((st)->marks ? &(st)->marks->known : NULL)

/* Parts of the state's functions of these names. */
void ngx_ws_chat_marks_take(ngx_ws_chat_state_t *st, const wsc_note_t *note,
    ngx_uint_t told);
ngx_uint_t ngx_ws_chat_marks_visit(ngx_ws_chat_state_t *st);

/* All that is due.  NGX_OK or NGX_DECLINED. */
ngx_int_t ngx_ws_chat_marks_send_all(ngx_ws_chat_state_t *st);
void ngx_ws_chat_marks_free(ngx_ws_chat_state_t *st);


#endif /* _NGX_WS_CHAT_ROOM_MARKS_H_INCLUDED_ */

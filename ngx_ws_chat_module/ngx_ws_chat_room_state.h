
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The conversation's state beside its messages, as a worker has it for each of
 * its rooms: who types, the signals that are kept, marks.  It follows what the
 * store tells, so it is the same in every worker that has such a room.
 */


#ifndef _NGX_WS_CHAT_ROOM_STATE_H_INCLUDED_
#define _NGX_WS_CHAT_ROOM_STATE_H_INCLUDED_


#include "ngx_ws_chat_room.h"
#include "core/wsc_latest.h"
#include "core/wsc_marks.h"
#include "core/wsc_presence.h"


#define NGX_WS_CHAT_TYPING   6000     /* ms without a refresh */
#define NGX_WS_CHAT_REFRESH  3000     /* ms: sooner is not told again */
#define NGX_WS_CHAT_TYPERS   100      /* a chat, at a time; others are not
                                         told of */
#define NGX_WS_CHAT_SIGNALS  32       /* names that a chat keeps */


typedef struct ngx_ws_chat_marks_s       ngx_ws_chat_marks_t;
typedef struct ngx_ws_chat_state_load_s  ngx_ws_chat_state_load_t;


struct ngx_ws_chat_state_s {
    ngx_queue_t                       queue;      /* something is due */
    ngx_ws_chat_room_t               *room;
    ngx_ws_chat_state_load_t         *load;       /* NULL: none under way */
    wsc_latest_t                      typing;
    wsc_latest_t                      signals;
    wsc_presence_t                    presence;   /* worker 0: this one */
    ngx_ws_chat_marks_t              *marks;      /* NULL: nobody has any */
    ngx_queue_t                       reports;    /* some to be told */
    uint32_t                          announced;  /* presence was: ms clock */
    uint32_t                          many;       /* when so many messages were
                                                     counted as are */
    unsigned                          reporting:1;  /* in that queue */
    unsigned                          active:1;   /* in the queue */
    unsigned                          again:1;    /* to be loaded again */
};


/* A chat; its state is NULL if this worker has no such room. */

typedef struct {
    ngx_ws_chat_zone_t               *zone;
    wsc_str_t                         chat_id;
    ngx_ws_chat_state_t              *state;
} ngx_ws_chat_place_t;


/* NULL: no memory. */
ngx_ws_chat_state_t *ngx_ws_chat_state_create(ngx_ws_chat_room_t *room);
void ngx_ws_chat_state_free(ngx_ws_chat_state_t *st);

/* The room is attached: loads, then tells ngx_ws_chat_room_loaded(). */
void ngx_ws_chat_state_load(ngx_ws_chat_state_t *st);

/* The room's news() and missed(). */
void ngx_ws_chat_state_news(ngx_ws_chat_attach_t *a, const wsc_news_t *news);
void ngx_ws_chat_state_missed(ngx_ws_chat_attach_t *a);

/*
 * A user begins to type, goes on or stops.  NGX_OK, also when there is nothing
 * to be told; NGX_DECLINED: it could not be told.
 */
ngx_int_t ngx_ws_chat_state_typing(const ngx_ws_chat_place_t *place,
    const wsc_str_t *user, ngx_uint_t on);

/* NGX_OK; NGX_DECLINED; NGX_ABORT: too many names are kept already. */
ngx_int_t ngx_ws_chat_state_signal(const ngx_ws_chat_place_t *place,
    const wsc_note_t *note);

/* Tells others all that they are to hear.  NGX_OK; NGX_DECLINED: not all. */
ngx_int_t ngx_ws_chat_state_tell(ngx_ws_chat_state_t *st);

/* Something is due in a room: it is visited within 100 ms. */
void ngx_ws_chat_state_activate(ngx_ws_chat_state_t *st);

/* What this worker is called among those of all nodes; another name now. */
const wsc_str_t *ngx_ws_chat_state_uid(void);
void ngx_ws_chat_state_rename(void);

/* In init_process and exit_process. */
void ngx_ws_chat_state_init(ngx_log_t *log);
void ngx_ws_chat_state_done(void);


#endif /* _NGX_WS_CHAT_ROOM_STATE_H_INCLUDED_ */

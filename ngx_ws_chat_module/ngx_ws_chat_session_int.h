
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the files of the session need of each other.
 */


#ifndef _NGX_WS_CHAT_SESSION_INT_H_INCLUDED_
#define _NGX_WS_CHAT_SESSION_INT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_ws_chat_session_s  ngx_ws_chat_session_t;

typedef void (*ngx_ws_chat_session_deed_pt)(ngx_ws_chat_session_t *s,
    uint32_t now);


#define NGX_WS_CHAT_TICK          100          /* ms */

#define ngx_ws_chat_ticks(ms)                                                 \
    ((uint32_t) (((ms) + NGX_WS_CHAT_TICK - 1) / NGX_WS_CHAT_TICK))

#define NGX_WS_CHAT_CLOSE_TIME    ngx_ws_chat_ticks(2000)
#define NGX_WS_CHAT_CUT_TIME      ngx_ws_chat_ticks(1000)
#define NGX_WS_CHAT_LINGER_TIME   ngx_ws_chat_ticks(1000)
#define NGX_WS_CHAT_SLOW_TIME     ngx_ws_chat_ticks(5000)
#define NGX_WS_CHAT_SETTLE_TIME   ngx_ws_chat_ticks(2000)


/* The clock of the sessions; they keep its low 32 bits. */
#define ngx_ws_chat_tick()        (ngx_current_msec / NGX_WS_CHAT_TICK)
#define ngx_ws_chat_tick_now()    ((uint32_t) ngx_ws_chat_tick())


/* What it holds until its end, behind its text. */
#define ngx_ws_chat_session_holds(s)                                          \
    ((ngx_ws_chat_hold_t *) ngx_align_ptr((s)->text + (s)->addr_len           \
                                          + (s)->client.user_len, 8))


/* ngx_ws_chat_session_end.c */

/* Log lines from now on are about this session. */
void ngx_ws_chat_session_enter(ngx_ws_chat_session_t *s);

/* The time to close is over: it may be gone on return. */
void ngx_ws_chat_session_late(ngx_ws_chat_session_t *s);

/* Our Close was sent and answered: ends by reading on for a while. */
void ngx_ws_chat_session_linger(ngx_ws_chat_session_t *s);

/* Ends it at once: the connection is closed, all is freed. */
void ngx_ws_chat_session_destroy(ngx_ws_chat_session_t *s);


/* ngx_ws_chat_session_input.c */

ngx_int_t ngx_ws_chat_session_input_init(ngx_cycle_t *cycle);

/* Reads what there is; whatever comes of it is noted in the session. */
void ngx_ws_chat_session_read(ngx_ws_chat_session_t *s);

/* Takes octets that were read already; they are altered. */
void ngx_ws_chat_session_feed(ngx_ws_chat_session_t *s, u_char *p,
    size_t len);


/* ngx_ws_chat_session_timer.c */

/* What its state says is due; it may be gone on return. */
void ngx_ws_chat_session_deed(ngx_ws_chat_session_t *s, uint32_t now);

/* The worker is shutting down and has to wait for this session. */
void ngx_ws_chat_session_drain(ngx_ws_chat_session_t *s);

/* The close code of a node that stops or restarts, with its reason. */
ngx_uint_t ngx_ws_chat_session_parting(const char **reason);


/* ngx_ws_chat_session_wheel.c */

/* deed: of a session that came out of the wheel, perhaps before its time. */
void ngx_ws_chat_session_wheel_init(ngx_cycle_t *cycle,
    ngx_ws_chat_session_deed_pt deed);

/* Enters the session's next deed, as its state says, into the wheel. */
void ngx_ws_chat_session_schedule(ngx_ws_chat_session_t *s);

void ngx_ws_chat_session_unschedule(ngx_ws_chat_session_t *s);

/* The worker stays from now on until no session is left. */
void ngx_ws_chat_session_hold(void);

/* The number of sessions; after many of them memory is given back. */
void ngx_ws_chat_session_begun(void);
void ngx_ws_chat_session_ended(void);


#endif /* _NGX_WS_CHAT_SESSION_INT_H_INCLUDED_ */

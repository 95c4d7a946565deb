
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * wsfloor: what delivering to everybody in a room costs at least.  A bare
 * server of one thread for the comparison with real ones: no limits, no
 * history, no parsing of messages; a room is a path, every text frame goes to
 * all who are in it, the sender too.
 */


#ifndef _WSFLOOR_H_INCLUDED_
#define _WSFLOOR_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_conn.h"


#define WF_LOG        (1 << 20)     /* octets of a room's log */


typedef struct wf_room_s  wf_room_t;
typedef struct wf_conn_s  wf_conn_t;


struct wf_conn_s {
    int           fd;
    unsigned      open:1;           /* the handshake is done */
    unsigned      writing:1;        /* waits until it can write */
    unsigned      dead:1;           /* freed when the turn is over */
    uint32_t      place;            /* among the members of the room */
    uint64_t      cursor;           /* has got the log so far */
    wf_room_t    *room;
    wsc_buf_t     in;               /* of the request */
    wsc_buf_t     out;              /* what the socket did not take */
    wsc_conn_t    ws;
    wf_conn_t    *next_dead;
};


struct wf_room_s {
    char         *path;
    wf_conn_t   **members;
    uint32_t      n;
    uint32_t      size;
    uint64_t      head;             /* octets ever written to the log */
    u_char       *log;              /* WF_LOG octets, used as a ring */
    wf_room_t    *next;             /* of the same hash */
    wf_room_t    *dirty;            /* the next one with news */
    unsigned      news:1;
};


typedef struct {
    int              each;          /* a send() for each delivery */
    int              epoll;
    int              listen;
    wf_room_t       *dirty;
    wf_room_t       *rooms[65536];
    wf_conn_t       *dead;          /* of this turn */
    wsc_buf_t        scratch;
    wsc_conn_conf_t  conf;
    u_char           buf[65536];
} wf_server_t;


/* wsfloor_room.c */

/* The room of that path, made when it is new.  Ends the program for lack of
   memory. */
wf_room_t *wf_room_get(wf_server_t *s, const u_char *path, size_t len);

void wf_room_add(wf_room_t *room, wf_conn_t *c);
void wf_room_remove(wf_room_t *room, wf_conn_t *c);

/* Delivers a text to all members: at once, or by the room's log. */
void wf_room_text(wf_server_t *s, wf_room_t *room, const wsc_str_t *text);

/* The news of all rooms, at the end of a turn. */
void wf_room_flush(wf_server_t *s);

/* Goes on with a member whose socket takes more again. */
void wf_room_resume(wf_server_t *s, wf_conn_t *c);


/* wsfloor.c */

/* Sends, or keeps what the socket does not take. */
void wf_send(wf_server_t *s, wf_conn_t *c, const u_char *p, size_t len);

/* EPOLLOUT, or not. */
void wf_watch(wf_server_t *s, wf_conn_t *c, int writing);

void wf_close(wf_server_t *s, wf_conn_t *c);
void wf_die(const char *what) __attribute__((noreturn));


#endif /* _WSFLOOR_H_INCLUDED_ */

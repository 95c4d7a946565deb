
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Data frames to messages, internal to wsc_conn.  What is whole in the input
 * is unmasked there and handed out; what is not goes to a partial state,
 * created for it and freed by the call after the one that completed it.
 */


#ifndef _WSC_MESSAGE_H_INCLUDED_
#define _WSC_MESSAGE_H_INCLUDED_


#include "wsc_conn.h"
#include "wsc_frame.h"


#define WSC_FRAME_CONTROL  0x8        /* bit of the opcode */


struct wsc_partial_s {
    wsc_buf_t    buf;                 /* the message, unmasked and inflated */
    wsc_frame_t  frame;               /* the frame under way */
    size_t       taken;               /* octets of its payload seen */
    size_t       wire;                /* payload octets of the message's
                                         frames, as declared */
    uint32_t     fragments;
    uint32_t     utf8;
    u_char       opcode;              /* of the message, 0: none under way */
    u_char       nheader;             /* octets in header */
    unsigned     compressed:1;
    unsigned     in_frame:1;
    unsigned     spent:1;             /* its event is given, free it */
    u_char       header[WSC_FRAME_MAX_HEADER];
    u_char       control[WSC_MAX_CONTROL];
};


/* May a data frame with this header come now?  WSC_OK, or it has failed. */
ssize_t wsc_message_check(wsc_conn_t *c, const wsc_frame_t *f,
    wsc_conn_event_t *ev);

/*
 * Takes what there is of a data frame's payload.  WSC_OK: a message is in ev;
 * WSC_DONE: the frame is complete, the message is not; WSC_AGAIN: more
 * payload is needed; WSC_ERROR: it has failed.
 */
ssize_t wsc_message_frame(wsc_conn_t *c, const wsc_frame_t *f, u_char **pos,
    u_char *last, wsc_conn_event_t *ev);

/* Fills ev and returns WSC_OK; the partial state goes if it is done with. */
ssize_t wsc_message_event(wsc_conn_t *c, wsc_event_e type, u_char opcode,
    u_char *data, size_t len, wsc_conn_event_t *ev);

/* Ends the connection: frees all, fills ev and returns WSC_ERROR. */
ssize_t wsc_message_fail(wsc_conn_t *c, unsigned code, const char *reason,
    wsc_conn_event_t *ev);

/* The partial state, created if there is none.  NULL: no memory. */
wsc_partial_t *wsc_partial_get(wsc_conn_t *c);

void wsc_partial_free(wsc_conn_t *c);


#endif /* _WSC_MESSAGE_H_INCLUDED_ */

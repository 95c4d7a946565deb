
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Inside wsc_conn only: the state of what is incomplete, and events.
 */


#ifndef _WSC_CONN_INT_H_INCLUDED_
#define _WSC_CONN_INT_H_INCLUDED_


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


/* Fills ev and returns WSC_OK; the partial state goes if it is done with. */
ssize_t wsc_conn_event(wsc_conn_t *c, wsc_event_e type, u_char opcode,
    u_char *data, size_t len, wsc_conn_event_t *ev);

/* Ends the connection: frees all, fills ev and returns WSC_ERROR. */
ssize_t wsc_conn_fail(wsc_conn_t *c, unsigned code, const char *reason,
    wsc_conn_event_t *ev);

/* The partial state, created if there is none.  NULL: no memory. */
wsc_partial_t *wsc_partial_get(wsc_conn_t *c);

void wsc_partial_free(wsc_conn_t *c);


#endif /* _WSC_CONN_INT_H_INCLUDED_ */

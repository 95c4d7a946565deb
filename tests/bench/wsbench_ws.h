
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Frames both ways, after the handshake.
 */


#ifndef _WSBENCH_WS_H_INCLUDED_
#define _WSBENCH_WS_H_INCLUDED_


#include "wsbench.h"


/* Sends the init frames; without --init-reply it has joined by that. */
void wb_ws_init(wb_proc_t *proc, wb_conn_t *c);

/* Takes octets that were read; they are altered. */
void wb_ws_frames(wb_proc_t *proc, wb_conn_t *c, u_char *pos, u_char *last);

/* Appends a frame to what is to be sent, and sends what the socket takes. */
void wb_ws_send(wb_proc_t *proc, wb_conn_t *c, u_char opcode,
    const u_char *data, size_t len);

/* Sends a Close frame; the peer's answer or the end of the stream ends it. */
void wb_ws_close(wb_proc_t *proc, wb_conn_t *c);


#endif /* _WSBENCH_WS_H_INCLUDED_ */

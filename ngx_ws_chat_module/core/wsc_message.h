
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Data frames to messages, internal to wsc_conn.  What is whole in the input
 * is unmasked there and handed out; what is not goes to a partial state,
 * created for it and freed by the call after the one that completed it.
 */


#ifndef _WSC_MESSAGE_H_INCLUDED_
#define _WSC_MESSAGE_H_INCLUDED_


#include "wsc_conn_int.h"


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


#endif /* _WSC_MESSAGE_H_INCLUDED_ */

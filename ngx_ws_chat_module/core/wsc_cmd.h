
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Client commands (docs/PROTOCOL.md): a WebSocket message holds one command or
 * an array of up to WSC_MAX_BATCH.
 */


#ifndef _WSC_CMD_H_INCLUDED_
#define _WSC_CMD_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_value.h"


typedef enum {
    WSC_CMD_UNKNOWN = 0,
    WSC_CMD_JOIN,
    WSC_CMD_LEAVE,
    WSC_CMD_SEND,
    WSC_CMD_EDIT,
    WSC_CMD_RETRACT,
    WSC_CMD_HISTORY,
    WSC_CMD_SIGNAL,
    WSC_CMD_TYPING,
    WSC_CMD_MARK,
    WSC_CMD_PRESENCE,
    WSC_CMD_KICK,
    WSC_CMD_BLOCK,
    WSC_CMD_REFRESH,
    WSC_CMD_PING
} wsc_op_e;


typedef enum {
    WSC_ID_NONE = 0,              /* no reply but errors */
    WSC_ID_INTEGER,
    WSC_ID_STRING
} wsc_id_e;


typedef struct {
    wsc_id_e            type;
    int64_t             integer;
    wsc_str_t           string;
} wsc_id_t;


/* Error codes of the protocol that decoding itself can give. */

typedef enum {
    WSC_ERR_NONE = 0,
    WSC_ERR_BAD_REQUEST,
    WSC_ERR_UNKNOWN_OP,
    WSC_ERR_FORBIDDEN,
    WSC_ERR_NOT_JOINED,
    WSC_ERR_TOO_MANY_CHATS,
    WSC_ERR_NOT_FOUND,
    WSC_ERR_RATE_LIMITED,         /* from here to UNKNOWN: temporary */
    WSC_ERR_OVERLOADED,
    WSC_ERR_UNAVAILABLE,
    WSC_ERR_UNKNOWN,
    WSC_ERR_INTERNAL
} wsc_err_e;


typedef struct {
    wsc_op_e            op;
    wsc_id_t            id;
    wsc_str_t           chat_id;      /* len 0: absent */
    wsc_str_t           cid;
    wsc_str_t           name;         /* signal; kick, block: the user */
    wsc_str_t           token;        /* refresh */
    wsc_value_t         message;      /* send, edit; signal: data.  JSON text
                                         or octets */
    wsc_pos_t           pos;          /* edit, retract */
    wsc_pos_t           after;
    wsc_pos_t           before;
    wsc_pos_t           delivered;    /* mark; seq 0: absent */
    wsc_pos_t           read;
    uint32_t            limit;        /* join: history; others: limit */
    uint32_t            offset;       /* presence */
    uint32_t            seconds;      /* kick, block */
    unsigned            has_after:1;
    unsigned            has_before:1;
    unsigned            has_limit:1;
    unsigned            has_seconds:1;
    unsigned            retry:1;
    unsigned            keep:1;       /* signal */
    unsigned            on:1;         /* typing */
} wsc_cmd_t;


typedef struct wsc_batch_s  wsc_batch_t;


/*
 * Opens a client message.  The data must stay as it is until the batch is
 * closed.  WSC_OK with *batch; WSC_DECLINED: not JSON or msgpack at all, an
 * empty array, or too many commands: one bad_request with *reason (static)
 * and without id answers it; WSC_ERROR: no memory.
 */
ssize_t wsc_batch_open(const wsc_alloc_t *alloc, wsc_enc_e enc,
    const wsc_str_t *data, wsc_batch_t **batch, const char **reason);

/*
 * The next command; its strings live until the next call or the close.
 * WSC_OK; WSC_DONE; WSC_DECLINED: this one is bad: *err is
 * WSC_ERR_BAD_REQUEST or WSC_ERR_UNKNOWN_OP with *reason (static), and cmd
 * has id, chat_id and cid as far as they were valid; WSC_ERROR: no memory.
 */
ssize_t wsc_batch_next(wsc_batch_t *batch, wsc_cmd_t *cmd, wsc_err_e *err,
    const char **reason);

void wsc_batch_close(wsc_batch_t *batch);


#endif /* _WSC_CMD_H_INCLUDED_ */

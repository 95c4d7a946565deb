
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a chat message carries: a JSON value as text, byte for byte as its
 * sender wrote it, or octets (msgpack bin).
 */


#ifndef _WSC_VALUE_H_INCLUDED_
#define _WSC_VALUE_H_INCLUDED_


#include "wsc_base.h"


#define WSC_MAX_CHAT_ID   128    /* [A-Za-z0-9._:@-] */
#define WSC_MAX_USER      128    /* UTF-8 without control characters */
#define WSC_MAX_CID       64     /* printable ASCII */
#define WSC_MAX_ID        64     /* octets of a command's string id */
#define WSC_MAX_NAME      64     /* octets of a signal's name */
#define WSC_MAX_DATA      4096   /* octets of its data, as JSON text or bin */
#define WSC_MAX_SECONDS   315360000    /* of a kick or block: ten years */
#define WSC_MAX_DEPTH     32     /* of a JSON value */
#define WSC_MAX_BATCH     64     /* commands in one message */
#define WSC_MAX_LIMIT     500    /* messages in one answer */
#define WSC_MAX_INTEGER   ((uint64_t) 1 << 53)    /* all stay below it */


typedef enum {
    WSC_ENC_JSON = 0,
    WSC_ENC_MSGPACK,
    WSC_ENC_N
} wsc_enc_e;


typedef struct {
    wsc_str_t           data;
    unsigned            binary:1;     /* octets, not JSON text */
} wsc_value_t;


/* One message of a chat; the strings belong to whoever made the entry. */

typedef struct {
    wsc_pos_t           pos;
    wsc_pos_t           prev;         /* seq 0: there is none before it */
    uint64_t            timestamp;    /* ms since 1970, server's clock */
    wsc_str_t           sender;
    wsc_str_t           cid;
    wsc_value_t         message;
    unsigned            edited:1;     /* it is not the first text */
    unsigned            retracted:1;  /* there is no text any more */
} wsc_entry_t;


/* What becomes of a message that is there; strings as of an entry. */

typedef struct {
    wsc_pos_t           pos;          /* of the message */
    wsc_pos_t           at;           /* the chat's head then: who has seen a
                                         later one has seen this; seq 0: not
                                         known */
    uint64_t            timestamp;
    wsc_str_t           by;           /* user; len 0: a server */
    wsc_value_t         message;      /* unless retracted */
    unsigned            retracted:1;
} wsc_change_t;


/* What one look over a whole JSON text or msgpack object tells. */

typedef struct {
    const char         *reason;       /* static: why it is none at all */
    const char         *rule;         /* static: the first rule of ours that
                                         it breaks; NULL: none */
    size_t              elements;     /* of the array that it is */
} wsc_scan_t;


/* 1 if the name is a chat_id, a user, a cid as PROTOCOL.md defines them. */
int wsc_chat_id_valid(const wsc_str_t *s);
int wsc_user_valid(const wsc_str_t *s);
int wsc_cid_valid(const wsc_str_t *s);


#endif /* _WSC_VALUE_H_INCLUDED_ */

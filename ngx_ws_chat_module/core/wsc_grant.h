
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a token allows, in as little memory as it can be kept for the life of
 * a connection.
 */


#ifndef _WSC_GRANT_H_INCLUDED_
#define _WSC_GRANT_H_INCLUDED_


#include "wsc_jwt.h"


typedef enum {
    WSC_GRANT_JOIN = 0,
    WSC_GRANT_SEND,
    WSC_GRANT_N
} wsc_grant_e;


typedef struct {
    uint64_t            exp;          /* s since 1970 */
    wsc_str_t           info;         /* JSON text; len 0: none */
    uint16_t            len[WSC_GRANT_N];    /* octets of the patterns */
    unsigned            moderate:1;
    unsigned            limited:2;    /* bit n: only chats of its patterns */
    u_char              data[];       /* info; patterns, each behind its
                                         length */
} wsc_grant_t;


/*
 * Makes a grant of the claims of wsc_jwt_claims(), of which it keeps nothing;
 * free it by wsc_free().  NULL: no memory.
 */
wsc_grant_t *wsc_grant_create(const wsc_alloc_t *alloc,
    const wsc_jwt_claims_t *claims);

/* 1 if the chat may be joined, or sent to; g NULL: there is no limit. */
int wsc_grant_allows(const wsc_grant_t *g, wsc_grant_e what,
    const wsc_str_t *chat_id);

/* 1 if it is 1 to 255 characters of a chat_id and asterisks. */
int wsc_grant_pattern_valid(const wsc_str_t *pattern);

/* 1 if the pattern stands for the id: an asterisk is any characters of it. */
int wsc_grant_matches(const wsc_str_t *pattern, const wsc_str_t *chat_id);


#endif /* _WSC_GRANT_H_INCLUDED_ */

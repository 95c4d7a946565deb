
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Reading lists in header values: #rule, token and optional white space of
 * RFC 7230 (sections 3.2.3, 3.2.6 and 7).  Empty elements are passed over.
 */


#ifndef _WSC_TOKEN_H_INCLUDED_
#define _WSC_TOKEN_H_INCLUDED_


#include "wsc_base.h"


typedef struct {
    const u_char    *start;
    const u_char    *pos;
    const u_char    *last;
} wsc_list_t;


/* Reads the value from its start; the bytes stay the caller's. */
void wsc_list_init(wsc_list_t *l, const wsc_str_t *value);

/*
 * Goes to the next element.  WSC_OK: it starts at pos; WSC_DONE: there is
 * none; WSC_ERROR: something is left of the one before.
 */
ssize_t wsc_list_next(wsc_list_t *l);

/* Reads a token into t (points into the value).  WSC_DECLINED: none here. */
ssize_t wsc_list_token(wsc_list_t *l, wsc_str_t *t);

/* 1 if ch is next; it is then taken, and the white space around it. */
int wsc_list_char(wsc_list_t *l, u_char ch);

/* 1 for a space or tab. */
int wsc_token_space(u_char ch);

/* 1 if ch may stand in a token. */
int wsc_token_char(u_char ch);


#endif /* _WSC_TOKEN_H_INCLUDED_ */

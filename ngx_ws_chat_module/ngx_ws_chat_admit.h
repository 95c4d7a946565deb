
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who may come in, by whatever transport, and how a request is refused.
 */


#ifndef _NGX_WS_CHAT_ADMIT_H_INCLUDED_
#define _NGX_WS_CHAT_ADMIT_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


typedef struct {
    ngx_uint_t                    status;
    ngx_str_t                     line;         /* empty: NGINX knows it */
    ngx_uint_t                    retry;        /* Retry-After; 0: none */
    ngx_uint_t                    spread;       /* a random part on top */
    ngx_str_t                     text;
} ngx_ws_chat_refusal_t;


#define ngx_ws_chat_refusal(name, status, line, retry, spread, text)          \
    static const ngx_ws_chat_refusal_t  ngx_ws_chat_refusal_##name =          \
        { status, line, retry, spread, ngx_string(text CRLF) }

#define ngx_ws_chat_bad(name, text)                                           \
    ngx_ws_chat_refusal(name, NGX_HTTP_BAD_REQUEST, ngx_null_string, 0, 0,    \
                        text)


/* Who asks; the caller sets the flags. */

typedef struct {
    wsc_str_t                     user;         /* in the request's pool */
    const struct wsc_jwt_claims_s
                                 *claims;       /* of its token; NULL: no
                                                   token is asked for */
    ngx_int_t                     named;        /* NGX_OK: user is good */
    unsigned                      nobody:1;     /* it has no user */
    unsigned                      socket:1;     /* it stays, and is counted as
                                                   a connection */
} ngx_ws_chat_admit_t;


/* What a user is refused for that is not good. */
extern const ngx_ws_chat_refusal_t  ngx_ws_chat_refusal_user;

/*
 * Checks the origin, finds out who it is, and with `socket` asks the limits,
 * where it counts until the request ends.  NULL: come in, if `named` is good.
 */
const ngx_ws_chat_refusal_t *ngx_ws_chat_admit(ngx_http_request_t *r,
    ngx_ws_chat_admit_t *a);

/* Answers so; what the content handler returns. */
ngx_int_t ngx_ws_chat_admit_refuse(ngx_http_request_t *r,
    const ngx_ws_chat_refusal_t *refusal);

/*
 * An argument, decoded as a form is: browsers write a space as + or %20.
 * NGX_OK (empty: there is none) or NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_admit_arg(ngx_http_request_t *r, char *name,
    ngx_str_t *value);


#endif /* _NGX_WS_CHAT_ADMIT_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who it is, by a signed token.  A module of NGINX of its own, so that any
 * location can have it; ws_chat locations ask for themselves, because their
 * checks have an order.
 */


#ifndef _NGX_WS_CHAT_AUTH_H_INCLUDED_
#define _NGX_WS_CHAT_AUTH_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "core/wsc_jwt.h"


#define NGX_WS_CHAT_AUTH_OFF  0
#define NGX_WS_CHAT_AUTH_JWT  1


typedef struct ngx_ws_chat_auth_conf_s {
    ngx_uint_t                 enable;
    wsc_jwt_keys_t            *keys;         /* NULL: none */
    ngx_str_t                  issuer;
    ngx_array_t               *audiences;    /* wsc_str_t */
    ngx_str_t                  cookie;       /* len 0: none is read */
    wsc_jwt_policy_t           policy;       /* of all that */
    u_char                    *file;         /* where ws_chat_auth stands */
    ngx_uint_t                 line;
    unsigned                   asks:1;       /* the location's handler calls
                                                ngx_ws_chat_auth() itself */
} ngx_ws_chat_auth_conf_t;


/* The heap, counted nowhere: it is used where there is no chat as well. */
extern const wsc_alloc_t  ngx_ws_chat_auth_memory;


/*
 * Finds the token of a request and checks it, once.  NGX_OK: *claims is what
 * it says, in the request's pool; NULL: ws_chat_auth is off; NGX_DECLINED: it
 * has no good one; NGX_ERROR: no memory.
 */
ngx_int_t ngx_ws_chat_auth(ngx_http_request_t *r,
    const wsc_jwt_claims_t **claims);

/*
 * Checks a token that came otherwise; the claims last until the next call.
 * NGX_OK, NGX_DECLINED or NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_auth_token(const ngx_ws_chat_auth_conf_t *conf,
    const wsc_str_t *token, const wsc_jwt_claims_t **claims, ngx_log_t *log);

/*
 * The credentials of an Authorization header of the Bearer scheme (RFC 6750).
 * NGX_OK (they may be empty), or NGX_DECLINED: there is no such header.
 */
ngx_int_t ngx_ws_chat_auth_bearer(ngx_http_request_t *r, wsc_str_t *token);

/* The directives, for the table in ngx_ws_chat_auth.c. */
void *ngx_ws_chat_auth_conf_create(ngx_conf_t *cf);
char *ngx_ws_chat_auth_conf_merge(ngx_conf_t *cf, void *parent, void *child);
char *ngx_ws_chat_auth_conf_enable(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_chat_auth_conf_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_ws_chat_auth_conf_audience(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_WS_CHAT_AUTH_H_INCLUDED_ */

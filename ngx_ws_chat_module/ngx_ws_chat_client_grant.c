
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_client_grant.h"
#include "ngx_ws_chat_auth.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_reply.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_END_SPREAD  2000     /* ms */
#define NGX_WS_CHAT_END_NEVER   INT64_MAX


static void ngx_ws_chat_client_refused(ngx_ws_chat_client_t *cl,
    const wsc_cmd_t *cmd, wsc_err_e code, const char *message);


ngx_int_t
ngx_ws_chat_client_grant(ngx_ws_chat_client_t *cl,
    const wsc_jwt_claims_t *claims)
{
    wsc_grant_t  *g;

    if (claims == NULL) {
        return NGX_OK;
    }

    g = wsc_grant_create(&ngx_ws_chat_alloc, claims);
    if (g == NULL) {
        return NGX_ERROR;
    }

    /* good by another clock than ours: as long as the clocks may differ */

    if (g->exp <= (uint64_t) ngx_time()) {
        g->exp += WSC_JWT_LEEWAY;
    }

    ngx_ws_chat_client_revoke(cl);

    cl->grant = g;
    cl->moderate = g->moderate;

    return NGX_OK;
}


void
ngx_ws_chat_client_revoke(ngx_ws_chat_client_t *cl)
{
    wsc_free(&ngx_ws_chat_alloc, cl->grant);

    cl->grant = NULL;
    cl->moderate = 0;
}


int64_t
ngx_ws_chat_client_left(const ngx_ws_chat_client_t *cl)
{
    if (cl->grant == NULL) {
        return NGX_WS_CHAT_END_NEVER;
    }

    return (int64_t) (cl->grant->exp * 1000
                      + cl->session % NGX_WS_CHAT_END_SPREAD)
           - (int64_t) ngx_ws_chat_now();
}


void
ngx_ws_chat_client_refresh(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd)
{
    ngx_int_t                rc;
    const wsc_jwt_claims_t  *claims;

    if (cl->grant == NULL) {
        ngx_ws_chat_client_refused(cl, cmd, WSC_ERR_FORBIDDEN,
                                   "no token was asked for");
        return;
    }

    rc = ngx_ws_chat_auth_token(cl->conf->auth, &cmd->token, &claims,
                                cl->peer.connection->log);

    if (rc == NGX_DECLINED) {
        ngx_ws_chat_client_refused(cl, cmd, WSC_ERR_FORBIDDEN,
                                   "the token is not valid");
        return;
    }

    if (rc == NGX_OK && !ngx_ws_chat_client_is(cl, &claims->sub)) {
        ngx_ws_chat_client_refused(cl, cmd, WSC_ERR_FORBIDDEN,
                                   "the token is another user's");
        ngx_ws_chat_client_close(cl, WSC_CLOSE_FORBIDDEN,
                                 "token of another user");
        return;
    }

    if (rc != NGX_OK || ngx_ws_chat_client_grant(cl, claims) != NGX_OK) {
        ngx_ws_chat_client_refused(cl, cmd, WSC_ERR_OVERLOADED,
                                   "out of memory");
        return;
    }

    if (ngx_ws_chat_client_ops(cl)->granted) {
        ngx_ws_chat_client_ops(cl)->granted(cl);
    }

    if (cmd->id.type != WSC_ID_NONE || cl->answers) {
        wsc_event_ok(ngx_ws_chat_reply_buf(), cl->enc, &cmd->id);
        ngx_ws_chat_reply(cl);
    }
}


static void
ngx_ws_chat_client_refused(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd,
    wsc_err_e code, const char *message)
{
    wsc_error_t  e;

    ngx_memzero(&e, sizeof(wsc_error_t));

    e.code = code;
    e.message = message;
    e.retry_ms = (code == WSC_ERR_OVERLOADED) ? 1000 : 0;

    ngx_ws_chat_reply_error(cl, &cmd->id, &e);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_auth.h"
#include "ngx_ws_chat_cors.h"
#include "core/wsc_cookie.h"
#include "core/wsc_handshake.h"


#define NGX_WS_CHAT_AUTH_CONF                                                 \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)


/* What is known of a request's token, by the rules of one location. */

typedef struct {
    ngx_ws_chat_auth_conf_t   *conf;
    ngx_int_t                  rc;
    wsc_jwt_claims_t           claims;
    wsc_jwt_buf_t              buf;
} ngx_ws_chat_auth_ctx_t;


/* The places beside the Authorization header. */

typedef struct {
    wsc_str_t                  bearer;       /* of the subprotocols */
    wsc_str_t                  cookie;
    size_t                     cookies;      /* that have the name */
} ngx_ws_chat_auth_found_t;


static ngx_int_t ngx_ws_chat_auth_handler(ngx_http_request_t *r);
static ngx_int_t ngx_ws_chat_auth_challenge(ngx_http_request_t *r);
static ngx_int_t ngx_ws_chat_auth_check(const ngx_ws_chat_auth_conf_t *conf,
    const wsc_str_t *token, ngx_ws_chat_auth_ctx_t *ctx, ngx_log_t *log);
static ngx_int_t ngx_ws_chat_auth_find(ngx_http_request_t *r,
    const ngx_ws_chat_auth_conf_t *conf, wsc_str_t *token);
static void ngx_ws_chat_auth_header(const ngx_ws_chat_auth_conf_t *conf,
    ngx_table_elt_t *h, ngx_ws_chat_auth_found_t *found);
static ngx_uint_t ngx_ws_chat_auth_is(ngx_table_elt_t *h, const char *name);
static ngx_int_t ngx_ws_chat_auth_line(ngx_pool_t *pool, wsc_str_t *s);
static ngx_int_t ngx_ws_chat_auth_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_ws_chat_auth_variables(ngx_conf_t *cf);
static ngx_int_t ngx_ws_chat_auth_init(ngx_conf_t *cf);
static void *ngx_ws_chat_auth_alloc(void *ctx, size_t size);
static void ngx_ws_chat_auth_free(void *ctx, void *p);


const wsc_alloc_t  ngx_ws_chat_auth_memory = {
    ngx_ws_chat_auth_alloc,
    ngx_ws_chat_auth_free,
    NULL
};


static ngx_command_t  ngx_ws_chat_auth_commands[] = {

    { ngx_string("ws_chat_auth"),
      NGX_WS_CHAT_AUTH_CONF|NGX_CONF_TAKE1,
      ngx_ws_chat_auth_conf_enable,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_chat_jwt_key"),
      NGX_WS_CHAT_AUTH_CONF|NGX_CONF_TAKE123,
      ngx_ws_chat_auth_conf_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_chat_jwt_issuer"),
      NGX_WS_CHAT_AUTH_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_chat_auth_conf_t, issuer),
      NULL },

    { ngx_string("ws_chat_jwt_audience"),
      NGX_WS_CHAT_AUTH_CONF|NGX_CONF_1MORE,
      ngx_ws_chat_auth_conf_audience,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_chat_token_cookie"),
      NGX_WS_CHAT_AUTH_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_chat_auth_conf_t, cookie),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_ws_chat_auth_module_ctx = {
    ngx_ws_chat_auth_variables,            /* preconfiguration */
    ngx_ws_chat_auth_init,                 /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_ws_chat_auth_conf_create,          /* create location configuration */
    ngx_ws_chat_auth_conf_merge            /* merge location configuration */
};


ngx_module_t  ngx_ws_chat_auth_module = {
    NGX_MODULE_V1,
    &ngx_ws_chat_auth_module_ctx,          /* module context */
    ngx_ws_chat_auth_commands,             /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* What of a token a variable is; see ngx_ws_chat_auth_variable(). */

#define NGX_WS_CHAT_AUTH_USER     0
#define NGX_WS_CHAT_AUTH_EXPIRES  1
#define NGX_WS_CHAT_AUTH_INFO     2

static ngx_http_variable_t  ngx_ws_chat_auth_vars[] = {

    { ngx_string("ws_chat_user"), NULL, ngx_ws_chat_auth_variable,
      NGX_WS_CHAT_AUTH_USER, 0, 0 },

    { ngx_string("ws_chat_token_expires"), NULL, ngx_ws_chat_auth_variable,
      NGX_WS_CHAT_AUTH_EXPIRES, 0, 0 },

    { ngx_string("ws_chat_token_info"), NULL, ngx_ws_chat_auth_variable,
      NGX_WS_CHAT_AUTH_INFO, 0, 0 },

      ngx_http_null_variable
};


/* The access phase of locations that have another content. */

static ngx_int_t
ngx_ws_chat_auth_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_ws_chat_loc_conf_t   *chat;
    const wsc_jwt_claims_t   *claims;
    ngx_ws_chat_auth_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_auth_module);

    if (conf->enable == NGX_WS_CHAT_AUTH_OFF || conf->asks) {
        return NGX_DECLINED;
    }

    chat = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);

    /* unless origins are named, CORS is the business of the content */

    if (chat->origins) {

        rc = ngx_ws_chat_cors_preflight(r, chat->origins,
                                        "GET, HEAD, POST, PUT, PATCH, DELETE");
        if (rc != NGX_DECLINED) {
            ngx_http_finalize_request(r, rc);
            return NGX_DONE;
        }

        if (!ngx_ws_chat_cors_allowed(r, chat->origins)) {
            return NGX_HTTP_FORBIDDEN;
        }

        if (ngx_ws_chat_cors_headers(r, chat->origins) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    rc = ngx_ws_chat_auth(r, &claims);

    if (rc == NGX_DECLINED) {
        return ngx_ws_chat_auth_challenge(r);
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* With "satisfy any" NGINX takes the header back if another one lets in. */

static ngx_int_t
ngx_ws_chat_auth_challenge(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "WWW-Authenticate");
    ngx_str_set(&h->value, "Bearer");

    r->headers_out.www_authenticate = h;

    return NGX_HTTP_UNAUTHORIZED;
}


ngx_int_t
ngx_ws_chat_auth(ngx_http_request_t *r, const wsc_jwt_claims_t **claims)
{
    wsc_str_t                 token;
    ngx_ws_chat_auth_ctx_t   *ctx;
    ngx_ws_chat_auth_conf_t  *conf;

    *claims = NULL;
    conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_auth_module);

    if (conf->enable == NGX_WS_CHAT_AUTH_OFF) {
        return NGX_OK;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_ws_chat_auth_module);

    /* a variable may have asked before a rewrite led to another location */

    if (ctx == NULL || ctx->conf != conf) {

        ctx = ngx_palloc(r->pool, sizeof(ngx_ws_chat_auth_ctx_t));
        if (ctx == NULL) {
            return NGX_ERROR;
        }

        ngx_http_set_ctx(r, ctx, ngx_ws_chat_auth_module);

        ctx->conf = conf;
        ctx->rc = ngx_ws_chat_auth_find(r, conf, &token);

        if (ctx->rc == NGX_OK) {
            ctx->rc = ngx_ws_chat_auth_check(conf, &token, ctx,
                                             r->connection->log);
        }
    }

    if (ctx->rc == NGX_OK) {
        *claims = &ctx->claims;
    }

    return ctx->rc;
}


ngx_int_t
ngx_ws_chat_auth_token(const ngx_ws_chat_auth_conf_t *conf,
    const wsc_str_t *token, const wsc_jwt_claims_t **claims, ngx_log_t *log)
{
    static ngx_ws_chat_auth_ctx_t  ctx;

    *claims = &ctx.claims;

    return ngx_ws_chat_auth_check(conf, token, &ctx, log);
}


/* Why it is refused stands in the log, and never what it is. */

static ngx_int_t
ngx_ws_chat_auth_check(const ngx_ws_chat_auth_conf_t *conf,
    const wsc_str_t *token, ngx_ws_chat_auth_ctx_t *ctx, ngx_log_t *log)
{
    ssize_t      rc;
    const char  *reason;

    rc = wsc_jwt_read(&conf->policy, &ngx_ws_chat_auth_memory, token,
                      ngx_time(), &ctx->buf, &ctx->claims, &reason);

    if (rc == WSC_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, log, 0,
                      "\"ws_chat_auth\" refuses a token: %s", reason);
        return NGX_DECLINED;
    }

    return (rc == WSC_OK) ? NGX_OK : NGX_ERROR;
}


/* The first place that has one counts, good or bad. */

static ngx_int_t
ngx_ws_chat_auth_find(ngx_http_request_t *r,
    const ngx_ws_chat_auth_conf_t *conf, wsc_str_t *token)
{
    ngx_uint_t                 i;
    ngx_list_part_t           *part;
    ngx_table_elt_t           *h;
    ngx_ws_chat_auth_found_t   found;

    if (ngx_ws_chat_auth_bearer(r, token) == NGX_OK) {
        return NGX_OK;
    }

    ngx_memzero(&found, sizeof(ngx_ws_chat_auth_found_t));

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            ngx_ws_chat_auth_header(conf, &h[i], &found);
        }
    }

    *token = found.bearer.data ? found.bearer : found.cookie;

    return (found.bearer.data || found.cookies == 1) ? NGX_OK : NGX_DECLINED;
}


static void
ngx_ws_chat_auth_header(const ngx_ws_chat_auth_conf_t *conf,
    ngx_table_elt_t *h, ngx_ws_chat_auth_found_t *found)
{
    int          other;
    wsc_str_t    value, name;
    wsc_proto_e  proto;

    value.data = h->value.data;
    value.len = h->value.len;

    if (ngx_ws_chat_auth_is(h, "Sec-WebSocket-Protocol")) {
        other = 0;
        proto = WSC_PROTO_NONE;

        /* what is wrong with it, the handshake says */
        (void) wsc_handshake_protocol(&value, &proto, &found->bearer, &other);
    }

    if (conf->cookie.len && ngx_ws_chat_auth_is(h, "Cookie")) {
        name.data = conf->cookie.data;
        name.len = conf->cookie.len;

        found->cookies += wsc_cookie_find(&value, &name, &found->cookie);
    }
}


static ngx_uint_t
ngx_ws_chat_auth_is(ngx_table_elt_t *h, const char *name)
{
    return h->key.len == ngx_strlen(name)
           && ngx_strncasecmp(h->key.data, (u_char *) name, h->key.len) == 0;
}


ngx_int_t
ngx_ws_chat_auth_bearer(ngx_http_request_t *r, wsc_str_t *token)
{
    size_t      len;
    ngx_str_t  *value;

    if (r->headers_in.authorization == NULL) {
        return NGX_DECLINED;
    }

    value = &r->headers_in.authorization->value;
    len = sizeof("Bearer") - 1;

    if (value->len < len
        || ngx_strncasecmp(value->data, (u_char *) "Bearer", len) != 0
        || (value->len > len && value->data[len] != ' '))
    {
        return NGX_DECLINED;
    }

    while (len < value->len && value->data[len] == ' ') {
        len++;
    }

    token->data = value->data + len;
    token->len = value->len - len;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_auth_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char                  *p;
    wsc_str_t                s;
    const wsc_jwt_claims_t  *claims;

    if (ngx_ws_chat_auth(r->main, &claims) != NGX_OK || claims == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    s = (data == NGX_WS_CHAT_AUTH_INFO) ? claims->info : claims->sub;

    if (data == NGX_WS_CHAT_AUTH_INFO
        && ngx_ws_chat_auth_line(r->pool, &s) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (data == NGX_WS_CHAT_AUTH_EXPIRES) {
        p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        s.data = p;
        s.len = ngx_sprintf(p, "%uL", claims->exp) - p;
    }

    v->data = s.data;
    v->len = s.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* Line ends between the parts of JSON text would end a header's line. */

static ngx_int_t
ngx_ws_chat_auth_line(ngx_pool_t *pool, wsc_str_t *s)
{
    size_t   i;
    u_char  *p;

    p = ngx_pnalloc(pool, s->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < s->len; i++) {
        p[i] = (s->data[i] < ' ') ? ' ' : s->data[i];
    }

    s->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_auth_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_ws_chat_auth_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_auth_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_ws_chat_auth_handler;

    return NGX_OK;
}


static void *
ngx_ws_chat_auth_alloc(void *ctx, size_t size)
{
    return ngx_alloc(size, ngx_cycle->log);
}


static void
ngx_ws_chat_auth_free(void *ctx, void *p)
{
    ngx_free(p);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The opening handshake: who may come in, and the 101.
 */


#include "ngx_ws_chat_upgrade.h"
#include "ngx_ws_chat_upgrade_offer.h"
#include "ngx_ws_chat_upgrade_release.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_cors.h"
#include "ngx_ws_chat_limit.h"
#include "core/wsc_value.h"
#include <openssl/rand.h>


#define NGX_WS_CHAT_RESERVE  16    /* connections kept to say 503 with */


typedef struct {
    ngx_http_request_t           *request;
    ngx_ws_chat_loc_conf_t       *conf;
    ngx_ws_chat_offer_t           offer;
    wsc_str_t                     user;
    ngx_int_t                     named;        /* NGX_OK: user is good */
    ngx_uint_t                    echo;
    u_char                        accept[WSC_ACCEPT_LEN];
} ngx_ws_chat_upgrade_t;


typedef struct {
    ngx_uint_t                    status;
    ngx_str_t                     line;         /* empty: NGINX knows it */
    ngx_uint_t                    retry;        /* Retry-After; 0: none */
    ngx_uint_t                    spread;       /* a random part on top */
    ngx_str_t                     text;
} ngx_ws_chat_refusal_t;


static ngx_int_t ngx_ws_chat_upgrade(ngx_http_request_t *r, ngx_uint_t echo);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_upgrade_check(
    ngx_ws_chat_upgrade_t *u);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_upgrade_limits(
    ngx_ws_chat_upgrade_t *u);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_upgrade_count(
    ngx_ws_chat_upgrade_t *u);
static ngx_uint_t ngx_ws_chat_upgrade_crowded(ngx_connection_t *c);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_upgrade_form(
    ngx_ws_chat_upgrade_t *u);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_upgrade_protocol(
    ngx_ws_chat_upgrade_t *u);
static ngx_int_t ngx_ws_chat_upgrade_user(ngx_ws_chat_upgrade_t *u);
static ngx_int_t ngx_ws_chat_upgrade_guest(ngx_ws_chat_upgrade_t *u);
static ngx_int_t ngx_ws_chat_upgrade_arg(ngx_http_request_t *r, char *name,
    ngx_str_t *value);
static ngx_int_t ngx_ws_chat_upgrade_refuse(ngx_ws_chat_upgrade_t *u,
    const ngx_ws_chat_refusal_t *refusal);
static ngx_int_t ngx_ws_chat_upgrade_retry(ngx_http_request_t *r,
    const ngx_ws_chat_refusal_t *refusal);
static ngx_int_t ngx_ws_chat_upgrade_accept(ngx_ws_chat_upgrade_t *u);
static ngx_int_t ngx_ws_chat_upgrade_answer(ngx_ws_chat_upgrade_t *u);


#define NGX_WS_CHAT_426  ngx_string("426 Upgrade Required")

#define ngx_ws_chat_refusal(name, status, line, retry, spread, text)          \
    static const ngx_ws_chat_refusal_t  ngx_ws_chat_refusal_##name =          \
        { status, line, retry, spread, ngx_string(text CRLF) }

#define ngx_ws_chat_bad(name, text)                                           \
    ngx_ws_chat_refusal(name, NGX_HTTP_BAD_REQUEST, ngx_null_string, 0, 0,    \
                        text)

ngx_ws_chat_refusal(origin, NGX_HTTP_FORBIDDEN, ngx_null_string, 0, 0,
                    "this origin is not allowed");
ngx_ws_chat_refusal(stopping, NGX_HTTP_SERVICE_UNAVAILABLE, ngx_null_string,
                    1, 0, "this node is shutting down");
ngx_ws_chat_refusal(drained, NGX_HTTP_SERVICE_UNAVAILABLE, ngx_null_string,
                    1, 4, "this node takes no new connections");
ngx_ws_chat_refusal(full, NGX_HTTP_SERVICE_UNAVAILABLE, ngx_null_string,
                    5, 0, "too many connections");
ngx_ws_chat_refusal(user_full, NGX_HTTP_SERVICE_UNAVAILABLE, ngx_null_string,
                    5, 10, "too many connections of this user");
ngx_ws_chat_refusal(addr_full, NGX_HTTP_SERVICE_UNAVAILABLE, ngx_null_string,
                    5, 10, "too many connections from this address");
ngx_ws_chat_refusal(version, 426, NGX_WS_CHAT_426, 0, 0,
                    "WebSocket version 13 is required");
ngx_ws_chat_refusal(plain, 426, NGX_WS_CHAT_426, 0, 0,
                    "this is a WebSocket: upgrade required");
ngx_ws_chat_refusal(mirror, NGX_HTTP_INTERNAL_SERVER_ERROR, ngx_null_string,
                    0, 0, "mirror cannot be used with WebSocket");

ngx_ws_chat_bad(http, "WebSocket needs HTTP/1.1");
ngx_ws_chat_bad(method, "the method of a handshake is GET");
ngx_ws_chat_bad(body, "a handshake has no body");
ngx_ws_chat_bad(key, "bad Sec-WebSocket-Key");
ngx_ws_chat_bad(protocol, "bad Sec-WebSocket-Protocol");
ngx_ws_chat_bad(unknown, "no known subprotocol: "
                "chat.v1.json and chat.v1.msgpack are");
ngx_ws_chat_bad(extension, "bad Sec-WebSocket-Extensions");
ngx_ws_chat_bad(user, "bad user: 1 to 128 octets of UTF-8 without control "
                "characters");


ngx_int_t
ngx_ws_chat_upgrade_handler(ngx_http_request_t *r)
{
    return ngx_ws_chat_upgrade(r, 0);
}


ngx_int_t
ngx_ws_chat_upgrade_echo_handler(ngx_http_request_t *r)
{
    return ngx_ws_chat_upgrade(r, 1);
}


static ngx_int_t
ngx_ws_chat_upgrade(ngx_http_request_t *r, ngx_uint_t echo)
{
    ngx_int_t                     rc;
    ngx_ws_chat_upgrade_t        *u;
    const ngx_ws_chat_refusal_t  *refusal;

    if (r != r->main) {
        return NGX_HTTP_BAD_REQUEST;
    }

    u = ngx_pcalloc(r->pool, sizeof(ngx_ws_chat_upgrade_t));
    if (u == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    u->request = r;
    u->conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);
    u->echo = echo;

    rc = ngx_ws_chat_cors_preflight(r, u->conf->origins, "GET");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    ngx_ws_chat_offer_read(r, u->conf, &u->offer);

    refusal = ngx_ws_chat_upgrade_check(u);

    if (refusal) {
        ngx_ws_chat_counters->refused++;
        return ngx_ws_chat_upgrade_refuse(u, refusal);
    }

    return ngx_ws_chat_upgrade_accept(u);
}


/*
 * In the order of the protocol: a plain GET of the same URL tells a browser,
 * whose script cannot see why a handshake failed, what it was.
 */

static const ngx_ws_chat_refusal_t *
ngx_ws_chat_upgrade_check(ngx_ws_chat_upgrade_t *u)
{
    const ngx_ws_chat_refusal_t  *refusal;

    if (!ngx_ws_chat_cors_allowed(u->request, u->conf->origins)) {
        return &ngx_ws_chat_refusal_origin;
    }

    refusal = ngx_ws_chat_upgrade_limits(u);
    if (refusal) {
        return refusal;
    }

    refusal = ngx_ws_chat_upgrade_form(u);
    if (refusal) {
        return refusal;
    }

    return ngx_ws_chat_upgrade_protocol(u);
}


static const ngx_ws_chat_refusal_t *
ngx_ws_chat_upgrade_limits(ngx_ws_chat_upgrade_t *u)
{
    ngx_uint_t              workers;
    ngx_ws_chat_counters_t  sum;

    if (ngx_exiting || ngx_terminate) {
        return &ngx_ws_chat_refusal_stopping;
    }

    if (ngx_ws_chat_bus_drained()) {
        return &ngx_ws_chat_refusal_drained;
    }

    if (ngx_ws_chat_upgrade_crowded(u->request->connection)) {
        return &ngx_ws_chat_refusal_full;
    }

    if (u->conf->max_connections) {
        ngx_ws_chat_bus_sum(&sum, &workers);

        if (sum.connections >= u->conf->max_connections) {
            return &ngx_ws_chat_refusal_full;
        }
    }

    return ngx_ws_chat_upgrade_count(u);
}


/* Who has no good name is refused for that later. */

static const ngx_ws_chat_refusal_t *
ngx_ws_chat_upgrade_count(ngx_ws_chat_upgrade_t *u)
{
    wsc_str_t  *user;

    u->named = u->echo ? NGX_DECLINED : ngx_ws_chat_upgrade_user(u);
    user = (u->named == NGX_OK) ? &u->user : NULL;

    switch (ngx_ws_chat_limit_take(u->request, u->conf, user)) {

    case NGX_OK:
        return NULL;

    case NGX_DECLINED:
        return &ngx_ws_chat_refusal_user_full;

    case NGX_BUSY:
        return &ngx_ws_chat_refusal_addr_full;

    default:
        return &ngx_ws_chat_refusal_full;
    }
}


/*
 * Without free connections NGINX could only drop the next client, and without
 * free descriptors, the lowest of which is always the next, not even that.
 */

static ngx_uint_t
ngx_ws_chat_upgrade_crowded(ngx_connection_t *c)
{
    ngx_uint_t     n, reserve;
    const char    *what;
    struct rlimit  rlmt;

    static time_t  complained;

    n = ngx_cycle->connection_n;
    what = "worker_connections";
    reserve = ngx_min(n / 8, NGX_WS_CHAT_RESERVE);

    if (ngx_cycle->free_connection_n >= reserve) {

        if (getrlimit(RLIMIT_NOFILE, &rlmt) == -1
            || (rlim_t) c->fd + reserve < rlmt.rlim_cur)
        {
            return 0;
        }

        n = rlmt.rlim_cur;
        what = "file descriptors (see worker_rlimit_nofile)";
    }

    if (complained != ngx_time()) {
        complained = ngx_time();

        ngx_log_error(NGX_LOG_WARN, c->log, 0,
                      "%ui %s are nearly used up, refusing WebSockets", n,
                      what);
    }

    return 1;
}


static const ngx_ws_chat_refusal_t *
ngx_ws_chat_upgrade_form(ngx_ws_chat_upgrade_t *u)
{
    ngx_http_request_t   *r;
    ngx_ws_chat_field_t  *version;

    r = u->request;

#if (NGX_HTTP_V2)

    if (r->stream) {
        return &ngx_ws_chat_refusal_http;
    }

#endif

    if (r->http_version > NGX_HTTP_VERSION_11) {
        return &ngx_ws_chat_refusal_http;
    }

    version = &u->offer.version;

    if (version->lines
        && (version->lines > 1 || version->value.len != 2
            || ngx_strncmp(version->value.data, "13", 2) != 0))
    {
        return &ngx_ws_chat_refusal_version;
    }

    if (!u->offer.upgrade || !u->offer.connection) {
        return &ngx_ws_chat_refusal_plain;
    }

    if (version->lines == 0) {
        return &ngx_ws_chat_refusal_version;
    }

    if (u->offer.key.lines != 1
        || wsc_handshake_accept(&u->offer.key.value, u->accept) != WSC_OK)
    {
        return &ngx_ws_chat_refusal_key;
    }

    if (r->method != NGX_HTTP_GET) {
        return &ngx_ws_chat_refusal_method;
    }

    if (r->http_version != NGX_HTTP_VERSION_11) {
        return &ngx_ws_chat_refusal_http;
    }

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return &ngx_ws_chat_refusal_body;
    }

    return NULL;
}


static const ngx_ws_chat_refusal_t *
ngx_ws_chat_upgrade_protocol(ngx_ws_chat_upgrade_t *u)
{
    ngx_http_request_t   *r;
    ngx_ws_chat_offer_t  *o;

    r = u->request;
    o = &u->offer;

    if (o->bad_protocol) {
        return &ngx_ws_chat_refusal_protocol;
    }

    if (o->unknown && o->proto == WSC_PROTO_NONE && !u->echo) {
        return &ngx_ws_chat_refusal_unknown;
    }

    if (o->bad_extension) {
        return &ngx_ws_chat_refusal_extension;
    }

    if (!u->echo && u->named != NGX_OK) {
        return &ngx_ws_chat_refusal_user;
    }

    /*
     * When a background subrequest fails, NGINX sets the handlers of the
     * connection to those of a request, which will have gone by then.
     */

    if (r->count != 1 || r->blocked) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "a location with ws_chat cannot have background "
                      "subrequests, such as those of \"mirror\"");
        return &ngx_ws_chat_refusal_mirror;
    }

    return NULL;
}


static ngx_int_t
ngx_ws_chat_upgrade_user(ngx_ws_chat_upgrade_t *u)
{
    ngx_int_t            rc;
    ngx_str_t            value;
    ngx_http_request_t  *r;

    r = u->request;

    if (u->conf->user) {
        rc = ngx_http_complex_value(r, u->conf->user, &value);

    } else {
        rc = ngx_ws_chat_upgrade_arg(r, "user", &value);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0) {
        return ngx_ws_chat_upgrade_guest(u);
    }

    u->user.data = value.data;
    u->user.len = value.len;

    return wsc_user_valid(&u->user) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_ws_chat_upgrade_guest(ngx_ws_chat_upgrade_t *u)
{
    uint32_t  n;

    if (RAND_bytes((u_char *) &n, sizeof(n)) != 1) {
        return NGX_ERROR;
    }

    u->user.data = ngx_pnalloc(u->request->pool, sizeof("guest-00000000"));
    if (u->user.data == NULL) {
        return NGX_ERROR;
    }

    u->user.len = ngx_sprintf(u->user.data, "guest-%08xD", n) - u->user.data;

    return NGX_OK;
}


/* Decoded as a form is: browsers write a space as + or %20. */

static ngx_int_t
ngx_ws_chat_upgrade_arg(ngx_http_request_t *r, char *name, ngx_str_t *value)
{
    u_char     *p, *dst, *src;
    ngx_str_t   arg;

    ngx_str_null(value);

    if (ngx_http_arg(r, (u_char *) name, ngx_strlen(name), &arg) != NGX_OK
        || arg.len == 0)
    {
        return NGX_OK;
    }

    p = ngx_pstrdup(r->pool, &arg);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (dst = p; dst < p + arg.len; dst++) {
        if (*dst == '+') {
            *dst = ' ';
        }
    }

    src = p;
    dst = p;

    ngx_unescape_uri(&dst, &src, arg.len, 0);

    value->data = p;
    value->len = dst - p;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_upgrade_refuse(ngx_ws_chat_upgrade_t *u,
    const ngx_ws_chat_refusal_t *refusal)
{
    ngx_int_t                 rc;
    ngx_str_t                 type;
    ngx_http_request_t       *r;
    ngx_http_complex_value_t  text;

    r = u->request;
    rc = NGX_OK;

    if (refusal->line.len) {
        r->headers_out.status_line = refusal->line;

        rc |= ngx_ws_chat_cors_add(r, "Upgrade", (u_char *) "websocket", 9);
        rc |= ngx_ws_chat_cors_add(r, "Sec-WebSocket-Version",
                                      (u_char *) "13", 2);
    }

    if (refusal->retry) {
        rc |= ngx_ws_chat_upgrade_retry(r, refusal);
    }

    if (refusal != &ngx_ws_chat_refusal_origin) {
        rc |= ngx_ws_chat_cors_headers(r);
    }

    rc |= ngx_ws_chat_cors_add(r, "Cache-Control", (u_char *) "no-store",
                                  8);

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&type, "text/plain");

    ngx_memzero(&text, sizeof(ngx_http_complex_value_t));
    text.value = refusal->text;

    return ngx_http_send_response(r, refusal->status, &type, &text);
}


static ngx_int_t
ngx_ws_chat_upgrade_retry(ngx_http_request_t *r,
    const ngx_ws_chat_refusal_t *refusal)
{
    u_char      *p;
    ngx_uint_t   seconds;

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    seconds = refusal->retry + ngx_random() % (refusal->spread + 1);

    return ngx_ws_chat_cors_add(r, "Retry-After", p,
                                   ngx_sprintf(p, "%ui", seconds) - p);
}


static ngx_int_t
ngx_ws_chat_upgrade_accept(ngx_ws_chat_upgrade_t *u)
{
    ngx_int_t                    rc;
    ngx_str_t                    join;
    ngx_http_request_t          *r;
    ngx_ws_chat_session_init_t  *init;

    r = u->request;

    init = ngx_pcalloc(r->pool, sizeof(ngx_ws_chat_session_init_t));

    if (init == NULL
        || ngx_ws_chat_upgrade_arg(r, "join", &join) != NGX_OK
        || ngx_ws_chat_upgrade_answer(u) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    init->conf = u->conf;
    init->echo = u->echo;
    init->user = u->user;
    init->join.data = join.data;
    init->join.len = join.len;
    init->enc = (u->offer.proto == WSC_PROTO_MSGPACK) ? WSC_ENC_MSGPACK
                                                      : WSC_ENC_JSON;

    if (u->offer.extension_len) {
        init->deflate = &u->offer.deflate;
    }

    /* a rate limit would hold the 101 back by a timer on the socket */

    r->keepalive = 0;
    r->limit_rate = 0;
    r->limit_rate_set = 1;

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    /* a header without a body waits to be written together with one */

    if (ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_ws_chat_release(r, init);
}


static ngx_int_t
ngx_ws_chat_upgrade_answer(ngx_ws_chat_upgrade_t *u)
{
    ngx_int_t            rc;
    ngx_str_t            name;
    ngx_http_request_t  *r;

    r = u->request;

    rc = ngx_ws_chat_cors_add(r, "Upgrade", (u_char *) "websocket", 9);
    rc |= ngx_ws_chat_cors_add(r, "Sec-WebSocket-Accept", u->accept,
                                  WSC_ACCEPT_LEN);

    if (u->offer.proto != WSC_PROTO_NONE) {

        if (u->offer.proto == WSC_PROTO_MSGPACK) {
            ngx_str_set(&name, "chat.v1.msgpack");

        } else {
            ngx_str_set(&name, "chat.v1.json");
        }

        rc |= ngx_ws_chat_cors_add(r, "Sec-WebSocket-Protocol", name.data,
                                      name.len);
    }

    if (u->offer.extension_len) {
        rc |= ngx_ws_chat_cors_add(r, "Sec-WebSocket-Extensions",
                                      u->offer.extension,
                                      u->offer.extension_len);
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}

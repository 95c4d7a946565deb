
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_admit.h"
#include "ngx_ws_chat_auth.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_cors.h"
#include "ngx_ws_chat_limit.h"
#include "core/wsc_value.h"
#include <openssl/rand.h>


#define NGX_WS_CHAT_RESERVE  16    /* connections kept to say 503 with */


static const ngx_ws_chat_refusal_t *ngx_ws_chat_admit_limits(
    ngx_http_request_t *r, ngx_ws_chat_loc_conf_t *conf,
    ngx_ws_chat_admit_t *a);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_admit_count(
    ngx_http_request_t *r, ngx_ws_chat_loc_conf_t *conf,
    ngx_ws_chat_admit_t *a);
static ngx_uint_t ngx_ws_chat_admit_crowded(ngx_connection_t *c);
static ngx_uint_t ngx_ws_chat_admit_files(void);
static ngx_int_t ngx_ws_chat_admit_user(ngx_http_request_t *r,
    ngx_ws_chat_loc_conf_t *conf, ngx_ws_chat_admit_t *a);
static ngx_int_t ngx_ws_chat_admit_guest(ngx_http_request_t *r,
    ngx_ws_chat_admit_t *a);
static ngx_int_t ngx_ws_chat_admit_retry(ngx_http_request_t *r,
    const ngx_ws_chat_refusal_t *refusal);


ngx_ws_chat_refusal(origin, NGX_HTTP_FORBIDDEN, ngx_null_string, 0, 0,
                    "this origin is not allowed");
ngx_ws_chat_refusal(token, NGX_HTTP_UNAUTHORIZED, ngx_null_string, 0, 0,
                    "a valid token is required");
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

/* The order of the checks is the caller's: this one comes last. */

const ngx_ws_chat_refusal_t  ngx_ws_chat_refusal_user =
    { NGX_HTTP_BAD_REQUEST, ngx_null_string, 0, 0,
      ngx_string("bad user: 1 to 128 octets of UTF-8 without control "
                 "characters" CRLF) };


/*
 * In the order of the protocol: a plain GET of the same URL tells a browser,
 * whose script cannot see why a handshake failed, what it was.
 */

const ngx_ws_chat_refusal_t *
ngx_ws_chat_admit(ngx_http_request_t *r, ngx_ws_chat_admit_t *a)
{
    ngx_ws_chat_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);

    if (!ngx_ws_chat_cors_allowed(r, conf->origins)) {
        return &ngx_ws_chat_refusal_origin;
    }

    /* whatever is wrong with a token, it is answered alike */

    if (ngx_ws_chat_auth(r, &a->claims) != NGX_OK) {
        return &ngx_ws_chat_refusal_token;
    }

    a->named = a->nobody ? NGX_DECLINED : ngx_ws_chat_admit_user(r, conf, a);

    return a->socket ? ngx_ws_chat_admit_limits(r, conf, a) : NULL;
}


static const ngx_ws_chat_refusal_t *
ngx_ws_chat_admit_limits(ngx_http_request_t *r,
    ngx_ws_chat_loc_conf_t *conf, ngx_ws_chat_admit_t *a)
{
    ngx_uint_t              workers;
    ngx_ws_chat_counters_t  sum;

    if (ngx_exiting || ngx_terminate) {
        return &ngx_ws_chat_refusal_stopping;
    }

    if (ngx_ws_chat_bus_drained()) {
        return &ngx_ws_chat_refusal_drained;
    }

    if (ngx_ws_chat_admit_crowded(r->connection)) {
        return &ngx_ws_chat_refusal_full;
    }

    if (conf->max_connections) {
        ngx_ws_chat_bus_sum(&sum, &workers);

        if (sum.connections >= conf->max_connections) {
            return &ngx_ws_chat_refusal_full;
        }
    }

    return ngx_ws_chat_admit_count(r, conf, a);
}


/* Who has no good name is refused for that later. */

static const ngx_ws_chat_refusal_t *
ngx_ws_chat_admit_count(ngx_http_request_t *r,
    ngx_ws_chat_loc_conf_t *conf, ngx_ws_chat_admit_t *a)
{
    wsc_str_t  *user;

    user = (a->named == NGX_OK) ? &a->user : NULL;

    switch (ngx_ws_chat_limit_take(r, conf, user)) {

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
ngx_ws_chat_admit_crowded(ngx_connection_t *c)
{
    ngx_uint_t      n, reserve, files;
    const char     *what;

    static time_t   complained;

    n = ngx_cycle->connection_n;
    what = "worker_connections";
    reserve = ngx_min(n / 8, NGX_WS_CHAT_RESERVE);

    if (ngx_cycle->free_connection_n >= reserve) {

        files = ngx_ws_chat_admit_files();

        if (c->fd + reserve < files) {
            return 0;
        }

        n = files;
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


/* How many descriptors this worker may have; asked for once. */

static ngx_uint_t
ngx_ws_chat_admit_files(void)
{
    struct rlimit  rlmt;

    static ngx_uint_t  files;

    if (files == 0) {
        files = (getrlimit(RLIMIT_NOFILE, &rlmt) == 0)
                ? (ngx_uint_t) rlmt.rlim_cur : NGX_MAX_UINT32_VALUE;
    }

    return files;
}


static ngx_int_t
ngx_ws_chat_admit_user(ngx_http_request_t *r,
    ngx_ws_chat_loc_conf_t *conf, ngx_ws_chat_admit_t *a)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    if (a->claims) {
        a->user = a->claims->sub;
        return NGX_OK;
    }

    if (conf->user) {
        rc = ngx_http_complex_value(r, conf->user, &value);

    } else {
        rc = ngx_ws_chat_admit_arg(r, "user", &value);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (value.len == 0) {
        return ngx_ws_chat_admit_guest(r, a);
    }

    a->user.data = value.data;
    a->user.len = value.len;

    return wsc_user_valid(&a->user) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_ws_chat_admit_guest(ngx_http_request_t *r, ngx_ws_chat_admit_t *a)
{
    uint32_t  n;

    if (RAND_bytes((u_char *) &n, sizeof(n)) != 1) {
        return NGX_ERROR;
    }

    a->user.data = ngx_pnalloc(r->pool, sizeof("guest-00000000"));
    if (a->user.data == NULL) {
        return NGX_ERROR;
    }

    a->user.len = ngx_sprintf(a->user.data, "guest-%08xD", n) - a->user.data;

    return NGX_OK;
}


/* Decoded as a form is: browsers write a space as + or %20. */

ngx_int_t
ngx_ws_chat_admit_arg(ngx_http_request_t *r, char *name, ngx_str_t *value)
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


ngx_int_t
ngx_ws_chat_admit_refuse(ngx_http_request_t *r,
    const ngx_ws_chat_refusal_t *refusal)
{
    ngx_int_t                 rc;
    ngx_str_t                 type;
    ngx_ws_chat_loc_conf_t   *conf;
    ngx_http_complex_value_t  text;

    rc = NGX_OK;

    conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);
    ngx_ws_chat_stat_of(conf)->counters.refused++;
    ngx_ws_chat_limit_return(r);

    if (refusal->line.len) {
        r->headers_out.status_line = refusal->line;

        rc |= ngx_ws_chat_cors_add(r, "Upgrade", (u_char *) "websocket", 9);
        rc |= ngx_ws_chat_cors_add(r, "Sec-WebSocket-Version",
                                   (u_char *) "13", 2);
    }

    if (refusal == &ngx_ws_chat_refusal_token) {
        rc |= ngx_ws_chat_cors_add(r, "WWW-Authenticate", (u_char *) "Bearer",
                                   6);
    }

    if (refusal->retry) {
        rc |= ngx_ws_chat_admit_retry(r, refusal);
    }

    if (refusal != &ngx_ws_chat_refusal_origin) {
        rc |= ngx_ws_chat_cors_headers(r, conf->origins);
    }

    rc |= ngx_ws_chat_cors_add(r, "Cache-Control", (u_char *) "no-store", 8);

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&type, "text/plain");

    ngx_memzero(&text, sizeof(ngx_http_complex_value_t));
    text.value = refusal->text;

    return ngx_http_send_response(r, refusal->status, &type, &text);
}


static ngx_int_t
ngx_ws_chat_admit_retry(ngx_http_request_t *r,
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


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The opening handshake: its form, and the 101.
 */


#include "ngx_ws_chat_upgrade.h"
#include "ngx_ws_chat_upgrade_offer.h"
#include "ngx_ws_chat_upgrade_release.h"
#include "ngx_ws_chat_admit.h"
#include "ngx_ws_chat_cors.h"


typedef struct {
    ngx_http_request_t           *request;
    ngx_ws_chat_loc_conf_t       *conf;
    ngx_ws_chat_offer_t           offer;
    ngx_ws_chat_admit_t           admit;
    ngx_uint_t                    echo;
    u_char                        accept[WSC_ACCEPT_LEN];
} ngx_ws_chat_upgrade_t;


static ngx_int_t ngx_ws_chat_upgrade(ngx_http_request_t *r, ngx_uint_t echo);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_upgrade_check(
    ngx_ws_chat_upgrade_t *u);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_upgrade_form(
    ngx_ws_chat_upgrade_t *u);
static const ngx_ws_chat_refusal_t *ngx_ws_chat_upgrade_protocol(
    ngx_ws_chat_upgrade_t *u);
static ngx_int_t ngx_ws_chat_upgrade_accept(ngx_ws_chat_upgrade_t *u);
static ngx_int_t ngx_ws_chat_upgrade_answer(ngx_ws_chat_upgrade_t *u);


#define NGX_WS_CHAT_426  ngx_string("426 Upgrade Required")

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
    u->admit.nobody = echo;
    u->admit.socket = 1;

    rc = ngx_ws_chat_cors_preflight(r, u->conf->origins, "GET");
    if (rc != NGX_DECLINED) {
        return rc;
    }

    /* a client's would cost 40 KB of memory for each that sends */
    u->offer.takeover = echo ? WSC_TAKEOVER_CLIENT
                        : u->conf->deflate_context ? WSC_TAKEOVER_SERVER : 0;
    ngx_ws_chat_offer_read(r, u->conf, &u->offer);

    refusal = ngx_ws_chat_upgrade_check(u);

    if (refusal) {
        return ngx_ws_chat_admit_refuse(r, refusal);
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

    refusal = ngx_ws_chat_admit(u->request, &u->admit);
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

    if (!u->echo && u->admit.named != NGX_OK) {
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
ngx_ws_chat_upgrade_accept(ngx_ws_chat_upgrade_t *u)
{
    ngx_int_t                    rc;
    ngx_str_t                    join;
    ngx_http_request_t          *r;
    ngx_ws_chat_session_init_t  *init;

    r = u->request;

    init = ngx_pcalloc(r->pool, sizeof(ngx_ws_chat_session_init_t));

    if (init == NULL
        || ngx_ws_chat_admit_arg(r, "join", &join) != NGX_OK
        || ngx_ws_chat_upgrade_answer(u) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    init->conf = u->conf;
    init->echo = u->echo;
    init->user = u->admit.user;
    init->claims = u->echo ? NULL : u->admit.claims;
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

    /* it waits to be written together with what follows */

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
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

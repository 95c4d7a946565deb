
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * From a request to the call that it is: key, path, method, body.
 */


#include "ngx_ws_chat_api.h"
#include "ngx_ws_chat_api_call.h"
#include "ngx_ws_chat_api_change.h"
#include "ngx_ws_chat_api_key.h"
#include "ngx_ws_chat_api_message.h"
#include "ngx_ws_chat_api_node.h"
#include "ngx_ws_chat_api_state.h"
#include "ngx_ws_chat_body.h"


#define NGX_WS_CHAT_API_ALLOW  64
#define NGX_WS_CHAT_API_BODY   (1024 * 1024)   /* with a message in it */


static ngx_int_t ngx_ws_chat_api_find(ngx_ws_chat_api_call_t *call,
    ngx_uint_t *allowed);
static ngx_int_t ngx_ws_chat_api_path(ngx_ws_chat_api_call_t *call,
    ngx_str_t *path);
static ngx_int_t ngx_ws_chat_api_match(const char *pattern, u_char *p,
    u_char *last, ngx_str_t *params);
static ngx_int_t ngx_ws_chat_api_unauthorized(ngx_ws_chat_api_call_t *call);
static ngx_int_t ngx_ws_chat_api_not_allowed(ngx_ws_chat_api_call_t *call,
    ngx_uint_t allowed);
static ngx_int_t ngx_ws_chat_api_too_large(ngx_ws_chat_api_call_t *call);
static void ngx_ws_chat_api_body_handler(ngx_http_request_t *r);
static void ngx_ws_chat_api_run(ngx_ws_chat_api_call_t *call);


static const ngx_ws_chat_api_route_t  ngx_ws_chat_api_routes[] = {

    { NGX_HTTP_POST, "chats/*/messages", NGX_WS_CHAT_API_BODY,
      ngx_ws_chat_api_message_send },
    { NGX_HTTP_GET, "chats/*/messages", 0, ngx_ws_chat_api_message_read },
    { NGX_HTTP_GET, "chats/*/presence", 0, ngx_ws_chat_api_state_presence },
    { NGX_HTTP_GET, "chats/*/marks", 0, ngx_ws_chat_api_state_marks },
    { NGX_HTTP_PATCH, "chats/*/messages/*", NGX_WS_CHAT_API_BODY,
      ngx_ws_chat_api_change_edit },
    { NGX_HTTP_DELETE, "chats/*/messages/*", 0,
      ngx_ws_chat_api_change_retract },
    { NGX_HTTP_POST, "broadcast", NGX_WS_CHAT_API_BODY,
      ngx_ws_chat_api_message_broadcast },
    { NGX_HTTP_POST, "users/*/messages", NGX_WS_CHAT_API_BODY,
      ngx_ws_chat_api_message_user },
    { NGX_HTTP_POST, "users/*/disconnect", 4096,
      ngx_ws_chat_api_ban_disconnect },
    { NGX_HTTP_POST, "users/*/block", 4096, ngx_ws_chat_api_ban_block },
    { NGX_HTTP_POST, "users/*/unblock", 4096, ngx_ws_chat_api_ban_unblock },
    { NGX_HTTP_POST, "chats/*/kick", 4096, ngx_ws_chat_api_ban_kick },
    { NGX_HTTP_DELETE, "users/*", 0, ngx_ws_chat_api_change_erase },
    { NGX_HTTP_POST, "drain", 4096, ngx_ws_chat_api_node_drain },
    { NGX_HTTP_GET, "info", 0, ngx_ws_chat_api_node_info },

    { 0, NULL, 0, NULL }
};


static const struct {
    ngx_uint_t   method;
    const char  *name;
} ngx_ws_chat_api_methods[] = {

    { NGX_HTTP_GET, "GET, HEAD" },
    { NGX_HTTP_POST, "POST" },
    { NGX_HTTP_PATCH, "PATCH" },
    { NGX_HTTP_DELETE, "DELETE" },

    { 0, NULL }
};


ngx_int_t
ngx_ws_chat_api_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_uint_t               allowed;
    ngx_ws_chat_api_call_t  *call;

    if (r != r->main) {
        return NGX_HTTP_BAD_REQUEST;
    }

    call = ngx_pcalloc(r->pool, sizeof(ngx_ws_chat_api_call_t));
    if (call == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    call->request = r;
    call->conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);

    if (ngx_ws_chat_api_key_check(r, call->conf->api_keys) != NGX_OK) {
        return ngx_ws_chat_api_unauthorized(call);
    }

    if (ngx_ws_chat_api_find(call, &allowed) != NGX_OK) {
        return allowed ? ngx_ws_chat_api_not_allowed(call, allowed)
                       : ngx_ws_chat_api_error(call, NGX_HTTP_NOT_FOUND,
                                               "not_found",
                                               "there is no such call");
    }

    if (call->route->max_body == 0) {

        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        r->main->count++;
        ngx_ws_chat_api_run(call);

        return NGX_DONE;
    }

    if (r->headers_in.content_length_n > (off_t) call->route->max_body) {
        return ngx_ws_chat_api_too_large(call);
    }

    ngx_http_set_ctx(r, call, ngx_ws_chat_module);

    rc = ngx_http_read_client_request_body(r, ngx_ws_chat_api_body_handler);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


/* Sets the route, or the methods that its path has (0: there is none). */

static ngx_int_t
ngx_ws_chat_api_find(ngx_ws_chat_api_call_t *call, ngx_uint_t *allowed)
{
    ngx_str_t                       path;
    ngx_uint_t                      method;
    const char                     *first;
    const ngx_ws_chat_api_route_t  *route;

    *allowed = 0;
    first = NULL;

    if (ngx_ws_chat_api_path(call, &path) != NGX_OK) {
        return NGX_DECLINED;
    }

    method = call->request->method;

    if (method == NGX_HTTP_HEAD) {
        method = NGX_HTTP_GET;
    }

    for (route = ngx_ws_chat_api_routes; route->path; route++) {

        /* the first path that matches is meant: a name may have slashes */

        if (first && ngx_strcmp(route->path, first) != 0) {
            continue;
        }

        if (ngx_ws_chat_api_match(route->path, path.data,
                                  path.data + path.len, call->params)
            != NGX_OK)
        {
            continue;
        }

        first = route->path;

        if (route->method == method) {
            call->route = route;
            return NGX_OK;
        }

        *allowed |= route->method;
    }

    return NGX_DECLINED;
}


/* What follows the location's name, without the slash between them. */

static ngx_int_t
ngx_ws_chat_api_path(ngx_ws_chat_api_call_t *call, ngx_str_t *path)
{
    ngx_str_t                 *name;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = call->request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    name = &clcf->name;

    /* it may have been rewritten */

    if (r->uri.len <= name->len
        || ngx_strncmp(r->uri.data, name->data, name->len) != 0)
    {
        return NGX_DECLINED;
    }

    path->data = r->uri.data + name->len;
    path->len = r->uri.len - name->len;

    if (name->data[name->len - 1] == '/') {
        return NGX_OK;
    }

    if (path->data[0] != '/') {
        return NGX_DECLINED;
    }

    path->data++;
    path->len--;

    return NGX_OK;
}


/* A parameter is as long as it can be: names of users may have slashes. */

static ngx_int_t
ngx_ws_chat_api_match(const char *pattern, u_char *p, u_char *last,
    ngx_str_t *params)
{
    u_char  *end;

    while (*pattern && *pattern != '*') {

        if (p == last || *p != (u_char) *pattern) {
            return NGX_DECLINED;
        }

        pattern++;
        p++;
    }

    if (*pattern == '\0') {
        return (p == last) ? NGX_OK : NGX_DECLINED;
    }

    for (end = last; end > p; end--) {

        if (ngx_ws_chat_api_match(pattern + 1, end, last, params + 1)
            == NGX_OK)
        {
            params->data = p;
            params->len = end - p;

            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_ws_chat_api_unauthorized(ngx_ws_chat_api_call_t *call)
{
    if (ngx_ws_chat_api_header(call, "WWW-Authenticate", "Bearer") != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_api_error(call, NGX_HTTP_UNAUTHORIZED, "unauthorized",
                                 "Authorization: Bearer with a key is needed");
}


static ngx_int_t
ngx_ws_chat_api_not_allowed(ngx_ws_chat_api_call_t *call, ngx_uint_t allowed)
{
    u_char      *value, *p;
    ngx_uint_t   i;

    value = ngx_pnalloc(call->request->pool, NGX_WS_CHAT_API_ALLOW);
    if (value == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = value;

    for (i = 0; ngx_ws_chat_api_methods[i].name; i++) {
        if (allowed & ngx_ws_chat_api_methods[i].method) {
            p = ngx_sprintf(p, "%s%s", (p == value) ? "" : ", ",
                            ngx_ws_chat_api_methods[i].name);
        }
    }

    *p = '\0';

    if (ngx_ws_chat_api_header(call, "Allow", (char *) value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_api_error(call, NGX_HTTP_NOT_ALLOWED,
                                 "method_not_allowed",
                                 "this path does not have this method");
}


static ngx_int_t
ngx_ws_chat_api_too_large(ngx_ws_chat_api_call_t *call)
{
    return ngx_ws_chat_api_error(call, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                 "too_large", "the body is too large");
}


static void
ngx_ws_chat_api_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                rc;
    ngx_ws_chat_api_call_t  *call;

    call = ngx_http_get_module_ctx(r, ngx_ws_chat_module);

    rc = ngx_ws_chat_body(r, call->route->max_body, &call->body);

    if (rc == NGX_OK) {
        ngx_ws_chat_api_run(call);
        return;
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_ws_chat_api_too_large(call);
    }

    ngx_http_finalize_request(r, rc);
}


static void
ngx_ws_chat_api_run(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t  rc;

    rc = call->route->run(call);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(call->request, rc);
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_api_node.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_health.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_status.h"
#include "ngx_ws_chat_store.h"
#include "core/wsc_json.h"
#include "core/wsc_json_text.h"


/* everything that is printed, numbers at their longest, but the names */
#define NGX_WS_CHAT_NODE_TEXT    1024

/* what escaping makes of an octet at most: \u0000 */
#define NGX_WS_CHAT_NODE_ESCAPE  6


static ngx_int_t ngx_ws_chat_api_node_on(ngx_str_t *body, ngx_uint_t *on,
    const char **reason);


/* No message goes round: the workers look at the shared word. */

ngx_int_t
ngx_ws_chat_api_node_drain(ngx_ws_chat_api_call_t *call)
{
    ngx_int_t                rc;
    ngx_buf_t               *b;
    ngx_uint_t               on, workers;
    const char              *reason;
    ngx_http_request_t      *r;
    ngx_ws_chat_counters_t   sum;

    r = call->request;

    rc = ngx_ws_chat_api_node_on(&call->body, &on, &reason);

    if (rc == NGX_DECLINED) {
        return ngx_ws_chat_api_error(call, NGX_HTTP_BAD_REQUEST,
                                     "bad_request", reason);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_create_temp_buf(r->pool, NGX_WS_CHAT_NODE_TEXT);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (on != ngx_ws_chat_bus_drained()) {
        ngx_ws_chat_bus_drain(on);

        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      on ? "ws_chat is drained: no new WebSockets"
                         : "ws_chat is no longer drained");
    }

    ngx_ws_chat_bus_sum(&sum, &workers);

    b->last = ngx_sprintf(b->last, "{\"draining\":%s,\"connections\":%uA}\n",
                          on ? "true" : "false", sum.connections);

    return ngx_ws_chat_api_reply(call, NGX_HTTP_OK, b);
}


/* An empty body means on; NGX_DECLINED with the reason, static. */

static ngx_int_t
ngx_ws_chat_api_node_on(ngx_str_t *body, ngx_uint_t *on, const char **reason)
{
    int            it;
    ssize_t        rc;
    wsc_str_t      key, value, name;
    const u_char  *p, *last;

    *on = 1;
    it = 0;
    last = body->data + body->len;
    p = wsc_json_space(body->data, last);

    if (p == last) {
        return NGX_OK;
    }

    rc = wsc_json_check(&ngx_ws_chat_alloc, body->data, body->len,
                        WSC_MAX_DEPTH, reason);
    if (rc != WSC_OK) {
        return (rc == WSC_DECLINED) ? NGX_DECLINED : NGX_ERROR;
    }

    if (*p != '{') {
        *reason = "the body must be an object";
        return NGX_DECLINED;
    }

    name.data = (u_char *) "on";
    name.len = 2;

    while (wsc_json_next(&p, last, &it, &key, &value) == WSC_OK) {

        if (wsc_json_cmp(&key, &name) != 0) {
            continue;
        }

        if (value.data[0] != 't' && value.data[0] != 'f') {
            *reason = "on must be true or false";
            return NGX_DECLINED;
        }

        *on = (value.data[0] == 't');
    }

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_api_node_info(ngx_ws_chat_api_call_t *call)
{
    ngx_buf_t                *b;
    ngx_uint_t                workers;
    const char               *state, *reason;
    ngx_ws_chat_zone_t       *zone;
    ngx_ws_chat_counters_t    sum;
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(call->request, ngx_ws_chat_module);
    zone = call->conf->zone;

    b = ngx_create_temp_buf(call->request->pool,
                            NGX_WS_CHAT_NODE_TEXT + zone->name.len
                            + mcf->node.len * NGX_WS_CHAT_NODE_ESCAPE);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_ws_chat_bus_sum(&sum, &workers);

    (void) ngx_ws_chat_health(mcf, &state, &reason);

    b->last = ngx_sprintf(b->last, "{\"version\":\"%s\",\"protocol\":1,"
                          "\"node\":\"", NGX_WS_CHAT_VERSION);
    b->last = (u_char *) ngx_escape_json(b->last, mcf->node.data,
                                         mcf->node.len);
    b->last = ngx_sprintf(b->last, "\",\"zone\":\"%V\",\"store\":\"%s\","
                          "\"draining\":%s,\"status\":\"%s\"", &zone->name,
                          zone->redis ? zone->store->name : "embedded",
                          ngx_ws_chat_bus_drained() ? "true" : "false",
                          state);

    if (reason != NULL) {
        b->last = ngx_sprintf(b->last, ",\"reason\":\"%s\"", reason);
    }

    b->last = ngx_sprintf(b->last, ",\"generation\":%ui,\"started\":%uL,"
                          "\"workers\":%ui,\"connections\":%uA,"
                          "\"chats\":%uA,\"members\":%uA}\n",
                          ngx_ws_chat_bus_generation(),
                          ngx_ws_chat_bus_started(), workers,
                          sum.connections, sum.chats, sum.members);

    return ngx_ws_chat_api_reply(call, NGX_HTTP_OK, b);
}

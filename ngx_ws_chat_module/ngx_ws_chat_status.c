
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_status.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_store_redis.h"
#include "ngx_ws_chat_store_shm.h"


/* everything that is printed, numbers at their longest, but the names */
#define NGX_WS_CHAT_STATUS_HEAD  1024
#define NGX_WS_CHAT_STATUS_ZONE  768

/* what escaping makes of an octet at most: \u0000 */
#define NGX_WS_CHAT_STATUS_ESCAPE  6


static ngx_int_t ngx_ws_chat_status_start(ngx_http_request_t *r);
static const char *ngx_ws_chat_health_declined(ngx_ws_chat_main_conf_t *mcf);
static u_char *ngx_ws_chat_status_zone(u_char *p, ngx_ws_chat_zone_t *z);


ngx_int_t
ngx_ws_chat_health_handler(ngx_http_request_t *r)
{
    ngx_int_t    rc;
    ngx_str_t    live;
    ngx_buf_t   *b;
    ngx_uint_t   status;
    const char  *state, *reason;

    rc = ngx_ws_chat_status_start(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_arg(r, (u_char *) "live", 4, &live) == NGX_OK
        || (r->args.len == 4 && ngx_strncmp(r->args.data, "live", 4) == 0))
    {
        status = NGX_HTTP_OK;
        state = "live";
        reason = NULL;

    } else {
        status = ngx_ws_chat_health(ngx_http_get_module_main_conf(r,
                                                          ngx_ws_chat_module),
                                    &state, &reason);
    }

    b = ngx_create_temp_buf(r->pool, NGX_WS_CHAT_STATUS_HEAD);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_sprintf(b->last, "{\"status\":\"%s\"", state);

    if (reason != NULL) {
        b->last = ngx_sprintf(b->last, ",\"reason\":\"%s\"", reason);
    }

    b->last = ngx_sprintf(b->last, "}\n");

    return ngx_ws_chat_status_send(r, status, b);
}


ngx_uint_t
ngx_ws_chat_health(ngx_ws_chat_main_conf_t *mcf, const char **state,
    const char **reason)
{
    if (ngx_ws_chat_bus_slot() == NGX_WS_CHAT_SLOTS) {
        *state = "unavailable";
        *reason = "there are too many workers";
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    *reason = ngx_ws_chat_health_declined(mcf);

    if (*reason != NULL) {
        *state = "draining";
        return NGX_HTTP_NOT_FOUND;
    }

    *state = "ready";

    return NGX_HTTP_OK;
}


/* Why new sockets should go elsewhere while those here stay, or NULL. */

static const char *
ngx_ws_chat_health_declined(ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t            i;
    const char           *reason;
    ngx_ws_chat_zone_t  **zones;

    if (ngx_exiting) {
        return "the node stops";
    }

    if (ngx_ws_chat_bus_superseded()) {
        return "a newer configuration was loaded";
    }

    if (ngx_ws_chat_bus_drained()) {
        return "drained by the API";
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->store->health(zones[i], &reason) != NGX_OK) {
            return reason;
        }
    }

    return NULL;
}


ngx_int_t
ngx_ws_chat_status_handler(ngx_http_request_t *r)
{
    size_t                    size;
    ngx_int_t                 rc;
    ngx_buf_t                *b;
    ngx_uint_t                i, workers;
    ngx_ws_chat_zone_t      **zones;
    ngx_ws_chat_counters_t    sum;
    ngx_ws_chat_main_conf_t  *mcf;

    rc = ngx_ws_chat_status_start(r);
    if (rc != NGX_OK) {
        return rc;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_ws_chat_module);
    zones = mcf->zones.elts;

    size = NGX_WS_CHAT_STATUS_HEAD
           + mcf->node.len * NGX_WS_CHAT_STATUS_ESCAPE;

    for (i = 0; i < mcf->zones.nelts; i++) {
        size += NGX_WS_CHAT_STATUS_ZONE + zones[i]->name.len;
    }

    b = ngx_create_temp_buf(r->pool, size);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_ws_chat_bus_sum(&sum, &workers);

    b->last = ngx_sprintf(b->last, "{\"version\":\"%s\",\"node\":\"",
                          NGX_WS_CHAT_VERSION);
    b->last = (u_char *) ngx_escape_json(b->last, mcf->node.data,
                                         mcf->node.len);
    b->last = ngx_sprintf(b->last, "\",\"generation\":%ui,\"workers\":%ui,"
                          "\"draining\":%uA,\"connections\":%uA,"
                          "\"streams\":%uA,\"chats\":%uA,"
                          "\"members\":%uA,\"memory\":%uA,"
                          "\"accepted\":%uA,\"refused\":%uA,"
                          "\"messages_in\":%uA,\"messages_out\":%uA,"
                          "\"errors\":%uA,\"gaps\":%uA,\"zones\":[",
                          ngx_ws_chat_bus_generation(), workers,
                          sum.draining, sum.connections, sum.streams,
                          sum.chats, sum.members, sum.memory, sum.accepted,
                          sum.refused,
                          sum.messages_in, sum.messages_out, sum.errors,
                          sum.gaps);

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (i != 0) {
            *b->last++ = ',';
        }

        b->last = ngx_ws_chat_status_zone(b->last, zones[i]);
    }

    b->last = ngx_sprintf(b->last, "]}\n");

    return ngx_ws_chat_status_send(r, NGX_HTTP_OK, b);
}


static u_char *
ngx_ws_chat_status_zone(u_char *p, ngx_ws_chat_zone_t *z)
{
    wsc_shmlog_stat_t               st;
    const ngx_ws_chat_live_stat_t  *live;

    if (z->redis) {
        live = ngx_ws_chat_store_redis_stat(z);

        return ngx_sprintf(p, "{\"name\":\"%V\",\"store\":\"live\","
                           "\"stale\":%uL,\"chats\":%ui,\"pending\":%ui,"
                           "\"appended\":%ui,\"duplicates\":%ui,"
                           "\"aborted\":%ui,\"quick\":%ui,\"strays\":%ui,"
                           "\"reads\":%ui,\"bad\":%ui,\"epochs\":%ui,"
                           "\"shards\":%ui,\"silent\":%ui,"
                           "\"servers\":%ui,\"evicting\":%ui}",
                           &z->name, z->stale, live->chats, live->pending,
                           live->appended, live->duplicates, live->aborted,
                           live->quick, live->strays, live->reads, live->bad,
                           live->epochs, live->shards, live->silent,
                           live->servers, live->evicting);
    }

    ngx_ws_chat_store_shm_stat(z, &st);

    return ngx_sprintf(p, "{\"name\":\"%V\",\"size\":%uz,\"chunks\":%uL,"
                       "\"chunks_free\":%uL,\"chats\":%uL,"
                       "\"messages\":%uL,\"evicted\":%uL,\"repairs\":%uL}",
                       &z->name, z->shm_zone->shm.size, st.chunks,
                       st.chunks_free, st.chats, st.messages, st.evicted,
                       st.repairs);
}


static ngx_int_t
ngx_ws_chat_status_start(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    return ngx_http_discard_request_body(r);
}


ngx_int_t
ngx_ws_chat_status_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_buf_t *b)
{
    ngx_int_t         rc;
    ngx_chain_t       out;
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    r->headers_out.status = status;
    r->headers_out.content_length_n = b->last - b->pos;
    r->headers_out.content_type_len = sizeof("application/json") - 1;
    ngx_str_set(&r->headers_out.content_type, "application/json");

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Whether sockets should come here.
 */


#include "ngx_ws_chat_health.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_store.h"


static const char *ngx_ws_chat_health_declined(ngx_ws_chat_main_conf_t *mcf);


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

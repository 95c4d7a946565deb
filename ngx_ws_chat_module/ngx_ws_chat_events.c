
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_events.h"
#include "ngx_ws_chat_kafka.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_now.h"


ngx_uint_t
ngx_ws_chat_events_are(const ngx_ws_chat_zone_t *z)
{
    return z && z->kafka && z->kafka->events;
}


void
ngx_ws_chat_events_tell(const ngx_ws_chat_zone_t *z, wsc_happening_t *h)
{
    wsc_buf_t                    b;
    ngx_ws_chat_main_conf_t     *mcf;
    ngx_ws_chat_kafka_record_t   r;

    if (!ngx_ws_chat_events_are(z)) {
        return;
    }

    mcf = ngx_http_cycle_get_module_main_conf(ngx_cycle, ngx_ws_chat_module);

    h->node.data = mcf->node.data;
    h->node.len = mcf->node.len;
    h->timestamp = ngx_ws_chat_now();

    /* who calls may be telling members something from the scratch buffers */

    wsc_buf_init(&b, &ngx_ws_chat_alloc);
    wsc_record_happening(&b, z->kafka->format, h);

    r.topic = z->kafka->events;
    r.key = h->chat_id.len ? h->chat_id : h->user;
    r.value = &b;
    r.nheaders = 0;

    (void) ngx_ws_chat_kafka_send(&r, NULL);

    wsc_buf_free(&b);
}

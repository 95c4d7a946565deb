
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The status as programs read it.
 */


#include "ngx_ws_chat_status.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_sample.h"
#include "ngx_ws_chat_store_redis.h"
#include "ngx_ws_chat_store_shm.h"
#include "core/wsc_writer.h"


static void ngx_ws_chat_status_head(wsc_writer_t *w,
    ngx_ws_chat_main_conf_t *mcf);
static void ngx_ws_chat_status_kafka(wsc_writer_t *w,
    const ngx_ws_chat_counters_t *sum);
static void ngx_ws_chat_status_zone(wsc_writer_t *w, ngx_ws_chat_zone_t *z);
static void ngx_ws_chat_status_live(wsc_writer_t *w, ngx_ws_chat_zone_t *z,
    const ngx_ws_chat_counters_t *c);
static void ngx_ws_chat_status_embedded(wsc_writer_t *w,
    ngx_ws_chat_zone_t *z);
static void ngx_ws_chat_status_busiest(wsc_writer_t *w);
static ngx_uint_t ngx_ws_chat_status_merge(ngx_ws_chat_busy_t *busy,
    ngx_uint_t n, const ngx_ws_chat_busy_t *b);
static void ngx_ws_chat_status_name(wsc_writer_t *w, const char *key,
    u_char *data, size_t len);
static void ngx_ws_chat_status_uint(wsc_writer_t *w, const char *key,
    uint64_t value);


void
ngx_ws_chat_status_json(ngx_http_request_t *r, wsc_buf_t *buf)
{
    ngx_uint_t                i;
    wsc_writer_t              w;
    ngx_ws_chat_zone_t      **zones;
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_ws_chat_module);
    zones = mcf->zones.elts;

    ngx_ws_chat_sample_live(mcf);

    wsc_writer_init(&w, buf, WSC_ENC_JSON);
    wsc_writer_map(&w);

    ngx_ws_chat_status_head(&w, mcf);

    wsc_writer_key(&w, "zones");
    wsc_writer_array(&w);

    for (i = 0; i < mcf->zones.nelts; i++) {
        ngx_ws_chat_status_zone(&w, zones[i]);
    }

    wsc_writer_end(&w);

    ngx_ws_chat_status_busiest(&w);

    wsc_writer_end(&w);
    wsc_buf_byte(buf, '\n');
}


static void
ngx_ws_chat_status_head(wsc_writer_t *w, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t              workers;
    ngx_ws_chat_counters_t  sum;

    ngx_ws_chat_bus_sum(&sum, &workers);

    wsc_writer_key(w, "version");
    wsc_writer_text(w, NGX_WS_CHAT_VERSION);
    ngx_ws_chat_status_name(w, "node", mcf->node.data, mcf->node.len);

    wsc_writer_key(w, "drained");
    wsc_writer_bool(w, ngx_ws_chat_bus_drained());

    ngx_ws_chat_status_uint(w, "started", ngx_ws_chat_bus_started());
    ngx_ws_chat_status_uint(w, "generation", ngx_ws_chat_bus_generation());
    ngx_ws_chat_status_uint(w, "workers", workers);
    ngx_ws_chat_status_uint(w, "draining", sum.draining);
    ngx_ws_chat_status_uint(w, "connections", sum.connections);
    ngx_ws_chat_status_uint(w, "streams", sum.streams);
    ngx_ws_chat_status_uint(w, "chats", sum.chats);
    ngx_ws_chat_status_uint(w, "members", sum.members);
    ngx_ws_chat_status_uint(w, "behind", sum.behind);
    ngx_ws_chat_status_uint(w, "memory", sum.memory);
    ngx_ws_chat_status_uint(w, "rate_in", sum.rate_in);
    ngx_ws_chat_status_uint(w, "rate_out", sum.rate_out);
    ngx_ws_chat_status_uint(w, "accepted", sum.accepted);
    ngx_ws_chat_status_uint(w, "refused", sum.refused);
    ngx_ws_chat_status_uint(w, "messages_in", sum.messages_in);
    ngx_ws_chat_status_uint(w, "messages_out", sum.messages_out);
    ngx_ws_chat_status_uint(w, "errors", sum.errors);
    ngx_ws_chat_status_uint(w, "gaps", sum.gaps);
    ngx_ws_chat_status_uint(w, "uncounted", sum.uncounted);

    if (mcf->kafka) {
        ngx_ws_chat_status_kafka(w, &sum);
    }
}


static void
ngx_ws_chat_status_kafka(wsc_writer_t *w, const ngx_ws_chat_counters_t *sum)
{
    wsc_writer_key(w, "kafka");
    wsc_writer_map(w);

    ngx_ws_chat_status_uint(w, "queued", sum->kafka_queued);
    ngx_ws_chat_status_uint(w, "stored", sum->kafka_stored);
    ngx_ws_chat_status_uint(w, "failed", sum->kafka_failed);
    ngx_ws_chat_status_uint(w, "refused", sum->kafka_refused);
    ngx_ws_chat_status_uint(w, "replaced", sum->kafka_replaced);

    wsc_writer_end(w);
}


static void
ngx_ws_chat_status_zone(wsc_writer_t *w, ngx_ws_chat_zone_t *z)
{
    ngx_ws_chat_stat_t  sum;

    ngx_ws_chat_bus_sum_row(&sum, z->row);

    wsc_writer_map(w);

    ngx_ws_chat_status_name(w, "name", z->name.data, z->name.len);
    ngx_ws_chat_status_uint(w, "connections", sum.counters.connections);
    ngx_ws_chat_status_uint(w, "members", sum.counters.members);
    ngx_ws_chat_status_uint(w, "rate_in", sum.counters.rate_in);
    ngx_ws_chat_status_uint(w, "rate_out", sum.counters.rate_out);

    if (z->redis) {
        ngx_ws_chat_status_live(w, z, &sum.counters);

    } else {
        ngx_ws_chat_status_embedded(w, z);
    }

    wsc_writer_end(w);
}


static void
ngx_ws_chat_status_live(wsc_writer_t *w, ngx_ws_chat_zone_t *z,
    const ngx_ws_chat_counters_t *c)
{
    const ngx_ws_chat_live_stat_t  *live;

    live = ngx_ws_chat_store_redis_stat(z);

    wsc_writer_key(w, "store");
    wsc_writer_text(w, "live");

    ngx_ws_chat_status_uint(w, "stale", z->stale);
    ngx_ws_chat_status_uint(w, "stale_workers", c->stale);
    ngx_ws_chat_status_uint(w, "chats", c->attached);
    ngx_ws_chat_status_uint(w, "pending", c->pending);
    ngx_ws_chat_status_uint(w, "appended", c->appended);
    ngx_ws_chat_status_uint(w, "duplicates", c->duplicates);
    ngx_ws_chat_status_uint(w, "aborted", c->aborted);
    ngx_ws_chat_status_uint(w, "quick", c->quick);
    ngx_ws_chat_status_uint(w, "strays", c->strays);
    ngx_ws_chat_status_uint(w, "reads", c->reads);
    ngx_ws_chat_status_uint(w, "bad", c->bad);
    ngx_ws_chat_status_uint(w, "epochs", c->epochs);
    ngx_ws_chat_status_uint(w, "archived", c->archived);
    ngx_ws_chat_status_uint(w, "unrecorded", c->unrecorded);
    ngx_ws_chat_status_uint(w, "shards", live->shards);
    ngx_ws_chat_status_uint(w, "silent", live->silent);
    ngx_ws_chat_status_uint(w, "servers", live->servers);
    ngx_ws_chat_status_uint(w, "evicting", live->evicting);
}


static void
ngx_ws_chat_status_embedded(wsc_writer_t *w, ngx_ws_chat_zone_t *z)
{
    wsc_shmlog_stat_t  st;

    ngx_ws_chat_store_shm_stat(z, &st);

    ngx_ws_chat_status_uint(w, "size", z->shm_zone->shm.size);
    ngx_ws_chat_status_uint(w, "chunks", st.chunks);
    ngx_ws_chat_status_uint(w, "chunks_free", st.chunks_free);
    ngx_ws_chat_status_uint(w, "chats", st.chats);
    ngx_ws_chat_status_uint(w, "messages", st.messages);
    ngx_ws_chat_status_uint(w, "evicted", st.evicted);
    ngx_ws_chat_status_uint(w, "repairs", st.repairs);
}


static void
ngx_ws_chat_status_busiest(wsc_writer_t *w)
{
    ngx_str_t           zone;
    ngx_uint_t          i, n;
    ngx_ws_chat_busy_t  busy[NGX_WS_CHAT_STAT_BUSY];

    wsc_writer_key(w, "busiest");
    wsc_writer_array(w);

    n = ngx_ws_chat_status_busy(busy);

    for (i = 0; i < n; i++) {
        zone = ngx_ws_chat_stat_name(busy[i].row);

        wsc_writer_map(w);
        ngx_ws_chat_status_name(w, "zone", zone.data, zone.len);
        ngx_ws_chat_status_name(w, "chat_id", busy[i].chat_id, busy[i].len);
        ngx_ws_chat_status_uint(w, "members", busy[i].members);
        ngx_ws_chat_status_uint(w, "rate", busy[i].rate);
        wsc_writer_end(w);
    }

    wsc_writer_end(w);
}


ngx_uint_t
ngx_ws_chat_status_busy(ngx_ws_chat_busy_t *busy)
{
    ngx_uint_t          i, k, n, found;
    ngx_ws_chat_busy_t  all[NGX_WS_CHAT_STAT_BUSY];

    found = 0;

    for (i = 0; i < NGX_WS_CHAT_SLOTS; i++) {

        if (!ngx_ws_chat_bus_lives(i)) {
            continue;
        }

        n = ngx_ws_chat_stat_get(i, all);

        for (k = 0; k < n; k++) {
            found = ngx_ws_chat_status_merge(busy, found, &all[k]);
        }
    }

    return found;
}


/* Every worker with members of a chat delivers all of its messages. */

static ngx_uint_t
ngx_ws_chat_status_merge(ngx_ws_chat_busy_t *busy, ngx_uint_t n,
    const ngx_ws_chat_busy_t *b)
{
    ngx_uint_t          i;
    ngx_ws_chat_busy_t  sum;

    sum = *b;

    for (i = 0; i < n; i++) {
        if (busy[i].row == b->row && busy[i].len == b->len
            && ngx_memcmp(busy[i].chat_id, b->chat_id, b->len) == 0)
        {
            sum.rate = ngx_max(busy[i].rate, b->rate);
            sum.members += busy[i].members;

            n--;
            ngx_memmove(&busy[i], &busy[i + 1],
                        (n - i) * sizeof(ngx_ws_chat_busy_t));
            break;
        }
    }

    return ngx_ws_chat_stat_rank(busy, n, &sum);
}


static void
ngx_ws_chat_status_name(wsc_writer_t *w, const char *key, u_char *data,
    size_t len)
{
    wsc_str_t  s;

    s.data = data;
    s.len = len;

    wsc_writer_key(w, key);
    wsc_writer_str(w, &s);
}


static void
ngx_ws_chat_status_uint(wsc_writer_t *w, const char *key, uint64_t value)
{
    wsc_writer_key(w, key);
    wsc_writer_uint(w, value);
}

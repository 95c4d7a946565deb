
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One table says what there is.  Labels are the zone and nothing else: chats
 * and users would be as many series.
 */


#include "ngx_ws_chat_metrics.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_health.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_sample.h"
#include "ngx_ws_chat_status.h"
#include "ngx_ws_chat_store_shm.h"
#include "core/wsc_prom.h"


#define NGX_WS_CHAT_METRICS_PREFIX  "nginx_ws_chat_"


/* Which rows tell it. */

typedef enum {
    NGX_WS_CHAT_METRICS_ROWS = 0,         /* all, that without a zone, too */
    NGX_WS_CHAT_METRICS_ZONES,
    NGX_WS_CHAT_METRICS_LIVE,             /* zones in Redis */
    NGX_WS_CHAT_METRICS_NODE,             /* the node: no label */
    NGX_WS_CHAT_METRICS_KAFKA             /* ... that has Kafka */
} ngx_ws_chat_metrics_who_e;


typedef struct {
    const char                  *name;
    wsc_prom_type_e              type;
    ngx_ws_chat_metrics_who_e    who;
    size_t                       offset;  /* in ngx_ws_chat_stat_t */
    const char                  *help;
} ngx_ws_chat_metric_t;


typedef struct {
    const char                  *name;
    wsc_prom_type_e              type;
    size_t                       offset;  /* in wsc_shmlog_stat_t */
    const char                  *help;
} ngx_ws_chat_metric_shm_t;


/* What is told of each row. */

typedef struct {
    wsc_buf_t                   *buf;
    ngx_ws_chat_main_conf_t     *conf;
    ngx_ws_chat_stat_t          *rows;
    ngx_uint_t                   n;
    ngx_ws_chat_counters_t       all;
    ngx_uint_t                   workers;
} ngx_ws_chat_metrics_t;


static ngx_int_t ngx_ws_chat_metrics_gather(ngx_http_request_t *r,
    ngx_ws_chat_metrics_t *m);
static void ngx_ws_chat_metrics_node(ngx_ws_chat_metrics_t *m);
static void ngx_ws_chat_metrics_gauge(ngx_ws_chat_metrics_t *m,
    const char *name, const char *help, uint64_t value);
static void ngx_ws_chat_metrics_rows(ngx_ws_chat_metrics_t *m,
    const ngx_ws_chat_metric_t *metric);
static ngx_uint_t ngx_ws_chat_metrics_tells(ngx_ws_chat_metrics_t *m,
    ngx_uint_t row, ngx_ws_chat_metrics_who_e who);
static void ngx_ws_chat_metrics_canary(ngx_ws_chat_metrics_t *m);
static void ngx_ws_chat_metrics_shm(ngx_ws_chat_metrics_t *m,
    const ngx_ws_chat_metric_shm_t *metric);


/* A gauge of the node. */
#define ngx_ws_chat_metrics_one(m, name, help, value)                         \
    ngx_ws_chat_metrics_gauge(m, NGX_WS_CHAT_METRICS_PREFIX name, help, value)


#define ngx_ws_chat_metric(name, type, who, field, help)                      \
    { NGX_WS_CHAT_METRICS_PREFIX name, WSC_PROM_##type,                       \
      NGX_WS_CHAT_METRICS_##who, offsetof(ngx_ws_chat_stat_t, field), help }

static const ngx_ws_chat_metric_t  ngx_ws_chat_metrics[] = {

    ngx_ws_chat_metric("connections", GAUGE, ROWS, counters.connections,
                       "Open connections, of all transports."),
    ngx_ws_chat_metric("streams", GAUGE, ZONES, counters.streams,
                       "Open connections by server-sent events."),
    ngx_ws_chat_metric("chats", GAUGE, ZONES, counters.chats,
                       "Chats with members, one for each worker."),
    ngx_ws_chat_metric("members", GAUGE, ZONES, counters.members,
                       "Memberships of connections in chats."),
    ngx_ws_chat_metric("members_behind", GAUGE, ZONES, counters.behind,
                       "Members that have not got everything yet."),

    ngx_ws_chat_metric("accepted_total", COUNTER, ROWS, counters.accepted,
                       "Connections opened."),
    ngx_ws_chat_metric("refused_total", COUNTER, ROWS, counters.refused,
                       "Requests for a connection answered by an error."),
    ngx_ws_chat_metric("messages_in_total", COUNTER, ZONES,
                       counters.messages_in, "Messages sent by members."),
    ngx_ws_chat_metric("messages_out_total", COUNTER, ZONES,
                       counters.messages_out, "Messages written to members."),
    ngx_ws_chat_metric("errors_total", COUNTER, ZONES, counters.errors,
                       "Commands answered by an error."),
    ngx_ws_chat_metric("gaps_total", COUNTER, ZONES, counters.gaps,
                       "Holes that members were told of."),
    ngx_ws_chat_metric("uncounted_total", COUNTER, ROWS, counters.uncounted,
                       "Connections let in for lack of room to count them."),

    ngx_ws_chat_metric("ack_seconds", HISTOGRAM, ZONES, ack,
                       "From a send to its ack."),
    ngx_ws_chat_metric("delivery_seconds", HISTOGRAM, ZONES, delivery,
                       "From the timestamp of a message to the end of the "
                       "flush that wrote it to a worker's members."),
    ngx_ws_chat_metric("resume_seconds", HISTOGRAM, ZONES, resume,
                       "From a join with a position to its answer."),
    ngx_ws_chat_metric("flush_seconds", HISTOGRAM, NODE, flush,
                       "A turn of writing to sockets."),

    ngx_ws_chat_metric("stale_workers", GAUGE, LIVE, counters.stale,
                       "Workers without news of Redis."),
    ngx_ws_chat_metric("pending_sends", GAUGE, LIVE, counters.pending,
                       "Sends that Redis has not answered."),
    ngx_ws_chat_metric("subscribed_chats", GAUGE, LIVE, counters.attached,
                       "Chats subscribed in Redis, one for each worker."),
    ngx_ws_chat_metric("live_appended_total", COUNTER, LIVE,
                       counters.appended, "Messages stored in Redis."),
    ngx_ws_chat_metric("live_duplicates_total", COUNTER, LIVE,
                       counters.duplicates, "Sends that were stored already."),
    ngx_ws_chat_metric("live_aborted_total", COUNTER, LIVE, counters.aborted,
                       "Transactions done again."),
    ngx_ws_chat_metric("live_quick_total", COUNTER, LIVE, counters.quick,
                       "Transactions of one round trip."),
    ngx_ws_chat_metric("live_strays_total", COUNTER, LIVE, counters.strays,
                       "Messages that did not follow the last one."),
    ngx_ws_chat_metric("live_reads_total", COUNTER, LIVE, counters.reads,
                       "Reads of what was missing."),
    ngx_ws_chat_metric("live_bad_total", COUNTER, LIVE, counters.bad,
                       "Things in Redis that could not be read."),
    ngx_ws_chat_metric("live_epochs_total", COUNTER, LIVE, counters.epochs,
                       "Epochs begun."),
    ngx_ws_chat_metric("live_unrecorded_total", COUNTER, LIVE,
                       counters.unrecorded, "Messages stored in Redis that "
                       "are not in Kafka, or perhaps not."),
    ngx_ws_chat_metric("archive_reads_total", COUNTER, LIVE,
                       counters.archived, "Questions to the archive."),

    ngx_ws_chat_metric("kafka_queued", GAUGE, KAFKA, counters.kafka_queued,
                       "Records on their way to Kafka."),
    ngx_ws_chat_metric("kafka_seconds", HISTOGRAM, KAFKA, kafka,
                       "From a record to Kafka's word that it is stored."),
    ngx_ws_chat_metric("kafka_stored_total", COUNTER, KAFKA,
                       counters.kafka_stored, "Records stored in Kafka."),
    ngx_ws_chat_metric("kafka_failed_total", COUNTER, KAFKA,
                       counters.kafka_failed, "Records that Kafka did not "
                       "store, or of which nobody knows."),
    ngx_ws_chat_metric("kafka_refused_total", COUNTER, KAFKA,
                       counters.kafka_refused, "Records refused because the "
                       "queue to Kafka was full."),
    ngx_ws_chat_metric("kafka_unmarked_total", COUNTER, KAFKA,
                       counters.kafka_unmarked, "Marks of users that Kafka "
                       "did not store."),
    ngx_ws_chat_metric("kafka_untold_total", COUNTER, KAFKA,
                       counters.kafka_untold, "Events for back ends that "
                       "Kafka did not store."),
    ngx_ws_chat_metric("kafka_producers_replaced_total", COUNTER, KAFKA,
                       counters.kafka_replaced, "Producers replaced after a "
                       "fatal error."),

    { NULL, 0, 0, 0, NULL }
};


#define ngx_ws_chat_metric_shm(name, type, field, help)                       \
    { NGX_WS_CHAT_METRICS_PREFIX name, WSC_PROM_##type,                       \
      offsetof(wsc_shmlog_stat_t, field), help }

static const ngx_ws_chat_metric_shm_t  ngx_ws_chat_metrics_embedded[] = {

    ngx_ws_chat_metric_shm("store_chunks", GAUGE, chunks,
                           "Chunks of an embedded zone."),
    ngx_ws_chat_metric_shm("store_chunks_free", GAUGE, chunks_free,
                           "Chunks of an embedded zone that are free."),
    ngx_ws_chat_metric_shm("store_chats", GAUGE, chats,
                           "Chats in an embedded zone."),
    ngx_ws_chat_metric_shm("store_messages", GAUGE, messages,
                           "Messages in an embedded zone."),
    ngx_ws_chat_metric_shm("store_evicted_total", COUNTER, evicted,
                           "Chats and messages evicted for lack of room."),
    ngx_ws_chat_metric_shm("store_repairs_total", COUNTER, repairs,
                           "Repairs after a worker died in a change."),

    { NULL, 0, 0, NULL }
};


ngx_int_t
ngx_ws_chat_metrics_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    wsc_buf_t                        buf;
    ngx_ws_chat_metrics_t            m;
    const ngx_ws_chat_metric_t      *metric;
    const ngx_ws_chat_metric_shm_t  *shm;

    static ngx_str_t  type = ngx_string("text/plain; version=0.0.4; "
                                        "charset=utf-8");

    rc = ngx_ws_chat_status_start(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_ws_chat_metrics_gather(r, &m) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    m.buf = &buf;
    wsc_buf_init(&buf, &ngx_ws_chat_alloc);

    ngx_ws_chat_metrics_node(&m);

    for (metric = ngx_ws_chat_metrics; metric->name; metric++) {
        ngx_ws_chat_metrics_rows(&m, metric);
    }

    ngx_ws_chat_metrics_canary(&m);

    for (shm = ngx_ws_chat_metrics_embedded; shm->name; shm++) {
        ngx_ws_chat_metrics_shm(&m, shm);
    }

    return ngx_ws_chat_status_reply(r, &type, &buf);
}


static ngx_int_t
ngx_ws_chat_metrics_gather(ngx_http_request_t *r, ngx_ws_chat_metrics_t *m)
{
    ngx_uint_t  i;

    m->conf = ngx_http_get_module_main_conf(r, ngx_ws_chat_module);
    m->n = ngx_ws_chat_stat_rows();

    ngx_ws_chat_sample_live(m->conf);
    ngx_ws_chat_bus_sum(&m->all, &m->workers);

    m->rows = ngx_palloc(r->pool, m->n * sizeof(ngx_ws_chat_stat_t));
    if (m->rows == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < m->n; i++) {
        ngx_ws_chat_bus_sum_row(&m->rows[i], i);
    }

    return NGX_OK;
}


static void
ngx_ws_chat_metrics_node(ngx_ws_chat_metrics_t *m)
{
    const char        *reason, *state;
    wsc_prom_label_t   labels[3];

    ngx_memzero(labels, sizeof(labels));

    labels[0].name = "version";
    labels[0].value.data = (u_char *) NGX_WS_CHAT_VERSION;
    labels[0].value.len = sizeof(NGX_WS_CHAT_VERSION) - 1;
    labels[1].name = "node";
    labels[1].value.data = m->conf->node.data;
    labels[1].value.len = m->conf->node.len;

    wsc_prom_metric(m->buf, NGX_WS_CHAT_METRICS_PREFIX "info", WSC_PROM_GAUGE,
                    "The module and the name of the node.");
    wsc_prom_sample(m->buf, NGX_WS_CHAT_METRICS_PREFIX "info", labels, 1);

    wsc_prom_metric(m->buf, NGX_WS_CHAT_METRICS_PREFIX "start_time_seconds",
                    WSC_PROM_GAUGE, "When the node started, since 1970.");
    wsc_prom_seconds(m->buf, NGX_WS_CHAT_METRICS_PREFIX "start_time_seconds",
                     NULL, ngx_ws_chat_bus_started() * 1000);

    ngx_ws_chat_metrics_one(m, "generation", "Configurations loaded.",
                            ngx_ws_chat_bus_generation());
    ngx_ws_chat_metrics_one(m, "workers", "Workers that run.", m->workers);
    ngx_ws_chat_metrics_one(m, "draining_workers",
                            "Workers that send their sockets away.",
                            m->all.draining);
    ngx_ws_chat_metrics_one(m, "drained",
                            "1 while the node takes no new sockets.",
                            ngx_ws_chat_bus_drained());
    ngx_ws_chat_metrics_one(m, "ready", "1 while its health is 200.",
                            ngx_ws_chat_health(m->conf, &state, &reason)
                            == NGX_HTTP_OK);
    ngx_ws_chat_metrics_one(m, "memory_bytes",
                            "What workers have allocated for sockets, chats "
                            "and what waits for slow members.",
                            m->all.memory);
}


static void
ngx_ws_chat_metrics_gauge(ngx_ws_chat_metrics_t *m, const char *name,
    const char *help, uint64_t value)
{
    wsc_prom_metric(m->buf, name, WSC_PROM_GAUGE, help);
    wsc_prom_sample(m->buf, name, NULL, value);
}


static void
ngx_ws_chat_metrics_rows(ngx_ws_chat_metrics_t *m,
    const ngx_ws_chat_metric_t *metric)
{
    u_char            *p;
    ngx_str_t          zone;
    ngx_uint_t         i, told;
    wsc_prom_label_t   labels[2];

    told = 0;

    ngx_memzero(labels, sizeof(labels));

    for (i = 0; i < m->n; i++) {

        if (!ngx_ws_chat_metrics_tells(m, i, metric->who)) {
            continue;
        }

        if (!told) {
            wsc_prom_metric(m->buf, metric->name, metric->type,
                            metric->help);
            told = 1;
        }

        if (metric->who < NGX_WS_CHAT_METRICS_NODE) {
            zone = ngx_ws_chat_stat_name(i);

            labels[0].name = "zone";
            labels[0].value.data = zone.data;
            labels[0].value.len = zone.len;
        }

        p = (u_char *) &m->rows[i] + metric->offset;

        if (metric->type == WSC_PROM_HISTOGRAM) {
            wsc_prom_histogram(m->buf, metric->name, labels,
                               (wsc_hist_t *) p);

        } else {
            wsc_prom_sample(m->buf, metric->name, labels,
                            *(ngx_atomic_t *) p);
        }
    }
}


static ngx_uint_t
ngx_ws_chat_metrics_tells(ngx_ws_chat_metrics_t *m, ngx_uint_t row,
    ngx_ws_chat_metrics_who_e who)
{
    ngx_uint_t            i;
    ngx_ws_chat_zone_t  **zones;

    switch (who) {

    case NGX_WS_CHAT_METRICS_ROWS:
        return 1;

    case NGX_WS_CHAT_METRICS_ZONES:
        return row != 0;

    case NGX_WS_CHAT_METRICS_NODE:
        return row == 0;

    case NGX_WS_CHAT_METRICS_KAFKA:
        return row == 0 && m->conf->kafka;

    default:
        break;
    }

    zones = m->conf->zones.elts;

    for (i = 0; i < m->conf->zones.nelts; i++) {
        if (zones[i]->row == row) {
            return zones[i]->redis != NULL;
        }
    }

    return 0;
}


/* The worst fault: all is well, but nothing is heard. */

static void
ngx_ws_chat_metrics_canary(ngx_ws_chat_metrics_t *m)
{
    ngx_str_t          zone;
    ngx_uint_t         i, told;
    ngx_msec_int_t     age;
    wsc_prom_label_t   labels[2];

    static const char  name[] = NGX_WS_CHAT_METRICS_PREFIX
                                "canary_age_seconds";

    told = 0;

    ngx_memzero(labels, sizeof(labels));
    labels[0].name = "zone";

    for (i = 0; i < m->n; i++) {

        if (m->rows[i].canary == 0
            || !ngx_ws_chat_metrics_tells(m, i, NGX_WS_CHAT_METRICS_LIVE))
        {
            continue;
        }

        if (!told) {
            wsc_prom_metric(m->buf, name, WSC_PROM_GAUGE,
                            "Since the worker that waits longest heard its "
                            "own canary through Redis.");
            told = 1;
        }

        zone = ngx_ws_chat_stat_name(i);
        labels[0].value.data = zone.data;
        labels[0].value.len = zone.len;

        age = (ngx_msec_int_t) (ngx_current_msec - m->rows[i].canary);

        wsc_prom_seconds(m->buf, name, labels,
                         (uint64_t) ngx_max(age, 0) * 1000);
    }
}


static void
ngx_ws_chat_metrics_shm(ngx_ws_chat_metrics_t *m,
    const ngx_ws_chat_metric_shm_t *metric)
{
    u_char               *p;
    ngx_uint_t            i, told;
    wsc_prom_label_t      labels[2];
    wsc_shmlog_stat_t     st;
    ngx_ws_chat_zone_t  **zones;

    zones = m->conf->zones.elts;
    told = 0;

    ngx_memzero(labels, sizeof(labels));
    labels[0].name = "zone";

    for (i = 0; i < m->conf->zones.nelts; i++) {

        if (zones[i]->redis) {
            continue;
        }

        if (!told) {
            wsc_prom_metric(m->buf, metric->name, metric->type,
                            metric->help);
            told = 1;
        }

        labels[0].value.data = zones[i]->name.data;
        labels[0].value.len = zones[i]->name.len;

        ngx_ws_chat_store_shm_stat(zones[i], &st);
        p = (u_char *) &st + metric->offset;

        wsc_prom_sample(m->buf, metric->name, labels, *(uint64_t *) p);
    }
}

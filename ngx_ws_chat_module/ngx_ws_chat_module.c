
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The directives, and what is connected with what.
 */


#include "ngx_ws_chat_conf_set.h"
#include "ngx_ws_chat_api.h"
#include "ngx_ws_chat_api_key.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_ban.h"
#include "ngx_ws_chat_client_all.h"
#include "ngx_ws_chat_client_welcome.h"
#include "ngx_ws_chat_limit.h"
#include "ngx_ws_chat_kafka_conf.h"
#include "ngx_ws_chat_live_archive.h"
#include "ngx_ws_chat_log.h"
#include "ngx_ws_chat_metrics.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_module_zone.h"
#include "ngx_ws_chat_pack.h"
#include "ngx_ws_chat_redis_conf.h"
#include "ngx_ws_chat_room_presence.h"
#include "ngx_ws_chat_sample.h"
#include "ngx_ws_chat_session.h"
#include "ngx_ws_chat_sse.h"
#include "ngx_ws_chat_status.h"
#include "ngx_ws_chat_store_shm.h"
#include "ngx_ws_chat_upgrade.h"

#if (NGX_WS_CHAT_TEST)
#include "ngx_ws_chat_store_test.h"
#endif


#define NGX_WS_CHAT_MSL_CONF                                                  \
    (NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF)


static char *ngx_ws_chat(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_ws_chat_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_ws_chat_handler(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_ws_chat_init_main_conf(ngx_conf_t *cf, void *conf);
static ngx_int_t ngx_ws_chat_init(ngx_conf_t *cf);
static ngx_int_t ngx_ws_chat_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_chat_init_process(ngx_cycle_t *cycle);
static void ngx_ws_chat_reclaim(ngx_uint_t slot);
static ngx_int_t ngx_ws_chat_init_locations(ngx_cycle_t *cycle,
    ngx_ws_chat_main_conf_t *mcf);
static void ngx_ws_chat_exit_process(ngx_cycle_t *cycle);
static ngx_ws_chat_main_conf_t *ngx_ws_chat_active_conf(ngx_cycle_t *cycle);


#define ngx_ws_chat_bounds(name, low, high, zero, text)                       \
    static ngx_ws_chat_bounds_t  ngx_ws_chat_bounds_##name =                  \
        { ngx_ws_chat_conf_bounds, low, high, zero, text }

ngx_ws_chat_bounds(ping_interval, 100, 86400000, 1,
                   "0 (off) or from 100ms to 1d");
ngx_ws_chat_bounds(pong_timeout, 100, 3600000, 0, "from 100ms to 1h");
ngx_ws_chat_bounds(drain, 0, 3600000, 1, "from 0 to 1h");
ngx_ws_chat_bounds(presence_grace, 0, 3600000, 1, "from 0 to 1h");
ngx_ws_chat_bounds(max_message, 1, 64 * 1024 * 1024, 0, "from 1 to 64m");
ngx_ws_chat_bounds(max_fragments, 1, 1000000, 0, "from 1 to 1000000");
ngx_ws_chat_bounds(max_chats, 1, 1024, 0, "from 1 to 1024");
ngx_ws_chat_bounds(max_connections, 1, 10000000, 1,
                   "0 (off) or from 1 to 10000000");
ngx_ws_chat_bounds(max_user_connections, 1, 1000000, 1,
                   "0 (off) or from 1 to 1000000");
ngx_ws_chat_bounds(max_ip_connections, 1, 1000000, 1,
                   "0 (off) or from 1 to 1000000");
ngx_ws_chat_bounds(message_timeout, 100, 3600000, 0, "from 100ms to 1h");
ngx_ws_chat_bounds(lag_limit, 1024, 1024 * 1024 * 1024, 0, "from 1k to 1g");
ngx_ws_chat_bounds(deflate_level, 1, 9, 0, "from 1 to 9");
ngx_ws_chat_bounds(deflate_window, 9, 15, 0, "from 9 to 15");
ngx_ws_chat_bounds(deflate_context, 1, 1000000, 1,
                   "0 (never) or from 1 to 1000000");
ngx_ws_chat_bounds(deflate_min_size, 0, 64 * 1024 * 1024, 1,
                   "from 0 to 64m");

static ngx_conf_post_t  ngx_ws_chat_authorize_post =
                                               { ngx_ws_chat_conf_authorize };
static ngx_conf_post_t  ngx_ws_chat_node_post = { ngx_ws_chat_conf_node };

static ngx_http_handler_pt  ngx_ws_chat_pt = ngx_ws_chat_upgrade_handler;
static ngx_http_handler_pt  ngx_ws_chat_api_pt = ngx_ws_chat_api_handler;
static ngx_http_handler_pt  ngx_ws_chat_sse_pt = ngx_ws_chat_sse_handler;
static ngx_http_handler_pt  ngx_ws_chat_echo_pt =
                                             ngx_ws_chat_upgrade_echo_handler;
static ngx_http_handler_pt  ngx_ws_chat_health_pt = ngx_ws_chat_health_handler;
static ngx_http_handler_pt  ngx_ws_chat_status_pt = ngx_ws_chat_status_handler;
static ngx_http_handler_pt  ngx_ws_chat_metrics_pt =
                                                  ngx_ws_chat_metrics_handler;


#define ngx_ws_chat_loc_command(name, setter, field, post)                    \
    { ngx_string("ws_chat_" name),                                            \
      NGX_WS_CHAT_MSL_CONF|NGX_CONF_TAKE1,                                    \
      setter,                                                                 \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      offsetof(ngx_ws_chat_loc_conf_t, field),                                \
      post }

#define ngx_ws_chat_main_command(name, args, setter)                          \
    { ngx_string("ws_chat_" name),                                            \
      NGX_HTTP_MAIN_CONF|args,                                                \
      setter,                                                                 \
      NGX_HTTP_MAIN_CONF_OFFSET,                                              \
      0,                                                                      \
      NULL }

#define ngx_ws_chat_handler_command(name, handler)                            \
    { ngx_string("ws_chat_" name),                                            \
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,                                      \
      ngx_ws_chat_handler,                                                    \
      NGX_HTTP_LOC_CONF_OFFSET,                                               \
      0,                                                                      \
      handler }


static ngx_command_t  ngx_ws_chat_commands[] = {

    ngx_ws_chat_main_command("zone", NGX_CONF_1MORE, ngx_ws_chat_module_zone),
    ngx_ws_chat_main_command("redis", NGX_CONF_2MORE, ngx_ws_chat_redis_set),
    ngx_ws_chat_main_command("kafka_brokers", NGX_CONF_1MORE,
                             ngx_ws_chat_kafka_set_brokers),
    ngx_ws_chat_main_command("kafka_topic",
                             NGX_CONF_TAKE1234|NGX_CONF_TAKE5,
                             ngx_ws_chat_kafka_set_topic),
    ngx_ws_chat_main_command("kafka_format", NGX_CONF_TAKE1,
                             ngx_ws_chat_kafka_set_format),
    ngx_ws_chat_main_command("kafka_property", NGX_CONF_TAKE2,
                             ngx_ws_chat_kafka_set_property),
    ngx_ws_chat_main_command("history_pass", NGX_CONF_TAKE1,
                             ngx_ws_chat_live_archive_set),
    ngx_ws_chat_main_command("log", NGX_CONF_TAKE12, ngx_ws_chat_log_set),

    { ngx_string("ws_chat_node"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_ws_chat_main_conf_t, node),
      &ngx_ws_chat_node_post },

    { ngx_string("ws_chat"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_ws_chat,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_ws_chat_pt },

    { ngx_string("ws_chat_sse"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_ws_chat,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_ws_chat_sse_pt },

    { ngx_string("ws_chat_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_ws_chat_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_ws_chat_api_pt },

    { ngx_string("ws_chat_api_key"),
      NGX_WS_CHAT_MSL_CONF|NGX_CONF_TAKE1,
      ngx_ws_chat_api_key_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    ngx_ws_chat_handler_command("echo", &ngx_ws_chat_echo_pt),
    ngx_ws_chat_handler_command("health", &ngx_ws_chat_health_pt),
    ngx_ws_chat_handler_command("status", &ngx_ws_chat_status_pt),
    ngx_ws_chat_handler_command("metrics", &ngx_ws_chat_metrics_pt),

    { ngx_string("ws_chat_origins"),
      NGX_WS_CHAT_MSL_CONF|NGX_CONF_1MORE,
      ngx_ws_chat_conf_origins,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_chat_rate"),
      NGX_WS_CHAT_MSL_CONF|NGX_CONF_TAKE12,
      ngx_ws_chat_conf_rate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_chat_history"),
      NGX_WS_CHAT_MSL_CONF|NGX_CONF_TAKE2,
      ngx_ws_chat_conf_history,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_chat_deflate"),
      NGX_WS_CHAT_MSL_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ws_chat_loc_conf_t, deflate),
      NULL },

    ngx_ws_chat_loc_command("authorize", ngx_conf_set_str_slot, authorize,
                            &ngx_ws_chat_authorize_post),
    ngx_ws_chat_loc_command("user", ngx_http_set_complex_value_slot, user,
                            NULL),
    ngx_ws_chat_loc_command("ping_interval", ngx_conf_set_msec_slot,
                            ping_interval, &ngx_ws_chat_bounds_ping_interval),
    ngx_ws_chat_loc_command("pong_timeout", ngx_conf_set_msec_slot,
                            pong_timeout, &ngx_ws_chat_bounds_pong_timeout),
    ngx_ws_chat_loc_command("presence", ngx_conf_set_flag_slot, presence,
                            NULL),
    ngx_ws_chat_loc_command("presence_grace", ngx_conf_set_msec_slot,
                            presence_grace,
                            &ngx_ws_chat_bounds_presence_grace),
    ngx_ws_chat_loc_command("drain", ngx_conf_set_msec_slot,
                            drain, &ngx_ws_chat_bounds_drain),
    ngx_ws_chat_loc_command("max_message", ngx_conf_set_size_slot,
                            max_message, &ngx_ws_chat_bounds_max_message),
    ngx_ws_chat_loc_command("max_fragments", ngx_conf_set_num_slot,
                            max_fragments, &ngx_ws_chat_bounds_max_fragments),
    ngx_ws_chat_loc_command("max_chats", ngx_conf_set_num_slot,
                            max_chats, &ngx_ws_chat_bounds_max_chats),
    ngx_ws_chat_loc_command("max_connections", ngx_conf_set_num_slot,
                            max_connections,
                            &ngx_ws_chat_bounds_max_connections),
    ngx_ws_chat_loc_command("max_user_connections", ngx_conf_set_num_slot,
                            max_user_connections,
                            &ngx_ws_chat_bounds_max_user_connections),
    ngx_ws_chat_loc_command("max_ip_connections", ngx_conf_set_num_slot,
                            max_ip_connections,
                            &ngx_ws_chat_bounds_max_ip_connections),
    ngx_ws_chat_loc_command("message_timeout", ngx_conf_set_msec_slot,
                            message_timeout,
                            &ngx_ws_chat_bounds_message_timeout),
    ngx_ws_chat_loc_command("lag_limit", ngx_conf_set_size_slot,
                            lag_limit, &ngx_ws_chat_bounds_lag_limit),
    ngx_ws_chat_loc_command("lag_policy", ngx_ws_chat_conf_lag_policy,
                            lag_policy, NULL),
    ngx_ws_chat_loc_command("deflate_level", ngx_conf_set_num_slot,
                            deflate_level, &ngx_ws_chat_bounds_deflate_level),
    ngx_ws_chat_loc_command("deflate_window", ngx_conf_set_num_slot,
                            deflate_window,
                            &ngx_ws_chat_bounds_deflate_window),
    ngx_ws_chat_loc_command("deflate_context", ngx_conf_set_num_slot,
                            deflate_context,
                            &ngx_ws_chat_bounds_deflate_context),
    ngx_ws_chat_loc_command("deflate_min_size", ngx_conf_set_size_slot,
                            deflate_min_size,
                            &ngx_ws_chat_bounds_deflate_min_size),

#if (NGX_WS_CHAT_TEST)

    { ngx_string("ws_chat_test_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE123,
      ngx_ws_chat_store_test_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ws_chat_test_hold"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_ws_chat_store_test_hold_set,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

#endif

      ngx_null_command
};


static ngx_http_module_t  ngx_ws_chat_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_ws_chat_init,                      /* postconfiguration */

    ngx_ws_chat_conf_create_main,          /* create main configuration */
    ngx_ws_chat_init_main_conf,            /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_ws_chat_conf_create_loc,           /* create location configuration */
    ngx_ws_chat_conf_merge_loc             /* merge location configuration */
};


ngx_module_t  ngx_ws_chat_module = {
    NGX_MODULE_V1,
    &ngx_ws_chat_module_ctx,               /* module context */
    ngx_ws_chat_commands,                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_ws_chat_init_module,               /* init module */
    ngx_ws_chat_init_process,              /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_ws_chat_exit_process,              /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_ws_chat(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_loc_conf_t  *lcf = conf;

    ngx_str_t  *value;

    if (lcf->handler) {
        return "is not the only handler of ws_chat in the location";
    }

    value = cf->args->elts;

    lcf->directive = value[0];
    lcf->zone_name.data = (u_char *) "";
    lcf->file = cf->conf_file->file.name.data;
    lcf->line = cf->conf_file->line;

    if (cf->args->nelts == 2) {

        if (ngx_strncmp(value[1].data, "zone=", 5) != 0 || value[1].len == 5) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" takes \"zone=NAME\", not \"%V\"",
                               &value[0], &value[1]);
            return NGX_CONF_ERROR;
        }

        lcf->zone_name.data = value[1].data + 5;
        lcf->zone_name.len = value[1].len - 5;
    }

    return ngx_ws_chat_handler(cf, cmd, conf);
}


/* What follows the location's name in a path says what is called. */

static char *
ngx_ws_chat_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_loc_conf_t  *lcf = conf;

    ngx_uint_t                 other;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    other = clcf->named || clcf->exact_match;

#if (NGX_PCRE)
    other |= (clcf->regex != NULL);
#endif

    if (other) {
        return "needs a location that is given by a prefix";
    }

    lcf->api = 1;

    return ngx_ws_chat(cf, cmd, conf);
}


static char *
ngx_ws_chat_handler(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_loc_conf_t  *lcf = conf;

    ngx_http_handler_pt       *handler;
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->handler) {
        return "is not the only handler of ws_chat in the location";
    }

    handler = cmd->post;
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    lcf->sockets = (*handler == ngx_ws_chat_upgrade_handler
                    || *handler == ngx_ws_chat_upgrade_echo_handler);
    lcf->streams = (*handler == ngx_ws_chat_sse_handler);
    lcf->members = lcf->sockets || lcf->streams;
    lcf->handler = *handler;
    clcf->handler = *handler;

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    if (mcf->log == NGX_CONF_UNSET_PTR) {
        mcf->log = NULL;
    }

    if (mcf->node.data == NULL) {
        mcf->node = cf->cycle->hostname;
    }

    if (ngx_ws_chat_redis_init(cf, mcf) != NGX_CONF_OK
        || ngx_ws_chat_kafka_init(cf, mcf) != NGX_CONF_OK
        || ngx_ws_chat_live_archive_init(cf, mcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_ws_chat_module_stores(cf, mcf);
}


static ngx_int_t
ngx_ws_chat_init(ngx_conf_t *cf)
{
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_ws_chat_module);

    if (mcf->locations.nelts == 0 || ngx_test_config) {
        return NGX_OK;
    }

    if (ngx_ws_chat_limit_create(cf->log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_ws_chat_stat_create(cf->log) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ws_chat_bus_create(cf->log);
}


static ngx_int_t
ngx_ws_chat_init_module(ngx_cycle_t *cycle)
{
    ngx_core_conf_t          *ccf;
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_ws_chat_active_conf(cycle);

    if (mcf == NULL) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->shutdown_timeout && ccf->shutdown_timeout < mcf->drain_max) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "\"ws_chat_drain\" of %Mms is longer than "
                      "\"worker_shutdown_timeout\" of %Mms, which cuts it "
                      "short", mcf->drain_max, ccf->shutdown_timeout);
    }

    ngx_ws_chat_stat_init_module(mcf);
    ngx_ws_chat_bus_init_module();

    return NGX_OK;
}


/* The configuration, or NULL if no location uses it. */

static ngx_ws_chat_main_conf_t *
ngx_ws_chat_active_conf(ngx_cycle_t *cycle)
{
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_ws_chat_module);

    return (mcf != NULL && mcf->locations.nelts != 0) ? mcf : NULL;
}


static ngx_int_t
ngx_ws_chat_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_ws_chat_zone_t      **zones;
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_ws_chat_active_conf(cycle);

    if (mcf == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_ws_chat_mem_init();
    ngx_ws_chat_send_init(cycle->log);
    ngx_ws_chat_state_init(cycle->log);
    ngx_ws_chat_presence_init(mcf, cycle->log);

#if (NGX_WS_CHAT_TEST)
    ngx_ws_chat_store_test_init(mcf);
#endif

    if (ngx_ws_chat_bus_init_process(cycle, ngx_ws_chat_reclaim,
                                     ngx_ws_chat_store_shm_wake)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_ws_chat_stat_init_process(mcf, ngx_ws_chat_bus_slot());
    ngx_ws_chat_mem_gauge(&ngx_ws_chat_counters->memory);

    ngx_ws_chat_live_archive_init_process(mcf);

    if (mcf->kafka
        && ngx_ws_chat_kafka_init_process(mcf->kafka, cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->store->init_process(zones[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_ws_chat_ban_init(mcf, cycle->log) != NGX_OK
        || ngx_ws_chat_init_locations(cycle, mcf) != NGX_OK
        || ngx_ws_chat_room_init(mcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_ws_chat_sse_init(cycle);
    ngx_ws_chat_sample_init(mcf, cycle->log);

    return ngx_ws_chat_session_init(cycle);
}


/* What a worker that died has left. */

static void
ngx_ws_chat_reclaim(ngx_uint_t slot)
{
    ngx_ws_chat_limit_forget(slot);
    ngx_ws_chat_store_shm_reclaim(slot);
}


/* What the sockets of a location share in this worker. */

static ngx_int_t
ngx_ws_chat_init_locations(ngx_cycle_t *cycle, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_log_t               *log;
    ngx_uint_t               i;
    ngx_ws_chat_location_t  *locations;
    ngx_ws_chat_loc_conf_t  *conf;

    locations = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {
        conf = locations[i].conf;

        log = ngx_palloc(cycle->pool, sizeof(ngx_log_t));
        if (log == NULL) {
            return NGX_ERROR;
        }

        *log = *locations[i].core->error_log;

        conf->log = log;
        conf->conn.alloc = &ngx_ws_chat_alloc;
        conf->conn.scratch = &ngx_ws_chat_scratch.inflate;
        conf->conn.max_message = conf->max_message;
        conf->conn.max_fragments = conf->max_fragments;

        if (ngx_ws_chat_client_terms(cycle, mcf, conf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_ws_chat_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                i;
    ngx_ws_chat_zone_t      **zones;
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_ws_chat_active_conf(cycle);

    if (mcf == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return;
    }

    /* who waits for a report hears of it before he goes */
    ngx_ws_chat_kafka_flush();

    ngx_ws_chat_session_done(cycle);

    /* that he went is told as well */
    ngx_ws_chat_kafka_flush();

    ngx_ws_chat_sample_done();
    ngx_ws_chat_live_archive_exit_process();

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        ngx_ws_chat_ban_done(zones[i]);
        zones[i]->store->exit_process(zones[i], cycle);
        ngx_ws_chat_client_all_done(zones[i]);
    }

    ngx_ws_chat_kafka_exit_process();
    ngx_ws_chat_state_done();
    ngx_ws_chat_presence_exit();
    ngx_ws_chat_send_done();
    ngx_ws_chat_pack_done();
    ngx_ws_chat_mem_done();

    ngx_ws_chat_mem_gauge(NULL);

    /* handshakes that are on their way end with the process */

    if (ngx_ws_chat_bus_slot() != NGX_WS_CHAT_SLOTS) {
        ngx_ws_chat_limit_forget(ngx_ws_chat_bus_slot());
    }

    ngx_ws_chat_bus_exit_process(cycle);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_conf_set.h"


#define NGX_WS_CHAT_RATE_MAX     100000
#define NGX_WS_CHAT_HISTORY_MAX  100000
#define NGX_WS_CHAT_NODE_MAX     64


static ngx_int_t ngx_ws_chat_conf_origin(ngx_str_t *origin);
static ngx_int_t ngx_ws_chat_conf_port(ngx_str_t *origin, u_char *p);
static char *ngx_ws_chat_conf_merge_handler(ngx_conf_t *cf,
    ngx_ws_chat_loc_conf_t *prev, ngx_ws_chat_loc_conf_t *conf);
static void ngx_ws_chat_conf_sum(ngx_ws_chat_zone_t *zone,
    ngx_ws_chat_loc_conf_t *conf);
static void ngx_ws_chat_conf_adopt(ngx_ws_chat_loc_conf_t *prev,
    ngx_ws_chat_loc_conf_t *conf);
static char *ngx_ws_chat_conf_resolve(ngx_conf_t *cf,
    ngx_ws_chat_main_conf_t *mcf, ngx_ws_chat_loc_conf_t *conf);
static void ngx_ws_chat_conf_merge_values(ngx_ws_chat_loc_conf_t *prev,
    ngx_ws_chat_loc_conf_t *conf);


void *
ngx_ws_chat_conf_create_main(ngx_conf_t *cf)
{
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mcf->zones, cf->pool, 4,
                       sizeof(ngx_ws_chat_zone_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&mcf->redis, cf->pool, 4, sizeof(void *)) != NGX_OK) {
        return NULL;
    }

    if (ngx_array_init(&mcf->locations, cf->pool, 4,
                       sizeof(ngx_ws_chat_location_t))
        != NGX_OK)
    {
        return NULL;
    }

    mcf->log = NGX_CONF_UNSET_PTR;

    return mcf;
}


void *
ngx_ws_chat_conf_create_loc(ngx_conf_t *cf)
{
    ngx_ws_chat_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->origins = NGX_CONF_UNSET_PTR;
    conf->ping_interval = NGX_CONF_UNSET_MSEC;
    conf->pong_timeout = NGX_CONF_UNSET_MSEC;
    conf->drain = NGX_CONF_UNSET_MSEC;
    conf->presence = NGX_CONF_UNSET;
    conf->presence_grace = NGX_CONF_UNSET_MSEC;
    conf->max_message = NGX_CONF_UNSET_SIZE;
    conf->max_fragments = NGX_CONF_UNSET_UINT;
    conf->max_chats = NGX_CONF_UNSET_UINT;
    conf->max_connections = NGX_CONF_UNSET_UINT;
    conf->max_user_connections = NGX_CONF_UNSET_UINT;
    conf->max_ip_connections = NGX_CONF_UNSET_UINT;
    conf->message_timeout = NGX_CONF_UNSET_MSEC;
    conf->rate = NGX_CONF_UNSET_UINT;
    conf->lag_limit = NGX_CONF_UNSET_SIZE;
    conf->lag_policy = NGX_CONF_UNSET_UINT;
    conf->deflate = NGX_CONF_UNSET;
    conf->deflate_level = NGX_CONF_UNSET;
    conf->deflate_window = NGX_CONF_UNSET;
    conf->deflate_context = NGX_CONF_UNSET;
    conf->deflate_min_size = NGX_CONF_UNSET_SIZE;
    conf->api_keys = NGX_CONF_UNSET_PTR;

    return conf;
}


char *
ngx_ws_chat_conf_merge_loc(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_ws_chat_loc_conf_t  *prev = parent;
    ngx_ws_chat_loc_conf_t  *conf = child;

    ngx_ws_chat_conf_merge_values(prev, conf);

    conf->server = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    conf->auth = ngx_http_conf_get_module_loc_conf(cf,
                                                   ngx_ws_chat_auth_module);

    return ngx_ws_chat_conf_merge_handler(cf, prev, conf);
}


static void
ngx_ws_chat_conf_merge_values(ngx_ws_chat_loc_conf_t *prev,
    ngx_ws_chat_loc_conf_t *conf)
{
    if (conf->user == NULL) {
        conf->user = prev->user;
    }

    ngx_conf_merge_ptr_value(conf->origins, prev->origins, NULL);
    ngx_conf_merge_str_value(conf->authorize, prev->authorize, "");
    ngx_conf_merge_msec_value(conf->ping_interval, prev->ping_interval, 30000);
    ngx_conf_merge_msec_value(conf->pong_timeout, prev->pong_timeout, 5000);
    ngx_conf_merge_msec_value(conf->drain, prev->drain, 20000);
    ngx_conf_merge_value(conf->presence, prev->presence, 1);
    ngx_conf_merge_msec_value(conf->presence_grace, prev->presence_grace,
                              5000);
    ngx_conf_merge_size_value(conf->max_message, prev->max_message, 65536);
    ngx_conf_merge_uint_value(conf->max_fragments, prev->max_fragments, 1024);
    ngx_conf_merge_uint_value(conf->max_chats, prev->max_chats, 64);
    ngx_conf_merge_uint_value(conf->max_connections, prev->max_connections, 0);
    ngx_conf_merge_uint_value(conf->max_user_connections,
                              prev->max_user_connections, 0);
    ngx_conf_merge_uint_value(conf->max_ip_connections,
                              prev->max_ip_connections, 0);
    ngx_conf_merge_msec_value(conf->message_timeout, prev->message_timeout,
                              30000);
    ngx_conf_merge_size_value(conf->lag_limit, prev->lag_limit, 256 * 1024);
    ngx_conf_merge_uint_value(conf->lag_policy, prev->lag_policy,
                              NGX_WS_CHAT_LAG_GAP);
    ngx_conf_merge_value(conf->deflate, prev->deflate, 1);
    ngx_conf_merge_value(conf->deflate_level, prev->deflate_level, 1);
    ngx_conf_merge_value(conf->deflate_window, prev->deflate_window, 15);
    ngx_conf_merge_value(conf->deflate_context, prev->deflate_context, 64);
    ngx_conf_merge_size_value(conf->deflate_min_size, prev->deflate_min_size,
                              256);

    ngx_conf_merge_ptr_value(conf->api_keys, prev->api_keys,
                             NGX_CONF_UNSET_PTR);

    if (conf->rate == NGX_CONF_UNSET_UINT) {
        conf->rate = prev->rate;
        conf->burst = prev->burst;
    }

    if (conf->rate == NGX_CONF_UNSET_UINT) {
        conf->rate = 20;
        conf->burst = 40;
    }

    if (conf->history.messages == 0) {
        conf->history = prev->history;
    }

    if (conf->history.messages == 0) {
        conf->history.messages = 1000;
        conf->history.age = (uint64_t) 24 * 3600 * 1000;
    }
}


/* An "if" or "limit_except" block goes on with the location's handler. */

static char *
ngx_ws_chat_conf_merge_handler(ngx_conf_t *cf, ngx_ws_chat_loc_conf_t *prev,
    ngx_ws_chat_loc_conf_t *conf)
{
    ngx_ws_chat_location_t    *location;
    ngx_ws_chat_main_conf_t   *mcf;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_ws_chat_module);

    if (clcf->noname && clcf->handler == NULL && prev->handler) {
        ngx_ws_chat_conf_adopt(prev, conf);
        clcf->handler = prev->handler;
    }

    if (conf->handler == NULL) {
        return NGX_CONF_OK;
    }

    location = ngx_array_push(&mcf->locations);
    if (location == NULL) {
        return NGX_CONF_ERROR;
    }

    location->conf = conf;
    location->core = clcf;

    if (conf->sockets || conf->streams) {
        mcf->drain_max = ngx_max(mcf->drain_max, conf->drain);
    }

    if (conf->api && conf->api_keys == NGX_CONF_UNSET_PTR) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" needs a \"ws_chat_api_key\" with a file of "
                      "keys, or with the word \"open\", in %s:%ui",
                      &conf->directive, conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    if (conf->zone_name.data
        && ngx_ws_chat_conf_resolve(cf, mcf, conf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->zone) {
        ngx_ws_chat_conf_sum(conf->zone, conf);
    }

    return NGX_CONF_OK;
}


/* What a zone has of all its locations. */

static void
ngx_ws_chat_conf_sum(ngx_ws_chat_zone_t *zone, ngx_ws_chat_loc_conf_t *conf)
{
    zone->keep = ngx_max(zone->keep, conf->history.age);

    if (conf->sockets && conf->deflate
        && (zone->window == 0 || conf->deflate_window < zone->window))
    {
        zone->window = conf->deflate_window;
    }
}


static void
ngx_ws_chat_conf_adopt(ngx_ws_chat_loc_conf_t *prev,
    ngx_ws_chat_loc_conf_t *conf)
{
    conf->handler = prev->handler;
    conf->sockets = prev->sockets;
    conf->streams = prev->streams;
    conf->members = prev->members;
    conf->api = prev->api;
    conf->directive = prev->directive;
    conf->zone_name = prev->zone_name;
    conf->file = prev->file;
    conf->line = prev->line;
}


/* Zones may be declared behind their use: the line is the one of the use. */

static char *
ngx_ws_chat_conf_resolve(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf,
    ngx_ws_chat_loc_conf_t *conf)
{
    ngx_ws_chat_zone_t  **zones;

    if (conf->zone_name.len) {
        conf->zone = ngx_ws_chat_conf_zone(mcf, &conf->zone_name);

        if (conf->zone == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "ws_chat_zone \"%V\" is unknown in %s:%ui",
                          &conf->zone_name, conf->file, conf->line);
            return NGX_CONF_ERROR;
        }

        return NGX_CONF_OK;
    }

    if (mcf->zones.nelts != 1) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" without \"zone=\" needs exactly one "
                      "\"ws_chat_zone\", there are %ui, in %s:%ui",
                      &conf->directive, mcf->zones.nelts, conf->file,
                      conf->line);
        return NGX_CONF_ERROR;
    }

    zones = mcf->zones.elts;
    conf->zone = zones[0];

    return NGX_CONF_OK;
}


ngx_ws_chat_zone_t *
ngx_ws_chat_conf_zone(ngx_ws_chat_main_conf_t *mcf, ngx_str_t *name)
{
    ngx_uint_t            i;
    ngx_ws_chat_zone_t  **zones;

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->name.len == name->len
            && ngx_strncmp(zones[i]->name.data, name->data, name->len) == 0)
        {
            return zones[i];
        }
    }

    return NULL;
}


char *
ngx_ws_chat_conf_bounds(ngx_conf_t *cf, void *post, void *data)
{
    ngx_ws_chat_bounds_t  *bounds = post;
    ngx_uint_t            *value = data;

    ngx_str_t  *args;

    if ((*value == 0 && bounds->zero)
        || (*value >= bounds->low && *value <= bounds->high))
    {
        return NGX_CONF_OK;
    }

    args = cf->args->elts;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" must be %s, not \"%V\"",
                       &args[0], bounds->text, &args[1]);
    return NGX_CONF_ERROR;
}


char *
ngx_ws_chat_conf_node(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *name = data;

    u_char      ch;
    ngx_uint_t  i;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (ch <= ' ' || ch >= 0x7f) {
            break;
        }
    }

    if (i < name->len || i == 0 || i > NGX_WS_CHAT_NODE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_node\" must be 1 to %d printable "
                           "characters without space, not \"%V\"",
                           NGX_WS_CHAT_NODE_MAX, name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_chat_conf_authorize(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t  *uri = data;

    if (ngx_strcmp(uri->data, "off") == 0) {
        uri->len = 0;
        return NGX_CONF_OK;
    }

    if (uri->len == 0 || uri->data[0] != '/'
        || ngx_strlchr(uri->data, uri->data + uri->len, '?') != NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_authorize\" takes \"off\" or a path "
                           "like \"/may-join\", not \"%V\"", uri);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_chat_conf_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_loc_conf_t  *lcf = conf;

    ngx_str_t   *value, *origin;
    ngx_uint_t   i;

    if (lcf->origins != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "any") == 0) {
        lcf->origins = NULL;
        return NGX_CONF_OK;
    }

    lcf->origins = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                    sizeof(ngx_str_t));
    if (lcf->origins == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_ws_chat_conf_origin(&value[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ws_chat_origins\" takes \"any\" alone, or "
                               "origins like \"https://chat.example.com\" or "
                               "\"https://*.example.com:8443\", not \"%V\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        origin = ngx_array_push(lcf->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        *origin = value[i];
    }

    return NGX_CONF_OK;
}


/* scheme "://" host [ ":" port ]; to lower case, as browsers send it. */

static ngx_int_t
ngx_ws_chat_conf_origin(ngx_str_t *origin)
{
    u_char  *p, *host, *last;

    ngx_strlow(origin->data, origin->data, origin->len);

    last = origin->data + origin->len;
    host = ngx_strlcasestrn(origin->data, last, (u_char *) "://", 2);

    if (host == NULL || host == origin->data) {
        return NGX_DECLINED;
    }

    for (p = origin->data; p < host; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')
              || *p == '+' || *p == '-' || *p == '.'))
        {
            return NGX_DECLINED;
        }
    }

    host += 3;
    p = host;

    if (last - p > 2 && p[0] == '*' && p[1] == '.') {
        p += 2;
    }

    if (p < last && *p == '[') {
        p = ngx_strlchr(p, last, ']');
        if (p == NULL) {
            return NGX_DECLINED;
        }

        p++;

    } else {
        while (p < last && *p != ':' && *p > ' ' && *p < 0x7f
               && ngx_strchr("/?#@\\*\"'<>", *p) == NULL)
        {
            p++;
        }
    }

    if (p == host) {
        return NGX_DECLINED;
    }

    if (p == last) {
        return NGX_OK;
    }

    return ngx_ws_chat_conf_port(origin, p);
}


/* At p stands what follows the host. */

static ngx_int_t
ngx_ws_chat_conf_port(ngx_str_t *origin, u_char *p)
{
    u_char     *last;
    ngx_int_t   port;

    last = origin->data + origin->len;

    if (*p != ':') {
        return NGX_DECLINED;
    }

    port = ngx_atoi(p + 1, last - p - 1);

    if (port < 1 || port > 65535) {
        return NGX_DECLINED;
    }

    /* the default one is never sent */

    if ((port == 443 && ngx_strncmp(origin->data, "https:", 6) == 0)
        || (port == 80 && ngx_strncmp(origin->data, "http:", 5) == 0))
    {
        origin->len = p - origin->data;
    }

    return NGX_OK;
}


char *
ngx_ws_chat_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_loc_conf_t  *lcf = conf;

    ngx_int_t   rate, burst;
    ngx_str_t  *value, *bad;

    if (lcf->rate != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        lcf->rate = 0;
        return NGX_CONF_OK;
    }

    rate = NGX_ERROR;
    bad = &value[1];

    if (value[1].len > 3
        && ngx_strcmp(value[1].data + value[1].len - 3, "r/s") == 0)
    {
        rate = ngx_atoi(value[1].data, value[1].len - 3);
    }

    if (rate < 1 || rate > NGX_WS_CHAT_RATE_MAX) {
        goto invalid;
    }

    burst = 2 * rate;

    if (cf->args->nelts == 3) {
        bad = &value[2];

        burst = (ngx_strncmp(value[2].data, "burst=", 6) == 0)
                ? ngx_atoi(value[2].data + 6, value[2].len - 6)
                : NGX_ERROR;
    }

    if (burst < 1 || burst > 2 * NGX_WS_CHAT_RATE_MAX) {
        goto invalid;
    }

    lcf->rate = rate;
    lcf->burst = burst;

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"ws_chat_rate\" must be \"off\" or \"Nr/s "
                       "[burst=M]\" with N from 1 to %d and M from 1 to %d, "
                       "not \"%V\"", NGX_WS_CHAT_RATE_MAX,
                       2 * NGX_WS_CHAT_RATE_MAX, bad);
    return NGX_CONF_ERROR;
}


char *
ngx_ws_chat_conf_lag_policy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_loc_conf_t  *lcf = conf;

    ngx_str_t  *value;

    if (lcf->lag_policy != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "gap") == 0) {
        lcf->lag_policy = NGX_WS_CHAT_LAG_GAP;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "close") == 0) {
        lcf->lag_policy = NGX_WS_CHAT_LAG_CLOSE;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"ws_chat_lag_policy\" must be \"gap\" or \"close\", "
                       "not \"%V\"", &value[1]);
    return NGX_CONF_ERROR;
}


char *
ngx_ws_chat_conf_history(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_loc_conf_t  *lcf = conf;

    ngx_int_t   count, age;
    ngx_str_t  *value;

    if (lcf->history.messages != 0) {
        return "is duplicate";
    }

    value = cf->args->elts;

    count = ngx_atoi(value[1].data, value[1].len);
    age = ngx_parse_time(&value[2], 0);

    if (count < 1 || count > NGX_WS_CHAT_HISTORY_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_history\" must keep from 1 to %d "
                           "messages, not \"%V\"",
                           NGX_WS_CHAT_HISTORY_MAX, &value[1]);
        return NGX_CONF_ERROR;
    }

    if (age < 1000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_history\" must keep messages for a "
                           "time of 1s or more, not \"%V\"", &value[2]);
        return NGX_CONF_ERROR;
    }

    lcf->history.messages = count;
    lcf->history.age = age;

    return NGX_CONF_OK;
}

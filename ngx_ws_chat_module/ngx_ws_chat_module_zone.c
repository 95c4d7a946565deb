
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_zone, and which store each zone gets.
 */


#include "ngx_ws_chat_module_zone.h"
#include "ngx_ws_chat_ban.h"
#include "ngx_ws_chat_client_all.h"
#include "ngx_ws_chat_redis_conf.h"
#include "ngx_ws_chat_store_redis.h"
#include "ngx_ws_chat_store_shm.h"


#define NGX_WS_CHAT_ZONE_MIN       (256 * 1024)
#define NGX_WS_CHAT_PREFIX_MAX     64
#define NGX_WS_CHAT_ZONE_NAME_MAX  64


static char *ngx_ws_chat_module_option(ngx_conf_t *cf, ngx_ws_chat_zone_t *z,
    ngx_str_t *value);
static ngx_int_t ngx_ws_chat_module_name_valid(ngx_str_t *name);


char *
ngx_ws_chat_module_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    u_char               *colon;
    ssize_t               size;
    ngx_str_t            *value, name, s;
    ngx_uint_t            i;
    ngx_ws_chat_zone_t   *z, **zp;

    value = cf->args->elts;
    colon = (u_char *) ngx_strchr(value[1].data, ':');

    if (colon == NULL) {
        return "must be NAME:SIZE";
    }

    name.data = value[1].data;
    name.len = colon - name.data;

    s.data = colon + 1;
    s.len = value[1].data + value[1].len - s.data;

    if (ngx_ws_chat_module_name_valid(&name) != NGX_OK) {
        return "needs a name of 1 to 64 characters out of A-Z a-z 0-9 _ . -";
    }

    size = ngx_parse_size(&s);

    if (size == NGX_ERROR || size < NGX_WS_CHAT_ZONE_MIN) {
        return "needs a size of 256k or more";
    }

    if (ngx_ws_chat_conf_zone(mcf, &name) != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_zone\" \"%V\" is declared twice", &name);
        return NGX_CONF_ERROR;
    }

    z = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_zone_t));
    zp = ngx_array_push(&mcf->zones);

    if (z == NULL || zp == NULL) {
        return NGX_CONF_ERROR;
    }

    *zp = z;
    z->name = name;
    z->store = &ngx_ws_chat_store_shm;
    ngx_str_set(&z->prefix, "wsc:");

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_ws_chat_module_option(cf, z, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_ws_chat_store_shm_create(cf, z, size) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_module_option(ngx_conf_t *cf, ngx_ws_chat_zone_t *z,
    ngx_str_t *value)
{
    ngx_uint_t  i;

    if (ngx_strcmp(value->data, "delivery=live") == 0) {
        z->live = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value->data, "delivery=durable") == 0) {
        z->durable = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "prefix=", 7) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_zone\" does not know \"%V\"", value);
        return NGX_CONF_ERROR;
    }

    z->prefix.data = value->data + 7;
    z->prefix.len = value->len - 7;

    /* what makes a hash tag of Redis Cluster is the store's */

    for (i = 0; i < z->prefix.len; i++) {
        if (z->prefix.data[i] <= ' ' || z->prefix.data[i] > '~'
            || z->prefix.data[i] == '{' || z->prefix.data[i] == '}')
        {
            break;
        }
    }

    if (i < z->prefix.len || z->prefix.len > NGX_WS_CHAT_PREFIX_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_zone\" needs a prefix of at most %d "
                           "printable characters without braces",
                           NGX_WS_CHAT_PREFIX_MAX);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* All was read: a zone with a Redis is live, others are embedded. */

char *
ngx_ws_chat_module_stores(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t            i;
    ngx_ws_chat_zone_t  **z;

    z = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {

        z[i]->news = ngx_ws_chat_client_news;
        z[i]->untold = ngx_ws_chat_ban_untold;
        z[i]->missed = ngx_ws_chat_ban_missed;

        if (z[i]->durable && z[i]->redis && z[i]->redis->cluster) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"ws_chat_zone\" \"%V\" is durable: its "
                          "\"ws_chat_redis\" cannot be a Cluster, which "
                          "ws-chat-relay does not know", &z[i]->name);
            return NGX_CONF_ERROR;
        }

        if (z[i]->redis) {
            z[i]->store = z[i]->durable ? &ngx_ws_chat_store_durable
                                        : &ngx_ws_chat_store_redis;
            z[i]->status = ngx_ws_chat_client_status;
            continue;
        }

        if (z[i]->live || z[i]->durable) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"ws_chat_zone\" \"%V\" is %s and needs a "
                          "\"ws_chat_redis\"", &z[i]->name,
                          z[i]->durable ? "durable" : "live");
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_ws_chat_module_name_valid(ngx_str_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

    if (name->len == 0 || name->len > NGX_WS_CHAT_ZONE_NAME_MAX) {
        return NGX_DECLINED;
    }

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9')
              || ch == '_' || ch == '.' || ch == '-'))
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}

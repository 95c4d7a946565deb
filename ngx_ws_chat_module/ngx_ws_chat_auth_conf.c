
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Keys are read when NGINX reads its configuration, as its own certificates
 * are: by the master, once for all workers.
 */


#include "ngx_ws_chat_auth.h"
#include "ngx_ws_chat_conf_file.h"
#include <openssl/crypto.h>


static wsc_jwt_keys_t *ngx_ws_chat_auth_conf_keys(ngx_conf_t *cf);
static char *ngx_ws_chat_auth_conf_want(ngx_conf_t *cf, wsc_jwt_want_t *want);
static void ngx_ws_chat_auth_conf_free(void *data);
static void ngx_ws_chat_auth_conf_warn(ngx_conf_t *cf,
    ngx_ws_chat_auth_conf_t *conf, ngx_ws_chat_loc_conf_t *chat);


void *
ngx_ws_chat_auth_conf_create(ngx_conf_t *cf)
{
    ngx_ws_chat_auth_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_auth_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->enable = NGX_CONF_UNSET_UINT;
    conf->audiences = NGX_CONF_UNSET_PTR;

    return conf;
}


char *
ngx_ws_chat_auth_conf_merge(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_ws_chat_auth_conf_t  *prev = parent;
    ngx_ws_chat_auth_conf_t  *conf = child;

    ngx_uint_t               inherited;
    ngx_ws_chat_loc_conf_t  *chat;

    chat = ngx_http_conf_get_module_loc_conf(cf, ngx_ws_chat_module);

    inherited = (conf->enable == NGX_CONF_UNSET_UINT);

    if (inherited) {
        conf->file = prev->file;
        conf->line = prev->line;
    }

    ngx_conf_merge_uint_value(conf->enable, prev->enable,
                              NGX_WS_CHAT_AUTH_OFF);
    ngx_conf_merge_ptr_value(conf->audiences, prev->audiences, NULL);
    ngx_conf_merge_str_value(conf->issuer, prev->issuer, "");
    ngx_conf_merge_str_value(conf->cookie, prev->cookie, "");

    if (conf->keys == NULL) {
        conf->keys = prev->keys;
    }

    conf->policy.keys = conf->keys;
    conf->policy.issuer.data = conf->issuer.data;
    conf->policy.issuer.len = conf->issuer.len;

    if (conf->audiences) {
        conf->policy.audiences = conf->audiences->elts;
        conf->policy.naudiences = conf->audiences->nelts;
    }

    /* the handlers for machines have what lets in of their own */

    conf->asks = chat->handler && chat->members;

    if (chat->handler && !chat->members && inherited) {
        conf->enable = NGX_WS_CHAT_AUTH_OFF;
    }

    if (conf->enable == NGX_WS_CHAT_AUTH_JWT && conf->keys == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ws_chat_auth jwt\" needs a \"ws_chat_jwt_key\" "
                      "in %s:%ui", conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    ngx_ws_chat_auth_conf_warn(cf, conf, chat);

    return NGX_CONF_OK;
}


static void
ngx_ws_chat_auth_conf_warn(ngx_conf_t *cf, ngx_ws_chat_auth_conf_t *conf,
    ngx_ws_chat_loc_conf_t *chat)
{
    if (!chat->handler || !chat->members || chat->zone_name.data == NULL) {
        return;
    }

    if (conf->enable == NGX_WS_CHAT_AUTH_OFF && chat->user == NULL) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"%V\" without \"ws_chat_auth\" or \"ws_chat_user\": "
                      "the user is whom a client names in \"?user=\", in "
                      "%s:%ui", &chat->directive, chat->file, chat->line);
    }

    if (conf->enable == NGX_WS_CHAT_AUTH_JWT && conf->cookie.len
        && chat->origins == NULL)
    {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"%V\" with \"ws_chat_token_cookie\" but without "
                      "\"ws_chat_origins\": any page can act for the user "
                      "whose browser shows it, in %s:%ui", &chat->directive,
                      chat->file, chat->line);
    }
}


char *
ngx_ws_chat_auth_conf_enable(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_auth_conf_t  *acf = conf;

    ngx_str_t  *value;

    if (acf->enable != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    acf->file = cf->conf_file->file.name.data;
    acf->line = cf->conf_file->line;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        acf->enable = NGX_WS_CHAT_AUTH_OFF;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "jwt") == 0) {
        acf->enable = NGX_WS_CHAT_AUTH_JWT;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"ws_chat_auth\" must be \"off\" or \"jwt\", not "
                       "\"%V\"", &value[1]);
    return NGX_CONF_ERROR;
}


/* ws_chat_jwt_key FILE [alg=NAME] [kid=ID] */

char *
ngx_ws_chat_auth_conf_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_auth_conf_t  *acf = conf;

    ssize_t          rc;
    ngx_str_t       *value, name, text;
    wsc_str_t        file;
    const char      *reason;
    wsc_jwt_want_t   want;

    value = cf->args->elts;
    name = value[1];

    if (ngx_ws_chat_auth_conf_want(cf, &want) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (acf->keys == NULL) {
        acf->keys = ngx_ws_chat_auth_conf_keys(cf);
        if (acf->keys == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_ws_chat_conf_file(cf, &value[0], &name, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    file.data = text.data;
    file.len = text.len;

    rc = wsc_jwt_keys_load(acf->keys, &file, &want, &reason);

    OPENSSL_cleanse(text.data, text.len);

    if (rc == WSC_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_jwt_key\" \"%V\" %s", &name, reason);
    }

    return (rc == WSC_OK) ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static wsc_jwt_keys_t *
ngx_ws_chat_auth_conf_keys(ngx_conf_t *cf)
{
    wsc_jwt_keys_t      *keys;
    ngx_pool_cleanup_t  *cln;

    keys = ngx_palloc(cf->pool, sizeof(wsc_jwt_keys_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (keys == NULL || cln == NULL) {
        return NULL;
    }

    wsc_jwt_keys_init(keys, &ngx_ws_chat_auth_memory);

    cln->handler = ngx_ws_chat_auth_conf_free;
    cln->data = keys;

    return keys;
}


static char *
ngx_ws_chat_auth_conf_want(ngx_conf_t *cf, wsc_jwt_want_t *want)
{
    wsc_str_t    name;
    ngx_str_t   *value;
    ngx_uint_t   i;

    ngx_memzero(want, sizeof(wsc_jwt_want_t));
    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        name.data = value[i].data + 4;
        name.len = value[i].len - 4;

        if (value[i].len > 4 && ngx_strncmp(value[i].data, "alg=", 4) == 0) {
            want->alg = wsc_jwt_alg(&name);

            if (want->alg != WSC_JWT_NONE) {
                continue;
            }

        } else if (value[i].len > 4
                   && ngx_strncmp(value[i].data, "kid=", 4) == 0)
        {
            want->kid = name;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_jwt_key\" takes \"alg=\" with HS256, "
                           "RS256, ES256 or EdDSA, and \"kid=ID\", not "
                           "\"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_chat_auth_conf_audience(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_auth_conf_t  *acf = conf;

    ngx_str_t   *value;
    wsc_str_t   *one;
    ngx_uint_t   i;

    if (acf->audiences != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    acf->audiences = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                      sizeof(wsc_str_t));
    if (acf->audiences == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        one = ngx_array_push(acf->audiences);
        if (one == NULL) {
            return NGX_CONF_ERROR;
        }

        one->data = value[i].data;
        one->len = value[i].len;
    }

    return NGX_CONF_OK;
}


static void
ngx_ws_chat_auth_conf_free(void *data)
{
    wsc_jwt_keys_free(data);
}

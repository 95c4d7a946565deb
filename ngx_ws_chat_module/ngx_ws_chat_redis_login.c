
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What is said first on a connection.  All of it is sent at once; the first
 * error ends it, and the reply to PING, the last one, begins the service.
 */


#include "ngx_ws_chat_redis_int.h"
#include "ngx_ws_chat_redis_one.h"


#define NGX_WS_CHAT_REDIS_NAME  128


static void ngx_ws_chat_redis_say(ngx_ws_chat_redis_t *rc, ngx_uint_t argc,
    const wsc_str_t *argv, ngx_ws_chat_redis_reply_pt reply);
static void ngx_ws_chat_redis_auth(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_set_name(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_select(ngx_ws_chat_redis_t *rc);
static ngx_uint_t ngx_ws_chat_redis_good(ngx_ws_chat_redis_t *rc,
    const char *what, const redisReply *reply);
static void ngx_ws_chat_redis_auth_reply(void *data, const redisReply *reply);
static void ngx_ws_chat_redis_name_reply(void *data, const redisReply *reply);
static void ngx_ws_chat_redis_select_reply(void *data,
    const redisReply *reply);
static void ngx_ws_chat_redis_info_reply(void *data, const redisReply *reply);
static void ngx_ws_chat_redis_ping_reply(void *data, const redisReply *reply);
static void ngx_ws_chat_redis_master_reply(void *data,
    const redisReply *reply);


#define ngx_ws_chat_redis_arg(text)  { sizeof(text) - 1, (u_char *) text }

static const wsc_str_t  ngx_ws_chat_redis_info[] = {
    ngx_ws_chat_redis_arg("INFO"),
    ngx_ws_chat_redis_arg("replication")
};

static const wsc_str_t  ngx_ws_chat_redis_ping[] = {
    ngx_ws_chat_redis_arg("PING")
};


void
ngx_ws_chat_redis_login(ngx_ws_chat_redis_t *rc)
{
    wsc_str_t  argv[3] = {
        ngx_ws_chat_redis_arg("SENTINEL"),
        ngx_ws_chat_redis_arg("get-master-addr-by-name")
    };

    if (rc->conf->master.len && rc->master_len == 0) {
        argv[2].data = rc->conf->master.data;
        argv[2].len = rc->conf->master.len;

        ngx_ws_chat_redis_say(rc, 3, argv, ngx_ws_chat_redis_master_reply);

        if (rc->kind == NGX_WS_CHAT_REDIS_SENTINEL) {
            ngx_ws_chat_redis_say(rc, 1, ngx_ws_chat_redis_ping,
                                  ngx_ws_chat_redis_ping_reply);
        }

        return;
    }

    ngx_ws_chat_redis_auth(rc);
    ngx_ws_chat_redis_set_name(rc);
    ngx_ws_chat_redis_select(rc);

    /* a replica would refuse to write, one that loads would do nothing */

    if (rc->kind != NGX_WS_CHAT_REDIS_ANY) {
        ngx_ws_chat_redis_say(rc, 2, ngx_ws_chat_redis_info,
                              ngx_ws_chat_redis_info_reply);
    }

    ngx_ws_chat_redis_say(rc, 1, ngx_ws_chat_redis_ping,
                          ngx_ws_chat_redis_ping_reply);
}


static void
ngx_ws_chat_redis_say(ngx_ws_chat_redis_t *rc, ngx_uint_t argc,
    const wsc_str_t *argv, ngx_ws_chat_redis_reply_pt reply)
{
    if (ngx_ws_chat_redis_put(rc, argc, argv, 1, reply, rc) != NGX_OK) {
        ngx_ws_chat_redis_fail(rc, "no memory");
    }

    ngx_ws_chat_redis_flush(rc);
}


static void
ngx_ws_chat_redis_auth(ngx_ws_chat_redis_t *rc)
{
    ngx_uint_t  n;
    wsc_str_t   argv[3] = { ngx_ws_chat_redis_arg("AUTH") };

    if (rc->conf->password.len == 0) {
        return;
    }

    n = 1;

    if (rc->conf->user.len) {
        argv[n].data = rc->conf->user.data;
        argv[n++].len = rc->conf->user.len;
    }

    argv[n].data = rc->conf->password.data;
    argv[n++].len = rc->conf->password.len;

    ngx_ws_chat_redis_say(rc, n, argv, ngx_ws_chat_redis_auth_reply);
}


/* For those who read CLIENT LIST; not everybody may. */

static void
ngx_ws_chat_redis_set_name(ngx_ws_chat_redis_t *rc)
{
    u_char     buf[NGX_WS_CHAT_REDIS_NAME], *p;
    wsc_str_t  argv[3] = {
        ngx_ws_chat_redis_arg("CLIENT"),
        ngx_ws_chat_redis_arg("SETNAME")
    };

    p = ngx_snprintf(buf, sizeof(buf), "ws_chat:%V:%P%s", rc->conf->node,
                     ngx_pid,
                     rc->kind == NGX_WS_CHAT_REDIS_SUBSCRIBER ? ":sub" : "");

    argv[2].data = buf;
    argv[2].len = p - buf;

    ngx_ws_chat_redis_say(rc, 3, argv, ngx_ws_chat_redis_name_reply);
}


static void
ngx_ws_chat_redis_select(ngx_ws_chat_redis_t *rc)
{
    u_char     buf[NGX_INT_T_LEN];
    wsc_str_t  argv[2] = { ngx_ws_chat_redis_arg("SELECT") };

    if (rc->conf->database == 0) {
        return;
    }

    argv[1].data = buf;
    argv[1].len = ngx_sprintf(buf, "%i", rc->conf->database) - buf;

    ngx_ws_chat_redis_say(rc, 2, argv, ngx_ws_chat_redis_select_reply);
}


/* 0: it broke, or is broken now. */

static ngx_uint_t
ngx_ws_chat_redis_good(ngx_ws_chat_redis_t *rc, const char *what,
    const redisReply *reply)
{
    if (reply == NULL) {
        return 0;
    }

    if (reply->type == REDIS_REPLY_ERROR) {
        ngx_ws_chat_redis_fail(rc, "%s: %s", what, reply->str);
        return 0;
    }

    return 1;
}


static void
ngx_ws_chat_redis_auth_reply(void *data, const redisReply *reply)
{
    (void) ngx_ws_chat_redis_good(data, "AUTH", reply);
}


static void
ngx_ws_chat_redis_name_reply(void *data, const redisReply *reply)
{
}


static void
ngx_ws_chat_redis_select_reply(void *data, const redisReply *reply)
{
    (void) ngx_ws_chat_redis_good(data, "SELECT", reply);
}


static void
ngx_ws_chat_redis_info_reply(void *data, const redisReply *reply)
{
    ngx_ws_chat_redis_t  *rc = data;

    if (!ngx_ws_chat_redis_good(rc, "INFO", reply)) {
        return;
    }

    if (reply->type != REDIS_REPLY_STRING
        || strstr(reply->str, "role:master") == NULL)
    {
        ngx_ws_chat_redis_fail(rc, "it is no master");
    }
}


static void
ngx_ws_chat_redis_ping_reply(void *data, const redisReply *reply)
{
    ngx_ws_chat_redis_t  *rc = data;

    if (!ngx_ws_chat_redis_good(rc, "PING", reply)) {
        return;
    }

    if (reply->type != REDIS_REPLY_STATUS
        || ngx_strcmp(reply->str, "PONG") != 0)
    {
        ngx_ws_chat_redis_fail(rc, "it does not speak as Redis does");
        return;
    }

    ngx_ws_chat_redis_came_up(rc);
}


/* Address and port of the master, or nil. */

static void
ngx_ws_chat_redis_master_reply(void *data, const redisReply *reply)
{
    ngx_ws_chat_redis_t  *rc = data;

    ngx_int_t          port;
    wsc_str_t          ip;
    const redisReply  *host, *number;

    if (!ngx_ws_chat_redis_good(rc, "SENTINEL", reply)) {
        return;
    }

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        ngx_ws_chat_redis_fail(rc, "this Sentinel knows no such master");
        return;
    }

    host = reply->element[0];
    number = reply->element[1];

    if (host->type != REDIS_REPLY_STRING
        || number->type != REDIS_REPLY_STRING)
    {
        ngx_ws_chat_redis_fail(rc, "this Sentinel gives no address");
        return;
    }

    port = ngx_atoi((u_char *) number->str, number->len);

    ip.data = (u_char *) host->str;
    ip.len = host->len;

    rc->master_len = (port == NGX_ERROR)
                     ? 0 : ngx_ws_chat_redis_address(&rc->master, &ip, port);

    if (rc->master_len == 0) {
        ngx_ws_chat_redis_fail(rc, "this Sentinel gives no IP address: %s",
                               host->str);
        return;
    }

    if (rc->kind == NGX_WS_CHAT_REDIS_SENTINEL) {
        return;
    }

    rc->moving = 1;
    ngx_ws_chat_redis_fail(rc, "to the master");
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Nothing that was said here repeats a password: what comes before the "@" of
 * a URI and behind the "=" of an unknown option is left out of messages.
 */


#include "ngx_ws_chat_redis_tls.h"
#include "ngx_ws_chat_redis_uri.h"


#define NGX_WS_CHAT_REDIS_DATABASES     65536
#define NGX_WS_CHAT_REDIS_SECRET        4096
#define NGX_WS_CHAT_REDIS_TIMEOUT_MAX   60000
#define NGX_WS_CHAT_REDIS_SHARDS        64        /* of a Cluster */
#define NGX_WS_CHAT_REDIS_SHARDS_FEW    60
#define NGX_WS_CHAT_REDIS_SHARDS_MAX    1024


typedef struct {
    ngx_str_t                    name;        /* with the "=" */
    char                      *(*set)(ngx_ws_chat_redis_parse_t *p,
                                    ngx_str_t *value, size_t offset);
    size_t                       offset;
} ngx_ws_chat_redis_option_t;


static char *ngx_ws_chat_redis_argument(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *arg);
static char *ngx_ws_chat_redis_set_time(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_set_database(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_set_user(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_set_word(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_set_shards(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_path(ngx_ws_chat_redis_parse_t *p);
static char *ngx_ws_chat_redis_finish(ngx_ws_chat_redis_parse_t *p);
static char *ngx_ws_chat_redis_cluster(ngx_ws_chat_redis_parse_t *p);
static char *ngx_ws_chat_redis_password(ngx_ws_chat_redis_parse_t *p);
static char *ngx_ws_chat_redis_tls(ngx_ws_chat_redis_parse_t *p);
static ngx_fd_t ngx_ws_chat_redis_file(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *name);


#define ngx_ws_chat_redis_word(field)                                         \
    { ngx_string(#field "="), ngx_ws_chat_redis_set_word,                     \
      offsetof(ngx_ws_chat_redis_parse_t, field) }

static ngx_ws_chat_redis_option_t  ngx_ws_chat_redis_options[] = {
    { ngx_string("connect_timeout="), ngx_ws_chat_redis_set_time,
      offsetof(ngx_ws_chat_redis_conf_t, connect_timeout) },
    { ngx_string("timeout="), ngx_ws_chat_redis_set_time,
      offsetof(ngx_ws_chat_redis_conf_t, timeout) },
    { ngx_string("database="), ngx_ws_chat_redis_set_database, 0 },
    { ngx_string("shards="), ngx_ws_chat_redis_set_shards, 0 },
    { ngx_string("user="), ngx_ws_chat_redis_set_user, 0 },
    ngx_ws_chat_redis_word(password_file),
    ngx_ws_chat_redis_word(ca),
    ngx_ws_chat_redis_word(cert),
    ngx_ws_chat_redis_word(key),
    ngx_ws_chat_redis_word(verify),
    { ngx_null_string, NULL, 0 }
};


static struct {
    ngx_str_t                    prefix;
    ngx_ws_chat_redis_scheme_e   scheme;
} ngx_ws_chat_redis_schemes[] = {
    { ngx_string("redis://"), NGX_WS_CHAT_REDIS_TCP },
    { ngx_string("rediss://"), NGX_WS_CHAT_REDIS_TLS },
    { ngx_string("unix:"), NGX_WS_CHAT_REDIS_UNIX },
    { ngx_string("sentinel://"), NGX_WS_CHAT_REDIS_ASK },
    { ngx_string("cluster://"), NGX_WS_CHAT_REDIS_CLUSTER },
    { ngx_string("clusters://"), NGX_WS_CHAT_REDIS_CLUSTER_TLS },
    { ngx_null_string, NGX_WS_CHAT_REDIS_NONE }
};


char *
ngx_ws_chat_redis_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    char                       *rv;
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_ws_chat_redis_conf_t   *rcf, **other;
    ngx_ws_chat_redis_parse_t   p;

    value = cf->args->elts;
    other = mcf->redis.elts;

    for (i = 0; i < mcf->redis.nelts; i++) {
        if (other[i]->name.len == value[1].len
            && ngx_strcmp(other[i]->name.data, value[1].data) == 0)
        {
            return "is duplicate: one line a zone, which may have several "
                   "URIs";
        }
    }

    rcf = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_redis_conf_t));
    other = ngx_array_push(&mcf->redis);

    if (rcf == NULL || other == NULL
        || ngx_array_init(&rcf->peers, cf->pool, 2,
                          sizeof(ngx_ws_chat_redis_peer_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *other = rcf;

    rcf->name = value[1];
    rcf->database = NGX_CONF_UNSET;
    rcf->shards = NGX_CONF_UNSET_UINT;
    rcf->connect_timeout = NGX_CONF_UNSET_MSEC;
    rcf->timeout = NGX_CONF_UNSET_MSEC;
    rcf->node = &mcf->node;
    rcf->file = cf->conf_file->file.name.data;
    rcf->line = cf->conf_file->line;

    ngx_memzero(&p, sizeof(ngx_ws_chat_redis_parse_t));
    p.cf = cf;
    p.conf = rcf;

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_ws_chat_redis_argument(&p, &value[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return ngx_ws_chat_redis_finish(&p);
}


/* A URI or an option, in any order. */

static char *
ngx_ws_chat_redis_argument(ngx_ws_chat_redis_parse_t *p, ngx_str_t *arg)
{
    u_char                      *eq;
    ngx_str_t                    rest, *s;
    ngx_uint_t                   i;
    ngx_ws_chat_redis_option_t  *option;

    for (i = 0; ngx_ws_chat_redis_schemes[i].prefix.len; i++) {
        s = &ngx_ws_chat_redis_schemes[i].prefix;

        if (arg->len >= s->len
            && ngx_strncmp(arg->data, s->data, s->len) == 0)
        {
            rest.data = arg->data + s->len;
            rest.len = arg->len - s->len;

            return ngx_ws_chat_redis_uri(p,
                               ngx_ws_chat_redis_schemes[i].scheme, &rest);
        }
    }

    for (option = ngx_ws_chat_redis_options; option->name.len; option++) {

        if (arg->len >= option->name.len
            && ngx_strncmp(arg->data, option->name.data, option->name.len)
               == 0)
        {
            rest.data = arg->data + option->name.len;
            rest.len = arg->len - option->name.len;

            return option->set(p, &rest, option->offset);
        }
    }

    rest = *arg;
    eq = (u_char *) ngx_strchr(arg->data, '=');

    if (eq == NULL) {
        eq = (u_char *) ngx_strstr(arg->data, "://");
    }

    if (eq != NULL) {
        rest.len = eq - arg->data;
    }

    return ngx_ws_chat_redis_bad(p,
               "takes URIs (redis://, rediss://, unix:, sentinel://, "
               "cluster://, clusters://) and options (connect_timeout=, "
               "timeout=, database=, shards=, user=, password_file=, ca=, "
               "cert=, key=, verify=), not \"%V\"",
               &rest);
}


static char *
ngx_ws_chat_redis_set_time(ngx_ws_chat_redis_parse_t *p, ngx_str_t *value,
    size_t offset)
{
    ngx_int_t    ms;
    ngx_msec_t  *field;

    field = (ngx_msec_t *) ((u_char *) p->conf + offset);

    if (*field != NGX_CONF_UNSET_MSEC) {
        return ngx_ws_chat_redis_bad(p, "has a timeout twice");
    }

    ms = ngx_parse_time(value, 0);

    if (ms < 1 || ms > NGX_WS_CHAT_REDIS_TIMEOUT_MAX) {
        return ngx_ws_chat_redis_bad(p, "needs a timeout from 1ms to 60s, "
                                      "not \"%V\"", value);
    }

    *field = ms;

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_redis_set_database(ngx_ws_chat_redis_parse_t *p, ngx_str_t *value,
    size_t offset)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n >= NGX_WS_CHAT_REDIS_DATABASES) {
        return ngx_ws_chat_redis_bad(p, "needs a database from 0 to %d, not "
                                      "\"%V\"",
                                      NGX_WS_CHAT_REDIS_DATABASES - 1, value);
    }

    if (p->conf->database != NGX_CONF_UNSET) {
        return ngx_ws_chat_redis_bad(p, "has two databases");
    }

    p->conf->database = n;

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_redis_set_shards(ngx_ws_chat_redis_parse_t *p, ngx_str_t *value,
    size_t offset)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > NGX_WS_CHAT_REDIS_SHARDS_MAX) {
        return ngx_ws_chat_redis_bad(p, "needs \"shards=\" from 1 to %d, not "
                                      "\"%V\"",
                                      NGX_WS_CHAT_REDIS_SHARDS_MAX, value);
    }

    if (p->conf->shards != NGX_CONF_UNSET_UINT) {
        return ngx_ws_chat_redis_bad(p, "has \"shards=\" twice");
    }

    p->conf->shards = n;

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_redis_set_user(ngx_ws_chat_redis_parse_t *p, ngx_str_t *value,
    size_t offset)
{
    if (value->len == 0) {
        return ngx_ws_chat_redis_bad(p, "needs a name behind \"user=\"");
    }

    if (p->conf->user.len) {
        return ngx_ws_chat_redis_bad(p, "has two users");
    }

    p->conf->user = *value;

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_redis_set_word(ngx_ws_chat_redis_parse_t *p, ngx_str_t *value,
    size_t offset)
{
    ngx_str_t  *field;

    field = (ngx_str_t *) ((u_char *) p + offset);

    if (value->len == 0 || field->len != 0) {
        return ngx_ws_chat_redis_bad(p, "takes \"password_file=\", \"ca=\", "
                                      "\"cert=\", \"key=\" and \"verify=\" "
                                      "once each, with a value");
    }

    *field = *value;

    return NGX_CONF_OK;
}


/* The database, or the name under which Sentinels know the master. */

static char *
ngx_ws_chat_redis_path(ngx_ws_chat_redis_parse_t *p)
{
    if (p->scheme != NGX_WS_CHAT_REDIS_ASK) {
        return p->path.len ? ngx_ws_chat_redis_set_database(p, &p->path, 0)
                           : NGX_CONF_OK;
    }

    if (p->path.len == 0) {
        return ngx_ws_chat_redis_bad(p, "needs the master's name as in "
                                      "\"sentinel://host:port/NAME\"");
    }

    p->conf->master = p->path;

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_redis_finish(ngx_ws_chat_redis_parse_t *p)
{
    ngx_ws_chat_redis_conf_t  *conf;

    conf = p->conf;

    if (p->scheme == NGX_WS_CHAT_REDIS_NONE) {
        return ngx_ws_chat_redis_bad(p, "needs a URI like "
                                      "\"redis://127.0.0.1:6379\"");
    }

    conf->current = ngx_pcalloc(p->cf->pool, sizeof(ngx_uint_t));
    if (conf->current == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_ws_chat_redis_path(p) != NGX_CONF_OK
        || ngx_ws_chat_redis_cluster(p) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_value(conf->database, 0);
    ngx_conf_init_msec_value(conf->connect_timeout, 1000);
    ngx_conf_init_msec_value(conf->timeout, 2000);

    if (ngx_ws_chat_redis_password(p) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (p->scheme == NGX_WS_CHAT_REDIS_TLS
        || p->scheme == NGX_WS_CHAT_REDIS_CLUSTER_TLS)
    {
        return ngx_ws_chat_redis_tls(p);
    }

    if (p->ca.len || p->cert.len || p->key.len || p->verify.len) {
        return ngx_ws_chat_redis_bad(p, "takes \"ca=\", \"cert=\", \"key=\" "
                                      "and \"verify=\" with \"rediss://\" "
                                      "and \"clusters://\" only");
    }

    return NGX_CONF_OK;
}


/* Keys of a Cluster are in many slots, all of database 0. */

static char *
ngx_ws_chat_redis_cluster(ngx_ws_chat_redis_parse_t *p)
{
    ngx_ws_chat_redis_conf_t  *conf;

    conf = p->conf;

    conf->cluster = p->scheme == NGX_WS_CHAT_REDIS_CLUSTER
                    || p->scheme == NGX_WS_CHAT_REDIS_CLUSTER_TLS;

    if (!conf->cluster) {
        if (conf->shards != NGX_CONF_UNSET_UINT) {
            return ngx_ws_chat_redis_bad(p, "takes \"shards=\" with "
                                          "\"cluster://\" and "
                                          "\"clusters://\" only");
        }

        conf->shards = 1;
        return NGX_CONF_OK;
    }

    if (conf->database > 0) {
        return ngx_ws_chat_redis_bad(p, "has a database, but a Cluster has "
                                      "but one");
    }

    ngx_conf_init_uint_value(conf->shards, NGX_WS_CHAT_REDIS_SHARDS);

    if (conf->shards < NGX_WS_CHAT_REDIS_SHARDS_FEW) {
        ngx_conf_log_error(NGX_LOG_WARN, p->cf, 0,
                           "\"ws_chat_redis\" spreads %ui shards unevenly "
                           "over the nodes of a Cluster, %d or more are "
                           "better",
                           conf->shards, NGX_WS_CHAT_REDIS_SHARDS_FEW);
    }

    return NGX_CONF_OK;
}


/* The first line of the file. */

static char *
ngx_ws_chat_redis_password(ngx_ws_chat_redis_parse_t *p)
{
    u_char                     buf[NGX_WS_CHAT_REDIS_SECRET];
    size_t                     len;
    ssize_t                    n;
    ngx_fd_t                   fd;
    ngx_ws_chat_redis_conf_t  *conf;

    conf = p->conf;

    if (p->password_file.len == 0) {
        return (conf->user.len && conf->password.len == 0)
               ? ngx_ws_chat_redis_bad(p, "needs a password for its user")
               : NGX_CONF_OK;
    }

    if (conf->password.len) {
        return ngx_ws_chat_redis_bad(p, "has two passwords");
    }

    fd = ngx_ws_chat_redis_file(p, &p->password_file);
    if (fd == NGX_INVALID_FILE) {
        return NGX_CONF_ERROR;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    (void) ngx_close_file(fd);

    for (len = 0; n > 0 && len < (size_t) n; len++) {
        if (buf[len] == CR || buf[len] == LF) {
            break;
        }
    }

    if (len == 0 || len == sizeof(buf)) {
        return ngx_ws_chat_redis_bad(p, "needs a password of 1 to %d octets "
                                      "in the first line of \"%V\"",
                                      NGX_WS_CHAT_REDIS_SECRET - 1,
                                      &p->password_file);
    }

    conf->password.data = ngx_pnalloc(p->cf->pool, len);
    if (conf->password.data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(conf->password.data, buf, len);
    ngx_explicit_memzero(buf, sizeof(buf));
    conf->password.len = len;

    return NGX_CONF_OK;
}


/* Opens a file that has to be there; the name becomes an absolute one. */

static ngx_fd_t
ngx_ws_chat_redis_file(ngx_ws_chat_redis_parse_t *p, ngx_str_t *name)
{
    ngx_fd_t  fd;

    if (ngx_conf_full_name(p->cf->cycle, name, 1) != NGX_OK) {
        return NGX_INVALID_FILE;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, p->cf, ngx_errno,
                           "\"ws_chat_redis\" cannot open \"%V\"", name);
    }

    return fd;
}


static char *
ngx_ws_chat_redis_tls(ngx_ws_chat_redis_parse_t *p)
{
    ngx_fd_t     fd;
    ngx_str_t   *files[3];
    ngx_uint_t   i, verify;

    if ((p->cert.len == 0) != (p->key.len == 0)) {
        return ngx_ws_chat_redis_bad(p, "needs both \"cert=\" and \"key=\", "
                                      "or none of them");
    }

    verify = p->verify.len == 0 || ngx_strcmp(p->verify.data, "on") == 0;

    if (!verify && ngx_strcmp(p->verify.data, "off") != 0) {
        return ngx_ws_chat_redis_bad(p, "needs \"verify=\" to be \"on\" or "
                                      "\"off\", not \"%V\"", &p->verify);
    }

    files[0] = &p->ca;
    files[1] = &p->cert;
    files[2] = &p->key;

    for (i = 0; i < 3; i++) {
        if (files[i]->len == 0) {
            continue;
        }

        fd = ngx_ws_chat_redis_file(p, files[i]);
        if (fd == NGX_INVALID_FILE) {
            return NGX_CONF_ERROR;
        }

        (void) ngx_close_file(fd);
    }

    return ngx_ws_chat_redis_tls_create(p->cf, p->conf, &p->ca, &p->cert,
                                        &p->key, verify);
}


char *
ngx_ws_chat_redis_init(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t                  i;
    ngx_ws_chat_zone_t         *z;
    ngx_ws_chat_redis_conf_t  **rcf;

    rcf = mcf->redis.elts;

    for (i = 0; i < mcf->redis.nelts; i++) {
        z = ngx_ws_chat_conf_zone(mcf, &rcf[i]->name);

        if (z == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"ws_chat_redis\" is for a \"ws_chat_zone\" "
                          "\"%V\", which is unknown, in %s:%ui",
                          &rcf[i]->name, rcf[i]->file, rcf[i]->line);
            return NGX_CONF_ERROR;
        }

        z->redis = rcf[i];
    }

    return NGX_CONF_OK;
}

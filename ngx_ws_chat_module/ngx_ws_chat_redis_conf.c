
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Nothing that was said here repeats a password: what comes before the "@" of
 * a URI and behind the "=" of an unknown option is left out of messages.
 */


#include "ngx_ws_chat_redis_conf.h"
#include "ngx_ws_chat_redis_tls.h"


#define NGX_WS_CHAT_REDIS_PORT          6379
#define NGX_WS_CHAT_REDIS_SENTINEL      26379
#define NGX_WS_CHAT_REDIS_DATABASES     65536
#define NGX_WS_CHAT_REDIS_SECRET        4096
#define NGX_WS_CHAT_REDIS_TIMEOUT_MAX   60000


typedef enum {
    NGX_WS_CHAT_REDIS_NONE = 0,
    NGX_WS_CHAT_REDIS_TCP,
    NGX_WS_CHAT_REDIS_TLS,
    NGX_WS_CHAT_REDIS_UNIX,
    NGX_WS_CHAT_REDIS_ASK                     /* Sentinels */
} ngx_ws_chat_redis_scheme_e;


/* What is read, piece by piece. */

typedef struct {
    ngx_conf_t                  *cf;
    ngx_ws_chat_redis_conf_t    *conf;
    ngx_ws_chat_redis_scheme_e   scheme;      /* of the first URI */
    ngx_str_t                    login;       /* the same, as it stands */
    ngx_str_t                    path;
    ngx_str_t                    ca;
    ngx_str_t                    cert;
    ngx_str_t                    key;
    ngx_str_t                    verify;
    ngx_str_t                    password_file;
} ngx_ws_chat_redis_parse_t;


typedef struct {
    ngx_str_t                    name;        /* with the "=" */
    char                      *(*set)(ngx_ws_chat_redis_parse_t *p,
                                    ngx_str_t *value, size_t offset);
    size_t                       offset;
} ngx_ws_chat_redis_option_t;


static char *ngx_ws_chat_redis_argument(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *arg);
static char *ngx_ws_chat_redis_uri(ngx_ws_chat_redis_parse_t *p,
    ngx_ws_chat_redis_scheme_e scheme, ngx_str_t *rest);
static char *ngx_ws_chat_redis_path(ngx_ws_chat_redis_parse_t *p);
static char *ngx_ws_chat_redis_hosts(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *hosts);
static char *ngx_ws_chat_redis_host(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *text);
static ngx_int_t ngx_ws_chat_redis_peer(ngx_ws_chat_redis_parse_t *p,
    ngx_addr_t *addr, ngx_str_t *host);
static char *ngx_ws_chat_redis_userinfo(ngx_ws_chat_redis_parse_t *p);
static ngx_int_t ngx_ws_chat_redis_unescape(ngx_pool_t *pool, ngx_str_t *dst,
    ngx_str_t *src);
static char *ngx_ws_chat_redis_set_time(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_set_database(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_set_user(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_set_word(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *value, size_t offset);
static char *ngx_ws_chat_redis_finish(ngx_ws_chat_redis_parse_t *p);
static char *ngx_ws_chat_redis_password(ngx_ws_chat_redis_parse_t *p);
static char *ngx_ws_chat_redis_tls(ngx_ws_chat_redis_parse_t *p);
static ngx_fd_t ngx_ws_chat_redis_file(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *name);


#define ngx_ws_chat_redis_bad(p, ...)                                        \
    (ngx_conf_log_error(NGX_LOG_EMERG, (p)->cf, 0,                            \
                        "\"ws_chat_redis\" " __VA_ARGS__), NGX_CONF_ERROR)

#define ngx_ws_chat_redis_word(field)                                         \
    { ngx_string(#field "="), ngx_ws_chat_redis_set_word,                     \
      offsetof(ngx_ws_chat_redis_parse_t, field) }

static ngx_ws_chat_redis_option_t  ngx_ws_chat_redis_options[] = {
    { ngx_string("connect_timeout="), ngx_ws_chat_redis_set_time,
      offsetof(ngx_ws_chat_redis_conf_t, connect_timeout) },
    { ngx_string("timeout="), ngx_ws_chat_redis_set_time,
      offsetof(ngx_ws_chat_redis_conf_t, timeout) },
    { ngx_string("database="), ngx_ws_chat_redis_set_database, 0 },
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
               "takes URIs (redis://, rediss://, unix:, sentinel://) and "
               "options (connect_timeout=, timeout=, database=, user=, "
               "password_file=, ca=, cert=, key=, verify=), not \"%V\"",
               &rest);
}


/* [user[:password]@]host[:port][,...][/path], or a path for "unix:". */

static char *
ngx_ws_chat_redis_uri(ngx_ws_chat_redis_parse_t *p,
    ngx_ws_chat_redis_scheme_e scheme, ngx_str_t *rest)
{
    u_char     *at, *slash, *last;
    ngx_str_t   login, hosts, path;

    if (p->scheme != NGX_WS_CHAT_REDIS_NONE && p->scheme != scheme) {
        return ngx_ws_chat_redis_bad(p, "takes URIs of one scheme only");
    }

    ngx_str_set(&login, "");
    ngx_str_set(&path, "");
    hosts = *rest;

    if (scheme != NGX_WS_CHAT_REDIS_UNIX) {
        last = rest->data + rest->len;
        slash = ngx_strlchr(rest->data, last, '/');

        if (slash != NULL) {
            path.data = slash + 1;
            path.len = last - path.data;
            last = slash;
        }

        for (at = last; at > rest->data && at[-1] != '@'; at--) { /* void */ }

        if (at > rest->data) {
            login.data = rest->data;
            login.len = at - 1 - login.data;
        }

        hosts.data = at;
        hosts.len = last - at;
    }

    if (p->scheme == NGX_WS_CHAT_REDIS_NONE) {
        p->scheme = scheme;
        p->login = login;
        p->path = path;

        if (ngx_ws_chat_redis_path(p) != NGX_CONF_OK
            || ngx_ws_chat_redis_userinfo(p) != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

    } else if (login.len != p->login.len || path.len != p->path.len
               || ngx_strncmp(login.data, p->login.data, login.len) != 0
               || ngx_strncmp(path.data, p->path.data, path.len) != 0)
    {
        return ngx_ws_chat_redis_bad(p, "needs the same user, password and "
                                      "path in each of its URIs, \"%V\" has "
                                      "others", &hosts);
    }

    return ngx_ws_chat_redis_hosts(p, &hosts);
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
ngx_ws_chat_redis_hosts(ngx_ws_chat_redis_parse_t *p, ngx_str_t *hosts)
{
    char       *rv;
    u_char     *comma, *last;
    ngx_str_t   one;

    if (p->scheme == NGX_WS_CHAT_REDIS_UNIX) {
        return ngx_ws_chat_redis_host(p, hosts);
    }

    last = hosts->data + hosts->len;
    one.data = hosts->data;

    for ( ;; ) {
        comma = ngx_strlchr(one.data, last, ',');
        one.len = ((comma != NULL) ? comma : last) - one.data;

        rv = ngx_ws_chat_redis_host(p, &one);

        if (rv != NGX_CONF_OK || comma == NULL) {
            return rv;
        }

        one.data = comma + 1;
    }
}


static char *
ngx_ws_chat_redis_host(ngx_ws_chat_redis_parse_t *p, ngx_str_t *text)
{
    u_char      *s;
    ngx_url_t    u;
    ngx_uint_t   i;

    if (text->len == 0) {
        return ngx_ws_chat_redis_bad(p, "needs a host in each URI");
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.default_port = (p->scheme == NGX_WS_CHAT_REDIS_ASK)
                     ? NGX_WS_CHAT_REDIS_SENTINEL : NGX_WS_CHAT_REDIS_PORT;
    u.url = *text;

    if (p->scheme == NGX_WS_CHAT_REDIS_UNIX) {
        s = ngx_pnalloc(p->cf->pool, text->len + sizeof("unix:"));
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        u.url.data = s;
        u.url.len = ngx_sprintf(s, "unix:%V%Z", text) - s - 1;
    }

    if (ngx_parse_url(p->cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        return ngx_ws_chat_redis_bad(p, "has a bad address \"%V\": %s", text,
                                      u.err ? u.err : "no address");
    }

    for (i = 0; i < u.naddrs; i++) {
        if (ngx_ws_chat_redis_peer(p, &u.addrs[i], &u.host) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_ws_chat_redis_peer(ngx_ws_chat_redis_parse_t *p, ngx_addr_t *addr,
    ngx_str_t *host)
{
    u_char                    *s;
    ngx_str_t                  h;
    ngx_addr_t                 literal;
    ngx_ws_chat_redis_peer_t  *peer;

    h = *host;

    if (h.len > 2 && h.data[0] == '[') {
        h.data++;
        h.len -= 2;
    }

    peer = ngx_array_push(&p->conf->peers);
    s = ngx_pnalloc(p->cf->pool, h.len + 1);

    if (peer == NULL || s == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(peer, sizeof(ngx_ws_chat_redis_peer_t));
    (void) ngx_cpystrn(s, h.data, h.len + 1);

    peer->addr = *addr;
    peer->host.data = s;
    peer->host.len = h.len;
    peer->literal = p->scheme != NGX_WS_CHAT_REDIS_UNIX
                    && ngx_parse_addr(p->cf->temp_pool, &literal, h.data,
                                      h.len)
                       == NGX_OK;

    return NGX_OK;
}


static char *
ngx_ws_chat_redis_userinfo(ngx_ws_chat_redis_parse_t *p)
{
    u_char     *colon;
    ngx_str_t   user, password;

    if (p->login.len == 0) {
        return NGX_CONF_OK;
    }

    user = p->login;
    ngx_str_null(&password);

    colon = ngx_strlchr(user.data, user.data + user.len, ':');

    if (colon != NULL) {
        password.data = colon + 1;
        password.len = user.data + user.len - password.data;
        user.len = colon - user.data;
    }

    if (user.len && p->conf->user.len) {
        return ngx_ws_chat_redis_bad(p, "has two users");
    }

    if ((user.len
         && ngx_ws_chat_redis_unescape(p->cf->pool, &p->conf->user, &user)
            != NGX_OK)
        || ngx_ws_chat_redis_unescape(p->cf->pool, &p->conf->password,
                                      &password)
           != NGX_OK)
    {
        return ngx_ws_chat_redis_bad(p, "needs \"%%\" in a user or password "
                                      "followed by two hex digits");
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_ws_chat_redis_unescape(ngx_pool_t *pool, ngx_str_t *dst, ngx_str_t *src)
{
    u_char     *p, *last, *d;
    ngx_int_t   n;

    d = ngx_pnalloc(pool, src->len + 1);
    if (d == NULL) {
        return NGX_ERROR;
    }

    dst->data = d;
    last = src->data + src->len;

    for (p = src->data; p < last; p++) {

        if (*p != '%') {
            *d++ = *p;
            continue;
        }

        n = (last - p > 2) ? ngx_hextoi(p + 1, 2) : NGX_ERROR;

        if (n == NGX_ERROR) {
            return NGX_DECLINED;
        }

        *d++ = (u_char) n;
        p += 2;
    }

    dst->len = d - dst->data;

    return NGX_OK;
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

    ngx_conf_init_value(conf->database, 0);
    ngx_conf_init_msec_value(conf->connect_timeout, 1000);
    ngx_conf_init_msec_value(conf->timeout, 2000);

    if (ngx_ws_chat_redis_password(p) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (p->scheme == NGX_WS_CHAT_REDIS_TLS) {
        return ngx_ws_chat_redis_tls(p);
    }

    if (p->ca.len || p->cert.len || p->key.len || p->verify.len) {
        return ngx_ws_chat_redis_bad(p, "takes \"ca=\", \"cert=\", \"key=\" "
                                      "and \"verify=\" with \"rediss://\" "
                                      "only");
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

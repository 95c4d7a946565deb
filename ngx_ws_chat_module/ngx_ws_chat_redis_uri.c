
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Nothing that was said here repeats a password: what comes before the "@" of
 * a URI is left out of messages.
 */


#include "ngx_ws_chat_redis_uri.h"


#define NGX_WS_CHAT_REDIS_PORT          6379
#define NGX_WS_CHAT_REDIS_SENTINEL      26379


static char *ngx_ws_chat_redis_hosts(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *hosts);
static char *ngx_ws_chat_redis_host(ngx_ws_chat_redis_parse_t *p,
    ngx_str_t *text);
static ngx_int_t ngx_ws_chat_redis_peer(ngx_ws_chat_redis_parse_t *p,
    ngx_addr_t *addr, ngx_str_t *host);
static char *ngx_ws_chat_redis_userinfo(ngx_ws_chat_redis_parse_t *p);
static ngx_int_t ngx_ws_chat_redis_unescape(ngx_pool_t *pool, ngx_str_t *dst,
    ngx_str_t *src);


/* [user[:password]@]host[:port][,...][/path], or a path for "unix:". */

char *
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

        if (ngx_ws_chat_redis_userinfo(p) != NGX_CONF_OK) {
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

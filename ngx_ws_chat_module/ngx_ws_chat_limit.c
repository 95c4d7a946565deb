
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The table is made once a master, as that of the bus: its owners are the
 * bus' slots, so those who drain after a reload go on counting.
 */


#include "ngx_ws_chat_limit.h"
#include "ngx_ws_chat_bus.h"
#include "core/wsc_tally.h"
#include "core/wsc_value.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>


#define NGX_WS_CHAT_LIMIT_USER    1
#define NGX_WS_CHAT_LIMIT_ADDR    2

#define NGX_WS_CHAT_LIMIT_PREFIX  8     /* octets of an IPv6 address: /64 */
#define NGX_WS_CHAT_LIMIT_SECRET  32


/* What is counted as one; fits two pointers everywhere. */

typedef union {
    uint64_t               key;
    void                  *data[2];
} ngx_ws_chat_limit_hold_t;


static ngx_int_t ngx_ws_chat_limit_count(ngx_http_request_t *r,
    ngx_uint_t limit, u_char *what, size_t len);
static size_t ngx_ws_chat_limit_user(u_char *what, ngx_str_t *zone,
    const wsc_str_t *user);
static size_t ngx_ws_chat_limit_addr(u_char *what, struct sockaddr *sa);


static wsc_tally_t  *ngx_ws_chat_limit_tally;    /* NULL: not made yet */
static u_char        ngx_ws_chat_limit_secret[NGX_WS_CHAT_LIMIT_SECRET];


ngx_int_t
ngx_ws_chat_limit_create(ngx_log_t *log)
{
    wsc_tally_t  *t;

    if (ngx_ws_chat_limit_tally != NULL) {
        return NGX_OK;
    }

    if (RAND_bytes(ngx_ws_chat_limit_secret, NGX_WS_CHAT_LIMIT_SECRET) != 1) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "RAND_bytes() failed");
        return NGX_ERROR;
    }

    /* pages that are never used take no memory */

    t = mmap(NULL, sizeof(wsc_tally_t), PROT_READ|PROT_WRITE,
             MAP_ANON|MAP_SHARED, -1, 0);
    if (t == MAP_FAILED) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "mmap(%uz) failed",
                      sizeof(wsc_tally_t));
        return NGX_ERROR;
    }

    ngx_ws_chat_limit_tally = t;

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_limit_take(ngx_http_request_t *r, ngx_ws_chat_loc_conf_t *conf,
    const wsc_str_t *user)
{
    size_t     len;
    u_char     what[1 + 256 + WSC_MAX_USER];
    ngx_int_t  rc;

    if (conf->max_ip_connections) {
        len = ngx_ws_chat_limit_addr(what, r->connection->sockaddr);
        rc = ngx_ws_chat_limit_count(r, conf->max_ip_connections, what, len);

        if (rc != NGX_OK) {
            return (rc == NGX_DECLINED) ? NGX_BUSY : rc;
        }
    }

    if (conf->max_user_connections == 0 || user == NULL) {
        return NGX_OK;
    }

    len = ngx_ws_chat_limit_user(what, &conf->zone->name, user);

    return ngx_ws_chat_limit_count(r, conf->max_user_connections, what, len);
}


/* len 0: it has no identity to count by. */

static ngx_int_t
ngx_ws_chat_limit_count(ngx_http_request_t *r, ngx_uint_t limit,
    u_char *what, size_t len)
{
    int                        rc;
    u_char                     md[EVP_MAX_MD_SIZE];
    uint64_t                   key;
    ngx_pool_cleanup_t        *cln;
    ngx_ws_chat_limit_hold_t  *hold;

    if (len == 0 || ngx_ws_chat_bus_slot() >= NGX_WS_CHAT_SLOTS) {
        return NGX_OK;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_ws_chat_limit_hold_t));

    if (cln == NULL
        || HMAC(EVP_sha256(), ngx_ws_chat_limit_secret,
                NGX_WS_CHAT_LIMIT_SECRET, what, len, md, NULL)
           == NULL)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(&key, md, sizeof(uint64_t));

    rc = wsc_tally_add(ngx_ws_chat_limit_tally, key, ngx_ws_chat_bus_slot(),
                       limit);

    if (rc == WSC_DECLINED) {
        return NGX_DECLINED;
    }

    if (rc == WSC_AGAIN) {
        ngx_ws_chat_counters->uncounted++;
        return NGX_OK;
    }

    hold = cln->data;
    hold->key = key;
    cln->handler = ngx_ws_chat_limit_release;

    return NGX_OK;
}


void
ngx_ws_chat_limit_release(void *data)
{
    ngx_ws_chat_limit_hold_t  *hold = data;

    wsc_tally_drop(ngx_ws_chat_limit_tally, hold->key, ngx_ws_chat_bus_slot());
}


void
ngx_ws_chat_limit_return(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_ws_chat_limit_release) {
            ngx_ws_chat_limit_release(cln->data);
            cln->handler = NULL;
        }
    }
}


/* A user is one within a zone. */

static size_t
ngx_ws_chat_limit_user(u_char *what, ngx_str_t *zone, const wsc_str_t *user)
{
    u_char  *p;

    p = what;

    *p++ = NGX_WS_CHAT_LIMIT_USER;
    p = ngx_cpymem(p, zone->data, zone->len);
    *p++ = '\0';
    p = ngx_cpymem(p, user->data, user->len);

    return p - what;
}


/*
 * The address that realip has found out, if it is there.  A host has 2^64
 * addresses of IPv6: its network counts.  A UNIX socket has none.
 */

static size_t
ngx_ws_chat_limit_addr(u_char *what, struct sockaddr *sa)
{
    u_char               *p;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    p = what;
    *p++ = NGX_WS_CHAT_LIMIT_ADDR;

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        return ngx_cpymem(p, &sin->sin_addr, 4) - what;

#if (NGX_HAVE_INET6)

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            return ngx_cpymem(p, sin6->sin6_addr.s6_addr + 12, 4) - what;
        }

        return ngx_cpymem(p, sin6->sin6_addr.s6_addr,
                          NGX_WS_CHAT_LIMIT_PREFIX)
               - what;

#endif

    default:
        return 0;
    }
}


void
ngx_ws_chat_limit_forget(ngx_uint_t slot)
{
    if (ngx_ws_chat_limit_tally != NULL) {
        wsc_tally_forget(ngx_ws_chat_limit_tally, slot);
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A balancer around another one: who comes with the cookie of a peer goes to
 * that peer as long as it can be used; for all others, and when a peer has
 * failed or said 503, the other balancer picks.
 *
 * A peer is taken as NGINX's own balancers do it, with the same marks in the
 * same places, and given back by round robin's free(), which they all share.
 */


#include "ngx_ws_chat_sticky.h"


/* of NGINX: peers that come and go at run time, counted by who uses them */
#if (NGX_HTTP_UPSTREAM_ZONE && defined ngx_http_upstream_rr_peer_ref)
#define ngx_ws_chat_sticky_changed(rrp)                                       \
    ((rrp)->peers->config && (rrp)->config != *(rrp)->peers->config)
#else
#define ngx_ws_chat_sticky_changed(rrp)  0
#endif

#ifndef ngx_http_upstream_rr_peer_ref
#define ngx_http_upstream_rr_peer_ref(peers, peer)
#endif


typedef struct {
    ngx_ws_chat_sticky_conf_t          *conf;
    ngx_http_upstream_rr_peers_t       *first;     /* not the backup peers */
    ngx_http_upstream_rr_peer_data_t   *rrp;
    ngx_event_get_peer_pt               get;

#if (NGX_HTTP_SSL)
    ngx_event_set_peer_session_pt       set_session;
    ngx_event_save_peer_session_pt      save_session;
#endif

    wsc_str_t                           cookie;    /* of the request */
    u_char                              value[WSC_STICKY_LEN];

    unsigned                            held:1;    /* value is of a peer */
} ngx_ws_chat_sticky_t;


/* Where a peer stands. */

typedef struct {
    ngx_http_upstream_rr_peers_t       *peers;
    ngx_http_upstream_rr_peer_t        *peer;
    ngx_uint_t                          place;     /* in the list */
} ngx_ws_chat_sticky_place_t;


static ngx_int_t ngx_ws_chat_sticky_init_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_ws_chat_sticky_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);
static void ngx_ws_chat_sticky_cookie(ngx_http_request_t *r,
    ngx_ws_chat_sticky_conf_t *scf, wsc_str_t *value);
static ngx_int_t ngx_ws_chat_sticky_get(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_ws_chat_sticky_own(ngx_ws_chat_sticky_t *s,
    ngx_peer_connection_t *pc);
static ngx_uint_t ngx_ws_chat_sticky_search(ngx_ws_chat_sticky_t *s,
    ngx_ws_chat_sticky_place_t *at);
static void ngx_ws_chat_sticky_take(ngx_ws_chat_sticky_t *s,
    ngx_ws_chat_sticky_place_t *at, ngx_peer_connection_t *pc);
static void ngx_ws_chat_sticky_hold(ngx_ws_chat_sticky_t *s);
static ngx_uint_t ngx_ws_chat_sticky_others(ngx_ws_chat_sticky_t *s);
static ngx_uint_t ngx_ws_chat_sticky_usable(
    ngx_http_upstream_rr_peer_data_t *rrp, ngx_ws_chat_sticky_place_t *at);
static ngx_ws_chat_sticky_values_t *ngx_ws_chat_sticky_values(
    ngx_ws_chat_sticky_t *s, ngx_ws_chat_sticky_place_t *at);
static void ngx_ws_chat_sticky_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);

#if (NGX_HTTP_SSL)
static ngx_int_t ngx_ws_chat_sticky_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_ws_chat_sticky_save_session(ngx_peer_connection_t *pc,
    void *data);
#endif

static ngx_int_t ngx_ws_chat_sticky_header_filter(ngx_http_request_t *r);
static void *ngx_ws_chat_sticky_create_conf(ngx_conf_t *cf);
static char *ngx_ws_chat_sticky(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_ws_chat_sticky_init(ngx_conf_t *cf);


static ngx_command_t  ngx_ws_chat_sticky_commands[] = {

    { ngx_string("ws_chat_sticky"),
      NGX_HTTP_UPS_CONF|NGX_CONF_1MORE,
      ngx_ws_chat_sticky,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_ws_chat_sticky_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_ws_chat_sticky_init,               /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_ws_chat_sticky_create_conf,        /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_ws_chat_sticky_module = {
    NGX_MODULE_V1,
    &ngx_ws_chat_sticky_module_ctx,        /* module context */
    ngx_ws_chat_sticky_commands,           /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


static ngx_int_t
ngx_ws_chat_sticky_init_upstream(ngx_conf_t *cf,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_ws_chat_sticky_conf_t  *scf;

    scf = ngx_http_conf_upstream_srv_conf(us, ngx_ws_chat_sticky_module);

    if (scf->init_upstream(cf, us) != NGX_OK) {
        return NGX_ERROR;
    }

    scf->init_peer = us->peer.init;
    scf->wrapped = 1;

    us->peer.init = ngx_ws_chat_sticky_init_peer;

    return NGX_OK;
}


static ngx_int_t
ngx_ws_chat_sticky_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_http_upstream_t        *u;
    ngx_ws_chat_sticky_t       *s;
    ngx_ws_chat_sticky_conf_t  *scf;

    scf = ngx_http_conf_upstream_srv_conf(us, ngx_ws_chat_sticky_module);

    if (scf->init_peer(r, us) != NGX_OK) {
        return NGX_ERROR;
    }

    u = r->upstream;

    /* who shares this free() has the data that it works on */

    if (u->peer.free != ngx_http_upstream_free_round_robin_peer) {
        if (!scf->warned) {
            scf->warned = 1;
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "\"ws_chat_sticky\" has no effect in upstream "
                          "\"%V\": it has to stand directly behind a "
                          "balancing method of NGINX, before \"keepalive\"",
                          &us->host);
        }

        return NGX_OK;
    }

    s = ngx_pcalloc(r->pool, sizeof(ngx_ws_chat_sticky_t));
    if (s == NULL) {
        return NGX_ERROR;
    }

    s->conf = scf;
    s->rrp = u->peer.data;
    s->first = s->rrp->peers;
    s->get = u->peer.get;

    u->peer.data = s;
    u->peer.get = ngx_ws_chat_sticky_get;
    u->peer.free = ngx_ws_chat_sticky_free;

#if (NGX_HTTP_SSL)
    s->set_session = u->peer.set_session;
    s->save_session = u->peer.save_session;
    u->peer.set_session = ngx_ws_chat_sticky_set_session;
    u->peer.save_session = ngx_ws_chat_sticky_save_session;
#endif

    ngx_ws_chat_sticky_cookie(r, scf, &s->cookie);
    ngx_http_set_ctx(r, s, ngx_ws_chat_sticky_module);

    return NGX_OK;
}


/*
 * NGINX's own search takes the first of several and does not care for the
 * case of the name; here it is one cookie or none.
 */

static void
ngx_ws_chat_sticky_cookie(ngx_http_request_t *r,
    ngx_ws_chat_sticky_conf_t *scf, wsc_str_t *value)
{
    size_t             n;
    wsc_str_t          header, name;
#if (nginx_version >= 1023000)
    ngx_table_elt_t   *h;
#else
    ngx_uint_t         i;
    ngx_table_elt_t  **h;
#endif

    n = 0;
    name.data = scf->cookie.data;
    name.len = scf->cookie.len;

#if (nginx_version >= 1023000)

    for (h = r->headers_in.cookie; h; h = h->next) {
        header.data = h->value.data;
        header.len = h->value.len;
        n += wsc_cookie_find(&header, &name, value);
    }

#else

    h = r->headers_in.cookies.elts;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {
        header.data = h[i]->value.data;
        header.len = h[i]->value.len;
        n += wsc_cookie_find(&header, &name, value);
    }

#endif

    if (n != 1) {
        value->len = 0;
    }
}


static ngx_int_t
ngx_ws_chat_sticky_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_ws_chat_sticky_t  *s = data;

    ngx_int_t  rc;

    s->held = 0;

    rc = ngx_ws_chat_sticky_own(s, pc);

    if (rc == NGX_DECLINED) {
        rc = s->get(pc, s->rrp);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_ws_chat_sticky_hold(s);

    /*
     * When all nodes say 503 the client is to hear that from the last one,
     * not "no live upstreams".
     */

    if (pc->tries > 1 && !ngx_ws_chat_sticky_others(s)) {
        pc->tries = 1;
    }

    return NGX_OK;
}


/* Takes the peer of the cookie.  NGX_DECLINED: there is none to take. */

static ngx_int_t
ngx_ws_chat_sticky_own(ngx_ws_chat_sticky_t *s, ngx_peer_connection_t *pc)
{
    ngx_uint_t                   usable;
    ngx_ws_chat_sticky_place_t   at;

    if (s->cookie.len != WSC_STICKY_LEN) {
        return NGX_DECLINED;
    }

    at.peers = s->rrp->peers;

    do {
        ngx_http_upstream_rr_peers_wlock(at.peers);

        usable = ngx_ws_chat_sticky_search(s, &at);

        if (at.peer) {
            ngx_ws_chat_sticky_take(s, &at, pc);
            ngx_http_upstream_rr_peers_unlock(at.peers);

            return NGX_OK;
        }

        ngx_http_upstream_rr_peers_unlock(at.peers);

        /* a backup peer's cookie is good while it is the backup's turn */

        at.peers = usable ? NULL : at.peers->next;

    } while (at.peers);

    return NGX_DECLINED;
}


/*
 * Looks for the usable peer of the cookie, at.peer, in at.peers, which are
 * locked.  Returns 0 if no peer at all is usable.
 */

static ngx_uint_t
ngx_ws_chat_sticky_search(ngx_ws_chat_sticky_t *s,
    ngx_ws_chat_sticky_place_t *at)
{
    ngx_uint_t                    i, usable;
    ngx_ws_chat_sticky_values_t  *v;

    usable = 0;

    if (ngx_ws_chat_sticky_changed(s->rrp)) {
        at->peer = NULL;
        return 1;
    }

    for (at->peer = at->peers->peer, at->place = 0;
         at->peer;
         at->peer = at->peer->next, at->place++)
    {
        if (!ngx_ws_chat_sticky_usable(s->rrp, at)) {
            continue;
        }

        usable = 1;

        v = ngx_ws_chat_sticky_values(s, at);

        for (i = 0; v && i < s->conf->nkeys; i++) {
            if (wsc_sticky_equal(&s->cookie, v->value[i])) {
                return 1;
            }
        }
    }

    return usable;
}


/* What round robin does with the peer that it picks. */

static void
ngx_ws_chat_sticky_take(ngx_ws_chat_sticky_t *s,
    ngx_ws_chat_sticky_place_t *at, ngx_peer_connection_t *pc)
{
    time_t                             now;
    uintptr_t                          m;
    ngx_uint_t                         i, n;
    ngx_http_upstream_rr_peer_t       *peer;
    ngx_http_upstream_rr_peer_data_t  *rrp;

    peer = at->peer;
    rrp = s->rrp;

    if (rrp->peers != at->peers) {
        rrp->peers = at->peers;

        n = (at->peers->number + (8 * sizeof(uintptr_t) - 1))
            / (8 * sizeof(uintptr_t));

        for (i = 0; i < n; i++) {
            rrp->tried[i] = 0;
        }
    }

    n = at->place / (8 * sizeof(uintptr_t));
    m = (uintptr_t) 1 << at->place % (8 * sizeof(uintptr_t));

    rrp->tried[n] |= m;
    rrp->current = peer;
    ngx_http_upstream_rr_peer_ref(rrp->peers, peer);

    now = ngx_time();

    if (now - peer->checked > peer->fail_timeout) {
        peer->checked = now;
    }

    pc->cached = 0;
    pc->connection = NULL;
    pc->sockaddr = peer->sockaddr;
    pc->socklen = peer->socklen;
    pc->name = &peer->name;

#if (NGX_HTTP_UPSTREAM_SID)
    pc->sid = &peer->sid;
#endif

    peer->conns++;
}


/* Notes the value of the peer that was picked, by whomever. */

static void
ngx_ws_chat_sticky_hold(ngx_ws_chat_sticky_t *s)
{
    ngx_ws_chat_sticky_place_t    at;
    ngx_ws_chat_sticky_values_t  *v;

    at.peers = s->rrp->peers;

    ngx_http_upstream_rr_peers_rlock(at.peers);

    for (at.peer = at.peers->peer, at.place = 0;
         at.peer;
         at.peer = at.peer->next, at.place++)
    {
        if (at.peer != s->rrp->current) {
            continue;
        }

        v = ngx_ws_chat_sticky_values(s, &at);

        if (v) {
            ngx_memcpy(s->value, v->value[0], WSC_STICKY_LEN);
            s->held = 1;
        }

        break;
    }

    ngx_http_upstream_rr_peers_unlock(at.peers);
}


/* 1 if this request could be tried on one more peer. */

static ngx_uint_t
ngx_ws_chat_sticky_others(ngx_ws_chat_sticky_t *s)
{
    ngx_uint_t                  usable;
    ngx_ws_chat_sticky_place_t  at;

    usable = 0;

    for (at.peers = s->rrp->peers; at.peers; at.peers = at.peers->next) {

        ngx_http_upstream_rr_peers_rlock(at.peers);

        if (ngx_ws_chat_sticky_changed(s->rrp)) {
            usable = 1;
        }

        for (at.peer = at.peers->peer, at.place = 0;
             at.peer && !usable;
             at.peer = at.peer->next, at.place++)
        {
            usable = ngx_ws_chat_sticky_usable(s->rrp, &at);
        }

        ngx_http_upstream_rr_peers_unlock(at.peers);

        if (usable) {
            return 1;
        }
    }

    return 0;
}


/* 1 if NGINX's balancers could pick the peer now. */

static ngx_uint_t
ngx_ws_chat_sticky_usable(ngx_http_upstream_rr_peer_data_t *rrp,
    ngx_ws_chat_sticky_place_t *at)
{
    uintptr_t                     m;
    ngx_uint_t                    n;
    ngx_http_upstream_rr_peer_t  *peer;

    peer = at->peer;

    n = at->place / (8 * sizeof(uintptr_t));
    m = (uintptr_t) 1 << at->place % (8 * sizeof(uintptr_t));

    /* the marks are of the peers in use, not of the backup peers yet */

    if (rrp->peers == at->peers && (rrp->tried[n] & m)) {
        return 0;
    }

    if (peer->down) {
        return 0;
    }

    if (peer->max_fails
        && peer->fails >= peer->max_fails
        && ngx_time() - peer->checked <= peer->fail_timeout)
    {
        return 0;
    }

    return peer->max_conns == 0 || peer->conns < peer->max_conns;
}


/*
 * The values of a peer whose list is locked, computed when it was not yet
 * seen in this place.  NULL: no memory.
 */

static ngx_ws_chat_sticky_values_t *
ngx_ws_chat_sticky_values(ngx_ws_chat_sticky_t *s,
    ngx_ws_chat_sticky_place_t *at)
{
    wsc_str_t                     cookie, peer;
    ngx_uint_t                    i, place;
    ngx_ws_chat_sticky_conf_t    *scf;
    ngx_ws_chat_sticky_values_t  *v;

    scf = s->conf;
    place = at->place;

    if (at->peers != s->first) {
        place += s->first->number;
    }

    while (scf->values.nelts <= place) {
        v = ngx_array_push(&scf->values);
        if (v == NULL) {
            return NULL;
        }

        v->len = 0;
    }

    v = (ngx_ws_chat_sticky_values_t *) scf->values.elts + place;

    peer.data = at->peer->name.data;
    peer.len = at->peer->name.len;

    if (v->len && v->len == peer.len
        && ngx_memcmp(v->name, peer.data, peer.len) == 0)
    {
        return v;
    }

    v->len = 0;

    cookie.data = scf->cookie.data;
    cookie.len = scf->cookie.len;

    for (i = 0; i < scf->nkeys; i++) {
        if (wsc_sticky_value(&scf->keys[i], &cookie, &peer, v->value[i])
            != WSC_OK)
        {
            return NULL;
        }
    }

    ngx_memcpy(v->name, peer.data, peer.len);
    v->len = peer.len;

    return v;
}


static void
ngx_ws_chat_sticky_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_ws_chat_sticky_t  *s = data;

    /* what the client gets now is not the peer's answer */
    s->held = 0;

    ngx_http_upstream_free_round_robin_peer(pc, s->rrp, state);
}


#if (NGX_HTTP_SSL)

static ngx_int_t
ngx_ws_chat_sticky_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_ws_chat_sticky_t  *s = data;

    return s->set_session(pc, s->rrp);
}


static void
ngx_ws_chat_sticky_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_ws_chat_sticky_t  *s = data;

    s->save_session(pc, s->rrp);
}

#endif


/* A peer that says 5xx did not take the client: no cookie of it. */

static ngx_int_t
ngx_ws_chat_sticky_header_filter(ngx_http_request_t *r)
{
    u_char                *p;
    ngx_table_elt_t       *h;
    ngx_ws_chat_sticky_t  *s;

    s = ngx_http_get_module_ctx(r, ngx_ws_chat_sticky_module);

    if (s == NULL || !s->held || r != r->main
        || r->headers_out.status >= NGX_HTTP_INTERNAL_SERVER_ERROR
        || wsc_sticky_equal(&s->cookie, s->value))
    {
        return ngx_http_next_header_filter(r);
    }

    p = ngx_pnalloc(r->pool, s->conf->cookie.len + 1 + WSC_STICKY_LEN
                             + s->conf->attributes.len);
    h = ngx_list_push(&r->headers_out.headers);

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    ngx_str_set(&h->key, "Set-Cookie");

    h->value.data = p;

    p = ngx_cpymem(p, s->conf->cookie.data, s->conf->cookie.len);
    *p++ = '=';
    p = ngx_cpymem(p, s->value, WSC_STICKY_LEN);
    p = ngx_cpymem(p, s->conf->attributes.data, s->conf->attributes.len);

    h->value.len = p - h->value.data;

    return ngx_http_next_header_filter(r);
}


static void *
ngx_ws_chat_sticky_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_sticky_conf_t));
}


static char *
ngx_ws_chat_sticky(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_sticky_conf_t  *scf = conf;

    char                          *rv;
    ngx_http_upstream_srv_conf_t  *us;

    rv = ngx_ws_chat_sticky_set(cf, cmd, conf);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    us = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);

    scf->init_upstream = us->peer.init_upstream
                         ? us->peer.init_upstream
                         : ngx_http_upstream_init_round_robin;

    us->peer.init_upstream = ngx_ws_chat_sticky_init_upstream;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_ws_chat_sticky_init(ngx_conf_t *cf)
{
    ngx_uint_t                       i;
    ngx_ws_chat_sticky_conf_t       *scf;
    ngx_http_upstream_srv_conf_t   **us;
    ngx_http_upstream_main_conf_t   *umcf;

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);
    us = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {
        if (us[i]->srv_conf == NULL) {
            continue;
        }

        scf = ngx_http_conf_upstream_srv_conf(us[i],
                                              ngx_ws_chat_sticky_module);

        if (scf->nkeys && !scf->wrapped) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"ws_chat_sticky\" has to stand behind the "
                          "balancing method in upstream \"%V\" in %s:%ui",
                          &us[i]->host, us[i]->file_name, us[i]->line);
            return NGX_ERROR;
        }
    }

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_ws_chat_sticky_header_filter;

    return NGX_OK;
}

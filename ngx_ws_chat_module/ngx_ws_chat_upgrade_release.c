
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Releasing the request.  The order of the calls matters; each of them was
 * found necessary:
 *
 * A posted request runs right after the phase engine has returned, the first
 * moment at which nobody up the stack uses the request any more.
 *
 * ngx_http_free_request() runs the log phase and the cleanups of the request,
 * that of realip among them, which puts the proxy's address back: the client's
 * has to be copied before.  It leaves c->destroyed set, by which
 * ngx_http_run_posted_requests() knows not to look at c->data again.
 *
 * The 101 usually waits in the request to be written with more; it becomes
 * the first of what the session writes.
 *
 * Without TLS the connection's pool goes, too: a small pool that survives
 * would pin a hole between the freed pools of requests.  What lay in it and is
 * used later is replaced: log, address, local address.
 */


#include "ngx_ws_chat_upgrade_release.h"
#include "ngx_ws_chat_limit.h"
#include "ngx_ws_chat_mem.h"


/* The head of what limit_conn puts into its cleanup. */

typedef struct {
    ngx_shm_zone_t  *shm_zone;
    void            *node;
} ngx_ws_chat_limit_conn_t;


static void ngx_ws_chat_release_handler(ngx_http_request_t *r);
static ngx_int_t ngx_ws_chat_release_written(ngx_http_request_t *r);
static ngx_ws_chat_session_t *ngx_ws_chat_release_prepare(
    ngx_http_request_t *r, ngx_ws_chat_session_init_t *init);
static ngx_int_t ngx_ws_chat_release_head(ngx_http_request_t *r,
    ngx_ws_chat_peer_t *p);
static ngx_int_t ngx_ws_chat_release_copy(ngx_http_request_t *r,
    ngx_ws_chat_session_init_t *init);
static ngx_int_t ngx_ws_chat_release_holds(ngx_http_request_t *r,
    ngx_ws_chat_session_init_t *init);
static ngx_uint_t ngx_ws_chat_release_keeps(ngx_http_request_t *r,
    ngx_pool_cleanup_t *cln);
static ngx_uint_t ngx_ws_chat_release_is_limit(void *data);
static void ngx_ws_chat_release_swap(ngx_connection_t *c,
    ngx_ws_chat_session_t *s);
#if (NGX_HTTP_SSL)
static void ngx_ws_chat_release_ssl(ngx_connection_t *c,
    ngx_http_connection_t *hc);
static void ngx_ws_chat_release_buffers(ngx_pool_t *pool, ngx_chain_t **bufs);
#endif


/* NGINX can be built without it. */
extern ngx_module_t  ngx_http_limit_conn_module __attribute__((weak));


ngx_int_t
ngx_ws_chat_release(ngx_http_request_t *r, ngx_ws_chat_session_init_t *init)
{
    ngx_http_set_ctx(r, init, ngx_ws_chat_module);

    r->main->count++;
    r->write_event_handler = ngx_ws_chat_release_handler;

    if (ngx_http_post_request(r, NULL) != NGX_OK) {
        r->main->count--;
        return NGX_ERROR;
    }

    return NGX_DONE;
}


static void
ngx_ws_chat_release_handler(ngx_http_request_t *r)
{
    ngx_connection_t            *c;
    ngx_http_connection_t       *hc;
    ngx_ws_chat_session_t       *s;
    ngx_ws_chat_session_init_t   init;

    if (ngx_ws_chat_release_written(r) != NGX_OK) {
        return;
    }

    c = r->connection;
    hc = r->http_connection;
    init = *(ngx_ws_chat_session_init_t *)
               ngx_http_get_module_ctx(r, ngx_ws_chat_module);

    s = ngx_ws_chat_release_prepare(r, &init);
    if (s == NULL) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->read->delayed = 0;
    c->write->delayed = 0;

    ngx_http_free_request(r, 0);

#if (NGX_HTTP_SSL)

    if (c->ssl) {
        ngx_ws_chat_release_ssl(c, hc);
    }

#endif

    ngx_ws_chat_release_swap(c, s);

    ngx_ws_chat_session_start(s, &init);

    wsc_free(&ngx_ws_chat_alloc, init.join.data);
}


/* NGX_OK, or the request is taken care of. */

static ngx_int_t
ngx_ws_chat_release_written(ngx_http_request_t *r)
{
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;

    if (c->write->timedout) {
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return NGX_DONE;
    }

    if (!r->buffered && !c->buffered) {
        return NGX_OK;
    }

    if (ngx_http_output_filter(r, NULL) == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return NGX_DONE;
    }

    if (!r->buffered && !c->buffered) {
        return NGX_OK;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    ngx_add_timer(c->write, clcf->send_timeout);

    if (ngx_handle_write_event(c->write, clcf->send_lowat) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return NGX_DONE;
    }

    return NGX_AGAIN;
}


/* The last moment at which the request is valid. */

static ngx_ws_chat_session_t *
ngx_ws_chat_release_prepare(ngx_http_request_t *r,
    ngx_ws_chat_session_init_t *init)
{
    ngx_connection_t       *c;
    ngx_pool_cleanup_t     *cln;
    ngx_ws_chat_session_t  *s;

    c = r->connection;

    if (r->out == NULL && ngx_tcp_nodelay(c) != NGX_OK) {
        return NULL;
    }

    if (ngx_ws_chat_release_holds(r, init) != NGX_OK) {
        return NULL;
    }

    init->addr.data = c->addr_text.data;
    init->addr.len = ngx_min(c->addr_text.len, NGX_SOCKADDR_STRLEN);

#if (NGX_HTTP_SSL)

    if (c->ssl) {
        init->pooled = 1;

        /* the logs that it writes from may move between two attempts */

        SSL_set_mode(c->ssl->connection, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                                         |SSL_MODE_ENABLE_PARTIAL_WRITE);
    }

#endif

    s = ngx_ws_chat_session_create(c, init);
    if (s == NULL) {
        return NULL;
    }

    if (ngx_ws_chat_release_head(r, &s->client.peer) != NGX_OK
        || ngx_ws_chat_release_copy(r, init) != NGX_OK)
    {
        ngx_ws_chat_peer_done(&s->client.peer);
        wsc_free(&ngx_ws_chat_alloc, s->client.grant);
        wsc_free(&ngx_ws_chat_alloc, s);
        return NULL;
    }

    for (cln = r->pool->cleanup; init->nholds && cln; cln = cln->next) {
        if (ngx_ws_chat_release_keeps(r, cln)) {
            cln->handler = NULL;
        }
    }

    return s;
}


/* The 101, if it was not written: the access log counts it now. */

static ngx_int_t
ngx_ws_chat_release_head(ngx_http_request_t *r, ngx_ws_chat_peer_t *p)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for (cl = r->out; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_ws_chat_peer_put(p, NULL, 0, b->pos, b->last - b->pos)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        r->connection->sent += b->last - b->pos;
    }

    r->out = NULL;

    return NGX_OK;
}


/* What was read behind the request, and join: into one piece of memory. */

static ngx_int_t
ngx_ws_chat_release_copy(ngx_http_request_t *r,
    ngx_ws_chat_session_init_t *init)
{
    u_char     *p;
    size_t      len;
    ngx_buf_t  *b;

    b = r->header_in;
    len = b->last - b->pos;

    if (init->join.len + len == 0) {
        ngx_str_null(&init->join);
        ngx_str_null(&init->pending);
        return NGX_OK;
    }

    p = wsc_alloc(&ngx_ws_chat_alloc, init->join.len + len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (init->join.len) {
        ngx_memcpy(p, init->join.data, init->join.len);
    }

    init->join.data = p;
    init->pending.data = p + init->join.len;
    init->pending.len = len;

    ngx_memcpy(init->pending.data, b->pos, len);

    return NGX_OK;
}


/*
 * What counts connections counts until its cleanup runs, which would be now:
 * the session takes it over.
 */

static ngx_int_t
ngx_ws_chat_release_holds(ngx_http_request_t *r,
    ngx_ws_chat_session_init_t *init)
{
    ngx_array_t         *a;
    ngx_pool_cleanup_t  *cln;
    ngx_ws_chat_hold_t  *hold;

    a = ngx_array_create(r->pool, 1, sizeof(ngx_ws_chat_hold_t));
    if (a == NULL) {
        return NGX_ERROR;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (!ngx_ws_chat_release_keeps(r, cln)) {
            continue;
        }

        if (a->nelts == UINT8_MAX) {
            return NGX_ERROR;
        }

        hold = ngx_array_push(a);
        if (hold == NULL) {
            return NGX_ERROR;
        }

        hold->handler = cln->handler;
        ngx_memcpy(hold->data, cln->data, sizeof(hold->data));
    }

    init->holds = a->elts;
    init->nholds = a->nelts;

    return NGX_OK;
}


static ngx_uint_t
ngx_ws_chat_release_keeps(ngx_http_request_t *r, ngx_pool_cleanup_t *cln)
{
    if (cln->handler == NULL) {
        return 0;
    }

    return cln->handler == ngx_ws_chat_limit_release
           || (r->limit_conn_status
               && ngx_ws_chat_release_is_limit(cln->data));
}


/* The data of other cleanups may be anything, but not one of these zones. */

static ngx_uint_t
ngx_ws_chat_release_is_limit(void *data)
{
    ngx_uint_t                 i;
    ngx_list_part_t           *part;
    ngx_shm_zone_t            *zone;
    ngx_ws_chat_limit_conn_t  *lc;

    lc = data;

    if (lc == NULL || &ngx_http_limit_conn_module == NULL) {
        return 0;
    }

    for (part = (ngx_list_part_t *) &ngx_cycle->shared_memory.part;
         part;
         part = part->next)
    {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (lc->shm_zone == &zone[i]) {
                return zone[i].tag == &ngx_http_limit_conn_module;
            }
        }
    }

    return 0;
}


/* From now on the log is that of the location, the rest the session's. */

static void
ngx_ws_chat_release_swap(ngx_connection_t *c, ngx_ws_chat_session_t *s)
{
    ngx_pool_t  *pool;

    c->log = s->client.conf->log;
    c->log->data = NULL;
    c->read->log = c->log;
    c->write->log = c->log;

    c->addr_text.data = ngx_ws_chat_session_addr(s);
    c->addr_text.len = s->addr_len;

    if (s->pooled) {
        return;
    }

    c->sockaddr = NULL;
    c->socklen = 0;
    c->buffer = NULL;
    c->proxy_protocol = NULL;
    c->local_sockaddr = c->listening->sockaddr;
    c->local_socklen = c->listening->socklen;

    pool = c->pool;
    c->pool = NULL;

    ngx_destroy_pool(pool);
}


#if (NGX_HTTP_SSL)

/* c->ssl lies in the pool, so only what is large in it goes. */

static void
ngx_ws_chat_release_ssl(ngx_connection_t *c, ngx_http_connection_t *hc)
{
    ngx_buf_t  *b;

    b = c->buffer;

    if (ngx_pfree(c->pool, b->start) == NGX_OK) {
        b->pos = NULL;
    }

    ngx_ws_chat_release_buffers(c->pool, &hc->free);
    ngx_ws_chat_release_buffers(c->pool, &hc->busy);

    hc->nbusy = 0;

    ngx_ssl_free_buffer(c);
}


static void
ngx_ws_chat_release_buffers(ngx_pool_t *pool, ngx_chain_t **bufs)
{
    ngx_chain_t  *cl, *ln;

    for (cl = *bufs; cl; /* void */) {
        ln = cl;
        cl = cl->next;

        ngx_pfree(pool, ln->buf->start);
        ngx_free_chain(pool, ln);
    }

    *bufs = NULL;
}

#endif

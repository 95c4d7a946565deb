
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A subrequest of a request that never came.  Its connection has no socket and
 * is in no table of NGINX; `blocked` keeps NGINX from closing it, whatever
 * becomes of the subrequest, so that it is freed here alone, and from an event
 * of its own: nobody up the stack uses it then.
 */


#include "ngx_ws_chat_authorize.h"
#include "ngx_ws_chat_mem.h"


#define NGX_WS_CHAT_ASKED    64           /* at a time, of a worker */
#define NGX_WS_CHAT_PATIENCE  5000        /* ms, waiting for its turn, too */


struct ngx_ws_chat_authorize_s {
    ngx_ws_chat_question_t        q;
    ngx_queue_t                   queue;         /* while it waits */
    ngx_event_t                   event;         /* the timeout, and the end */
    ngx_http_request_t           *request;       /* NULL: it waits */
    wsc_err_e                     err;
};


static void ngx_ws_chat_authorize_next(void);
static ngx_int_t ngx_ws_chat_authorize_start(ngx_ws_chat_authorize_t *a);
static ngx_connection_t *ngx_ws_chat_authorize_connection(
    ngx_ws_chat_authorize_t *a, ngx_pool_t *pool);
static ngx_int_t ngx_ws_chat_authorize_address(ngx_connection_t *c,
    ngx_connection_t *client);
static ngx_http_request_t *ngx_ws_chat_authorize_request(
    ngx_ws_chat_authorize_t *a, ngx_connection_t *c);
static void ngx_ws_chat_authorize_fill(ngx_ws_chat_authorize_t *a,
    ngx_http_request_t *r);
static ngx_int_t ngx_ws_chat_authorize_args(ngx_ws_chat_authorize_t *a,
    ngx_pool_t *pool, ngx_str_t *args);
static ngx_int_t ngx_ws_chat_authorize_answer(ngx_http_request_t *r,
    void *data, ngx_int_t rc);
static void ngx_ws_chat_authorize_ended(void *data);
static void ngx_ws_chat_authorize_settle(ngx_ws_chat_authorize_t *a,
    wsc_err_e err);
static void ngx_ws_chat_authorize_event(ngx_event_t *ev);
static void ngx_ws_chat_authorize_free(ngx_ws_chat_authorize_t *a);
static void ngx_ws_chat_authorize_io(ngx_event_t *ev);
static u_char *ngx_ws_chat_authorize_log(ngx_log_t *log, u_char *buf,
    size_t len);


static ngx_queue_t  ngx_ws_chat_waiting;
static ngx_uint_t   ngx_ws_chat_asked;


ngx_ws_chat_authorize_t *
ngx_ws_chat_authorize(const ngx_ws_chat_question_t *question)
{
    ngx_ws_chat_authorize_t  *a;

    a = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_authorize_t));
    if (a == NULL) {
        return NULL;
    }

    ngx_memzero(a, sizeof(ngx_ws_chat_authorize_t));

    a->q = *question;
    a->err = WSC_ERR_UNAVAILABLE;
    a->event.handler = ngx_ws_chat_authorize_event;
    a->event.data = a;
    a->event.log = ngx_cycle->log;

    if (ngx_ws_chat_waiting.next == NULL) {
        ngx_queue_init(&ngx_ws_chat_waiting);
    }

    ngx_queue_insert_tail(&ngx_ws_chat_waiting, &a->queue);
    ngx_add_timer(&a->event, NGX_WS_CHAT_PATIENCE);

    ngx_ws_chat_authorize_next();

    return a;
}


void
ngx_ws_chat_authorize_cancel(ngx_ws_chat_authorize_t *a)
{
    ngx_ws_chat_authorize_free(a);
    ngx_ws_chat_authorize_next();
}


static void
ngx_ws_chat_authorize_next(void)
{
    ngx_queue_t              *q;
    ngx_ws_chat_authorize_t  *a;

    while (ngx_ws_chat_asked < NGX_WS_CHAT_ASKED
           && !ngx_queue_empty(&ngx_ws_chat_waiting))
    {
        q = ngx_queue_head(&ngx_ws_chat_waiting);
        a = ngx_queue_data(q, ngx_ws_chat_authorize_t, queue);

        ngx_queue_remove(q);
        ngx_ws_chat_asked++;

        if (ngx_ws_chat_authorize_start(a) != NGX_OK) {
            ngx_ws_chat_authorize_settle(a, WSC_ERR_UNAVAILABLE);
        }
    }
}


static ngx_int_t
ngx_ws_chat_authorize_start(ngx_ws_chat_authorize_t *a)
{
    ngx_str_t                    args;
    ngx_pool_t                  *pool;
    ngx_connection_t            *c;
    ngx_http_request_t          *r, *sr;
    ngx_http_post_subrequest_t  *ps;

    a->queue.next = NULL;

    pool = ngx_create_pool(4096, ngx_cycle->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    c = ngx_ws_chat_authorize_connection(a, pool);
    r = c ? ngx_ws_chat_authorize_request(a, c) : NULL;
    ps = ngx_palloc(pool, sizeof(ngx_http_post_subrequest_t));

    if (r == NULL || ps == NULL
        || ngx_ws_chat_authorize_args(a, pool, &args) != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NGX_ERROR;
    }

    a->request = r;

    ps->handler = ngx_ws_chat_authorize_answer;
    ps->data = a;

    if (ngx_http_subrequest(r, &r->uri, &args, &sr, ps,
                            NGX_HTTP_SUBREQUEST_WAITED)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    sr->header_only = 1;

    ngx_http_run_posted_requests(c);

    return NGX_OK;
}


static ngx_connection_t *
ngx_ws_chat_authorize_connection(ngx_ws_chat_authorize_t *a, ngx_pool_t *pool)
{
    ngx_log_t            *log;
    ngx_event_t          *ev;
    ngx_connection_t     *c;
    ngx_http_log_ctx_t   *ctx;

    c = ngx_pcalloc(pool, sizeof(ngx_connection_t));
    ev = ngx_pcalloc(pool, 2 * sizeof(ngx_event_t));
    log = ngx_palloc(pool, sizeof(ngx_log_t));
    ctx = ngx_pcalloc(pool, sizeof(ngx_http_log_ctx_t));

    if (c == NULL || ev == NULL || log == NULL || ctx == NULL) {
        return NULL;
    }

    *log = *a->q.conf->log;

    ctx->connection = c;

    log->connection = a->q.connection->number;
    log->handler = ngx_ws_chat_authorize_log;
    log->data = ctx;

    c->fd = (ngx_socket_t) -1;
    c->pool = pool;
    c->log = log;
    c->log_error = NGX_ERROR_INFO;
    c->number = a->q.connection->number;
    c->listening = a->q.connection->listening;
    c->requests = 1;
    c->read = &ev[0];
    c->write = &ev[1];

    ev[0].data = c;
    ev[0].log = log;
    ev[0].handler = ngx_ws_chat_authorize_io;
    ev[1] = ev[0];
    ev[1].write = 1;

    /* NGINX adds no event to what has it already */

    ev[0].active = 1;
    ev[1].active = 1;
    ev[1].ready = 1;

    return (ngx_ws_chat_authorize_address(c, a->q.connection) == NGX_OK)
           ? c : NULL;
}


/* The client's address, and the one that it came to. */

static ngx_int_t
ngx_ws_chat_authorize_address(ngx_connection_t *c, ngx_connection_t *client)
{
    ngx_addr_t       addr;
    socklen_t        len;
    ngx_sockaddr_t  *sa;

    sa = ngx_pcalloc(c->pool, 2 * sizeof(ngx_sockaddr_t));
    c->addr_text.data = ngx_pstrdup(c->pool, &client->addr_text);

    if (sa == NULL || c->addr_text.data == NULL) {
        return NGX_ERROR;
    }

    c->addr_text.len = client->addr_text.len;

    sa[0].sockaddr.sa_family = AF_UNIX;
    c->sockaddr = &sa[0].sockaddr;
    c->socklen = sizeof(struct sockaddr);

    if (ngx_parse_addr(c->pool, &addr, c->addr_text.data, c->addr_text.len)
        == NGX_OK)
    {
        c->sockaddr = addr.sockaddr;
        c->socklen = addr.socklen;
    }

    len = sizeof(ngx_sockaddr_t);

    if (getsockname(client->fd, &sa[1].sockaddr, &len) == -1) {
        return NGX_ERROR;
    }

    c->local_sockaddr = &sa[1].sockaddr;
    c->local_socklen = len;

    return NGX_OK;
}


static ngx_http_request_t *
ngx_ws_chat_authorize_request(ngx_ws_chat_authorize_t *a, ngx_connection_t *c)
{
    ngx_http_cleanup_t         *cln;
    ngx_http_request_t         *r;
    ngx_http_core_srv_conf_t   *cscf;
    ngx_http_core_main_conf_t  *cmcf;

    cscf = a->q.conf->server;
    cmcf = cscf->ctx->main_conf[ngx_http_core_module.ctx_index];

    r = ngx_pcalloc(c->pool, sizeof(ngx_http_request_t));
    if (r == NULL) {
        return NULL;
    }

    c->data = r;
    ((ngx_http_log_ctx_t *) c->log->data)->request = r;
    ((ngx_http_log_ctx_t *) c->log->data)->current_request = r;

    r->signature = NGX_HTTP_MODULE;
    r->pool = c->pool;
    r->connection = c;
    r->main = r;
    r->count = 1;
    r->blocked = 1;
    r->main_conf = cscf->ctx->main_conf;
    r->srv_conf = cscf->ctx->srv_conf;
    r->loc_conf = cscf->ctx->loc_conf;
    r->ctx = ngx_pcalloc(r->pool, sizeof(void *) * ngx_http_max_module);
    r->variables = ngx_pcalloc(r->pool, cmcf->variables.nelts
                                        * sizeof(ngx_http_variable_value_t));
    r->header_in = ngx_create_temp_buf(r->pool, 1);
    r->request_body = ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t));
    r->http_connection = ngx_pcalloc(r->pool, sizeof(ngx_http_connection_t));

    if (r->ctx == NULL || r->variables == NULL || r->header_in == NULL
        || r->request_body == NULL || r->http_connection == NULL
        || ngx_list_init(&r->headers_in.headers, r->pool, 4,
                         sizeof(ngx_table_elt_t))
           != NGX_OK
        || ngx_list_init(&r->headers_out.headers, r->pool, 4,
                         sizeof(ngx_table_elt_t))
           != NGX_OK
        || ngx_list_init(&r->headers_out.trailers, r->pool, 4,
                         sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NULL;
    }

    ngx_ws_chat_authorize_fill(a, r);

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_ws_chat_authorize_ended;
    cln->data = a;

    return r;
}


static void
ngx_ws_chat_authorize_fill(ngx_ws_chat_authorize_t *a, ngx_http_request_t *r)
{
    ngx_time_t  *tp;

    r->http_connection->conf_ctx = a->q.conf->server->ctx;
    r->headers_in.content_length_n = -1;
    r->headers_in.keep_alive_n = -1;
    r->headers_in.server = a->q.conf->server->server_name;
    r->headers_out.content_length_n = -1;
    r->headers_out.last_modified_time = -1;

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_request_empty_handler;
    r->method = NGX_HTTP_GET;
    r->http_version = NGX_HTTP_VERSION_11;
    ngx_str_set(&r->method_name, "GET");
    ngx_str_set(&r->http_protocol, "HTTP/1.1");
    ngx_str_set(&r->request_line, "GET (ws_chat_authorize) HTTP/1.1");
    r->uri = a->q.conf->authorize;
    r->unparsed_uri = r->uri;
    r->uri_changes = NGX_HTTP_MAX_URI_CHANGES + 1;
    r->subrequests = NGX_HTTP_MAX_SUBREQUESTS + 1;
    tp = ngx_timeofday();
    r->start_sec = tp->sec;
    r->start_msec = tp->msec;
}


static ngx_int_t
ngx_ws_chat_authorize_args(ngx_ws_chat_authorize_t *a, ngx_pool_t *pool,
    ngx_str_t *args)
{
    u_char  *p;

    /* each octet of the user may take three; a chat_id needs no escape */

    p = ngx_pnalloc(pool, 3 * a->q.user.len + a->q.chat_id.len + 64);
    if (p == NULL) {
        return NGX_ERROR;
    }

    args->data = p;

    p = ngx_cpymem(p, "user=", 5);
    p = (u_char *) ngx_escape_uri(p, a->q.user.data, a->q.user.len,
                                  NGX_ESCAPE_URI_COMPONENT);
    p = ngx_sprintf(p, "&chat_id=%*s&session=%016xL", a->q.chat_id.len,
                    a->q.chat_id.data, (int64_t) a->q.session);

    args->len = p - args->data;

    return NGX_OK;
}


/* The subrequest has its answer; nothing of it is sent anywhere. */

static ngx_int_t
ngx_ws_chat_authorize_answer(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    ngx_uint_t  status;

    status = (rc >= NGX_HTTP_OK) ? (ngx_uint_t) rc : r->headers_out.status;

    if (rc < NGX_OK) {
        status = 0;
    }

    if (status >= 200 && status < 300) {
        ngx_ws_chat_authorize_settle(data, WSC_ERR_NONE);

    } else if (status == NGX_HTTP_UNAUTHORIZED
               || status == NGX_HTTP_FORBIDDEN)
    {
        ngx_ws_chat_authorize_settle(data, WSC_ERR_FORBIDDEN);

    } else {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "\"ws_chat_authorize\" got the status %ui", status);
        ngx_ws_chat_authorize_settle(data, WSC_ERR_UNAVAILABLE);
    }

    r->connection->error = 0;

    return NGX_OK;
}


/* NGINX has given the request up. */

static void
ngx_ws_chat_authorize_ended(void *data)
{
    ngx_ws_chat_authorize_settle(data, WSC_ERR_UNAVAILABLE);
}


static void
ngx_ws_chat_authorize_settle(ngx_ws_chat_authorize_t *a, wsc_err_e err)
{
    if (a->event.posted || a->event.handler == NULL) {
        return;
    }

    a->err = err;
    ngx_post_event(&a->event, &ngx_posted_events);
}


/* It is settled, or took too long. */

static void
ngx_ws_chat_authorize_event(ngx_event_t *ev)
{
    wsc_err_e                 err;
    ngx_ws_chat_question_t    q;
    ngx_ws_chat_authorize_t  *a;

    a = ev->data;
    q = a->q;
    err = ev->timedout ? WSC_ERR_UNAVAILABLE : a->err;

    ngx_ws_chat_authorize_free(a);

    q.done(q.data, err);

    ngx_ws_chat_authorize_next();
}


static void
ngx_ws_chat_authorize_free(ngx_ws_chat_authorize_t *a)
{
    ngx_uint_t           i;
    ngx_event_t         *ev;
    ngx_connection_t    *c;
    ngx_http_cleanup_t  *cln;

    a->event.handler = NULL;

    if (a->event.timer_set) {
        ngx_del_timer(&a->event);
    }

    if (a->event.posted) {
        ngx_delete_posted_event(&a->event);
    }

    if (a->queue.next) {
        ngx_queue_remove(&a->queue);

    } else {
        ngx_ws_chat_asked--;
    }

    if (a->request) {
        c = a->request->connection;

        cln = a->request->cleanup;
        a->request->cleanup = NULL;

        for ( /* void */ ; cln; cln = cln->next) {
            if (cln->handler) {
                cln->handler(cln->data);
            }
        }

        for (i = 0; i < 2; i++) {
            ev = i ? c->write : c->read;

            if (ev->timer_set) {
                ngx_del_timer(ev);
            }

            if (ev->posted) {
                ngx_delete_posted_event(ev);
            }
        }

        c->destroyed = 1;
        ngx_destroy_pool(c->pool);
    }

    wsc_free(&ngx_ws_chat_alloc, a);
}


/* Only timers of the subrequest come here, those of limit_req for example. */

static void
ngx_ws_chat_authorize_io(ngx_event_t *ev)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    c = ev->data;
    r = c->data;

    if (ev->delayed && ev->timedout) {
        ev->delayed = 0;
        ev->timedout = 0;
    }

    if (ev->write) {
        r->write_event_handler(r);

    } else {
        r->read_event_handler(r);
    }

    ngx_http_run_posted_requests(c);
}


static u_char *
ngx_ws_chat_authorize_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_http_log_ctx_t  *ctx;

    ctx = log->data;

    return ngx_snprintf(buf, len, " while authorizing a join, client: %V",
                        &ctx->connection->addr_text);
}

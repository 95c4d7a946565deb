
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * HTTP/1.0, so that an answer ends with its connection.
 */


#include "ngx_ws_chat_live_archive.h"
#include "ngx_ws_chat_mem.h"


#define NGX_WS_CHAT_ARCHIVE_ACTIVE   8            /* at a time */
#define NGX_WS_CHAT_ARCHIVE_WAITING  1000
#define NGX_WS_CHAT_ARCHIVE_TIMEOUT  5000         /* ms from question to end */
#define NGX_WS_CHAT_ARCHIVE_REST     2000         /* ms that it is left alone
                                                     after that */
#define NGX_WS_CHAT_ARCHIVE_ANSWER   (8 * 1024 * 1024)
#define NGX_WS_CHAT_ARCHIVE_READ     16384
#define NGX_WS_CHAT_ARCHIVE_REQUEST  1280


typedef struct ngx_ws_chat_archive_conf_s {
    ngx_addr_t                     addr;
    ngx_str_t                      host;       /* with the port */
    ngx_str_t                      uri;        /* without a slash at its end */
} ngx_ws_chat_archive_conf_t;


typedef struct {
    ngx_queue_t                    queue;
    ngx_peer_connection_t          peer;
    ngx_event_t                    timer;
    void                         (*done)(void *data, wsc_page_t *page);
    void                          *data;
    wsc_buf_t                      in;
    size_t                         len;        /* of the request, */
    size_t                         sent;       /* and so much of it */
    unsigned                       bare:1;     /* a page of places */
    u_char                         request[NGX_WS_CHAT_ARCHIVE_REQUEST];
} ngx_ws_chat_archive_t;


static ngx_ws_chat_archive_t *ngx_ws_chat_archive_create(
    void (*done)(void *data, wsc_page_t *page), void *data);
static void ngx_ws_chat_archive_ask(ngx_ws_chat_archive_t *a, u_char *last);
static void ngx_ws_chat_archive_next(void);
static ngx_uint_t ngx_ws_chat_archive_rests(void);
static ngx_int_t ngx_ws_chat_archive_start(ngx_ws_chat_archive_t *a);
static u_char *ngx_ws_chat_archive_request(u_char *p,
    const ngx_ws_chat_read_t *r);
static u_char *ngx_ws_chat_archive_escape(u_char *p, const wsc_str_t *s);
static void ngx_ws_chat_archive_handler(ngx_event_t *ev);
static ngx_int_t ngx_ws_chat_archive_write(ngx_ws_chat_archive_t *a);
static ngx_int_t ngx_ws_chat_archive_read(ngx_ws_chat_archive_t *a);
static void ngx_ws_chat_archive_timeout(ngx_event_t *ev);
static void ngx_ws_chat_archive_answer(ngx_ws_chat_archive_t *a);
static void ngx_ws_chat_archive_end(ngx_ws_chat_archive_t *a,
    wsc_page_t *page, const char *why);


/* of this worker */

static const ngx_ws_chat_archive_conf_t  *ngx_ws_chat_archive;
static ngx_queue_t                        ngx_ws_chat_archive_active;
static ngx_queue_t                        ngx_ws_chat_archive_waiting;
static ngx_uint_t                         ngx_ws_chat_archive_nactive;
static ngx_uint_t                         ngx_ws_chat_archive_nwaiting;
static ngx_uint_t                         ngx_ws_chat_archive_silent;
static ngx_msec_t                         ngx_ws_chat_archive_since;


char *
ngx_ws_chat_live_archive_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    ngx_url_t                    u;
    ngx_str_t                   *value;
    ngx_ws_chat_archive_conf_t  *acf;

    if (mcf->archive) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strncmp(value[1].data, "http://", 7) != 0) {
        return "must be http://HOST[:PORT][/PATH]";
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url.data = value[1].data + 7;
    u.url.len = value[1].len - 7;
    u.default_port = 80;
    u.uri_part = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_history_pass\" has a bad address "
                           "\"%V\": %s", &value[1], u.err ? u.err : "none");
        return NGX_CONF_ERROR;
    }

    if (u.uri.len && u.uri.data[u.uri.len - 1] == '/') {
        u.uri.len--;
    }

    if (u.uri.len > 256 || u.host.len > 256) {
        return "is too long";
    }

    acf = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_archive_conf_t));
    if (acf == NULL) {
        return NGX_CONF_ERROR;
    }

    acf->addr = u.addrs[0];
    acf->uri = u.uri;

    if (u.family == AF_UNIX) {
        ngx_str_set(&acf->host, "localhost");

    } else {
        /* what stands before the path */
        acf->host.data = u.url.data;
        acf->host.len = u.uri.data ? (size_t) (u.uri.data - u.url.data)
                                   : u.url.len;
    }

    mcf->archive = acf;

    return NGX_CONF_OK;
}


/* It knows chats by their names alone. */

char *
ngx_ws_chat_live_archive_init(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t           i;
    ngx_ws_chat_zone_t  *first, **zones;

    zones = mcf->zones.elts;
    first = NULL;

    for (i = 0; mcf->archive && i < mcf->zones.nelts; i++) {
        if (zones[i]->kafka == NULL) {
            continue;
        }

        if (first) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "zones \"%V\" and \"%V\" have records in Kafka "
                          "and cannot share what \"ws_chat_history_pass\" "
                          "names: set \"ws_chat_kafka_topic off\" with "
                          "\"zone=\"", &first->name, &zones[i]->name);
            return NGX_CONF_ERROR;
        }

        first = zones[i];
    }

    return NGX_CONF_OK;
}


void
ngx_ws_chat_live_archive_init_process(ngx_ws_chat_main_conf_t *mcf)
{
    ngx_queue_init(&ngx_ws_chat_archive_active);
    ngx_queue_init(&ngx_ws_chat_archive_waiting);

    ngx_ws_chat_archive = mcf->archive;
}


void
ngx_ws_chat_live_archive_exit_process(void)
{
    ngx_queue_t  *q;

    ngx_ws_chat_archive_nactive = NGX_WS_CHAT_ARCHIVE_ACTIVE * 2;

    while (!ngx_queue_empty(&ngx_ws_chat_archive_active)) {
        q = ngx_queue_head(&ngx_ws_chat_archive_active);
        ngx_ws_chat_archive_end(ngx_queue_data(q, ngx_ws_chat_archive_t,
                                               queue), NULL, NULL);
    }

    while (!ngx_queue_empty(&ngx_ws_chat_archive_waiting)) {
        q = ngx_queue_head(&ngx_ws_chat_archive_waiting);
        ngx_ws_chat_archive_end(ngx_queue_data(q, ngx_ws_chat_archive_t,
                                               queue), NULL, NULL);
    }
}


ngx_uint_t
ngx_ws_chat_live_archive_is(const ngx_ws_chat_zone_t *z)
{
    return ngx_ws_chat_archive != NULL && z->kafka != NULL;
}


ngx_int_t
ngx_ws_chat_live_archive(const ngx_ws_chat_read_t *r,
    void (*done)(void *data, wsc_page_t *page), void *data)
{
    ngx_ws_chat_archive_t  *a;

    a = ngx_ws_chat_archive_create(done, data);
    if (a == NULL) {
        return NGX_DECLINED;
    }

    ngx_ws_chat_archive_ask(a, ngx_ws_chat_archive_request(a->request, r));

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_live_archive_sender(const wsc_str_t *user,
    const wsc_str_t *chat_id, wsc_pos_t after, ngx_uint_t limit,
    void (*done)(void *data, wsc_page_t *page), void *data)
{
    u_char                 *p;
    ngx_ws_chat_archive_t  *a;

    a = ngx_ws_chat_archive_create(done, data);
    if (a == NULL) {
        return NGX_DECLINED;
    }

    a->bare = 1;

    p = ngx_sprintf(a->request, "GET %V/messages?limit=%ui&sender=",
                    &ngx_ws_chat_archive->uri, limit);
    p = ngx_ws_chat_archive_escape(p, user);

    if (chat_id->len) {
        p = ngx_sprintf(p, "&chat_id=%*s&after=%uL:%uL", chat_id->len,
                        chat_id->data, after.epoch, after.seq);
    }

    ngx_ws_chat_archive_ask(a, p);

    return NGX_OK;
}


/* Its request is to be written; NULL: too much is asked already. */

static ngx_ws_chat_archive_t *
ngx_ws_chat_archive_create(void (*done)(void *data, wsc_page_t *page),
    void *data)
{
    ngx_ws_chat_archive_t  *a;

    if (ngx_ws_chat_archive_nwaiting == NGX_WS_CHAT_ARCHIVE_WAITING
        || ngx_ws_chat_archive_rests())
    {
        return NULL;
    }

    a = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_archive_t));
    if (a == NULL) {
        return NULL;
    }

    ngx_memzero(a, offsetof(ngx_ws_chat_archive_t, request));
    wsc_buf_init(&a->in, &ngx_ws_chat_alloc);

    a->done = done;
    a->data = data;

    return a;
}


/* last: of its URI. */

static void
ngx_ws_chat_archive_ask(ngx_ws_chat_archive_t *a, u_char *last)
{
    last = ngx_sprintf(last, " HTTP/1.0" CRLF "Host: %V" CRLF CRLF,
                       &ngx_ws_chat_archive->host);
    a->len = last - a->request;

    a->timer.handler = ngx_ws_chat_archive_timeout;
    a->timer.data = a;
    a->timer.log = ngx_cycle->log;
    ngx_add_timer(&a->timer, NGX_WS_CHAT_ARCHIVE_TIMEOUT);

    ngx_queue_insert_tail(&ngx_ws_chat_archive_waiting, &a->queue);
    ngx_ws_chat_archive_nwaiting++;

    ngx_ws_chat_archive_next();
}


/*
 * Who asks waits for the answer.  While there is none, only one finds out from
 * time to time whether there is.
 */

static ngx_uint_t
ngx_ws_chat_archive_rests(void)
{
    return ngx_ws_chat_archive_silent
           && (ngx_ws_chat_archive_nactive
               || ngx_current_msec - ngx_ws_chat_archive_since
                  < NGX_WS_CHAT_ARCHIVE_REST);
}


/* Names of chats need no escapes. */

static u_char *
ngx_ws_chat_archive_request(u_char *p, const ngx_ws_chat_read_t *r)
{
    p = ngx_sprintf(p, "GET %V/chats/%*s/messages?limit=%ui",
                    &ngx_ws_chat_archive->uri, r->chat_id.len,
                    r->chat_id.data, ngx_min(r->limit, WSC_MAX_LIMIT));

    if (r->has_after) {
        p = ngx_sprintf(p, "&after=%uL:%uL", r->after.epoch, r->after.seq);

    } else if (r->has_before) {
        p = ngx_sprintf(p, "&before=%uL:%uL", r->before.epoch, r->before.seq);
    }

    return p;
}


static u_char *
ngx_ws_chat_archive_escape(u_char *p, const wsc_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        p = ngx_sprintf(p, "%%%02xi", (ngx_int_t) s->data[i]);
    }

    return p;
}


/* Those that wait, as far as there is room; none fails in here. */

static void
ngx_ws_chat_archive_next(void)
{
    ngx_queue_t            *q;
    ngx_ws_chat_archive_t  *a;

    while (ngx_ws_chat_archive_nactive < NGX_WS_CHAT_ARCHIVE_ACTIVE
           && !ngx_queue_empty(&ngx_ws_chat_archive_waiting))
    {
        q = ngx_queue_head(&ngx_ws_chat_archive_waiting);
        a = ngx_queue_data(q, ngx_ws_chat_archive_t, queue);

        ngx_queue_remove(q);
        ngx_ws_chat_archive_nwaiting--;

        ngx_queue_insert_tail(&ngx_ws_chat_archive_active, q);
        ngx_ws_chat_archive_nactive++;

        if (ngx_ws_chat_archive_start(a) != NGX_OK) {
            /* told by its timer, not by who asks */
            ngx_add_timer(&a->timer, 1);
        }
    }
}


static ngx_int_t
ngx_ws_chat_archive_start(ngx_ws_chat_archive_t *a)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    a->peer.sockaddr = ngx_ws_chat_archive->addr.sockaddr;
    a->peer.socklen = ngx_ws_chat_archive->addr.socklen;
    a->peer.name = (ngx_str_t *) &ngx_ws_chat_archive->addr.name;
    a->peer.get = ngx_event_get_peer;
    a->peer.log = ngx_cycle->log;
    a->peer.log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(&a->peer);

    c = a->peer.connection;

    if ((rc != NGX_OK && rc != NGX_AGAIN) || c == NULL) {
        return NGX_ERROR;
    }

    c->data = a;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_ws_chat_archive_handler;
    c->write->handler = ngx_ws_chat_archive_handler;

    if (rc == NGX_OK) {
        ngx_post_event(c->write, &ngx_posted_events);
    }

    return NGX_OK;
}


static void
ngx_ws_chat_archive_handler(ngx_event_t *ev)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_ws_chat_archive_t  *a;

    c = ev->data;
    a = c->data;

    rc = (a->sent < a->len) ? ngx_ws_chat_archive_write(a) : NGX_OK;

    if (rc == NGX_OK) {
        rc = ngx_ws_chat_archive_read(a);
    }

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc == NGX_OK) {
        ngx_ws_chat_archive_answer(a);
        return;
    }

    ngx_ws_chat_archive_end(a, NULL, "the connection failed");
}


static ngx_int_t
ngx_ws_chat_archive_write(ngx_ws_chat_archive_t *a)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = a->peer.connection;

    while (a->sent < a->len) {
        n = c->send(c, a->request + a->sent, a->len - a->sent);

        if (n == NGX_AGAIN) {
            return (ngx_handle_write_event(c->write, 0) == NGX_OK)
                   ? NGX_AGAIN : NGX_ERROR;
        }

        if (n <= 0) {
            return NGX_ERROR;
        }

        a->sent += n;
    }

    return NGX_OK;
}


/* NGX_OK: the end. */

static ngx_int_t
ngx_ws_chat_archive_read(ngx_ws_chat_archive_t *a)
{
    u_char            *p;
    ssize_t            n;
    ngx_connection_t  *c;

    c = a->peer.connection;

    for ( ;; ) {
        p = wsc_buf_reserve_max(&a->in, NGX_WS_CHAT_ARCHIVE_READ,
                                NGX_WS_CHAT_ARCHIVE_ANSWER);
        if (p == NULL) {
            return NGX_ERROR;
        }

        n = c->recv(c, p, NGX_WS_CHAT_ARCHIVE_READ);

        if (n == NGX_AGAIN) {
            return (ngx_handle_read_event(c->read, 0) == NGX_OK)
                   ? NGX_AGAIN : NGX_ERROR;
        }

        if (n == 0) {
            return NGX_OK;
        }

        if (n < 0) {
            return NGX_ERROR;
        }

        a->in.len += n;
    }
}


static void
ngx_ws_chat_archive_timeout(ngx_event_t *ev)
{
    ngx_ws_chat_archive_t *a = ev->data;

    if (a->peer.connection) {
        ngx_ws_chat_archive_silent = 1;
        ngx_ws_chat_archive_since = ngx_current_msec;
    }

    ngx_ws_chat_archive_end(a, NULL, "no answer in time");
}


static void
ngx_ws_chat_archive_answer(ngx_ws_chat_archive_t *a)
{
    u_char      *p, *body, *last;
    wsc_page_t   page;
    const char  *reason;

    ngx_ws_chat_archive_silent = 0;

    p = a->in.data;
    last = p + a->in.len;

    if (last - p < 12 || ngx_strncmp(p, "HTTP/1.", 7) != 0
        || ngx_strncmp(p + 8, " 200", 4) != 0)
    {
        ngx_ws_chat_archive_end(a, NULL, "an answer that is not 200");
        return;
    }

    body = ngx_strnstr(p, CRLF CRLF, last - p);

    if (body == NULL) {
        ngx_ws_chat_archive_end(a, NULL, "an answer without end");
        return;
    }

    body += 4;

    if (wsc_page_read(&ngx_ws_chat_alloc, body, last - body, a->bare, &page,
                      &reason)
        == WSC_OK)
    {
        ngx_ws_chat_archive_end(a, &page, NULL);

    } else {
        ngx_ws_chat_archive_end(a, NULL, reason);
    }

    wsc_page_free(&ngx_ws_chat_alloc, &page);
}


static void
ngx_ws_chat_archive_end(ngx_ws_chat_archive_t *a, wsc_page_t *page,
    const char *why)
{
    if (why) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "history at %V: %s", &ngx_ws_chat_archive->addr.name,
                      why);
    }

    if (a->timer.timer_set) {
        ngx_del_timer(&a->timer);
    }

    ngx_queue_remove(&a->queue);

    if (a->peer.sockaddr) {
        ngx_ws_chat_archive_nactive--;

    } else {
        ngx_ws_chat_archive_nwaiting--;
    }

    if (a->peer.connection) {
        ngx_close_connection(a->peer.connection);
    }

    a->done(a->data, page);

    wsc_buf_free(&a->in);
    wsc_free(&ngx_ws_chat_alloc, a);

    ngx_ws_chat_archive_next();
}

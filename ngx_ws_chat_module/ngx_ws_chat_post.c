
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * One command is begun when the one before it was answered: the replies come
 * in the order of the commands, and a user's messages in that, too.
 */


#include "ngx_ws_chat_post.h"
#include "ngx_ws_chat_body.h"
#include "ngx_ws_chat_client_grant.h"
#include "ngx_ws_chat_client_id.h"
#include "ngx_ws_chat_cors.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_status.h"
#include "core/wsc_frame.h"
#include "core/wsc_json.h"


#define NGX_WS_CHAT_POST_TIME   30000   /* ms: nothing takes so long */
#define NGX_WS_CHAT_POST_ERROR  256     /* {code, message} at its longest */
#define NGX_WS_CHAT_POST_LONG   (2 * 1024 * 1024)  /* octets of replies: what
                                                      comes then is refused */
#define NGX_WS_CHAT_POST_USERS  4096    /* whose rate is remembered */


typedef struct {
    ngx_ws_chat_client_t       client;        /* must be first */
    ngx_http_request_t        *request;
    ngx_event_t                event;         /* goes on, outside of stores;
                                                 its timer is our patience */
    wsc_batch_t               *batch;
    wsc_buf_t                  replies;
    ngx_str_t                  body;
    unsigned                   array:1;       /* ... of replies */
    unsigned                   closed:1;      /* no more can be run */
} ngx_ws_chat_post_t;


/* A client lives as long as a POST, its user's rate has to live longer. */

typedef struct {
    void                      *conf;          /* the rate's; NULL: nobody */
    uint32_t                   hash;          /* of the user */
    wsc_bucket_t               bucket;
} ngx_ws_chat_post_rate_t;


static void ngx_ws_chat_post_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_ws_chat_post_run(ngx_ws_chat_post_t *post);
static ngx_int_t ngx_ws_chat_post_open(ngx_ws_chat_post_t *post,
    const char **reason);
static void ngx_ws_chat_post_handler(ngx_event_t *ev);
static ngx_int_t ngx_ws_chat_post_go_on(ngx_ws_chat_post_t *post);
static ngx_ws_chat_post_rate_t *ngx_ws_chat_post_rate(
    ngx_ws_chat_client_t *cl);
static ngx_int_t ngx_ws_chat_post_answer(ngx_ws_chat_post_t *post);
static ngx_int_t ngx_ws_chat_post_error(ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *message);
static ngx_int_t ngx_ws_chat_post_send(ngx_http_request_t *r,
    ngx_uint_t status, ngx_buf_t *b);
static void ngx_ws_chat_post_event(ngx_ws_chat_client_t *cl,
    const wsc_buf_t *b, const wsc_pos_t *pos);
static void ngx_ws_chat_post_close(ngx_ws_chat_client_t *cl, ngx_uint_t code,
    const char *reason);
static void ngx_ws_chat_post_wake(ngx_ws_chat_peer_t *p);
static void ngx_ws_chat_post_stop(ngx_ws_chat_post_t *post);
static void ngx_ws_chat_post_cleanup(void *data);


static const ngx_ws_chat_client_ops_t  ngx_ws_chat_post_ops = {
    {
        ngx_ws_chat_client_gap,
        ngx_ws_chat_post_wake,
        ngx_ws_chat_post_wake,
        NULL,
        NULL
    },
    ngx_ws_chat_post_close,
    ngx_ws_chat_post_event,
    NULL,
    NULL,
    NULL
};


static ngx_ws_chat_post_rate_t  ngx_ws_chat_post_rates[NGX_WS_CHAT_POST_USERS];


ngx_int_t
ngx_ws_chat_post(ngx_http_request_t *r, const ngx_ws_chat_admit_t *a)
{
    ngx_int_t              rc;
    ngx_http_cleanup_t    *cln;
    ngx_ws_chat_post_t    *post;
    ngx_ws_chat_client_t  *cl;

    post = ngx_pcalloc(r->pool, sizeof(ngx_ws_chat_post_t) + a->user.len);
    cln = ngx_http_cleanup_add(r, 0);

    if (post == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_ws_chat_post_cleanup;
    cln->data = post;

    post->request = r;
    wsc_buf_init(&post->replies, &ngx_ws_chat_alloc);

    cl = &post->client;

    cl->conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);
    cl->enc = WSC_ENC_JSON;
    ngx_ws_chat_client_set_user(cl, sizeof(ngx_ws_chat_post_t), &a->user);
    cl->answers = 1;
    cl->guest = 1;

    ngx_ws_chat_peer_init(&cl->peer, r->connection,
                          &ngx_ws_chat_post_ops.peer, cl->conf->lag_limit);

    if (ngx_ws_chat_client_grant(cl, a->claims) != NGX_OK
        || ngx_ws_chat_client_id(&cl->session) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->headers_in.content_length_n > (off_t) cl->conf->max_message) {
        return ngx_ws_chat_post_error(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                      "too_large", "the body is too large");
    }

    ngx_http_set_ctx(r, post, ngx_ws_chat_module);

    rc = ngx_http_read_client_request_body(r, ngx_ws_chat_post_body_handler);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


static void
ngx_ws_chat_post_body_handler(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    ngx_ws_chat_post_t  *post;

    post = ngx_http_get_module_ctx(r, ngx_ws_chat_module);

    rc = ngx_ws_chat_post_run(post);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_int_t
ngx_ws_chat_post_run(ngx_ws_chat_post_t *post)
{
    ngx_int_t            rc;
    const char          *reason;
    ngx_event_t         *ev;
    ngx_http_request_t  *r;

    r = post->request;

    rc = ngx_ws_chat_body(r, post->client.conf->max_message, &post->body);

    if (rc == NGX_DECLINED) {
        return ngx_ws_chat_post_error(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                      "too_large", "the body is too large");
    }

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_ws_chat_post_open(post, &reason);

    if (rc == NGX_DECLINED) {
        return ngx_ws_chat_post_error(r, NGX_HTTP_BAD_REQUEST, "bad_request",
                                      reason);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ev = &post->event;

    ev->handler = ngx_ws_chat_post_handler;
    ev->data = post;
    ev->log = r->connection->log;

    ngx_add_timer(ev, NGX_WS_CHAT_POST_TIME);

    return ngx_ws_chat_post_go_on(post);
}


/* NGX_OK; NGX_DECLINED: it is no message, with the reason; NGX_ERROR. */

static ngx_int_t
ngx_ws_chat_post_open(ngx_ws_chat_post_t *post, const char **reason)
{
    ssize_t                rc;
    wsc_str_t              data;
    const u_char          *p, *last;
    ngx_ws_chat_client_t  *cl;

    cl = &post->client;

    data.data = post->body.data;
    data.len = post->body.len;

    rc = wsc_batch_open(&ngx_ws_chat_alloc, cl->enc, &data, &post->batch,
                        reason);

    if (rc != WSC_OK) {
        return (rc == WSC_DECLINED) ? NGX_DECLINED : NGX_ERROR;
    }

    last = data.data + data.len;
    p = wsc_json_space(data.data, last);

    if (*p == '[') {
        post->array = 1;
        wsc_buf_byte(&post->replies, '[');
    }

    return NGX_OK;
}


static void
ngx_ws_chat_post_handler(ngx_event_t *ev)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_ws_chat_post_t  *post;
    ngx_http_request_t  *r;

    post = ev->data;
    r = post->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ev->timedout) {
        ngx_ws_chat_post_stop(post);
        rc = ngx_ws_chat_post_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                    "unknown", "no answer in time: repeat "
                                    "what has a cid");

    } else {
        rc = ngx_ws_chat_post_go_on(post);
    }

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }

    ngx_http_run_posted_requests(c);
}


/* NGX_AGAIN: a command is not answered yet. */

static ngx_int_t
ngx_ws_chat_post_go_on(ngx_ws_chat_post_t *post)
{
    ngx_int_t                 rc;
    ngx_ws_chat_client_t     *cl;
    ngx_ws_chat_post_rate_t  *rate;

    cl = &post->client;
    rate = ngx_ws_chat_post_rate(cl);
    rc = NGX_OK;

    while (rc == NGX_OK && !post->closed) {

        if (cl->ops) {
            return NGX_AGAIN;
        }

        cl->full = (post->replies.len >= NGX_WS_CHAT_POST_LONG);
        cl->bucket = rate->bucket;
        rc = ngx_ws_chat_client_next(cl, post->batch);
        rate->bucket = cl->bucket;
    }

    ngx_ws_chat_post_stop(post);

    if (post->closed || post->replies.failed) {
        return ngx_ws_chat_post_error(post->request,
                                      NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "overloaded", "out of memory");
    }

    return ngx_ws_chat_post_answer(post);
}


/* The place of this worker for the user, who takes it from another one. */

static ngx_ws_chat_post_rate_t *
ngx_ws_chat_post_rate(ngx_ws_chat_client_t *cl)
{
    uint32_t                  hash;
    ngx_ws_chat_post_rate_t  *rate;

    hash = ngx_murmur_hash2(ngx_ws_chat_client_user(cl), cl->user_len);
    rate = &ngx_ws_chat_post_rates[hash % NGX_WS_CHAT_POST_USERS];

    if (cl->conf->rate && (rate->conf != cl->conf || rate->hash != hash)) {
        rate->conf = cl->conf;
        rate->hash = hash;

        wsc_bucket_init(&rate->bucket, cl->conf->burst,
                        (uint32_t) ngx_current_msec);
    }

    return rate;
}


static ngx_int_t
ngx_ws_chat_post_answer(ngx_ws_chat_post_t *post)
{
    ngx_buf_t  *b;

    b = ngx_create_temp_buf(post->request->pool, post->replies.len + 2);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_cpymem(b->last, post->replies.data, post->replies.len);

    if (post->array) {
        *b->last++ = ']';
    }

    *b->last++ = LF;

    return ngx_ws_chat_post_send(post->request, NGX_HTTP_OK, b);
}


static ngx_int_t
ngx_ws_chat_post_error(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *message)
{
    ngx_int_t   rc;
    ngx_buf_t  *b;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, NGX_WS_CHAT_POST_ERROR);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_slprintf(b->last, b->end,
                           "{\"code\":\"%s\",\"message\":\"%s\"}\n", code,
                           message);

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE
        && ngx_ws_chat_cors_add(r, "Retry-After", (u_char *) "1", 1)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_post_send(r, status, b);
}


static ngx_int_t
ngx_ws_chat_post_send(ngx_http_request_t *r, ngx_uint_t status, ngx_buf_t *b)
{
    ngx_ws_chat_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_ws_chat_module);

    if (ngx_ws_chat_cors_headers(r, conf->origins) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ws_chat_status_send(r, status, b);
}


static void
ngx_ws_chat_post_event(ngx_ws_chat_client_t *cl, const wsc_buf_t *b,
    const wsc_pos_t *pos)
{
    ngx_ws_chat_post_t  *post;

    post = (ngx_ws_chat_post_t *) cl;

    if (post->replies.len > post->array) {
        wsc_buf_byte(&post->replies, ',');
    }

    wsc_buf_add(&post->replies, b->data, b->len);

    ngx_ws_chat_post_wake(&cl->peer);
}


static void
ngx_ws_chat_post_close(ngx_ws_chat_client_t *cl, ngx_uint_t code,
    const char *reason)
{
    ngx_ws_chat_post_t  *post;

    post = (ngx_ws_chat_post_t *) cl;

    /* what a client is closed for elsewhere ends with its request */

    if (code == WSC_CLOSE_INTERNAL) {
        post->closed = 1;
        ngx_ws_chat_post_wake(&cl->peer);
    }
}


static void
ngx_ws_chat_post_wake(ngx_ws_chat_peer_t *p)
{
    ngx_ws_chat_post_t  *post;

    post = (ngx_ws_chat_post_t *) p;

    ngx_post_event(&post->event, &ngx_posted_events);
}


/* Nothing goes on any more. */

static void
ngx_ws_chat_post_stop(ngx_ws_chat_post_t *post)
{
    if (post->event.posted) {
        ngx_delete_posted_event(&post->event);
    }

    if (post->event.timer_set) {
        ngx_del_timer(&post->event);
    }

    if (!post->client.gone) {
        ngx_ws_chat_client_gone(&post->client);
    }

    if (post->batch) {
        wsc_batch_close(post->batch);
        post->batch = NULL;
    }
}


static void
ngx_ws_chat_post_cleanup(void *data)
{
    ngx_ws_chat_post_t *post = data;

    ngx_ws_chat_post_stop(post);
    wsc_buf_free(&post->replies);
}

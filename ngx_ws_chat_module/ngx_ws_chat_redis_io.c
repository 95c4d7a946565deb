
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Commands out, replies in, which hiredis parses.
 */


#include "ngx_ws_chat_redis_int.h"
#include "core/wsc_resp.h"


/* Fed piece by piece: hiredis moves what is left after each KiB consumed. */
#define NGX_WS_CHAT_REDIS_CHUNK     16384

/* Octets read before others get their turn. */
#define NGX_WS_CHAT_REDIS_TURN      (512 * 1024)

/* Octets of commands that wait to be written. */
#define NGX_WS_CHAT_REDIS_OUT_MAX   (32 * 1024 * 1024)
#define NGX_WS_CHAT_REDIS_OUT_KEEP  (64 * 1024)

#define NGX_WS_CHAT_REDIS_PENDING   64           /* at first */
#define NGX_WS_CHAT_REDIS_PENDINGS  (1 << 20)

#define NGX_WS_CHAT_REDIS_REPLY     (256 * 1024 * 1024)


/* What a subscriber is told. */

typedef struct {
    const char                       *kind;
    ngx_uint_t                        elements;
    int                               last;       /* type of the last one */
} ngx_ws_chat_redis_push_t;


static ngx_int_t ngx_ws_chat_redis_await(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_write(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_read(ngx_ws_chat_redis_t *rc);
static void ngx_ws_chat_redis_parse(ngx_ws_chat_redis_t *rc, u_char *p,
    size_t n);
static void ngx_ws_chat_redis_dispatch(ngx_ws_chat_redis_t *rc,
    const redisReply *reply);
static void ngx_ws_chat_redis_answer(ngx_ws_chat_redis_t *rc,
    const redisReply *reply);
static void ngx_ws_chat_redis_pushed(ngx_ws_chat_redis_t *rc,
    const redisReply *reply);
static ngx_uint_t ngx_ws_chat_redis_is_push(const redisReply *reply);


static const ngx_ws_chat_redis_push_t  ngx_ws_chat_redis_pushes[] = {
    { "message", 3, REDIS_REPLY_STRING },
    { "smessage", 3, REDIS_REPLY_STRING },
    { "pmessage", 4, REDIS_REPLY_STRING },
    { "subscribe", 3, REDIS_REPLY_INTEGER },
    { "unsubscribe", 3, REDIS_REPLY_INTEGER },
    { "ssubscribe", 3, REDIS_REPLY_INTEGER },
    { "sunsubscribe", 3, REDIS_REPLY_INTEGER },
    { "psubscribe", 3, REDIS_REPLY_INTEGER },
    { "punsubscribe", 3, REDIS_REPLY_INTEGER },
    { NULL, 0, 0 }
};


ngx_int_t
ngx_ws_chat_redis_io_open(ngx_ws_chat_redis_t *rc)
{
    rc->reader = redisReaderCreate();
    if (rc->reader == NULL) {
        return NGX_ERROR;
    }

    ngx_ws_chat_redis_reply_open(rc);
    rc->reply_size = 0;

    return NGX_OK;
}


void
ngx_ws_chat_redis_io_close(ngx_ws_chat_redis_t *rc)
{
    if (rc->reader != NULL) {
        redisReaderFree(rc->reader);
        rc->reader = NULL;
    }

    ngx_ws_chat_redis_reply_close(rc);
    wsc_buf_free(&rc->out);
    rc->sent = 0;
}


void
ngx_ws_chat_redis_io_drop(ngx_ws_chat_redis_t *rc)
{
    while (rc->pending_n) {
        ngx_ws_chat_redis_answer(rc, NULL);
    }
}


ngx_int_t
ngx_ws_chat_redis_put(ngx_ws_chat_redis_t *rc, ngx_uint_t argc,
    const wsc_str_t *argv, ngx_uint_t awaited,
    ngx_ws_chat_redis_reply_pt reply, void *data)
{
    size_t                        n, queued;
    u_char                       *p;
    ngx_ws_chat_redis_pending_t  *pending;

    if (awaited && ngx_ws_chat_redis_await(rc) != NGX_OK) {
        return NGX_ERROR;
    }

    n = wsc_resp_size(argc, argv);
    queued = rc->out.len - rc->sent;

    if ((queued && queued + n > NGX_WS_CHAT_REDIS_OUT_MAX)
        || rc->pending_n == NGX_WS_CHAT_REDIS_PENDINGS)
    {
        return NGX_DECLINED;
    }

    p = wsc_buf_reserve(&rc->out, n);

    if (p == NULL) {
        rc->out.failed = 0;
        return NGX_ERROR;
    }

    rc->out.len += wsc_resp_print(p, argc, argv) - p;

    if (awaited) {
        pending = &rc->pending[(rc->pending_first + rc->pending_n++)
                               & (rc->pending_size - 1)];
        pending->reply = reply;
        pending->data = data;
        pending->since = ngx_current_msec;
    }

    return NGX_OK;
}


/* Room for one more in the ring. */

static ngx_int_t
ngx_ws_chat_redis_await(ngx_ws_chat_redis_t *rc)
{
    ngx_uint_t                    i, size;
    ngx_ws_chat_redis_pending_t  *ring;

    if (rc->pending_n < rc->pending_size) {
        return NGX_OK;
    }

    if (rc->pending_n == NGX_WS_CHAT_REDIS_PENDINGS) {
        return NGX_OK;
    }

    size = rc->pending_size ? rc->pending_size * 2
                            : NGX_WS_CHAT_REDIS_PENDING;

    ring = ngx_alloc(size * sizeof(ngx_ws_chat_redis_pending_t),
                     ngx_cycle->log);
    if (ring == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < rc->pending_n; i++) {
        ring[i] = rc->pending[(rc->pending_first + i)
                              & (rc->pending_size - 1)];
    }

    ngx_free(rc->pending);

    rc->pending = ring;
    rc->pending_size = size;
    rc->pending_first = 0;

    return NGX_OK;
}


void
ngx_ws_chat_redis_flush_handler(ngx_event_t *ev)
{
    ngx_ws_chat_redis_t  *rc;

    rc = ev->data;

    if (!rc->broken) {
        ngx_ws_chat_redis_write(rc);
    }

    if (rc->broken) {
        ngx_ws_chat_redis_lost(rc);
    }
}


void
ngx_ws_chat_redis_write_handler(ngx_event_t *wev)
{
    ngx_connection_t  *c;

    c = wev->data;

    ngx_ws_chat_redis_flush_handler(&((ngx_ws_chat_redis_t *) c->data)->flush);
}


static void
ngx_ws_chat_redis_write(ngx_ws_chat_redis_t *rc)
{
    ssize_t            n;
    wsc_buf_t         *out;
    ngx_connection_t  *c;

    c = rc->connection;
    out = &rc->out;

    while (rc->sent < out->len) {
        n = c->send(c, out->data + rc->sent, out->len - rc->sent);

        if (n == NGX_ERROR) {
            ngx_ws_chat_redis_fail(rc, "send() failed");
            return;
        }

        if (n > 0) {
            rc->sent += n;
            continue;
        }

        /* it moves as much as went out before */
        if (rc->sent > out->len / 2) {
            out->len -= rc->sent;
            ngx_memmove(out->data, out->data + rc->sent, out->len);
            rc->sent = 0;
        }

        if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
            ngx_ws_chat_redis_fail(rc, "no event for writing");
        }

        return;
    }

    wsc_buf_reset(out, NGX_WS_CHAT_REDIS_OUT_KEEP);
    rc->sent = 0;
}


void
ngx_ws_chat_redis_read_handler(ngx_event_t *rev)
{
    ngx_connection_t     *c;
    ngx_ws_chat_redis_t  *rc;

    c = rev->data;
    rc = c->data;

    if (c->close) {
        rc->final = 1;
        ngx_ws_chat_redis_fail(rc, "the worker shuts down");

    } else {
        ngx_ws_chat_redis_read(rc);
    }

    if (rc->broken) {
        ngx_ws_chat_redis_lost(rc);
    }
}


static void
ngx_ws_chat_redis_read(ngx_ws_chat_redis_t *rc)
{
    size_t             got;
    ssize_t            n;
    ngx_connection_t  *c;
    static u_char      buf[NGX_WS_CHAT_REDIS_CHUNK];

    c = rc->connection;
    got = 0;

    do {
        n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == 0) {
            ngx_ws_chat_redis_fail(rc, "closed by the server");
            return;
        }

        if (n == NGX_ERROR) {
            ngx_ws_chat_redis_fail(rc, "recv() failed");
            return;
        }

        ngx_ws_chat_redis_parse(rc, buf, n);

        if (rc->broken) {
            return;
        }

        got += n;

        if (got >= NGX_WS_CHAT_REDIS_TURN) {
            ngx_post_event(c->read, &ngx_posted_next_events);
            return;
        }

    } while (c->read->ready);

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_ws_chat_redis_fail(rc, "no event for reading");
    }
}


static void
ngx_ws_chat_redis_parse(ngx_ws_chat_redis_t *rc, u_char *p, size_t n)
{
    void         *reply;
    redisReader  *reader;

    reader = rc->reader;
    rc->reply_size += n;

    if (redisReaderFeed(reader, (char *) p, n) != REDIS_OK) {
        ngx_ws_chat_redis_fail(rc, "no memory for a reply");
        return;
    }

    for ( ;; ) {
        reply = NULL;

        if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
            ngx_ws_chat_redis_fail(rc, "a bad reply: %s", reader->errstr);
            return;
        }

        if (reply == NULL) {
            break;
        }

        rc->reply_size = reader->len - reader->pos;

        ngx_ws_chat_redis_dispatch(rc, reply);

        ngx_ws_chat_redis_reply_done(rc);

        if (rc->broken) {
            return;
        }
    }

    if (rc->reply_size > NGX_WS_CHAT_REDIS_REPLY) {
        ngx_ws_chat_redis_fail(rc, "a reply of more than %d octets",
                               NGX_WS_CHAT_REDIS_REPLY);
    }
}


static void
ngx_ws_chat_redis_dispatch(ngx_ws_chat_redis_t *rc, const redisReply *reply)
{
    if (ngx_ws_chat_redis_subscribes(rc)
        && rc->state == NGX_WS_CHAT_REDIS_UP)
    {
        ngx_ws_chat_redis_pushed(rc, reply);
        return;
    }

    if (rc->pending_n == 0) {
        ngx_ws_chat_redis_fail(rc, "a reply to nothing");
        return;
    }

    ngx_ws_chat_redis_answer(rc, reply);
}


static void
ngx_ws_chat_redis_answer(ngx_ws_chat_redis_t *rc, const redisReply *reply)
{
    ngx_ws_chat_redis_pending_t  pending;

    pending = rc->pending[rc->pending_first];

    rc->pending_first = (rc->pending_first + 1) & (rc->pending_size - 1);
    rc->pending_n--;

    if (pending.reply != NULL) {
        pending.reply(pending.data, reply);
    }
}


/* PING is answered by a status as long as nothing is subscribed to. */

static void
ngx_ws_chat_redis_pushed(ngx_ws_chat_redis_t *rc, const redisReply *reply)
{
    const redisReply  *pong;

    if (reply->type == REDIS_REPLY_ERROR) {

        if (rc->ops->refused == NULL
            || rc->ops->refused(rc, reply) != NGX_OK)
        {
            ngx_ws_chat_redis_fail(rc, "subscriber: %s", reply->str);
        }

        return;
    }

    if (ngx_ws_chat_redis_is_push(reply)) {
        rc->ops->push(rc, reply);
        return;
    }

    pong = reply;

    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
        pong = reply->element[0];
    }

    if ((pong->type != REDIS_REPLY_STRING && pong->type != REDIS_REPLY_STATUS)
        || ngx_strcasecmp((u_char *) pong->str, (u_char *) "pong") != 0
        || rc->pending_n == 0)
    {
        ngx_ws_chat_redis_fail(rc, "subscriber: a reply to nothing");
        return;
    }

    ngx_ws_chat_redis_answer(rc, reply);
}


/* So its receiver need not look at types: all are strings but the last. */

static ngx_uint_t
ngx_ws_chat_redis_is_push(const redisReply *reply)
{
    ngx_uint_t                       i;
    const ngx_ws_chat_redis_push_t  *push;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3
        || reply->element[0]->type != REDIS_REPLY_STRING)
    {
        return 0;
    }

    for (push = ngx_ws_chat_redis_pushes; push->kind != NULL; push++) {
        if (ngx_strcmp(reply->element[0]->str, push->kind) == 0) {
            break;
        }
    }

    if (push->kind == NULL || reply->elements != push->elements
        || reply->element[push->elements - 1]->type != push->last)
    {
        return 0;
    }

    for (i = 1; i < push->elements - 1; i++) {
        if (reply->element[i]->type != REDIS_REPLY_STRING
            && reply->element[i]->type != REDIS_REPLY_NIL)
        {
            return 0;
        }
    }

    return 1;
}

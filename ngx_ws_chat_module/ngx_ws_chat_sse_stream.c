
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A stream writes through NGINX's filters: what it hands over is a copy, and
 * while NGINX has not written that the stream takes nothing more from the
 * logs.  So a slow reader lags there like any member.
 *
 * Nothing ends the request from inside of a flush: that is noted, and done in
 * an event of its own.
 */


#include "ngx_ws_chat_sse_stream.h"
#include "ngx_ws_chat_ban.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_client_grant.h"
#include "ngx_ws_chat_log.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_reply.h"
#include "ngx_ws_chat_session_int.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_SSE_RETRY   1000    /* ms, and a random part on top */
#define NGX_WS_CHAT_SSE_SPREAD  2000


static void ngx_ws_chat_sse_begin(ngx_ws_chat_sse_t *s);
static ngx_int_t ngx_ws_chat_sse_listen(ngx_http_request_t *r);
static void ngx_ws_chat_sse_go_on(ngx_event_t *ev);
static void ngx_ws_chat_sse_work(ngx_ws_chat_sse_t *s);
static ngx_int_t ngx_ws_chat_sse_joins(ngx_ws_chat_sse_t *s);
static void ngx_ws_chat_sse_join(ngx_ws_chat_sse_t *s);
static void ngx_ws_chat_sse_refused(ngx_ws_chat_sse_t *s);
static void ngx_ws_chat_sse_open(ngx_ws_chat_sse_t *s);
static void ngx_ws_chat_sse_joined(ngx_ws_chat_client_t *cl,
    const wsc_cmd_t *cmd, wsc_joined_t *j);
static void ngx_ws_chat_sse_left(ngx_ws_chat_client_t *cl);
static void ngx_ws_chat_sse_replay(ngx_ws_chat_client_t *cl,
    const wsc_cmd_t *cmd, const wsc_joined_t *j, const wsc_entry_t *entries,
    size_t n);
static void ngx_ws_chat_sse_event(ngx_ws_chat_client_t *cl,
    const wsc_buf_t *b, const wsc_pos_t *pos);
static void ngx_ws_chat_sse_flushed(ngx_ws_chat_peer_t *p);
static void ngx_ws_chat_sse_cursor(ngx_ws_chat_sse_t *s);
static wsc_pos_t ngx_ws_chat_sse_position(ngx_ws_chat_sse_t *s,
    ngx_uint_t i);
static ssize_t ngx_ws_chat_sse_push(ngx_ws_chat_peer_t *p,
    const wsc_slice_t *slices, size_t n, size_t total);
static ngx_uint_t ngx_ws_chat_sse_pending(ngx_http_request_t *r);
static void ngx_ws_chat_sse_write_handler(ngx_http_request_t *r);
static void ngx_ws_chat_sse_wake(ngx_ws_chat_peer_t *p);
static void ngx_ws_chat_sse_close_client(ngx_ws_chat_client_t *cl,
    ngx_uint_t code, const char *reason);
static void ngx_ws_chat_sse_cleanup(void *data);
static void ngx_ws_chat_sse_free(void *data);
static void ngx_ws_chat_sse_write_log(ngx_ws_chat_sse_t *s);


static const ngx_ws_chat_client_ops_t  ngx_ws_chat_sse_ops = {
    {
        ngx_ws_chat_client_gap,
        ngx_ws_chat_sse_wake,
        ngx_ws_chat_sse_wake,
        ngx_ws_chat_sse_push,
        ngx_ws_chat_sse_flushed
    },
    ngx_ws_chat_sse_close_client,
    ngx_ws_chat_sse_event,
    ngx_ws_chat_sse_joined,
    ngx_ws_chat_sse_left,
    NULL
};


void
ngx_ws_chat_sse_start(ngx_ws_chat_sse_t *s)
{
    ngx_connection_t      *c;
    ngx_http_cleanup_t    *cln;
    ngx_pool_cleanup_t    *pcln;
    ngx_http_request_t    *r;
    ngx_ws_chat_client_t  *cl;

    r = s->request;
    c = r->connection;
    cl = &s->client;

    r->main->count++;

    cln = ngx_http_cleanup_add(r, 0);
    pcln = ngx_pool_cleanup_add(r->pool, 0);

    if (cln == NULL || pcln == NULL || ngx_ws_chat_sse_listen(r) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    cln->handler = ngx_ws_chat_sse_cleanup;
    cln->data = s;

    pcln->handler = ngx_ws_chat_sse_free;
    pcln->data = s;

    ngx_http_set_ctx(r, s, ngx_ws_chat_module);

    ngx_ws_chat_peer_init(&cl->peer, c, &ngx_ws_chat_sse_ops.peer,
                          cl->conf->lag_limit);

    cl->enc = WSC_ENC_JSON;
    cl->kind = (s->n == 1) ? NGX_WS_CHAT_KIND_SSE_ID : NGX_WS_CHAT_KIND_SSE;
    cl->answers = 1;

    s->event.handler = ngx_ws_chat_sse_go_on;
    s->event.data = s;
    s->event.log = c->log;
    s->code = WSC_CLOSE_ABNORMAL;
    cl->opened = ngx_ws_chat_now();

    c->log->action = "serving events";

    ngx_ws_chat_sse_enter(s);

    s->client.conf->zone->stat->counters.connections++;
    s->client.conf->zone->stat->counters.streams++;
    s->client.conf->zone->stat->counters.accepted++;

    ngx_ws_chat_sse_begin(s);
}


static void
ngx_ws_chat_sse_begin(ngx_ws_chat_sse_t *s)
{
    ngx_ws_chat_client_t  *cl;

    cl = &s->client;

    s->retry = NGX_WS_CHAT_SSE_RETRY + ngx_random() % NGX_WS_CHAT_SSE_SPREAD;

    if (s->foreign) {
        wsc_sse_reset(ngx_ws_chat_reply_buf(), NULL, "unknown");
        ngx_ws_chat_reply(cl);
    }

    if (ngx_ws_chat_client_grant(cl, s->claims) != NGX_OK) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_INTERNAL, "out of memory");
        return;
    }

    ngx_ws_chat_sse_schedule(s);

    /* who resumes its only chat hears first whether that can be */

    if (!s->resume || s->n > 1) {
        ngx_ws_chat_sse_open(s);
    }

    ngx_ws_chat_sse_wake(&cl->peer);
}


static ngx_int_t
ngx_ws_chat_sse_listen(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_ws_chat_sse_write_handler;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    /* it may have left while its request was being looked at */

    if (c->read->ready && !c->read->posted) {
        ngx_post_event(c->read, &ngx_posted_events);
    }

    return NGX_OK;
}


static void
ngx_ws_chat_sse_go_on(ngx_event_t *ev)
{
    ngx_connection_t   *c;
    ngx_ws_chat_sse_t  *s;

    s = ev->data;
    c = s->request->connection;

    ngx_http_set_log_request(c->log, s->request);

    ngx_ws_chat_sse_work(s);

    ngx_http_run_posted_requests(c);
}


static void
ngx_ws_chat_sse_work(ngx_ws_chat_sse_t *s)
{
    ngx_ws_chat_client_t  *cl;

    cl = &s->client;

    if (cl->peer.broken) {
        ngx_ws_chat_sse_finalize(s, NGX_ERROR);
        return;
    }

    if (!s->ending && !s->ready && ngx_ws_chat_sse_joins(s) == NGX_OK) {
        s->ready = 1;

        if (cl->chats == 0) {
            ngx_ws_chat_client_close(cl, WSC_CLOSE_FORBIDDEN,
                                     "no chat could be joined");

        } else {
            ngx_ws_chat_sse_flushed(&cl->peer);
        }
    }

    if (!s->ending) {
        return;
    }

    if (!cl->gone) {
        ngx_ws_chat_client_gone(cl);
    }

    if (cl->peer.out || cl->peer.blocked) {
        cl->peer.want_drain = 1;
        return;
    }

    ngx_ws_chat_sse_finalize(s, ngx_http_send_special(s->request,
                                                      NGX_HTTP_LAST));
}


/*
 * One chat behind the other, and no further while there is much to write: what
 * each has missed may be large.  NGX_OK: all were asked for; NGX_AGAIN.
 */

static ngx_int_t
ngx_ws_chat_sse_joins(ngx_ws_chat_sse_t *s)
{
    ngx_ws_chat_client_t  *cl;

    cl = &s->client;

    while (s->next < s->n) {

        if (!s->joining) {

            if (cl->peer.out_bytes > NGX_WS_CHAT_OUT_PAUSE) {
                cl->peer.want_drain = 1;
                return NGX_AGAIN;
            }

            ngx_ws_chat_sse_join(s);
        }

        if (cl->ops) {
            return NGX_AGAIN;
        }

        if (!s->answered && wsc_err_temporary(cl->err)) {
            ngx_ws_chat_client_close(cl, WSC_CLOSE_TRY_LATER,
                                     "a chat cannot be joined now");
            return NGX_AGAIN;
        }

        if (!s->answered && s->resume) {
            ngx_ws_chat_sse_refused(s);
        }

        s->joining = 0;
        s->next++;

        if (s->resume && s->answered && s->next < s->n) {
            ngx_ws_chat_sse_cursor(s);
        }
    }

    return NGX_OK;
}


static void
ngx_ws_chat_sse_join(ngx_ws_chat_sse_t *s)
{
    wsc_cmd_t  cmd;

    ngx_memzero(&cmd, sizeof(wsc_cmd_t));

    cmd.op = WSC_CMD_JOIN;
    cmd.chat_id = s->chats[s->next];
    cmd.after = s->after[s->next];
    cmd.has_after = s->resume;
    cmd.limit = s->history;
    cmd.has_limit = (s->history != 0);

    s->joining = 1;
    s->answered = 0;

    ngx_ws_chat_op_run(&s->client, &cmd);
}


/*
 * Whoever was a member when the stream broke off has not heard yet that it is
 * none any more.
 */

static void
ngx_ws_chat_sse_refused(ngx_ws_chat_sse_t *s)
{
    wsc_str_t              user;
    ngx_ws_chat_client_t  *cl;

    cl = &s->client;

    user.data = ngx_ws_chat_client_user(cl);
    user.len = cl->user_len;

    if (ngx_ws_chat_ban_check(cl->conf->zone, &s->chats[s->next], &user)
        == NGX_DECLINED)
    {
        wsc_event_kicked(ngx_ws_chat_reply_buf(), cl->enc, &s->chats[s->next],
                         "kicked");
        ngx_ws_chat_reply(cl);
    }
}


static void
ngx_ws_chat_sse_open(ngx_ws_chat_sse_t *s)
{
    static const wsc_str_t  none = wsc_null_string;

    if (!s->opened) {
        s->opened = 1;
        ngx_ws_chat_client_open(&s->client, &none);
    }
}


/* What was missed comes as events like those that follow. */

static void
ngx_ws_chat_sse_joined(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd,
    wsc_joined_t *j)
{
    size_t              n;
    const wsc_entry_t  *entries;
    ngx_ws_chat_sse_t  *s;

    s = (ngx_ws_chat_sse_t *) cl;
    s->answered = 1;

    /* the place to come back to is still the one that it has */

    if (!j->recovered && ngx_strcmp(j->reason, "unavailable") == 0) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_TRY_LATER,
                                 "what was missed cannot be read now");
        return;
    }

    if (!j->recovered) {
        wsc_sse_reset(ngx_ws_chat_reply_buf(), &cmd->chat_id, j->reason);
        ngx_ws_chat_reply(cl);
    }

    ngx_ws_chat_sse_open(s);

    entries = j->messages;
    n = j->n;

    j->messages = NULL;
    j->n = 0;

    wsc_event_joined(ngx_ws_chat_reply_buf(), cl->enc, &cmd->id,
                     &cmd->chat_id, j);

    if (n) {
        ngx_ws_chat_reply(cl);
        ngx_ws_chat_sse_replay(cl, cmd, j, entries, n);
        return;
    }

    /* nothing is missing up to the head: a place to come back to */

    ngx_ws_chat_sse_event(cl, &ngx_ws_chat_scratch.event, &j->head);
}


/* While there are chats to be joined, the last of them decides. */

static void
ngx_ws_chat_sse_left(ngx_ws_chat_client_t *cl)
{
    ngx_ws_chat_sse_t  *s;

    s = (ngx_ws_chat_sse_t *) cl;

    if (s->ready && cl->chats == 0) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_FORBIDDEN, "kicked");
    }
}


static void
ngx_ws_chat_sse_replay(ngx_ws_chat_client_t *cl, const wsc_cmd_t *cmd,
    const wsc_joined_t *j, const wsc_entry_t *entries, size_t n)
{
    size_t      i;
    wsc_pos_t   before;
    wsc_buf_t  *b;

    for (i = 0; i < n; i++) {
        b = ngx_ws_chat_reply_buf();

        wsc_event_message(b, cl->enc, &cmd->chat_id, &entries[i]);
        ngx_ws_chat_sse_event(cl, b, &entries[i].pos);
    }

    if (!j->more || !cmd->has_after) {
        return;
    }

    /* the rest, up to the head, is left to the history */

    before = j->head;
    before.seq++;

    wsc_event_gap(ngx_ws_chat_reply_buf(), cl->enc, &cmd->chat_id,
                  entries[n - 1].pos, before, "slow");
    ngx_ws_chat_reply(cl);
}


static void
ngx_ws_chat_sse_event(ngx_ws_chat_client_t *cl, const wsc_buf_t *b,
    const wsc_pos_t *pos)
{
    wsc_buf_t          *text;
    ngx_ws_chat_sse_t  *s;

    s = (ngx_ws_chat_sse_t *) cl;

    text = &ngx_ws_chat_scratch.packed;
    wsc_buf_reset(text, NGX_WS_CHAT_SCRATCH_KEEP);

    if (s->retry) {
        wsc_sse_retry(text, s->retry);
        s->retry = 0;
    }

    if (!b->failed) {
        wsc_sse_event(text, b->data, b->len, s->n == 1 ? pos : NULL);
    }

    if (b->failed || text->failed) {
        ngx_ws_chat_client_close(cl, WSC_CLOSE_INTERNAL, "out of memory");
        return;
    }

    (void) ngx_ws_chat_peer_put(&cl->peer, NULL, 0, text->data, text->len);

    if (s->joining) {
        ngx_ws_chat_sse_wake(&cl->peer);
    }
}


static void
ngx_ws_chat_sse_flushed(ngx_ws_chat_peer_t *p)
{
    ngx_ws_chat_sse_t  *s;

    s = (ngx_ws_chat_sse_t *) p;

    if (s->ready) {
        ngx_ws_chat_sse_cursor(s);
    }
}


/*
 * Several chats: where the reader is in each of them, behind each flush, and
 * behind what it missed of each.
 */

static void
ngx_ws_chat_sse_cursor(ngx_ws_chat_sse_t *s)
{
    ngx_str_t           bytes, text;
    ngx_uint_t          i;
    wsc_pos_t           pos[WSC_SSE_MAX_CHATS];
    wsc_str_t           id;
    wsc_buf_t          *b;
    u_char              data[WSC_SSE_MAX_CURSOR];
    u_char              base64[ngx_base64_encoded_length(WSC_SSE_MAX_CURSOR)];

    if (s->n == 1) {
        return;
    }

    for (i = 0; i < s->n; i++) {
        pos[i] = (i < s->next) ? ngx_ws_chat_sse_position(s, i) : s->after[i];
    }

    bytes.data = data;
    bytes.len = wsc_sse_cursor_write(data, s->chats, pos, s->n);

    text.data = base64;
    ngx_encode_base64url(&text, &bytes);

    id.data = text.data;
    id.len = text.len;

    b = &ngx_ws_chat_scratch.packed;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_sse_id(b, &id);

    if (!b->failed) {
        (void) ngx_ws_chat_peer_put(&s->client.peer, NULL, 0, b->data,
                                    b->len);
    }
}


static wsc_pos_t
ngx_ws_chat_sse_position(ngx_ws_chat_sse_t *s, ngx_uint_t i)
{
    wsc_str_t             *name;
    ngx_ws_chat_reader_t  *r;

    for (r = s->client.peer.readers; r; r = r->next) {
        name = ngx_ws_chat_room_name(ngx_ws_chat_room_of(
                                                 (ngx_ws_chat_member_t *) r));

        if (wsc_str_same(name, &s->chats[i])) {
            return wsc_roomlog_position(&r->stream->log, r->pos);
        }
    }

    return s->after[i];
}


static ssize_t
ngx_ws_chat_sse_push(ngx_ws_chat_peer_t *p, const wsc_slice_t *slices,
    size_t n, size_t total)
{
    size_t               i;
    u_char              *dst;
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_http_request_t  *r;
    ngx_ws_chat_sse_t   *s;

    s = (ngx_ws_chat_sse_t *) p;
    r = s->request;

    b = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_buf_t) + total);
    if (b == NULL) {
        return NGX_ERROR;
    }

    s->data = (u_char *) b;

    ngx_memzero(b, sizeof(ngx_buf_t));

    b->start = (u_char *) b + sizeof(ngx_buf_t);
    b->end = b->start + total;
    b->pos = b->start;
    b->last = b->end;
    b->temporary = 1;
    b->flush = 1;

    for (i = 0, dst = b->pos; i < n; i++) {
        dst = ngx_cpymem(dst, slices[i].data, slices[i].len);
    }

    out.buf = b;
    out.next = NULL;

    if (ngx_http_output_filter(r, &out) == NGX_ERROR) {
        return NGX_ERROR;
    }

    s->bytes += total;

    if (ngx_ws_chat_sse_pending(r)) {
        p->blocked = 1;
        return total;
    }

    wsc_free(&ngx_ws_chat_alloc, s->data);
    s->data = NULL;

    return total;
}


static ngx_uint_t
ngx_ws_chat_sse_pending(ngx_http_request_t *r)
{
    return r->buffered || r->connection->buffered || r->out;
}


static void
ngx_ws_chat_sse_write_handler(ngx_http_request_t *r)
{
    ngx_ws_chat_sse_t   *s;
    ngx_ws_chat_peer_t  *p;

    s = ngx_http_get_module_ctx(r, ngx_ws_chat_module);
    p = &s->client.peer;

    if (p->blocked) {

        if (ngx_http_output_filter(r, NULL) == NGX_ERROR) {
            ngx_ws_chat_sse_finalize(s, NGX_ERROR);
            return;
        }

        if (ngx_ws_chat_sse_pending(r)) {

            if (ngx_handle_write_event(r->connection->write, 0) != NGX_OK) {
                ngx_ws_chat_sse_finalize(s, NGX_ERROR);
            }

            return;
        }

        p->blocked = 0;

        wsc_free(&ngx_ws_chat_alloc, s->data);
        s->data = NULL;
    }

    ngx_ws_chat_peer_write(p);

    if (s->ending) {
        ngx_ws_chat_sse_wake(p);
    }
}


static void
ngx_ws_chat_sse_wake(ngx_ws_chat_peer_t *p)
{
    ngx_ws_chat_sse_t  *s;

    s = (ngx_ws_chat_sse_t *) p;

    ngx_post_event(&s->event, &ngx_posted_events);
}


static void
ngx_ws_chat_sse_close_client(ngx_ws_chat_client_t *cl, ngx_uint_t code,
    const char *reason)
{
    ngx_ws_chat_sse_t  *s;

    s = (ngx_ws_chat_sse_t *) cl;

    if (s->ending) {
        return;
    }

    s->ending = 1;
    s->code = (uint16_t) code;
    s->joining = 0;
    s->due = ngx_ws_chat_tick_now() + NGX_WS_CHAT_CLOSE_TIME;

    wsc_sse_close(ngx_ws_chat_reply_buf(), code, reason);

    if (!ngx_ws_chat_scratch.event.failed) {
        ngx_ws_chat_sse_event(cl, &ngx_ws_chat_scratch.event, NULL);
    }

    cl->peer.muted = 1;

    ngx_ws_chat_sse_schedule(s);
    ngx_ws_chat_sse_wake(&cl->peer);
}


void
ngx_ws_chat_sse_finalize(ngx_ws_chat_sse_t *s, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = s->request;

    /* its cleanup finds nothing to do then */

    ngx_ws_chat_sse_cleanup(s);
    ngx_http_finalize_request(r, rc);
}


static void
ngx_ws_chat_sse_cleanup(void *data)
{
    ngx_ws_chat_sse_t *s = data;

    ngx_ws_chat_client_t  *cl;

    if (s->event.handler == NULL) {
        return;
    }

    cl = &s->client;

    if (s->event.posted) {
        ngx_delete_posted_event(&s->event);
    }

    s->event.handler = NULL;

    ngx_ws_chat_sse_leave(s);

    if (!cl->gone) {
        ngx_ws_chat_client_gone(cl);
    }

    ngx_ws_chat_sse_write_log(s);
    ngx_ws_chat_peer_done(&cl->peer);

    s->client.conf->zone->stat->counters.connections--;
    s->client.conf->zone->stat->counters.streams--;
}


/* NGINX may write from it up to the end of the request's pool. */

static void
ngx_ws_chat_sse_free(void *data)
{
    ngx_ws_chat_sse_t *s = data;

    wsc_free(&ngx_ws_chat_alloc, s->data);
}


static void
ngx_ws_chat_sse_write_log(ngx_ws_chat_sse_t *s)
{
    ngx_connection_t         *c;
    ngx_ws_chat_client_t     *cl;
    ngx_ws_chat_log_line_t    line;
    ngx_ws_chat_main_conf_t  *mcf;

    cl = &s->client;
    c = s->request->connection;
    mcf = ngx_http_get_module_main_conf(s->request, ngx_ws_chat_module);

    if (mcf->log == NULL) {
        return;
    }

    ngx_memzero(&line, sizeof(ngx_ws_chat_log_line_t));

    line.zone.data = cl->conf->zone->name.data;
    line.zone.len = cl->conf->zone->name.len;
    line.user.data = ngx_ws_chat_client_user(cl);
    line.user.len = cl->user_len;
    line.addr.data = c->addr_text.data;
    line.addr.len = c->addr_text.len;
    line.session = cl->session;
    line.chats = cl->chats_max;
    line.messages_out = cl->peer.frames;
    line.bytes_out = s->bytes;
    line.seconds = (uint32_t) (ngx_time() - cl->opened / 1000);
    line.code = s->code;

    ngx_ws_chat_log_write(mcf->log, &line, c->log);
}

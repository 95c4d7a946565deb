
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The first half of a transaction: what is there, and what does it mean.
 */


#include "ngx_ws_chat_live_append.h"


#define NGX_WS_CHAT_LIVE_FIND      1000            /* entries looked through */


static void ngx_ws_chat_live_on_arm(void *data, const redisReply *r);
static void ngx_ws_chat_live_on_armed(void *data, const redisReply *r);
static void ngx_ws_chat_live_watch_keys(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_cmd_t *c);
static void ngx_ws_chat_live_watched(void *data, const redisReply *r);
static void ngx_ws_chat_live_decide(ngx_ws_chat_live_node_t *n,
    const redisReply *r);
static void ngx_ws_chat_live_decide_cid(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it, const redisReply *r);
static void ngx_ws_chat_live_questions(ngx_ws_chat_live_node_t *n);
static void ngx_ws_chat_live_on_info(void *data, const redisReply *r);
static void ngx_ws_chat_live_on_info_time(void *data, const redisReply *r);
static void ngx_ws_chat_live_on_inc(void *data, const redisReply *r);
static void ngx_ws_chat_live_on_found(void *data, const redisReply *r);
static void ngx_ws_chat_live_on_top(void *data, const redisReply *r);
static void ngx_ws_chat_live_on_time(void *data, const redisReply *r);


void
ngx_ws_chat_live_watch(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_cmd_t  *c;

    c = ngx_ws_chat_live_cmd("WATCH");
    ngx_ws_chat_live_watch_keys(n, c);

    n->armed = NULL;
    n->batch.bare = 0;
    n->batch.quick = 0;
    n->batch.later = 0;
    n->batch.why[0] = '\0';
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_queued, n);

    c = ngx_ws_chat_live_cmd("MGET");
    ngx_ws_chat_live_watch_keys(n, c);

    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_watched, n);
}


ngx_int_t
ngx_ws_chat_live_quick(ngx_ws_chat_live_node_t *n)
{
    ngx_uint_t                  i;
    ngx_ws_chat_live_cmd_t     *c;
    ngx_ws_chat_live_chat_t    *chat;
    ngx_ws_chat_live_batch_t   *b;
    ngx_ws_chat_live_target_t  *t;

    b = &n->batch;

    if (n->armed != b->shard) {
        return NGX_DECLINED;
    }

    for (i = 0; i < b->ntargets; i++) {
        t = &b->targets[i];
        chat = ngx_ws_chat_live_find(n->live, &t->chat_id);

        if (chat == NULL || !chat->renewable || chat->under != n->inc
            || ngx_current_msec - chat->renewed >= NGX_WS_CHAT_LIVE_RENEW)
        {
            return NGX_DECLINED;
        }

        t->epoch = chat->epoch;
    }

    c = ngx_ws_chat_live_cmd("WATCH");

    for (i = 0; i < b->nitems; i++) {
        ngx_ws_chat_live_dedupe(c, n->live, b->items[i].p);
    }

    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_queued, n);

    for (i = 0; i < b->nitems; i++) {
        c = ngx_ws_chat_live_cmd("PEXPIRE");
        ngx_ws_chat_live_dedupe(c, n->live, b->items[i].p);
        ngx_ws_chat_live_num(c, NGX_WS_CHAT_LIVE_DEDUPE);
        ngx_ws_chat_live_ask(n, c, NULL, NULL);

        b->items[i].append = 1;
    }

    b->quick = 1;
    b->bare = 0;
    b->later = 0;
    b->why[0] = '\0';
    b->inc.epoch = n->inc;

    ngx_ws_chat_live_exec(n);

    return NGX_OK;
}


void
ngx_ws_chat_live_arm(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_cmd_t  *c;

    n->armed = NULL;
    n->arm = n->batch.shard;

    c = ngx_ws_chat_live_cmd("WATCH");
    ngx_ws_chat_live_inc(c, n->arm);
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_arm, n);

    c = ngx_ws_chat_live_cmd("GET");
    ngx_ws_chat_live_inc(c, n->arm);

    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_armed, n);
    n->arming++;
}


void
ngx_ws_chat_live_unwatch(ngx_ws_chat_live_node_t *n)
{
    ngx_ws_chat_live_ask(n, ngx_ws_chat_live_cmd("UNWATCH"), NULL, NULL);
    ngx_ws_chat_live_arm(n);
}


static void
ngx_ws_chat_live_on_arm(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    if (r == NULL || r->type == REDIS_REPLY_ERROR) {
        /* what GET tells is not held on to */
        n->arm = NULL;
    }
}


static void
ngx_ws_chat_live_on_armed(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    wsc_inc_t  inc;
    wsc_str_t  s;

    if (r == NULL || --n->arming) {
        return;
    }

    if (ngx_ws_chat_live_reply_str(r, &s)
        && wsc_inc_decide(&s, n->replid, 0, 0, &inc) == WSC_OK)
    {
        n->armed = n->arm;
        n->inc = inc.epoch;
    }
}


static void
ngx_ws_chat_live_watch_keys(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_cmd_t *c)
{
    ngx_uint_t                 i;
    ngx_ws_chat_live_batch_t  *b;

    b = &n->batch;

    ngx_ws_chat_live_inc(c, n->batch.shard);

    for (i = 0; i < b->ntargets; i++) {
        ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_EPOCH,
                             &b->targets[i].chat_id);
    }

    for (i = 0; i < b->nitems; i++) {
        b->items[i].asked = (b->items[i].p != NULL);

        if (b->items[i].p) {
            ngx_ws_chat_live_dedupe(c, n->live, b->items[i].p);
        }
    }
}


static void
ngx_ws_chat_live_watched(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    wsc_str_t                  s;
    ngx_ws_chat_live_cmd_t    *c;
    ngx_ws_chat_live_batch_t  *b;

    if (r == NULL) {
        return;
    }

    b = &n->batch;

    if (r->type != REDIS_REPLY_ARRAY || r->elements < 1 || b->bare) {
        ngx_ws_chat_live_on_error(n, r, "WATCH or MGET");
        return;
    }

    b->value_len = 0;

    if (ngx_ws_chat_live_reply_str(r->element[0], &s)) {

        if (wsc_inc_decide(&s, n->replid, 0, 0, &b->inc) == WSC_OK) {
            ngx_ws_chat_live_decide(n, r);
            return;
        }

        if (s.len <= sizeof(b->value)) {
            ngx_memcpy(b->value, s.data, s.len);
            b->value_len = s.len;
        }
    }

    /* the server may have another replid since it was asked */

    c = ngx_ws_chat_live_cmd("INFO");
    ngx_ws_chat_live_word(c, "replication");
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_info, n);

    c = ngx_ws_chat_live_cmd("TIME");
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_info_time, n);
}


static void
ngx_ws_chat_live_decide(ngx_ws_chat_live_node_t *n, const redisReply *r)
{
    ngx_uint_t                  i, k, next;
    wsc_str_t                   s;
    ngx_ws_chat_live_item_t    *it;
    ngx_ws_chat_live_batch_t   *b;
    ngx_ws_chat_live_target_t  *t;

    b = &n->batch;
    next = 1;

    for (i = 0; i < b->ntargets; i++) {
        t = &b->targets[i];
        t->n = 0;
        t->fresh = 0;

        if (next < r->elements
            && wsc_epoch_decide(ngx_ws_chat_live_reply_str(r->element[next],
                                                           &s),
                                b->inc.epoch, &t->epoch)
               == WSC_OK)
        {
            b->shard->seen = ngx_max(b->shard->seen, t->epoch);

        } else {
            t->fresh = 1;
        }

        next++;
    }

    for (i = 0; i < b->nitems; i++) {
        it = &b->items[i];
        it->append = 0;
        it->find = 0;

        if (!it->asked) {
            continue;
        }

        k = next++;

        if (it->p && k < r->elements) {
            ngx_ws_chat_live_decide_cid(n, it, r->element[k]);
        }
    }

    ngx_ws_chat_live_questions(n);
}


static void
ngx_ws_chat_live_decide_cid(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_item_t *it, const redisReply *r)
{
    wsc_str_t  s;

    if (ngx_ws_chat_live_reply_str(r, &s) == NULL) {
        it->append = 1;
        n->batch.targets[it->chat].n++;
        return;
    }

    if (wsc_dedupe_parse(&s, &it->dedupe) != WSC_OK) {
        ngx_memzero(&it->dedupe, sizeof(wsc_dedupe_t));
    }

    /* its time is asked for, and where it is if that is not known */

    it->find = 1;
}


/* Asks what is still to be known, the clock last, or goes on at once. */

static void
ngx_ws_chat_live_questions(ngx_ws_chat_live_node_t *n)
{
    ngx_uint_t                  i, asked;
    ngx_ws_chat_live_cmd_t     *c;
    ngx_ws_chat_live_item_t    *it;
    ngx_ws_chat_live_batch_t   *b;
    ngx_ws_chat_live_target_t  *t;

    b = &n->batch;
    asked = 0;

    for (i = 0; i < b->nitems; i++) {
        it = &b->items[i];

        if (!it->find) {
            continue;
        }

        t = &b->targets[it->chat];

        c = ngx_ws_chat_live_cmd("XRANGE");
        ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_STREAM, &t->chat_id);
        ngx_ws_chat_live_id(c, it->dedupe.pos, !it->dedupe.placed);

        if (it->dedupe.placed) {
            ngx_ws_chat_live_id(c, it->dedupe.pos, 0);

        } else {
            ngx_ws_chat_live_word(c, "+");
        }

        ngx_ws_chat_live_word(c, "COUNT");
        ngx_ws_chat_live_num(c, NGX_WS_CHAT_LIVE_FIND);
        ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_found, it);
        asked = 1;
    }

    for (i = 0; i < b->ntargets; i++) {
        t = &b->targets[i];

        if (!t->fresh || t->n == 0) {
            continue;
        }

        c = ngx_ws_chat_live_cmd("XREVRANGE");
        ngx_ws_chat_live_key(c, n->live, NGX_WS_CHAT_LIVE_STREAM, &t->chat_id);
        ngx_ws_chat_live_word(c, "+");
        ngx_ws_chat_live_word(c, "-");
        ngx_ws_chat_live_word(c, "COUNT");
        ngx_ws_chat_live_word(c, "1");
        ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_top, t);
        asked = 1;
    }

    if (!asked) {
        ngx_ws_chat_live_exec(n);
        return;
    }

    c = ngx_ws_chat_live_cmd("TIME");
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_time, n);
}


/* answers to these */

static void
ngx_ws_chat_live_on_info(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    wsc_str_t  s;

    if (ngx_ws_chat_live_reply_str(r, &s) == NULL
        || wsc_replid_find(&s, n->replid) != WSC_OK)
    {
        ngx_memzero(n->replid, WSC_REPLID_LEN);
    }
}


static void
ngx_ws_chat_live_on_info_time(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    uint64_t                   now;
    wsc_str_t                  value;
    ngx_ws_chat_live_cmd_t    *c;
    ngx_ws_chat_live_batch_t  *b;
    u_char                     buf[WSC_INC_LEN];

    if (r == NULL) {
        return;
    }

    b = &n->batch;

    if (n->replid[0] == '\0') {
        ngx_ws_chat_redis_break(n->append, "INFO tells no master_replid");
        return;
    }

    now = ngx_ws_chat_live_reply_time(r);
    value.data = b->value;
    value.len = b->value_len;

    if (wsc_inc_decide(&value, n->replid, now, b->shard->seen, &b->inc)
        == WSC_OK)
    {
        ngx_ws_chat_live_again(n);
        return;
    }

    ngx_ws_chat_live_ask(n, ngx_ws_chat_live_cmd("MULTI"), NULL, NULL);

    c = ngx_ws_chat_live_cmd("SET");
    ngx_ws_chat_live_inc(c, n->batch.shard);
    ngx_ws_chat_live_text(c, buf, wsc_inc_print(buf, &b->inc));
    ngx_ws_chat_live_ask(n, c, ngx_ws_chat_live_on_queued, n);

    ngx_ws_chat_live_ask(n, ngx_ws_chat_live_cmd("EXEC"),
                         ngx_ws_chat_live_on_inc, n);
}


static void
ngx_ws_chat_live_on_inc(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    ngx_ws_chat_live_batch_t  *b;

    if (r == NULL) {
        return;
    }

    if (r->type == REDIS_REPLY_ERROR) {
        ngx_ws_chat_live_on_error(n, r, "EXEC");
        return;
    }

    if (r->type == REDIS_REPLY_ARRAY) {
        b = &n->batch;
        b->shard->seen = ngx_max(b->shard->seen, b->inc.epoch);
    }

    ngx_ws_chat_live_again(n);
}


static void
ngx_ws_chat_live_on_found(void *data, const redisReply *r)
{
    ngx_ws_chat_live_item_t *it = data;

    size_t                    i;
    wsc_entry_t               e;
    ngx_ws_chat_publish_t    *p;
    ngx_ws_chat_live_node_t  *n;

    n = it->node;
    p = it->p;

    if (r == NULL || p == NULL) {
        return;
    }

    for (i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++) {

        if (ngx_ws_chat_live_reply_entry(n->live, r->element[i], &e) == NGX_OK
            && e.cid.len == p->entry.cid.len
            && e.sender.len == p->entry.sender.len
            && ngx_memcmp(e.cid.data, p->entry.cid.data, e.cid.len) == 0
            && ngx_memcmp(e.sender.data, p->entry.sender.data, e.sender.len)
               == 0)
        {
            it->dedupe.pos = e.pos;
            it->dedupe.placed = 1;
            p->entry.timestamp = e.timestamp;
            break;
        }
    }

    ngx_ws_chat_live_known(n, it);
}


static void
ngx_ws_chat_live_on_top(void *data, const redisReply *r)
{
    ngx_ws_chat_live_target_t *t = data;

    if (r == NULL) {
        return;
    }

    t->top = ngx_ws_chat_live_reply_head(r);

    if (r->type != REDIS_REPLY_ARRAY) {
        ngx_ws_chat_live_on_queued(t->node, r);
        t->node->batch.bare = 1;
    }
}


static void
ngx_ws_chat_live_on_time(void *data, const redisReply *r)
{
    ngx_ws_chat_live_node_t *n = data;

    uint64_t                    now;
    ngx_uint_t                  i;
    ngx_ws_chat_live_chat_t    *chat;
    ngx_ws_chat_live_batch_t   *b;
    ngx_ws_chat_live_target_t  *t;

    if (r == NULL) {
        return;
    }

    b = &n->batch;

    if (b->bare) {
        ngx_ws_chat_live_on_error(n, r, "XREVRANGE");
        return;
    }

    now = ngx_ws_chat_live_reply_time(r);

    for (i = 0; i < b->ntargets; i++) {
        t = &b->targets[i];

        if (t->fresh && t->n) {
            chat = ngx_ws_chat_live_find(n->live, &t->chat_id);
            t->epoch = wsc_epoch_next(now, b->inc.epoch,
                                      chat ? chat->follow.last.epoch : 0,
                                      t->top);
            n->live->stat.epochs++;
        }
    }

    ngx_ws_chat_live_exec(n);
}

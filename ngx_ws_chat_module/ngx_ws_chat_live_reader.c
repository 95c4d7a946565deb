
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * From the channels to the rooms.  A subscription is made, its confirmation
 * awaited, the stream's end read; from then on messages come by the channel as
 * long as each follows the one before.  Where one does not, after each break
 * and now and then, the stream is read behind what was delivered.
 */


#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_live_durable.h"


#define NGX_WS_CHAT_LIVE_ATTACH   3000         /* ms to be attached */
#define NGX_WS_CHAT_LIVE_CHECK    5000         /* ms between looks at an end */
#define NGX_WS_CHAT_LIVE_ACTIVE   600000       /* ms: of such a chat */
#define NGX_WS_CHAT_LIVE_RESUBSCRIBE  500      /* ms */
#define NGX_WS_CHAT_LIVE_VISIT    200          /* chats visited a tick */


static ngx_ws_chat_live_chat_t *ngx_ws_chat_live_create(
    ngx_ws_chat_live_t *l, const wsc_str_t *chat_id, ngx_rbtree_key_t hash);
static void ngx_ws_chat_live_free(ngx_ws_chat_live_chat_t *chat);
static ngx_ws_chat_live_chat_t *ngx_ws_chat_live_get(ngx_ws_chat_live_t *l,
    ngx_ws_chat_live_shard_t *shard, const wsc_str_t *chat_id);
static void ngx_ws_chat_live_attached(ngx_ws_chat_live_chat_t *chat);
static void ngx_ws_chat_live_ready(ngx_ws_chat_live_chat_t *chat,
    ngx_ws_chat_attach_t *a);
static void ngx_ws_chat_live_ask_head(ngx_ws_chat_live_chat_t *chat);
static void ngx_ws_chat_live_on_end(void *data, const redisReply *r);
static void ngx_ws_chat_live_headed(ngx_ws_chat_live_chat_t *chat,
    wsc_pos_t head);
static void ngx_ws_chat_live_on_head(void *data, const redisReply *r);
static ngx_int_t ngx_ws_chat_live_take(ngx_ws_chat_live_chat_t *chat,
    const wsc_envelope_t *v);
static void ngx_ws_chat_live_deliver(ngx_ws_chat_live_chat_t *chat,
    const wsc_entry_t *e);
static void ngx_ws_chat_live_hand(ngx_ws_chat_attach_t *a, const void *data);
static void ngx_ws_chat_live_fetch(ngx_ws_chat_live_chat_t *chat);
static ngx_int_t ngx_ws_chat_live_ask_over(ngx_ws_chat_live_chat_t *chat);
static void ngx_ws_chat_live_on_over(void *data, const redisReply *r);
static void ngx_ws_chat_live_on_range(void *data, const redisReply *r);
static void ngx_ws_chat_live_watch_chat(ngx_ws_chat_live_chat_t *chat);
static void ngx_ws_chat_live_resubscribe(ngx_ws_chat_live_chat_t *chat);
static void ngx_ws_chat_live_visit(ngx_ws_chat_live_chat_t *chat);


/* records */

ngx_ws_chat_live_chat_t *
ngx_ws_chat_live_find(ngx_ws_chat_live_t *l, const wsc_str_t *chat_id)
{
    ngx_int_t                 rc;
    ngx_rbtree_key_t          hash;
    ngx_rbtree_node_t        *node;
    ngx_ws_chat_live_chat_t  *chat;

    hash = ngx_murmur_hash2(chat_id->data, chat_id->len);
    node = l->chats.root;

    while (node != l->chats.sentinel) {

        if (hash != node->key) {
            node = (hash < node->key) ? node->left : node->right;
            continue;
        }

        chat = ngx_rbtree_data(node, ngx_ws_chat_live_chat_t, node);

        rc = ngx_memn2cmp(chat_id->data, chat->chat_id.data, chat_id->len,
                          chat->chat_id.len);
        if (rc == 0) {
            return chat;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


void
ngx_ws_chat_live_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t        **p;
    ngx_ws_chat_live_chat_t   *chat, *other;

    chat = ngx_rbtree_data(node, ngx_ws_chat_live_chat_t, node);

    for ( ;; ) {

        if (node->key != temp->key) {
            p = (node->key < temp->key) ? &temp->left : &temp->right;

        } else {
            other = ngx_rbtree_data(temp, ngx_ws_chat_live_chat_t, node);
            p = (ngx_memn2cmp(chat->chat_id.data, other->chat_id.data,
                              chat->chat_id.len, other->chat_id.len)
                 < 0)
                ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


static ngx_ws_chat_live_chat_t *
ngx_ws_chat_live_create(ngx_ws_chat_live_t *l, const wsc_str_t *chat_id,
    ngx_rbtree_key_t hash)
{
    ngx_ws_chat_live_chat_t  *chat;

    chat = wsc_alloc(&ngx_ws_chat_alloc,
                     sizeof(ngx_ws_chat_live_chat_t) + chat_id->len);
    if (chat == NULL) {
        return NULL;
    }

    ngx_memzero(chat, sizeof(ngx_ws_chat_live_chat_t));

    chat->live = l;
    chat->chat_id.data = (u_char *) (chat + 1);
    chat->chat_id.len = chat_id->len;
    ngx_memcpy(chat->chat_id.data, chat_id->data, chat_id->len);

    wsc_follow_init(&chat->follow);
    ngx_queue_init(&chat->attaches);

    chat->node.key = hash;
    ngx_rbtree_insert(&l->chats, &chat->node);
    ngx_queue_insert_tail(&l->all, &chat->queue);
    l->stat.chats++;

    return chat;
}


static void
ngx_ws_chat_live_free(ngx_ws_chat_live_chat_t *chat)
{
    ngx_ws_chat_live_t  *l;

    l = chat->live;

    if (chat->watched) {
        ngx_queue_remove(&chat->watch);
    }

    ngx_ws_chat_live_over_free(&chat->over);
    ngx_queue_remove(&chat->queue);
    ngx_rbtree_delete(&l->chats, &chat->node);
    l->stat.chats--;

    wsc_free(&ngx_ws_chat_alloc, chat);
}


void
ngx_ws_chat_live_chats_free(ngx_ws_chat_live_t *l)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&l->all)) {
        q = ngx_queue_head(&l->all);
        ngx_ws_chat_live_free(ngx_queue_data(q, ngx_ws_chat_live_chat_t,
                                             queue));
    }
}


/* attach */

void
ngx_ws_chat_live_attach(ngx_ws_chat_attach_t *a)
{
    ngx_ws_chat_live_t        *l;
    ngx_ws_chat_live_chat_t   *chat;
    ngx_ws_chat_live_shard_t  *shard;

    l = a->zone->data;
    shard = ngx_ws_chat_live_shard(l, &a->chat_id);
    chat = NULL;

    a->attached = 0;
    a->data = NULL;

    if (!ngx_ws_chat_live_stale(shard)) {
        chat = ngx_ws_chat_live_get(l, shard, &a->chat_id);
    }

    if (chat == NULL) {
        a->err = WSC_ERR_UNAVAILABLE;
        a->ops->done(a);
        return;
    }

    chat->active = ngx_current_msec;
    ngx_queue_insert_tail(&chat->attaches, &a->queue);

    a->data = chat;
    a->deadline = ngx_current_msec + NGX_WS_CHAT_LIVE_ATTACH;

    if (chat->subscribed && chat->headed) {
        ngx_ws_chat_live_ready(chat, a);
    }
}


/* The record of a chat; a new one subscribes. */

static ngx_ws_chat_live_chat_t *
ngx_ws_chat_live_get(ngx_ws_chat_live_t *l, ngx_ws_chat_live_shard_t *shard,
    const wsc_str_t *chat_id)
{
    ngx_ws_chat_live_chat_t  *chat;

    chat = ngx_ws_chat_live_find(l, chat_id);
    if (chat != NULL) {
        return chat;
    }

    chat = ngx_ws_chat_live_create(l, chat_id,
                                   ngx_murmur_hash2(chat_id->data,
                                                    chat_id->len));
    if (chat != NULL) {
        chat->shard = shard;
        ngx_ws_chat_live_subscribe(chat);
    }

    return chat;
}


void
ngx_ws_chat_live_detach(ngx_ws_chat_attach_t *a)
{
    ngx_ws_chat_live_chat_t  *chat;

    chat = a->data;

    if (chat == NULL) {
        return;
    }

    ngx_queue_remove(&a->queue);

    a->data = NULL;
    a->attached = 0;

    /* the record stays a while: the next tick knows for how long */

    chat->active = ngx_current_msec;
}


/* Answers those that wait; any of them may detach others. */

static void
ngx_ws_chat_live_attached(ngx_ws_chat_live_chat_t *chat)
{
    ngx_queue_t           *q;
    ngx_ws_chat_attach_t  *a;

    chat->busy++;

    for (q = ngx_queue_head(&chat->attaches);
         q != ngx_queue_sentinel(&chat->attaches);
         /* void */ )
    {
        a = ngx_queue_data(q, ngx_ws_chat_attach_t, queue);

        if (a->attached) {
            q = ngx_queue_next(q);
            continue;
        }

        ngx_ws_chat_live_ready(chat, a);
        q = ngx_queue_head(&chat->attaches);
    }

    chat->busy--;
}


static void
ngx_ws_chat_live_ready(ngx_ws_chat_live_chat_t *chat, ngx_ws_chat_attach_t *a)
{
    a->attached = 1;
    a->changed = chat->changed;
    a->err = WSC_ERR_NONE;
    a->head = chat->follow.last;
    a->seen = chat->follow.last;

    a->ops->done(a);
}


void
ngx_ws_chat_live_refuse(ngx_ws_chat_live_t *l, ngx_uint_t all)
{
    ngx_queue_t              *q, *c;
    ngx_ws_chat_attach_t     *a;
    ngx_ws_chat_live_chat_t  *chat;

    for (c = ngx_queue_head(&l->all);
         c != ngx_queue_sentinel(&l->all);
         c = ngx_queue_next(c))
    {
        chat = ngx_queue_data(c, ngx_ws_chat_live_chat_t, queue);

        for (q = ngx_queue_head(&chat->attaches);
             q != ngx_queue_sentinel(&chat->attaches);
             /* void */ )
        {
            a = ngx_queue_data(q, ngx_ws_chat_attach_t, queue);

            if (a->attached
                || (!all
                    && (ngx_msec_int_t) (a->deadline - ngx_current_msec) > 0))
            {
                q = ngx_queue_next(q);
                continue;
            }

            ngx_queue_remove(q);
            a->data = NULL;
            a->err = WSC_ERR_UNAVAILABLE;
            a->ops->done(a);

            q = ngx_queue_head(&chat->attaches);
        }
    }
}


/* a subscription begins */

void
ngx_ws_chat_live_confirmed(ngx_ws_chat_live_chat_t *chat)
{
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_cmd_t  *c;

    l = chat->live;
    chat->subscribed = 1;

    wsc_follow_astray(&chat->follow);

    if (chat->headed) {
        ngx_ws_chat_live_missed(chat);
        ngx_ws_chat_live_attached(chat);
        ngx_ws_chat_live_fetch(chat);
        return;
    }

    if (chat->follow.reading || ngx_ws_chat_live_ask_over(chat) != NGX_OK) {
        return;
    }

    if (l->zone->durable) {
        ngx_ws_chat_live_ask_head(chat);
        return;
    }

    c = ngx_ws_chat_live_cmd("XREVRANGE");
    ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_STREAM, &chat->chat_id);
    ngx_ws_chat_live_word(c, "+");
    ngx_ws_chat_live_word(c, "-");
    ngx_ws_chat_live_word(c, "COUNT");
    ngx_ws_chat_live_word(c, "1");

    if (ngx_ws_chat_live_send(c, chat->shard->node->command,
                              ngx_ws_chat_live_on_head, chat)
        == NGX_OK)
    {
        wsc_follow_read(&chat->follow);
        chat->busy++;
    }

    /* else the next visit asks again */
}


/* The stream may be shorter than the chat. */

static void
ngx_ws_chat_live_ask_head(ngx_ws_chat_live_chat_t *chat)
{
    if (ngx_ws_chat_live_ask_end(chat->live, chat->shard->node->command,
                                 &chat->chat_id, ngx_ws_chat_live_on_end,
                                 chat)
        == NGX_OK)
    {
        wsc_follow_read(&chat->follow);
        chat->busy++;
    }
}


static void
ngx_ws_chat_live_on_end(void *data, const redisReply *r)
{
    ngx_ws_chat_live_chat_t *chat = data;

    wsc_pos_t  end;

    chat->busy--;

    if (r == NULL || ngx_ws_chat_live_ends(r, &end) != NGX_OK) {
        wsc_follow_was_read(&chat->follow, 0);
        return;
    }

    ngx_ws_chat_live_headed(chat, end);
}


static void
ngx_ws_chat_live_on_head(void *data, const redisReply *r)
{
    ngx_ws_chat_live_chat_t *chat = data;

    chat->busy--;

    (void) ngx_ws_chat_live_later(chat->live, r);

    if (r == NULL || r->type != REDIS_REPLY_ARRAY || chat->unread) {
        wsc_follow_was_read(&chat->follow, 0);
        return;
    }

    ngx_ws_chat_live_headed(chat, ngx_ws_chat_live_reply_head(r));
}


static void
ngx_ws_chat_live_headed(ngx_ws_chat_live_chat_t *chat, wsc_pos_t head)
{
    chat->changed |= (chat->over.n != 0);
    ngx_ws_chat_live_over_free(&chat->over);
    chat->behind = 0;
    chat->follow.last = head;
    chat->follow.there = 1;
    chat->headed = 1;
    chat->checked = ngx_current_msec;

    wsc_follow_was_read(&chat->follow, 1);

    ngx_ws_chat_live_attached(chat);

    if (wsc_follow_due(&chat->follow)) {
        ngx_ws_chat_live_fetch(chat);
    }
}


/* messages */

void
ngx_ws_chat_live_message(ngx_ws_chat_live_node_t *n,
    ngx_ws_chat_live_chat_t *chat, const wsc_str_t *data)
{
    const char          *reason;
    wsc_envelope_t       v;
    ngx_ws_chat_live_t  *l;

    l = n->live;

    if (wsc_envelope_read(&ngx_ws_chat_alloc, data, &v, &reason) != WSC_OK
        || v.kind == WSC_ENVELOPE_ENTRY)
    {
        l->stat.bad++;
        return;
    }

    if (v.kind == WSC_ENVELOPE_CANARY) {
        ngx_ws_chat_live_heard(n, v.n);
        return;
    }

    if (v.kind == WSC_ENVELOPE_NEWS) {
        ngx_ws_chat_live_tell(l, chat, &v.news);
        return;
    }

    /* a replica tells of what its master has, in its own time */

    if (chat == NULL || chat->shard->node != n) {
        return;
    }

    chat->active = ngx_current_msec;
    chat->changed |= (v.kind == WSC_ENVELOPE_CHANGE);

    if (!chat->headed) {
        wsc_follow_astray(&chat->follow);
        return;
    }

    if (ngx_ws_chat_live_take(chat, &v) == NGX_OK) {
        return;
    }

    l->stat.strays++;

    ngx_ws_chat_live_fetch(chat);
}


/* NGX_OK: that was all; NGX_AGAIN: the stream is to be read. */

static ngx_int_t
ngx_ws_chat_live_take(ngx_ws_chat_live_chat_t *chat, const wsc_envelope_t *v)
{
    if (v->kind == WSC_ENVELOPE_CHANGE) {

        if (!ngx_ws_chat_live_over_message(chat, &v->change)) {
            return NGX_OK;
        }

        wsc_follow_astray(&chat->follow);
        return NGX_AGAIN;
    }

    if (v->kind == WSC_ENVELOPE_HINT) {
        wsc_follow_astray(&chat->follow);
        return NGX_AGAIN;
    }

    if (wsc_follow_message(&chat->follow, &v->entry) != WSC_OK) {
        return NGX_AGAIN;
    }

    ngx_ws_chat_live_deliver(chat, &v->entry);

    return NGX_OK;
}


static void
ngx_ws_chat_live_deliver(ngx_ws_chat_live_chat_t *chat, const wsc_entry_t *e)
{
    ngx_ws_chat_live_each(chat, ngx_ws_chat_live_hand, e);
}


static void
ngx_ws_chat_live_hand(ngx_ws_chat_attach_t *a, const void *data)
{
    a->ops->deliver(a, data, 1);
}


/* the stream from what was delivered last; later, if it is being read */

static void
ngx_ws_chat_live_fetch(ngx_ws_chat_live_chat_t *chat)
{
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_cmd_t  *c;

    l = chat->live;

    if (chat->follow.reading) {
        return;
    }

    chat->checked = ngx_current_msec;

    if (ngx_ws_chat_live_ask_over(chat) == NGX_OK) {
        c = ngx_ws_chat_live_cmd("XRANGE");
        ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_STREAM, &chat->chat_id);
        ngx_ws_chat_live_id(c, chat->follow.last, 0);
        ngx_ws_chat_live_word(c, "+");
        ngx_ws_chat_live_word(c, "COUNT");
        ngx_ws_chat_live_num(c, NGX_WS_CHAT_LIVE_READ);

        if (ngx_ws_chat_live_send(c, chat->shard->node->command,
                                  ngx_ws_chat_live_on_range, chat)
            == NGX_OK)
        {
            wsc_follow_read(&chat->follow);
            chat->busy++;
            l->stat.reads++;
            return;
        }
    }

    /* asked again when there is a connection */

    wsc_follow_was_read(&chat->follow, 0);
    ngx_ws_chat_live_watch_chat(chat);
}


/* The changes, before what they change. */

static ngx_int_t
ngx_ws_chat_live_ask_over(ngx_ws_chat_live_chat_t *chat)
{
    ngx_int_t  rc;

    rc = ngx_ws_chat_live_over_ask(chat->live, chat->shard->node->command,
                                   &chat->chat_id, ngx_ws_chat_live_on_over,
                                   chat);
    if (rc == NGX_OK) {
        chat->busy++;
    }

    return rc;
}


static void
ngx_ws_chat_live_on_over(void *data, const redisReply *r)
{
    ngx_ws_chat_live_chat_t *chat = data;

    chat->unread = (ngx_ws_chat_live_over_read(chat->live, &chat->over, r)
                    != NGX_OK);

    if (!chat->unread && chat->headed) {
        ngx_ws_chat_live_over_tell(chat);
    }

    chat->busy--;
}


static void
ngx_ws_chat_live_on_range(void *data, const redisReply *r)
{
    ngx_ws_chat_live_chat_t *chat = data;

    size_t               i;
    ngx_int_t            rc;
    wsc_entry_t          e;
    ngx_ws_chat_live_t  *l;

    l = chat->live;

    if (r == NULL || r->type != REDIS_REPLY_ARRAY
        || chat->unread || chat->again)
    {
        (void) ngx_ws_chat_live_later(l, r);
        chat->busy--;
        chat->again = 0;
        wsc_follow_was_read(&chat->follow, 0);
        ngx_ws_chat_live_watch_chat(chat);
        return;
    }

    for (i = 0; i < r->elements; i++) {

        rc = ngx_ws_chat_live_reply_entry(l, r->element[i], &e);

        ngx_ws_chat_live_over_apply(&chat->over, &e);

        /* one that is none of ours is passed over */

        if (wsc_follow_entry(&chat->follow, &e) == WSC_OK && rc == NGX_OK) {
            ngx_ws_chat_live_deliver(chat, &e);
        }
    }

    chat->busy--;
    ngx_ws_chat_live_over_free(&chat->over);

    wsc_follow_was_read(&chat->follow, r->elements < NGX_WS_CHAT_LIVE_READ);

    if (wsc_follow_due(&chat->follow)) {
        ngx_ws_chat_live_fetch(chat);
    }
}


static void
ngx_ws_chat_live_watch_chat(ngx_ws_chat_live_chat_t *chat)
{
    if (!chat->watched) {
        chat->watched = 1;
        ngx_queue_insert_tail(&chat->live->watch, &chat->watch);
    }
}


/* ticks */

void
ngx_ws_chat_live_look(ngx_ws_chat_live_t *l)
{
    ngx_uint_t                n;
    ngx_queue_t              *q, *next;
    ngx_ws_chat_live_chat_t  *chat;

    for (q = ngx_queue_head(&l->watch);
         q != ngx_queue_sentinel(&l->watch);
         q = next)
    {
        chat = ngx_queue_data(q, ngx_ws_chat_live_chat_t, watch);
        next = ngx_queue_next(q);

        if (wsc_follow_due(&chat->follow)) {
            ngx_ws_chat_live_fetch(chat);
        }

        if (!wsc_follow_due(&chat->follow)) {
            ngx_queue_remove(q);
            chat->watched = 0;
        }
    }

    for (n = ngx_min(l->stat.chats, NGX_WS_CHAT_LIVE_VISIT); n; n--) {
        q = ngx_queue_head(&l->all);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&l->all, q);

        ngx_ws_chat_live_visit(ngx_queue_data(q, ngx_ws_chat_live_chat_t,
                                              queue));
    }
}


/* A node of a Cluster may have refused it. */

static void
ngx_ws_chat_live_resubscribe(ngx_ws_chat_live_chat_t *chat)
{
    if (chat->live->map && !chat->subscribed
        && ngx_current_msec - chat->asked >= NGX_WS_CHAT_LIVE_RESUBSCRIBE)
    {
        ngx_ws_chat_live_subscribe(chat);
    }
}


static void
ngx_ws_chat_live_visit(ngx_ws_chat_live_chat_t *chat)
{
    ngx_msec_t  now;

    now = ngx_current_msec;

    if (ngx_queue_empty(&chat->attaches)) {

        if (chat->busy == 0 && now - chat->active >= NGX_WS_CHAT_LIVE_GRACE) {
            ngx_ws_chat_live_unsubscribe(chat);
            ngx_ws_chat_live_free(chat);
        }

        return;
    }

    if (!chat->subscribed
        || !ngx_ws_chat_redis_is_up(chat->shard->node->command))
    {
        ngx_ws_chat_live_resubscribe(chat);
        return;
    }

    if (!chat->headed) {

        if (chat->busy == 0) {
            ngx_ws_chat_live_confirmed(chat);
        }

        return;
    }

    if (now - chat->checked >= NGX_WS_CHAT_LIVE_CHECK
        && now - chat->active < NGX_WS_CHAT_LIVE_ACTIVE)
    {
        ngx_ws_chat_live_fetch(chat);
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_room_state.h"
#include "ngx_ws_chat_room_stream.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_mem.h"
#include "core/wsc_event.h"


#define NGX_WS_CHAT_ROOM_LINGER  60000    /* ms to tell what is to be told */


static ngx_ws_chat_room_t *ngx_ws_chat_room_open(ngx_ws_chat_zone_t *z,
    const wsc_str_t *chat_id, ngx_ws_chat_loc_conf_t *conf);
static void ngx_ws_chat_room_await(ngx_ws_chat_room_t *room,
    ngx_ws_chat_waiting_t *w);
static ngx_ws_chat_member_t *ngx_ws_chat_room_member(
    ngx_ws_chat_room_t *room, ngx_ws_chat_peer_t *peer, ngx_uint_t kind);
static ngx_ws_chat_room_t *ngx_ws_chat_room_find(ngx_ws_chat_zone_t *z,
    const wsc_str_t *chat_id, ngx_rbtree_key_t hash);
static ngx_ws_chat_room_t *ngx_ws_chat_room_create(ngx_ws_chat_zone_t *z,
    const wsc_str_t *chat_id, ngx_rbtree_key_t hash);
static void ngx_ws_chat_room_free(ngx_ws_chat_room_t *room);
static void ngx_ws_chat_room_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static ngx_int_t ngx_ws_chat_room_cmp(ngx_ws_chat_room_t *room,
    const wsc_str_t *chat_id);
static void ngx_ws_chat_room_attached(ngx_ws_chat_attach_t *a);
static void ngx_ws_chat_room_ready(ngx_ws_chat_room_t *room, wsc_err_e err);
static void ngx_ws_chat_room_deliver(ngx_ws_chat_attach_t *a,
    const wsc_entry_t *entries, ngx_uint_t n);
static void ngx_ws_chat_room_update(ngx_ws_chat_attach_t *a,
    const wsc_entry_t *entries, ngx_uint_t n);
static void ngx_ws_chat_room_count(ngx_ws_chat_room_t *room,
    const wsc_entry_t *e);
static void ngx_ws_chat_room_append(ngx_ws_chat_room_t *room, wsc_enc_e enc,
    const wsc_entry_t *e);
static void ngx_ws_chat_room_append_gap(ngx_ws_chat_room_t *room,
    ngx_ws_chat_stream_t *st, const wsc_entry_t *e);


static const ngx_ws_chat_attach_ops_t  ngx_ws_chat_room_ops = {
    ngx_ws_chat_room_attached,
    ngx_ws_chat_room_deliver,
    ngx_ws_chat_room_update,
    ngx_ws_chat_state_news,
    ngx_ws_chat_state_missed
};


ngx_int_t
ngx_ws_chat_room_enter(ngx_ws_chat_zone_t *z, const wsc_str_t *chat_id,
    ngx_ws_chat_loc_conf_t *conf, ngx_ws_chat_peer_t *peer, ngx_uint_t kind,
    ngx_ws_chat_waiting_t *w)
{
    ngx_ws_chat_room_t    *room;
    ngx_ws_chat_member_t  *m;

    room = ngx_ws_chat_room_open(z, chat_id, conf);

    if (room == NULL) {
        return NGX_ERROR;
    }

    m = ngx_ws_chat_room_member(room, peer, kind);

    if (m == NULL) {
        ngx_ws_chat_room_drop(room);
        return NGX_ERROR;
    }

    w->member = m;

    ngx_ws_chat_room_await(room, w);

    return NGX_OK;
}


ngx_int_t
ngx_ws_chat_room_visit(ngx_ws_chat_zone_t *z, const wsc_str_t *chat_id,
    ngx_ws_chat_loc_conf_t *conf, ngx_ws_chat_waiting_t *w)
{
    w->room = ngx_ws_chat_room_open(z, chat_id, conf);

    if (w->room == NULL) {
        return NGX_ERROR;
    }

    w->room->visits++;
    ngx_ws_chat_room_await(w->room, w);

    return NGX_OK;
}


void
ngx_ws_chat_room_visited(ngx_ws_chat_waiting_t *w)
{
    ngx_ws_chat_room_t  *room;

    room = w->room;
    w->room = NULL;

    if (w->queued) {
        ngx_queue_remove(&w->queue);
        w->queued = 0;
    }

    room->visits--;
    ngx_ws_chat_room_drop(room);
}


/* The room, which is there or is made; NULL: no memory. */

static ngx_ws_chat_room_t *
ngx_ws_chat_room_open(ngx_ws_chat_zone_t *z, const wsc_str_t *chat_id,
    ngx_ws_chat_loc_conf_t *conf)
{
    ngx_rbtree_key_t     hash;
    ngx_ws_chat_room_t  *room;

    hash = ngx_murmur_hash2(chat_id->data, chat_id->len);

    room = ngx_ws_chat_room_find(z, chat_id, hash);

    if (room == NULL) {
        room = ngx_ws_chat_room_create(z, chat_id, hash);
    }

    if (room && room->members == 0) {
        room->conf = conf;
    }

    if (room && room->lingers) {
        room->lingers = 0;
        z->stat->counters.chats++;
    }

    return room;
}


static void
ngx_ws_chat_room_await(ngx_ws_chat_room_t *room, ngx_ws_chat_waiting_t *w)
{
    if (room->live) {
        w->ready(w, WSC_ERR_NONE);
        return;
    }

    ngx_ws_chat_room_wait(room, w);

    if (!room->attach.pending) {
        room->attach.pending = 1;
        room->attach.zone->store->attach(&room->attach);
    }
}


void
ngx_ws_chat_room_wait(ngx_ws_chat_room_t *room, ngx_ws_chat_waiting_t *w)
{
    w->queued = 1;
    ngx_queue_insert_tail(&room->waiting, &w->queue);
}


static ngx_ws_chat_member_t *
ngx_ws_chat_room_member(ngx_ws_chat_room_t *room, ngx_ws_chat_peer_t *peer,
    ngx_uint_t kind)
{
    ngx_ws_chat_stream_t  *st;
    ngx_ws_chat_member_t  *m;

    st = ngx_ws_chat_room_stream(room,
                                 ngx_ws_chat_room_stream_kind(peer, kind));
    if (st == NULL) {
        return NULL;
    }

    m = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_member_t));

    if (m != NULL) {
        ngx_memzero(m, sizeof(ngx_ws_chat_member_t));

        m->reader.held = 1;
        m->reader.waits = 1;

        if (ngx_ws_chat_reader_add(&m->reader, peer, st) == NGX_OK) {
            room->members++;
            room->attach.zone->stat->counters.members++;

            return m;
        }

        wsc_free(&ngx_ws_chat_alloc, m);
    }

    ngx_ws_chat_room_stream_drop(room, st);

    return NULL;
}


void
ngx_ws_chat_room_leave(ngx_ws_chat_member_t *m)
{
    ngx_ws_chat_room_t    *room;
    ngx_ws_chat_stream_t  *st;

    room = ngx_ws_chat_room_of(m);
    st = m->reader.stream;

    ngx_ws_chat_reader_remove(&m->reader);
    wsc_free(&ngx_ws_chat_alloc, m);

    room->members--;
    room->attach.zone->stat->counters.members--;

    ngx_ws_chat_room_stream_drop(room, st);
    ngx_ws_chat_room_drop(room);
}


/*
 * What the store did not take from a room is told later; not for ever, since
 * there may be many such rooms.
 */

void
ngx_ws_chat_room_drop(ngx_ws_chat_room_t *room)
{
    if (room->members || room->visits || room->busy) {
        return;
    }

    if (ngx_ws_chat_state_tell(room->state) == NGX_OK
        || (room->lingers && (uint32_t) ngx_current_msec - room->left
                             >= NGX_WS_CHAT_ROOM_LINGER))
    {
        ngx_ws_chat_room_free(room);
        return;
    }

    if (!room->lingers) {
        room->lingers = 1;
        room->left = (uint32_t) ngx_current_msec;
        room->attach.zone->stat->counters.chats--;
    }

    ngx_ws_chat_state_activate(room->state);
}


static ngx_ws_chat_room_t *
ngx_ws_chat_room_find(ngx_ws_chat_zone_t *z, const wsc_str_t *chat_id,
    ngx_rbtree_key_t hash)
{
    ngx_int_t            rc;
    ngx_rbtree_node_t   *node;
    ngx_ws_chat_room_t  *room;

    node = z->rooms.root;

    while (node != z->rooms.sentinel) {

        if (hash != node->key) {
            node = (hash < node->key) ? node->left : node->right;
            continue;
        }

        room = ngx_rbtree_data(node, ngx_ws_chat_room_t, node);
        rc = ngx_ws_chat_room_cmp(room, chat_id);

        if (rc == 0) {
            return room;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


/* The order of names within one hash: < 0 as chat_id stands before room. */

static ngx_int_t
ngx_ws_chat_room_cmp(ngx_ws_chat_room_t *room, const wsc_str_t *chat_id)
{
    return ngx_memn2cmp(chat_id->data, room->attach.chat_id.data,
                        chat_id->len, room->attach.chat_id.len);
}


static void
ngx_ws_chat_room_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t   **p;
    ngx_ws_chat_room_t   *room, *other;

    room = ngx_rbtree_data(node, ngx_ws_chat_room_t, node);

    for ( ;; ) {

        if (node->key != temp->key) {
            p = (node->key < temp->key) ? &temp->left : &temp->right;

        } else {
            other = ngx_rbtree_data(temp, ngx_ws_chat_room_t, node);
            p = (ngx_ws_chat_room_cmp(other, &room->attach.chat_id) < 0)
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


static ngx_ws_chat_room_t *
ngx_ws_chat_room_create(ngx_ws_chat_zone_t *z, const wsc_str_t *chat_id,
    ngx_rbtree_key_t hash)
{
    u_char              *name;
    ngx_ws_chat_room_t  *room;

    room = wsc_alloc(&ngx_ws_chat_alloc,
                     sizeof(ngx_ws_chat_room_t) + chat_id->len);
    if (room == NULL) {
        return NULL;
    }

    ngx_memzero(room, sizeof(ngx_ws_chat_room_t));

    name = (u_char *) room + sizeof(ngx_ws_chat_room_t);
    ngx_memcpy(name, chat_id->data, chat_id->len);

    room->node.key = hash;
    room->attach.zone = z;
    room->attach.chat_id.data = name;
    room->attach.chat_id.len = chat_id->len;
    room->attach.ops = &ngx_ws_chat_room_ops;

    room->state = ngx_ws_chat_state_create(room);

    if (room->state == NULL) {
        wsc_free(&ngx_ws_chat_alloc, room);
        return NULL;
    }

    ngx_queue_init(&room->waiting);
    ngx_rbtree_insert(&z->rooms, &room->node);

    z->stat->counters.chats++;

    return room;
}


static void
ngx_ws_chat_room_free(ngx_ws_chat_room_t *room)
{
    ngx_ws_chat_zone_t  *z;

    z = room->attach.zone;

    ngx_ws_chat_state_free(room->state);

    if (room->attach.pending || room->attach.attached) {
        z->store->detach(&room->attach);
    }

    ngx_rbtree_delete(&z->rooms, &room->node);

    if (!room->lingers) {
        z->stat->counters.chats--;
    }

    wsc_free(&ngx_ws_chat_alloc, room);
}


/* The store's answer: tells those who wait, who may leave in there. */

static void
ngx_ws_chat_room_attached(ngx_ws_chat_attach_t *a)
{
    ngx_ws_chat_room_t    *room;
    ngx_ws_chat_stream_t  *st;

    room = ngx_rbtree_data(a, ngx_ws_chat_room_t, attach);

    if (a->err != WSC_ERR_NONE) {
        a->pending = 0;
        ngx_ws_chat_room_ready(room, a->err);
        return;
    }

    for (st = room->streams; st; st = st->sibling) {
        st->log.before = a->seen;
        st->log.tail = a->seen;
    }

    /* pending until what is kept was loaded */

    ngx_ws_chat_state_load(room->state);
}


void
ngx_ws_chat_room_loaded(ngx_ws_chat_room_t *room, wsc_err_e err)
{
    room->attach.pending = 0;
    room->live = (err == WSC_ERR_NONE);

    if (err != WSC_ERR_NONE) {
        room->attach.zone->store->detach(&room->attach);
    }

    ngx_ws_chat_room_ready(room, err);
}


/* Those who wait may leave, send, or wait again in there. */

static void
ngx_ws_chat_room_ready(ngx_ws_chat_room_t *room, wsc_err_e err)
{
    ngx_queue_t            *q, waiting;
    ngx_ws_chat_waiting_t  *w;

    if (ngx_queue_empty(&room->waiting)) {
        ngx_ws_chat_room_drop(room);
        return;
    }

    ngx_queue_init(&waiting);
    ngx_queue_add(&waiting, &room->waiting);
    ngx_queue_init(&room->waiting);

    room->busy = 1;

    while (!ngx_queue_empty(&waiting)) {
        q = ngx_queue_head(&waiting);
        w = ngx_queue_data(q, ngx_ws_chat_waiting_t, queue);

        ngx_queue_remove(q);
        w->queued = 0;

        w->ready(w, err);
    }

    room->busy = 0;
    ngx_ws_chat_room_drop(room);
}


static void
ngx_ws_chat_room_deliver(ngx_ws_chat_attach_t *a, const wsc_entry_t *entries,
    ngx_uint_t n)
{
    ngx_uint_t           i;
    ngx_ws_chat_room_t  *room;

    room = ngx_rbtree_data(a, ngx_ws_chat_room_t, attach);

    for (i = 0; i < n; i++) {

        if (wsc_pos_cmp(entries[i].pos, a->seen) <= 0) {
            continue;
        }

        ngx_ws_chat_room_append(room, WSC_ENC_JSON, &entries[i]);
        ngx_ws_chat_room_append(room, WSC_ENC_MSGPACK, &entries[i]);

        ngx_ws_chat_room_count(room, &entries[i]);

        a->seen = entries[i].pos;
    }

    if (room->live) {
        ngx_ws_chat_room_ready(room, WSC_ERR_NONE);
    }
}


static void
ngx_ws_chat_room_update(ngx_ws_chat_attach_t *a, const wsc_entry_t *entries,
    ngx_uint_t n)
{
    wsc_buf_t           *b;
    wsc_enc_e            enc;
    ngx_uint_t           i;
    ngx_ws_chat_room_t  *room;

    room = ngx_rbtree_data(a, ngx_ws_chat_room_t, attach);
    b = &ngx_ws_chat_scratch.event;

    for (i = 0; i < n; i++) {

        for (enc = 0; enc < WSC_ENC_N; enc++) {

            if (ngx_ws_chat_room_reads(room, enc)) {
                wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

                wsc_event_update(b, enc, &a->chat_id, &entries[i]);
                ngx_ws_chat_room_put(room, enc, NULL);
            }
        }
    }
}


static void
ngx_ws_chat_room_count(ngx_ws_chat_room_t *room, const wsc_entry_t *e)
{
    ngx_ws_chat_stream_t  *st;

    room->messages++;

    for (st = room->streams; st; st = st->sibling) {
        if (st->born == 0) {
            st->born = e->timestamp;
        }
    }
}


/* Encodes the message once and appends it to the logs of this encoding. */

static void
ngx_ws_chat_room_append(ngx_ws_chat_room_t *room, wsc_enc_e enc,
    const wsc_entry_t *e)
{
    wsc_buf_t             *b;
    ngx_ws_chat_stream_t  *st;

    if (!ngx_ws_chat_room_reads(room, enc)) {
        return;
    }

    for (st = room->streams; st; st = st->sibling) {
        if (ngx_ws_chat_kind_enc(st->kind) == enc) {
            ngx_ws_chat_room_append_gap(room, st, e);
        }
    }

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

    wsc_event_message(b, enc, &room->attach.chat_id, e);

    /* failed: the next message that fits announces the hole */

    ngx_ws_chat_room_put(room, enc, &e->pos);
}


void
ngx_ws_chat_room_put(ngx_ws_chat_room_t *room, wsc_enc_e enc,
    const wsc_pos_t *pos)
{
    wsc_buf_t             *b;
    ngx_ws_chat_stream_t  *st;

    b = &ngx_ws_chat_scratch.event;

    for (st = room->streams; st && !b->failed; st = st->sibling) {
        if (ngx_ws_chat_kind_enc(st->kind) == enc) {
            ngx_ws_chat_room_stream_put(room, st, b, pos);
        }
    }
}


ngx_uint_t
ngx_ws_chat_room_reads(ngx_ws_chat_room_t *room, wsc_enc_e enc)
{
    ngx_ws_chat_stream_t  *st;

    for (st = room->streams; st; st = st->sibling) {
        if (ngx_ws_chat_kind_enc(st->kind) == enc) {
            return 1;
        }
    }

    return 0;
}


void
ngx_ws_chat_room_tell(ngx_ws_chat_room_t *room,
    ngx_ws_chat_room_write_pt write, const wsc_note_t *note)
{
    wsc_buf_t  *b;
    wsc_enc_e   enc;

    b = &ngx_ws_chat_scratch.event;

    for (enc = 0; enc < WSC_ENC_N; enc++) {

        if (ngx_ws_chat_room_reads(room, enc)) {
            wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

            write(b, enc, &room->attach.chat_id, note);
            ngx_ws_chat_room_put(room, enc, NULL);
        }
    }
}


/* A message that does not follow the log's last one: says so before it. */

static void
ngx_ws_chat_room_append_gap(ngx_ws_chat_room_t *room,
    ngx_ws_chat_stream_t *st, const wsc_entry_t *e)
{
    wsc_buf_t   *b;
    const char  *reason;

    if (wsc_pos_cmp(e->prev, st->log.tail) <= 0) {
        return;
    }

    reason = (wsc_pos_cmp(e->prev, room->attach.seen) > 0) ? "trimmed"
                                                           : "backplane";
    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

    wsc_event_gap(b, ngx_ws_chat_kind_enc(st->kind), &room->attach.chat_id,
                  st->log.tail, e->pos, reason);

    if (b->failed) {
        return;
    }

    ngx_ws_chat_room_stream_put(room, st, b, NULL);
    room->attach.zone->stat->counters.gaps++;
}


ngx_int_t
ngx_ws_chat_room_init(ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t            i;
    ngx_ws_chat_zone_t  **z;

    z = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        ngx_rbtree_init(&z[i]->rooms, &z[i]->sentinel,
                        ngx_ws_chat_room_insert);
    }

    return NGX_OK;
}

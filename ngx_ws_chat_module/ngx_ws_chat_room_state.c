
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * News change the state and are told to the members if they do; what is loaded
 * goes the same way.  Rooms with something due are in one queue, which is gone
 * through while there are any.
 */


#include "ngx_ws_chat_room_marks.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_room_presence.h"
#include "ngx_ws_chat_mem.h"
#include "core/wsc_envelope.h"
#include "core/wsc_event_state.h"


#define NGX_WS_CHAT_STATE_TICK   100      /* ms */
#define NGX_WS_CHAT_STATE_LATER  2000     /* ms: then others say that one has
                                             stopped typing whose worker does
                                             not */
#define NGX_WS_CHAT_STATE_HEARD  (1024 * 1024)    /* octets */


struct ngx_ws_chat_state_load_s {
    ngx_ws_chat_load_t                call;       /* must be first */
    ngx_ws_chat_state_t              *st;
    wsc_buf_t                         heard;      /* meanwhile: envelopes, the
                                                     length before each */
};


static void ngx_ws_chat_state_loaded_news(ngx_ws_chat_load_t *l,
    const wsc_news_t *news);
static void ngx_ws_chat_state_loaded(ngx_ws_chat_load_t *l);
static void ngx_ws_chat_state_ready(ngx_ws_chat_state_t *st, wsc_err_e err);
static void ngx_ws_chat_state_hear(ngx_ws_chat_state_t *st,
    const wsc_news_t *news);
static void ngx_ws_chat_state_heard(ngx_ws_chat_state_t *st,
    const wsc_buf_t *heard);
static void ngx_ws_chat_state_take(ngx_ws_chat_state_t *st,
    const wsc_news_t *news, ngx_uint_t told);
static void ngx_ws_chat_state_take_typing(ngx_ws_chat_state_t *st,
    const wsc_note_t *note, ngx_uint_t told);
static void ngx_ws_chat_state_take_signal(ngx_ws_chat_state_t *st,
    const wsc_note_t *note, ngx_uint_t told);
static ngx_int_t ngx_ws_chat_state_emit_typing(
    const ngx_ws_chat_place_t *place, const wsc_str_t *user, uint64_t until);
static ngx_int_t ngx_ws_chat_state_emit(const ngx_ws_chat_place_t *place,
    ngx_uint_t type, const wsc_note_t *note);
static void ngx_ws_chat_state_stopped(ngx_ws_chat_state_t *st,
    const wsc_latest_item_t *item);
static void ngx_ws_chat_state_tick(ngx_event_t *ev);
static ngx_uint_t ngx_ws_chat_state_visit(ngx_ws_chat_state_t *st);


/* of this worker */

static wsc_str_t    ngx_ws_chat_state_name;
static ngx_event_t  ngx_ws_chat_state_event;
static ngx_queue_t  ngx_ws_chat_state_queue = {
    &ngx_ws_chat_state_queue, &ngx_ws_chat_state_queue
};


ngx_ws_chat_state_t *
ngx_ws_chat_state_create(ngx_ws_chat_room_t *room)
{
    ngx_ws_chat_state_t  *st;

    st = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_state_t));
    if (st == NULL) {
        return NULL;
    }

    ngx_memzero(st, sizeof(ngx_ws_chat_state_t));

    st->room = room;

    wsc_latest_init(&st->typing, &ngx_ws_chat_alloc, NGX_WS_CHAT_TYPERS);
    wsc_latest_init(&st->signals, &ngx_ws_chat_alloc, NGX_WS_CHAT_SIGNALS);
    wsc_presence_init(&st->presence, &ngx_ws_chat_alloc,
                      (uint32_t) ngx_random());

    return st;
}


void
ngx_ws_chat_state_free(ngx_ws_chat_state_t *st)
{
    wsc_latest_item_t  *item;

    if (st->load) {
        st->load->call.zone->store->cancel_load(&st->load->call);
        wsc_buf_free(&st->load->heard);
        wsc_free(&ngx_ws_chat_alloc, st->load);
    }

    for (item = st->typing.first; item; item = item->next) {
        ngx_ws_chat_state_stopped(st, item);
    }

    ngx_ws_chat_marks_free(st);
    ngx_ws_chat_presence_done(st);

    if (st->active) {
        ngx_queue_remove(&st->queue);
    }

    wsc_latest_free(&st->typing);
    wsc_latest_free(&st->signals);

    wsc_free(&ngx_ws_chat_alloc, st);
}


ngx_int_t
ngx_ws_chat_state_tell(ngx_ws_chat_state_t *st)
{
    ngx_int_t  marks, presence;

    marks = ngx_ws_chat_marks_send_all(st);
    presence = ngx_ws_chat_presence_report(st);

    return (marks == NGX_OK) ? presence : marks;
}


void
ngx_ws_chat_state_load(ngx_ws_chat_state_t *st)
{
    ngx_ws_chat_attach_t      *a;
    ngx_ws_chat_state_load_t  *load;

    ngx_ws_chat_presence_loading(st);

    load = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_state_load_t));

    if (load == NULL) {
        ngx_ws_chat_state_ready(st, WSC_ERR_UNAVAILABLE);
        return;
    }

    ngx_memzero(load, sizeof(ngx_ws_chat_state_load_t));

    a = &st->room->attach;

    load->st = st;
    wsc_buf_init(&load->heard, &ngx_ws_chat_alloc);
    load->call.zone = a->zone;
    load->call.chat_id = a->chat_id;
    load->call.news = ngx_ws_chat_state_loaded_news;
    load->call.done = ngx_ws_chat_state_loaded;

    st->load = load;

    a->zone->store->load(&load->call);
}


static void
ngx_ws_chat_state_loaded_news(ngx_ws_chat_load_t *l, const wsc_news_t *news)
{
    ngx_ws_chat_state_t  *st;

    st = ((ngx_ws_chat_state_load_t *) l)->st;

    ngx_ws_chat_state_take(st, news, st->room->live);
}


static void
ngx_ws_chat_state_loaded(ngx_ws_chat_load_t *l)
{
    wsc_buf_t             heard;
    wsc_err_e             err;
    ngx_ws_chat_state_t  *st;

    st = ((ngx_ws_chat_state_load_t *) l)->st;
    err = l->err;
    heard = st->load->heard;

    wsc_free(&ngx_ws_chat_alloc, st->load);
    st->load = NULL;

    ngx_ws_chat_state_heard(st, &heard);
    wsc_buf_free(&heard);

    ngx_ws_chat_state_ready(st, err);
}


/* What is loaded may be older: these are taken again, behind it. */

static void
ngx_ws_chat_state_hear(ngx_ws_chat_state_t *st, const wsc_news_t *news)
{
    size_t      at;
    uint32_t    len;
    wsc_buf_t  *b;

    b = &st->load->heard;
    at = b->len;

    if (at < NGX_WS_CHAT_STATE_HEARD) {
        wsc_buf_add(b, (u_char *) &len, sizeof(uint32_t));
        wsc_envelope_news(b, news);
    }

    if (at == b->len || b->failed) {
        /* too much */
        b->len = at;
        b->failed = 0;
        st->again = 1;
        return;
    }

    len = b->len - at - sizeof(uint32_t);
    ngx_memcpy(b->data + at, &len, sizeof(uint32_t));
}


static void
ngx_ws_chat_state_heard(ngx_ws_chat_state_t *st, const wsc_buf_t *heard)
{
    size_t           at;
    uint32_t         len;
    wsc_str_t        s;
    const char      *reason;
    wsc_envelope_t   v;

    for (at = 0; at < heard->len; at += len) {
        ngx_memcpy(&len, heard->data + at, sizeof(uint32_t));
        at += sizeof(uint32_t);

        s.data = heard->data + at;
        s.len = len;

        if (wsc_envelope_read(&ngx_ws_chat_alloc, &s, &v, &reason) == WSC_OK) {
            ngx_ws_chat_state_take(st, &v.news, 0);
        }
    }
}


static void
ngx_ws_chat_state_ready(ngx_ws_chat_state_t *st, wsc_err_e err)
{
    ngx_ws_chat_presence_loaded(st, err);

    if (!st->room->live) {
        ngx_ws_chat_room_loaded(st->room, err);
        return;
    }

    /* missed news are loaded until it succeeds */

    st->again |= (err != WSC_ERR_NONE);
    ngx_ws_chat_state_activate(st);
}


void
ngx_ws_chat_state_missed(ngx_ws_chat_attach_t *a)
{
    ngx_ws_chat_room_t  *room;

    room = ngx_rbtree_data(a, ngx_ws_chat_room_t, attach);

    room->state->again = 1;
    ngx_ws_chat_state_activate(room->state);

    ngx_ws_chat_presence_missed(room->state);
}


void
ngx_ws_chat_state_news(ngx_ws_chat_attach_t *a, const wsc_news_t *news)
{
    ngx_ws_chat_room_t  *room;

    room = ngx_rbtree_data(a, ngx_ws_chat_room_t, attach);

    ngx_ws_chat_state_take(room->state, news, 1);

    if (room->state->load) {
        ngx_ws_chat_state_hear(room->state, news);
    }
}


/* told: the members hear of it. */

static void
ngx_ws_chat_state_take(ngx_ws_chat_state_t *st, const wsc_news_t *news,
    ngx_uint_t told)
{
    size_t               i;
    ngx_ws_chat_zone_t  *z;

    for (i = 0; i < news->count; i++) {

        switch (news->type) {

        case WSC_NEWS_SIGNAL:
            ngx_ws_chat_state_take_signal(st, &news->notes[i], told);
            break;

        case WSC_NEWS_TYPING:
            ngx_ws_chat_state_take_typing(st, &news->notes[i], told);
            break;

        case WSC_NEWS_PRESENCE:
            ngx_ws_chat_presence_take(st, &news->notes[i]);
            break;

        case WSC_NEWS_MARK:
            ngx_ws_chat_marks_take(st, &news->notes[i], told);
            break;

        case WSC_NEWS_SETTLED:
            /* of one sender's clients, not of the room */
            z = st->room->attach.zone;

            if (told && z->news) {
                z->news(z, news);
            }

            return;

        default:
            return;
        }
    }
}


static void
ngx_ws_chat_state_take_typing(ngx_ws_chat_state_t *st, const wsc_note_t *note,
    ngx_uint_t told)
{
    int64_t             left;
    ngx_uint_t          own, fresh;
    wsc_latest_item_t  *item;

    item = wsc_latest_find(&st->typing, &note->key);
    left = note->n[0] ? (int64_t) (note->n[0] - ngx_ws_chat_now()) : 0;

    if (left <= 0) {

        if (item == NULL) {
            return;
        }

        wsc_latest_drop(&st->typing, item);
        ngx_ws_chat_room_tell(st->room, wsc_event_typing, note);
        return;
    }

    fresh = (item == NULL);
    own = wsc_str_same(&note->sender, ngx_ws_chat_state_uid());

    item = wsc_latest_set(&st->typing, &note->key, &note->sender,
                          &note->value);
    if (item == NULL) {
        return;
    }

    /* clocks of nodes differ: at most as long as it lasts */

    item->own = own;
    wsc_latest_time(item, (uint32_t) ngx_current_msec
                          + ngx_min(left, NGX_WS_CHAT_TYPING)
                          + (own ? 0 : NGX_WS_CHAT_STATE_LATER));

    ngx_ws_chat_state_activate(st);

    if (fresh && told) {
        ngx_ws_chat_room_tell(st->room, wsc_event_typing, note);
    }
}


static void
ngx_ws_chat_state_take_signal(ngx_ws_chat_state_t *st, const wsc_note_t *note,
    ngx_uint_t told)
{
    wsc_latest_item_t  *item;

    if (note->n[0] && wsc_news_null(note)) {
        item = wsc_latest_find(&st->signals, &note->key);

        if (item) {
            wsc_latest_drop(&st->signals, item);
        }

    } else if (note->n[0]) {
        (void) wsc_latest_set(&st->signals, &note->key, &note->sender,
                              &note->value);
    }

    /* what is loaded again was told, or missed for good */

    if (told && st->load == NULL) {
        ngx_ws_chat_room_tell(st->room, wsc_event_signal, note);
    }
}


ngx_int_t
ngx_ws_chat_state_signal(const ngx_ws_chat_place_t *place,
    const wsc_note_t *note)
{
    wsc_latest_t  *signals;

    signals = place->state ? &place->state->signals : NULL;

    if (signals && note->n[0] && !wsc_news_null(note)
        && signals->n == signals->max
        && wsc_latest_find(signals, &note->key) == NULL)
    {
        return NGX_ABORT;
    }

    return ngx_ws_chat_state_emit(place, WSC_NEWS_SIGNAL, note);
}


ngx_int_t
ngx_ws_chat_state_typing(const ngx_ws_chat_place_t *place,
    const wsc_str_t *user, ngx_uint_t on)
{
    wsc_latest_t       *typing;
    wsc_latest_item_t  *item;

    if (on && place->state) {
        typing = &place->state->typing;
        item = wsc_latest_find(typing, user);

        if (item == NULL && typing->n == typing->max) {
            return NGX_OK;
        }

        if (item && item->own
            && (int32_t) (item->due - (uint32_t) ngx_current_msec)
               > NGX_WS_CHAT_TYPING - NGX_WS_CHAT_REFRESH)
        {
            return NGX_OK;
        }
    }

    return ngx_ws_chat_state_emit_typing(place, user,
                                         on ? ngx_ws_chat_now()
                                              + NGX_WS_CHAT_TYPING
                                            : 0);
}


static ngx_int_t
ngx_ws_chat_state_emit_typing(const ngx_ws_chat_place_t *place,
    const wsc_str_t *user, uint64_t until)
{
    wsc_note_t  note;

    ngx_memzero(&note, sizeof(wsc_note_t));

    note.key = *user;
    note.sender = *ngx_ws_chat_state_uid();
    note.n[0] = until;

    return ngx_ws_chat_state_emit(place, WSC_NEWS_TYPING, &note);
}


static ngx_int_t
ngx_ws_chat_state_emit(const ngx_ws_chat_place_t *place, ngx_uint_t type,
    const wsc_note_t *note)
{
    wsc_news_t  news;

    news.type = type;
    news.to = WSC_TO_CHAT;
    news.name = place->chat_id;
    news.notes = note;
    news.count = 1;

    return place->zone->store->emit(place->zone, &news);
}


/* What this worker told, it ends. */

static void
ngx_ws_chat_state_stopped(ngx_ws_chat_state_t *st,
    const wsc_latest_item_t *item)
{
    ngx_ws_chat_place_t  place;

    if (item->own) {
        place.zone = st->room->attach.zone;
        place.chat_id = st->room->attach.chat_id;
        place.state = st;

        (void) ngx_ws_chat_state_emit_typing(&place, &item->key, 0);
    }
}


/* Not a pid: nodes have the same ones. */

const wsc_str_t *
ngx_ws_chat_state_uid(void)
{
    if (ngx_ws_chat_state_name.len == 0) {
        ngx_ws_chat_state_rename();
    }

    return &ngx_ws_chat_state_name;
}


void
ngx_ws_chat_state_rename(void)
{
    static u_char  name[2 * NGX_INT64_LEN];

    ngx_ws_chat_state_name.data = name;
    ngx_ws_chat_state_name.len = ngx_sprintf(name, "%xi.%xi", ngx_random(),
                                             ngx_random())
                                 - name;
}


/* what is due */

void
ngx_ws_chat_state_activate(ngx_ws_chat_state_t *st)
{
    if (!st->active) {
        st->active = 1;
        ngx_queue_insert_tail(&ngx_ws_chat_state_queue, &st->queue);
    }

    if (!ngx_ws_chat_state_event.timer_set) {
        ngx_add_timer(&ngx_ws_chat_state_event, NGX_WS_CHAT_STATE_TICK);
    }
}


static void
ngx_ws_chat_state_tick(ngx_event_t *ev)
{
    ngx_queue_t          *q, turn;
    ngx_ws_chat_state_t  *st;

    if (ngx_queue_empty(&ngx_ws_chat_state_queue)) {
        return;
    }

    ngx_queue_init(&turn);
    ngx_queue_add(&turn, &ngx_ws_chat_state_queue);
    ngx_queue_init(&ngx_ws_chat_state_queue);

    while (!ngx_queue_empty(&turn)) {
        q = ngx_queue_head(&turn);
        st = ngx_queue_data(q, ngx_ws_chat_state_t, queue);

        ngx_queue_remove(q);
        st->active = 0;

        if (ngx_ws_chat_state_visit(st)) {
            ngx_ws_chat_state_activate(st);
        }

        if (st->room->lingers) {
            ngx_ws_chat_room_drop(st->room);
        }
    }
}


/* 1: there is more to come. */

static ngx_uint_t
ngx_ws_chat_state_visit(ngx_ws_chat_state_t *st)
{
    wsc_note_t          note;
    ngx_uint_t          more;
    wsc_latest_item_t  *item;

    if (st->again && st->load == NULL && st->room->live) {
        st->again = 0;
        ngx_ws_chat_state_load(st);
    }

    for ( ;; ) {
        item = wsc_latest_due(&st->typing, (uint32_t) ngx_current_msec);

        if (item == NULL) {
            break;
        }

        ngx_ws_chat_state_stopped(st, item);

        ngx_memzero(&note, sizeof(wsc_note_t));
        note.key = item->key;

        ngx_ws_chat_room_tell(st->room, wsc_event_typing, &note);
        wsc_latest_drop(&st->typing, item);
    }

    more = ngx_ws_chat_presence_visit(st);
    more |= ngx_ws_chat_marks_visit(st);

    return more || st->typing.n || st->again;
}


void
ngx_ws_chat_state_init(ngx_log_t *log)
{
    ngx_event_t  *ev;

    ev = &ngx_ws_chat_state_event;

    ev->handler = ngx_ws_chat_state_tick;
    ev->data = ev;
    ev->log = log;
    ev->cancelable = 1;
}


void
ngx_ws_chat_state_done(void)
{
    if (ngx_ws_chat_state_event.timer_set) {
        ngx_del_timer(&ngx_ws_chat_state_event);
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What was told by a worker under its name holds while that name beats.  A
 * worker whose backplane broke cannot know what of it arrived: it takes
 * another name and tells all of it again, and what it told before fades away.
 */


#include "ngx_ws_chat_room_presence.h"
#include "ngx_ws_chat_mem.h"
#include "core/wsc_event_state.h"


#define NGX_WS_CHAT_PRESENCE_PACE   1000     /* ms between events of a room */
#define NGX_WS_CHAT_PRESENCE_MAX    500      /* users in one */
#define NGX_WS_CHAT_PRESENCE_BEAT   3000     /* ms between beats */
#define NGX_WS_CHAT_PRESENCE_DEAD   12000    /* ms without one */
#define NGX_WS_CHAT_PRESENCE_PAST   600000   /* ms until it is forgotten */


/* A worker of any node that told something; number 0 is this one. */

typedef struct {
    wsc_str_t                   name;         /* len 0: no such worker */
    ngx_msec_t                  heard;
    ngx_uint_t                  dead;
} ngx_ws_chat_worker_t;


static ngx_uint_t ngx_ws_chat_presence_worker(const wsc_str_t *name,
    ngx_uint_t add);
static void ngx_ws_chat_presence_own(ngx_ws_chat_state_t *st,
    const wsc_note_t *note);
static ngx_uint_t ngx_ws_chat_presence_lives(ngx_ws_chat_state_t *st,
    const wsc_note_t *note, ngx_uint_t worker);
static void ngx_ws_chat_presence_set(ngx_ws_chat_state_t *st,
    const wsc_str_t *user, ngx_uint_t conns, const wsc_str_t *info);
static void ngx_ws_chat_presence_again(ngx_ws_chat_state_t *st);
static void ngx_ws_chat_presence_retell(ngx_ws_chat_state_t *st,
    wsc_present_t *u);
static void ngx_ws_chat_presence_want(ngx_ws_chat_state_t *st);
static void ngx_ws_chat_presence_flush(ngx_event_t *ev);
static ngx_int_t ngx_ws_chat_presence_emit(ngx_ws_chat_state_t *st,
    wsc_note_t *notes, ngx_uint_t n);
static void ngx_ws_chat_presence_gone(ngx_ws_chat_state_t *st,
    wsc_note_t *notes, ngx_uint_t n);
static void ngx_ws_chat_presence_note(wsc_note_t *note,
    const wsc_present_t *u, const wsc_str_t *worker, ngx_uint_t conns);
static void ngx_ws_chat_presence_known(void *ctx, const wsc_present_t *u,
    int came);
static void ngx_ws_chat_presence_change(void *ctx, const wsc_present_t *u,
    int came);
static void ngx_ws_chat_presence_announce(ngx_ws_chat_state_t *st);
static void ngx_ws_chat_presence_live(ngx_ws_chat_zone_t *z);
static void ngx_ws_chat_presence_tick(ngx_event_t *ev);
static void ngx_ws_chat_presence_expire(ngx_uint_t worker);
static void ngx_ws_chat_presence_dead(ngx_ws_chat_state_t *st,
    ngx_uint_t worker);
static void ngx_ws_chat_presence_rooms(void (*call)(ngx_ws_chat_state_t *st,
    ngx_uint_t data), ngx_uint_t data);
static void ngx_ws_chat_presence_renamed(ngx_ws_chat_state_t *st,
    ngx_uint_t data);


/* of this worker */

static ngx_ws_chat_main_conf_t  *ngx_ws_chat_presence_conf;
static ngx_ws_chat_worker_t     *ngx_ws_chat_workers;
static ngx_uint_t                ngx_ws_chat_nworkers;
static ngx_msec_t                ngx_ws_chat_presence_named;
static ngx_event_t               ngx_ws_chat_presence_event;
static ngx_event_t               ngx_ws_chat_presence_timer;
static ngx_connection_t          ngx_ws_chat_presence_none;
static ngx_queue_t               ngx_ws_chat_presence_queue = {
    &ngx_ws_chat_presence_queue, &ngx_ws_chat_presence_queue
};


void
ngx_ws_chat_presence_join(ngx_ws_chat_state_t *st, const wsc_str_t *user,
    const wsc_str_t *info)
{
    wsc_str_t       none = wsc_null_string;
    wsc_present_t  *u;

    u = wsc_presence_find(&st->presence, user);

    ngx_ws_chat_presence_set(st, user, (u ? wsc_present_of(u, 0) : 0) + 1,
                             info ? info : &none);
}


void
ngx_ws_chat_presence_leave(ngx_ws_chat_state_t *st, const wsc_str_t *user)
{
    wsc_str_t       none = wsc_null_string;
    ngx_uint_t      n;
    wsc_present_t  *u;

    u = wsc_presence_find(&st->presence, user);
    n = u ? wsc_present_of(u, 0) : 0;

    if (n) {
        ngx_ws_chat_presence_set(st, user, n - 1, &none);
    }
}


/* Without memory nobody hears of it. */

static void
ngx_ws_chat_presence_set(ngx_ws_chat_state_t *st, const wsc_str_t *user,
    ngx_uint_t conns, const wsc_str_t *info)
{
    if (conns >= WSC_PRESENCE_WORKERS
        || wsc_presence_set(&st->presence, user, 0, conns, info, 1,
                            (uint32_t) ngx_current_msec)
           != WSC_OK)
    {
        return;
    }

    ngx_ws_chat_presence_want(st);
    ngx_ws_chat_state_activate(st);
}


void
ngx_ws_chat_presence_take(ngx_ws_chat_state_t *st, const wsc_note_t *note)
{
    ngx_uint_t  worker;

    if (wsc_str_same(&note->sender, ngx_ws_chat_state_uid())) {
        ngx_ws_chat_presence_own(st, note);
        return;
    }

    if (note->key.len > WSC_MAX_USER || note->n[0] >= WSC_PRESENCE_WORKERS) {
        return;
    }

    worker = ngx_ws_chat_presence_worker(&note->sender, note->n[0] != 0);

    if (worker == 0 || !ngx_ws_chat_presence_lives(st, note, worker)) {
        return;
    }

    (void) wsc_presence_set(&st->presence, &note->key, worker, note->n[0],
                            &note->value.data, 0,
                            (uint32_t) ngx_current_msec);

    if (st->room->live && st->presence.changes) {
        ngx_ws_chat_state_activate(st);
    }
}


/*
 * One's own are known better.  Who took this worker for dead, because it had
 * nothing to do, said that they are gone: they are told again.
 */

static void
ngx_ws_chat_presence_own(ngx_ws_chat_state_t *st, const wsc_note_t *note)
{
    wsc_present_t  *u;

    u = wsc_presence_find(&st->presence, &note->key);

    if (u && note->n[0] == 0) {
        ngx_ws_chat_presence_retell(st, u);
    }
}


/*
 * What is found of a worker that is dead was told to a chat that nobody was
 * in when that was noticed.
 */

static ngx_uint_t
ngx_ws_chat_presence_lives(ngx_ws_chat_state_t *st, const wsc_note_t *note,
    ngx_uint_t worker)
{
    wsc_note_t  gone;

    if (!ngx_ws_chat_workers[worker].dead || note->n[0] == 0) {
        return 1;
    }

    if (st->load == NULL) {
        ngx_ws_chat_workers[worker].dead = 0;
        ngx_ws_chat_workers[worker].heard = ngx_current_msec;
        return 1;
    }

    ngx_memzero(&gone, sizeof(wsc_note_t));

    gone.key = note->key;
    gone.sender = note->sender;

    ngx_ws_chat_presence_gone(st, &gone, 1);

    return 0;
}


void
ngx_ws_chat_presence_loading(ngx_ws_chat_state_t *st)
{
    wsc_presence_mark(&st->presence, 0);
}


void
ngx_ws_chat_presence_loaded(ngx_ws_chat_state_t *st, wsc_err_e err)
{
    uint32_t  wait;

    if (err != WSC_ERR_NONE) {
        return;
    }

    wsc_presence_sweep(&st->presence, (uint32_t) ngx_current_msec);

    if (st->room->live) {
        ngx_ws_chat_presence_again(st);
        return;
    }

    /* who joins now is told of them by `joined`; others come with it */

    st->announced = (uint32_t) ngx_current_msec;

    (void) wsc_presence_changes(&st->presence, (uint32_t) ngx_current_msec,
                                0, (size_t) -1, ngx_ws_chat_presence_known,
                                NULL, &wait);
}


static void
ngx_ws_chat_presence_known(void *ctx, const wsc_present_t *u, int came)
{
    /* nobody has to be told */
}


/* Tells all of its own again. */

static void
ngx_ws_chat_presence_again(ngx_ws_chat_state_t *st)
{
    wsc_present_t  *u;

    for (u = wsc_presence_next(&st->presence, NULL);
         u;
         u = wsc_presence_next(&st->presence, u))
    {
        ngx_ws_chat_presence_retell(st, u);
    }
}


static void
ngx_ws_chat_presence_retell(ngx_ws_chat_state_t *st, wsc_present_t *u)
{
    ngx_uint_t  n;
    wsc_str_t   user, none = wsc_null_string;

    n = wsc_present_of(u, 0);

    if (n) {
        user.data = u->user;
        user.len = u->len;
        ngx_ws_chat_presence_set(st, &user, n, &none);
    }
}


void
ngx_ws_chat_presence_missed(ngx_ws_chat_state_t *st)
{
    if (st->room->attach.zone->redis == NULL
        || ngx_current_msec - ngx_ws_chat_presence_named
           < NGX_WS_CHAT_PRESENCE_PACE)
    {
        return;
    }

    ngx_ws_chat_presence_named = ngx_current_msec;

    ngx_ws_chat_state_rename();
    ngx_ws_chat_presence_rooms(ngx_ws_chat_presence_renamed, 0);
}


static void
ngx_ws_chat_presence_renamed(ngx_ws_chat_state_t *st, ngx_uint_t data)
{
    ngx_ws_chat_presence_again(st);
}


/* reports, at the end of the turn */

static void
ngx_ws_chat_presence_want(ngx_ws_chat_state_t *st)
{
    if (!st->reporting) {
        st->reporting = 1;
        ngx_queue_insert_tail(&ngx_ws_chat_presence_queue, &st->reports);
        ngx_post_event(&ngx_ws_chat_presence_event, &ngx_posted_events);
    }
}


static void
ngx_ws_chat_presence_flush(ngx_event_t *ev)
{
    ngx_queue_t          *q;
    ngx_ws_chat_state_t  *st;

    while (!ngx_queue_empty(&ngx_ws_chat_presence_queue)) {
        q = ngx_queue_head(&ngx_ws_chat_presence_queue);
        st = ngx_queue_data(q, ngx_ws_chat_state_t, reports);

        ngx_queue_remove(q);
        st->reporting = 0;

        if (ngx_ws_chat_presence_report(st) != NGX_OK) {
            /* the next visit tries again */
            ngx_ws_chat_state_activate(st);
        }
    }
}


ngx_int_t
ngx_ws_chat_presence_report(ngx_ws_chat_state_t *st)
{
    ngx_uint_t      i, n;
    wsc_note_t      notes[WSC_NEWS_NOTES];
    wsc_present_t  *u, *next, *users[WSC_NEWS_NOTES];

    n = 0;

    if (st->presence.reports && !st->room->attach.zone->beats) {
        /* who took it for dead would not believe it */
        ngx_ws_chat_presence_live(st->room->attach.zone);
    }

    for (u = wsc_presence_next(&st->presence, NULL);
         u && st->presence.reports;
         u = next)
    {
        next = wsc_presence_next(&st->presence, u);

        if (u->report) {
            ngx_ws_chat_presence_note(&notes[n], u, ngx_ws_chat_state_uid(),
                                      wsc_present_of(u, 0));
            users[n++] = u;
        }

        if (n == WSC_NEWS_NOTES || (n && n == st->presence.reports)) {

            if (ngx_ws_chat_presence_emit(st, notes, n) != NGX_OK) {
                return NGX_DECLINED;
            }

            for (i = 0; i < n; i++) {
                wsc_presence_reported(&st->presence, users[i]);
            }

            n = 0;
        }
    }

    return NGX_OK;
}


static void
ngx_ws_chat_presence_note(wsc_note_t *note, const wsc_present_t *u,
    const wsc_str_t *worker, ngx_uint_t conns)
{
    ngx_memzero(note, sizeof(wsc_note_t));

    note->key.data = (u_char *) u->user;
    note->key.len = u->len;
    note->sender = *worker;
    note->n[0] = conns;

    if (conns && u->info) {
        note->value.data = wsc_present_info(u);
    }
}


static ngx_int_t
ngx_ws_chat_presence_emit(ngx_ws_chat_state_t *st, wsc_note_t *notes,
    ngx_uint_t n)
{
    wsc_news_t           news;
    ngx_ws_chat_zone_t  *z;

    z = st->room->attach.zone;

    news.type = WSC_NEWS_PRESENCE;
    news.to = WSC_TO_CHAT;
    news.name = st->room->attach.chat_id;
    news.notes = notes;
    news.count = n;

    return z->store->emit(z, &news);
}


/* A worker that lives has to hear of it: else what it told is found again. */

static void
ngx_ws_chat_presence_gone(ngx_ws_chat_state_t *st, wsc_note_t *notes,
    ngx_uint_t n)
{
    if (ngx_ws_chat_presence_emit(st, notes, n) != NGX_OK) {
        st->again = 1;
        ngx_ws_chat_state_activate(st);
    }
}


/* What cannot be told any more fades with the worker's name. */

void
ngx_ws_chat_presence_done(ngx_ws_chat_state_t *st)
{
    if (ngx_ws_chat_presence_report(st) != NGX_OK) {
        ngx_ws_chat_presence_named = ngx_current_msec;

        ngx_ws_chat_state_rename();
        ngx_ws_chat_presence_rooms(ngx_ws_chat_presence_renamed, 0);
    }

    if (st->reporting) {
        ngx_queue_remove(&st->reports);
    }

    wsc_presence_free(&st->presence);
}


/* events */

ngx_uint_t
ngx_ws_chat_presence_visit(ngx_ws_chat_state_t *st)
{
    if (st->presence.reports) {
        ngx_ws_chat_presence_want(st);
    }

    if (st->presence.changes == 0) {
        return 0;
    }

    if (st->room->live
        && (uint32_t) ngx_current_msec - st->announced
           >= NGX_WS_CHAT_PRESENCE_PACE)
    {
        ngx_ws_chat_presence_announce(st);
    }

    return st->presence.changes != 0;
}


static void
ngx_ws_chat_presence_announce(ngx_ws_chat_state_t *st)
{
    size_t                n;
    uint32_t              wait;
    wsc_buf_t             changes, *b;
    wsc_enc_e             enc;
    ngx_uint_t            many;
    ngx_ws_chat_room_t   *room;

    room = st->room;
    many = (st->presence.count > NGX_WS_CHAT_PRESENCE_NAMES);

    wsc_buf_init(&changes, &ngx_ws_chat_alloc);

    n = wsc_presence_changes(&st->presence, (uint32_t) ngx_current_msec,
                             (uint32_t) room->conf->presence_grace,
                             many ? (size_t) -1 : NGX_WS_CHAT_PRESENCE_MAX,
                             many ? ngx_ws_chat_presence_known
                                  : ngx_ws_chat_presence_change,
                             &changes, &wait);
    b = &ngx_ws_chat_scratch.event;

    for (enc = 0; n && enc < WSC_ENC_N; enc++) {

        if (ngx_ws_chat_room_reads(room, enc)) {
            wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);

            wsc_event_presence(b, enc, ngx_ws_chat_room_name(room), &changes,
                               st->presence.count);
            ngx_ws_chat_room_put(room, enc, NULL);
        }
    }

    if (n) {
        st->announced = (uint32_t) ngx_current_msec;
    }

    wsc_buf_free(&changes);
}


static void
ngx_ws_chat_presence_change(void *ctx, const wsc_present_t *u, int came)
{
    wsc_buf_t *changes = ctx;

    wsc_buf_byte(changes, came);
    wsc_buf_byte(changes, u->len);
    wsc_buf_add(changes, u->user, u->len);
}


/* workers */

/* The number of a worker; 0: there is none, or no memory. */

static ngx_uint_t
ngx_ws_chat_presence_worker(const wsc_str_t *name, ngx_uint_t add)
{
    ngx_uint_t             i, free;
    ngx_ws_chat_worker_t  *w;

    free = 0;

    for (i = 1; i < ngx_ws_chat_nworkers; i++) {
        w = &ngx_ws_chat_workers[i];

        if (wsc_str_same(&w->name, name) && name->len) {
            return i;
        }

        if (w->name.len == 0 && free == 0) {
            free = i;
        }
    }

    if (!add || name->len == 0 || name->len > WSC_MAX_USER) {
        return 0;
    }

    if (free == 0) {
        if (ngx_ws_chat_nworkers >= WSC_PRESENCE_WORKERS / 2) {
            return 0;
        }

        free = ngx_max(ngx_ws_chat_nworkers, 1);

        w = wsc_alloc(&ngx_ws_chat_alloc,
                      2 * free * sizeof(ngx_ws_chat_worker_t));
        if (w == NULL) {
            return 0;
        }

        ngx_memzero(w, 2 * free * sizeof(ngx_ws_chat_worker_t));

        if (ngx_ws_chat_workers) {
            ngx_memcpy(w, ngx_ws_chat_workers,
                       free * sizeof(ngx_ws_chat_worker_t));
            wsc_free(&ngx_ws_chat_alloc, ngx_ws_chat_workers);
        }

        ngx_ws_chat_workers = w;
        ngx_ws_chat_nworkers = 2 * free;
    }

    w = &ngx_ws_chat_workers[free];

    w->name.data = wsc_alloc(&ngx_ws_chat_alloc, name->len);
    if (w->name.data == NULL) {
        return 0;
    }

    ngx_memcpy(w->name.data, name->data, name->len);
    w->name.len = name->len;
    w->heard = ngx_current_msec;
    w->dead = 0;

    return free;
}


void
ngx_ws_chat_presence_beat(const wsc_news_t *news)
{
    size_t      i;
    ngx_uint_t  worker;

    for (i = 0; i < news->count; i++) {
        worker = ngx_ws_chat_presence_worker(&news->notes[i].sender, 0);

        if (worker) {
            ngx_ws_chat_workers[worker].heard = ngx_current_msec;
            ngx_ws_chat_workers[worker].dead = 0;
        }
    }
}


static void
ngx_ws_chat_presence_live(ngx_ws_chat_zone_t *z)
{
    wsc_news_t  news;
    wsc_note_t  note;

    ngx_memzero(&note, sizeof(wsc_note_t));
    ngx_memzero(&news, sizeof(wsc_news_t));

    note.sender = *ngx_ws_chat_state_uid();
    news.type = WSC_NEWS_BEAT;
    news.to = WSC_TO_ZONE;
    news.notes = &note;
    news.count = 1;

    z->beats = (z->store->emit(z, &news) == NGX_OK);
}


static void
ngx_ws_chat_presence_tick(ngx_event_t *ev)
{
    ngx_uint_t             i, stale;
    ngx_ws_chat_zone_t   **z;

    z = ngx_ws_chat_presence_conf->zones.elts;
    stale = 0;

    for (i = 0; i < ngx_ws_chat_presence_conf->zones.nelts; i++) {
        stale |= (z[i]->stale != 0);

        z[i]->beats = 0;

        if (z[i]->rooms.root != z[i]->rooms.sentinel) {
            ngx_ws_chat_presence_live(z[i]);
        }
    }

    /* while nothing is heard at all, nobody can be called dead */

    for (i = 1; i < ngx_ws_chat_nworkers; i++) {

        if (stale && !ngx_ws_chat_workers[i].dead) {
            ngx_ws_chat_workers[i].heard = ngx_current_msec;
        }

        if (ngx_ws_chat_workers[i].name.len) {
            ngx_ws_chat_presence_expire(i);
        }
    }

    ngx_add_timer(ev, NGX_WS_CHAT_PRESENCE_BEAT);
}


static void
ngx_ws_chat_presence_expire(ngx_uint_t worker)
{
    ngx_msec_t             silent;
    ngx_ws_chat_worker_t  *w;

    w = &ngx_ws_chat_workers[worker];
    silent = ngx_current_msec - w->heard;

    if (!w->dead && silent > NGX_WS_CHAT_PRESENCE_DEAD) {
        w->dead = 1;
        ngx_ws_chat_presence_rooms(ngx_ws_chat_presence_dead, worker);
    }

    if (silent > NGX_WS_CHAT_PRESENCE_PAST) {
        wsc_free(&ngx_ws_chat_alloc, w->name.data);
        w->name.len = 0;
    }
}


/* What it told is not kept any longer; whoever finds out says so. */

static void
ngx_ws_chat_presence_dead(ngx_ws_chat_state_t *st, ngx_uint_t worker)
{
    ngx_uint_t      n;
    wsc_note_t      notes[WSC_NEWS_NOTES];
    wsc_present_t  *u;

    n = 0;

    for (u = wsc_presence_next(&st->presence, NULL);
         u;
         u = wsc_presence_next(&st->presence, u))
    {
        if (wsc_present_of(u, worker)) {
            ngx_ws_chat_presence_note(&notes[n++], u,
                                      &ngx_ws_chat_workers[worker].name, 0);
        }

        if (n == WSC_NEWS_NOTES) {
            ngx_ws_chat_presence_gone(st, notes, n);
            n = 0;
        }
    }

    if (n) {
        ngx_ws_chat_presence_gone(st, notes, n);
    }

    wsc_presence_forget(&st->presence, worker, (uint32_t) ngx_current_msec);
    ngx_ws_chat_state_activate(st);
}


static void
ngx_ws_chat_presence_rooms(void (*call)(ngx_ws_chat_state_t *st,
    ngx_uint_t data), ngx_uint_t data)
{
    ngx_uint_t            i;
    ngx_rbtree_node_t    *node;
    ngx_ws_chat_room_t   *room;
    ngx_ws_chat_zone_t  **z;

    z = ngx_ws_chat_presence_conf->zones.elts;

    for (i = 0; i < ngx_ws_chat_presence_conf->zones.nelts; i++) {

        if (z[i]->rooms.root == z[i]->rooms.sentinel) {
            continue;
        }

        for (node = ngx_rbtree_min(z[i]->rooms.root, z[i]->rooms.sentinel);
             node;
             node = ngx_rbtree_next(&z[i]->rooms, node))
        {
            room = ngx_rbtree_data(node, ngx_ws_chat_room_t, node);
            call(room->state, data);
        }
    }
}


void
ngx_ws_chat_presence_init(ngx_ws_chat_main_conf_t *mcf, ngx_log_t *log)
{
    ngx_event_t  *ev;

    ngx_ws_chat_presence_conf = mcf;
    ngx_ws_chat_presence_none.fd = (ngx_socket_t) -1;

    ev = &ngx_ws_chat_presence_event;
    ev->handler = ngx_ws_chat_presence_flush;
    ev->data = ev;
    ev->log = log;

    ev = &ngx_ws_chat_presence_timer;
    ev->handler = ngx_ws_chat_presence_tick;
    ev->data = &ngx_ws_chat_presence_none;
    ev->log = log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_WS_CHAT_PRESENCE_BEAT);
}


void
ngx_ws_chat_presence_exit(void)
{
    ngx_uint_t  i;

    if (ngx_ws_chat_presence_event.posted) {
        ngx_delete_posted_event(&ngx_ws_chat_presence_event);
    }

    if (ngx_ws_chat_presence_timer.timer_set) {
        ngx_del_timer(&ngx_ws_chat_presence_timer);
    }

    for (i = 1; i < ngx_ws_chat_nworkers; i++) {
        if (ngx_ws_chat_workers[i].name.len) {
            wsc_free(&ngx_ws_chat_alloc, ngx_ws_chat_workers[i].name.data);
        }
    }

    wsc_free(&ngx_ws_chat_alloc, ngx_ws_chat_workers);
    ngx_ws_chat_workers = NULL;
    ngx_ws_chat_nworkers = 0;
}

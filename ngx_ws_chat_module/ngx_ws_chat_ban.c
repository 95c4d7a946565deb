
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who tells something waits until it hears of it like every other worker: then
 * the store has it, and whoever missed it finds it there.
 */


#include "ngx_ws_chat_ban.h"
#include "ngx_ws_chat_client_all.h"
#include "ngx_ws_chat_events.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_now.h"
#include "ngx_ws_chat_op.h"
#include "ngx_ws_chat_reply.h"
#include "core/wsc_frame.h"


#define NGX_WS_CHAT_BAN_TABLE     100000    /* at most in a zone */
#define NGX_WS_CHAT_BAN_TICK      100       /* ms, until all is known */
#define NGX_WS_CHAT_BAN_PATIENCE  3000      /* ms of joins, for that */
#define NGX_WS_CHAT_BAN_ANSWER    5000      /* ms, to hear what was told */
#define NGX_WS_CHAT_BAN_GONE      60000     /* ms behind its end one is
                                               forgotten: clocks differ */


struct ngx_ws_chat_bans_s {
    ngx_ws_chat_zone_t               *zone;
    wsc_bans_t                        table;
    ngx_ws_chat_load_t                load;
    ngx_event_t                       event;      /* loads again */
    ngx_queue_t                       waiting;    /* for `known` */
    ngx_queue_t                       asked;      /* to be heard of */
    ngx_msec_t                        started;
    unsigned                          known:1;    /* it was loaded, ever */
    unsigned                          loading:1;
    unsigned                          again:1;    /* to be loaded again */
};


static ngx_uint_t ngx_ws_chat_ban_notes(struct ngx_ws_chat_bans_s *bans,
    ngx_ws_chat_ban_t *ban, wsc_note_t *notes);
static void ngx_ws_chat_ban_note(wsc_note_t *note, const wsc_ban_t *old);
static void ngx_ws_chat_ban_timeout(ngx_event_t *ev);
static void ngx_ws_chat_ban_finish(ngx_ws_chat_ban_t *ban, wsc_err_e err);
static void ngx_ws_chat_ban_event(const ngx_ws_chat_ban_t *ban);
static void ngx_ws_chat_ban_heard(struct ngx_ws_chat_bans_s *bans,
    unsigned type, const wsc_note_t *note, wsc_err_e err);
static void ngx_ws_chat_ban_apply(ngx_ws_chat_zone_t *z,
    const wsc_ban_t *ban);
static void ngx_ws_chat_ban_client(ngx_ws_chat_client_t *cl, void *data);
static void ngx_ws_chat_ban_load(struct ngx_ws_chat_bans_s *bans);
static void ngx_ws_chat_ban_loaded_news(ngx_ws_chat_load_t *l,
    const wsc_news_t *news);
static void ngx_ws_chat_ban_loaded(ngx_ws_chat_load_t *l);
static void ngx_ws_chat_ban_ready(struct ngx_ws_chat_bans_s *bans,
    wsc_err_e err);
static void ngx_ws_chat_ban_tick(ngx_event_t *ev);


void
ngx_ws_chat_ban(ngx_ws_chat_ban_t *ban)
{
    ngx_uint_t                  n;
    ngx_event_t                *ev;
    wsc_note_t                  notes[WSC_NEWS_NOTES];
    wsc_news_t                  news;
    ngx_ws_chat_zone_t         *z;
    struct ngx_ws_chat_bans_s  *bans;

    z = ban->zone;
    bans = z->bans;
    ban->waiting = 0;

    if (!bans->known) {
        ban->done(ban, WSC_ERR_UNAVAILABLE);
        return;
    }

    n = ngx_ws_chat_ban_notes(bans, ban, notes);

    if (n == 0) {
        /* there is nothing to be taken back */
        ban->done(ban, WSC_ERR_NONE);
        return;
    }

    ngx_memzero(&news, sizeof(wsc_news_t));

    news.type = ban->type;
    news.to = WSC_TO_ZONE;
    news.notes = notes;
    news.count = n;

    /* where there is no room something can be taken back */

    if ((ban->seconds && bans->table.n >= bans->table.max)
        || z->store->emit(z, &news) != NGX_OK)
    {
        ban->done(ban, WSC_ERR_UNAVAILABLE);
        return;
    }

    ev = &ban->event;
    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_ws_chat_ban_timeout;
    ev->data = ban;
    ev->log = ngx_cycle->log;

    ban->waiting = 1;
    ngx_queue_insert_tail(&bans->asked, &ban->queue);
    ngx_add_timer(ev, NGX_WS_CHAT_BAN_ANSWER);
}


/*
 * What is new, what it takes the place of, and what has ended long ago.  Sets
 * ban->end to that of the first.  What happens at the same time elsewhere has
 * another end: nobody takes back what he does not know.
 */

static ngx_uint_t
ngx_ws_chat_ban_notes(struct ngx_ws_chat_bans_s *bans,
    ngx_ws_chat_ban_t *ban, wsc_note_t *notes)
{
    uint64_t    now;
    wsc_ban_t  *old;
    ngx_uint_t  n, same, pass;

    n = 0;
    now = ngx_ws_chat_now();

    if (ban->seconds) {
        ngx_memzero(&notes[n], sizeof(wsc_note_t));

        notes[n].key = ban->user;
        notes[n].sender = ban->chat_id;
        notes[n].n[0] = (ban->seconds == NGX_WS_CHAT_BAN_EVER)
                        ? WSC_MAX_INTEGER - 1 : now + ban->seconds * 1000;
        notes[n].n[2] = now;
        n++;
    }

    for (pass = 0; pass < 2; pass++) {

        for (old = wsc_bans_next(&bans->table, NULL);
             old && n < WSC_NEWS_NOTES;
             old = wsc_bans_next(&bans->table, old))
        {
            same = wsc_ban_is(old, ban->type, &ban->chat_id, &ban->user);

            if (old->type != ban->type || same == pass
                || (same && ban->seconds && old->end == notes[0].n[0])
                || (!same && old->end + NGX_WS_CHAT_BAN_GONE > now))
            {
                continue;
            }

            ngx_ws_chat_ban_note(&notes[n++], old);
        }

        if (n == 0) {
            return 0;
        }
    }

    ban->end = notes[0].n[0] ? notes[0].n[0] : notes[0].n[1];

    return n;
}


static void
ngx_ws_chat_ban_note(wsc_note_t *note, const wsc_ban_t *old)
{
    ngx_memzero(note, sizeof(wsc_note_t));

    note->key = old->user;
    note->sender = old->chat_id;
    note->n[1] = old->end;
}


void
ngx_ws_chat_ban_cancel(ngx_ws_chat_ban_t *ban)
{
    if (!ban->waiting) {
        return;
    }

    ban->waiting = 0;
    ngx_queue_remove(&ban->queue);

    if (ban->event.timer_set) {
        ngx_del_timer(&ban->event);
    }
}


static void
ngx_ws_chat_ban_timeout(ngx_event_t *ev)
{
    ngx_ws_chat_ban_finish(ev->data, WSC_ERR_UNKNOWN);
}


static void
ngx_ws_chat_ban_finish(ngx_ws_chat_ban_t *ban, wsc_err_e err)
{
    ngx_ws_chat_ban_cancel(ban);

    if (err == WSC_ERR_NONE && ban->type == WSC_NEWS_BAN) {
        ngx_ws_chat_ban_event(ban);
    }

    ban->done(ban, err);
}


/* Tells back ends, once, wherever the user is. */

static void
ngx_ws_chat_ban_event(const ngx_ws_chat_ban_t *ban)
{
    wsc_happening_t  h;

    ngx_memzero(&h, sizeof(wsc_happening_t));

    h.event = ban->chat_id.len ? "kick" : "block";
    h.chat_id = ban->chat_id;
    h.user = ban->user;
    h.seconds = ban->seconds;
    h.timed = (ban->seconds != NGX_WS_CHAT_BAN_EVER);

    ngx_ws_chat_events_tell(ban->zone, &h);
}


static void
ngx_ws_chat_ban_heard(struct ngx_ws_chat_bans_s *bans, unsigned type,
    const wsc_note_t *note, wsc_err_e err)
{
    uint64_t            end;
    ngx_queue_t        *q, *next;
    ngx_ws_chat_ban_t  *ban;

    end = note->n[0] ? note->n[0] : note->n[1];

    for (q = ngx_queue_head(&bans->asked);
         q != ngx_queue_sentinel(&bans->asked);
         q = next)
    {
        next = ngx_queue_next(q);
        ban = ngx_queue_data(q, ngx_ws_chat_ban_t, queue);

        if (ban->type == type && ban->end == end
            && ban->user.len == note->key.len
            && ban->chat_id.len == note->sender.len
            && ngx_memcmp(ban->user.data, note->key.data, note->key.len) == 0
            && (ban->chat_id.len == 0
                || ngx_memcmp(ban->chat_id.data, note->sender.data,
                              note->sender.len)
                   == 0))
        {
            /* whoever is told may ask for something in there */
            ngx_ws_chat_ban_finish(ban, err);
            return;
        }
    }
}


ngx_int_t
ngx_ws_chat_ban_check(ngx_ws_chat_zone_t *z, const wsc_str_t *chat_id,
    const wsc_str_t *user)
{
    struct ngx_ws_chat_bans_s  *bans;

    bans = z->bans;

    if (bans->known) {
        return (wsc_bans_end(&bans->table, chat_id, user) > ngx_ws_chat_now())
               ? NGX_DECLINED : NGX_OK;
    }

    return (z->stale || ngx_current_msec - bans->started
                        >= NGX_WS_CHAT_BAN_PATIENCE)
           ? NGX_BUSY : NGX_AGAIN;
}


void
ngx_ws_chat_ban_wait(ngx_ws_chat_zone_t *z, ngx_ws_chat_waiting_t *w)
{
    w->queued = 1;
    ngx_queue_insert_tail(&z->bans->waiting, &w->queue);
}


void
ngx_ws_chat_ban_news(ngx_ws_chat_zone_t *z, const wsc_news_t *news)
{
    size_t                      i;
    wsc_ban_t                   ban;
    const wsc_note_t           *note;
    struct ngx_ws_chat_bans_s  *bans;

    bans = z->bans;

    for (i = 0; i < news->count; i++) {
        note = &news->notes[i];

        (void) wsc_bans_take(&bans->table, news->type, note);

        if (note->n[0]) {
            ban.type = news->type;
            ban.user = note->key;
            ban.chat_id = note->sender;
            ban.end = note->n[0];
            ban.time = WSC_MAX_INTEGER;

            ngx_ws_chat_ban_apply(z, &ban);

        } else {
            /* what is being loaded may have it still */
            bans->again |= bans->loading;
        }

        ngx_ws_chat_ban_heard(bans, news->type, note, WSC_ERR_NONE);
    }
}


void
ngx_ws_chat_ban_untold(ngx_ws_chat_zone_t *z, const wsc_news_t *news)
{
    size_t  i;

    for (i = 0; z->bans && i < news->count; i++) {
        ngx_ws_chat_ban_heard(z->bans, news->type, &news->notes[i],
                              WSC_ERR_UNAVAILABLE);
    }
}


/* The user's clients here are told, and leave. */

static void
ngx_ws_chat_ban_apply(ngx_ws_chat_zone_t *z, const wsc_ban_t *ban)
{
    if (ban->end > ngx_ws_chat_now()) {
        ngx_ws_chat_client_each(z, &ban->user, ngx_ws_chat_ban_client,
                                (void *) ban);
    }
}


static void
ngx_ws_chat_ban_client(ngx_ws_chat_client_t *cl, void *data)
{
    const wsc_ban_t *ban = data;

    if (ban->type == WSC_NEWS_DISCONNECT) {

        if (cl->opened <= ban->time) {
            ngx_ws_chat_client_close(cl, WSC_CLOSE_DISCONNECTED,
                                     "disconnected");
        }

        return;
    }

    if (ban->chat_id.len) {
        ngx_ws_chat_op_expel(cl, &ban->chat_id);
        return;
    }

    ngx_ws_chat_client_close(cl, WSC_CLOSE_FORBIDDEN, "blocked");
}


void
ngx_ws_chat_ban_missed(ngx_ws_chat_zone_t *z)
{
    if (z->bans) {
        ngx_ws_chat_ban_load(z->bans);
    }
}


static void
ngx_ws_chat_ban_load(struct ngx_ws_chat_bans_s *bans)
{
    if (bans->loading) {
        bans->again = 1;
        return;
    }

    bans->loading = 1;
    bans->again = 0;

    wsc_bans_mark(&bans->table);

    bans->zone->store->load(&bans->load);
}


static void
ngx_ws_chat_ban_loaded_news(ngx_ws_chat_load_t *l, const wsc_news_t *news)
{
    size_t                      i;
    struct ngx_ws_chat_bans_s  *bans;

    bans = ngx_queue_data(l, struct ngx_ws_chat_bans_s, load);

    if (news->type != WSC_NEWS_BAN && news->type != WSC_NEWS_DISCONNECT) {
        return;
    }

    for (i = 0; i < news->count; i++) {
        (void) wsc_bans_take(&bans->table, news->type, &news->notes[i]);
    }
}


static void
ngx_ws_chat_ban_loaded(ngx_ws_chat_load_t *l)
{
    wsc_ban_t                  *ban;
    struct ngx_ws_chat_bans_s  *bans;

    bans = ngx_queue_data(l, struct ngx_ws_chat_bans_s, load);
    bans->loading = 0;

    if (l->err != WSC_ERR_NONE) {
        bans->again = 1;

    } else {
        wsc_bans_sweep(&bans->table);

        for (ban = wsc_bans_next(&bans->table, NULL);
             ban;
             ban = wsc_bans_next(&bans->table, ban))
        {
            ngx_ws_chat_ban_apply(bans->zone, ban);
        }

        bans->known = 1;
        ngx_ws_chat_ban_ready(bans, WSC_ERR_NONE);
    }

    if (bans->again && !bans->event.timer_set) {
        ngx_add_timer(&bans->event, NGX_WS_CHAT_BAN_TICK);
    }
}


static void
ngx_ws_chat_ban_ready(struct ngx_ws_chat_bans_s *bans, wsc_err_e err)
{
    ngx_queue_t            *q, turn;
    ngx_ws_chat_waiting_t  *w;

    if (ngx_queue_empty(&bans->waiting)) {
        return;
    }

    ngx_queue_init(&turn);
    ngx_queue_add(&turn, &bans->waiting);
    ngx_queue_init(&bans->waiting);

    while (!ngx_queue_empty(&turn)) {
        q = ngx_queue_head(&turn);
        w = ngx_queue_data(q, ngx_ws_chat_waiting_t, queue);

        ngx_queue_remove(q);
        w->queued = 0;

        w->ready(w, err);
    }
}


static void
ngx_ws_chat_ban_tick(ngx_event_t *ev)
{
    struct ngx_ws_chat_bans_s  *bans;

    bans = ev->data;

    if (!bans->loading) {
        ngx_ws_chat_ban_load(bans);
    }

    if (!bans->known
        && ngx_current_msec - bans->started >= NGX_WS_CHAT_BAN_PATIENCE)
    {
        ngx_ws_chat_ban_ready(bans, WSC_ERR_UNAVAILABLE);
    }

    if ((bans->again || !bans->known) && !ev->timer_set) {
        ngx_add_timer(ev, NGX_WS_CHAT_BAN_TICK);
    }
}


ngx_int_t
ngx_ws_chat_ban_init(ngx_ws_chat_main_conf_t *mcf, ngx_log_t *log)
{
    ngx_uint_t                  i;
    ngx_ws_chat_zone_t        **zones;
    struct ngx_ws_chat_bans_s  *bans;

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {

        bans = wsc_alloc(&ngx_ws_chat_alloc,
                         sizeof(struct ngx_ws_chat_bans_s));
        if (bans == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(bans, sizeof(struct ngx_ws_chat_bans_s));

        zones[i]->bans = bans;
        bans->zone = zones[i];
        bans->started = ngx_current_msec;

        wsc_bans_init(&bans->table, &ngx_ws_chat_alloc,
                      NGX_WS_CHAT_BAN_TABLE);
        ngx_queue_init(&bans->waiting);
        ngx_queue_init(&bans->asked);

        bans->load.zone = zones[i];
        bans->load.news = ngx_ws_chat_ban_loaded_news;
        bans->load.done = ngx_ws_chat_ban_loaded;

        bans->event.handler = ngx_ws_chat_ban_tick;
        bans->event.data = bans;
        bans->event.log = log;
        bans->event.cancelable = 1;

        ngx_ws_chat_ban_load(bans);
    }

    return NGX_OK;
}


void
ngx_ws_chat_ban_done(ngx_ws_chat_zone_t *z)
{
    struct ngx_ws_chat_bans_s  *bans;

    bans = z->bans;

    if (bans->loading) {
        z->store->cancel_load(&bans->load);
    }

    if (bans->event.timer_set) {
        ngx_del_timer(&bans->event);
    }

    wsc_bans_free(&bans->table);
    wsc_free(&ngx_ws_chat_alloc, bans);

    z->bans = NULL;
}

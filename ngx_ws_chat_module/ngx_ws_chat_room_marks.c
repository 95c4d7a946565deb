
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Marks only rise, but the store keeps what it was told last, and two workers
 * may tell of one user at a time.  Who hears a lower mark than its own tells
 * its own again; so what is kept ends up with the highest one.
 */


#include "ngx_ws_chat_room_marks.h"
#include "ngx_ws_chat_mem.h"
#include "core/wsc_event_state.h"


#define NGX_WS_CHAT_MARKS_PACE    250     /* ms between two of a user */
#define NGX_WS_CHAT_MARKS_HOLD    2000    /* ms to come back to who said it */
#define NGX_WS_CHAT_MARKS_WINDOW  100     /* ms: in this time */
#define NGX_WS_CHAT_MARKS_LOAD    10000   /* events times members, at most */


static ngx_ws_chat_marks_t *ngx_ws_chat_marks_create(
    ngx_ws_chat_state_t *st);
static wsc_pos_t ngx_ws_chat_marks_clamp(ngx_ws_chat_state_t *st,
    wsc_pos_t pos);
static ngx_int_t ngx_ws_chat_marks_again(ngx_ws_chat_state_t *st,
    const wsc_str_t *user, wsc_pos_t delivered, wsc_pos_t read);
static void ngx_ws_chat_marks_raised(ngx_ws_chat_state_t *st,
    wsc_mark_t *mark, ngx_uint_t told);
static ngx_uint_t ngx_ws_chat_marks_lower(ngx_ws_chat_state_t *st,
    const wsc_note_t *note, wsc_pos_t delivered, wsc_pos_t read,
    ngx_uint_t own);
static ngx_uint_t ngx_ws_chat_marks_low(const wsc_mark_t *mark,
    wsc_pos_t delivered, wsc_pos_t read);
static void ngx_ws_chat_marks_make_room(ngx_ws_chat_state_t *st);
static void ngx_ws_chat_marks_window(ngx_ws_chat_marks_t *marks);
static ngx_uint_t ngx_ws_chat_marks_may_tell(ngx_ws_chat_state_t *st);
static ngx_uint_t ngx_ws_chat_marks_ripe(const wsc_mark_t *mark);
static void ngx_ws_chat_marks_tell(ngx_ws_chat_state_t *st,
    wsc_mark_t *mark);
static ngx_int_t ngx_ws_chat_marks_send(ngx_ws_chat_state_t *st,
    wsc_mark_t **said, ngx_uint_t n);
static void ngx_ws_chat_marks_level(ngx_ws_chat_state_t *st,
    wsc_mark_t *said);
static void ngx_ws_chat_marks_note(wsc_note_t *note, const wsc_mark_t *mark);
static ngx_int_t ngx_ws_chat_marks_emit(ngx_ws_chat_state_t *st,
    const wsc_note_t *notes, ngx_uint_t n);
static void ngx_ws_chat_marks_send_due(ngx_ws_chat_state_t *st,
    ngx_uint_t all);
static void ngx_ws_chat_marks_tell_due(ngx_ws_chat_state_t *st);
static void ngx_ws_chat_marks_settle(ngx_ws_chat_state_t *st);


ngx_int_t
ngx_ws_chat_marks_say(ngx_ws_chat_state_t *st, const wsc_str_t *user,
    wsc_pos_t delivered, wsc_pos_t read)
{
    ngx_ws_chat_marks_t  *marks;

    delivered = ngx_ws_chat_marks_clamp(st, delivered);
    read = ngx_ws_chat_marks_clamp(st, read);

    if (delivered.seq == 0 && read.seq == 0) {
        return NGX_OK;
    }

    marks = ngx_ws_chat_marks_create(st);

    if (marks == NULL) {
        return NGX_DECLINED;
    }

    if (wsc_marks_cover(&marks->known, user, delivered, read)) {
        return NGX_OK;
    }

    return ngx_ws_chat_marks_again(st, user, delivered, read);
}


static ngx_ws_chat_marks_t *
ngx_ws_chat_marks_create(ngx_ws_chat_state_t *st)
{
    ngx_ws_chat_marks_t  *marks;

    if (st->marks) {
        return st->marks;
    }

    marks = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_marks_t));
    if (marks == NULL) {
        return NULL;
    }

    ngx_memzero(marks, sizeof(ngx_ws_chat_marks_t));

    wsc_marks_init(&marks->known, &ngx_ws_chat_alloc, NGX_WS_CHAT_MARKS_USERS,
                   (uint32_t) ngx_random());
    wsc_marks_init(&marks->said, &ngx_ws_chat_alloc, NGX_WS_CHAT_MARKS_USERS,
                   marks->known.seed);

    st->marks = marks;

    return marks;
}


static wsc_pos_t
ngx_ws_chat_marks_clamp(ngx_ws_chat_state_t *st, wsc_pos_t pos)
{
    wsc_pos_t  seen;

    seen = ngx_ws_chat_room_seen(st->room);

    return (wsc_pos_cmp(pos, seen) > 0) ? seen : pos;
}


/* Tells others of it, now or when it is time. */

static ngx_int_t
ngx_ws_chat_marks_again(ngx_ws_chat_state_t *st, const wsc_str_t *user,
    wsc_pos_t delivered, wsc_pos_t read)
{
    ssize_t               rc;
    ngx_uint_t            fresh;
    wsc_mark_t           *mark;
    ngx_ws_chat_marks_t  *marks;

    marks = st->marks;

    rc = wsc_marks_raise(&marks->said, user, delivered, read, &mark);

    if (rc == WSC_DECLINED) {
        mark = wsc_marks_find(&marks->said, user);
    }

    if (rc == WSC_ERROR || mark == NULL) {
        return NGX_DECLINED;
    }

    fresh = !mark->told && !mark->due;

    wsc_marks_due(&marks->said, mark, 1);
    ngx_ws_chat_marks_window(marks);

    if (fresh && marks->nsent < WSC_NEWS_NOTES) {
        marks->nsent++;

        if (ngx_ws_chat_marks_send(st, &mark, 1) != NGX_OK) {
            wsc_marks_drop(&marks->said, mark);
            return NGX_DECLINED;
        }
    }

    ngx_ws_chat_state_activate(st);

    return NGX_OK;
}


wsc_pos_t
ngx_ws_chat_marks_read(ngx_ws_chat_state_t *st, const wsc_str_t *user)
{
    wsc_pos_t    none = { 0, 0 };
    wsc_mark_t  *known, *said;

    if (st->marks == NULL) {
        return none;
    }

    known = wsc_marks_find(&st->marks->known, user);
    said = wsc_marks_find(&st->marks->said, user);

    if (known && said && wsc_pos_cmp(known->read, said->read) < 0) {
        return said->read;
    }

    return known ? known->read : said ? said->read : none;
}


/* news */

void
ngx_ws_chat_marks_take(ngx_ws_chat_state_t *st, const wsc_note_t *note,
    ngx_uint_t told)
{
    wsc_pos_t             delivered, read;
    ngx_uint_t            own, lower;
    wsc_mark_t           *mark;
    ngx_ws_chat_marks_t  *marks;

    wsc_news_mark(note, &delivered, &read);

    marks = ngx_ws_chat_marks_create(st);

    if (marks == NULL || note->key.len == 0 || note->key.len > WSC_MAX_USER) {
        return;
    }

    mark = wsc_marks_find(&marks->known, &note->key);

    if (delivered.seq == 0) {
        if (mark) {
            wsc_marks_forget(&marks->known, mark);
        }

        return;
    }

    own = wsc_str_same(&note->sender, ngx_ws_chat_state_uid());

    if (own && mark == NULL) {
        ngx_ws_chat_marks_make_room(st);
    }

    lower = ngx_ws_chat_marks_lower(st, note, delivered, read, own);

    if (wsc_marks_raise(&marks->known, &note->key, delivered, read, &mark)
        == WSC_OK)
    {
        ngx_ws_chat_marks_raised(st, mark, told);
    }

    if (lower) {
        (void) ngx_ws_chat_marks_again(st, &note->key, delivered, read);
    }
}


static void
ngx_ws_chat_marks_raised(ngx_ws_chat_state_t *st, wsc_mark_t *mark,
    ngx_uint_t told)
{
    if (!told) {
        return;
    }

    if (ngx_ws_chat_marks_ripe(mark) && ngx_ws_chat_marks_may_tell(st)) {
        ngx_ws_chat_marks_tell(st, mark);
        return;
    }

    wsc_marks_due(&st->marks->known, mark, 1);
    ngx_ws_chat_state_activate(st);
}


/* Of a user of this worker: somebody did not know how far it has come. */

static ngx_uint_t
ngx_ws_chat_marks_lower(ngx_ws_chat_state_t *st, const wsc_note_t *note,
    wsc_pos_t delivered, wsc_pos_t read, ngx_uint_t own)
{
    wsc_mark_t     *known, *said;
    wsc_present_t  *u;

    known = wsc_marks_find(&st->marks->known, &note->key);
    said = wsc_marks_find(&st->marks->said, &note->key);

    if (!ngx_ws_chat_marks_low(known, delivered, read)
        && (own || !ngx_ws_chat_marks_low(said, delivered, read)))
    {
        return 0;
    }

    u = wsc_presence_find(&st->presence, &note->key);

    return said || (u && wsc_present_of(u, 0));
}


static ngx_uint_t
ngx_ws_chat_marks_low(const wsc_mark_t *mark, wsc_pos_t delivered,
    wsc_pos_t read)
{
    return mark && (wsc_pos_cmp(delivered, mark->delivered) < 0
                    || wsc_pos_cmp(read, mark->read) < 0);
}


/* Whose user is new tells that another one is kept no more. */

static void
ngx_ws_chat_marks_make_room(ngx_ws_chat_state_t *st)
{
    wsc_note_t    note;
    wsc_marks_t  *known;

    known = &st->marks->known;

    if (known->n == known->max) {
        ngx_memzero(&note, sizeof(wsc_note_t));

        note.key.data = known->last->user;
        note.key.len = known->last->len;
        note.sender = *ngx_ws_chat_state_uid();

        (void) ngx_ws_chat_marks_emit(st, &note, 1);
    }
}


/* what may go out */

static void
ngx_ws_chat_marks_window(ngx_ws_chat_marks_t *marks)
{
    if (ngx_current_msec - marks->since >= NGX_WS_CHAT_MARKS_WINDOW) {
        marks->since = ngx_current_msec;
        marks->nsent = 0;
        marks->ntold = 0;
    }
}


/* In a large chat there are not more of them than it can take. */

static ngx_uint_t
ngx_ws_chat_marks_may_tell(ngx_ws_chat_state_t *st)
{
    ngx_ws_chat_marks_t  *marks;

    marks = st->marks;
    ngx_ws_chat_marks_window(marks);

    if (marks->ntold && marks->ntold * st->room->members
                        >= NGX_WS_CHAT_MARKS_LOAD)
    {
        return 0;
    }

    marks->ntold++;

    return 1;
}


static ngx_uint_t
ngx_ws_chat_marks_ripe(const wsc_mark_t *mark)
{
    return !mark->told
           || (uint32_t) ngx_current_msec - mark->at >= NGX_WS_CHAT_MARKS_PACE;
}


static void
ngx_ws_chat_marks_tell(ngx_ws_chat_state_t *st, wsc_mark_t *mark)
{
    wsc_note_t  note;

    ngx_ws_chat_marks_note(&note, mark);
    ngx_ws_chat_room_tell(st->room, wsc_event_mark, &note);

    mark->told = 1;
    mark->at = (uint32_t) ngx_current_msec;
    wsc_marks_due(&st->marks->known, mark, 0);
}


static ngx_int_t
ngx_ws_chat_marks_send(ngx_ws_chat_state_t *st, wsc_mark_t **said,
    ngx_uint_t n)
{
    ngx_uint_t  i;
    wsc_note_t  notes[WSC_NEWS_NOTES];

    for (i = 0; i < n; i++) {
        ngx_ws_chat_marks_level(st, said[i]);
        ngx_ws_chat_marks_note(&notes[i], said[i]);
    }

    if (ngx_ws_chat_marks_emit(st, notes, n) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (i = 0; i < n; i++) {
        said[i]->told = 1;
        said[i]->at = (uint32_t) ngx_current_msec;
        wsc_marks_due(&st->marks->said, said[i], 0);
    }

    return NGX_OK;
}


/* The last word is what is kept: it is not below what others have said. */

static void
ngx_ws_chat_marks_level(ngx_ws_chat_state_t *st, wsc_mark_t *said)
{
    wsc_str_t          user;
    const wsc_mark_t  *known;

    user.data = said->user;
    user.len = said->len;

    known = wsc_marks_find(&st->marks->known, &user);

    if (known && wsc_pos_cmp(known->delivered, said->delivered) > 0) {
        said->delivered = known->delivered;
    }

    if (known && wsc_pos_cmp(known->read, said->read) > 0) {
        said->read = known->read;
    }
}


static void
ngx_ws_chat_marks_note(wsc_note_t *note, const wsc_mark_t *mark)
{
    ngx_memzero(note, sizeof(wsc_note_t));

    note->key.data = (u_char *) mark->user;
    note->key.len = mark->len;
    note->sender = *ngx_ws_chat_state_uid();

    note->n[0] = mark->delivered.epoch;
    note->n[1] = mark->delivered.seq;
    note->n[2] = mark->read.epoch;
    note->n[3] = mark->read.seq;
}


static ngx_int_t
ngx_ws_chat_marks_emit(ngx_ws_chat_state_t *st, const wsc_note_t *notes,
    ngx_uint_t n)
{
    wsc_news_t           news;
    ngx_ws_chat_zone_t  *z;

    z = st->room->attach.zone;

    news.type = WSC_NEWS_MARK;
    news.to = WSC_TO_CHAT;
    news.name = st->room->attach.chat_id;
    news.notes = notes;
    news.count = n;

    return z->store->emit(z, &news);
}


/* events */

ngx_uint_t
ngx_ws_chat_marks_visit(ngx_ws_chat_state_t *st)
{
    ngx_ws_chat_marks_t  *marks;

    marks = st->marks;

    if (marks == NULL) {
        return 0;
    }

    ngx_ws_chat_marks_send_due(st, 0);
    ngx_ws_chat_marks_tell_due(st);
    ngx_ws_chat_marks_settle(st);

    return marks->said.n || marks->known.due;
}


/* all: whoever said it has left; else as many as is good at a time. */

static void
ngx_ws_chat_marks_send_due(ngx_ws_chat_state_t *st, ngx_uint_t all)
{
    ngx_uint_t    n;
    wsc_mark_t   *mark, *next, *said[WSC_NEWS_NOTES];
    wsc_marks_t  *marks;

    n = 0;
    marks = &st->marks->said;

    for (mark = marks->last; mark; mark = next) {
        next = mark->prev;

        if (mark->due && (all || ngx_ws_chat_marks_ripe(mark))) {
            said[n++] = mark;
        }

        if (n == WSC_NEWS_NOTES || (n && next == NULL)) {

            if (ngx_ws_chat_marks_send(st, said, n) != NGX_OK || !all) {
                return;
            }

            n = 0;
        }
    }
}


ngx_int_t
ngx_ws_chat_marks_send_all(ngx_ws_chat_state_t *st)
{
    if (st->marks == NULL) {
        return NGX_OK;
    }

    ngx_ws_chat_marks_send_due(st, 1);

    return st->marks->said.due ? NGX_DECLINED : NGX_OK;
}


static void
ngx_ws_chat_marks_tell_due(ngx_ws_chat_state_t *st)
{
    uint32_t      left;
    wsc_mark_t   *mark;
    wsc_marks_t  *marks;

    marks = &st->marks->known;

    if (marks->due == 0) {
        return;
    }

    /* those that are due were raised lately; the first of them goes first */

    mark = marks->first;

    for (left = marks->due - mark->due; left; left -= mark->due) {
        mark = mark->next;
    }

    for ( /* void */ ; mark; mark = mark->prev) {

        if (mark->due && ngx_ws_chat_marks_ripe(mark)) {

            if (!ngx_ws_chat_marks_may_tell(st)) {
                return;
            }

            ngx_ws_chat_marks_tell(st, mark);
        }
    }
}


/* What was said is known by now, or it is said again. */

static void
ngx_ws_chat_marks_settle(ngx_ws_chat_state_t *st)
{
    wsc_str_t     user;
    wsc_mark_t   *mark, *next;
    wsc_marks_t  *said;

    said = &st->marks->said;

    for (mark = said->last; mark; mark = next) {
        next = mark->prev;

        if (mark->due || (uint32_t) ngx_current_msec - mark->at
                         < NGX_WS_CHAT_MARKS_HOLD)
        {
            continue;
        }

        user.data = mark->user;
        user.len = mark->len;

        if (wsc_marks_cover(&st->marks->known, &user, mark->delivered,
                            mark->read))
        {
            wsc_marks_drop(said, mark);

        } else {
            wsc_marks_due(said, mark, 1);
        }
    }

    if (said->n == 0) {
        wsc_marks_free(said);
    }
}


void
ngx_ws_chat_marks_free(ngx_ws_chat_state_t *st)
{
    if (st->marks == NULL) {
        return;
    }

    wsc_marks_free(&st->marks->known);
    wsc_marks_free(&st->marks->said);
    wsc_free(&ngx_ws_chat_alloc, st->marks);
}

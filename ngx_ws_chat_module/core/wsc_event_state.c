
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Events of a conversation's state.
 */


#include "wsc_event_int.h"
#include "wsc_event_state.h"
#include "wsc_sorted.h"


#define WSC_EVENT_TYPING  20      /* in `joined` */
#define WSC_EVENT_USERS   100
#define WSC_EVENT_MARKS   100


static void wsc_event_changes(wsc_writer_t *w, const char *key,
    const wsc_buf_t *changes, int came);
static size_t wsc_event_users(wsc_writer_t *w, const wsc_presence_t *presence,
    size_t offset, size_t limit);
static void wsc_event_user(wsc_writer_t *w, const wsc_present_t *u);
static void wsc_event_signals(wsc_writer_t *w, const wsc_latest_t *signals);
static void wsc_event_marks(wsc_writer_t *w, const wsc_marks_t *marks,
    const wsc_mark_t *own);
static void wsc_event_mark_of(wsc_writer_t *w, const wsc_mark_t *mark);
static void wsc_event_positions(wsc_writer_t *w, wsc_pos_t delivered,
    wsc_pos_t read);
static void wsc_event_place(wsc_writer_t *w, const char *key, wsc_pos_t pos);


void
wsc_event_settled(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "settled", NULL, chat_id);

    wsc_event_str(&w, "cid", &note->key);
    wsc_event_uint(&w, "epoch", note->n[0]);
    wsc_event_uint(&w, "seq", note->n[1]);

    wsc_writer_end(&w);
}


void
wsc_event_signal(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "signal", NULL, chat_id);

    wsc_event_str(&w, "sender", &note->sender);
    wsc_event_str(&w, "name", &note->key);
    wsc_event_value(&w, "data", &note->value);

    wsc_writer_end(&w);
}


void
wsc_event_typing(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "typing", NULL, chat_id);

    wsc_event_str(&w, "sender", &note->key);
    wsc_writer_key(&w, "on");
    wsc_writer_bool(&w, note->n[0] != 0);

    wsc_writer_end(&w);
}


void
wsc_event_state(wsc_writer_t *w, const wsc_joined_t *j)
{
    size_t                    n;
    const wsc_latest_item_t  *item;

    wsc_writer_key(w, "typing");
    wsc_writer_array(w);

    n = 0;

    for (item = j->typing->first; item; item = item->next) {
        if (n++ < WSC_EVENT_TYPING) {
            wsc_writer_str(w, &item->key);
        }
    }

    wsc_writer_end(w);

    wsc_event_signals(w, j->signals);

    wsc_writer_key(w, "presence");
    wsc_writer_map(w);
    wsc_event_uint(w, "count", j->presence->count);
    (void) wsc_event_users(w, j->presence, 0, WSC_EVENT_USERS);
    wsc_writer_end(w);

    wsc_event_marks(w, j->marks,
                    j->marks ? wsc_marks_find(j->marks, &j->user) : NULL);

    if (j->unread >= 0) {
        wsc_event_uint(w, "unread", j->unread);
    }
}


void
wsc_event_mark(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_note_t *note)
{
    wsc_pos_t     delivered, read;
    wsc_writer_t  w;

    wsc_news_mark(note, &delivered, &read);

    wsc_event_reply(&w, b, enc, "mark", NULL, chat_id);

    wsc_event_str(&w, "sender", &note->key);
    wsc_event_positions(&w, delivered, read);

    wsc_writer_end(&w);
}


void
wsc_event_marks_after(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_marks_t *marks, const wsc_str_t *after, size_t limit)
{
    size_t             i;
    wsc_sorted_t       page;
    wsc_writer_t       w;
    const wsc_mark_t  *mark;

    wsc_sorted_init(&page, after, limit);

    for (mark = marks ? marks->first : NULL; mark; mark = mark->next) {
        wsc_sorted_add(&page, mark->user, mark->len, mark);
    }

    wsc_event_reply(&w, b, enc, "marks_page", NULL, chat_id);

    wsc_event_uint(&w, "count", marks ? marks->n : 0);

    wsc_writer_key(&w, "marks");
    wsc_writer_map(&w);

    for (i = 0; i < page.n; i++) {
        wsc_event_mark_of(&w, page.items[i].item);
    }

    wsc_writer_end(&w);

    wsc_writer_key(&w, "more");
    wsc_writer_bool(&w, page.more);

    wsc_writer_end(&w);
}


/* `own`, then those raised last first. */

static void
wsc_event_marks(wsc_writer_t *w, const wsc_marks_t *marks,
    const wsc_mark_t *own)
{
    size_t             n;
    const wsc_mark_t  *mark;

    wsc_writer_key(w, "marks");
    wsc_writer_map(w);

    n = 0;

    if (own) {
        wsc_event_mark_of(w, own);
        n++;
    }

    for (mark = marks ? marks->first : NULL;
         mark && n < WSC_EVENT_MARKS;
         mark = mark->next)
    {
        if (mark != own) {
            wsc_event_mark_of(w, mark);
            n++;
        }
    }

    wsc_writer_end(w);
}


static void
wsc_event_mark_of(wsc_writer_t *w, const wsc_mark_t *mark)
{
    wsc_str_t  user;

    user.data = (u_char *) mark->user;
    user.len = mark->len;

    wsc_writer_name(w, &user);
    wsc_writer_map(w);
    wsc_event_positions(w, mark->delivered, mark->read);
    wsc_writer_end(w);
}


static void
wsc_event_positions(wsc_writer_t *w, wsc_pos_t delivered, wsc_pos_t read)
{
    wsc_event_place(w, "delivered", delivered);
    wsc_event_place(w, "read", read);
}


static void
wsc_event_place(wsc_writer_t *w, const char *key, wsc_pos_t pos)
{
    if (pos.seq) {
        wsc_event_pos(w, key, pos);
        return;
    }

    wsc_writer_key(w, key);
    wsc_writer_null(w);
}


void
wsc_event_presence(wsc_buf_t *b, wsc_enc_e enc, const wsc_str_t *chat_id,
    const wsc_buf_t *changes, uint64_t count)
{
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "presence", NULL, chat_id);

    wsc_event_changes(&w, "join", changes, 1);
    wsc_event_changes(&w, "leave", changes, 0);
    wsc_event_uint(&w, "count", count);

    wsc_writer_end(&w);
}


static void
wsc_event_changes(wsc_writer_t *w, const char *key, const wsc_buf_t *changes,
    int came)
{
    u_char     *p, *last;
    wsc_str_t   user;

    wsc_writer_key(w, key);
    wsc_writer_array(w);

    p = changes->data;
    last = p + changes->len;

    for ( /* void */ ; p < last; p += 2 + user.len) {
        user.data = p + 2;
        user.len = p[1];

        if (p[0] == came) {
            wsc_writer_str(w, &user);
        }
    }

    wsc_writer_end(w);
}


void
wsc_event_presence_page(wsc_buf_t *b, wsc_enc_e enc, const wsc_id_t *id,
    const wsc_str_t *chat_id, const wsc_presence_t *presence, size_t offset,
    size_t limit)
{
    size_t        n;
    wsc_writer_t  w;

    wsc_event_reply(&w, b, enc, "presence_page", id, chat_id);

    wsc_event_uint(&w, "count", presence->count);
    n = wsc_event_users(&w, presence, offset, limit);

    wsc_writer_key(&w, "more");
    wsc_writer_bool(&w, offset + n < presence->count);

    wsc_writer_end(&w);
}


/* Returns how many there were. */

static size_t
wsc_event_users(wsc_writer_t *w, const wsc_presence_t *presence,
    size_t offset, size_t limit)
{
    size_t                i, n;
    const wsc_present_t  *u;

    wsc_writer_key(w, "users");
    wsc_writer_array(w);

    i = 0;
    n = 0;

    for (u = wsc_presence_next(presence, NULL);
         u && n < limit;
         u = wsc_presence_next(presence, u))
    {
        if (!wsc_present(u) || i++ < offset) {
            continue;
        }

        wsc_event_user(w, u);
        n++;
    }

    wsc_writer_end(w);

    return n;
}


static void
wsc_event_user(wsc_writer_t *w, const wsc_present_t *u)
{
    wsc_str_t    user;
    wsc_value_t  info;

    user.data = (u_char *) u->user;
    user.len = u->len;

    wsc_writer_map(w);
    wsc_event_str(w, "user", &user);
    wsc_event_uint(w, "conns", wsc_present_conns(u));

    if (u->info) {
        info.data = wsc_present_info(u);
        info.binary = 0;
        wsc_event_value(w, "info", &info);
    }

    wsc_writer_end(w);
}


void
wsc_event_presence_after(wsc_buf_t *b, wsc_enc_e enc,
    const wsc_str_t *chat_id, const wsc_presence_t *presence,
    const wsc_str_t *after, size_t limit)
{
    size_t                i;
    wsc_sorted_t          page;
    wsc_writer_t          w;
    const wsc_present_t  *u;

    wsc_sorted_init(&page, after, limit);

    for (u = wsc_presence_next(presence, NULL);
         u;
         u = wsc_presence_next(presence, u))
    {
        if (wsc_present(u)) {
            wsc_sorted_add(&page, u->user, u->len, u);
        }
    }

    wsc_event_reply(&w, b, enc, "presence_page", NULL, chat_id);

    wsc_event_uint(&w, "count", presence->count);

    wsc_writer_key(&w, "users");
    wsc_writer_array(&w);

    for (i = 0; i < page.n; i++) {
        wsc_event_user(&w, page.items[i].item);
    }

    wsc_writer_end(&w);

    wsc_writer_key(&w, "more");
    wsc_writer_bool(&w, page.more);

    wsc_writer_end(&w);
}


static void
wsc_event_signals(wsc_writer_t *w, const wsc_latest_t *signals)
{
    const wsc_latest_item_t  *item;

    wsc_writer_key(w, "signals");
    wsc_writer_map(w);

    for (item = signals->first; item; item = item->next) {
        wsc_writer_name(w, &item->key);
        wsc_writer_map(w);

        wsc_event_str(w, "sender", &item->sender);
        wsc_event_value(w, "data", &item->value);

        wsc_writer_end(w);
    }

    wsc_writer_end(w);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "wsc_frame.h"
#include "wsfloor.h"


static void wf_room_append(wf_room_t *room, const u_char *p, size_t len);
static void wf_room_member(wf_server_t *s, wf_room_t *room, wf_conn_t *c);


wf_room_t *
wf_room_get(wf_server_t *s, const u_char *path, size_t len)
{
    size_t       i;
    uint32_t     hash;
    wf_room_t   *room, **bucket;

    hash = 0;

    for (i = 0; i < len; i++) {
        hash = hash * 31 + path[i];
    }

    bucket = &s->rooms[hash % 65536];

    for (room = *bucket; room; room = room->next) {
        if (strlen(room->path) == len && memcmp(room->path, path, len) == 0) {
            return room;
        }
    }

    room = calloc(1, sizeof(wf_room_t));

    if (room == NULL) {
        wf_die("calloc()");
    }

    room->path = strndup((const char *) path, len);
    room->log = s->each ? NULL : malloc(WF_LOG);

    if (room->path == NULL || (room->log == NULL && !s->each)) {
        wf_die("malloc()");
    }

    room->next = *bucket;
    *bucket = room;

    return room;
}


void
wf_room_add(wf_room_t *room, wf_conn_t *c)
{
    if (room->n == room->size) {
        room->size = room->size ? room->size * 2 : 16;
        room->members = realloc(room->members,
                                room->size * sizeof(wf_conn_t *));
        if (room->members == NULL) {
            wf_die("realloc()");
        }
    }

    c->room = room;
    c->cursor = room->head;
    c->place = room->n;
    room->members[room->n++] = c;
}


void
wf_room_remove(wf_room_t *room, wf_conn_t *c)
{
    wf_conn_t  *last;

    last = room->members[--room->n];
    last->place = c->place;
    room->members[c->place] = last;
}


void
wf_room_text(wf_server_t *s, wf_room_t *room, const wsc_str_t *text)
{
    size_t    len;
    u_char    frame[WSC_FRAME_MAX_HEADER + 65536];
    uint32_t  i;

    if (text->len > 65536) {
        return;
    }

    len = wsc_frame_header(frame, WSC_FRAME_FIN, WSC_OP_TEXT, text->len, NULL);
    memcpy(frame + len, text->data, text->len);
    len += text->len;

    if (!s->each) {
        wf_room_append(room, frame, len);

        if (!room->news) {
            room->news = 1;
            room->dirty = s->dirty;
            s->dirty = room;
        }

        return;
    }

    /* from the end: who is closed leaves its place to one that had it */
    for (i = room->n; i > 0; i--) {
        wf_send(s, room->members[i - 1], frame, len);
    }
}


static void
wf_room_append(wf_room_t *room, const u_char *p, size_t len)
{
    size_t  at, n;

    at = room->head % WF_LOG;
    n = (len < WF_LOG - at) ? len : WF_LOG - at;

    memcpy(room->log + at, p, n);
    memcpy(room->log, p + n, len - n);
    room->head += len;
}


void
wf_room_flush(wf_server_t *s)
{
    uint32_t    i;
    wf_room_t  *room;

    while (s->dirty) {
        room = s->dirty;
        s->dirty = room->dirty;
        room->news = 0;

        for (i = room->n; i > 0; i--) {
            if (!room->members[i - 1]->writing) {
                wf_room_member(s, room, room->members[i - 1]);
            }
        }
    }
}


/* One call for all that a member has not got. */

static void
wf_room_member(wf_server_t *s, wf_room_t *room, wf_conn_t *c)
{
    size_t        at, len;
    ssize_t       n;
    struct iovec  iov[2];

    len = room->head - c->cursor;

    if (len > WF_LOG) {
        wf_close(s, c);
        return;
    }

    at = c->cursor % WF_LOG;

    iov[0].iov_base = room->log + at;
    iov[0].iov_len = (len < WF_LOG - at) ? len : WF_LOG - at;
    iov[1].iov_base = room->log;
    iov[1].iov_len = len - iov[0].iov_len;

    n = writev(c->fd, iov, iov[1].iov_len ? 2 : 1);

    if (n == -1 && errno != EAGAIN) {
        wf_close(s, c);
        return;
    }

    c->cursor += (n == -1) ? 0 : n;
    wf_watch(s, c, c->cursor < room->head);
}


void
wf_room_resume(wf_server_t *s, wf_conn_t *c)
{
    wsc_buf_t  out;

    if (!s->each) {
        wf_room_member(s, c->room, c);
        return;
    }

    out = c->out;
    wsc_buf_init(&c->out, out.alloc);
    wf_watch(s, c, 0);
    wf_send(s, c, out.data, out.len);
    wsc_buf_free(&out);
}

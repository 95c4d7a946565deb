
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Changed messages of a chat that is followed.  A stream's entry stays as it
 * was stored, so that positions and all that follows them stay; what became of
 * it is in a hash beside the stream, read before the stream and laid over what
 * that shows.  A change that is stored in between is published as well: who
 * listens is told.
 */


#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_now.h"


#define NGX_WS_CHAT_LIVE_SLACK  60000          /* ms: clocks differ */


static ngx_int_t ngx_ws_chat_live_over_take(ngx_ws_chat_live_t *l,
    ngx_ws_chat_live_over_t *o, const redisReply *r, size_t size);
static int ngx_libc_cdecl ngx_ws_chat_live_over_cmp(const void *one,
    const void *two);
static void ngx_ws_chat_live_over_hand(ngx_ws_chat_attach_t *a,
    const void *data);


ngx_int_t
ngx_ws_chat_live_over_ask(ngx_ws_chat_live_t *l, ngx_ws_chat_redis_t *rc,
    const wsc_str_t *chat_id, ngx_ws_chat_redis_reply_pt reply, void *data)
{
    ngx_ws_chat_live_cmd_t  *c;

    c = ngx_ws_chat_live_cmd("HVALS");
    ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_CHANGES, chat_id);

    return ngx_ws_chat_live_send(c, rc, reply, data);
}


ngx_int_t
ngx_ws_chat_live_over_read(ngx_ws_chat_live_t *l, ngx_ws_chat_live_over_t *o,
    const redisReply *r)
{
    size_t  i, size;

    ngx_ws_chat_live_over_free(o);

    if (r == NULL || r->type != REDIS_REPLY_ARRAY) {
        (void) ngx_ws_chat_live_later(l, r);
        return NGX_ERROR;
    }

    if (r->elements == 0) {
        return NGX_OK;
    }

    size = r->elements * sizeof(wsc_change_t);

    for (i = 0; i < r->elements; i++) {
        size += r->element[i]->len;
    }

    return ngx_ws_chat_live_over_take(l, o, r, size);
}


/* The changes and their octets in one piece. */

static ngx_int_t
ngx_ws_chat_live_over_take(ngx_ws_chat_live_t *l, ngx_ws_chat_live_over_t *o,
    const redisReply *r, size_t size)
{
    u_char          *p;
    size_t           i;
    wsc_str_t        s;
    wsc_envelope_t   v;

    o->changes = wsc_alloc(&ngx_ws_chat_alloc, size);
    if (o->changes == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) (o->changes + r->elements);

    for (i = 0; i < r->elements; i++) {

        if (ngx_ws_chat_live_reply_str(r->element[i], &s) == NULL) {
            continue;
        }

        ngx_memcpy(p, s.data, s.len);
        s.data = p;

        if (!wsc_envelope_is(&ngx_ws_chat_alloc, &s, WSC_ENVELOPE_CHANGE,
                             &v))
        {
            l->stat.bad++;
            continue;
        }

        o->changes[o->n++] = v.change;
        p += s.len;
    }

    ngx_qsort(o->changes, o->n, sizeof(wsc_change_t),
              ngx_ws_chat_live_over_cmp);

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_ws_chat_live_over_cmp(const void *one, const void *two)
{
    return wsc_pos_cmp(((const wsc_change_t *) one)->pos,
                       ((const wsc_change_t *) two)->pos);
}


void
ngx_ws_chat_live_over_free(ngx_ws_chat_live_over_t *o)
{
    wsc_free(&ngx_ws_chat_alloc, o->changes);

    o->changes = NULL;
    o->n = 0;
}


void
ngx_ws_chat_live_over_apply(const ngx_ws_chat_live_over_t *o, wsc_entry_t *e)
{
    wsc_change_t         key;
    const wsc_change_t  *c;

    key.pos = e->pos;

    c = o->n ? bsearch(&key, o->changes, o->n, sizeof(wsc_change_t),
                       ngx_ws_chat_live_over_cmp)
             : NULL;

    if (c) {
        ngx_ws_chat_live_over_entry(c, e);
    }
}


void
ngx_ws_chat_live_over_entry(const wsc_change_t *c, wsc_entry_t *e)
{
    e->pos = c->pos;
    e->message = c->message;
    e->edited = 1;
    e->retracted = c->retracted;
}


/* A change whose place is not known may have come at any time. */

ngx_uint_t
ngx_ws_chat_live_over_since(const wsc_change_t *c, wsc_pos_t since)
{
    return c->at.seq == 0 || wsc_pos_cmp(c->at, since) >= 0;
}


void
ngx_ws_chat_live_astray(ngx_ws_chat_live_chat_t *chat)
{
    chat->subscribed = 0;

    if (!chat->behind) {
        chat->behind = 1;
        chat->since = chat->follow.last;
        chat->broken = ngx_ws_chat_now();
    }
}


/*
 * What was changed since the subscription broke, which may have been noticed
 * late.
 */

void
ngx_ws_chat_live_over_tell(ngx_ws_chat_live_chat_t *chat)
{
    ngx_uint_t           i;
    wsc_entry_t          e;
    const wsc_change_t  *c;

    if (chat->over.n) {
        chat->changed = 1;
    }

    if (!chat->behind || !chat->subscribed) {
        return;
    }

    chat->behind = 0;

    for (i = 0; i < chat->over.n; i++) {
        c = &chat->over.changes[i];

        if (wsc_pos_cmp(c->pos, chat->follow.last) <= 0
            && (ngx_ws_chat_live_over_since(c, chat->since)
                || c->timestamp + NGX_WS_CHAT_LIVE_SLACK >= chat->broken))
        {
            ngx_memzero(&e, sizeof(wsc_entry_t));
            ngx_ws_chat_live_over_entry(c, &e);
            ngx_ws_chat_live_each(chat, ngx_ws_chat_live_over_hand, &e);
        }
    }
}


ngx_uint_t
ngx_ws_chat_live_over_message(ngx_ws_chat_live_chat_t *chat,
    const wsc_change_t *c)
{
    wsc_entry_t  e;

    if (wsc_pos_cmp(c->pos, chat->follow.last) > 0) {
        /* what is being read may show it as it was */
        chat->again = chat->follow.reading;
        return 1;
    }

    ngx_memzero(&e, sizeof(wsc_entry_t));
    ngx_ws_chat_live_over_entry(c, &e);
    ngx_ws_chat_live_each(chat, ngx_ws_chat_live_over_hand, &e);

    return 0;
}


static void
ngx_ws_chat_live_over_hand(ngx_ws_chat_attach_t *a, const void *data)
{
    a->changed = 1;
    a->ops->update(a, data, 1);
}

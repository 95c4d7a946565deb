
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Changes of messages in a durable zone.  Whose message it is tells a read, of
 * Redis or of the archive behind it; then the change is a record of its own,
 * in the partition of the messages, whose report is the ack.  The relay lays
 * it over what is in Redis and publishes it, the archiver changes the row.
 * Where the archive has named the message, there is nothing to look for.
 */


#include "ngx_ws_chat_live_archive.h"
#include "ngx_ws_chat_live_change.h"
#include "ngx_ws_chat_live_durable.h"
#include "core/wsc_record.h"


/* The look at the message that is to be changed. */

typedef struct {
    ngx_ws_chat_read_t         read;          /* must be first */
    ngx_ws_chat_change_t      *c;
} ngx_ws_chat_live_look_t;


static void ngx_ws_chat_live_revise_on_read(ngx_ws_chat_read_t *r);
static wsc_err_e ngx_ws_chat_live_revise_decide(ngx_ws_chat_change_t *c,
    const ngx_ws_chat_read_t *r);
static void ngx_ws_chat_live_revise_send(ngx_ws_chat_change_t *c);
static void ngx_ws_chat_live_revise_told(void *data, wsc_err_e err);


void
ngx_ws_chat_live_revise(ngx_ws_chat_change_t *c)
{
    ngx_ws_chat_live_t       *l;
    ngx_ws_chat_read_t       *r;
    ngx_ws_chat_live_look_t  *look;

    l = c->zone->data;

    if (c->change.pos.seq == 0) {
        ngx_ws_chat_live_change_answer(c, WSC_ERR_NOT_FOUND);
        return;
    }

    if (c->bare && !l->exiting) {
        ngx_ws_chat_live_revise_send(c);
        return;
    }

    look = l->exiting ? NULL
                      : wsc_alloc(&ngx_ws_chat_alloc,
                                  sizeof(ngx_ws_chat_live_look_t));

    if (look == NULL) {
        ngx_ws_chat_live_change_answer(c, WSC_ERR_UNAVAILABLE);
        return;
    }

    ngx_memzero(look, sizeof(ngx_ws_chat_live_look_t));

    look->c = c;
    c->data = look;

    /* the first one behind the place before it, however old */

    r = &look->read;
    r->zone = c->zone;
    r->chat_id = c->chat_id;
    r->limit = 1;
    r->has_after = 1;
    r->after = c->change.pos;
    r->after.seq--;
    r->done = ngx_ws_chat_live_revise_on_read;

    ngx_ws_chat_live_read(r);
}


void
ngx_ws_chat_live_cancel_revise(ngx_ws_chat_change_t *c)
{
    ngx_ws_chat_live_look_t  *look;

    if (c->sent) {
        ngx_ws_chat_live_call_off(c->data);
        return;
    }

    look = c->data;

    ngx_ws_chat_live_cancel_read(&look->read);
    wsc_free(&ngx_ws_chat_alloc, look);
}


static void
ngx_ws_chat_live_revise_on_read(ngx_ws_chat_read_t *r)
{
    wsc_err_e                 err;
    ngx_ws_chat_change_t     *c;
    ngx_ws_chat_live_look_t  *look;

    look = (ngx_ws_chat_live_look_t *) r;
    c = look->c;

    err = (r->err == WSC_ERR_NONE) ? ngx_ws_chat_live_revise_decide(c, r)
                                   : WSC_ERR_UNAVAILABLE;

    wsc_free(&ngx_ws_chat_alloc, look);
    c->data = NULL;

    if (err != WSC_ERR_NONE || c->dup) {
        ngx_ws_chat_live_change_answer(c, err);
        return;
    }

    ngx_ws_chat_live_revise_send(c);
}


static wsc_err_e
ngx_ws_chat_live_revise_decide(ngx_ws_chat_change_t *c,
    const ngx_ws_chat_read_t *r)
{
    const wsc_entry_t  *e;

    if (r->n == 0) {
        return (r->behind && wsc_pos_cmp(c->change.pos, r->chat.head) > 0)
               ? WSC_ERR_UNAVAILABLE : WSC_ERR_NOT_FOUND;
    }

    e = &r->entries[0];

    if (wsc_pos_cmp(e->pos, c->change.pos) != 0
        || (!ngx_ws_chat_live_archive_is(c->zone)
            && ngx_ws_chat_live_old(&c->limits, e->timestamp)))
    {
        return WSC_ERR_NOT_FOUND;
    }

    if (!c->any && !wsc_str_same(&e->sender, &c->change.by)) {
        return WSC_ERR_FORBIDDEN;
    }

    if (e->retracted) {
        c->dup = c->change.retracted;
        return c->dup ? WSC_ERR_NONE : WSC_ERR_NOT_FOUND;
    }

    return WSC_ERR_NONE;
}


static void
ngx_ws_chat_live_revise_send(ngx_ws_chat_change_t *c)
{
    wsc_buf_t                   *b;
    wsc_err_e                    err;
    ngx_ws_chat_kafka_record_t   r;

    b = &ngx_ws_chat_scratch.event;
    wsc_buf_reset(b, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_record_change(b, c->zone->kafka->format, &c->chat_id, &c->change,
                      c->any);

    r.topic = c->zone->kafka;
    r.key = c->chat_id;
    r.value = b;
    r.nheaders = 0;

    c->data = ngx_ws_chat_live_letter(c->zone->data, &r,
                                      ngx_ws_chat_live_revise_told, c, &err);

    if (c->data == NULL) {
        ngx_ws_chat_live_change_answer(c, err);
        return;
    }

    c->sent = 1;
}


static void
ngx_ws_chat_live_revise_told(void *data, wsc_err_e err)
{
    ngx_ws_chat_live_change_answer(data, err);
}

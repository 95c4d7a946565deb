
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Erasing a user: every stream of the zone is looked for (SCAN of each node)
 * and read, and what the user sent is retracted, one message after the other.
 * Where messages are archived, the archive is then asked for those that have
 * their text; in a durable zone it alone, for it gets to know of all.
 */


#include "ngx_ws_chat_live_archive.h"
#include "ngx_ws_chat_live_change.h"


#define NGX_WS_CHAT_LIVE_ERASE_SCAN   "1000"       /* keys a SCAN */
#define NGX_WS_CHAT_LIVE_ERASE_READ   128          /* entries a read */


typedef struct {
    ngx_ws_chat_live_t         *live;
    ngx_ws_chat_erase_t        *erase;      /* NULL: called off */
    ngx_ws_chat_change_t        change;
    ngx_ws_chat_live_node_t   **nodes;      /* by shard: who had it when its
                                               node was begun; NULL: done */
    ngx_ws_chat_live_node_t    *node;       /* is looked through */
    wsc_buf_t                   cursor;     /* of SCAN; as text */
    wsc_buf_t                   names;      /* of chats: length, octets */
    size_t                      name;       /* how far we are in there */
    wsc_str_t                   chat_id;
    wsc_pos_t                   after;      /* read so far */
    wsc_pos_t                   found[NGX_WS_CHAT_LIVE_ERASE_READ];
    ngx_uint_t                  n;          /* of these */
    ngx_uint_t                  i;          /* retracted */
    ngx_event_t                 event;
    u_char                      chat[WSC_MAX_CHAT_ID];  /* of the archive's */
    unsigned                    archive:1;  /* it is asked now */
    unsigned                    last:1;     /* nothing behind these */
    unsigned                    asking:1;   /* a reply is to come */
    unsigned                    changing:1;
} ngx_ws_chat_live_erase_job_t;


static void ngx_ws_chat_live_erase_handler(ngx_event_t *ev);
static void ngx_ws_chat_live_erase_next(ngx_ws_chat_live_erase_job_t *job);
static ngx_int_t ngx_ws_chat_live_erase_node(
    ngx_ws_chat_live_erase_job_t *job);
static void ngx_ws_chat_live_erase_scan(ngx_ws_chat_live_erase_job_t *job);
static void ngx_ws_chat_live_erase_pattern(wsc_buf_t *b,
    const ngx_str_t *prefix);
static void ngx_ws_chat_live_erase_on_scan(void *data, const redisReply *r);
static void ngx_ws_chat_live_erase_key(ngx_ws_chat_live_erase_job_t *job,
    const wsc_str_t *key);
static void ngx_ws_chat_live_erase_read(ngx_ws_chat_live_erase_job_t *job);
static void ngx_ws_chat_live_erase_on_range(void *data, const redisReply *r);
static void ngx_ws_chat_live_erase_page(ngx_ws_chat_live_erase_job_t *job);
static void ngx_ws_chat_live_erase_on_page(void *data, wsc_page_t *page);
static void ngx_ws_chat_live_erase_change(ngx_ws_chat_live_erase_job_t *job);
static void ngx_ws_chat_live_erase_changed(ngx_ws_chat_change_t *c);
static void ngx_ws_chat_live_erase_done(ngx_ws_chat_live_erase_job_t *job,
    wsc_err_e err);
static void ngx_ws_chat_live_erase_free(ngx_ws_chat_live_erase_job_t *job);


void
ngx_ws_chat_live_erase(ngx_ws_chat_erase_t *e)
{
    ngx_uint_t                     i;
    ngx_ws_chat_live_t            *l;
    ngx_ws_chat_live_erase_job_t  *job;

    l = e->zone->data;
    e->n = 0;
    e->data = NULL;

    job = wsc_alloc(&ngx_ws_chat_alloc,
                    sizeof(ngx_ws_chat_live_erase_job_t)
                    + l->nshards * sizeof(ngx_ws_chat_live_node_t *));

    if (job == NULL || l->exiting || l->refused
        || !ngx_ws_chat_live_erases(l))
    {
        wsc_free(&ngx_ws_chat_alloc, job);
        e->err = ngx_ws_chat_live_erases(l) ? WSC_ERR_UNAVAILABLE
                                            : WSC_ERR_UNKNOWN_OP;
        e->done(e);
        return;
    }

    ngx_memzero(job, sizeof(ngx_ws_chat_live_erase_job_t));

    job->live = l;
    job->erase = e;
    job->nodes = (ngx_ws_chat_live_node_t **) (job + 1);
    job->event.handler = ngx_ws_chat_live_erase_handler;
    job->event.data = job;
    job->event.log = ngx_cycle->log;

    for (i = 0; i < l->nshards; i++) {
        job->nodes[i] = l->zone->durable ? NULL : l->shards[i].node;
    }

    wsc_buf_init(&job->cursor, &ngx_ws_chat_alloc);
    wsc_buf_init(&job->names, &ngx_ws_chat_alloc);

    job->change.zone = e->zone;
    job->change.limits = e->limits;
    job->change.any = 1;
    job->change.bare = e->zone->durable;
    job->change.change.timestamp = e->timestamp;
    job->change.change.retracted = 1;
    job->change.done = ngx_ws_chat_live_erase_changed;

    e->data = job;

    ngx_post_event(&job->event, &ngx_posted_events);
}


void
ngx_ws_chat_live_cancel_erase(ngx_ws_chat_erase_t *e)
{
    ngx_ws_chat_live_erase_job_t  *job;

    job = e->data;

    if (job == NULL) {
        return;
    }

    e->data = NULL;
    job->erase = NULL;

    if (job->changing) {
        job->changing = 0;
        ngx_ws_chat_live_cancel_change(&job->change);
    }

    ngx_ws_chat_live_erase_free(job);
}


/* What follows an answer, not from within it. */

static void
ngx_ws_chat_live_erase_handler(ngx_event_t *ev)
{
    ngx_ws_chat_live_erase_next(ev->data);
}


/* The next message, else page, entries, chat, keys, node. */

static void
ngx_ws_chat_live_erase_next(ngx_ws_chat_live_erase_job_t *job)
{
    uint8_t  len;

    if (job->i < job->n) {
        ngx_ws_chat_live_erase_change(job);
        return;
    }

    if (job->archive) {
        ngx_ws_chat_live_erase_page(job);
        return;
    }

    if (job->chat_id.len && !job->last) {
        ngx_ws_chat_live_erase_read(job);
        return;
    }

    if (job->name < job->names.len) {
        len = job->names.data[job->name];

        job->chat_id.data = job->names.data + job->name + 1;
        job->chat_id.len = len;
        job->name += 1 + len;

        ngx_memzero(&job->after, sizeof(wsc_pos_t));
        ngx_ws_chat_live_erase_read(job);
        return;
    }

    job->chat_id.len = 0;

    if (job->node == NULL
        && ngx_ws_chat_live_erase_node(job) != NGX_OK)
    {
        job->archive = 1;
        job->last = !ngx_ws_chat_live_archive_is(job->live->zone);
        ngx_ws_chat_live_erase_page(job);
        return;
    }

    ngx_ws_chat_live_erase_scan(job);
}


/* A node with a shard that nobody looked for; NGX_DONE: there is none. */

static ngx_int_t
ngx_ws_chat_live_erase_node(ngx_ws_chat_live_erase_job_t *job)
{
    ngx_uint_t           i;
    ngx_ws_chat_live_t  *l;

    l = job->live;

    for (i = 0; i < l->nshards && job->nodes[i] == NULL; i++) {
        /* void */
    }

    if (i == l->nshards) {
        return NGX_DONE;
    }

    job->node = l->shards[i].node;

    for (i = 0; i < l->nshards; i++) {
        if (job->nodes[i]) {
            job->nodes[i] = l->shards[i].node;
        }
    }

    wsc_buf_reset(&job->cursor, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_buf_add(&job->cursor, "0", 1);

    return NGX_OK;
}


static void
ngx_ws_chat_live_erase_scan(ngx_ws_chat_live_erase_job_t *job)
{
    ngx_int_t                rc;
    wsc_buf_t                pattern;
    wsc_str_t                s;
    ngx_uint_t               i;
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_cmd_t  *c;

    l = job->live;

    /* its shards may have gone, and itself with them */

    for (i = 0; i < l->nshards && l->shards[i].node != job->node; i++) {
        /* void */
    }

    if (i == l->nshards) {
        job->node = NULL;
        ngx_post_event(&job->event, &ngx_posted_next_events);
        return;
    }

    wsc_buf_init(&pattern, &ngx_ws_chat_alloc);
    ngx_ws_chat_live_erase_pattern(&pattern, &l->zone->prefix);

    s.data = job->cursor.data;
    s.len = job->cursor.len;

    c = ngx_ws_chat_live_cmd("SCAN");
    c->failed |= (pattern.failed || job->cursor.failed);
    ngx_ws_chat_live_str(c, &s);
    ngx_ws_chat_live_word(c, "MATCH");

    s.data = pattern.data;
    s.len = pattern.len;

    ngx_ws_chat_live_str(c, &s);
    ngx_ws_chat_live_word(c, "COUNT");
    ngx_ws_chat_live_word(c, NGX_WS_CHAT_LIVE_ERASE_SCAN);

    rc = ngx_ws_chat_live_send(c, job->node->command,
                               ngx_ws_chat_live_erase_on_scan, job);

    wsc_buf_free(&pattern);

    if (rc != NGX_OK) {
        ngx_ws_chat_live_erase_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    job->asking = 1;
}


static void
ngx_ws_chat_live_erase_pattern(wsc_buf_t *b, const ngx_str_t *prefix)
{
    u_char  *p;
    size_t   i;

    for (i = 0; i < prefix->len; i++) {
        p = prefix->data + i;

        if (*p == '*' || *p == '?' || *p == '[' || *p == ']' || *p == '\\') {
            wsc_buf_byte(b, '\\');
        }

        wsc_buf_byte(b, *p);
    }

    wsc_buf_add(b, "{*}:s:*", sizeof("{*}:s:*") - 1);
}


static void
ngx_ws_chat_live_erase_on_scan(void *data, const redisReply *r)
{
    ngx_ws_chat_live_erase_job_t *job = data;

    size_t             i;
    wsc_str_t          s;
    const redisReply  *keys;

    job->asking = 0;

    if (job->erase == NULL) {
        ngx_ws_chat_live_erase_free(job);
        return;
    }

    if (r == NULL || r->type != REDIS_REPLY_ARRAY || r->elements != 2
        || ngx_ws_chat_live_reply_str(r->element[0], &s) == NULL)
    {
        ngx_ws_chat_live_erase_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    wsc_buf_reset(&job->cursor, NGX_WS_CHAT_SCRATCH_KEEP);
    wsc_buf_add(&job->cursor, s.data, s.len);

    wsc_buf_reset(&job->names, NGX_WS_CHAT_SCRATCH_KEEP);
    job->name = 0;

    keys = r->element[1];

    for (i = 0; keys->type == REDIS_REPLY_ARRAY && i < keys->elements; i++) {
        if (ngx_ws_chat_live_reply_str(keys->element[i], &s)) {
            ngx_ws_chat_live_erase_key(job, &s);
        }
    }

    if (job->names.failed || job->cursor.failed) {
        ngx_ws_chat_live_erase_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    if (job->cursor.len == 1 && job->cursor.data[0] == '0') {

        for (i = 0; i < job->live->nshards; i++) {
            if (job->nodes[i] == job->node
                && job->live->shards[i].node == job->node)
            {
                job->nodes[i] = NULL;
            }
        }

        job->node = NULL;
    }

    ngx_post_event(&job->event, &ngx_posted_events);
}


/* The chat of a stream, if the key is one of ours. */

static void
ngx_ws_chat_live_erase_key(ngx_ws_chat_live_erase_job_t *job,
    const wsc_str_t *key)
{
    u_char     *p, *last;
    wsc_str_t   chat_id;

    last = key->data + key->len;
    p = key->data + ngx_min(job->live->zone->prefix.len, key->len);
    p = ngx_strlchr(p, last, '}');

    if (p == NULL || last - p < 5) {
        return;
    }

    chat_id.data = p + sizeof("}:s:") - 1;
    chat_id.len = last - chat_id.data;

    if (wsc_chat_id_valid(&chat_id)) {
        wsc_buf_byte(&job->names, (u_char) chat_id.len);
        wsc_buf_add(&job->names, chat_id.data, chat_id.len);
    }
}


static void
ngx_ws_chat_live_erase_read(ngx_ws_chat_live_erase_job_t *job)
{
    ngx_ws_chat_live_t      *l;
    ngx_ws_chat_live_cmd_t  *c;

    l = job->live;

    c = ngx_ws_chat_live_cmd("XRANGE");
    ngx_ws_chat_live_key(c, l, NGX_WS_CHAT_LIVE_STREAM, &job->chat_id);
    ngx_ws_chat_live_id(c, job->after, 1);
    ngx_ws_chat_live_word(c, "+");
    ngx_ws_chat_live_word(c, "COUNT");
    ngx_ws_chat_live_num(c, NGX_WS_CHAT_LIVE_ERASE_READ);

    if (ngx_ws_chat_live_send(c, ngx_ws_chat_live_command_for(l,
                                                              &job->chat_id),
                              ngx_ws_chat_live_erase_on_range, job)
        != NGX_OK)
    {
        ngx_ws_chat_live_erase_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    job->asking = 1;
}


static void
ngx_ws_chat_live_erase_on_range(void *data, const redisReply *r)
{
    ngx_ws_chat_live_erase_job_t *job = data;

    size_t             i;
    ngx_int_t          rc;
    wsc_entry_t        e;
    const wsc_str_t   *user;

    job->asking = 0;

    if (job->erase == NULL) {
        ngx_ws_chat_live_erase_free(job);
        return;
    }

    if (r == NULL || r->type != REDIS_REPLY_ARRAY) {
        (void) ngx_ws_chat_live_later(job->live, r);
        ngx_ws_chat_live_erase_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    user = &job->erase->user;
    job->n = 0;
    job->i = 0;
    job->last = (r->elements < NGX_WS_CHAT_LIVE_ERASE_READ);

    for (i = 0; i < r->elements && i < NGX_WS_CHAT_LIVE_ERASE_READ; i++) {
        rc = ngx_ws_chat_live_reply_entry(job->live, r->element[i], &e);

        if (e.pos.seq) {
            job->after = e.pos;
        }

        if (rc == NGX_OK && wsc_str_same(&e.sender, user)) {
            job->found[job->n++] = e.pos;
        }
    }

    ngx_post_event(&job->event, &ngx_posted_events);
}


static void
ngx_ws_chat_live_erase_page(ngx_ws_chat_live_erase_job_t *job)
{
    if (job->last) {
        ngx_ws_chat_live_erase_done(job, WSC_ERR_NONE);
        return;
    }

    if (ngx_ws_chat_live_archive_sender(&job->erase->user, &job->chat_id,
                                        job->after,
                                        NGX_WS_CHAT_LIVE_ERASE_READ,
                                        ngx_ws_chat_live_erase_on_page, job)
        != NGX_OK)
    {
        ngx_ws_chat_live_erase_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    job->live->stat.archived++;
    job->asking = 1;
}


static void
ngx_ws_chat_live_erase_on_page(void *data, wsc_page_t *page)
{
    ngx_ws_chat_live_erase_job_t *job = data;

    size_t  i;

    job->asking = 0;

    if (job->erase == NULL) {
        ngx_ws_chat_live_erase_free(job);
        return;
    }

    if (page == NULL || page->n > NGX_WS_CHAT_LIVE_ERASE_READ
        || (page->n && !wsc_chat_id_valid(&page->chat_id)))
    {
        ngx_ws_chat_live_erase_done(job, WSC_ERR_UNAVAILABLE);
        return;
    }

    job->n = page->n;
    job->i = 0;
    job->last = (page->n == 0 || !page->more);

    for (i = 0; i < page->n; i++) {
        job->after = page->entries[i].pos;
        job->found[i] = job->after;
    }

    if (page->n) {
        job->chat_id.data = job->chat;
        job->chat_id.len = page->chat_id.len;
        ngx_memcpy(job->chat, page->chat_id.data, page->chat_id.len);
    }

    ngx_post_event(&job->event, &ngx_posted_events);
}


static void
ngx_ws_chat_live_erase_change(ngx_ws_chat_live_erase_job_t *job)
{
    job->change.chat_id = job->chat_id;
    job->change.change.pos = job->found[job->i++];
    job->changing = 1;

    ngx_ws_chat_live_change(&job->change);
}


static void
ngx_ws_chat_live_erase_changed(ngx_ws_chat_change_t *c)
{
    ngx_ws_chat_live_erase_job_t  *job;

    job = (ngx_ws_chat_live_erase_job_t *)
          ((u_char *) c - offsetof(ngx_ws_chat_live_erase_job_t, change));

    job->changing = 0;

    if (c->err == WSC_ERR_NOT_FOUND && job->archive && !c->bare) {
        /* Redis has it no more */
        c->bare = 1;
        job->i--;

        ngx_post_event(&job->event, &ngx_posted_events);
        return;
    }

    c->bare = job->live->zone->durable;

    if (c->err != WSC_ERR_NONE && c->err != WSC_ERR_NOT_FOUND) {
        ngx_ws_chat_live_erase_done(job, c->err);
        return;
    }

    job->erase->n += (c->err == WSC_ERR_NONE && !c->dup);

    ngx_post_event(&job->event, &ngx_posted_events);
}


static void
ngx_ws_chat_live_erase_done(ngx_ws_chat_live_erase_job_t *job, wsc_err_e err)
{
    ngx_ws_chat_erase_t  *e;

    e = job->erase;
    job->erase = NULL;

    ngx_ws_chat_live_erase_free(job);

    e->data = NULL;
    e->err = err;
    e->done(e);
}


/* Unless a reply is still to come, which then does it. */

static void
ngx_ws_chat_live_erase_free(ngx_ws_chat_live_erase_job_t *job)
{
    if (job->event.posted) {
        ngx_delete_posted_event(&job->event);
    }

    if (job->asking) {
        return;
    }

    wsc_buf_free(&job->cursor);
    wsc_buf_free(&job->names);
    wsc_free(&ngx_ws_chat_alloc, job);
}

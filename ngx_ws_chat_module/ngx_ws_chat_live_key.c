
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Keys, all with the zone's prefix and the tag of the chat's shard:
 *
 *     {p}:inc                          incarnation and least epoch
 *     {0}:mode                         how the zone is kept
 *     {p}:k:CHAT                       hash of what is kept of its news
 *     {0}:c  {0}:k                     these of news to users and the zone
 *     {p}:s:CHAT   {p}:e:CHAT          stream, epoch
 *     {p}:u:CHAT                       hash of changes, by the ids of messages
 *     {p}:c:CHAT                       channel
 *     {p}:d:CHAT SENDER-LENGTH SENDER CID      dedupe record
 *
 * and of a durable zone what ngx_ws_chat_live_durable.h tells.
 */


#include "ngx_ws_chat_live_parts.h"
#include "ngx_ws_chat_now.h"
#include "core/wsc_number.h"


static u_char *ngx_ws_chat_live_space(ngx_ws_chat_live_cmd_t *c);
static void ngx_ws_chat_live_shard_key(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_live_shard_t *shard, const char *name);
static u_char *ngx_ws_chat_live_tag(u_char *p,
    ngx_ws_chat_live_shard_t *shard);
static void ngx_ws_chat_live_end(ngx_ws_chat_live_cmd_t *c, u_char *start,
    u_char *last);
static wsc_pos_t ngx_ws_chat_live_reply_pos(const redisReply *entry);


static ngx_ws_chat_live_cmd_t  ngx_ws_chat_live_the_cmd;


ngx_ws_chat_live_cmd_t *
ngx_ws_chat_live_cmd(const char *name)
{
    ngx_ws_chat_live_cmd_t  *c;

    c = &ngx_ws_chat_live_the_cmd;

    c->n = 0;
    c->failed = 0;
    c->last = c->space;

    ngx_ws_chat_live_word(c, name);

    return c;
}


ngx_ws_chat_live_cmd_t *
ngx_ws_chat_live_cmd_publish(ngx_ws_chat_live_t *l)
{
    return ngx_ws_chat_live_cmd(l->map ? "SPUBLISH" : "PUBLISH");
}


void
ngx_ws_chat_live_word(ngx_ws_chat_live_cmd_t *c, const char *word)
{
    wsc_str_t  s;

    s.data = (u_char *) word;
    s.len = ngx_strlen(word);

    ngx_ws_chat_live_str(c, &s);
}


void
ngx_ws_chat_live_str(ngx_ws_chat_live_cmd_t *c, const wsc_str_t *s)
{
    if (c->n == sizeof(c->words) / sizeof(c->words[0])) {
        c->failed = 1;
        return;
    }

    c->words[c->n++] = *s;
}


void
ngx_ws_chat_live_text(ngx_ws_chat_live_cmd_t *c, const u_char *p, size_t len)
{
    u_char  *start;

    start = ngx_ws_chat_live_space(c);

    if (start != NULL) {
        ngx_ws_chat_live_end(c, start, ngx_cpymem(start, p, len));
    }
}


void
ngx_ws_chat_live_num(ngx_ws_chat_live_cmd_t *c, uint64_t n)
{
    u_char  *start;

    start = ngx_ws_chat_live_space(c);

    if (start != NULL) {
        ngx_ws_chat_live_end(c, start,
                             start + wsc_number_print_uint(start, n));
    }
}


/* A key of the shard's own. */

static void
ngx_ws_chat_live_shard_key(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_live_shard_t *shard, const char *name)
{
    u_char  *p, *start;

    start = ngx_ws_chat_live_space(c);

    if (start != NULL) {
        p = ngx_ws_chat_live_tag(start, shard);
        ngx_ws_chat_live_end(c, start, ngx_cpymem(p, name, ngx_strlen(name)));
    }
}


void
ngx_ws_chat_live_inc(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_live_shard_t *shard)
{
    ngx_ws_chat_live_shard_key(c, shard, "inc");
}


void
ngx_ws_chat_live_progress(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_live_shard_t *shard)
{
    ngx_ws_chat_live_shard_key(c, shard, "progress");
}


void
ngx_ws_chat_live_mode(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_live_t *l)
{
    ngx_ws_chat_live_shard_key(c, &l->shards[0], "mode");
}


void
ngx_ws_chat_live_control(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_live_t *l,
    u_char kind)
{
    u_char  *p, *start;

    start = ngx_ws_chat_live_space(c);

    if (start != NULL) {
        p = ngx_ws_chat_live_tag(start, &l->shards[0]);
        *p++ = kind;
        ngx_ws_chat_live_end(c, start, p);
    }
}


void
ngx_ws_chat_live_key(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_live_t *l,
    u_char kind, const wsc_str_t *chat_id)
{
    u_char  *p, *start;

    start = ngx_ws_chat_live_space(c);
    if (start == NULL) {
        return;
    }

    p = ngx_ws_chat_live_tag(start, ngx_ws_chat_live_shard(l, chat_id));
    *p++ = kind;
    *p++ = ':';

    ngx_ws_chat_live_end(c, start,
                         ngx_cpymem(p, chat_id->data, chat_id->len));
}


void
ngx_ws_chat_live_dedupe(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_live_t *l,
    const ngx_ws_chat_publish_t *p)
{
    u_char  *d, *start;

    start = ngx_ws_chat_live_space(c);
    if (start == NULL) {
        return;
    }

    d = ngx_ws_chat_live_tag(start, ngx_ws_chat_live_shard(l, &p->chat_id));
    *d++ = 'd';
    *d++ = ':';
    d = ngx_cpymem(d, p->chat_id.data, p->chat_id.len);
    *d++ = ' ';
    d += wsc_number_print_uint(d, p->entry.sender.len);
    *d++ = ' ';
    d = ngx_cpymem(d, p->entry.sender.data, p->entry.sender.len);
    *d++ = ' ';

    ngx_ws_chat_live_end(c, start, ngx_cpymem(d, p->entry.cid.data,
                                              p->entry.cid.len));
}


void
ngx_ws_chat_live_id(ngx_ws_chat_live_cmd_t *c, wsc_pos_t pos,
    ngx_uint_t exclusive)
{
    u_char  *p, *start;

    start = ngx_ws_chat_live_space(c);
    if (start == NULL) {
        return;
    }

    p = start;

    if (pos.seq == 0) {
        /* before the first of this epoch */
        ngx_ws_chat_live_end(c, start, ngx_sprintf(p, "%uL-0", pos.epoch));
        return;
    }

    if (exclusive) {
        *p++ = '(';
    }

    ngx_ws_chat_live_end(c, start, p + wsc_stream_id_print(p, pos));
}


ngx_int_t
ngx_ws_chat_live_send(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_redis_t *rc,
    ngx_ws_chat_redis_reply_pt reply, void *data)
{
    if (c->failed) {
        return NGX_ERROR;
    }

    return ngx_ws_chat_redis_command(rc, c->n, c->words, reply, data);
}


static u_char *
ngx_ws_chat_live_space(ngx_ws_chat_live_cmd_t *c)
{
    if (c->space + sizeof(c->space) - c->last < NGX_WS_CHAT_LIVE_KEY) {
        c->failed = 1;
        return NULL;
    }

    return c->last;
}


static u_char *
ngx_ws_chat_live_tag(u_char *p, ngx_ws_chat_live_shard_t *shard)
{
    ngx_str_t  *prefix;

    prefix = &shard->live->zone->prefix;

    p = ngx_cpymem(p, prefix->data, prefix->len);
    *p++ = '{';
    p += wsc_number_print_uint(p, shard - shard->live->shards);
    *p++ = '}';
    *p++ = ':';

    return p;
}


static void
ngx_ws_chat_live_end(ngx_ws_chat_live_cmd_t *c, u_char *start, u_char *last)
{
    wsc_str_t  s;

    s.data = start;
    s.len = last - start;

    c->last = last;

    ngx_ws_chat_live_str(c, &s);
}


/* shards */

ngx_ws_chat_live_shard_t *
ngx_ws_chat_live_shard(ngx_ws_chat_live_t *l, const wsc_str_t *chat_id)
{
    return &l->shards[wsc_shard(chat_id, l->nshards)];
}


ngx_ws_chat_redis_t *
ngx_ws_chat_live_command_for(ngx_ws_chat_live_t *l, const wsc_str_t *chat_id)
{
    return ngx_ws_chat_live_shard(l, chat_id)->node->command;
}


uint64_t
ngx_ws_chat_live_stale(ngx_ws_chat_live_shard_t *shard)
{
    return shard->live->refused ? shard->live->refused : shard->node->stale;
}


/* replies */

const wsc_str_t *
ngx_ws_chat_live_reply_str(const redisReply *r, wsc_str_t *s)
{
    if (r == NULL
        || (r->type != REDIS_REPLY_STRING && r->type != REDIS_REPLY_STATUS))
    {
        return NULL;
    }

    s->data = (u_char *) r->str;
    s->len = r->len;

    return s;
}


ngx_int_t
ngx_ws_chat_live_reply_entry(ngx_ws_chat_live_t *l, const redisReply *r,
    wsc_entry_t *e)
{
    wsc_str_t          data;
    wsc_pos_t          pos;
    const redisReply  *fields;
    wsc_envelope_t     v;

    pos = ngx_ws_chat_live_reply_pos(r);
    fields = (pos.seq && r->elements == 2) ? r->element[1] : NULL;

    if (fields && fields->type == REDIS_REPLY_ARRAY && fields->elements >= 2
        && ngx_ws_chat_live_reply_str(fields->element[1], &data)
        && wsc_envelope_is(&ngx_ws_chat_alloc, &data, WSC_ENVELOPE_ENTRY, &v))
    {
        *e = v.entry;
        e->pos = pos;

        if ((!v.has_prev && wsc_stream_prev(pos, &e->prev) == WSC_OK)
            || wsc_pos_cmp(e->prev, pos) < 0)
        {
            return NGX_OK;
        }
    }

    ngx_memzero(e, sizeof(wsc_entry_t));
    e->pos = pos;

    l->stat.bad++;

    return NGX_DECLINED;
}


wsc_pos_t
ngx_ws_chat_live_reply_head(const redisReply *r)
{
    wsc_pos_t  none = { 0, 0 };

    if (r->type != REDIS_REPLY_ARRAY || r->elements == 0) {
        return none;
    }

    return ngx_ws_chat_live_reply_pos(r->element[0]);
}


/* That of an entry; seq 0: it has none. */

static wsc_pos_t
ngx_ws_chat_live_reply_pos(const redisReply *entry)
{
    wsc_str_t  id;
    wsc_pos_t  pos;

    if (entry->type != REDIS_REPLY_ARRAY || entry->elements == 0
        || ngx_ws_chat_live_reply_str(entry->element[0], &id) == NULL
        || wsc_stream_id_parse(&id, &pos) != WSC_OK)
    {
        ngx_memzero(&pos, sizeof(wsc_pos_t));
    }

    return pos;
}


uint64_t
ngx_ws_chat_live_reply_time(const redisReply *r)
{
    uint64_t   now;
    ngx_int_t  sec, usec;
    wsc_str_t  s, us;

    now = ngx_ws_chat_now();

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2
        || ngx_ws_chat_live_reply_str(r->element[0], &s) == NULL
        || ngx_ws_chat_live_reply_str(r->element[1], &us) == NULL)
    {
        return now;
    }

    sec = ngx_atoi(s.data, s.len);
    usec = ngx_atoi(us.data, us.len);

    if (sec == NGX_ERROR || usec == NGX_ERROR) {
        return now;
    }

    return (uint64_t) sec * 1000 + usec / 1000;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_sample.h"
#include "ngx_ws_chat_room.h"
#include "ngx_ws_chat_stat.h"
#include "ngx_ws_chat_store_redis.h"


#define NGX_WS_CHAT_SAMPLE_TIME  1000    /* ms */


/* What was noted of a zone so far. */

typedef struct {
    ngx_atomic_uint_t         in;
    ngx_atomic_uint_t         out;
    ngx_ws_chat_live_stat_t   live;
} ngx_ws_chat_sample_t;


static void ngx_ws_chat_sample_handler(ngx_event_t *ev);
static void ngx_ws_chat_sample_rates(ngx_ws_chat_zone_t *z,
    ngx_ws_chat_sample_t *s, ngx_msec_t ms);
static void ngx_ws_chat_sample_zone(ngx_ws_chat_zone_t *z,
    ngx_ws_chat_sample_t *s);
static ngx_uint_t ngx_ws_chat_sample_rooms(ngx_ws_chat_zone_t *z,
    ngx_ws_chat_busy_t *busy, ngx_uint_t n, ngx_msec_t ms);


static ngx_event_t            ngx_ws_chat_sample_event;
static ngx_msec_t             ngx_ws_chat_sampled;
static ngx_uint_t             ngx_ws_chat_sampled_rooms;    /* as well */
static ngx_ws_chat_sample_t  *ngx_ws_chat_samples;    /* of each zone */


void
ngx_ws_chat_sample_init(ngx_ws_chat_main_conf_t *mcf, ngx_log_t *log)
{
    ngx_event_t  *ev;

    ngx_ws_chat_samples = ngx_calloc(mcf->zones.nelts
                                     * sizeof(ngx_ws_chat_sample_t), log);
    if (ngx_ws_chat_samples == NULL) {
        return;
    }

    ev = &ngx_ws_chat_sample_event;

    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = ngx_ws_chat_sample_handler;
    ev->data = mcf;
    ev->log = log;
    ev->cancelable = 1;

    ngx_ws_chat_sampled = ngx_current_msec;
    ngx_add_timer(ev, NGX_WS_CHAT_SAMPLE_TIME);
}


void
ngx_ws_chat_sample_done(void)
{
    if (ngx_ws_chat_samples == NULL) {
        return;
    }

    ngx_ws_chat_sample_live(ngx_ws_chat_sample_event.data);

    if (ngx_ws_chat_sample_event.timer_set) {
        ngx_del_timer(&ngx_ws_chat_sample_event);
    }

    ngx_free(ngx_ws_chat_samples);
    ngx_ws_chat_samples = NULL;
}


static void
ngx_ws_chat_sample_handler(ngx_event_t *ev)
{
    ngx_uint_t                i, n, wanted;
    ngx_msec_t                ms;
    ngx_ws_chat_busy_t        busy[NGX_WS_CHAT_STAT_BUSY];
    ngx_ws_chat_zone_t      **zones;
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ev->data;
    zones = mcf->zones.elts;
    n = 0;

    wanted = ngx_ws_chat_stat_wanted();
    ms = ngx_max(ngx_current_msec - ngx_ws_chat_sampled, 1);
    ngx_ws_chat_sampled = ngx_current_msec;

    for (i = 0; i < mcf->zones.nelts; i++) {
        ngx_ws_chat_sample_rates(zones[i], &ngx_ws_chat_samples[i], ms);

        if (wanted) {
            n = ngx_ws_chat_sample_rooms(zones[i], busy, n, ms);
        }
    }

    ngx_ws_chat_sampled_rooms = wanted;

    ngx_ws_chat_stat_put(busy, n);
    ngx_ws_chat_sample_live(mcf);

    ngx_add_timer(ev, NGX_WS_CHAT_SAMPLE_TIME);
}


static void
ngx_ws_chat_sample_rates(ngx_ws_chat_zone_t *z, ngx_ws_chat_sample_t *s,
    ngx_msec_t ms)
{
    ngx_ws_chat_counters_t  *c;

    c = &z->stat->counters;

    /* the slot's counters go on from those of the worker before */

    if (s->in) {
        c->rate_in = ((c->messages_in + 1 - s->in) * 1000 + ms / 2) / ms;
        c->rate_out = ((c->messages_out + 1 - s->out) * 1000 + ms / 2) / ms;
    }

    s->in = c->messages_in + 1;
    s->out = c->messages_out + 1;
}


void
ngx_ws_chat_sample_live(ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t            i;
    ngx_ws_chat_zone_t  **zones;

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts && ngx_ws_chat_samples; i++) {
        if (zones[i]->redis) {
            ngx_ws_chat_sample_zone(zones[i], &ngx_ws_chat_samples[i]);
        }
    }
}


static void
ngx_ws_chat_sample_zone(ngx_ws_chat_zone_t *z, ngx_ws_chat_sample_t *s)
{
    ngx_ws_chat_counters_t         *c;
    const ngx_ws_chat_live_stat_t  *l;

    c = &z->stat->counters;
    l = ngx_ws_chat_store_redis_stat(z);

    c->stale = (z->stale != 0);
    c->pending = l->pending;
    c->attached = l->chats;

    c->appended += l->appended - s->live.appended;
    c->duplicates += l->duplicates - s->live.duplicates;
    c->aborted += l->aborted - s->live.aborted;
    c->quick += l->quick - s->live.quick;
    c->strays += l->strays - s->live.strays;
    c->reads += l->reads - s->live.reads;
    c->bad += l->bad - s->live.bad;
    c->epochs += l->epochs - s->live.epochs;
    c->archived += l->archived - s->live.archived;

    z->stat->canary = l->heard;
    s->live = *l;
}


/*
 * The chats with the most messages, then with the most members.  What rooms
 * noted when somebody looked long ago tells no rate.
 */

static ngx_uint_t
ngx_ws_chat_sample_rooms(ngx_ws_chat_zone_t *z, ngx_ws_chat_busy_t *busy,
    ngx_uint_t n, ngx_msec_t ms)
{
    ngx_rbtree_node_t   *node;
    ngx_ws_chat_busy_t   b;
    ngx_ws_chat_room_t  *room;

    if (z->rooms.root == z->rooms.sentinel) {
        return n;
    }

    for (node = ngx_rbtree_min(z->rooms.root, z->rooms.sentinel);
         node;
         node = ngx_rbtree_next(&z->rooms, node))
    {
        room = ngx_rbtree_data(node, ngx_ws_chat_room_t, node);

        b.row = (uint32_t) z->row;
        b.rate = 0;

        if (ngx_ws_chat_sampled_rooms) {
            b.rate = (uint32_t) (((uint64_t) (room->messages - room->sampled)
                                  * 1000 + ms / 2) / ms);
        }

        b.members = (uint32_t) room->members;

        room->sampled = room->messages;

        b.len = (uint32_t) ngx_min(room->attach.chat_id.len,
                                   sizeof(b.chat_id));
        ngx_memcpy(b.chat_id, room->attach.chat_id.data, b.len);

        n = ngx_ws_chat_stat_rank(busy, n, &b);
    }

    return n;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a row of the counts has, see ngx_ws_chat_stat.h.
 */


#ifndef _NGX_WS_CHAT_STAT_ROW_H_INCLUDED_
#define _NGX_WS_CHAT_STAT_ROW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/wsc_hist.h"


typedef struct ngx_ws_chat_stat_s  ngx_ws_chat_stat_t;


/* Gauges go to zero with their worker; counters stay with the slot. */

typedef struct {
    /* gauges */
    ngx_atomic_t                connections;  /* open, all transports */
    ngx_atomic_t                streams;      /* those of them by SSE */
    ngx_atomic_t                chats;        /* rooms in worker tables */
    ngx_atomic_t                members;      /* memberships */
    ngx_atomic_t                behind;       /* ... that have octets to get */
    ngx_atomic_t                stale;        /* 1: without news of Redis */
    ngx_atomic_t                pending;      /* sends on their way to Redis */
    ngx_atomic_t                attached;     /* chats read from Redis */
    ngx_atomic_t                rate_in;      /* messages of the last second */
    ngx_atomic_t                rate_out;
    ngx_atomic_t                draining;     /* 1: the worker drains */
    ngx_atomic_t                memory;       /* octets of the allocator */
    ngx_atomic_t                kafka_queued;   /* records not reported yet */

    /* counters */
    ngx_atomic_t                accepted;     /* connections */
    ngx_atomic_t                refused;      /* requests for one */
    ngx_atomic_t                messages_in;  /* chat messages sent to us */
    ngx_atomic_t                messages_out; /* message events begun */
    ngx_atomic_t                errors;       /* error events */
    ngx_atomic_t                gaps;
    ngx_atomic_t                uncounted;    /* for lack of room, see limit */

    /* ... of the live store, see ngx_ws_chat_live_stat_t */
    ngx_atomic_t                appended;
    ngx_atomic_t                duplicates;
    ngx_atomic_t                aborted;
    ngx_atomic_t                quick;
    ngx_atomic_t                strays;
    ngx_atomic_t                reads;
    ngx_atomic_t                bad;
    ngx_atomic_t                epochs;
    ngx_atomic_t                archived;
    ngx_atomic_t                unrecorded;   /* not in Kafka, or perhaps */

    /* ... of Kafka, all zones */
    ngx_atomic_t                kafka_stored;
    ngx_atomic_t                kafka_failed;   /* not, or nobody knows */
    ngx_atomic_t                kafka_refused;  /* for lack of room */
    ngx_atomic_t                kafka_replaced; /* producers */
    ngx_atomic_t                kafka_unmarked; /* marks that it did not store
                                                   */
    ngx_atomic_t                kafka_untold;   /* events, the same */
} ngx_ws_chat_counters_t;


struct ngx_ws_chat_stat_s {
    ngx_ws_chat_counters_t      counters;
    wsc_hist_t                  ack;          /* from a send to its ack */
    wsc_hist_t                  delivery;     /* from a message's timestamp to
                                                 the last member of a flush */
    wsc_hist_t                  resume;       /* from a join to its answer */
    wsc_hist_t                  flush;        /* a turn of writing */
    wsc_hist_t                  kafka;        /* from a record to its report */
    uint64_t                    canary;       /* ngx_current_msec of the last
                                                 one; 0: none */
};


#endif /* _NGX_WS_CHAT_STAT_ROW_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The relay's half in Redis: a batch of one partition is appended to the
 * chats' streams and published in one transaction, if the partition's progress
 * stands exactly where the batch was fetched from.  Keys, with the zone's
 * prefix and the partition as tag (the module's live store has the same, see
 * ngx_ws_chat_live_key.c):
 *
 *     {p}:progress                     see wsc_progress.h
 *     {p}:s:CHAT   {p}:c:CHAT          stream, channel
 *     {p}:u:CHAT                       changes of what is in the stream
 *     {p}:h:CHAT                       position of the chat's last message
 *     {p}:d:CHAT SENDER-LENGTH SENDER CID      dedupe record: a position
 *
 * A stream's entries all carry the position before them.
 */


#ifndef _BK_RELAY_H_INCLUDED_
#define _BK_RELAY_H_INCLUDED_


#include "bk_kafka.h"
#include "bk_kafka_out.h"
#include "wsc_progress.h"
#include "bk_redis.h"
#include "bk_status.h"


#define BK_RELAY_BATCH  100              /* records of a transaction */
#define BK_RELAY_BYTES  (256 * 1024)


typedef enum {
    BK_RELAY_OK = 0,
    BK_RELAY_AGAIN,                      /* Redis is away: the same later */
    BK_RELAY_MOVED,                      /* not from there: locate, seek */
    BK_RELAY_OVER                        /* a later epoch has begun */
} bk_relay_rc_e;


typedef struct {
    bk_kafka_message_t   *m;
    bk_raw_t              raw;
    bk_record_t           record;
    wsc_pos_t             pos;
    wsc_pos_t             prev;
    wsc_pos_t             first;         /* of a repetition: where it is */
    unsigned              append:1;      /* is for members, and new or not */
    unsigned              stray:1;
    unsigned              has_head:1;    /* prev is what Redis says */
    unsigned              dup:1;
    unsigned              change:1;      /* of a message, for members, */
    unsigned              vain:1;        /* and nothing changes by it: */
    unsigned              theirs:1;      /* it is another user's, */
    unsigned              gone:1;        /* it was retracted, */
    unsigned              same:1;        /* or it is so already */
} bk_relay_item_t;


typedef struct {
    bk_redis_t           *redis;
    bk_kafka_t           *kafka;
    bk_kafka_out_t       *out;
    const char           *prefix;
    int32_t               partitions;
    uint64_t              epoch;
    uint64_t              keep;          /* records put back when empty */
    uint64_t              messages;      /* of a stream, about */
    uint64_t              age;           /* ms that a stream lives */
    wsc_progress_t        progress;      /* of the batch */
    wsc_buf_t             envelope;
    wsc_buf_t             octets;
    uint64_t              changes;       /* so many since the start */
    uint64_t              patience;      /* ends then; 0: nobody waits yet */
} bk_relay_t;


typedef enum {
    BK_RELAY_RECORDS = 0,
    BK_RELAY_MESSAGES,
    BK_RELAY_DUPLICATES,
    BK_RELAY_CHANGES,
    BK_RELAY_VAIN,
    BK_RELAY_REFUSED,
    BK_RELAY_BAD,
    BK_RELAY_FILTERED,
    BK_RELAY_MISROUTED,
    BK_RELAY_TRANSACTIONS,
    BK_RELAY_STALE,
    BK_RELAY_GAPS,
    BK_RELAY_REBUILDS,
    BK_RELAY_LOST,
    BK_RELAY_FAILED,
    BK_RELAY_UNTOLD,
    BK_RELAY_PARTITIONS,
    BK_RELAY_LAG
} bk_relay_metric_e;


extern bk_metric_t  bk_relay_metrics[];


/*
 * Where the partition stands.  When Redis knows nothing of it, it is made to:
 * goal is what was published before, as far as the caller knows.
 */
bk_relay_rc_e bk_relay_locate(bk_relay_t *r, int32_t partition,
    uint64_t goal, wsc_progress_t *p);

/* Looks whether it still stands there. */
bk_relay_rc_e bk_relay_look(bk_relay_t *r, int32_t partition, uint64_t from);

/* Records before `to` are gone from the topic: goes on behind them. */
bk_relay_rc_e bk_relay_pass(bk_relay_t *r, int32_t partition, uint64_t from,
    uint64_t to);

/* Appends n <= BK_RELAY_BATCH records, one after the other of the topic. */
bk_relay_rc_e bk_relay_store(bk_relay_t *r, int32_t partition,
    uint64_t from, bk_relay_item_t **items, size_t n);


#endif /* _BK_RELAY_H_INCLUDED_ */

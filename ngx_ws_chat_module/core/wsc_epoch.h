
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The rules by which a Redis stream gives positions that are never used again,
 * and a cid is stored once; decisions only, the caller asks Redis.
 *
 * A writer WATCHes `inc`, the chats' `e` and the messages' `d`, reads them,
 * decides, and writes all in one MULTI: XADD <e>-*, SET d.  inc is
 * "<replid> <epoch>" of the Redis shard: it changes whenever the data may have
 * lost its end.  e is the epoch of a chat.  d is "<epoch> <floor>" while a
 * message's position is only known to be above floor, then "<epoch>-<seq>".
 */


#ifndef _WSC_EPOCH_H_INCLUDED_
#define _WSC_EPOCH_H_INCLUDED_


#include "wsc_base.h"


#define WSC_REPLID_LEN   40
#define WSC_INC_LEN      (WSC_REPLID_LEN + 1 + 20)
#define WSC_ID_LEN       (20 + 1 + 20)    /* of a stream's id, or of d */


typedef struct {
    u_char           replid[WSC_REPLID_LEN];
    uint64_t         epoch;
} wsc_inc_t;


/* What a chat's dedupe record says. */

typedef struct {
    wsc_pos_t        pos;         /* not placed: it is behind this one */
    unsigned         placed:1;
} wsc_dedupe_t;


/* An answer of Redis is a string, or NULL for nil. */

/* Finds master_replid in INFO's text.  WSC_OK; WSC_DECLINED: not there. */
ssize_t wsc_replid_find(const wsc_str_t *info, u_char *replid);

/*
 * May be appended under this inc?  WSC_OK with *inc; WSC_AGAIN: *inc is
 * what it has to be set to first, in a MULTI that watches it: above now, what
 * was there and every epoch that this writer has seen.
 */
ssize_t wsc_inc_decide(const wsc_str_t *value, const u_char *replid,
    uint64_t now, uint64_t seen, wsc_inc_t *inc);

/* Writes it to buf (WSC_INC_LEN octets); the number of octets written. */
size_t wsc_inc_print(u_char *buf, const wsc_inc_t *inc);

/*
 * May be appended in the chat's epoch?  WSC_OK with *epoch; WSC_AGAIN: read
 * the stream's last id and take wsc_epoch_next().
 */
ssize_t wsc_epoch_decide(const wsc_str_t *value, uint64_t inc,
    uint64_t *epoch);

/* A chat's new epoch; top: its stream's last position (seq 0: empty). */
uint64_t wsc_epoch_next(uint64_t now, uint64_t inc, uint64_t seen,
    wsc_pos_t top);

/* Writes an epoch to buf (20 octets); the number of octets written. */
size_t wsc_epoch_print(u_char *buf, uint64_t epoch);

/*
 * Stream ids: position (epoch, seq) is id <epoch>-<seq - 1>.  Reading gives
 * WSC_OK or WSC_DECLINED; writing (WSC_ID_LEN octets) the length.
 */
ssize_t wsc_stream_id_parse(const wsc_str_t *id, wsc_pos_t *pos);
size_t wsc_stream_id_print(u_char *buf, wsc_pos_t pos);

/*
 * The position before this one as far as it follows from its id: none but
 * for the first of an epoch, which carries it.  WSC_OK or WSC_DECLINED.
 */
ssize_t wsc_stream_prev(wsc_pos_t pos, wsc_pos_t *prev);

/* Dedupe records.  WSC_OK or WSC_DECLINED (not one); the length. */
ssize_t wsc_dedupe_parse(const wsc_str_t *value, wsc_dedupe_t *d);
size_t wsc_dedupe_print(u_char *buf, const wsc_dedupe_t *d);

/*
 * Java's murmur2 of a key, as Kafka's clients partition by, without the sign:
 * which shard of `shards` a chat belongs to.
 */
uint32_t wsc_shard(const wsc_str_t *chat_id, uint32_t shards);


#endif /* _WSC_EPOCH_H_INCLUDED_ */

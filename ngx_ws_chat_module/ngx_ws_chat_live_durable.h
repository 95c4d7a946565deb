
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What is different in a durable zone: sends go to Kafka, whose report is the
 * ack; a relay appends them to the chats' streams and publishes them.  It
 * keeps two keys that the live store only reads:
 *
 *     {p}:progress     how far the relay is with the partition, see
 *                      core/wsc_progress.h
 *     {p}:h:CHAT       position of the chat's last message
 *
 * Shards are the topic's partitions.  And what is the same when there is
 * Kafka behind a live zone: its messages go there with their positions.
 */


#ifndef _NGX_WS_CHAT_LIVE_DURABLE_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_DURABLE_H_INCLUDED_


#include "ngx_ws_chat_live_parts.h"
#include "ngx_ws_chat_kafka.h"


#define NGX_WS_CHAT_LIVE_HEAD  'h'


typedef struct ngx_ws_chat_live_letter_s  ngx_ws_chat_live_letter_t;


/* The store's publish() and cancel_publish(). */
void ngx_ws_chat_live_post(ngx_ws_chat_publish_t *p);
void ngx_ws_chat_live_cancel_post(ngx_ws_chat_publish_t *p);

/*
 * Sends a record; told() is called once, later, unless it was called off
 * before.  NULL with *err: it is not sent.
 */
ngx_ws_chat_live_letter_t *ngx_ws_chat_live_letter(ngx_ws_chat_live_t *l,
    const ngx_ws_chat_kafka_record_t *r,
    void (*told)(void *data, wsc_err_e err), void *data, wsc_err_e *err);
void ngx_ws_chat_live_call_off(ngx_ws_chat_live_letter_t *letter);

/*
 * ngx_ws_chat_live_await.c: waits for the relay to have what is stored, for a
 * while, and calls done().  NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_ws_chat_live_await(ngx_ws_chat_publish_t *p);
void ngx_ws_chat_live_cancel_await(ngx_ws_chat_publish_t *p);

/* Nobody waits any more. */
void ngx_ws_chat_live_await_expire(ngx_ws_chat_live_t *l);

/* Sends that wait for their report for too long are told `unknown`. */
void ngx_ws_chat_live_post_expire(ngx_ws_chat_live_t *l, ngx_uint_t all);

/* Asks where the chat ends; the reply comes to ngx_ws_chat_live_ends(). */
ngx_int_t ngx_ws_chat_live_ask_end(ngx_ws_chat_live_t *l,
    ngx_ws_chat_redis_t *rc, const wsc_str_t *chat_id,
    ngx_ws_chat_redis_reply_pt reply, void *data);

/*
 * NGX_OK with the position of the chat's last message (seq 0: there is none);
 * NGX_AGAIN: the relay has not got that far.
 */
ngx_int_t ngx_ws_chat_live_ends(const redisReply *r, wsc_pos_t *end);

/* Before the first one of these; pool: it outlives the store. */
ngx_int_t ngx_ws_chat_live_recorder_init(ngx_ws_chat_live_t *l,
    ngx_pool_t *pool);

/*
 * Sends a message of a live zone that is stored at a position; first: what was
 * before it, known of the first one of an epoch (or NULL).
 */
void ngx_ws_chat_live_record(ngx_ws_chat_live_t *l, const wsc_str_t *chat_id,
    const wsc_buf_t *value, wsc_pos_t pos, const wsc_pos_t *first);

/* The same for the record of a change that is stored. */
void ngx_ws_chat_live_record_change(ngx_ws_chat_live_t *l,
    const wsc_str_t *chat_id, const wsc_buf_t *value);


/* Tells other programs how far users have come. */
void ngx_ws_chat_live_record_marks(ngx_ws_chat_live_t *l,
    const wsc_news_t *news);


#endif /* _NGX_WS_CHAT_LIVE_DURABLE_H_INCLUDED_ */

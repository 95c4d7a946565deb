
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Commands of the live store: words are gathered, then sent as one.
 */


#ifndef _NGX_WS_CHAT_LIVE_KEY_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_KEY_H_INCLUDED_


#include "ngx_ws_chat_live.h"


typedef struct {
    ngx_uint_t                       n;
    ngx_uint_t                       failed;
    u_char                          *last;
    wsc_str_t                        words[WSC_MAX_LIMIT + 8];
    u_char                           space[(2 * NGX_WS_CHAT_LIVE_BATCH + 8)
                                           * NGX_WS_CHAT_LIVE_KEY];
} ngx_ws_chat_live_cmd_t;


/* The next command's words; there is one at a time. */
ngx_ws_chat_live_cmd_t *ngx_ws_chat_live_cmd(const char *name);

/* The next command: PUBLISH, or what is in its place here. */
ngx_ws_chat_live_cmd_t *ngx_ws_chat_live_cmd_publish(ngx_ws_chat_live_t *l);

/* Words by reference, copied text, numbers, and keys of a shard and a chat. */
void ngx_ws_chat_live_word(ngx_ws_chat_live_cmd_t *c, const char *word);
void ngx_ws_chat_live_str(ngx_ws_chat_live_cmd_t *c, const wsc_str_t *s);
void ngx_ws_chat_live_text(ngx_ws_chat_live_cmd_t *c, const u_char *p,
    size_t len);
void ngx_ws_chat_live_num(ngx_ws_chat_live_cmd_t *c, uint64_t n);
void ngx_ws_chat_live_inc(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_live_shard_t *shard);
void ngx_ws_chat_live_progress(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_live_shard_t *shard);
void ngx_ws_chat_live_control(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_live_t *l, u_char kind);
void ngx_ws_chat_live_mode(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_live_t *l);
void ngx_ws_chat_live_key(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_live_t *l,
    u_char kind, const wsc_str_t *chat_id);
void ngx_ws_chat_live_dedupe(ngx_ws_chat_live_cmd_t *c, ngx_ws_chat_live_t *l,
    const ngx_ws_chat_publish_t *p);

/* An id as a bound of XRANGE: the position itself, or what is beyond it. */
void ngx_ws_chat_live_id(ngx_ws_chat_live_cmd_t *c, wsc_pos_t pos,
    ngx_uint_t exclusive);

ngx_int_t ngx_ws_chat_live_send(ngx_ws_chat_live_cmd_t *c,
    ngx_ws_chat_redis_t *rc, ngx_ws_chat_redis_reply_pt reply, void *data);

#define NGX_WS_CHAT_LIVE_STREAM   's'
#define NGX_WS_CHAT_LIVE_EPOCH    'e'
#define NGX_WS_CHAT_LIVE_CHANNEL  'c'
#define NGX_WS_CHAT_LIVE_KEPT     'k'
#define NGX_WS_CHAT_LIVE_CHANGES  'u'


#endif /* _NGX_WS_CHAT_LIVE_KEY_H_INCLUDED_ */

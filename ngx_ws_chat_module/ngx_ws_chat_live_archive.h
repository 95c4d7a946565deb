
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_history_pass: pages of what Redis keeps no more, from
 * ws-chat-history.
 */


#ifndef _NGX_WS_CHAT_LIVE_ARCHIVE_H_INCLUDED_
#define _NGX_WS_CHAT_LIVE_ARCHIVE_H_INCLUDED_


#include "ngx_ws_chat_store.h"
#include "core/wsc_page.h"


/*
 * Asks for a page: of what is behind r->after, before r->before, or the newest
 * one.  done() is called once, later: page NULL: it cannot be had now; its
 * entries live until done() returns.  NGX_OK; NGX_DECLINED: done() will not be
 * called, too much is asked already.
 */
ngx_int_t ngx_ws_chat_live_archive(const ngx_ws_chat_read_t *r,
    void (*done)(void *data, wsc_page_t *page), void *data);

/*
 * The same for where a user's messages are that have their text, of one chat:
 * of the first one with some behind a place, chat_id (len 0: the first of all)
 * and after.  Of the first of all it is told only when all is archived that
 * was acknowledged.  The page is a bare one.
 */
ngx_int_t ngx_ws_chat_live_archive_sender(const wsc_str_t *user,
    const wsc_str_t *chat_id, wsc_pos_t after, ngx_uint_t limit,
    void (*done)(void *data, wsc_page_t *page), void *data);

/* 1: there is one, of the records that the zone's messages leave in Kafka. */
ngx_uint_t ngx_ws_chat_live_archive_is(const ngx_ws_chat_zone_t *z);

/* The directive. */
char *ngx_ws_chat_live_archive_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* All was read, ngx_ws_chat_kafka_init() was called: only one zone has it. */
char *ngx_ws_chat_live_archive_init(ngx_conf_t *cf,
    ngx_ws_chat_main_conf_t *mcf);

void ngx_ws_chat_live_archive_init_process(ngx_ws_chat_main_conf_t *mcf);

/* Calls every done(). */
void ngx_ws_chat_live_archive_exit_process(void);


#endif /* _NGX_WS_CHAT_LIVE_ARCHIVE_H_INCLUDED_ */

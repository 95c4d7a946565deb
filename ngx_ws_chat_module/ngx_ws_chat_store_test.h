
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * For tests, in builds with NGX_WS_CHAT_TEST: a store that wraps the embedded
 * one and delays, fails and answers in random order, as a store behind a
 * network does; and a place to be killed inside the lock.
 */


#ifndef _NGX_WS_CHAT_STORE_TEST_H_INCLUDED_
#define _NGX_WS_CHAT_STORE_TEST_H_INCLUDED_


#include "ngx_ws_chat_store.h"


extern const ngx_ws_chat_store_t  ngx_ws_chat_store_test;

/* ws_chat_test_store [delay=TIME] [fail=PERCENT] [shuffle] */
char *ngx_ws_chat_store_test_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * ws_chat_test_hold PATH: the file PATH holds "STEP TIMES".  A worker that
 * comes for so many times to that step of a change of a zone (see
 * wsc_shmlog_hook_pt) since it saw the file, renames it to PATH.pid, puts its
 * pid there, and sleeps where it is, up to 10 seconds.
 */
char *ngx_ws_chat_store_test_hold_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Lets the changes of a zone be held as the file of that path says. */
void ngx_ws_chat_store_test_hold(ngx_ws_chat_zone_t *z, ngx_str_t *path);

/* In init_process, before the zones are started. */
void ngx_ws_chat_store_test_init(ngx_ws_chat_main_conf_t *mcf);


#endif /* _NGX_WS_CHAT_STORE_TEST_H_INCLUDED_ */

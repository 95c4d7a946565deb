
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Once a second each worker notes what it does not count as it goes: rates,
 * the live store's numbers, and its busiest chats if somebody wants to know.
 */


#ifndef _NGX_WS_CHAT_SAMPLE_H_INCLUDED_
#define _NGX_WS_CHAT_SAMPLE_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


/* In init_process and exit_process. */
void ngx_ws_chat_sample_init(ngx_ws_chat_main_conf_t *mcf, ngx_log_t *log);
void ngx_ws_chat_sample_done(void);

/* Notes the live stores' numbers now, before this worker tells all of them. */
void ngx_ws_chat_sample_live(ngx_ws_chat_main_conf_t *mcf);


#endif /* _NGX_WS_CHAT_SAMPLE_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_log: one line a session, written at its close.
 */


#ifndef _NGX_WS_CHAT_LOG_H_INCLUDED_
#define _NGX_WS_CHAT_LOG_H_INCLUDED_


#include "ngx_ws_chat_conf.h"


typedef struct {
    wsc_str_t                     zone;
    wsc_str_t                     user;
    wsc_str_t                     addr;
    uint64_t                      session;
    ngx_uint_t                    chats;
    ngx_uint_t                    messages_in;
    ngx_uint_t                    messages_out;
    uint64_t                      bytes_in;
    uint64_t                      bytes_out;
    time_t                        seconds;
    ngx_uint_t                    code;
} ngx_ws_chat_log_line_t;


/* The directive: ws_chat_log off | path [text|json]. */
char *ngx_ws_chat_log_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Writes the line; failures are told to the error log once a minute. */
void ngx_ws_chat_log_write(ngx_ws_chat_log_t *log,
    const ngx_ws_chat_log_line_t *line, ngx_log_t *err);


#endif /* _NGX_WS_CHAT_LOG_H_INCLUDED_ */

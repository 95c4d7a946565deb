
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What all daemons begin and end with: options, log, signals, HTTP.
 */


#ifndef _BK_DAEMON_H_INCLUDED_
#define _BK_DAEMON_H_INCLUDED_


#include "bk_http.h"
#include "bk_opt.h"
#include "bk_status.h"


typedef struct {
    const char               *name;
    const char               *about;
    const char               *prefix;     /* of metrics */
    const bk_opt_t *const    *options;    /* bk_daemon_options among them */
    const bk_metric_t        *metrics;
    bk_http_pt                handler;    /* of HTTP, or NULL */
} bk_daemon_t;


extern const bk_opt_t  bk_daemon_options[];


/* Options, log, signals.  It prints what is wrong and exits. */
void bk_daemon_init(const bk_daemon_t *d, int argc, char **argv);

/* HTTP: exits when it cannot listen. */
void bk_daemon_serve(const bk_daemon_t *d);

/* 1 once a signal told it to end. */
int bk_daemon_quit(void);

/* Waits so long, or until a signal tells it to end. */
void bk_daemon_sleep(uint64_t ms);

/* The end: 0 or 1 for main() to return. */
int bk_daemon_exit(int failed);


#endif /* _BK_DAEMON_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bk_daemon.h"
#include "bk_log.h"
#include "bk_mem.h"


static void bk_daemon_signal(int signo);


static volatile sig_atomic_t  bk_daemon_told;
static int                    bk_daemon_pipe[2];
static bk_http_t             *bk_daemon_http;

static const char            *bk_daemon_address;
static int64_t                bk_daemon_connections;
static int64_t                bk_daemon_level;
static int64_t                bk_daemon_format;


const bk_opt_t  bk_daemon_options[] = {
    { "http", BK_OPT_TEXT, &bk_daemon_address, "127.0.0.1:0",
      "host:port of health, metrics and what else it serves; port 0: any "
      "free one, which the log tells", 0, 0, NULL },
    { "http-connections", BK_OPT_INT, &bk_daemon_connections, "256",
      "how many of them at once", 1, 10000, NULL },
    { "log-level", BK_OPT_CHOICE, &bk_daemon_level, "info",
      "what is left out of the log", 0, 0, "error|warn|info|debug" },
    { "log-format", BK_OPT_CHOICE, &bk_daemon_format, "text",
      "a line of text or a JSON object for each event, on standard error",
      0, 0, "text|json" },
    { NULL, 0, NULL, NULL, NULL, 0, 0, NULL }
};


void
bk_daemon_init(const bk_daemon_t *d, int argc, char **argv)
{
    struct sigaction  sa;

    bk_opt_parse(argc, argv, d->about, d->options);

    bk_log_init(d->name, bk_daemon_level, bk_daemon_format == 1);
    bk_status_init(d->prefix, d->metrics);

    if (pipe(bk_daemon_pipe) == -1) {
        bk_log(BK_LOG_ERROR, "pipe() failed");
        exit(1);
    }

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = bk_daemon_signal;
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);

    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
}


void
bk_daemon_serve(const bk_daemon_t *d)
{
    bk_daemon_http = bk_http_start(bk_daemon_address, bk_daemon_connections,
                                   d->handler);
    if (bk_daemon_http == NULL) {
        exit(1);
    }
}


/* The pipe stays readable: whoever waits, or will wait, wakes up. */

static void
bk_daemon_signal(int signo)
{
    ssize_t  rc;

    if (!bk_daemon_told) {
        bk_daemon_told = 1;
        rc = write(bk_daemon_pipe[1], "", 1);
        (void) rc;
    }
}


int
bk_daemon_quit(void)
{
    return bk_daemon_told;
}


void
bk_daemon_sleep(uint64_t ms)
{
    struct pollfd  pfd;

    pfd.fd = bk_daemon_pipe[0];
    pfd.events = POLLIN;

    (void) poll(&pfd, 1, (ms < INT32_MAX) ? (int) ms : -1);
}


int
bk_daemon_exit(int failed)
{
    bk_http_stop(bk_daemon_http);

    bk_log(BK_LOG_INFO, "ends", bk_num("failed", failed));

    return failed ? 1 : 0;
}

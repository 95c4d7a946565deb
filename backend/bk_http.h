
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The HTTP server of a daemon: GET and HEAD, a thread for each connection.
 */


#ifndef _BK_HTTP_H_INCLUDED_
#define _BK_HTTP_H_INCLUDED_


#include "wsc_buf.h"


typedef struct bk_http_s  bk_http_t;


/* A request and its answer: 200 and JSON unless the handler says else. */

typedef struct {
    const char        *path;
    const char        *type;         /* static */
    wsc_buf_t          body;
    unsigned           status;
    unsigned           retry_after;  /* seconds; 0: no header */
    void              *connection;
} bk_request_t;


/* Called by several threads at once. */
typedef void (*bk_http_pt)(bk_request_t *r);


/*
 * Listens on "host:port" (port 0: any free one); handler NULL: only /health
 * and /metrics, see bk_status.h, are served.  NULL: it is logged why not.
 */
bk_http_t *bk_http_start(const char *address, unsigned connections,
    bk_http_pt handler);

/* Ends; requests under way are answered first. */
void bk_http_stop(bk_http_t *http);

/* An argument of the query, unescaped; NULL: not there. */
const char *bk_http_arg(const bk_request_t *r, const char *name);

/* Answers JSON {code, message}. */
void bk_http_error(bk_request_t *r, unsigned status, const char *code,
    const char *message);


#endif /* _BK_HTTP_H_INCLUDED_ */

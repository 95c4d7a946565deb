
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <microhttpd.h>

#include "wsc_writer.h"
#include "bk_http.h"
#include "bk_log.h"
#include "bk_mem.h"
#include "bk_status.h"


#define BK_HTTP_TIMEOUT  65       /* s without a word */
#define BK_HTTP_HOST     256


struct bk_http_s {
    struct MHD_Daemon   *daemon;
    bk_http_pt           handler;
};


static struct addrinfo *bk_http_resolve(const char *address);
static void bk_http_listening(bk_http_t *http, const char *address);
static enum MHD_Result bk_http_request(void *cls, struct MHD_Connection *c,
    const char *url, const char *method, const char *version,
    const char *upload, size_t *size, void **ctx);
static enum MHD_Result bk_http_answer(bk_request_t *r);


bk_http_t *
bk_http_start(const char *address, unsigned connections, bk_http_pt handler)
{
    bk_http_t        *http;
    struct addrinfo  *ai;

    ai = bk_http_resolve(address);
    if (ai == NULL) {
        return NULL;
    }

    http = calloc(1, sizeof(bk_http_t));

    if (http) {
        http->handler = handler;

        http->daemon = MHD_start_daemon(
            MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION
            | (ai->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0),
            0, NULL, NULL, bk_http_request, http,
            MHD_OPTION_SOCK_ADDR, ai->ai_addr,
            MHD_OPTION_CONNECTION_LIMIT, connections,
            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) BK_HTTP_TIMEOUT,
            MHD_OPTION_END);
    }

    freeaddrinfo(ai);

    if (http == NULL || http->daemon == NULL) {
        bk_log(BK_LOG_ERROR, "cannot listen for HTTP",
               bk_str("address", address), bk_str("error", strerror(errno)));
        free(http);
        return NULL;
    }

    bk_http_listening(http, address);

    return http;
}


static struct addrinfo *
bk_http_resolve(const char *address)
{
    int               rc;
    char              host[BK_HTTP_HOST], *port, *name;
    struct addrinfo   hints, *ai;

    snprintf(host, sizeof(host), "%s", address);

    port = strrchr(host, ':');
    if (port == NULL) {
        bk_log(BK_LOG_ERROR, "\"http\" must be host:port",
               bk_str("value", address));
        return NULL;
    }

    *port++ = '\0';
    name = host;

    if (name[0] == '[' && port[-2] == ']') {
        port[-2] = '\0';
        name++;
    }

    memset(&hints, 0, sizeof(hints));
    hints.ai_flags = AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;

    rc = getaddrinfo(*name ? name : NULL, port, &hints, &ai);

    if (rc != 0) {
        bk_log(BK_LOG_ERROR, "cannot listen for HTTP",
               bk_str("address", address), bk_str("error", gai_strerror(rc)));
        return NULL;
    }

    return ai;
}


static void
bk_http_listening(bk_http_t *http, const char *address)
{
    const union MHD_DaemonInfo  *info;

    info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);

    bk_log(BK_LOG_INFO, "listening for HTTP", bk_str("address", address),
           bk_num("port", info ? info->port : 0));
}


void
bk_http_stop(bk_http_t *http)
{
    if (http) {
        MHD_stop_daemon(http->daemon);
        free(http);
    }
}


static enum MHD_Result
bk_http_request(void *cls, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *upload, size_t *size,
    void **ctx)
{
    bk_http_t *http = cls;

    bk_request_t      r;
    enum MHD_Result   rc;

    memset(&r, 0, sizeof(bk_request_t));

    r.path = url;
    r.type = "application/json";
    r.status = MHD_HTTP_OK;
    r.connection = c;

    wsc_buf_init(&r.body, &bk_alloc);

    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        bk_http_error(&r, MHD_HTTP_METHOD_NOT_ALLOWED, "bad_request",
                      "GET only");

    } else if (strcmp(url, "/health") == 0) {
        bk_status_health(&r);

    } else if (strcmp(url, "/metrics") == 0) {
        bk_status_metrics(&r);

    } else if (http->handler) {
        http->handler(&r);

    } else {
        bk_http_error(&r, MHD_HTTP_NOT_FOUND, "not_found",
                      "there are /health and /metrics");
    }

    rc = bk_http_answer(&r);

    wsc_buf_free(&r.body);

    return rc;
}


static enum MHD_Result
bk_http_answer(bk_request_t *r)
{
    char                  buf[16];
    enum MHD_Result       rc;
    struct MHD_Response  *response;

    if (r->body.failed) {
        return MHD_NO;
    }

    response = MHD_create_response_from_buffer(r->body.len, r->body.data,
                                               MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }

    MHD_add_response_header(response, "Content-Type", r->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");

    if (r->retry_after) {
        snprintf(buf, sizeof(buf), "%u", r->retry_after);
        MHD_add_response_header(response, "Retry-After", buf);
    }

    rc = MHD_queue_response(r->connection, r->status, response);

    MHD_destroy_response(response);

    return rc;
}


const char *
bk_http_arg(const bk_request_t *r, const char *name)
{
    size_t        len;
    const char   *value;

    if (MHD_lookup_connection_value_n(r->connection, MHD_GET_ARGUMENT_KIND,
                                      name, strlen(name), &value, &len)
        != MHD_YES)
    {
        return NULL;
    }

    return value ? value : "";
}


void
bk_http_error(bk_request_t *r, unsigned status, const char *code,
    const char *message)
{
    wsc_writer_t  w;

    r->status = status;
    r->type = "application/json";

    wsc_buf_reset(&r->body, 0);
    wsc_writer_init(&w, &r->body, WSC_ENC_JSON);

    wsc_writer_map(&w);
    wsc_writer_key(&w, "code");
    wsc_writer_text(&w, code);
    wsc_writer_key(&w, "message");
    wsc_writer_text(&w, message);
    wsc_writer_end(&w);
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <jansson.h>

#include "wsc_buf.h"
#include "bk_ask.h"
#include "bk_daemon.h"
#include "bk_log.h"
#include "bk_mem.h"


#define BK_ASK_PAUSE   50             /* ms between questions */
#define BK_ASK_HOST    256
#define BK_ASK_URL     2048
#define BK_ASK_ANSWER  16384
#define BK_ASK_HTTP    "http://"


static bk_ask_e bk_ask_once(const bk_record_t *record, wsc_pos_t pos,
    wsc_pos_t *first);
static size_t bk_ask_request(char *buf, const bk_record_t *record);
static size_t bk_ask_escape(char *buf, const wsc_str_t *s);
static int bk_ask_connect(void);
static size_t bk_ask_exchange(int fd, const char *request, size_t len,
    char *answer);
static bk_ask_e bk_ask_answer(const char *answer, wsc_pos_t pos,
    wsc_pos_t *first);
static void bk_ask_position(const json_t *v, wsc_pos_t *pos);


static const char  *bk_ask_history;


const bk_opt_t  bk_ask_options[] = {
    { "history", BK_OPT_TEXT, &bk_ask_history, NULL,
      "http://host:port of ws-chat-history: asked about messages that may "
      "have been sent before, after Redis was empty", 0, 0, NULL },
    { NULL, 0, NULL, NULL, NULL, 0, 0, NULL }
};


int
bk_ask_whom(void)
{
    return bk_ask_history != NULL;
}


bk_ask_e
bk_ask(const bk_record_t *record, wsc_pos_t pos, uint64_t until,
    wsc_pos_t *first)
{
    bk_ask_e  rc;

    for ( ;; ) {
        rc = bk_ask_once(record, pos, first);

        if (rc == BK_ASK_NEW || rc == BK_ASK_FOUND || bk_ticks() >= until
            || bk_daemon_quit())
        {
            return rc;
        }

        bk_daemon_sleep(BK_ASK_PAUSE);
    }
}


static bk_ask_e
bk_ask_once(const bk_record_t *record, wsc_pos_t pos, wsc_pos_t *first)
{
    int     fd;
    char    request[BK_ASK_URL], answer[BK_ASK_ANSWER + 1];
    size_t  len;

    fd = bk_ask_connect();
    if (fd == -1) {
        return BK_ASK_AWAY;
    }

    len = bk_ask_request(request, record);
    len = bk_ask_exchange(fd, request, len, answer);
    answer[len] = '\0';

    close(fd);

    return bk_ask_answer(answer, pos, first);
}


static size_t
bk_ask_request(char *buf, const bk_record_t *record)
{
    char  *p;

    p = buf;
    p += sprintf(p, "GET /chats/%.*s/sent?sender=",
                 (int) record->chat_id.len, (char *) record->chat_id.data);
    p += bk_ask_escape(p, &record->sender);
    p += sprintf(p, "&cid=");
    p += bk_ask_escape(p, &record->cid);
    p += sprintf(p, " HTTP/1.0\r\nHost: history\r\n\r\n");

    return p - buf;
}


static size_t
bk_ask_escape(char *buf, const wsc_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        sprintf(buf + 3 * i, "%%%02x", s->data[i]);
    }

    return 3 * s->len;
}


static int
bk_ask_connect(void)
{
    int               fd, rc;
    char              host[BK_ASK_HOST], *port;
    struct timeval    timeout = { 1, 0 };
    struct addrinfo   hints, *ai;

    if (strncmp(bk_ask_history, BK_ASK_HTTP, sizeof(BK_ASK_HTTP) - 1) != 0) {
        bk_log(BK_LOG_ERROR, "\"history\" must be http://host:port",
               bk_str("value", bk_ask_history));
        return -1;
    }

    snprintf(host, sizeof(host), "%s",
             bk_ask_history + sizeof(BK_ASK_HTTP) - 1);
    host[strcspn(host, "/")] = '\0';

    port = strrchr(host, ':');

    if (port) {
        *port++ = '\0';
    }

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;

    rc = getaddrinfo(host, port ? port : "80", &hints, &ai);
    if (rc != 0) {
        bk_log(BK_LOG_WARN, "no address of history", bk_str("host", host),
               bk_str("error", gai_strerror(rc)));
        return -1;
    }

    fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd != -1) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));

        if (connect(fd, ai->ai_addr, ai->ai_addrlen) == -1) {
            bk_log(BK_LOG_WARN, "history cannot be reached",
                   bk_str("error", strerror(errno)));
            close(fd);
            fd = -1;
        }
    }

    freeaddrinfo(ai);

    return fd;
}


/* The server closes behind an answer of HTTP/1.0. */

static size_t
bk_ask_exchange(int fd, const char *request, size_t len, char *answer)
{
    size_t   have;
    ssize_t  n;

    if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t) len) {
        return 0;
    }

    for (have = 0; have < BK_ASK_ANSWER; have += n) {
        n = recv(fd, answer + have, BK_ASK_ANSWER - have, 0);

        if (n <= 0) {
            break;
        }
    }

    return have;
}


static bk_ask_e
bk_ask_answer(const char *answer, wsc_pos_t pos, wsc_pos_t *first)
{
    json_t       *v;
    wsc_pos_t     complete, before;
    const char   *body;

    body = strstr(answer, "\r\n\r\n");

    if (body == NULL || strncmp(answer, "HTTP/1.", 7) != 0
        || strncmp(answer + 8, " 200 ", 5) != 0)
    {
        return BK_ASK_AWAY;
    }

    v = json_loads(body + 4, 0, NULL);

    bk_ask_position(json_object_get(v, "position"), first);
    bk_ask_position(json_object_get(v, "complete_to"), &complete);

    json_decref(v);

    if (first->seq && wsc_pos_cmp(*first, pos) < 0) {
        return BK_ASK_FOUND;
    }

    before.epoch = pos.epoch;
    before.seq = pos.seq - 1;

    /* the archive has the record itself, or all before it */

    return (first->seq || wsc_pos_cmp(complete, before) >= 0)
           ? BK_ASK_NEW : BK_ASK_UNKNOWN;
}


static void
bk_ask_position(const json_t *v, wsc_pos_t *pos)
{
    pos->epoch = json_integer_value(json_object_get(v, "epoch"));
    pos->seq = json_integer_value(json_object_get(v, "seq"));
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <hiredis/hiredis.h>

#include "wsc_buf.h"
#include "wsc_number.h"
#include "bk_log.h"
#include "bk_mem.h"
#include "bk_redis.h"


#define BK_REDIS_HOST     256
#define BK_REDIS_PORT     6379
#define BK_REDIS_TIMEOUT  3         /* s */
#define BK_REDIS_KEEP     1048576   /* octets of words */


struct bk_redis_s {
    redisContext    *c;
    redisReply      *reply;
    wsc_buf_t        space;         /* of the words */
    size_t           starts[BK_REDIS_WORDS + 1];
    size_t           n;
    char             host[BK_REDIS_HOST];
    char             user[BK_REDIS_HOST];
    char             password[BK_REDIS_HOST];
    int              port;          /* 0: host is a Unix socket */
    unsigned         database;
    unsigned         failed:1;
    unsigned         told:1;        /* that it cannot be reached */
};


static int bk_redis_uri(bk_redis_t *r, const char *uri);
static int bk_redis_port(bk_redis_t *r);
static int bk_redis_login(bk_redis_t *r);
static int bk_redis_policy(bk_redis_t *r);
static void bk_redis_broken(bk_redis_t *r, const char *reason);


static const char  *bk_redis_address;


const bk_opt_t  bk_redis_options[] = {
    { "redis", BK_OPT_TEXT, &bk_redis_address, "redis://127.0.0.1:6379",
      "redis://[[user]:password@]host[:port][/database] or unix:/path",
      0, 0, NULL },
    { NULL, 0, NULL, NULL, NULL, 0, 0, NULL }
};


bk_redis_t *
bk_redis_create(void)
{
    bk_redis_t  *r;

    r = calloc(1, sizeof(bk_redis_t));
    if (r == NULL) {
        return NULL;
    }

    wsc_buf_init(&r->space, &bk_alloc);

    if (bk_redis_uri(r, bk_redis_address) == -1) {
        bk_log(BK_LOG_ERROR, "bad \"redis\"",
               bk_str("needed", bk_redis_options[0].help));
        free(r);
        return NULL;
    }

    return r;
}


void
bk_redis_free(bk_redis_t *r)
{
    if (r) {
        bk_redis_close(r);
        wsc_buf_free(&r->space);
        free(r);
    }
}


static int
bk_redis_uri(bk_redis_t *r, const char *uri)
{
    char        *p, *end, text[BK_REDIS_HOST];
    const char  *at, *host;

    if (strncmp(uri, "unix:/", 6) == 0) {
        return (snprintf(r->host, BK_REDIS_HOST, "%s", uri + 5)
                < BK_REDIS_HOST) ? 0 : -1;
    }

    if (strncmp(uri, "redis://", 8) != 0 || strlen(uri) >= BK_REDIS_HOST) {
        return -1;
    }

    uri += 8;
    at = strrchr(uri, '@');
    host = at ? at + 1 : uri;

    if (at) {
        snprintf(text, sizeof(text), "%.*s", (int) (at - uri), uri);
        p = strchr(text, ':');

        if (p == NULL) {
            return -1;
        }

        *p++ = '\0';
        snprintf(r->user, sizeof(r->user), "%s", text);
        snprintf(r->password, sizeof(r->password), "%s", p);
    }

    snprintf(r->host, sizeof(r->host), "%s", host);
    r->port = BK_REDIS_PORT;

    p = strchr(r->host, '/');

    if (p) {
        *p++ = '\0';
        r->database = strtoul(p, &end, 10);

        if (*end) {
            return -1;
        }
    }

    return bk_redis_port(r);
}


/* Takes the port off the host, and the brackets of IPv6. */

static int
bk_redis_port(bk_redis_t *r)
{
    char    *p, *end;
    size_t   len;

    p = strrchr(r->host, ':');

    if (p && strchr(p, ']') == NULL) {
        *p++ = '\0';
        r->port = strtol(p, &end, 10);

        if (*end || r->port <= 0 || r->port > 65535) {
            return -1;
        }
    }

    len = strlen(r->host);

    if (len > 2 && r->host[0] == '[' && r->host[len - 1] == ']') {
        memmove(r->host, r->host + 1, len - 2);
        r->host[len - 2] = '\0';
    }

    return len ? 0 : -1;
}


int
bk_redis_connect(bk_redis_t *r)
{
    struct timeval  timeout = { BK_REDIS_TIMEOUT, 0 };

    if (r->c && !r->failed) {
        return 0;
    }

    bk_redis_close(r);

    r->c = r->port ? redisConnectWithTimeout(r->host, r->port, timeout)
                   : redisConnectUnixWithTimeout(r->host, timeout);

    if (r->c == NULL || r->c->err) {
        bk_redis_broken(r, r->c ? r->c->errstr : "no memory");
        return -1;
    }

    redisSetTimeout(r->c, timeout);

    if (r->port) {
        redisEnableKeepAlive(r->c);
    }

    return bk_redis_login(r);
}


static int
bk_redis_login(bk_redis_t *r)
{
    if (r->password[0]) {
        bk_redis_begin(r, "AUTH");

        if (r->user[0]) {
            bk_redis_word(r, r->user);
        }

        bk_redis_word(r, r->password);
        bk_redis_end(r);

        if (bk_redis_good(r, "AUTH") == NULL) {
            return -1;
        }
    }

    bk_redis_begin(r, "SELECT");
    bk_redis_number(r, r->database);
    bk_redis_end(r);

    return bk_redis_good(r, "SELECT") ? bk_redis_policy(r) : -1;
}


/* What is evicted is lost without a word. */

static int
bk_redis_policy(bk_redis_t *r)
{
    const redisReply  *reply;

    bk_redis_begin(r, "INFO");
    bk_redis_word(r, "memory");
    bk_redis_end(r);

    reply = bk_redis_reply(r);
    if (reply == NULL) {
        return -1;
    }

    if (reply->type == REDIS_REPLY_STRING
        && strstr(reply->str, "maxmemory_policy:noeviction") == NULL)
    {
        bk_log(BK_LOG_WARN, "Redis may evict keys: it needs maxmemory-policy "
                            "noeviction");
    }

    r->told = 0;

    return 0;
}


void
bk_redis_close(bk_redis_t *r)
{
    if (r->reply) {
        freeReplyObject(r->reply);
        r->reply = NULL;
    }

    if (r->c) {
        redisFree(r->c);
        r->c = NULL;
    }

    r->failed = 0;
}


void
bk_redis_begin(bk_redis_t *r, const char *name)
{
    wsc_buf_reset(&r->space, BK_REDIS_KEEP);

    r->n = 0;

    bk_redis_word(r, name);
}


void
bk_redis_word(bk_redis_t *r, const char *word)
{
    bk_redis_octets(r, word, strlen(word));
}


void
bk_redis_octets(bk_redis_t *r, const void *p, size_t len)
{
    if (r->n == BK_REDIS_WORDS) {
        r->failed = 1;
        return;
    }

    r->starts[r->n++] = r->space.len;

    wsc_buf_add(&r->space, p, len);
}


void
bk_redis_number(bk_redis_t *r, uint64_t n)
{
    u_char  buf[WSC_NUMBER_LEN];

    bk_redis_octets(r, buf, wsc_number_print_uint(buf, n));
}


void
bk_redis_end(bk_redis_t *r)
{
    size_t       i, lengths[BK_REDIS_WORDS];
    const char  *words[BK_REDIS_WORDS];

    if (r->space.failed || r->failed || r->c == NULL) {
        r->failed = 1;
        return;
    }

    r->starts[r->n] = r->space.len;

    for (i = 0; i < r->n; i++) {
        words[i] = (char *) r->space.data + r->starts[i];
        lengths[i] = r->starts[i + 1] - r->starts[i];
    }

    if (redisAppendCommandArgv(r->c, r->n, words, lengths) != REDIS_OK) {
        r->failed = 1;
    }
}


const redisReply *
bk_redis_reply(bk_redis_t *r)
{
    void  *reply;

    if (r->reply) {
        freeReplyObject(r->reply);
        r->reply = NULL;
    }

    if (r->failed || r->c == NULL) {
        bk_redis_broken(r, "no memory, or closed before");
        return NULL;
    }

    if (redisGetReply(r->c, &reply) != REDIS_OK) {
        bk_redis_broken(r, r->c->errstr);
        return NULL;
    }

    r->reply = reply;

    return r->reply;
}


const redisReply *
bk_redis_good(bk_redis_t *r, const char *what)
{
    const redisReply  *reply;

    reply = bk_redis_reply(r);

    if (reply && reply->type == REDIS_REPLY_ERROR) {
        bk_redis_refused(what, reply);
        bk_redis_close(r);
        return NULL;
    }

    return reply;
}


int
bk_redis_skip(bk_redis_t *r, size_t n)
{
    while (n--) {
        if (bk_redis_good(r, "a command") == NULL) {
            return -1;
        }
    }

    return 0;
}


static void
bk_redis_broken(bk_redis_t *r, const char *reason)
{
    bk_log(r->told ? BK_LOG_DEBUG : BK_LOG_WARN, "Redis cannot be reached",
           bk_str("host", r->host), bk_num("port", r->port),
           bk_str("error", reason));

    r->told = 1;

    bk_redis_close(r);
}


void
bk_redis_refused(const char *what, const redisReply *reply)
{
    bk_log(BK_LOG_WARN, "Redis refused", bk_str("what", what),
           bk_str("error", reply->type == REDIS_REPLY_ERROR
                           ? reply->str : "unexpected reply"));
}


const wsc_str_t *
bk_redis_str(const redisReply *reply, wsc_str_t *s)
{
    if (reply->type != REDIS_REPLY_STRING
        && reply->type != REDIS_REPLY_STATUS)
    {
        return NULL;
    }

    s->data = (u_char *) reply->str;
    s->len = reply->len;

    return s;
}

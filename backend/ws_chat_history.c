
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws-chat-history: the archive over HTTP.
 *
 *     GET /chats/{chat_id}/messages?before|after=<epoch>:<seq>&limit=N
 *     GET /chats/{chat_id}/sent?sender=S&cid=C
 *     GET /messages?sender=S&chat_id=C&after=<epoch>:<seq>&limit=N
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_writer.h"
#include "bk_daemon.h"
#include "bk_history.h"
#include "bk_history_sender.h"
#include "bk_kafka.h"
#include "bk_kafka_ends.h"
#include "bk_log.h"
#include "bk_mem.h"
#include "bk_pool.h"


#define BK_HISTORY_LOOK     2000       /* ms between looks at PostgreSQL */
#define BK_HISTORY_RETRY    2          /* s, told to clients */
#define BK_HISTORY_DEFAULT  50         /* messages */
#define BK_HISTORY_PREFIX   "/chats/"
#define BK_HISTORY_AWAIT    3500       /* ms for the archiver to come there */
#define BK_HISTORY_PAUSE    50         /* ms between looks whether it has */


typedef enum {
    BK_HISTORY_REQUESTS = 0,
    BK_HISTORY_MESSAGES,
    BK_HISTORY_BAD,
    BK_HISTORY_UNAVAILABLE,
    BK_HISTORY_MICROSECONDS
} bk_history_metric_e;


static void bk_history_request(bk_request_t *r);
static void bk_history_route(bk_request_t *r);
static void bk_history_messages(bk_request_t *r, const wsc_str_t *chat_id);
static int bk_history_position(bk_request_t *r, const char *name,
    wsc_pos_t *pos, unsigned *has);
static int bk_history_limit(bk_request_t *r, uint64_t *limit);
static int bk_history_uint(const char **p, uint64_t *v);
static void bk_history_where(bk_request_t *r, const wsc_str_t *chat_id);
static void bk_history_found(bk_request_t *r, const wsc_str_t *chat_id,
    wsc_pos_t pos, wsc_pos_t complete_to);
static void bk_history_pos(wsc_writer_t *w, const char *key, wsc_pos_t pos);
static void bk_history_sender_of(bk_request_t *r);
static bk_pg_rc_e bk_history_await(void);
static void bk_history_bad(bk_request_t *r, const char *reason);
static void bk_history_away(bk_request_t *r);
static void bk_history_look(void);


static int64_t  bk_history_pool;
static int64_t  bk_history_wait;
static int64_t  bk_history_timeout;
static int64_t  bk_history_max_bytes;
static int64_t  bk_history_delivery;


static const bk_opt_t  bk_history_options[] = {
    { "delivery", BK_OPT_CHOICE, &bk_history_delivery, "durable",
      "of the chats, as the archiver has it", 0, 0, "durable|live" },
    { "pool", BK_OPT_INT, &bk_history_pool, "8",
      "connections to PostgreSQL", 1, 1000, NULL },
    { "pool-wait", BK_OPT_INT, &bk_history_wait, "1000",
      "ms that a request waits for one of them", 0, 60000, NULL },
    { "query-timeout", BK_OPT_INT, &bk_history_timeout, "5000",
      "ms that a query may take", 1, 600000, NULL },
    { "max-bytes", BK_OPT_INT, &bk_history_max_bytes, "1048576",
      "octets of a page; one message is always given", 1024, 1 << 30, NULL },
    { NULL, 0, NULL, NULL, NULL, 0, 0, NULL }
};

static bk_metric_t  bk_history_metrics[] = {
    bk_counter("requests_total", "Requests for messages."),
    bk_counter("pages_total", "Of these, pages given."),
    bk_counter("bad_requests_total", "Of these, refused."),
    bk_counter("unavailable_total", "Of these, answered 503."),
    bk_seconds("query_seconds_total", "Time that queries took."),
    { NULL, NULL, NULL, 0, 0 }
};

static const bk_opt_t *const  bk_history_tables[] = {
    bk_pg_options, bk_kafka_options, bk_history_options, bk_daemon_options,
    NULL
};

static const bk_daemon_t  bk_history_daemon = {
    "ws-chat-history",
    "gives pages of archived messages over HTTP",
    "ws_chat_history_",
    bk_history_tables,
    bk_history_metrics,
    bk_history_request
};


int
main(int argc, char **argv)
{
    bk_daemon_init(&bk_history_daemon, argc, argv);

    if (bk_pool_init("ws-chat-history", bk_history_session, bk_history_pool,
                     bk_history_timeout)
        == -1)
    {
        bk_log(BK_LOG_ERROR, "no memory");
        return 1;
    }

    bk_daemon_serve(&bk_history_daemon);

    while (!bk_daemon_quit()) {
        bk_history_look();
        bk_daemon_sleep(BK_HISTORY_LOOK);
    }

    return bk_daemon_exit(0);
}


/* For health: is PostgreSQL there when nobody asks? */

static void
bk_history_look(void)
{
    PGconn  *conn;

    conn = bk_pool_get(0);

    if (conn) {
        if (bk_pg_do(conn, "select 1") != BK_PG_OK) {
            bk_status_set(BK_STATUS_STORE, "PostgreSQL cannot be reached");
        }

        bk_pool_put(conn);
    }
}


static void
bk_history_request(bk_request_t *r)
{
    bk_metric_add(&bk_history_metrics[BK_HISTORY_REQUESTS], 1);

    bk_history_route(r);

    switch (r->status) {

    case 200:
        bk_metric_add(&bk_history_metrics[BK_HISTORY_MESSAGES], 1);
        break;

    case 503:
        bk_metric_add(&bk_history_metrics[BK_HISTORY_UNAVAILABLE], 1);
        break;

    default:
        bk_metric_add(&bk_history_metrics[BK_HISTORY_BAD], 1);
    }
}


static void
bk_history_route(bk_request_t *r)
{
    size_t       len;
    wsc_str_t    chat_id;
    const char  *p;

    if (strcmp(r->path, "/messages") == 0) {
        bk_history_sender_of(r);
        return;
    }

    len = sizeof(BK_HISTORY_PREFIX) - 1;

    if (strncmp(r->path, BK_HISTORY_PREFIX, len) != 0) {
        bk_http_error(r, 404, "not_found", "no such path");
        return;
    }

    chat_id.data = (u_char *) r->path + len;
    p = strchr(r->path + len, '/');

    if (p == NULL) {
        bk_http_error(r, 404, "not_found", "no such path");
        return;
    }

    chat_id.len = p - r->path - len;

    if (!wsc_chat_id_valid(&chat_id)) {
        bk_history_bad(r, "bad chat_id");
        return;
    }

    if (strcmp(p, "/messages") == 0) {
        bk_history_messages(r, &chat_id);

    } else if (strcmp(p, "/sent") == 0) {
        bk_history_where(r, &chat_id);

    } else {
        bk_http_error(r, 404, "not_found", "no such path");
    }
}


static void
bk_history_messages(bk_request_t *r, const wsc_str_t *chat_id)
{
    PGconn      *conn;
    unsigned     after, before;
    uint64_t     begin;
    bk_page_t    page;
    bk_pg_rc_e   rc;

    memset(&page, 0, sizeof(bk_page_t));

    page.chat_id = *chat_id;
    page.live = bk_history_delivery;
    page.max_bytes = bk_history_max_bytes;

    if (bk_history_position(r, "after", &page.after, &after) == -1
        || bk_history_position(r, "before", &page.before, &before) == -1)
    {
        bk_history_bad(r, "\"after\" and \"before\" are <epoch>:<seq>");
        return;
    }

    if (after && before) {
        bk_history_bad(r, "\"after\" or \"before\", not both");
        return;
    }

    page.has_after = after;
    page.has_before = before;

    if (bk_history_limit(r, &page.limit) == -1) {
        bk_history_bad(r, "\"limit\" is a number from 1 to 500");
        return;
    }

    conn = bk_pool_get(bk_history_wait);

    if (conn == NULL) {
        bk_history_away(r);
        return;
    }

    begin = bk_ticks();
    rc = bk_history_page(conn, &page, &r->body);

    bk_metric_add(&bk_history_metrics[BK_HISTORY_MICROSECONDS],
                  (bk_ticks() - begin) * 1000);

    bk_pool_put(conn);

    if (rc != BK_PG_OK) {
        bk_history_away(r);
    }
}


/* 0, or -1: it is there and is none. */

static int
bk_history_position(bk_request_t *r, const char *name, wsc_pos_t *pos,
    unsigned *has)
{
    const char  *p;

    p = bk_http_arg(r, name);

    *has = (p != NULL);

    if (p == NULL) {
        return 0;
    }

    if (bk_history_uint(&p, &pos->epoch) == -1 || *p++ != ':'
        || bk_history_uint(&p, &pos->seq) == -1 || *p)
    {
        return -1;
    }

    return 0;
}


static int
bk_history_limit(bk_request_t *r, uint64_t *limit)
{
    const char  *p;

    *limit = BK_HISTORY_DEFAULT;

    p = bk_http_arg(r, "limit");

    if (p == NULL) {
        return 0;
    }

    if (bk_history_uint(&p, limit) == -1 || *p || *limit == 0
        || *limit > WSC_MAX_LIMIT)
    {
        return -1;
    }

    return 0;
}


static int
bk_history_uint(const char **p, uint64_t *v)
{
    const char  *start;

    start = *p;
    *v = 0;

    for ( /* void */ ; **p >= '0' && **p <= '9'; (*p)++) {
        *v = *v * 10 + (**p - '0');

        if (*v >= WSC_MAX_INTEGER) {
            return -1;
        }
    }

    return (*p == start) ? -1 : 0;
}


static void
bk_history_where(bk_request_t *r, const wsc_str_t *chat_id)
{
    PGconn      *conn;
    wsc_str_t    s;
    wsc_pos_t    pos, complete_to;
    bk_pg_rc_e   rc;
    const char  *sender, *cid;

    sender = bk_http_arg(r, "sender");
    cid = bk_http_arg(r, "cid");

    s.data = (u_char *) (sender ? sender : "");
    s.len = strlen((char *) s.data);

    if (!wsc_user_valid(&s)) {
        bk_history_bad(r, "bad or no \"sender\"");
        return;
    }

    s.data = (u_char *) (cid ? cid : "");
    s.len = strlen((char *) s.data);

    if (!wsc_cid_valid(&s)) {
        bk_history_bad(r, "bad or no \"cid\"");
        return;
    }

    conn = bk_pool_get(bk_history_wait);

    if (conn == NULL) {
        bk_history_away(r);
        return;
    }

    rc = bk_history_sent(conn, chat_id, sender, cid, &pos, &complete_to);

    bk_pool_put(conn);

    if (rc != BK_PG_OK) {
        bk_history_away(r);
        return;
    }

    bk_history_found(r, chat_id, pos, complete_to);
}


static void
bk_history_found(bk_request_t *r, const wsc_str_t *chat_id, wsc_pos_t pos,
    wsc_pos_t complete_to)
{
    wsc_writer_t  w;

    wsc_writer_init(&w, &r->body, WSC_ENC_JSON);
    wsc_writer_map(&w);

    wsc_writer_key(&w, "chat_id");
    wsc_writer_str(&w, chat_id);

    if (pos.seq) {
        bk_history_pos(&w, "position", pos);

    } else {
        wsc_writer_key(&w, "position");
        wsc_writer_null(&w);
    }

    bk_history_pos(&w, "complete_to", complete_to);

    wsc_writer_end(&w);
}


static void
bk_history_pos(wsc_writer_t *w, const char *key, wsc_pos_t pos)
{
    wsc_writer_key(w, key);
    wsc_writer_map(w);
    wsc_writer_key(w, "epoch");
    wsc_writer_uint(w, pos.epoch);
    wsc_writer_key(w, "seq");
    wsc_writer_uint(w, pos.seq);
    wsc_writer_end(w);
}


/* From the first place on only when all is archived that was acknowledged. */

static void
bk_history_sender_of(bk_request_t *r)
{
    PGconn      *conn;
    unsigned     has;
    uint64_t     limit;
    wsc_str_t    s;
    wsc_pos_t    after;
    bk_pg_rc_e   rc;
    const char  *sender, *chat_id;

    memset(&after, 0, sizeof(wsc_pos_t));

    sender = bk_http_arg(r, "sender");
    chat_id = bk_http_arg(r, "chat_id");

    s.data = (u_char *) (sender ? sender : "");
    s.len = strlen((char *) s.data);

    if (!wsc_user_valid(&s)) {
        bk_history_bad(r, "bad or no \"sender\"");
        return;
    }

    s.data = (u_char *) (chat_id ? chat_id : "");
    s.len = strlen((char *) s.data);

    if (bk_history_position(r, "after", &after, &has) == -1
        || has != (chat_id != NULL) || (has && !wsc_chat_id_valid(&s)))
    {
        bk_history_bad(r, "\"after\" is <epoch>:<seq> of a \"chat_id\"");
        return;
    }

    if (bk_history_limit(r, &limit) == -1) {
        bk_history_bad(r, "\"limit\" is a number from 1 to 500");
        return;
    }

    rc = has ? BK_PG_OK : bk_history_await();
    conn = (rc == BK_PG_OK) ? bk_pool_get(bk_history_wait) : NULL;

    if (conn == NULL) {
        bk_history_away(r);
        return;
    }

    rc = bk_history_sender(conn, sender, chat_id ? chat_id : "", after, limit,
                           &r->body);
    bk_pool_put(conn);

    if (rc != BK_PG_OK) {
        bk_history_away(r);
    }
}


static bk_pg_rc_e
bk_history_await(void)
{
    int          n, is;
    PGconn      *conn;
    int64_t     *ends;
    uint64_t     until;
    bk_pg_rc_e   rc;

    until = bk_ticks() + BK_HISTORY_AWAIT;

    n = bk_kafka_ends(&ends);
    if (n == -1) {
        return BK_PG_RETRY;
    }

    for ( ;; ) {
        is = 0;
        conn = bk_pool_get(bk_history_wait);
        rc = conn ? bk_history_reached(conn, ends, n, &is) : BK_PG_RETRY;

        if (conn) {
            bk_pool_put(conn);
        }

        if (rc != BK_PG_OK || is || bk_ticks() >= until
            || bk_daemon_quit())
        {
            break;
        }

        bk_daemon_sleep(BK_HISTORY_PAUSE);
    }

    free(ends);

    return (rc == BK_PG_OK && !is) ? BK_PG_RETRY : rc;
}


static void
bk_history_bad(bk_request_t *r, const char *reason)
{
    bk_http_error(r, 400, "bad_request", reason);
}


static void
bk_history_away(bk_request_t *r)
{
    r->retry_after = BK_HISTORY_RETRY;

    bk_http_error(r, 503, "unavailable",
                  "the archive does not answer, or is behind");
}


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws-chat-relay: the topic into Redis, for durable chats.  It takes what is
 * there, up to a transaction's worth, and appends it partition by partition.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_backoff.h"
#include "wsc_epoch.h"
#include "bk_ask.h"
#include "bk_daemon.h"
#include "bk_log.h"
#include "bk_mem.h"
#include "bk_pattern.h"
#include "bk_relay.h"


#define BK_RELAY_IDLE    200             /* ms of a poll */
#define BK_RELAY_BEAT    1000            /* ms between looks at Redis */
#define BK_RELAY_PAUSE   50              /* ms: first pause between attempts */
#define BK_RELAY_PAUSES  1000            /* ms: the longest one */
#define BK_RELAY_DRAIN   5000            /* ms to end in */
#define BK_RELAY_LONGER  3600000         /* ms that a stream outlives its
                                            messages */


typedef struct {
    uint64_t          from;              /* the next batch is fetched from */
    uint64_t          told;              /* so far the group knows */
    int64_t           due;               /* the offset that comes next */
    unsigned          ours:1;
    unsigned          seeking:1;
    unsigned          dropped:1;         /* what is left in the batch */
} bk_relay_part_t;


typedef struct {
    bk_relay_t        relay;
    bk_relay_part_t  *parts;
    bk_relay_item_t   items[BK_RELAY_BATCH];
    size_t            n;
    size_t            bytes;
    uint64_t          beat;
    uint64_t          told;              /* to end; 0: not yet */
    wsc_backoff_t     backoff;
    unsigned          seeking:1;
    unsigned          failed:1;
} bk_relayer_t;


static int bk_relayer_init(bk_relayer_t *a);
static void bk_relayer_turn(bk_relayer_t *a);
static void bk_relayer_done(bk_relayer_t *a);
static int64_t bk_relayer_assigned(void *data, int32_t partition);
static int bk_relayer_parts(bk_relayer_t *a, int32_t partition);
static bk_relay_rc_e bk_relayer_locate(bk_relayer_t *a, int32_t partition,
    uint64_t goal);
static int64_t bk_relayer_position(void *data, int32_t partition);
static int64_t bk_relayer_stored(void *data, int32_t partition);
static void bk_relayer_revoked(void *data);
static void bk_relayer_lost(void *data, int32_t partition);
static void bk_relayer_go(bk_relayer_t *a, int32_t partition);
static void bk_relayer_seek(bk_relayer_t *a);
static void bk_relayer_take(bk_relayer_t *a, bk_kafka_message_t *m);
static void bk_relayer_read(bk_relayer_t *a, bk_relay_item_t *it);
static int bk_relayer_wanted(const wsc_str_t *chat_id);
static void bk_relayer_flush(bk_relayer_t *a);
static void bk_relayer_partition(bk_relayer_t *a, int32_t partition);
static void bk_relayer_settle(bk_relayer_t *a, int32_t partition,
    bk_relay_rc_e rc);
static void bk_relayer_pause(bk_relayer_t *a);
static void bk_relayer_beat(bk_relayer_t *a);
static void bk_relayer_empty(bk_relayer_t *a);
static int bk_relayer_over(bk_relayer_t *a);


static const char  *bk_relayer_group;
static const char  *bk_relayer_prefix;
static int64_t      bk_relayer_epoch;
static int64_t      bk_relayer_messages;
static int64_t      bk_relayer_age;
static int64_t      bk_relayer_keep;
static int64_t      bk_relayer_max_record;
static bk_list_t    bk_relayer_chats;


static const bk_opt_t  bk_relayer_options[] = {
    { "epoch", BK_OPT_INT, &bk_relayer_epoch, "",
      "of the topic, ms since 1970: the same for relay, archiver and nodes; "
      "a topic that is made anew needs a greater one", 1,
      WSC_MAX_INTEGER - 1, NULL },
    { "kafka-group", BK_OPT_TEXT, &bk_relayer_group, "ws-chat-relay",
      "instances of a group share the partitions", 0, 0, NULL },
    { "chats", BK_OPT_LIST, &bk_relayer_chats, NULL,
      "a pattern of chat ids, * for any characters; others are passed over "
      "(all)", 0, 0, NULL },
    { "prefix", BK_OPT_TEXT, &bk_relayer_prefix, "wsc:",
      "of keys: the zone's", 0, 0, NULL },
    { "history-messages", BK_OPT_INT, &bk_relayer_messages, "1000",
      "messages that Redis keeps of a chat, about", 1, 1000000, NULL },
    { "history-age", BK_OPT_INT, &bk_relayer_age, "86400",
      "s that Redis keeps a chat after its last message", 1, 31536000,
      NULL },
    { "rebuild-records", BK_OPT_INT, &bk_relayer_keep, "2000",
      "records of a partition that are put back when Redis is empty", 0,
      10000000, NULL },
    { "max-record", BK_OPT_INT, &bk_relayer_max_record, "1048576",
      "octets of a value; a longer one is a bad record", 1024, 1 << 30,
      NULL },
    { NULL, 0, NULL, NULL, NULL, 0, 0, NULL }
};

static const bk_opt_t *const  bk_relayer_tables[] = {
    bk_kafka_options, bk_redis_options, bk_ask_options, bk_relayer_options,
    bk_daemon_options, NULL
};

static const bk_daemon_t  bk_relayer_daemon = {
    "ws-chat-relay",
    "appends the messages of a Kafka topic to chats in Redis, each once",
    "ws_chat_relay_",
    bk_relayer_tables,
    bk_relay_metrics,
    NULL
};

static const bk_kafka_ops_t  bk_relayer_ops = {
    bk_relayer_assigned,
    bk_relayer_revoked,
    bk_relayer_lost,
    bk_relayer_position,
    bk_relayer_stored,
    NULL,
    &bk_relay_metrics[BK_RELAY_LAG]
};

static const char *const  bk_relayer_kafka[] = {
    "session.timeout.ms", "6000",
    "heartbeat.interval.ms", "1000",
    "max.poll.interval.ms", "30000",
    "fetch.wait.max.ms", "100",
    NULL
};


int
main(int argc, char **argv)
{
    int             failed;
    bk_relayer_t   *a;

    bk_daemon_init(&bk_relayer_daemon, argc, argv);

    a = calloc(1, sizeof(bk_relayer_t));
    if (a == NULL) {
        bk_log(BK_LOG_ERROR, "no memory");
        return 1;
    }

    bk_daemon_serve(&bk_relayer_daemon);

    if (bk_relayer_init(a) == -1) {
        bk_relayer_done(a);
        return bk_daemon_exit(1);
    }

    while (!bk_daemon_quit() && !a->failed) {
        bk_relayer_turn(a);
    }

    bk_relayer_flush(a);

    if (!a->failed) {
        bk_relayer_beat(a);
    }

    failed = a->failed;
    bk_relayer_done(a);

    return bk_daemon_exit(failed);
}


static int
bk_relayer_init(bk_relayer_t *a)
{
    bk_relay_t  *r;

    r = &a->relay;

    r->epoch = bk_relayer_epoch;
    r->prefix = bk_relayer_prefix;
    r->keep = bk_relayer_keep;
    r->messages = bk_relayer_messages;
    r->age = bk_relayer_age * 1000 + BK_RELAY_LONGER;

    wsc_buf_init(&r->envelope, &bk_alloc);
    wsc_buf_init(&r->octets, &bk_alloc);
    wsc_backoff_init(&a->backoff, BK_RELAY_PAUSE, BK_RELAY_PAUSES, 0);

    r->redis = bk_redis_create();
    if (r->redis == NULL) {
        return -1;
    }

    r->out = bk_kafka_out_open();
    if (r->out == NULL) {
        return -1;
    }

    r->kafka = bk_kafka_open(bk_relayer_group, bk_relayer_kafka,
                             &bk_relayer_ops, a);

    return r->kafka ? 0 : -1;
}


static void
bk_relayer_turn(bk_relayer_t *a)
{
    int                  ms;
    bk_kafka_message_t  *m;

    ms = BK_RELAY_IDLE;

    /* what is there already makes one batch */

    while (a->n < BK_RELAY_BATCH && a->bytes < BK_RELAY_BYTES) {
        m = bk_kafka_poll(a->relay.kafka, ms);

        if (m == NULL) {
            break;
        }

        ms = 0;
        bk_relayer_take(a, m);
    }

    if (a->seeking) {
        bk_relayer_seek(a);
    }

    bk_relayer_flush(a);

    if (bk_ticks() - a->beat >= BK_RELAY_BEAT) {
        bk_relayer_beat(a);
    }
}


static void
bk_relayer_done(bk_relayer_t *a)
{
    if (a->relay.kafka) {
        bk_kafka_close(a->relay.kafka);
    }

    bk_kafka_out_close(a->relay.out);
    bk_redis_free(a->relay.redis);
    wsc_buf_free(&a->relay.envelope);
    wsc_buf_free(&a->relay.octets);
    free(a->parts);
    free(a);
}


/* partitions come and go */

static int64_t
bk_relayer_assigned(void *data, int32_t partition)
{
    bk_relayer_t *a = data;

    bk_relay_rc_e     rc;
    bk_relay_part_t  *part;

    for ( ;; ) {

        if (bk_relayer_over(a)) {
            return -1;
        }

        rc = bk_relayer_parts(a, partition)
             ? bk_relayer_locate(a, partition, 0) : BK_RELAY_AGAIN;

        if (rc == BK_RELAY_OK) {
            break;
        }

        if (rc == BK_RELAY_OVER) {
            a->failed = 1;
            return -1;
        }

        bk_relayer_pause(a);
    }

    part = &a->parts[partition];
    part->ours = 1;
    part->seeking = 0;

    bk_metric_add(&bk_relay_metrics[BK_RELAY_PARTITIONS], 1);

    bk_log(BK_LOG_INFO, "partition", bk_num("partition", partition),
           bk_num("next", part->from));

    return part->due;
}


static int
bk_relayer_parts(bk_relayer_t *a, int32_t partition)
{
    int32_t           n, had;
    bk_relay_part_t  *parts;

    had = a->relay.partitions;

    if (partition < had) {
        return 1;
    }

    n = bk_kafka_partitions(a->relay.kafka);

    if (n <= partition) {
        return 0;
    }

    parts = calloc(n, sizeof(bk_relay_part_t));
    if (parts == NULL) {
        return 0;
    }

    if (had) {
        bk_log(BK_LOG_ERROR, "the topic has other partitions than before: "
                             "that needs a new epoch",
               bk_num("before", had), bk_num("now", n));
        memcpy(parts, a->parts, had * sizeof(bk_relay_part_t));
    }

    free(a->parts);
    a->parts = parts;
    a->relay.partitions = n;

    return 1;
}


/* Asks Redis where it stands. */

static bk_relay_rc_e
bk_relayer_locate(bk_relayer_t *a, int32_t partition, uint64_t goal)
{
    wsc_progress_t     p;
    bk_relay_rc_e     rc;
    bk_relay_part_t  *part;

    rc = bk_relay_locate(&a->relay, partition, goal, &p);

    if (rc == BK_RELAY_OK) {
        part = &a->parts[partition];
        part->from = p.next;
        part->due = p.next;

        bk_status_set(BK_STATUS_STORE, NULL);
        wsc_backoff_init(&a->backoff, BK_RELAY_PAUSE, BK_RELAY_PAUSES, 0);
    }

    return rc;
}


static int64_t
bk_relayer_position(void *data, int32_t partition)
{
    bk_relayer_t *a = data;

    return a->parts[partition].due;
}


static int64_t
bk_relayer_stored(void *data, int32_t partition)
{
    bk_relayer_t *a = data;

    return a->parts[partition].from;
}


static void
bk_relayer_revoked(void *data)
{
    bk_relayer_t *a = data;

    int32_t  p;

    bk_relayer_empty(a);

    for (p = 0; p < a->relay.partitions; p++) {
        a->parts[p].ours = 0;
        a->parts[p].seeking = 0;
    }

    bk_metric_set(&bk_relay_metrics[BK_RELAY_PARTITIONS], 0);
}


/*
 * The archiver raises the alarm; here the chats go on, with a hole to see, as
 * soon as Kafka tells where.
 */

static void
bk_relayer_lost(void *data, int32_t partition)
{
    bk_relayer_t *a = data;

    int64_t           low, high;
    bk_relay_part_t  *part;

    part = &a->parts[partition];

    bk_relayer_flush(a);

    if (!bk_kafka_gone(a->relay.kafka, partition, part->from, &low, &high)) {
        bk_relayer_go(a, partition);
        return;
    }

    bk_metric_add(&bk_relay_metrics[BK_RELAY_LOST], 1);

    bk_log(BK_LOG_ERROR, "records are gone that were never relayed",
           bk_num("partition", partition), bk_num("next", part->from),
           bk_num("first", low), bk_num("end", high));

    if ((int64_t) part->from > high) {
        bk_status_set(BK_STATUS_DATA, "records are gone");
        return;
    }

    (void) bk_relay_pass(&a->relay, partition, part->from, low);
    bk_relayer_settle(a, partition, BK_RELAY_MOVED);
}


/* Its records are read from where Redis stands. */

static void
bk_relayer_go(bk_relayer_t *a, int32_t partition)
{
    a->parts[partition].seeking = 1;
    a->parts[partition].due = a->parts[partition].from;
    a->seeking = 1;
}


static void
bk_relayer_seek(bk_relayer_t *a)
{
    int32_t           p;
    bk_relay_part_t  *part;

    a->seeking = 0;

    for (p = 0; p < a->relay.partitions; p++) {
        part = &a->parts[p];

        if (part->seeking) {
            part->seeking = (bk_kafka_seek(a->relay.kafka, p) == -1);
            a->seeking |= part->seeking;
        }
    }
}


/* gathering */

static void
bk_relayer_take(bk_relayer_t *a, bk_kafka_message_t *m)
{
    bk_relay_item_t  *it;
    bk_relay_part_t  *part;

    part = &a->parts[bk_kafka_partition(m)];

    if (part->seeking || bk_kafka_offset(m) < part->due) {
        bk_kafka_free(m);
        return;
    }

    part->due = bk_kafka_offset(m) + 1;

    it = &a->items[a->n++];

    memset(it, 0, sizeof(bk_relay_item_t));
    it->m = m;

    bk_kafka_raw(m, &it->raw);
    a->bytes += it->raw.value.len;

    bk_relayer_read(a, it);
}


static void
bk_relayer_read(bk_relayer_t *a, bk_relay_item_t *it)
{
    ssize_t       rc;
    const char   *reason;
    bk_metric_t  *m;

    m = bk_relay_metrics;
    rc = WSC_DECLINED;
    reason = "too long";

    if (it->raw.value.len <= (size_t) bk_relayer_max_record) {
        rc = bk_record_read(&bk_alloc, &it->raw, &it->record, &reason);
    }

    if (rc == WSC_OK) {
        it->stray = (wsc_shard(&it->record.chat_id, a->relay.partitions)
                     != (uint32_t) bk_kafka_partition(it->m));

        if (it->stray && bk_kafka_out_moved(it->m)) {
            it->stray = 0;
            rc = WSC_DECLINED;
            reason = "moved, and in a wrong partition again";
        }
    }

    if (rc != WSC_OK) {
        bk_metric_add(&m[BK_RELAY_BAD], 1);
        bk_log(BK_LOG_WARN, "bad record", bk_str("reason", reason),
               bk_num("partition", bk_kafka_partition(it->m)),
               bk_num("offset", bk_kafka_offset(it->m)));
        return;
    }

    if (it->stray) {
        return;
    }

    if (!bk_relayer_wanted(&it->record.chat_id)) {
        bk_metric_add(&m[BK_RELAY_FILTERED], 1);
        return;
    }

    if (it->record.rule) {
        bk_metric_add(&m[BK_RELAY_REFUSED], 1);
        return;
    }

    it->append = (it->record.op == BK_OP_MESSAGE);
    it->change = !it->append;
}


static int
bk_relayer_wanted(const wsc_str_t *chat_id)
{
    unsigned  i;

    for (i = 0; i < bk_relayer_chats.n; i++) {
        if (bk_pattern_match(bk_relayer_chats.values[i], chat_id)) {
            return 1;
        }
    }

    return bk_relayer_chats.n == 0;
}


/* storing */

static void
bk_relayer_flush(bk_relayer_t *a)
{
    size_t            i;
    int32_t           p;
    bk_relay_part_t  *part;

    a->relay.patience = 0;

    for (i = 0; i < a->n; i++) {
        p = bk_kafka_partition(a->items[i].m);
        part = &a->parts[p];

        /* the first of a partition takes the others with it */

        if (!part->dropped) {
            bk_relayer_partition(a, p);
            part->dropped = 1;
        }
    }

    for (i = 0; i < a->n; i++) {
        a->parts[bk_kafka_partition(a->items[i].m)].dropped = 0;
    }

    bk_relayer_empty(a);
}


static void
bk_relayer_partition(bk_relayer_t *a, int32_t partition)
{
    size_t            i, n;
    bk_relay_rc_e     rc;
    bk_relay_item_t  *items[BK_RELAY_BATCH];

    for (i = 0, n = 0; i < a->n; i++) {
        if (bk_kafka_partition(a->items[i].m) == partition) {
            items[n++] = &a->items[i];
        }
    }

    for ( ;; ) {
        rc = bk_relay_store(&a->relay, partition, a->parts[partition].from,
                            items, n);

        if (rc != BK_RELAY_AGAIN) {
            break;
        }

        if (bk_relayer_over(a)) {
            return;
        }

        bk_relayer_pause(a);
    }

    if (rc == BK_RELAY_OK) {
        bk_status_set(BK_STATUS_STORE, NULL);
        wsc_backoff_init(&a->backoff, BK_RELAY_PAUSE, BK_RELAY_PAUSES, 0);

        a->parts[partition].from = bk_kafka_offset(items[n - 1]->m) + 1;
        return;
    }

    bk_relayer_settle(a, partition, rc);
}


/* It goes on from where Redis stands. */

static void
bk_relayer_settle(bk_relayer_t *a, int32_t partition, bk_relay_rc_e rc)
{
    uint64_t  from;

    from = a->parts[partition].from;

    while (rc != BK_RELAY_OVER) {
        rc = bk_relayer_locate(a, partition, from);

        if (rc == BK_RELAY_OK) {
            bk_log(BK_LOG_INFO, "goes on from elsewhere",
                   bk_num("partition", partition), bk_num("from", from),
                   bk_num("next", a->parts[partition].from));

            bk_relayer_go(a, partition);
            return;
        }

        if (bk_relayer_over(a)) {
            return;
        }

        bk_relayer_pause(a);
    }

    a->failed = 1;
}


static void
bk_relayer_pause(bk_relayer_t *a)
{
    bk_status_set(BK_STATUS_STORE, "Redis does not store");
    bk_kafka_measure(a->relay.kafka);
    bk_daemon_sleep(wsc_backoff_next(&a->backoff, bk_random()));
}


/* Redis may have lost something while nothing comes. */

static void
bk_relayer_beat(bk_relayer_t *a)
{
    int32_t           p;
    bk_relay_rc_e     rc;
    bk_relay_part_t  *part;

    for (p = 0; p < a->relay.partitions; p++) {
        part = &a->parts[p];

        if (!part->ours || part->seeking) {
            continue;
        }

        rc = bk_relay_look(&a->relay, p, part->from);

        bk_status_set(BK_STATUS_STORE, rc == BK_RELAY_AGAIN
                                       ? "Redis cannot be reached" : NULL);

        if (rc == BK_RELAY_AGAIN) {
            break;
        }

        if (rc != BK_RELAY_OK) {
            bk_relayer_settle(a, p, rc);
            continue;
        }

        if (part->told != part->from) {
            part->told = part->from;
            bk_kafka_commit(a->relay.kafka, p, part->from);
        }
    }

    a->beat = bk_ticks();
}


static void
bk_relayer_empty(bk_relayer_t *a)
{
    while (a->n) {
        a->n--;
        bk_record_free(&a->items[a->n].record);
        bk_kafka_free(a->items[a->n].m);
    }

    a->bytes = 0;
}


static int
bk_relayer_over(bk_relayer_t *a)
{
    if (!bk_daemon_quit()) {
        return a->failed;
    }

    if (a->told == 0) {
        a->told = bk_ticks();
    }

    return bk_ticks() - a->told > BK_RELAY_DRAIN;
}

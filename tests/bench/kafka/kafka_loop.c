
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What Kafka alone takes: messages are produced at a fixed rate, by a
 * schedule, and consumed by the same program.  Its times are what a chat over
 * the same broker is compared with.
 */


#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>

#include "wsbench_hist.h"


#define KL_VERSION   "1.0"

#define KL_OK        0
#define KL_LOSS      1                   /* something did not come back */
#define KL_USAGE     2
#define KL_SYSTEM    3

#define KL_SECOND    1000000000ull
#define KL_MS        1000000ull
#define KL_WAIT      (30 * KL_SECOND)    /* for the last ones */
#define KL_MAX_SIZE  65536
#define KL_MAX_SEEN  100000000ull        /* messages */


typedef struct {
    const char          *brokers;
    const char          *topic;
    uint64_t             rate;           /* messages a second; 0: flood */
    uint64_t             count;          /* with those of the warm-up */
    uint64_t             warmup;
    uint64_t             chats;
    uint64_t             size;           /* of the text */
    rd_kafka_conf_t     *conf;           /* of both */

    rd_kafka_t          *producer;
    rd_kafka_t          *consumer;
    rd_kafka_queue_t    *reports;
    rd_kafka_queue_t    *records;
    int                  fd;             /* something is in one of them */

    char                *text;
    unsigned             run;            /* whose records they are */
    uint64_t             start;
    uint64_t            *due;            /* when each was */
    uint64_t             sent;
    uint64_t             acked;
    uint64_t             received;
    uint64_t             failed;
    wb_hist_t            ack;            /* from due, ns */
    wb_hist_t            receive;
} kl_t;


static void kl_options(kl_t *k, int argc, char **argv);
static uint64_t kl_number(const char *name, const char *text, uint64_t min,
    uint64_t max);
static void kl_property(kl_t *k, const char *text);
static void kl_set(rd_kafka_conf_t *conf, const char *name,
    const char *value);
static void kl_connect(kl_t *k);
static void kl_assign(kl_t *k);
static int kl_until(kl_t *k, uint64_t now);
static void kl_send(kl_t *k);
static void kl_poll(kl_t *k, int ms);
static int kl_event(kl_t *k, rd_kafka_queue_t *queue);
static void kl_received(kl_t *k, const rd_kafka_message_t *m);
static void kl_acked(kl_t *k, const rd_kafka_message_t *m);
static void kl_report(kl_t *k, uint64_t ns);
static uint64_t kl_now(void);
static void kl_die(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));


static const char  kl_help[] =
    "kafka-loop " KL_VERSION ": what producing and consuming takes\n"
    "\n"
    "usage: kafka-loop --brokers HOST:PORT --topic NAME [options]\n"
    "\n"
    "  -b, --brokers LIST      of Kafka\n"
    "  -t, --topic NAME        it is read from its end as it is now\n"
    "  -r, --rate N            messages a second (200); 0: all at once\n"
    "  -n, --count N           messages (2000)\n"
    "  -w, --warmup N          so many before, whose times do not count: to\n"
    "                          connect takes a second (0)\n"
    "  -c, --chats N           keys that they are spread over (200)\n"
    "  -s, --size N            octets of each message's text (100)\n"
    "  -X, --property N=V      of librdkafka, for both sides; several\n"
    "  -h, --help\n"
    "  -V, --version\n"
    "\n"
    "Prints an object of JSON: times from when a message was due to its\n"
    "delivery report (ack_ms) and to its coming back (receive_ms).  Exit\n"
    "codes: 0 all came back, 1 not all, 2 bad options, 3 no Kafka.\n";


int
main(int argc, char **argv)
{
    kl_t      k;
    uint64_t  now, end;

    memset(&k, 0, sizeof(kl_t));

    kl_options(&k, argc, argv);
    kl_connect(&k);

    k.start = kl_now();
    end = 0;

    while (k.acked + k.failed < k.count || k.received < k.count - k.failed) {
        now = kl_now();

        if (k.sent == k.count && end == 0) {
            end = now + KL_WAIT;
        }

        if (end && now > end) {
            break;
        }

        if (k.sent < k.count
            && (k.rate == 0 || now - k.start >= k.sent * KL_SECOND / k.rate))
        {
            kl_send(&k);
            kl_poll(&k, 0);
            continue;
        }

        kl_poll(&k, k.sent < k.count ? kl_until(&k, now) : 100);
    }

    kl_report(&k, kl_now() - k.start);

    rd_kafka_queue_destroy(k.reports);
    rd_kafka_queue_destroy(k.records);
    rd_kafka_consumer_close(k.consumer);
    rd_kafka_destroy(k.consumer);
    rd_kafka_destroy(k.producer);
    free(k.due);
    free(k.text);

    return k.received == k.count ? KL_OK : KL_LOSS;
}


static void
kl_options(kl_t *k, int argc, char **argv)
{
    int  c;

    static const struct option  options[] = {
        { "brokers", required_argument, NULL, 'b' },
        { "topic", required_argument, NULL, 't' },
        { "rate", required_argument, NULL, 'r' },
        { "count", required_argument, NULL, 'n' },
        { "warmup", required_argument, NULL, 'w' },
        { "chats", required_argument, NULL, 'c' },
        { "size", required_argument, NULL, 's' },
        { "property", required_argument, NULL, 'X' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { NULL, 0, NULL, 0 }
    };

    k->rate = 200;
    k->count = 2000;
    k->chats = 200;
    k->size = 100;
    k->conf = rd_kafka_conf_new();

    while ((c = getopt_long(argc, argv, "b:t:r:n:w:c:s:X:hV", options, NULL))
           != -1)
    {
        switch (c) {
        case 'b': k->brokers = optarg; break;
        case 't': k->topic = optarg; break;
        case 'r': k->rate = kl_number("rate", optarg, 0, 1000000); break;
        case 'n': k->count = kl_number("count", optarg, 1, KL_MAX_SEEN); break;
        case 'w': k->warmup = kl_number("warmup", optarg, 0, 1000000); break;
        case 'c': k->chats = kl_number("chats", optarg, 1, 1000000); break;
        case 's': k->size = kl_number("size", optarg, 1, KL_MAX_SIZE); break;
        case 'X': kl_property(k, optarg); break;
        case 'h': fputs(kl_help, stdout); exit(KL_OK);
        case 'V': puts("kafka-loop " KL_VERSION); exit(KL_OK);
        default: exit(KL_USAGE);
        }
    }

    if (optind != argc || k->brokers == NULL || k->topic == NULL) {
        kl_die(KL_USAGE, "--brokers and --topic are needed, and no more");
    }

    k->count += k->warmup;
    k->due = calloc(k->count, sizeof(uint64_t));
    k->text = malloc(k->size + 1);

    if (k->due == NULL || k->text == NULL) {
        kl_die(KL_SYSTEM, "no memory");
    }

    memset(k->text, 'x', k->size);
    k->text[k->size] = '\0';
    k->run = (unsigned) kl_now() ^ (unsigned) getpid();
}


static uint64_t
kl_number(const char *name, const char *text, uint64_t min, uint64_t max)
{
    char      *end;
    uint64_t   n;

    errno = 0;
    n = strtoull(text, &end, 10);

    if (errno || *text < '0' || *text > '9' || *end || n < min || n > max) {
        kl_die(KL_USAGE, "--%s: a number from %" PRIu64 " to %" PRIu64
               " is needed, not \"%s\"", name, min, max, text);
    }

    return n;
}


static void
kl_property(kl_t *k, const char *text)
{
    char  *name, *value;

    name = strdup(text);

    if (name == NULL) {
        kl_die(KL_SYSTEM, "no memory");
    }

    value = strchr(name, '=');

    if (value == NULL) {
        kl_die(KL_USAGE, "--property: name=value is needed, not \"%s\"",
               text);
    }

    *value++ = '\0';
    kl_set(k->conf, name, value);
    free(name);
}


static void
kl_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char  error[256];

    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error))
        != RD_KAFKA_CONF_OK)
    {
        kl_die(KL_USAGE, "%s", error);
    }
}


static void
kl_connect(kl_t *k)
{
    char              error[256];
    rd_kafka_conf_t  *conf;

    static const uint64_t  one = 1;

    kl_set(k->conf, "bootstrap.servers", k->brokers);

    /* the settings of the relay, and those of a node's producer */

    conf = rd_kafka_conf_dup(k->conf);
    kl_set(conf, "group.id", "kafka-loop");
    kl_set(conf, "enable.auto.commit", "false");
    kl_set(conf, "fetch.wait.max.ms", "100");

    k->consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
    if (k->consumer == NULL) {
        kl_die(KL_SYSTEM, "%s", error);
    }

    conf = k->conf;
    kl_set(conf, "acks", "all");
    kl_set(conf, "enable.idempotence", "true");
    /* as nodes do; a flood is to cost the broker little */
    kl_set(conf, "linger.ms", k->rate ? "1" : "50");
    kl_set(conf, "partitioner", "murmur2_random");
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);

    k->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    if (k->producer == NULL) {
        kl_die(KL_SYSTEM, "%s", error);
    }

    rd_kafka_poll_set_consumer(k->consumer);

    k->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (k->fd == -1) {
        kl_die(KL_SYSTEM, "eventfd: %s", strerror(errno));
    }

    k->reports = rd_kafka_queue_get_main(k->producer);
    k->records = rd_kafka_queue_get_consumer(k->consumer);

    rd_kafka_queue_io_event_enable(k->reports, k->fd, &one, sizeof(one));
    rd_kafka_queue_io_event_enable(k->records, k->fd, &one, sizeof(one));

    kl_assign(k);
}


/* All partitions, each from its end. */

static void
kl_assign(kl_t *k)
{
    int                                p, n;
    int64_t                            low, high;
    rd_kafka_resp_err_t                rc;
    const rd_kafka_metadata_t         *meta;
    rd_kafka_topic_partition_list_t   *list;

    rd_kafka_topic_t  *topic;

    topic = rd_kafka_topic_new(k->consumer, k->topic, NULL);
    rc = topic ? rd_kafka_metadata(k->consumer, 0, topic, &meta, 30000)
               : rd_kafka_last_error();

    if (rc || meta->topic_cnt != 1 || meta->topics[0].partition_cnt == 0) {
        kl_die(KL_SYSTEM, "topic \"%s\" at %s: %s", k->topic, k->brokers,
               rc ? rd_kafka_err2str(rc) : "there is none");
    }

    n = meta->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(meta);
    rd_kafka_topic_destroy(topic);

    list = rd_kafka_topic_partition_list_new(n);

    for (p = 0; p < n; p++) {
        rc = rd_kafka_query_watermark_offsets(k->consumer, k->topic, p, &low,
                                              &high, 30000);
        if (rc) {
            kl_die(KL_SYSTEM, "partition %d: %s", p, rd_kafka_err2str(rc));
        }

        rd_kafka_topic_partition_list_add(list, k->topic, p)->offset = high;
    }

    rc = rd_kafka_assign(k->consumer, list);
    rd_kafka_topic_partition_list_destroy(list);

    if (rc) {
        kl_die(KL_SYSTEM, "%s", rd_kafka_err2str(rc));
    }
}


/* ms to sleep before the next one is due; the last one is spent spinning. */

static int
kl_until(kl_t *k, uint64_t now)
{
    uint64_t  due;

    due = k->start + k->sent * KL_SECOND / k->rate;

    return due > now ? (int) ((due - now) / KL_MS) : 0;
}


/* A record as a chat's node makes it. */

static void
kl_send(kl_t *k)
{
    int                   n, len;
    char                  key[32], value[KL_MAX_SIZE + 512];
    rd_kafka_resp_err_t   rc;

    n = snprintf(key, sizeof(key), "loop-%" PRIu64, k->sent % k->chats);
    len = snprintf(value, sizeof(value),
                   "{\"chat_id\":\"%s\",\"sender\":\"loop\","
                   "\"message\":\"%s\","
                   "\"timestamp\":\"2024-01-31T12:00:00.000Z\","
                   "\"cid\":\"%08x-%" PRIu64 "\"}",
                   key, k->text, k->run, k->sent);

    k->due[k->sent] = k->rate ? k->start + k->sent * KL_SECOND / k->rate
                              : kl_now();

    rc = rd_kafka_producev(k->producer, RD_KAFKA_V_TOPIC(k->topic),
                           RD_KAFKA_V_KEY(key, (size_t) n),
                           RD_KAFKA_V_VALUE(value, (size_t) len),
                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                           RD_KAFKA_V_OPAQUE((void *) (k->due + k->sent)),
                           RD_KAFKA_V_END);

    if (rc == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        kl_poll(k, 1);
        return;
    }

    if (rc) {
        kl_die(KL_SYSTEM, "%s", rd_kafka_err2str(rc));
    }

    k->sent++;
}


/* Waits so long for reports and records, and takes what is there. */

static void
kl_poll(kl_t *k, int ms)
{
    uint64_t       n;
    struct pollfd  fd;

    fd.fd = k->fd;
    fd.events = POLLIN;

    if (poll(&fd, 1, ms) == 1) {
        (void) !read(k->fd, &n, sizeof(n));
    }

    while (kl_event(k, k->reports) || kl_event(k, k->records)) {
        /* void */
    }
}


static int
kl_event(kl_t *k, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t          *event;
    const rd_kafka_message_t  *m;

    event = rd_kafka_queue_poll(queue, 0);

    if (event == NULL) {
        return 0;
    }

    switch (rd_kafka_event_type(event)) {

    case RD_KAFKA_EVENT_DR:
        while ((m = rd_kafka_event_message_next(event)) != NULL) {
            kl_acked(k, m);
        }
        break;

    case RD_KAFKA_EVENT_FETCH:
        while ((m = rd_kafka_event_message_next(event)) != NULL) {
            kl_received(k, m);
        }
        break;

    default:
        break;
    }

    rd_kafka_event_destroy(event);

    return 1;
}


static void
kl_acked(kl_t *k, const rd_kafka_message_t *m)
{
    uint64_t  *due;

    if (m->err) {
        k->failed++;
        return;
    }

    due = m->_private;

    k->acked++;

    if (due >= k->due + k->warmup) {
        wb_hist_add(&k->ack, kl_now() - *due);
    }
}


static void
kl_received(kl_t *k, const rd_kafka_message_t *m)
{
    char         tail[32], *end;
    size_t       len;
    uint64_t     i;
    const char  *cid;

    /* our own records, not what others produce meanwhile */

    len = m->len < sizeof(tail) - 1 ? m->len : sizeof(tail) - 1;

    if (m->err || len == 0) {
        return;
    }

    memcpy(tail, (char *) m->payload + m->len - len, len);
    tail[len] = '\0';

    cid = strstr(tail, "\"cid\":\"");

    if (cid == NULL || strtoul(cid + 7, &end, 16) != k->run || *end != '-') {
        return;
    }

    i = strtoull(end + 1, NULL, 10);

    if (i >= k->sent) {
        return;
    }

    k->received++;

    if (i >= k->warmup) {
        wb_hist_add(&k->receive, kl_now() - k->due[i]);
    }
}


static void
kl_report(kl_t *k, uint64_t ns)
{
    size_t      i, n;
    wb_hist_t  *h;

    static const double       percents[] = { 50, 90, 99, 100 };
    static const char *const  names[] = { "p50", "p90", "p99", "max" };

    printf("{\"sent\": %" PRIu64 ", \"acked\": %" PRIu64 ", \"received\": %"
           PRIu64 ", \"failed\": %" PRIu64 ", \"seconds\": %.3f",
           k->sent, k->acked, k->received, k->failed, ns / 1e9);

    for (n = 0; n < 2; n++) {
        h = n ? &k->receive : &k->ack;
        printf(", \"%s_ms\": {\"count\": %" PRIu64,
               n ? "receive" : "ack", h->total);

        for (i = 0; i < 4; i++) {
            printf(", \"%s\": %.3f", names[i],
                   (double) wb_hist_percentile(h, percents[i]) / KL_MS);
        }

        printf("}");
    }

    puts("}");
}


static uint64_t
kl_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * KL_SECOND + ts.tv_nsec;
}


static void
kl_die(int status, const char *fmt, ...)
{
    va_list  args;

    fputs("kafka-loop: ", stderr);

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fputs("\n", stderr);
    exit(status);
}

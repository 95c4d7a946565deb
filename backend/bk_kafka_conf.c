
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "bk_kafka.h"
#include "bk_kafka_conf.h"
#include "bk_log.h"


#define BK_KAFKA_PROPERTY  1024


static int bk_kafka_conf_set(rd_kafka_conf_t *conf, const char *name,
    const char *value);
static int bk_kafka_conf_property(rd_kafka_conf_t *conf, const char *pair);
static void bk_kafka_on_log(const rd_kafka_t *rk, int level, const char *fac,
    const char *text);


const char         *bk_kafka_topic;

static const char  *bk_kafka_brokers;
static bk_list_t    bk_kafka_properties;


const bk_opt_t  bk_kafka_options[] = {
    { "kafka-brokers", BK_OPT_TEXT, &bk_kafka_brokers, "127.0.0.1:9092",
      "host:port of some brokers, with commas", 0, 0, NULL },
    { "kafka-topic", BK_OPT_TEXT, &bk_kafka_topic, "chat-messages",
      "the topic", 0, 0, NULL },
    { "kafka-property", BK_OPT_LIST, &bk_kafka_properties, NULL,
      "name=value of librdkafka, security.protocol=ssl for example",
      0, 0, NULL },
    { NULL, 0, NULL, NULL, NULL, 0, 0, NULL }
};


rd_kafka_conf_t *
bk_kafka_conf(const char *const *pairs)
{
    int               rc;
    unsigned          i;
    rd_kafka_conf_t  *conf;

    conf = rd_kafka_conf_new();

    rd_kafka_conf_set_log_cb(conf, bk_kafka_on_log);

    rc = bk_kafka_conf_set(conf, "bootstrap.servers", bk_kafka_brokers);
    rc |= bk_kafka_conf_set(conf, "client.id", "ws-chat");
    rc |= bk_kafka_conf_set(conf, "socket.keepalive.enable", "true");

    for ( /* void */ ; *pairs; pairs += 2) {
        rc |= bk_kafka_conf_set(conf, pairs[0], pairs[1]);
    }

    for (i = 0; i < bk_kafka_properties.n; i++) {
        rc |= bk_kafka_conf_property(conf, bk_kafka_properties.values[i]);
    }

    if (rc != 0) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }

    return conf;
}


static int
bk_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char  error[256];

    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error))
        == RD_KAFKA_CONF_OK)
    {
        return 0;
    }

    bk_log(BK_LOG_ERROR, "bad Kafka property", bk_str("name", name),
           bk_str("error", error));

    return -1;
}


static int
bk_kafka_conf_property(rd_kafka_conf_t *conf, const char *pair)
{
    char         name[BK_KAFKA_PROPERTY];
    size_t       len;
    const char  *p;

    p = strchr(pair, '=');
    len = p ? (size_t) (p - pair) : 0;

    if (len == 0 || len >= sizeof(name)) {
        bk_log(BK_LOG_ERROR, "\"kafka-property\" must be name=value",
               bk_str("value", pair));
        return -1;
    }

    memcpy(name, pair, len);
    name[len] = '\0';

    return bk_kafka_conf_set(conf, name, p + 1);
}


/* From any thread of the library. */

static void
bk_kafka_on_log(const rd_kafka_t *rk, int level, const char *fac,
    const char *text)
{
    bk_log(level <= 3 ? BK_LOG_WARN : level <= 5 ? BK_LOG_INFO : BK_LOG_DEBUG,
           "Kafka", bk_str("facility", fac), bk_str("text", text));
}

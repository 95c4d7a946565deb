
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_kafka_conf.h"
#include <librdkafka/rdkafka.h>


#define NGX_WS_CHAT_KAFKA_PARTITIONS      10
#define NGX_WS_CHAT_KAFKA_PARTITIONS_MAX  1024
#define NGX_WS_CHAT_KAFKA_NAME_MAX        249     /* of a topic, for brokers */
#define NGX_WS_CHAT_KAFKA_TEXT            512


/* Names of topics for what is no message; data NULL: none is said. */

typedef struct {
    ngx_str_t                   marks;
    ngx_str_t                   events;
} ngx_ws_chat_kafka_aside_t;


static ngx_ws_chat_kafka_conf_t *ngx_ws_chat_kafka_conf(ngx_conf_t *cf,
    ngx_ws_chat_main_conf_t *mcf);
static ngx_ws_chat_kafka_topic_t *ngx_ws_chat_kafka_add(ngx_conf_t *cf,
    ngx_ws_chat_kafka_conf_t *kcf);
static char *ngx_ws_chat_kafka_topic_option(ngx_conf_t *cf,
    const ngx_str_t *value, ngx_ws_chat_kafka_topic_t *topic,
    ngx_ws_chat_kafka_aside_t *aside);
static char *ngx_ws_chat_kafka_add_all(ngx_conf_t *cf,
    ngx_ws_chat_kafka_conf_t *kcf, ngx_ws_chat_kafka_topic_t *topic,
    ngx_ws_chat_kafka_aside_t *aside);
static char *ngx_ws_chat_kafka_add_aside(ngx_conf_t *cf,
    ngx_ws_chat_kafka_conf_t *kcf, const ngx_str_t *name,
    ngx_ws_chat_kafka_topic_t **place);
static ngx_uint_t ngx_ws_chat_kafka_same(const ngx_str_t *one,
    const ngx_str_t *two);
static ngx_int_t ngx_ws_chat_kafka_name_valid(const ngx_str_t *name);
static ngx_ws_chat_kafka_topic_t *ngx_ws_chat_kafka_of(
    ngx_ws_chat_kafka_conf_t *kcf, const ngx_str_t *zone);
static const ngx_str_t *ngx_ws_chat_kafka_shared(
    const ngx_ws_chat_kafka_topic_t *one,
    const ngx_ws_chat_kafka_topic_t *two);
static char *ngx_ws_chat_kafka_zone(ngx_conf_t *cf,
    ngx_ws_chat_main_conf_t *mcf, ngx_ws_chat_zone_t *z);
static char *ngx_ws_chat_kafka_check(ngx_conf_t *cf,
    ngx_ws_chat_main_conf_t *mcf);


/* what the module depends on */

static const char  *ngx_ws_chat_kafka_own[] = {
    "bootstrap.servers",
    "metadata.broker.list",
    "enable.idempotence",
    "acks",
    "request.required.acks",
    "partitioner",
    "transactional.id",
    "delivery.report.only.error",
    "log.queue"
};


char *
ngx_ws_chat_kafka_set_brokers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    u_char                    *p;
    size_t                     len;
    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_ws_chat_kafka_conf_t  *kcf;

    kcf = ngx_ws_chat_kafka_conf(cf, mcf);
    if (kcf == NULL) {
        return NGX_CONF_ERROR;
    }

    if (kcf->brokers.len) {
        return "is duplicate";
    }

    value = cf->args->elts;
    len = 0;

    for (i = 1; i < cf->args->nelts; i++) {
        if (value[i].len == 0) {
            return "needs HOST[:PORT] of brokers";
        }

        len += value[i].len + 1;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    kcf->brokers.data = p;
    kcf->brokers.len = len - 1;

    for (i = 1; i < cf->args->nelts; i++) {
        p = ngx_cpymem(p, value[i].data, value[i].len);
        *p++ = ',';
    }

    *(p - 1) = '\0';

    return NGX_CONF_OK;
}


char *
ngx_ws_chat_kafka_set_topic(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_ws_chat_kafka_conf_t   *kcf;
    ngx_ws_chat_kafka_topic_t  *topic, *other;
    ngx_ws_chat_kafka_aside_t   aside;

    kcf = ngx_ws_chat_kafka_conf(cf, mcf);
    topic = kcf ? ngx_ws_chat_kafka_add(cf, kcf) : NULL;

    if (topic == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    ngx_memzero(&aside, sizeof(ngx_ws_chat_kafka_aside_t));

    topic->name = value[1];
    topic->off = (ngx_strcmp(value[1].data, "off") == 0);

    if (ngx_ws_chat_kafka_name_valid(&topic->name) != NGX_OK) {
        return "needs a name of 1 to 249 characters out of A-Z a-z 0-9 _ . -, "
               "or \"off\"";
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_ws_chat_kafka_topic_option(cf, &value[i], topic, &aside)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    other = ngx_ws_chat_kafka_of(kcf, &topic->zone);

    return (other && other != topic)
           ? "is duplicate for the zone"
           : ngx_ws_chat_kafka_add_all(cf, kcf, topic, &aside);
}


static char *
ngx_ws_chat_kafka_topic_option(ngx_conf_t *cf, const ngx_str_t *value,
    ngx_ws_chat_kafka_topic_t *topic, ngx_ws_chat_kafka_aside_t *aside)
{
    ngx_int_t  n;

    if (ngx_strncmp(value->data, "partitions=", 11) == 0) {
        n = ngx_atoi(value->data + 11, value->len - 11);

        if (n < 1 || n > NGX_WS_CHAT_KAFKA_PARTITIONS_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ws_chat_kafka_topic\" needs from 1 to 1024 "
                               "partitions");
            return NGX_CONF_ERROR;
        }

        topic->partitions = n;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "zone=", 5) == 0 && value->len > 5) {
        topic->zone.data = value->data + 5;
        topic->zone.len = value->len - 5;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "marks=", 6) == 0) {
        aside->marks.data = value->data + 6;
        aside->marks.len = value->len - 6;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value->data, "events=", 7) == 0) {
        aside->events.data = value->data + 7;
        aside->events.len = value->len - 7;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"ws_chat_kafka_topic\" does not know \"%V\"", value);

    return NGX_CONF_ERROR;
}


char *
ngx_ws_chat_kafka_set_format(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    ngx_str_t                 *value;
    ngx_ws_chat_kafka_conf_t  *kcf;

    kcf = ngx_ws_chat_kafka_conf(cf, mcf);
    if (kcf == NULL) {
        return NGX_CONF_ERROR;
    }

    if (kcf->format != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "json") == 0) {
        kcf->format = WSC_ENC_JSON;

    } else if (ngx_strcmp(value[1].data, "msgpack") == 0) {
        kcf->format = WSC_ENC_MSGPACK;

    } else {
        return "must be \"json\" or \"msgpack\"";
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_chat_kafka_set_property(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_keyval_t              *kv;
    rd_kafka_conf_t           *rk;
    rd_kafka_conf_res_t        rc;
    ngx_ws_chat_kafka_conf_t  *kcf;
    char                       text[NGX_WS_CHAT_KAFKA_TEXT];

    kcf = ngx_ws_chat_kafka_conf(cf, mcf);
    kv = kcf ? ngx_array_push(&kcf->properties) : NULL;

    if (kv == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    kv->key = value[1];
    kv->value = value[2];

    for (i = 0; i < sizeof(ngx_ws_chat_kafka_own) / sizeof(char *); i++) {
        if (ngx_strcmp(value[1].data, ngx_ws_chat_kafka_own[i]) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ws_chat_kafka_property\" cannot set "
                               "\"%V\", which is the module's own", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    rk = rd_kafka_conf_new();
    rc = rd_kafka_conf_set(rk, (char *) value[1].data, (char *) value[2].data,
                           text, sizeof(text));
    rd_kafka_conf_destroy(rk);

    if (rc != RD_KAFKA_CONF_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"ws_chat_kafka_property\" is refused by "
                           "librdkafka: %s", text);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* What the directives set: made by the first one. */

static ngx_ws_chat_kafka_conf_t *
ngx_ws_chat_kafka_conf(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_ws_chat_kafka_conf_t  *kcf;

    if (mcf->kafka) {
        return mcf->kafka;
    }

    kcf = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_kafka_conf_t));

    if (kcf == NULL
        || ngx_array_init(&kcf->properties, cf->pool, 4, sizeof(ngx_keyval_t))
           != NGX_OK
        || ngx_array_init(&kcf->topics, cf->pool, 4,
                          sizeof(ngx_ws_chat_kafka_topic_t *))
           != NGX_OK)
    {
        return NULL;
    }

    kcf->format = NGX_CONF_UNSET_UINT;
    mcf->kafka = kcf;

    return kcf;
}


static ngx_ws_chat_kafka_topic_t *
ngx_ws_chat_kafka_add(ngx_conf_t *cf, ngx_ws_chat_kafka_conf_t *kcf)
{
    ngx_ws_chat_kafka_topic_t  *topic, **p;

    topic = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_kafka_topic_t));
    p = ngx_array_push(&kcf->topics);

    if (topic == NULL || p == NULL) {
        return NULL;
    }

    *p = topic;
    topic->index = kcf->topics.nelts - 1;
    topic->partitions = NGX_WS_CHAT_KAFKA_PARTITIONS;

    return topic;
}


/* Marks are told where no zone is named, events where it is said. */

static char *
ngx_ws_chat_kafka_add_all(ngx_conf_t *cf, ngx_ws_chat_kafka_conf_t *kcf,
    ngx_ws_chat_kafka_topic_t *topic, ngx_ws_chat_kafka_aside_t *aside)
{
    if (topic->off) {
        return NGX_CONF_OK;
    }

    if (aside->marks.data == NULL && topic->zone.len == 0) {
        ngx_str_set(&aside->marks, "chat-marks");
    }

    if (ngx_ws_chat_kafka_add_aside(cf, kcf, &aside->marks, &topic->marks)
        != NGX_CONF_OK)
    {
        return "needs a topic or \"off\" behind \"marks=\"";
    }

    if (ngx_ws_chat_kafka_add_aside(cf, kcf, &aside->events, &topic->events)
        != NGX_CONF_OK)
    {
        return "needs a topic or \"off\" behind \"events=\"";
    }

    if (topic->events) {
        topic->events->eventful = 1;

        if (ngx_ws_chat_kafka_same(&topic->events->name, &topic->name)
            || (topic->marks
                && ngx_ws_chat_kafka_same(&topic->events->name,
                                          &topic->marks->name)))
        {
            return "needs a topic of its own behind \"events=\"";
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_kafka_add_aside(ngx_conf_t *cf, ngx_ws_chat_kafka_conf_t *kcf,
    const ngx_str_t *name, ngx_ws_chat_kafka_topic_t **place)
{
    ngx_ws_chat_kafka_topic_t  *topic;

    if (name->data == NULL
        || (name->len == 3 && ngx_strncmp(name->data, "off", 3) == 0))
    {
        return NGX_CONF_OK;
    }

    topic = ngx_ws_chat_kafka_add(cf, kcf);

    if (topic == NULL || ngx_ws_chat_kafka_name_valid(name) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    topic->name = *name;
    topic->partitions = 0;
    topic->aside = 1;
    *place = topic;

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_ws_chat_kafka_same(const ngx_str_t *one, const ngx_str_t *two)
{
    return one->len == two->len
           && ngx_strncmp(one->data, two->data, one->len) == 0;
}


static ngx_int_t
ngx_ws_chat_kafka_name_valid(const ngx_str_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

    if (name->len == 0 || name->len > NGX_WS_CHAT_KAFKA_NAME_MAX) {
        return NGX_DECLINED;
    }

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || (ch >= '0' && ch <= '9')
              || ch == '_' || ch == '.' || ch == '-'))
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* The topic that names the zone; len 0: the one that names none. */

static ngx_ws_chat_kafka_topic_t *
ngx_ws_chat_kafka_of(ngx_ws_chat_kafka_conf_t *kcf, const ngx_str_t *zone)
{
    ngx_uint_t                   i;
    ngx_ws_chat_kafka_topic_t  **topics;

    topics = kcf->topics.elts;

    for (i = 0; i < kcf->topics.nelts; i++) {
        if (!topics[i]->aside && topics[i]->zone.len == zone->len
            && (zone->len == 0
                || ngx_strncmp(topics[i]->zone.data, zone->data, zone->len)
                   == 0))
        {
            return topics[i];
        }
    }

    return NULL;
}


/* all was read */

char *
ngx_ws_chat_kafka_init(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t                   i;
    ngx_ws_chat_zone_t         **zones;
    ngx_ws_chat_kafka_conf_t    *kcf;
    ngx_ws_chat_kafka_topic_t   *topic;
    ngx_ws_chat_kafka_aside_t    aside;

    static const ngx_str_t       none = ngx_null_string;

    kcf = mcf->kafka;

    if (kcf == NULL) {
        return ngx_ws_chat_kafka_check(cf, mcf);
    }

    if (kcf->brokers.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "what is said of Kafka needs \"ws_chat_kafka_brokers\"");
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_uint_value(kcf->format, WSC_ENC_JSON);

    if (ngx_ws_chat_kafka_of(kcf, &none) == NULL) {
        topic = ngx_ws_chat_kafka_add(cf, kcf);

        if (topic == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_str_set(&topic->name, "chat-messages");

        ngx_memzero(&aside, sizeof(ngx_ws_chat_kafka_aside_t));

        if (ngx_ws_chat_kafka_add_all(cf, kcf, topic, &aside)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->redis
            && ngx_ws_chat_kafka_zone(cf, mcf, zones[i]) != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_ws_chat_kafka_check(cf, mcf);
}


/* The name of a topic that both have, or NULL. */

static const ngx_str_t *
ngx_ws_chat_kafka_shared(const ngx_ws_chat_kafka_topic_t *one,
    const ngx_ws_chat_kafka_topic_t *two)
{
    ngx_uint_t                        i, k;
    const ngx_ws_chat_kafka_topic_t  *ones[3], *twos[3];

    ones[0] = one;
    ones[1] = one->marks;
    ones[2] = one->events;
    twos[0] = two;
    twos[1] = two->marks;
    twos[2] = two->events;

    for (i = 0; i < 3; i++) {
        for (k = 0; k < 3; k++) {
            if (ones[i] && twos[k]
                && ngx_ws_chat_kafka_same(&ones[i]->name, &twos[k]->name))
            {
                return &ones[i]->name;
            }
        }
    }

    return NULL;
}


static char *
ngx_ws_chat_kafka_zone(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf,
    ngx_ws_chat_zone_t *z)
{
    ngx_uint_t                   i;
    const ngx_str_t             *shared;
    ngx_ws_chat_zone_t         **zones;
    ngx_ws_chat_kafka_topic_t   *topic;

    static const ngx_str_t       none = ngx_null_string;

    topic = ngx_ws_chat_kafka_of(mcf->kafka, &z->name);

    if (topic == NULL) {
        topic = ngx_ws_chat_kafka_of(mcf->kafka, &none);
    }

    if (topic->off) {
        return NGX_CONF_OK;
    }

    /* chats of one name would be one */

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        shared = zones[i]->kafka
                 ? ngx_ws_chat_kafka_shared(zones[i]->kafka, topic) : NULL;

        if (shared) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "zones \"%V\" and \"%V\" cannot share the topic "
                          "\"%V\": set \"ws_chat_kafka_topic\" with \"zone=\"",
                          &zones[i]->name, &z->name, shared);
            return NGX_CONF_ERROR;
        }
    }

    topic->format = mcf->kafka->format;
    z->kafka = topic;

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_kafka_check(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t                   i;
    ngx_ws_chat_zone_t          *z, **zones;
    ngx_ws_chat_kafka_topic_t  **topics;

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        if (zones[i]->durable && zones[i]->redis && zones[i]->kafka == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"ws_chat_zone\" \"%V\" is durable and needs "
                          "\"ws_chat_kafka_brokers\" and a topic",
                          &zones[i]->name);
            return NGX_CONF_ERROR;
        }
    }

    if (mcf->kafka == NULL) {
        return NGX_CONF_OK;
    }

    topics = mcf->kafka->topics.elts;

    for (i = 0; i < mcf->kafka->topics.nelts; i++) {
        z = topics[i]->zone.len
            ? ngx_ws_chat_conf_zone(mcf, &topics[i]->zone) : NULL;

        if (topics[i]->zone.len && (z == NULL || z->redis == NULL)) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"ws_chat_kafka_topic\" is for a \"ws_chat_zone\" "
                          "\"%V\", which is %s", &topics[i]->zone,
                          z ? "embedded" : "unknown");
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}

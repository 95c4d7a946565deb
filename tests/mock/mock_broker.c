
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * librdkafka's mock of a Kafka cluster as a program of its own.  The first
 * line it prints is the broker's address; then it does what lines on standard
 * input say, and answers each with a line:
 *
 *     errors API CODE COUNT    the next so many requests of this number fail
 *                              with this code of the protocol
 *     down, up                 connections are closed and refused; no longer
 *
 * The end of the input ends it.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>


#define MOCK_BROKER  1      /* they are numbered from 1 */


static int
mock_errors(rd_kafka_mock_cluster_t *cluster, int api, int code, int count)
{
    if (count < 1) {
        return -1;
    }

    while (count--) {
        rd_kafka_mock_push_request_errors(cluster, api, 1,
                                          (rd_kafka_resp_err_t) code);
    }

    return 0;
}


static int
mock_do(rd_kafka_mock_cluster_t *cluster, const char *line)
{
    int  api, code, count;

    if (strcmp(line, "down\n") == 0) {
        return rd_kafka_mock_broker_set_down(cluster, MOCK_BROKER) ? -1 : 0;
    }

    if (strcmp(line, "up\n") == 0) {
        return rd_kafka_mock_broker_set_up(cluster, MOCK_BROKER) ? -1 : 0;
    }

    if (sscanf(line, "errors %d %d %d", &api, &code, &count) != 3) {
        return -1;
    }

    return mock_errors(cluster, api, code, count);
}


static int
mock_serve(rd_kafka_mock_cluster_t *cluster)
{
    char  line[256];

    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);

    while (fgets(line, sizeof(line), stdin)) {

        if (mock_do(cluster, line) == -1) {
            fprintf(stderr, "mock-broker: unknown: %s", line);
            return 2;
        }

        printf("done\n");
        fflush(stdout);
    }

    return 0;
}


int
main(int argc, char **argv)
{
    int                       rc;
    char                      text[256];
    rd_kafka_t               *rk;
    rd_kafka_mock_cluster_t  *cluster;

    if (argc != 3) {
        fprintf(stderr, "usage: mock-broker TOPIC PARTITIONS\n");
        return 2;
    }

    rk = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, text, sizeof(text));
    if (rk == NULL) {
        fprintf(stderr, "mock-broker: %s\n", text);
        return 1;
    }

    cluster = rd_kafka_mock_cluster_new(rk, 1);

    if (cluster == NULL
        || rd_kafka_mock_topic_create(cluster, argv[1], atoi(argv[2]), 1)
           != RD_KAFKA_RESP_ERR_NO_ERROR)
    {
        fprintf(stderr, "mock-broker: no cluster\n");
        return 1;
    }

    rc = mock_serve(cluster);

    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(rk);

    return rc;
}

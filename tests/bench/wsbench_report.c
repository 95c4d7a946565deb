
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wsbench_report.h"


#define WB_BUSY  0.9


static double wb_report_seconds(const wb_opt_t *opt, const wb_result_t *r,
    uint64_t start);
static double wb_report_cpu(const wb_opt_t *opt, const wb_result_t *r,
    uint64_t start);
static int64_t wb_report_missing(const wb_result_t *r);
static void wb_report_json_string(const char *s);
static void wb_report_json_hist(const char *name, const wb_hist_t *h);
static void wb_report_json_lists(const wb_opt_t *opt, const wb_result_t *r);
static void wb_report_text_hist(const char *name, const wb_hist_t *h);
static void wb_report_text_traffic(const wb_opt_t *opt, const wb_result_t *r,
    uint64_t start);


static const double  wb_percentiles[] = { 50, 90, 99, 99.9 };


void
wb_report_merge(wb_result_t *sum, const wb_result_t *one)
{
    unsigned  i, k;

    sum->connected += one->connected;
    sum->half += one->half;
    sum->failed += one->failed;
    sum->lost += one->lost;
    sum->closed += one->closed;
    sum->sent += one->sent;
    sum->unsent += one->unsent;
    sum->expected += one->expected;
    sum->received += one->received;
    sum->bytes += one->bytes;
    sum->seen += one->seen;
    sum->wire += one->wire;
    sum->repeats += one->repeats;
    sum->holes += one->holes;
    sum->strays += one->strays;
    sum->others += one->others;
    sum->cpu += one->cpu;
    sum->last = (one->last > sum->last) ? one->last : sum->last;

    for (i = 0; i < WB_MAX_LIST; i++) {
        sum->counts[i] += one->counts[i];
    }

    for (i = 0; i < WB_CODES && one->codes[i].count; i++) {
        for (k = 0; k < WB_CODES; k++) {
            if (sum->codes[k].count == 0
                || sum->codes[k].code == one->codes[i].code)
            {
                sum->codes[k].code = one->codes[i].code;
                sum->codes[k].count += one->codes[i].count;
                break;
            }
        }
    }

    if (sum->error[0] == '\0') {
        memcpy(sum->error, one->error, sizeof(sum->error));
    }

    wb_hist_merge(&sum->latency, &one->latency);
    wb_hist_merge(&sum->late, &one->late);
    wb_hist_merge(&sum->join, &one->join);
    wb_hist_merge(&sum->ack, &one->ack);
}


void
wb_report_progress(const wb_opt_t *opt, wb_phase_e phase,
    const wb_result_t *sum)
{
    switch (phase) {

    case WB_HALF:
        fprintf(stderr, "half sent %" PRIu64 " of %u, failed %" PRIu64 "\n",
                sum->half, opt->connections, sum->failed);
        break;

    case WB_CONNECT:
        fprintf(stderr, "connected %" PRIu64 " of %u, failed %" PRIu64 "\n",
                sum->connected, opt->connections, sum->failed);
        break;

    case WB_PUBLISH:
        if (sum->expected == 0) {
            fprintf(stderr, "warming up\n");
            break;
        }

        fprintf(stderr, "sent %" PRIu64 ", delivered %" PRIu64 " of %" PRIu64
                ", p50 %.2f ms, p99 %.2f ms, lost %" PRIu64 "\n", sum->sent,
                sum->received, sum->expected,
                wb_hist_percentile(&sum->latency, 50) / 1e6,
                wb_hist_percentile(&sum->latency, 99) / 1e6, sum->lost);
        break;

    case WB_CLOSE:
        fprintf(stderr, "closed %" PRIu64 " of %" PRIu64 "\n", sum->closed,
                sum->connected - sum->lost);
        break;

    case WB_IDLE:
        fprintf(stderr, "holding %" PRIu64 ", lost %" PRIu64 "\n",
                sum->connected - sum->lost, sum->lost);
        break;
    }
}


void
wb_report_json(const wb_opt_t *opt, const wb_result_t *r, uint64_t start)
{
    printf("{\n  \"connections\": %u, \"rooms\": %u, \"publishers\": %u, "
           "\"rate\": %g, \"size\": %u, \"processes\": %u,\n",
           opt->connections, opt->rooms, opt->publishers, opt->rate,
           opt->size, opt->processes);

    printf("  \"connected\": %" PRIu64 ", \"failed\": %" PRIu64
           ", \"lost\": %" PRIu64 ", \"closed\": %" PRIu64 ",\n",
           r->connected, r->failed, r->lost, r->closed);

    printf("  \"seconds\": %.3f, \"sent\": %" PRIu64 ", \"unsent\": %" PRIu64
           ", \"expected\": %" PRIu64 ", \"received\": %" PRIu64
           ", \"missing\": %" PRId64 ", \"bytes\": %" PRIu64
           ", \"seen\": %" PRIu64 ", \"wire\": %" PRIu64 ",\n",
           wb_report_seconds(opt, r, start), r->sent, r->unsent, r->expected,
           r->received, wb_report_missing(r), r->bytes, r->seen, r->wire);

    printf("  \"repeats\": %" PRIu64 ", \"holes\": %" PRIu64
           ", \"strays\": %" PRIu64 ", \"others\": %" PRIu64 ",\n",
           r->repeats, r->holes, r->strays, r->others);

    wb_report_json_lists(opt, r);
    wb_report_json_hist("join_ms", &r->join);
    wb_report_json_hist("ack_ms", &r->ack);
    wb_report_json_hist("latency_ms", &r->latency);
    wb_report_json_hist("late_ms", &r->late);

    printf("  \"cpu\": %.3f,\n  \"error\": ", wb_report_cpu(opt, r, start));
    wb_report_json_string(r->error);
    printf("\n}\n");
}


static double
wb_report_seconds(const wb_opt_t *opt, const wb_result_t *r, uint64_t start)
{
    double  seconds;

    if (r->expected == 0) {
        return 0;
    }

    seconds = (r->last > start) ? (double) (r->last - start) / 1e9 : 0;

    return (seconds > opt->duration) ? seconds : opt->duration;
}


/* The share of its processors that the generator used. */

static double
wb_report_cpu(const wb_opt_t *opt, const wb_result_t *r, uint64_t start)
{
    double  seconds;

    seconds = wb_report_seconds(opt, r, start);

    return seconds > 0 ? r->cpu / 1e9 / seconds / opt->processes : 0;
}


static int64_t
wb_report_missing(const wb_result_t *r)
{
    return (int64_t) (r->expected - r->received);
}


static void
wb_report_json_string(const char *s)
{
    putchar('"');

    for ( /* void */ ; *s; s++) {
        if (*s == '"' || *s == '\\') {
            putchar('\\');
        }

        if ((u_char) *s < 0x20 || (u_char) *s > 0x7e) {
            printf("\\u%04x", (u_char) *s);
            continue;
        }

        putchar(*s);
    }

    putchar('"');
}


static void
wb_report_json_hist(const char *name, const wb_hist_t *h)
{
    unsigned  i;

    printf("  \"%s\": {\"count\": %" PRIu64 ", \"mean\": %.4f", name,
           h->total, h->total ? (double) h->sum / h->total / 1e6 : 0);

    for (i = 0; i < sizeof(wb_percentiles) / sizeof(double); i++) {
        printf(", \"p%g\": %.4f", wb_percentiles[i],
               wb_hist_percentile(h, wb_percentiles[i]) / 1e6);
    }

    printf(", \"max\": %.4f},\n", h->max / 1e6);
}


static void
wb_report_json_lists(const wb_opt_t *opt, const wb_result_t *r)
{
    unsigned  i;

    printf("  \"counts\": {");

    for (i = 0; i < opt->counts.n; i++) {
        printf("%s", i ? ", " : "");
        wb_report_json_string(opt->counts.values[i]);
        printf(": %" PRIu64, r->counts[i]);
    }

    printf("},\n  \"codes\": {");

    for (i = 0; i < WB_CODES && r->codes[i].count; i++) {
        printf("%s\"%u\": %" PRIu64, i ? ", " : "", r->codes[i].code,
               r->codes[i].count);
    }

    printf("},\n");
}


void
wb_report_text(const wb_opt_t *opt, const wb_result_t *r, uint64_t start)
{
    unsigned  i;

    printf("connections  %" PRIu64 " of %u in %u rooms, %" PRIu64
           " failed, %" PRIu64 " lost\n", r->connected, opt->connections,
           opt->rooms, r->failed, r->lost);

    wb_report_text_hist("join", &r->join);

    if (r->expected) {
        wb_report_text_traffic(opt, r, start);
    }

    if (r->ack.total) {
        wb_report_text_hist("acknowledged", &r->ack);
    }

    for (i = 0; i < opt->counts.n; i++) {
        printf("messages with %s: %" PRIu64 "\n", opt->counts.values[i],
               r->counts[i]);
    }

    for (i = 0; i < WB_CODES && r->codes[i].count; i++) {
        printf("closed with %u: %" PRIu64 "\n", r->codes[i].code,
               r->codes[i].count);
    }

    if (r->error[0]) {
        printf("first error  %s\n", r->error);
    }
}


static void
wb_report_text_hist(const char *name, const wb_hist_t *h)
{
    unsigned  i;

    printf("%-12s", name);

    for (i = 0; i < sizeof(wb_percentiles) / sizeof(double); i++) {
        printf(" p%g %.2f", wb_percentiles[i],
               wb_hist_percentile(h, wb_percentiles[i]) / 1e6);
    }

    printf(" max %.2f ms\n", h->max / 1e6);
}


static void
wb_report_text_traffic(const wb_opt_t *opt, const wb_result_t *r,
    uint64_t start)
{
    double  cpu, seconds;

    seconds = wb_report_seconds(opt, r, start);
    cpu = wb_report_cpu(opt, r, start);

    printf("sent         %" PRIu64 ", not sent %" PRIu64 "\n", r->sent,
           r->unsent);
    printf("delivered    %" PRIu64 " of %" PRIu64 " in %.1f s: %.0f/s, "
           "missing %" PRId64 "\n", r->received, r->expected, seconds,
           r->received / seconds, wb_report_missing(r));
    printf("order        %" PRIu64 " repeated, %" PRIu64 " holes, %" PRIu64
           " of another room, %" PRIu64 " other messages\n", r->repeats,
           r->holes, r->strays, r->others);

    printf("octets       %" PRIu64 " of messages, %" PRIu64 " read: %.1f for "
           "each delivery\n", r->bytes, r->wire,
           r->received ? (double) r->wire / r->received : 0);

    wb_report_text_hist("latency", &r->latency);
    wb_report_text_hist("sent late", &r->late);

    printf("generator    %.0f%% of its processors%s\n", cpu * 100,
           cpu > WB_BUSY ? ": it may be what is slow" : "");
}


int
wb_report_loss(const wb_result_t *r)
{
    return r->failed || r->lost || r->unsent || r->repeats || r->holes
           || r->strays || wb_report_missing(r) != 0;
}

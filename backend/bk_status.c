
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>
#include <string.h>

#include "wsc_number.h"
#include "wsc_writer.h"
#include "bk_http.h"
#include "bk_log.h"
#include "bk_status.h"


#define BK_MICRO  1000000


static void bk_status_add(wsc_buf_t *b, const char *s);
static void bk_status_metric(wsc_buf_t *b, const bk_metric_t *m);


static const char         *bk_status_prefix;
static const bk_metric_t  *bk_status_list;
static const char         *bk_status_reasons[BK_STATUS_N];


void
bk_status_init(const char *prefix, const bk_metric_t *metrics)
{
    bk_status_prefix = prefix;
    bk_status_list = metrics;
}


void
bk_status_set(bk_status_e part, const char *reason)
{
    const char  *before;

    before = __atomic_exchange_n(&bk_status_reasons[part], reason,
                                 __ATOMIC_RELAXED);

    if (before != reason) {
        bk_log(reason ? BK_LOG_WARN : BK_LOG_INFO,
               reason ? "not ready" : "ready again",
               bk_str("reason", reason ? reason : before));
    }
}


void
bk_status_health(bk_request_t *r)
{
    unsigned       i;
    const char    *reason;
    wsc_writer_t   w;

    reason = NULL;

    for (i = 0; i < BK_STATUS_N && reason == NULL; i++) {
        reason = __atomic_load_n(&bk_status_reasons[i], __ATOMIC_RELAXED);
    }

    if (reason && bk_http_arg(r, "live") == NULL) {
        r->status = 503;
    }

    wsc_writer_init(&w, &r->body, WSC_ENC_JSON);
    wsc_writer_map(&w);
    wsc_writer_key(&w, "status");
    wsc_writer_text(&w, reason ? "unavailable" : "ok");

    if (reason) {
        wsc_writer_key(&w, "reason");
        wsc_writer_text(&w, reason);
    }

    wsc_writer_end(&w);
    wsc_buf_byte(&r->body, '\n');
}


void
bk_status_metrics(bk_request_t *r)
{
    const bk_metric_t  *m;

    r->type = "text/plain; version=0.0.4";

    for (m = bk_status_list; m->name; m++) {
        bk_status_metric(&r->body, m);
    }
}


static void
bk_status_metric(wsc_buf_t *b, const bk_metric_t *m)
{
    char     fraction[16];
    u_char   buf[WSC_NUMBER_LEN];
    int64_t  value;

    bk_status_add(b, "# HELP ");
    bk_status_add(b, bk_status_prefix);
    bk_status_add(b, m->name);
    wsc_buf_byte(b, ' ');
    bk_status_add(b, m->help);
    bk_status_add(b, "\n# TYPE ");
    bk_status_add(b, bk_status_prefix);
    bk_status_add(b, m->name);
    wsc_buf_byte(b, ' ');
    bk_status_add(b, m->type);
    wsc_buf_byte(b, '\n');
    bk_status_add(b, bk_status_prefix);
    bk_status_add(b, m->name);
    wsc_buf_byte(b, ' ');

    value = bk_metric_get(m);

    if (m->micro) {
        wsc_buf_add(b, buf, wsc_number_print_int(buf, value / BK_MICRO));
        snprintf(fraction, sizeof(fraction), ".%06d",
                 (int) (value % BK_MICRO));
        bk_status_add(b, fraction);

    } else {
        wsc_buf_add(b, buf, wsc_number_print_int(buf, value));
    }

    wsc_buf_byte(b, '\n');
}


static void
bk_status_add(wsc_buf_t *b, const char *s)
{
    wsc_buf_add(b, s, strlen(s));
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <stdio.h>
#include <string.h>

#include "wsc_prom.h"


#define WSC_PROM_NUMBER  32


static void wsc_prom_text(wsc_buf_t *b, const char *s);
static void wsc_prom_line(wsc_buf_t *b, const char *name, const char *suffix,
    const wsc_prom_label_t *labels, const char *value);
static void wsc_prom_label(wsc_buf_t *b, const wsc_prom_label_t *label);
static void wsc_prom_time(char *text, uint64_t us);


void
wsc_prom_metric(wsc_buf_t *b, const char *name, wsc_prom_type_e type,
    const char *help)
{
    static const char  *types[] = { "gauge", "counter", "histogram" };

    wsc_prom_text(b, "# HELP ");
    wsc_prom_text(b, name);
    wsc_prom_text(b, " ");
    wsc_prom_text(b, help);
    wsc_prom_text(b, "\n# TYPE ");
    wsc_prom_text(b, name);
    wsc_prom_text(b, " ");
    wsc_prom_text(b, types[type]);
    wsc_prom_text(b, "\n");
}


void
wsc_prom_sample(wsc_buf_t *b, const char *name,
    const wsc_prom_label_t *labels, uint64_t value)
{
    char  text[WSC_PROM_NUMBER];

    snprintf(text, sizeof(text), "%llu", (unsigned long long) value);

    wsc_prom_line(b, name, "", labels, text);
}


void
wsc_prom_seconds(wsc_buf_t *b, const char *name,
    const wsc_prom_label_t *labels, uint64_t us)
{
    char  text[WSC_PROM_NUMBER];

    wsc_prom_time(text, us);
    wsc_prom_line(b, name, "", labels, text);
}


/* Buckets are cumulative, the last one is the count. */

void
wsc_prom_histogram(wsc_buf_t *b, const char *name,
    const wsc_prom_label_t *label, const wsc_hist_t *h)
{
    char              text[WSC_PROM_NUMBER], bound[WSC_PROM_NUMBER];
    unsigned          i, n;
    uint64_t          count;
    wsc_prom_label_t  labels[3];

    memset(labels, 0, sizeof(labels));

    n = (label != NULL && label->name != NULL);

    if (n) {
        labels[0] = *label;
    }

    labels[n].name = "le";
    labels[n].value.data = (u_char *) bound;

    count = 0;

    for (i = 0; i <= WSC_HIST_BOUNDS; i++) {
        count += h->counts[i];
        snprintf(text, sizeof(text), "%llu", (unsigned long long) count);

        if (i < WSC_HIST_BOUNDS) {
            wsc_prom_time(bound, wsc_hist_bounds[i]);

        } else {
            memcpy(bound, "+Inf", sizeof("+Inf"));
        }

        labels[n].value.len = strlen(bound);
        wsc_prom_line(b, name, "_bucket", labels, text);
    }

    labels[n].name = NULL;

    wsc_prom_line(b, name, "_count", labels, text);

    wsc_prom_time(text, h->sum);
    wsc_prom_line(b, name, "_sum", labels, text);
}


static void
wsc_prom_line(wsc_buf_t *b, const char *name, const char *suffix,
    const wsc_prom_label_t *labels, const char *value)
{
    const char  *before;

    wsc_prom_text(b, name);
    wsc_prom_text(b, suffix);

    before = "{";

    for ( /* void */ ; labels != NULL && labels->name != NULL; labels++) {
        wsc_prom_text(b, before);
        wsc_prom_label(b, labels);
        before = ",";
    }

    if (*before == ',') {
        wsc_prom_text(b, "}");
    }

    wsc_prom_text(b, " ");
    wsc_prom_text(b, value);
    wsc_prom_text(b, "\n");
}


static void
wsc_prom_label(wsc_buf_t *b, const wsc_prom_label_t *label)
{
    u_char  ch;
    size_t  i;

    wsc_prom_text(b, label->name);
    wsc_prom_text(b, "=\"");

    for (i = 0; i < label->value.len; i++) {
        ch = label->value.data[i];

        if (ch == '\n') {
            wsc_prom_text(b, "\\n");
            continue;
        }

        if (ch == '\\' || ch == '"') {
            wsc_buf_byte(b, '\\');
        }

        wsc_buf_byte(b, ch);
    }

    wsc_prom_text(b, "\"");
}


static void
wsc_prom_text(wsc_buf_t *b, const char *s)
{
    wsc_buf_add(b, s, strlen(s));
}


/* Seconds, as short as they are exact. */

static void
wsc_prom_time(char *text, uint64_t us)
{
    int  len;

    len = snprintf(text, WSC_PROM_NUMBER, "%llu.%06u",
                   (unsigned long long) (us / 1000000),
                   (unsigned) (us % 1000000));

    while (text[len - 1] == '0') {
        len--;
    }

    if (text[len - 1] == '.') {
        len--;
    }

    text[len] = '\0';
}

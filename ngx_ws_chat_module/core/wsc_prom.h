
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Metrics as Prometheus reads them: its text format, version 0.0.4.  A lack
 * of memory shows in the buffer's failed flag.
 */


#ifndef _WSC_PROM_H_INCLUDED_
#define _WSC_PROM_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_hist.h"


typedef enum {
    WSC_PROM_GAUGE = 0,
    WSC_PROM_COUNTER,
    WSC_PROM_HISTOGRAM
} wsc_prom_type_e;


typedef struct {
    const char          *name;         /* NULL: there is none */
    wsc_str_t            value;        /* any UTF-8; it is escaped */
} wsc_prom_label_t;


/* Begins a metric: all samples of it have to follow.  help: one line. */
void wsc_prom_metric(wsc_buf_t *b, const char *name, wsc_prom_type_e type,
    const char *help);

/* One sample; labels end with one without a name, NULL: no labels. */
void wsc_prom_sample(wsc_buf_t *b, const char *name,
    const wsc_prom_label_t *labels, uint64_t value);

/* The same for a time in microseconds, which becomes seconds. */
void wsc_prom_seconds(wsc_buf_t *b, const char *name,
    const wsc_prom_label_t *labels, uint64_t us);

/* The samples of a histogram; at most one label. */
void wsc_prom_histogram(wsc_buf_t *b, const char *name,
    const wsc_prom_label_t *label, const wsc_hist_t *h);


#endif /* _WSC_PROM_H_INCLUDED_ */

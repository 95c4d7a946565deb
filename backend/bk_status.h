
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What /health and /metrics tell of a daemon.
 */


#ifndef _BK_STATUS_H_INCLUDED_
#define _BK_STATUS_H_INCLUDED_


#include "bk_http.h"


typedef struct {
    const char       *name;      /* NULL: behind the last one */
    const char       *type;      /* "counter" or "gauge" */
    const char       *help;
    int64_t           value;
    unsigned          micro:1;   /* it counts millionths of what it tells */
} bk_metric_t;


#define bk_counter(name, help)  { name, "counter", help, 0, 0 }
#define bk_gauge(name, help)    { name, "gauge", help, 0, 0 }

/* A counter of seconds, to which microseconds are added. */
#define bk_seconds(name, help)  { name, "counter", help, 0, 1 }

#define bk_metric_add(m, n)                                                   \
    (void) __atomic_add_fetch(&(m)->value, n, __ATOMIC_RELAXED)
#define bk_metric_set(m, n)                                                   \
    __atomic_store_n(&(m)->value, n, __ATOMIC_RELAXED)
#define bk_metric_get(m)  __atomic_load_n(&(m)->value, __ATOMIC_RELAXED)


/* The metrics' names get this prefix; both arguments stay where they are. */
void bk_status_init(const char *prefix, const bk_metric_t *metrics);

/* Health is that nothing is wrong with any of these. */

typedef enum {
    BK_STATUS_KAFKA = 0,
    BK_STATUS_STORE,             /* PostgreSQL or Redis */
    BK_STATUS_SCHEMA,
    BK_STATUS_DATA,
    BK_STATUS_N
} bk_status_e;


/* What is wrong there (static), or NULL: all is well. */
void bk_status_set(bk_status_e part, const char *reason);

/* Handlers. */
void bk_status_health(bk_request_t *r);
void bk_status_metrics(bk_request_t *r);


#endif /* _BK_STATUS_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_store_test.h"
#include "ngx_ws_chat_store_test_int.h"
#include "ngx_ws_chat_mem.h"
#include "ngx_ws_chat_shm.h"
#include "ngx_ws_chat_store_shm.h"
#include "core/wsc_envelope.h"


typedef struct {
    ngx_msec_t                  delay;
    ngx_uint_t                  fail;         /* percent */
    ngx_flag_t                  shuffle;
    ngx_uint_t                  store;        /* 1: wrap the zones */
    ngx_str_t                   hold;         /* path; terminated */
} ngx_ws_chat_test_conf_t;


static void ngx_ws_chat_store_test_publish(ngx_ws_chat_publish_t *p);
static void ngx_ws_chat_store_test_published(ngx_ws_chat_publish_t *p);
static void ngx_ws_chat_store_test_run_publish(ngx_ws_chat_test_job_t *job);
static void ngx_ws_chat_store_test_cancel_publish(ngx_ws_chat_publish_t *p);

static void ngx_ws_chat_store_test_read(ngx_ws_chat_read_t *r);
static void ngx_ws_chat_store_test_run_read(ngx_ws_chat_test_job_t *job);
static void ngx_ws_chat_store_test_cancel_read(ngx_ws_chat_read_t *r);

static void ngx_ws_chat_store_test_attach(ngx_ws_chat_attach_t *a);
static void ngx_ws_chat_store_test_run_attach(ngx_ws_chat_test_job_t *job);
static void ngx_ws_chat_store_test_attached(ngx_ws_chat_attach_t *inner);
static void ngx_ws_chat_store_test_detach(ngx_ws_chat_attach_t *a);
static void ngx_ws_chat_store_test_deliver(ngx_ws_chat_attach_t *inner,
    const wsc_entry_t *entries, ngx_uint_t n);
static void ngx_ws_chat_store_test_run_deliver(ngx_ws_chat_test_job_t *job);
static void ngx_ws_chat_store_test_news(ngx_ws_chat_attach_t *inner,
    const wsc_news_t *news);
static void ngx_ws_chat_store_test_run_news(ngx_ws_chat_test_job_t *job);
static ngx_int_t ngx_ws_chat_store_test_emit(ngx_ws_chat_zone_t *z,
    const wsc_news_t *news);
static void ngx_ws_chat_store_test_load(ngx_ws_chat_load_t *l);
static void ngx_ws_chat_store_test_run_load(ngx_ws_chat_test_job_t *job);
static void ngx_ws_chat_store_test_cancel_load(ngx_ws_chat_load_t *l);
static void ngx_ws_chat_store_test_missed(ngx_ws_chat_attach_t *inner);
static wsc_entry_t *ngx_ws_chat_store_test_copy(const wsc_entry_t *entries,
    ngx_uint_t n);
static void ngx_ws_chat_store_test_copy_str(u_char **p, wsc_str_t *s);

static void ngx_ws_chat_store_test_event(ngx_event_t *ev);

static ngx_int_t ngx_ws_chat_store_test_init_process(ngx_ws_chat_zone_t *z,
    ngx_cycle_t *cycle);
static void ngx_ws_chat_store_test_exit_process(ngx_ws_chat_zone_t *z,
    ngx_cycle_t *cycle);
static ngx_int_t ngx_ws_chat_store_test_health(ngx_ws_chat_zone_t *z,
    const char **reason);
static ngx_ws_chat_test_conf_t *ngx_ws_chat_store_test_conf(ngx_conf_t *cf,
    ngx_ws_chat_main_conf_t *mcf);


const ngx_ws_chat_store_t  ngx_ws_chat_store_test = {
    "test",
    ngx_ws_chat_store_test_publish,
    ngx_ws_chat_store_test_read,
    ngx_ws_chat_store_test_attach,
    ngx_ws_chat_store_test_detach,
    ngx_ws_chat_store_test_cancel_publish,
    ngx_ws_chat_store_test_cancel_read,
    ngx_ws_chat_store_test_change,
    ngx_ws_chat_store_test_cancel_change,
    ngx_ws_chat_shm_erase,
    ngx_ws_chat_shm_cancel_erase,
    ngx_ws_chat_store_test_emit,
    ngx_ws_chat_store_test_load,
    ngx_ws_chat_store_test_cancel_load,
    ngx_ws_chat_store_test_init_process,
    ngx_ws_chat_store_test_exit_process,
    ngx_ws_chat_store_test_health,
    NULL
};


static const ngx_ws_chat_attach_ops_t  ngx_ws_chat_store_test_ops = {
    ngx_ws_chat_store_test_attached,
    ngx_ws_chat_store_test_deliver,
    ngx_ws_chat_store_test_update,
    ngx_ws_chat_store_test_news,
    ngx_ws_chat_store_test_missed
};


const ngx_ws_chat_store_t         *ngx_ws_chat_store_test_inner =
                                                       &ngx_ws_chat_store_shm;

/* of this worker */

static ngx_ws_chat_test_conf_t    *ngx_ws_chat_test;
static ngx_queue_t                 ngx_ws_chat_test_jobs;
static ngx_queue_t                 ngx_ws_chat_test_listeners;
ngx_msec_t                         ngx_ws_chat_test_due;


/* Stored at once and in order; only the answer takes its time. */

static void
ngx_ws_chat_store_test_publish(ngx_ws_chat_publish_t *p)
{
    void                  (*done)(ngx_ws_chat_publish_t *p);
    ngx_ws_chat_test_job_t  *job;

    job = ngx_ws_chat_store_test_job(p, ngx_ws_chat_store_test_run_publish);

    if (job == NULL || ngx_ws_chat_store_test_fails()) {
        p->err = WSC_ERR_UNAVAILABLE;
        p->retry_ms = NGX_WS_CHAT_TEST_RETRY;
        p->dup = 0;
        p->known = 0;

    } else {
        done = p->done;
        p->done = ngx_ws_chat_store_test_published;

        ngx_ws_chat_store_test_inner->publish(p);

        p->done = done;
    }

    if (job == NULL) {
        p->done(p);
        return;
    }

    ngx_ws_chat_store_test_schedule(job, &ngx_ws_chat_test_due);
}


static void
ngx_ws_chat_store_test_published(ngx_ws_chat_publish_t *p)
{
    /* the embedded store answers at once, our caller hears later */
}


static void
ngx_ws_chat_store_test_run_publish(ngx_ws_chat_test_job_t *job)
{
    ngx_ws_chat_publish_t  *p;

    p = job->request;
    ngx_ws_chat_store_test_free(job);

    p->done(p);
}


static void
ngx_ws_chat_store_test_cancel_publish(ngx_ws_chat_publish_t *p)
{
    ngx_ws_chat_store_test_cancel(p);
}


static void
ngx_ws_chat_store_test_read(ngx_ws_chat_read_t *r)
{
    ngx_ws_chat_test_job_t  *job;

    job = ngx_ws_chat_store_test_job(r, ngx_ws_chat_store_test_run_read);

    if (job == NULL) {
        ngx_ws_chat_store_test_inner->read(r);
        return;
    }

    ngx_ws_chat_store_test_schedule(job, &ngx_ws_chat_test_due);
}


static void
ngx_ws_chat_store_test_run_read(ngx_ws_chat_test_job_t *job)
{
    ngx_ws_chat_read_t  *r;

    r = job->request;
    ngx_ws_chat_store_test_free(job);

    if (!ngx_ws_chat_store_test_fails()) {
        ngx_ws_chat_store_test_inner->read(r);
        return;
    }

    r->err = WSC_ERR_UNAVAILABLE;
    r->entries = NULL;
    r->n = 0;
    r->more = 0;
    r->nchanged = 0;
    r->overrun = 0;
    ngx_memzero(&r->chat, sizeof(wsc_shmlog_chat_t));

    r->done(r);
}


static void
ngx_ws_chat_store_test_cancel_read(ngx_ws_chat_read_t *r)
{
    ngx_ws_chat_store_test_cancel(r);
}


static void
ngx_ws_chat_store_test_attach(ngx_ws_chat_attach_t *a)
{
    ngx_ws_chat_test_job_t  *job;

    job = ngx_ws_chat_store_test_job(a, ngx_ws_chat_store_test_run_attach);

    if (job == NULL) {
        a->err = WSC_ERR_UNAVAILABLE;
        a->ops->done(a);
        return;
    }

    ngx_ws_chat_store_test_schedule(job, &ngx_ws_chat_test_due);
}


static void
ngx_ws_chat_store_test_run_attach(ngx_ws_chat_test_job_t *job)
{
    ngx_ws_chat_attach_t         *a;
    ngx_ws_chat_test_listener_t  *l;

    a = job->request;
    a->err = WSC_ERR_UNAVAILABLE;

    ngx_ws_chat_store_test_free(job);

    l = ngx_ws_chat_store_test_fails()
        ? NULL
        : wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_test_listener_t));

    if (l == NULL) {
        a->ops->done(a);
        return;
    }

    ngx_memzero(l, sizeof(ngx_ws_chat_test_listener_t));

    l->outer = a;
    l->due = ngx_current_msec;
    l->inner.zone = a->zone;
    l->inner.chat_id = a->chat_id;
    l->inner.ops = &ngx_ws_chat_store_test_ops;

    ngx_ws_chat_store_test_inner->attach(&l->inner);

    a->err = l->inner.err;

    if (a->err != WSC_ERR_NONE) {
        wsc_free(&ngx_ws_chat_alloc, l);
        a->ops->done(a);
        return;
    }

    a->head = l->inner.head;
    a->seen = l->inner.head;
    a->changed = l->inner.changed;
    a->attached = 1;

    ngx_queue_insert_tail(&ngx_ws_chat_test_listeners, &l->queue);

    a->ops->done(a);
}


static void
ngx_ws_chat_store_test_attached(ngx_ws_chat_attach_t *inner)
{
    /* the embedded store answers at once, our caller hears later */
}


static void
ngx_ws_chat_store_test_detach(ngx_ws_chat_attach_t *a)
{
    ngx_queue_t                  *q;
    ngx_ws_chat_test_listener_t  *l;

    ngx_ws_chat_store_test_cancel(a);

    for (q = ngx_queue_head(&ngx_ws_chat_test_listeners);
         q != ngx_queue_sentinel(&ngx_ws_chat_test_listeners);
         q = ngx_queue_next(q))
    {
        l = ngx_queue_data(q, ngx_ws_chat_test_listener_t, queue);

        if (l->outer != a) {
            continue;
        }

        ngx_ws_chat_store_test_inner->detach(&l->inner);
        ngx_ws_chat_store_test_cancel(l);

        ngx_queue_remove(&l->queue);
        wsc_free(&ngx_ws_chat_alloc, l);
        break;
    }

    a->attached = 0;
}


static void
ngx_ws_chat_store_test_deliver(ngx_ws_chat_attach_t *inner,
    const wsc_entry_t *entries, ngx_uint_t n)
{
    ngx_ws_chat_store_test_hand(inner, entries, n,
                                ngx_ws_chat_store_test_run_deliver);
}


void
ngx_ws_chat_store_test_hand(ngx_ws_chat_attach_t *inner,
    const wsc_entry_t *entries, ngx_uint_t n,
    void (*run)(ngx_ws_chat_test_job_t *job))
{
    ngx_ws_chat_test_job_t       *job;
    ngx_ws_chat_test_listener_t  *l;

    l = (ngx_ws_chat_test_listener_t *) inner;

    job = ngx_ws_chat_store_test_job(l, run);

    if (job == NULL) {
        return;
    }

    job->n = n;
    job->entries = ngx_ws_chat_store_test_copy(entries, n);

    if (job->entries == NULL) {
        ngx_ws_chat_store_test_free(job);
        return;
    }

    ngx_ws_chat_store_test_schedule(job, &l->due);
}


static void
ngx_ws_chat_store_test_run_deliver(ngx_ws_chat_test_job_t *job)
{
    ngx_ws_chat_attach_t         *a;
    ngx_ws_chat_test_listener_t  *l;

    l = job->request;
    a = l->outer;

    /* deliver() may detach, which lets go of what the listener waits for */

    job->request = NULL;
    a->ops->deliver(a, job->entries, job->n);

    ngx_ws_chat_store_test_free(job);
}


static void
ngx_ws_chat_store_test_news(ngx_ws_chat_attach_t *inner,
    const wsc_news_t *news)
{
    ngx_ws_chat_test_job_t       *job;
    ngx_ws_chat_test_listener_t  *l;

    l = (ngx_ws_chat_test_listener_t *) inner;

    job = ngx_ws_chat_store_test_job(l, ngx_ws_chat_store_test_run_news);

    if (job == NULL) {
        return;
    }

    wsc_envelope_news(&job->news, news);
    ngx_ws_chat_store_test_schedule(job, &l->due);
}


static void
ngx_ws_chat_store_test_run_news(ngx_ws_chat_test_job_t *job)
{
    wsc_str_t              s = { job->news.len, job->news.data };
    const char            *reason;
    wsc_envelope_t         v;
    ngx_ws_chat_attach_t  *a;

    a = ((ngx_ws_chat_test_listener_t *) job->request)->outer;
    job->request = NULL;

    if (wsc_envelope_read(&ngx_ws_chat_alloc, &s, &v, &reason) == WSC_OK)
    {
        a->ops->news(a, &v.news);
    }

    ngx_ws_chat_store_test_free(job);
}


static ngx_int_t
ngx_ws_chat_store_test_emit(ngx_ws_chat_zone_t *z, const wsc_news_t *news)
{
    if (ngx_ws_chat_store_test_fails()) {
        return NGX_DECLINED;
    }

    return ngx_ws_chat_store_test_inner->emit(z, news);
}


static void
ngx_ws_chat_store_test_load(ngx_ws_chat_load_t *l)
{
    ngx_ws_chat_test_job_t  *job;

    job = ngx_ws_chat_store_test_job(l, ngx_ws_chat_store_test_run_load);

    if (job == NULL) {
        ngx_ws_chat_store_test_inner->load(l);
        return;
    }

    ngx_ws_chat_store_test_schedule(job, &ngx_ws_chat_test_due);
}


static void
ngx_ws_chat_store_test_run_load(ngx_ws_chat_test_job_t *job)
{
    ngx_ws_chat_load_t  *l;

    l = job->request;
    ngx_ws_chat_store_test_free(job);

    if (!ngx_ws_chat_store_test_fails()) {
        ngx_ws_chat_store_test_inner->load(l);
        return;
    }

    l->err = WSC_ERR_UNAVAILABLE;
    l->done(l);
}


static void
ngx_ws_chat_store_test_cancel_load(ngx_ws_chat_load_t *l)
{
    ngx_ws_chat_store_test_cancel(l);
}


static void
ngx_ws_chat_store_test_missed(ngx_ws_chat_attach_t *inner)
{
    ngx_ws_chat_attach_t  *a;

    a = ((ngx_ws_chat_test_listener_t *) inner)->outer;

    a->ops->missed(a);
}


static wsc_entry_t *
ngx_ws_chat_store_test_copy(const wsc_entry_t *entries, ngx_uint_t n)
{
    u_char       *p;
    size_t        size;
    ngx_uint_t    i;
    wsc_entry_t  *copy;

    size = n * sizeof(wsc_entry_t);

    for (i = 0; i < n; i++) {
        size += entries[i].sender.len + entries[i].cid.len
                + entries[i].message.data.len;
    }

    copy = wsc_alloc(&ngx_ws_chat_alloc, size);
    if (copy == NULL) {
        return NULL;
    }

    ngx_memcpy(copy, entries, n * sizeof(wsc_entry_t));
    p = (u_char *) (copy + n);

    for (i = 0; i < n; i++) {
        ngx_ws_chat_store_test_copy_str(&p, &copy[i].sender);
        ngx_ws_chat_store_test_copy_str(&p, &copy[i].cid);
        ngx_ws_chat_store_test_copy_str(&p, &copy[i].message.data);
    }

    return copy;
}


static void
ngx_ws_chat_store_test_copy_str(u_char **p, wsc_str_t *s)
{
    u_char  *data;

    data = *p;
    *p = ngx_cpymem(data, s->data, s->len);
    s->data = data;
}


ngx_ws_chat_test_job_t *
ngx_ws_chat_store_test_job(void *request,
    void (*run)(ngx_ws_chat_test_job_t *job))
{
    ngx_ws_chat_test_job_t  *job;

    job = wsc_alloc(&ngx_ws_chat_alloc, sizeof(ngx_ws_chat_test_job_t));
    if (job == NULL) {
        return NULL;
    }

    ngx_memzero(job, sizeof(ngx_ws_chat_test_job_t));

    job->run = run;
    wsc_buf_init(&job->news, &ngx_ws_chat_alloc);
    job->request = request;
    job->event.handler = ngx_ws_chat_store_test_event;
    job->event.data = job;
    job->event.log = ngx_cycle->log;
    job->event.cancelable = 1;

    ngx_queue_insert_tail(&ngx_ws_chat_test_jobs, &job->queue);

    return job;
}


void
ngx_ws_chat_store_test_schedule(ngx_ws_chat_test_job_t *job, ngx_msec_t *due)
{
    ngx_msec_t  at;

    at = ngx_current_msec + ngx_random() % (ngx_ws_chat_test->delay + 1);

    if ((due != &ngx_ws_chat_test_due || !ngx_ws_chat_test->shuffle)
        && (ngx_msec_int_t) (*due - at) > 0)
    {
        at = *due;
    }

    *due = at;

    ngx_add_timer(&job->event, at - ngx_current_msec);
}


static void
ngx_ws_chat_store_test_event(ngx_event_t *ev)
{
    ngx_ws_chat_test_job_t  *job;

    job = ev->data;
    job->run(job);
}


void
ngx_ws_chat_store_test_cancel(void *request)
{
    ngx_queue_t             *q, *next;
    ngx_ws_chat_test_job_t  *job;

    for (q = ngx_queue_head(&ngx_ws_chat_test_jobs);
         q != ngx_queue_sentinel(&ngx_ws_chat_test_jobs);
         q = next)
    {
        next = ngx_queue_next(q);
        job = ngx_queue_data(q, ngx_ws_chat_test_job_t, queue);

        if (job->request == request) {
            ngx_ws_chat_store_test_free(job);
        }
    }
}


void
ngx_ws_chat_store_test_free(ngx_ws_chat_test_job_t *job)
{
    if (job->event.timer_set) {
        ngx_del_timer(&job->event);
    }

    ngx_queue_remove(&job->queue);

    wsc_buf_free(&job->news);
    wsc_free(&ngx_ws_chat_alloc, job->entries);
    wsc_free(&ngx_ws_chat_alloc, job);
}


ngx_uint_t
ngx_ws_chat_store_test_fails(void)
{
    return (ngx_uint_t) ngx_random() % 100 < ngx_ws_chat_test->fail;
}


static ngx_int_t
ngx_ws_chat_store_test_init_process(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle)
{
    return ngx_ws_chat_store_test_inner->init_process(z, cycle);
}


static void
ngx_ws_chat_store_test_exit_process(ngx_ws_chat_zone_t *z, ngx_cycle_t *cycle)
{
    ngx_queue_t             *q;
    ngx_ws_chat_test_job_t  *job;

    while (!ngx_queue_empty(&ngx_ws_chat_test_jobs)) {
        q = ngx_queue_head(&ngx_ws_chat_test_jobs);
        job = ngx_queue_data(q, ngx_ws_chat_test_job_t, queue);

        ngx_ws_chat_store_test_free(job);
    }

    ngx_ws_chat_store_test_inner->exit_process(z, cycle);
}


static ngx_int_t
ngx_ws_chat_store_test_health(ngx_ws_chat_zone_t *z, const char **reason)
{
    return ngx_ws_chat_store_test_inner->health(z, reason);
}


void
ngx_ws_chat_store_test_init(ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t            i;
    ngx_ws_chat_zone_t  **zones;

    ngx_queue_init(&ngx_ws_chat_test_jobs);
    ngx_queue_init(&ngx_ws_chat_test_listeners);

    ngx_ws_chat_test = mcf->test;

    if (ngx_ws_chat_test == NULL) {
        return;
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {

        if (zones[i]->redis) {
            continue;
        }

        if (ngx_ws_chat_test->store) {
            zones[i]->store = &ngx_ws_chat_store_test;
        }

        if (ngx_ws_chat_test->hold.len) {
            ngx_ws_chat_store_test_hold(zones[i], &ngx_ws_chat_test->hold);
        }
    }
}


static ngx_ws_chat_test_conf_t *
ngx_ws_chat_store_test_conf(ngx_conf_t *cf, ngx_ws_chat_main_conf_t *mcf)
{
    if (mcf->test == NULL) {
        mcf->test = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_test_conf_t));
    }

    return mcf->test;
}


char *
ngx_ws_chat_store_test_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t                 n;
    ngx_str_t                *value, s;
    ngx_uint_t                i;
    ngx_ws_chat_test_conf_t  *test;

    test = ngx_ws_chat_store_test_conf(cf, conf);
    if (test == NULL) {
        return NGX_CONF_ERROR;
    }

    test->store = 1;
    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "shuffle") == 0) {
            test->shuffle = 1;
            continue;
        }

        n = NGX_ERROR;

        if (ngx_strncmp(value[i].data, "delay=", 6) == 0) {
            s.data = value[i].data + 6;
            s.len = value[i].len - 6;
            n = ngx_parse_time(&s, 0);
            test->delay = n;

        } else if (ngx_strncmp(value[i].data, "fail=", 5) == 0) {
            n = ngx_atoi(value[i].data + 5, value[i].len - 5);
            test->fail = n;
        }

        if (n == NGX_ERROR) {
            return "takes delay=TIME, fail=PERCENT and shuffle";
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_ws_chat_store_test_hold_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *value;
    ngx_ws_chat_test_conf_t  *test;

    test = ngx_ws_chat_store_test_conf(cf, conf);
    if (test == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;
    test->hold = value[1];

    if (ngx_conf_full_name(cf->cycle, &test->hold, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}

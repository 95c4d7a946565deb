
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Changes: done at once, answered and told later.
 */


#include "ngx_ws_chat_store_test_int.h"
#include "ngx_ws_chat_mem.h"


static void ngx_ws_chat_store_test_changed(ngx_ws_chat_change_t *c);
static void ngx_ws_chat_store_test_run_change(ngx_ws_chat_test_job_t *job);
static void ngx_ws_chat_store_test_run_update(ngx_ws_chat_test_job_t *job);


void
ngx_ws_chat_store_test_change(ngx_ws_chat_change_t *c)
{
    void                  (*done)(ngx_ws_chat_change_t *c);
    ngx_ws_chat_test_job_t  *job;

    job = ngx_ws_chat_store_test_job(c, ngx_ws_chat_store_test_run_change);

    if (job == NULL || ngx_ws_chat_store_test_fails()) {
        c->err = WSC_ERR_UNAVAILABLE;
        c->retry_ms = NGX_WS_CHAT_TEST_RETRY;

    } else {
        done = c->done;
        c->done = ngx_ws_chat_store_test_changed;

        ngx_ws_chat_store_test_inner->change(c);

        c->done = done;
    }

    if (job == NULL) {
        c->done(c);
        return;
    }

    ngx_ws_chat_store_test_schedule(job, &ngx_ws_chat_test_due);
}


static void
ngx_ws_chat_store_test_changed(ngx_ws_chat_change_t *c)
{
    /* the embedded store answers at once, our caller hears later */
}


static void
ngx_ws_chat_store_test_run_change(ngx_ws_chat_test_job_t *job)
{
    ngx_ws_chat_change_t  *c;

    c = job->request;
    ngx_ws_chat_store_test_free(job);

    c->done(c);
}


void
ngx_ws_chat_store_test_cancel_change(ngx_ws_chat_change_t *c)
{
    ngx_ws_chat_store_test_cancel(c);
}


/* Behind the messages that were handed over before. */

void
ngx_ws_chat_store_test_update(ngx_ws_chat_attach_t *inner,
    const wsc_entry_t *entries, ngx_uint_t n)
{
    ngx_ws_chat_store_test_hand(inner, entries, n,
                                ngx_ws_chat_store_test_run_update);
}


static void
ngx_ws_chat_store_test_run_update(ngx_ws_chat_test_job_t *job)
{
    ngx_ws_chat_attach_t  *a;

    a = ((ngx_ws_chat_test_listener_t *) job->request)->outer;
    job->request = NULL;

    a->changed = 1;
    a->ops->update(a, job->entries, job->n);

    ngx_ws_chat_store_test_free(job);
}

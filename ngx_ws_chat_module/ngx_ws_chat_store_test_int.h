
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the files of the test store share.
 */


#ifndef _NGX_WS_CHAT_STORE_TEST_INT_H_INCLUDED_
#define _NGX_WS_CHAT_STORE_TEST_INT_H_INCLUDED_


#include "ngx_ws_chat_store.h"


#define NGX_WS_CHAT_TEST_RETRY  50       /* ms, told to senders */


typedef struct ngx_ws_chat_test_job_s  ngx_ws_chat_test_job_t;


/* An answer or a delivery that comes later. */

struct ngx_ws_chat_test_job_s {
    ngx_queue_t                 queue;
    ngx_event_t                 event;
    void                      (*run)(ngx_ws_chat_test_job_t *job);
    void                       *request;      /* or the listener */
    wsc_entry_t                *entries;
    ngx_uint_t                  n;
    wsc_buf_t                   news;         /* an envelope */
};


/* What is attached to the inner store in place of its caller's. */

typedef struct {
    ngx_ws_chat_attach_t        inner;        /* must be first */
    ngx_ws_chat_attach_t       *outer;
    ngx_queue_t                 queue;
    ngx_msec_t                  due;          /* of the last delivery */
} ngx_ws_chat_test_listener_t;


extern const ngx_ws_chat_store_t  *ngx_ws_chat_store_test_inner;
extern ngx_msec_t                  ngx_ws_chat_test_due;    /* of answers */


/* NULL: no memory. */
ngx_ws_chat_test_job_t *ngx_ws_chat_store_test_job(void *request,
    void (*run)(ngx_ws_chat_test_job_t *job));
void ngx_ws_chat_store_test_free(ngx_ws_chat_test_job_t *job);

/* Not before *due, unless the order is to be shuffled. */
void ngx_ws_chat_store_test_schedule(ngx_ws_chat_test_job_t *job,
    ngx_msec_t *due);

/* Calls off all that comes for a request or a listener. */
void ngx_ws_chat_store_test_cancel(void *request);

/* 1: this time it fails. */
ngx_uint_t ngx_ws_chat_store_test_fails(void);

/* Has run() hand a copy of the entries to the listener, in order. */
void ngx_ws_chat_store_test_hand(ngx_ws_chat_attach_t *inner,
    const wsc_entry_t *entries, ngx_uint_t n,
    void (*run)(ngx_ws_chat_test_job_t *job));

/* ngx_ws_chat_store_test_change.c */
void ngx_ws_chat_store_test_change(ngx_ws_chat_change_t *c);
void ngx_ws_chat_store_test_cancel_change(ngx_ws_chat_change_t *c);
void ngx_ws_chat_store_test_update(ngx_ws_chat_attach_t *inner,
    const wsc_entry_t *entries, ngx_uint_t n);


#endif /* _NGX_WS_CHAT_STORE_TEST_INT_H_INCLUDED_ */

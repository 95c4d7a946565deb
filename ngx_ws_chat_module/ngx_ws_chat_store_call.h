
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the store is asked for: requests belong to the caller, who keeps them
 * and their strings until they were answered.
 */


#ifndef _NGX_WS_CHAT_STORE_CALL_H_INCLUDED_
#define _NGX_WS_CHAT_STORE_CALL_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "core/wsc_cmd.h"
#include "core/wsc_news.h"


typedef struct ngx_ws_chat_publish_s  ngx_ws_chat_publish_t;
typedef struct ngx_ws_chat_read_s     ngx_ws_chat_read_t;
typedef struct ngx_ws_chat_attach_s   ngx_ws_chat_attach_t;
typedef struct ngx_ws_chat_load_s     ngx_ws_chat_load_t;


struct ngx_ws_chat_publish_s {
    ngx_queue_t                 queue;        /* the store's while it has it */
    ngx_ws_chat_zone_t         *zone;
    wsc_str_t                   chat_id;
    wsc_entry_t                 entry;        /* sender, cid, message and
                                                 timestamp; the answer sets
                                                 pos, prev, timestamp */
    wsc_shmlog_limits_t         limits;
    void                      (*done)(ngx_ws_chat_publish_t *p);
    wsc_err_e                   err;          /* answer; NONE: stored */
    uint32_t                    retry_ms;     /* with a temporary err */
    unsigned                    dup:1;        /* answer: it was there before */
    unsigned                    known:1;      /* answer: pos is known */
    unsigned                    sent:1;       /* the store's: on its way, */
    unsigned                    placing:1;    /* ... waits for pos, */
    unsigned                    doubt:1;      /* ... may be stored or not */
    unsigned                    retry:1;      /* perhaps not the first time */
    unsigned                    place:1;      /* pos is worth waiting for */
    ngx_msec_t                  deadline;     /* the store's */
    void                       *data;         /* the store's while it has it */
};


/*
 * Reads entries, ascending: those behind after (has_after), else the last
 * ones before `before` (has_before), else the newest; none behind upto
 * (seq 0: no bound); at most limit, and max_bytes but for a first one larger
 * than that.
 */
struct ngx_ws_chat_read_s {
    ngx_queue_t                 queue;
    ngx_ws_chat_zone_t         *zone;
    wsc_str_t                   chat_id;
    wsc_shmlog_limits_t         limits;
    wsc_pos_t                   after;
    wsc_pos_t                   before;
    wsc_pos_t                   upto;
    ngx_uint_t                  limit;
    size_t                      max_bytes;
    unsigned                    has_after:1;
    unsigned                    has_before:1;
    unsigned                    changes:1;    /* with after: also the messages
                                                 up to it that may have been
                                                 changed since */
    void                       *data;         /* the store's while it has it */
    void                      (*done)(ngx_ws_chat_read_t *r);

    /* The answer; entries live until done() returns. */
    wsc_err_e                   err;
    wsc_entry_t                *entries;
    ngx_uint_t                  n;
    wsc_entry_t                *changed;      /* as they are now */
    ngx_uint_t                  nchanged;
    unsigned                    overrun:1;    /* these are too many to tell */
    wsc_shmlog_chat_t           chat;         /* head, first, lost */
    unsigned                    more:1;       /* there are further ones */
    unsigned                    young:1;      /* live, after seq 0: nothing can
                                                 have expired yet */
    unsigned                    behind:1;     /* chat.head may be further */
};


typedef struct {
    void                      (*done)(ngx_ws_chat_attach_t *a);
    void                      (*deliver)(ngx_ws_chat_attach_t *a,
                                    const wsc_entry_t *entries,
                                    ngx_uint_t n);
    void                      (*update)(ngx_ws_chat_attach_t *a,
                                    const wsc_entry_t *entries,
                                    ngx_uint_t n);
    void                      (*news)(ngx_ws_chat_attach_t *a,
                                    const wsc_news_t *news);

    /* Some news were missed: what is kept is to be loaded again. */
    void                      (*missed)(ngx_ws_chat_attach_t *a);
} ngx_ws_chat_attach_ops_t;


/*
 * A room's wish to hear of its chat.  After done() without err every message
 * behind `head` is handed to deliver(), in order and once, until detach; and
 * to news() what was emitted to the chat; and to update() each message up to
 * `seen` that was changed, as it is now, perhaps more than once.
 */
struct ngx_ws_chat_attach_s {
    ngx_queue_t                 queue;
    ngx_ws_chat_zone_t         *zone;
    wsc_str_t                   chat_id;
    wsc_pos_t                   head;         /* answer */
    wsc_pos_t                   seen;         /* last delivered: the store sets
                                                 it to head, deliver() moves
                                                 it on */
    wsc_err_e                   err;          /* answer */
    uint32_t                    chat;         /* the store's */
    ngx_queue_t                 ready;        /* the store's: to be served */
    unsigned                    queued:1;     /* the store's: in there */
    unsigned                    attached:1;   /* answered without err */
    unsigned                    pending:1;    /* the caller's */
    unsigned                    changed:1;    /* some messages may have been */
    unsigned                    lapped:1;     /* the store's: it missed news,
                                                 and is to be told so */
    uint64_t                    rev;          /* the store's */
    uint64_t                    since;        /* the store's: no older news */
    void                       *data;         /* the store's */
    ngx_msec_t                  deadline;     /* the store's */
    const ngx_ws_chat_attach_ops_t  *ops;
};


/*
 * Asks for what is kept of a chat: news() is called for each note, as if it
 * had just been emitted, then done().  Of who is attached the news that were
 * emitted after the load began come by themselves, perhaps before done().
 */
struct ngx_ws_chat_load_s {
    ngx_ws_chat_zone_t         *zone;
    wsc_str_t                   chat_id;
    void                       *data;         /* the store's */
    wsc_err_e                   err;          /* answer */
    void                      (*news)(ngx_ws_chat_load_t *l,
                                    const wsc_news_t *news);
    void                      (*done)(ngx_ws_chat_load_t *l);
};


#endif /* _NGX_WS_CHAT_STORE_CALL_H_INCLUDED_ */

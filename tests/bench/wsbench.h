
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * wsbench: a load generator for WebSocket chats.  The parent process leads
 * the phases (wsbench.c); each child holds a share of the connections
 * (wsbench_proc.c) and writes its figures to memory it shares with the parent.
 */


#ifndef _WSBENCH_H_INCLUDED_
#define _WSBENCH_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_conn.h"
#include "wsc_handshake.h"
#include "wsbench_hist.h"
#include "wsbench_opt.h"


#define WB_CODES      16
#define WB_READ_SIZE  (512 * 1024)
#define WB_NEVER      UINT64_MAX


typedef struct ssl_st      wb_ssl_t;
typedef struct ssl_ctx_st  wb_ssl_ctx_t;


/* What the parent orders and a child then reports as done. */

typedef enum {
    WB_IDLE = 0,
    WB_HALF,                  /* connect, send half of each request */
    WB_CONNECT,               /* connect and join, or finish the halves */
    WB_PUBLISH,
    WB_CLOSE
} wb_phase_e;


typedef struct {
    wb_phase_e        phase;
    int               record;     /* count what is published now */
    uint64_t          start;      /* when the first message is due, ns */
    uint64_t          first;      /* number of the first message */
    uint64_t          count;      /* how many, in all rooms together */
} wb_order_t;


typedef struct {
    unsigned          code;
    uint64_t          count;
} wb_code_t;


/* The figures of one process, or of all of them. */

typedef struct {
    uint64_t          connected;  /* joined, or open if nothing is awaited */
    uint64_t          half;       /* half of the request is sent */
    uint64_t          failed;     /* never got so far */
    uint64_t          lost;       /* closed before it was asked for */
    uint64_t          closed;

    uint64_t          sent;       /* recorded messages */
    uint64_t          unsent;     /* the publisher's connection was lost */
    uint64_t          expected;   /* recorded deliveries */
    uint64_t          received;
    uint64_t          bytes;      /* payload octets of these */
    uint64_t          seen;       /* deliveries in the recorded phase, also of
                                     earlier messages */
    uint64_t          wire;       /* octets read in the recorded phase */

    uint64_t          repeats;    /* seen before, or out of order */
    uint64_t          holes;      /* a publisher's next one is missing */
    uint64_t          strays;     /* of another room */
    uint64_t          others;     /* messages that are no deliveries */
    uint64_t          counts[WB_MAX_LIST];
    wb_code_t         codes[WB_CODES];

    uint64_t          cpu;        /* ns spent in the recorded phase */
    uint64_t          last;       /* when the last delivery came, ns */

    wb_hist_t         latency;    /* due time to delivery, ns */
    wb_hist_t         late;       /* due time to sending, ns */
    wb_hist_t         join;       /* connect to joined, ns */
    wb_hist_t         ack;        /* due to acknowledged, ns */

    char              error[256]; /* the first thing that went wrong */
} wb_result_t;


typedef enum {
    WB_ST_NEW = 0,
    WB_ST_CONNECTING,
    WB_ST_HALF,
    WB_ST_HANDSHAKE,
    WB_ST_INIT,
    WB_ST_OPEN,
    WB_ST_CLOSING,
    WB_ST_DONE
} wb_state_e;


typedef struct {
    int               fd;
    uint32_t          index;      /* among all connections */
    wb_state_e        state;
    unsigned          post:1;     /* for posts: no WebSocket */
    unsigned          writing:1;  /* waits until it can write */
    uint64_t          start;      /* when it began to connect */
    size_t            half;       /* stop after so many octets; 0: do not */
    size_t            taken;      /* octets of out that are sent */
    wsc_buf_t         in;         /* of the response */
    wsc_buf_t         out;
    wb_ssl_t         *ssl;        /* NULL: plain TCP */
    wsc_conn_t        ws;
    uint32_t         *next;       /* expected sequence of each publisher */
    u_char            accept[WSC_ACCEPT_LEN];
} wb_conn_t;


/* A process with its share of the connections. */

typedef struct {
    const wb_opt_t   *opt;
    wb_result_t      *result;
    int               epoll;
    int               timer;
    int               parent;     /* orders come from here */
    uint32_t          lo;         /* connections lo .. hi - 1 are ours */
    uint32_t          hi;
    uint32_t          nconns;     /* with those for posts, at the end */
    uint32_t          begun;
    uint32_t          oldest;     /* all before it wait for nothing */
    uint32_t          waiting;    /* between connect() and joined */
    wb_conn_t        *conns;

    wb_order_t        order;
    uint64_t          begin;      /* of the phase */
    uint64_t          next;       /* message to send */
    uint64_t          total;      /* deliveries of this phase */
    uint64_t          pending;    /* ... that are to come */
    uint64_t          armed;      /* what the timer is set to */
    uint64_t          cpu;
    uint64_t          now;
    uint64_t          seed;

    wb_ssl_ctx_t     *tls;        /* NULL: no wss:// */
    wsc_conn_conf_t   conf;
    wsc_buf_t         scratch;
    wsc_buf_t         text;
    char             *pad;
    u_char           *buf;
} wb_proc_t;


#endif /* _WSBENCH_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Redis Cluster: the slot of a key, which node has which slots, and what its
 * refusals mean.
 *
 * A line of CLUSTER NODES, whose fields are parted by spaces:
 *
 *     ID IP:PORT@BUS[,HOSTNAME] FLAGS MASTER PING PONG EPOCH LINK [SLOTS...]
 *
 * SLOTS are N, N-M, or [N->-ID] and [N-<-ID] while a slot moves.
 */


#ifndef _WSC_CLUSTER_H_INCLUDED_
#define _WSC_CLUSTER_H_INCLUDED_


#include "wsc_base.h"


#define WSC_CLUSTER_SLOTS    16384
#define WSC_CLUSTER_OWNERS   512      /* nodes with slots */


/* Strings point into the reply. */

typedef struct {
    wsc_str_t            ip;          /* empty: that of the node asked */
    wsc_str_t            host;        /* its name, if it has one */
    uint16_t             port;
} wsc_cluster_owner_t;


typedef struct {
    uint32_t             n;
    wsc_cluster_owner_t  owners[WSC_CLUSTER_OWNERS];
    uint16_t             slots[WSC_CLUSTER_SLOTS];  /* owner's index + 1; 0:
                                                       nobody's */
} wsc_cluster_map_t;


typedef enum {
    WSC_CLUSTER_REFUSED = 0,      /* for good: no permission, no memory, ... */
    WSC_CLUSTER_MOVED,            /* another node has it: read the map */
    WSC_CLUSTER_LATER             /* the slot moves, or nobody has it now */
} wsc_cluster_error_e;


/* By what is between the first "{" and the next "}", if anything is. */
uint16_t wsc_cluster_slot(const wsc_str_t *key);

/*
 * Reads the reply to CLUSTER NODES.  WSC_OK; WSC_DECLINED: it is none, or more
 * than WSC_CLUSTER_OWNERS nodes have slots.
 */
ssize_t wsc_cluster_read(const wsc_str_t *text, wsc_cluster_map_t *map);

/*
 * Reads the reply to CLUSTER INFO: 1 if the node counts itself to a cluster
 * that works.  What another one knows may be old.
 */
int wsc_cluster_ok(const wsc_str_t *text);

/*
 * What an error reply (its text, without "-") means.  In either case but
 * REFUSED nothing was executed, and it may be tried again.
 */
wsc_cluster_error_e wsc_cluster_error(const wsc_str_t *text);


#endif /* _WSC_CLUSTER_H_INCLUDED_ */

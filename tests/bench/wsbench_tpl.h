
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Templates: {room} {i} {seq} {time} {cid} {tag} {pad} {line} are replaced,
 * any other brace stands for itself, so that JSON needs no quoting.
 */


#ifndef _WSBENCH_TPL_H_INCLUDED_
#define _WSBENCH_TPL_H_INCLUDED_


#include "wsc_buf.h"


typedef struct {
    uint32_t     room;
    uint32_t     i;           /* of the connection */
    uint32_t     publisher;   /* among all */
    uint32_t     seq;         /* of the publisher's messages */
    uint32_t     run;         /* makes a cid differ from those of other runs */
    uint64_t     time;        /* when the message is due, ns */
    const char  *marker;
    const char  *pad;
    const char  *line;
} wb_vars_t;


/* What {tag} carries behind the marker. */

typedef struct {
    uint32_t     publisher;
    uint32_t     seq;
    uint64_t     time;
} wb_tag_t;


#define WB_TAG_LEN  (8 + 1 + 8 + 1 + 16 + 1)


/* Appends the filled in template to out. */
void wb_tpl_render(wsc_buf_t *out, const char *tpl, const wb_vars_t *vars);

/* Reads the len octets behind a marker.  WSC_OK or WSC_DECLINED: no tag. */
ssize_t wb_tag_parse(wb_tag_t *tag, const u_char *p, size_t len);


#endif /* _WSBENCH_TPL_H_INCLUDED_ */

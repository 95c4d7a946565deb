
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#ifndef _WSBENCH_REPORT_H_INCLUDED_
#define _WSBENCH_REPORT_H_INCLUDED_


#include "wsbench.h"


/* Adds the figures of one process to the sum. */
void wb_report_merge(wb_result_t *sum, const wb_result_t *one);

/* A line on stderr while it runs; sum may be half a second old. */
void wb_report_progress(const wb_opt_t *opt, wb_phase_e phase,
    const wb_result_t *sum);

/* The result on stdout; start: of the recorded phase, ns. */
void wb_report_json(const wb_opt_t *opt, const wb_result_t *r,
    uint64_t start);
void wb_report_text(const wb_opt_t *opt, const wb_result_t *r,
    uint64_t start);

/* 1 if anything failed, is missing or came twice. */
int wb_report_loss(const wb_result_t *r);


#endif /* _WSBENCH_REPORT_H_INCLUDED_ */

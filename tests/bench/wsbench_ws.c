
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "wsbench_conn.h"
#include "wsbench_proc.h"
#include "wsbench_pub.h"
#include "wsbench_ws.h"
#include "wsc_frame.h"
#include "wsc_mask.h"


#define WB_KEEP  (1024 * 1024)


static void wb_ws_message(wb_proc_t *proc, wb_conn_t *c,
    const wsc_str_t *data);
static void wb_ws_closed(wb_proc_t *proc, wb_conn_t *c,
    const wsc_conn_event_t *ev);
static void wb_ws_code(wb_proc_t *proc, unsigned code);


void
wb_ws_init(wb_proc_t *proc, wb_conn_t *c)
{
    unsigned         i;
    wb_vars_t        vars;
    const wb_opt_t  *opt;

    opt = proc->opt;
    wb_conn_vars(proc, c, &vars);

    for (i = 0; i < opt->init.n && c->state != WB_ST_DONE; i++) {
        wsc_buf_reset(&proc->text, 65536);
        wb_tpl_render(&proc->text, opt->init.values[i], &vars);
        wb_ws_send(proc, c, opt->binary ? WSC_OP_BINARY : WSC_OP_TEXT,
                   proc->text.data, proc->text.len);
    }

    if (opt->init_reply == NULL && c->state == WB_ST_INIT) {
        wb_proc_joined(proc, c);
    }
}


void
wb_ws_send(wb_proc_t *proc, wb_conn_t *c, u_char opcode, const u_char *data,
    size_t len)
{
    u_char  *p, key[4];
    size_t   n;

    proc->seed = proc->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    memcpy(key, (u_char *) &proc->seed + 4, sizeof(key));

    p = wsc_buf_reserve(&c->out, WSC_FRAME_MAX_HEADER + len);

    if (p == NULL) {
        wb_die(WB_EXIT_SYSTEM, "no memory");
    }

    n = wsc_frame_header(p, WSC_FRAME_FIN, opcode, len, key);

    if (len) {
        memcpy(p + n, data, len);
        wsc_mask(p + n, len, key, 0);
    }

    c->out.len += n + len;

    if (!c->writing) {
        wb_conn_flush(proc, c);
    }
}


void
wb_ws_frames(wb_proc_t *proc, wb_conn_t *c, u_char *pos, u_char *last)
{
    char              error[200];
    ssize_t           rc;
    wsc_conn_event_t  ev;

    while (c->state != WB_ST_DONE) {
        wsc_buf_reset(&proc->scratch, WB_KEEP);

        rc = wsc_conn_parse(&c->ws, &pos, last, &ev);

        if (rc == WSC_AGAIN) {
            return;
        }

        if (rc == WSC_ERROR) {
            snprintf(error, sizeof(error), "bad frame: %s", ev.reason);
            wb_conn_end(proc, c, error);
            return;
        }

        switch (ev.type) {

        case WSC_EV_MESSAGE:
            wb_ws_message(proc, c, &ev.data);
            break;

        case WSC_EV_PING:
            wb_ws_send(proc, c, WSC_OP_PONG, ev.data.data, ev.data.len);
            break;

        case WSC_EV_PONG:
            break;

        case WSC_EV_CLOSE:
            wb_ws_closed(proc, c, &ev);
            break;
        }
    }
}


static void
wb_ws_message(wb_proc_t *proc, wb_conn_t *c, const wsc_str_t *data)
{
    const char  *reply;

    reply = proc->opt->init_reply;

    if (c->state == WB_ST_INIT
        && memmem(data->data, data->len, reply, strlen(reply)))
    {
        wb_proc_joined(proc, c);
        return;
    }

    wb_pub_message(proc, c, data);
}


static void
wb_ws_closed(wb_proc_t *proc, wb_conn_t *c, const wsc_conn_event_t *ev)
{
    char  error[200];

    if (c->state == WB_ST_CLOSING) {
        wb_conn_end(proc, c, NULL);
        return;
    }

    snprintf(error, sizeof(error), "the server closed with %u: %.*s",
             ev->code, (int) ev->data.len, (char *) ev->data.data);

    wb_ws_code(proc, ev->code);
    wb_conn_end(proc, c, error);
}


void
wb_ws_close(wb_proc_t *proc, wb_conn_t *c)
{
    u_char  code[2];

    code[0] = WSC_CLOSE_NORMAL >> 8;
    code[1] = WSC_CLOSE_NORMAL & 0xff;

    c->state = WB_ST_CLOSING;
    wb_ws_send(proc, c, WSC_OP_CLOSE, code, sizeof(code));
}


static void
wb_ws_code(wb_proc_t *proc, unsigned code)
{
    unsigned    i;
    wb_code_t  *codes;

    codes = proc->result->codes;

    for (i = 0; i < WB_CODES; i++) {
        if (codes[i].count == 0 || codes[i].code == code) {
            codes[i].code = code;
            codes[i].count++;
            return;
        }
    }
}

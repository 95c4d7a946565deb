
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wsbench_conn.h"
#include "wsbench_http.h"
#include "wsbench_post.h"


wb_conn_t *
wb_post_conn(const wb_proc_t *proc, uint32_t publisher)
{
    uint32_t  room, member;

    /* members of a room post to the servers in turn, too */

    room = publisher % proc->opt->rooms;
    member = publisher / proc->opt->rooms;

    return &proc->conns[proc->hi - proc->lo
                        + (room * proc->opt->posts.n + member)
                          % proc->opt->posters];
}


void
wb_post_send(wb_proc_t *proc, wb_conn_t *c, const wb_vars_t *vars,
    const wsc_buf_t *body)
{
    int              n;
    char             text[64];
    const wb_url_t  *url;

    url = wb_conn_url(proc->opt, c);

    wsc_buf_add(&c->out, "POST ", 5);
    wb_tpl_render(&c->out, url->path, vars);
    wsc_buf_add(&c->out, " HTTP/1.1\r\nHost: ", 17);
    wsc_buf_add(&c->out, url->host, strlen(url->host));

    n = sprintf(text, "\r\nContent-Length: %zu\r\n\r\n", body->len);
    wsc_buf_add(&c->out, text, n);
    wsc_buf_add(&c->out, body->data, body->len);

    if (c->out.failed) {
        wb_die(WB_EXIT_SYSTEM, "no memory");
    }

    if (!c->writing) {
        wb_conn_flush(proc, c);
    }
}


/* Answers have a Content-Length here. */

void
wb_post_answers(wb_proc_t *proc, wb_conn_t *c, u_char *data, size_t len)
{
    char        error[100];
    size_t      head, size;
    u_char     *p, *end;
    wsc_buf_t  *in;
    wsc_str_t   value;

    in = &c->in;
    wsc_buf_add(in, data, len);

    while ((end = memmem(in->data, in->len, "\r\n\r\n", 4)) != NULL) {
        head = end + 4 - in->data;
        p = in->data;

        if (head < 12 || memcmp(p, "HTTP/1.1 2", 10) != 0
            || wb_http_header(c, "Content-Length", head, &value) != WSC_OK)
        {
            snprintf(error, sizeof(error), "a post was answered: %.*s",
                     (int) strcspn((char *) p, "\r"), (char *) p);
            wb_conn_end(proc, c, error);
            return;
        }

        size = head + strtoul((char *) value.data, NULL, 10);

        if (size > in->len) {
            return;
        }

        in->len -= size;
        memmove(in->data, in->data + size, in->len);
    }
}


void
wb_post_close(wb_proc_t *proc, wb_conn_t *c)
{
    c->state = WB_ST_CLOSING;
    wb_conn_end(proc, c, NULL);
}

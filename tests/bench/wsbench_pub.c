
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "wsbench_conn.h"
#include "wsbench_post.h"
#include "wsbench_proc.h"
#include "wsbench_pub.h"
#include "wsbench_tpl.h"
#include "wsbench_ws.h"
#include "wsc_frame.h"


static uint64_t wb_pub_time(const wb_proc_t *proc, uint64_t n);
static wb_conn_t *wb_pub_publisher(wb_proc_t *proc, uint64_t n);
static void wb_pub_send(wb_proc_t *proc, wb_conn_t *c, uint64_t n);
static int wb_pub_has(const wsc_str_t *data, const char *text);
static void wb_pub_ack(wb_proc_t *proc, wb_conn_t *c, const wb_tag_t *tag);
static u_char *wb_pub_find(u_char *p, u_char *last, const char *marker,
    size_t len);
static void wb_pub_delivery(wb_proc_t *proc, wb_conn_t *c,
    const wb_tag_t *tag, size_t len);
static ssize_t wb_pub_order(wb_proc_t *proc, wb_conn_t *c,
    const wb_tag_t *tag);


void
wb_pub_begin(wb_proc_t *proc)
{
    uint32_t            i, rooms, room;
    const wb_order_t   *order;

    order = &proc->order;
    rooms = proc->opt->rooms;

    proc->next = order->first;
    proc->pending = 0;

    for (i = 0; i < proc->hi - proc->lo; i++) {

        if (proc->conns[i].state != WB_ST_OPEN) {
            continue;
        }

        /* numbers of this room among first .. first + count - 1 */
        room = proc->conns[i].index % rooms;
        proc->pending += (order->first + order->count + rooms - 1 - room)
                             / rooms
                         - (order->first + rooms - 1 - room) / rooms;
    }

    proc->total = proc->pending;

    if (order->record) {
        proc->result->expected += proc->pending;
    }
}


uint64_t
wb_pub_due(wb_proc_t *proc)
{
    uint64_t    end, due;
    wb_conn_t  *c;

    end = proc->order.first + proc->order.count;

    for ( /* void */ ; proc->next < end; proc->next++) {
        c = wb_pub_publisher(proc, proc->next);

        if (c == NULL) {
            continue;
        }

        due = wb_pub_time(proc, proc->next);

        if (due > proc->now) {
            return due;
        }

        wb_pub_send(proc, c, proc->next);
    }

    due = wb_pub_time(proc, end) + (uint64_t) (proc->opt->drain * 1e9);

    return (proc->pending && proc->now < due) ? due : WB_NEVER;
}


/* The rooms are taken to be of one size. */

int
wb_pub_outstanding(const wb_proc_t *proc)
{
    double             due;
    const wb_order_t  *order;

    order = &proc->order;

    if (proc->now < order->start) {
        return 0;
    }

    due = (double) (proc->now - order->start) / 1e9
          * proc->opt->rate * proc->opt->rooms;
    due = (due + 1 < order->count) ? due + 1 : order->count;

    return (proc->total - proc->pending)
           < (uint64_t) (proc->total * (floor(due) / order->count));
}


static uint64_t
wb_pub_time(const wb_proc_t *proc, uint64_t n)
{
    double  rate;

    rate = proc->opt->rate * proc->opt->rooms;

    return proc->order.start
           + (uint64_t) ((double) (n - proc->order.first) * 1e9 / rate);
}


/* The connection that sends message n; NULL: it is of another process. */

static wb_conn_t *
wb_pub_publisher(wb_proc_t *proc, uint64_t n)
{
    uint64_t         i;
    const wb_opt_t  *opt;

    opt = proc->opt;
    i = n % opt->rooms + n / opt->rooms % opt->publishers * opt->rooms;

    return (i >= proc->lo && i < proc->hi) ? &proc->conns[i - proc->lo] : NULL;
}


static void
wb_pub_send(wb_proc_t *proc, wb_conn_t *c, uint64_t n)
{
    wb_vars_t        vars;
    wb_conn_t       *post;
    const wb_opt_t  *opt;

    opt = proc->opt;
    post = opt->posts.n ? wb_post_conn(proc, c->index) : NULL;

    if ((post ? post : c)->state != WB_ST_OPEN) {
        proc->result->unsent += proc->order.record;
        return;
    }

    wb_conn_vars(proc, c, &vars);
    vars.time = wb_pub_time(proc, n);
    vars.publisher = c->index;
    vars.line = opt->lines.n ? opt->lines.values[n % opt->lines.n] : "";
    vars.seq = (uint32_t) (n / ((uint64_t) opt->rooms * opt->publishers));

    wsc_buf_reset(&proc->text, 2 * 1000000);
    wb_tpl_render(&proc->text, opt->publish, &vars);

    if (proc->text.failed) {
        wb_die(WB_EXIT_SYSTEM, "no memory");
    }

    if (post) {
        wb_post_send(proc, post, &vars, &proc->text);

    } else {
        wb_ws_send(proc, c, opt->binary ? WSC_OP_BINARY : WSC_OP_TEXT,
                   proc->text.data, proc->text.len);
    }

    if (proc->order.record) {
        proc->result->sent++;
        wb_hist_add(&proc->result->late, wb_now() - vars.time);
    }
}


void
wb_pub_message(wb_proc_t *proc, wb_conn_t *c, const wsc_str_t *data)
{
    size_t           len;
    u_char          *p, *last;
    unsigned         i, ack, found;
    wb_tag_t         tag;
    const wb_opt_t  *opt;

    opt = proc->opt;
    len = strlen(opt->marker);
    p = data->data;
    last = p + data->len;
    found = 0;
    ack = (opt->ack && wb_pub_has(data, opt->ack));

    for ( ;; ) {
        p = wb_pub_find(p, last, opt->marker, len);

        if (p == NULL) {
            break;
        }

        if (wb_tag_parse(&tag, p, last - p) != WSC_OK) {
            continue;
        }

        if (ack) {
            wb_pub_ack(proc, c, &tag);
            return;
        }

        wb_pub_delivery(proc, c, &tag, found ? 0 : data->len);
        found = 1;
    }

    if (found) {
        return;
    }

    proc->result->others++;

    for (i = 0; i < opt->counts.n; i++) {
        if (wb_pub_has(data, opt->counts.values[i])) {
            proc->result->counts[i]++;
        }
    }
}


static int
wb_pub_has(const wsc_str_t *data, const char *text)
{
    return data->len && memmem(data->data, data->len, text, strlen(text));
}


/* To who sent it; a message of the warm-up may be acknowledged late. */

static void
wb_pub_ack(wb_proc_t *proc, wb_conn_t *c, const wb_tag_t *tag)
{
    if (tag->publisher != c->index || !proc->order.record
        || tag->time < proc->order.start)
    {
        proc->result->others++;
        return;
    }

    wb_hist_add(&proc->result->ack,
                proc->now > tag->time ? proc->now - tag->time : 0);
}


/* Behind the marker, or NULL.  Its last octet is rarer than its first. */

static u_char *
wb_pub_find(u_char *p, u_char *last, const char *marker, size_t len)
{
    u_char  *end;

    for (end = p + len - 1; end < last; end++) {
        end = memchr(end, marker[len - 1], last - end);

        if (end == NULL) {
            return NULL;
        }

        if (memcmp(end - (len - 1), marker, len - 1) == 0) {
            return end + 1;
        }
    }

    return NULL;
}


static void
wb_pub_delivery(wb_proc_t *proc, wb_conn_t *c, const wb_tag_t *tag, size_t len)
{
    wb_result_t  *result;

    result = proc->result;

    if (tag->publisher % proc->opt->rooms != c->index % proc->opt->rooms
        || tag->publisher / proc->opt->rooms >= proc->opt->publishers)
    {
        result->strays++;
        return;
    }

    if (wb_pub_order(proc, c, tag) != WSC_OK) {
        return;
    }

    if (proc->order.phase == WB_PUBLISH && proc->order.record) {
        result->seen++;
    }

    if (tag->time < proc->order.start || proc->order.phase != WB_PUBLISH) {
        return;
    }

    if (proc->pending) {
        proc->pending--;
    }

    if (!proc->order.record) {
        return;
    }

    result->received++;
    result->bytes += len;
    result->last = proc->now;

    wb_hist_add(&result->latency,
                proc->now > tag->time ? proc->now - tag->time : 0);
}


/* A publisher's messages come one after another. */

static ssize_t
wb_pub_order(wb_proc_t *proc, wb_conn_t *c, const wb_tag_t *tag)
{
    uint32_t  *next;

    next = &c->next[tag->publisher / proc->opt->rooms];

    if (tag->seq < *next) {
        proc->result->repeats++;
        return WSC_DECLINED;
    }

    if (tag->seq > *next) {
        proc->result->holes++;
    }

    *next = tag->seq + 1;

    return WSC_OK;
}

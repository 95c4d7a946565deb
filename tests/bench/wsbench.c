
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The parent: starts the processes and leads them through the phases.
 */


#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wsbench.h"
#include "wsbench_proc.h"
#include "wsbench_report.h"


#define WB_PROGRESS   1000                /* ms */
#define WB_LEAD       20000000            /* ns before the first message */


typedef struct {
    wb_opt_t         opt;
    wb_result_t     *results;             /* shared, one for each process */
    wb_result_t     *sum;
    int              fds[WB_MAX_PROCESSES];
    uint64_t         next;                /* number of the next message */
    uint64_t         start;               /* of the recorded phase */
} wb_main_t;


static void wb_main_fork(wb_main_t *m);
static void wb_main_run(wb_main_t *m);
static void wb_main_publish(wb_main_t *m, double seconds, int record);
static void wb_main_phase(wb_main_t *m, const wb_order_t *order);
static void wb_main_wait(wb_main_t *m, wb_phase_e phase, uint64_t until);
static unsigned wb_main_answers(wb_main_t *m, struct pollfd *pfds);
static void wb_main_step(wb_main_t *m, const char *name);
static void wb_main_sum(wb_main_t *m);


int
main(int argc, char **argv)
{
    size_t            size;
    static wb_main_t  m;

    wb_opt_parse(&m.opt, argc, argv);

    size = (m.opt.processes + 1) * sizeof(wb_result_t);
    m.results = mmap(NULL, size, PROT_READ|PROT_WRITE,
                     MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (m.results == MAP_FAILED) {
        wb_die(WB_EXIT_SYSTEM, "mmap(): %s", strerror(errno));
    }

    m.sum = &m.results[m.opt.processes];

    wb_main_fork(&m);
    wb_main_run(&m);
    wb_main_sum(&m);

    if (m.opt.json) {
        wb_report_json(&m.opt, m.sum, m.start);

    } else {
        wb_report_text(&m.opt, m.sum, m.start);
    }

    return wb_report_loss(m.sum) ? WB_EXIT_LOSS : WB_EXIT_OK;
}


static void
wb_main_fork(wb_main_t *m)
{
    int       fds[2];
    pid_t     pid;
    uint64_t  n;
    unsigned  i, k;

    n = m->opt.connections;

    for (i = 0; i < m->opt.processes; i++) {

        if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, fds) == -1) {
            wb_die(WB_EXIT_SYSTEM, "socketpair(): %s", strerror(errno));
        }

        pid = fork();

        if (pid == -1) {
            wb_die(WB_EXIT_SYSTEM, "fork(): %s", strerror(errno));
        }

        if (pid == 0) {
            (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(fds[0]);

            for (k = 0; k < i; k++) {
                close(m->fds[k]);
            }

            wb_proc_run(&m->opt, &m->results[i], fds[1],
                        (uint32_t) (n * i / m->opt.processes),
                        (uint32_t) (n * (i + 1) / m->opt.processes));
        }

        close(fds[1]);
        m->fds[i] = fds[0];
    }
}


static void
wb_main_run(wb_main_t *m)
{
    wb_order_t  order;

    memset(&order, 0, sizeof(wb_order_t));

    if (m->opt.half >= 0) {
        order.phase = WB_HALF;
        wb_main_phase(m, &order);
        wb_main_step(m, "half");
        wb_main_wait(m, WB_IDLE, wb_now() + (uint64_t) (m->opt.half * 1e9));
    }

    order.phase = WB_CONNECT;
    wb_main_phase(m, &order);
    wb_main_step(m, "connected");

    if (m->opt.rate > 0 && m->sum->connected) {
        wb_main_publish(m, m->opt.warmup, 0);
        wb_main_step(m, "warm");
        wb_main_publish(m, m->opt.duration, 1);
        wb_main_step(m, "measured");
    }

    wb_main_wait(m, WB_IDLE, wb_now() + (uint64_t) (m->opt.hold * 1e9));

    order.phase = WB_CLOSE;
    wb_main_phase(m, &order);
    wb_main_step(m, "closed");
}


static void
wb_main_publish(wb_main_t *m, double seconds, int record)
{
    wb_order_t  order;

    order.phase = WB_PUBLISH;
    order.record = record;
    order.first = m->next;
    order.count = (uint64_t) llround(m->opt.rate * m->opt.rooms * seconds);
    order.start = wb_now() + WB_LEAD;

    m->next += order.count;
    m->start = order.start;

    wb_main_phase(m, &order);
}


/* Orders a phase and waits until every process is through. */

static void
wb_main_phase(wb_main_t *m, const wb_order_t *order)
{
    unsigned  i;

    for (i = 0; i < m->opt.processes; i++) {
        if (send(m->fds[i], order, sizeof(wb_order_t), MSG_NOSIGNAL) == -1) {
            wb_die(WB_EXIT_SYSTEM, "a process has ended");
        }
    }

    wb_main_wait(m, order->phase, WB_NEVER);
    wb_main_sum(m);
}


/* WB_IDLE: waits for a time instead. */

static void
wb_main_wait(wb_main_t *m, wb_phase_e phase, uint64_t until)
{
    int            timeout;
    uint64_t       now;
    unsigned       i, left;
    struct pollfd  pfds[WB_MAX_PROCESSES];

    for (i = 0; i < m->opt.processes; i++) {
        pfds[i].fd = m->fds[i];
        pfds[i].events = POLLIN;
    }

    left = m->opt.processes;

    while (left) {
        now = wb_now();

        if (now >= until) {
            return;
        }

        timeout = WB_PROGRESS;

        if (until - now < (uint64_t) WB_PROGRESS * 1000000) {
            timeout = (int) ((until - now) / 1000000) + 1;
        }

        if (poll(pfds, m->opt.processes, timeout) > 0) {
            left -= wb_main_answers(m, pfds);
            continue;
        }

        if (!m->opt.quiet && until > wb_now()) {
            wb_main_sum(m);
            wb_report_progress(&m->opt, phase, m->sum);
        }
    }
}


/* How many processes are through; they are not asked again. */

static unsigned
wb_main_answers(wb_main_t *m, struct pollfd *pfds)
{
    unsigned    i, n;
    wb_phase_e  phase;

    n = 0;

    for (i = 0; i < m->opt.processes; i++) {

        if (pfds[i].fd == -1 || pfds[i].revents == 0) {
            continue;
        }

        if (recv(pfds[i].fd, &phase, sizeof(phase), 0) != sizeof(phase)) {
            wb_die(WB_EXIT_SYSTEM, "a process has ended too early");
        }

        pfds[i].fd = -1;
        n++;
    }

    return n;
}


/* Lets the program that started this one take its own figures. */

static void
wb_main_step(wb_main_t *m, const char *name)
{
    char  line[64];

    if (!m->opt.step) {
        return;
    }

    printf("ready %s\n", name);
    fflush(stdout);

    do {
        if (fgets(line, sizeof(line), stdin) == NULL) {
            wb_die(WB_EXIT_SYSTEM, "--step: no line on stdin");
        }
    } while (strchr(line, '\n') == NULL);
}


static void
wb_main_sum(wb_main_t *m)
{
    unsigned  i;

    memset(m->sum, 0, sizeof(wb_result_t));

    for (i = 0; i < m->opt.processes; i++) {
        wb_report_merge(m->sum, &m->results[i]);
    }
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_number.h"
#include "wsc_value.h"
#include "wsc_progress.h"


static ssize_t wsc_progress_number(const u_char **p, const u_char *last,
    uint64_t *v);


ssize_t
wsc_progress_parse(const wsc_str_t *s, wsc_progress_t *p)
{
    unsigned       i;
    uint64_t      *v[] = { &p->epoch, &p->next, &p->goal, &p->floor };
    const u_char  *pos, *last;

    pos = s->data;
    last = pos + s->len;

    for (i = 0; i < 4; i++) {

        if (i && (pos == last || *pos++ != ' ')) {
            return WSC_DECLINED;
        }

        if (wsc_progress_number(&pos, last, v[i]) != WSC_OK) {
            return WSC_DECLINED;
        }
    }

    return (pos == last) ? WSC_OK : WSC_DECLINED;
}


static ssize_t
wsc_progress_number(const u_char **p, const u_char *last, uint64_t *v)
{
    const u_char  *start;

    start = *p;
    *v = 0;

    for ( /* void */ ; *p != last && **p >= '0' && **p <= '9'; (*p)++) {
        *v = *v * 10 + (**p - '0');

        if (*v >= WSC_MAX_INTEGER) {
            return WSC_DECLINED;
        }
    }

    return (*p == start) ? WSC_DECLINED : WSC_OK;
}


size_t
wsc_progress_print(u_char *buf, const wsc_progress_t *p)
{
    size_t  n;

    n = wsc_number_print_uint(buf, p->epoch);
    buf[n++] = ' ';
    n += wsc_number_print_uint(buf + n, p->next);
    buf[n++] = ' ';
    n += wsc_number_print_uint(buf + n, p->goal);
    buf[n++] = ' ';
    n += wsc_number_print_uint(buf + n, p->floor);

    return n;
}


wsc_progress_e
wsc_progress_decide(const wsc_str_t *value, uint64_t epoch, uint64_t from,
    wsc_progress_t *p)
{
    memset(p, 0, sizeof(wsc_progress_t));

    if (value == NULL || wsc_progress_parse(value, p) != WSC_OK) {
        return WSC_PROGRESS_EMPTY;
    }

    if (p->epoch != epoch) {
        return (p->epoch < epoch) ? WSC_PROGRESS_OLD : WSC_PROGRESS_NEW;
    }

    if (p->next == from) {
        return WSC_PROGRESS_OK;
    }

    return (p->next > from) ? WSC_PROGRESS_DUP : WSC_PROGRESS_GAP;
}


void
wsc_progress_begin(wsc_progress_t *p, uint64_t epoch, uint64_t low,
    uint64_t goal, uint64_t keep)
{
    p->epoch = epoch;
    p->goal = (goal > low) ? goal : low;
    p->next = (p->goal - low > keep) ? p->goal - keep : low;
    p->floor = p->next;
}


wsc_pos_t
wsc_progress_prev(const wsc_progress_t *p, const wsc_pos_t *head,
    uint64_t offset)
{
    wsc_pos_t  prev;

    if (head && (p->floor == 0 || (head->epoch == p->epoch
                                   && head->seq > p->floor)))
    {
        return *head;
    }

    prev.epoch = 0;
    prev.seq = 0;

    /* what was put back knows nothing of epochs before */

    if (p->floor || p->goal) {
        prev.epoch = p->epoch;
        prev.seq = offset;
    }

    return prev;
}

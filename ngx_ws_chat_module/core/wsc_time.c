
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_time.h"


#define WSC_TIME_DAY  86400


typedef struct {
    const u_char  *p;
    const u_char  *last;
    unsigned       failed:1;
} wsc_time_in_t;


static uint64_t wsc_time_digits(wsc_time_in_t *in, unsigned n);
static void wsc_time_char(wsc_time_in_t *in, u_char ch);
static uint64_t wsc_time_fraction(wsc_time_in_t *in);
static int64_t wsc_time_zone(wsc_time_in_t *in);
static uint64_t wsc_time_days(uint64_t y, uint64_t m, uint64_t d);
static u_char *wsc_time_put(u_char *p, uint64_t v, unsigned n, u_char end);


ssize_t
wsc_time_parse(const wsc_str_t *s, uint64_t *ms)
{
    int64_t       sec;
    uint64_t      year, month, day, hour, min, part;
    wsc_time_in_t  in;

    in.p = s->data;
    in.last = s->data + s->len;
    in.failed = 0;

    year = wsc_time_digits(&in, 4);
    wsc_time_char(&in, '-');
    month = wsc_time_digits(&in, 2);
    wsc_time_char(&in, '-');
    day = wsc_time_digits(&in, 2);
    wsc_time_char(&in, 'T');
    hour = wsc_time_digits(&in, 2);
    wsc_time_char(&in, ':');
    min = wsc_time_digits(&in, 2);
    wsc_time_char(&in, ':');
    sec = wsc_time_digits(&in, 2);
    part = wsc_time_fraction(&in);

    /* a leap second is the first one of the next minute */

    if (in.failed || year < 1970 || month < 1 || month > 12 || day < 1
        || day > 31 || hour > 23 || min > 59 || sec > 60)
    {
        return WSC_DECLINED;
    }

    sec += wsc_time_days(year, month, day) * WSC_TIME_DAY + hour * 3600
           + min * 60;
    sec -= wsc_time_zone(&in);

    if (in.failed || in.p != in.last || sec < 0) {
        return WSC_DECLINED;
    }

    *ms = (uint64_t) sec * 1000 + part;

    return WSC_OK;
}


static uint64_t
wsc_time_digits(wsc_time_in_t *in, unsigned n)
{
    uint64_t  v;

    for (v = 0; n; n--) {
        if (in->p == in->last || *in->p < '0' || *in->p > '9') {
            in->failed = 1;
            return 0;
        }

        v = v * 10 + (*in->p++ - '0');
    }

    return v;
}


static void
wsc_time_char(wsc_time_in_t *in, u_char ch)
{
    if (in->p == in->last || *in->p != ch) {
        in->failed = 1;
        return;
    }

    in->p++;
}


static uint64_t
wsc_time_fraction(wsc_time_in_t *in)
{
    unsigned  n;
    uint64_t  ms;

    if (in->failed || in->p == in->last || (*in->p != '.' && *in->p != ',')) {
        return 0;
    }

    in->p++;
    ms = 0;

    for (n = 0; in->p != in->last && *in->p >= '0' && *in->p <= '9'; n++) {
        if (n < 3) {
            ms = ms * 10 + (*in->p - '0');
        }

        in->p++;
    }

    if (n == 0) {
        in->failed = 1;
    }

    for ( /* void */ ; n < 3; n++) {
        ms *= 10;
    }

    return ms;
}


/* Seconds that the clock there is ahead of UTC. */

static int64_t
wsc_time_zone(wsc_time_in_t *in)
{
    int       ahead;
    uint64_t  hour, min;

    if (in->p != in->last && *in->p == 'Z') {
        in->p++;
        return 0;
    }

    if (in->p == in->last || (*in->p != '+' && *in->p != '-')) {
        in->failed = 1;
        return 0;
    }

    ahead = (*in->p++ == '+');

    hour = wsc_time_digits(in, 2);
    wsc_time_char(in, ':');
    min = wsc_time_digits(in, 2);

    if (hour > 23 || min > 59) {
        in->failed = 1;
    }

    min += hour * 60;

    return (ahead ? 60 : -60) * (int64_t) min;
}


/* Days since 1970; years begin in March, so that a leap day ends one. */

static uint64_t
wsc_time_days(uint64_t y, uint64_t m, uint64_t d)
{
    if (m <= 2) {
        y--;
        m += 12;
    }

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d
           - 1 - 719468;
}


void
wsc_time_print(u_char *buf, uint64_t ms)
{
    uint64_t  era, day, year, month, sec;

    sec = ms / 1000 % WSC_TIME_DAY;
    day = ms / 1000 / WSC_TIME_DAY + 719468;

    era = day / 146097;
    day %= 146097;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5 - 1;

    year += era * 400 + (month >= 10);
    month = (month < 10) ? month + 3 : month - 9;

    buf = wsc_time_put(buf, year, 4, '-');
    buf = wsc_time_put(buf, month, 2, '-');
    buf = wsc_time_put(buf, day, 2, 'T');
    buf = wsc_time_put(buf, sec / 3600, 2, ':');
    buf = wsc_time_put(buf, sec / 60 % 60, 2, ':');
    buf = wsc_time_put(buf, sec % 60, 2, '.');
    (void) wsc_time_put(buf, ms % 1000, 3, 'Z');
}


static u_char *
wsc_time_put(u_char *p, uint64_t v, unsigned n, u_char end)
{
    unsigned  i;

    for (i = n; i > 0; i--) {
        p[i - 1] = '0' + v % 10;
        v /= 10;
    }

    p[n] = end;

    return p + n + 1;
}

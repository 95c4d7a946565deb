
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Numbers as text.  The C library converts, but never sees or makes a decimal
 * point, which depends on the locale: it gets "125e-2" for "1.25".
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wsc_number.h"


/* More digits than decide about rounding (767), the rest is one sticky 1. */
#define WSC_NUMBER_DIGITS   800

/* From here on an exponent's digits do not matter: any length, no overflow. */
#define WSC_NUMBER_MAX_EXP  100000000

#define WSC_NUMBER_PRECISE  17


static long wsc_number_exponent(const u_char *p, const u_char *last);
static unsigned wsc_number_digits(double v, int precision, u_char *digits,
    int *exponent);
static u_char *wsc_number_plain(u_char *p, const u_char *digits, unsigned n,
    int exponent);
static u_char *wsc_number_scientific(u_char *p, const u_char *digits,
    unsigned n, int exponent);


double
wsc_number_double(const u_char *p, size_t len)
{
    int            sticky, fraction;
    char           buf[WSC_NUMBER_DIGITS + WSC_NUMBER_LEN];
    long           exponent;
    size_t         n, sign;
    const u_char  *last;

    last = p + len;
    sign = (len && *p == '-');
    buf[0] = '-';

    n = 0;
    exponent = 0;
    sticky = 0;
    fraction = 0;

    for (p += sign; p < last && *p != 'e' && *p != 'E'; p++) {

        if (*p == '.') {
            fraction = 1;
            continue;
        }

        if (n == WSC_NUMBER_DIGITS) {
            sticky |= (*p != '0');
            exponent += !fraction;
            continue;
        }

        exponent -= fraction;

        if (n || *p != '0') {
            buf[sign + n++] = *p;
        }
    }

    if (n == 0) {
        return sign ? -0.0 : 0.0;
    }

    if (sticky) {
        buf[sign + n++] = '1';
        exponent--;
    }

    if (p < last) {
        exponent += wsc_number_exponent(p + 1, last);
    }

    snprintf(buf + sign + n, sizeof(buf) - sign - n, "e%ld", exponent);

    return strtod(buf, NULL);
}


ssize_t
wsc_number_integer(const u_char *p, size_t len, uint64_t *v, int *negative)
{
    uint64_t       value;
    unsigned       digit;
    const u_char  *last;

    last = p + len;

    *negative = (len && *p == '-');
    value = 0;

    for (p += *negative; p < last; p++) {

        if (*p < '0' || *p > '9') {
            return WSC_DECLINED;
        }

        digit = *p - '0';

        if (value > (UINT64_MAX - digit) / 10) {
            return WSC_DECLINED;
        }

        value = value * 10 + digit;
    }

    if (*negative && value > (uint64_t) 1 << 63) {
        return WSC_DECLINED;
    }

    *v = value;

    return WSC_OK;
}


size_t
wsc_number_print_uint(u_char *buf, uint64_t v)
{
    size_t  n;
    u_char  digits[20], *p;

    p = digits + sizeof(digits);

    do {
        *--p = '0' + v % 10;
        v /= 10;
    } while (v);

    n = digits + sizeof(digits) - p;
    memcpy(buf, p, n);

    return n;
}


size_t
wsc_number_print_int(u_char *buf, int64_t v)
{
    if (v >= 0) {
        return wsc_number_print_uint(buf, v);
    }

    *buf = '-';

    return 1 + wsc_number_print_uint(buf + 1, 0 - (uint64_t) v);
}


size_t
wsc_number_print_double(u_char *buf, double v)
{
    int        precision, exponent;
    u_char    *p, digits[WSC_NUMBER_PRECISE];
    double     back;
    unsigned   n;

    p = buf;

    if (v < 0 || (v == 0 && 1 / v < 0)) {
        *p++ = '-';
        v = -v;
    }

    for (precision = 15; /* void */ ; precision++) {
        n = wsc_number_digits(v, precision, digits, &exponent);

        if (precision == WSC_NUMBER_PRECISE) {
            break;
        }

        back = wsc_number_double(p, wsc_number_scientific(p, digits, n,
                                                          exponent) - p);
        if (back == v) {
            break;
        }
    }

    if (exponent < -5 || exponent > 16) {
        p = wsc_number_scientific(p, digits, n, exponent);

    } else {
        p = wsc_number_plain(p, digits, n, exponent);
    }

    return p - buf;
}


static long
wsc_number_exponent(const u_char *p, const u_char *last)
{
    int   negative;
    long  exponent;

    negative = 0;
    exponent = 0;

    for ( /* void */ ; p < last; p++) {

        if (*p == '+' || *p == '-') {
            negative = (*p == '-');
            continue;
        }

        if (exponent < WSC_NUMBER_MAX_EXP) {
            exponent = exponent * 10 + (*p - '0');
        }
    }

    return negative ? -exponent : exponent;
}


/* v is d.ddd times ten to the exponent: the digits without zeros behind. */

static unsigned
wsc_number_digits(double v, int precision, u_char *digits, int *exponent)
{
    char         buf[WSC_NUMBER_LEN];
    unsigned     n;
    const char  *p;

    snprintf(buf, sizeof(buf), "%.*e", precision - 1, v);

    n = 0;

    for (p = buf; *p != 'e'; p++) {
        if (*p >= '0' && *p <= '9') {
            digits[n++] = *p;
        }
    }

    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }

    *exponent = atoi(p + 1);

    return n;
}


static u_char *
wsc_number_plain(u_char *p, const u_char *digits, unsigned n, int exponent)
{
    int       i;
    unsigned  used;

    used = 0;

    for (i = exponent; i >= 0; i--) {
        *p++ = (used < n) ? digits[used++] : '0';
    }

    if (exponent < 0) {
        *p++ = '0';
    }

    *p++ = '.';

    for (i = exponent + 1; i < 0; i++) {
        *p++ = '0';
    }

    if (used == n) {
        *p++ = '0';
    }

    while (used < n) {
        *p++ = digits[used++];
    }

    return p;
}


static u_char *
wsc_number_scientific(u_char *p, const u_char *digits, unsigned n,
    int exponent)
{
    unsigned  i;

    *p++ = digits[0];

    if (n > 1) {
        *p++ = '.';
    }

    for (i = 1; i < n; i++) {
        *p++ = digits[i];
    }

    *p++ = 'e';

    return p + wsc_number_print_int(p, exponent);
}

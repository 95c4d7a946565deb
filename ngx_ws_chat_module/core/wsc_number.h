
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Numbers as JSON text (RFC 8259 section 6) and back.  The process's locale
 * has no influence.
 */


#ifndef _WSC_NUMBER_H_INCLUDED_
#define _WSC_NUMBER_H_INCLUDED_


#include "wsc_base.h"


#define WSC_NUMBER_LEN  32       /* the longest text written here */


/* The double nearest to a checked number; infinity: none can hold it. */
double wsc_number_double(const u_char *p, size_t len);

/*
 * Reads a checked number that has neither fraction nor exponent and fits 64
 * bits: its absolute value, and whether it is negative (then at most 2^63).
 * WSC_OK or WSC_DECLINED.
 */
ssize_t wsc_number_integer(const u_char *p, size_t len, uint64_t *v,
    int *negative);

/* Write to buf (WSC_NUMBER_LEN octets); the number of octets written. */
size_t wsc_number_print_uint(u_char *buf, uint64_t v);
size_t wsc_number_print_int(u_char *buf, int64_t v);

/*
 * The same for a finite double: as few digits as read back to the same value,
 * and always a fraction or an exponent, so that it stays a double.
 */
size_t wsc_number_print_double(u_char *buf, double v);


#endif /* _WSC_NUMBER_H_INCLUDED_ */

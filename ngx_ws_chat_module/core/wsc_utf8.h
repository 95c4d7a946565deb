
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Incremental UTF-8 validation (RFC 3629; Unicode table 3-7).
 */


#ifndef _WSC_UTF8_H_INCLUDED_
#define _WSC_UTF8_H_INCLUDED_


#include "wsc_base.h"


#define WSC_UTF8_ACCEPT  0    /* the state at the start, and at a boundary */


/*
 * Goes on from *state over len octets.  WSC_OK: no error so far, *state is the
 * new state (WSC_UTF8_ACCEPT: the text may end here).  WSC_ERROR at the first
 * octet that cannot stand there.
 */
ssize_t wsc_utf8_check(uint32_t *state, const u_char *p, size_t len);

/* The same, octet by octet: the reference the tests compare with. */
ssize_t wsc_utf8_check_portable(uint32_t *state, const u_char *p, size_t len);

/* 1 if the whole string is valid and complete. */
int wsc_utf8_valid(const u_char *p, size_t len);


#endif /* _WSC_UTF8_H_INCLUDED_ */

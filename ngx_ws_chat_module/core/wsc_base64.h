
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * base64url without padding, as RFC 7515 (section 2, appendix C) has it: there
 * is exactly one text for any octets.
 */


#ifndef _WSC_BASE64_H_INCLUDED_
#define _WSC_BASE64_H_INCLUDED_


#include "wsc_base.h"


/* The most octets that len digits can stand for. */
#define wsc_base64_size(len)  ((len) * 3 / 4)


/*
 * Decodes len digits to out (wsc_base64_size(len) octets, which may be where p
 * is).  The number of octets; WSC_DECLINED: another character, padding, unused
 * bits that are set, or a length that nothing has.
 */
ssize_t wsc_base64_url(u_char *out, const u_char *p, size_t len);


#endif /* _WSC_BASE64_H_INCLUDED_ */

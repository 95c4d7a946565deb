
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Masking, RFC 6455 section 5.3.
 */


#ifndef _WSC_MASK_H_INCLUDED_
#define _WSC_MASK_H_INCLUDED_


#include "wsc_base.h"


/*
 * XORs len octets in place with the 4 octets of key, starting with
 * key[offset & 3] (offset: octets of this frame's payload done before).
 */
void wsc_mask(u_char *p, size_t len, const u_char *key, size_t offset);

/* The same, octet by octet: the reference the tests compare with. */
void wsc_mask_portable(u_char *p, size_t len, const u_char *key,
    size_t offset);


#endif /* _WSC_MASK_H_INCLUDED_ */

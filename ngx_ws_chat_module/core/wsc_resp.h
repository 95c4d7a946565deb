
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Commands for Redis as its protocol has them (RESP, "RESP protocol spec" of
 * redis.io): an array of bulk strings, all of any octets.
 */


#ifndef _WSC_RESP_H_INCLUDED_
#define _WSC_RESP_H_INCLUDED_


#include "wsc_base.h"


/* No less than the octets that a command of these words takes. */
size_t wsc_resp_size(size_t n, const wsc_str_t *words);

/*
 * Writes it, n is 1 or more; p has room for wsc_resp_size() octets.  Returns
 * its end.
 */
u_char *wsc_resp_print(u_char *p, size_t n, const wsc_str_t *words);


#endif /* _WSC_RESP_H_INCLUDED_ */

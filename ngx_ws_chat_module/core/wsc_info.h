
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The reply of Redis to INFO: lines "name:value".
 */


#ifndef _WSC_INFO_H_INCLUDED_
#define _WSC_INFO_H_INCLUDED_


#include "wsc_base.h"


/* A field's value, inside of the text.  WSC_OK or WSC_DECLINED (no such). */
ssize_t wsc_info_find(const wsc_str_t *info, const char *name,
    wsc_str_t *value);

/*
 * By INFO memory, 1: what is stored may be evicted when memory gets short;
 * *policy is why.
 */
int wsc_info_evicts(const wsc_str_t *info, wsc_str_t *policy);


#endif /* _WSC_INFO_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Patterns of chat ids, as in JWT claims: * stands for any characters.
 */


#ifndef _BK_PATTERN_H_INCLUDED_
#define _BK_PATTERN_H_INCLUDED_


#include "wsc_base.h"


/* 1 if the whole name is what the pattern says. */
int bk_pattern_match(const char *pattern, const wsc_str_t *name);


#endif /* _BK_PATTERN_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Internal to bk_archive.
 */


#ifndef _BK_ARCHIVE_INT_H_INCLUDED_
#define _BK_ARCHIVE_INT_H_INCLUDED_


#include "bk_archive.h"


#define BK_ARCHIVE_NUMBER  24        /* octets of one, at most */


/* 1: the archive stands where the item's partition was fetched from. */
int bk_archive_ours(bk_archive_t *a, const bk_item_t *it);

/* Applies the changes among the items, whose messages are in the archive. */
bk_pg_rc_e bk_archive_changes(bk_archive_t *a, const bk_item_t *items,
    size_t n);


#endif /* _BK_ARCHIVE_INT_H_INCLUDED_ */

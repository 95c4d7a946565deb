
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Internal to bk_relay.
 */


#ifndef _BK_RELAY_INT_H_INCLUDED_
#define _BK_RELAY_INT_H_INCLUDED_


#include "bk_relay.h"


/* Watches the progress, and looks whether it stands there. */
bk_relay_rc_e bk_relay_decide(bk_relay_t *r, int32_t partition,
    uint64_t from);

/* Gathers a SET of the progress; flag: NX, or NULL. */
void bk_relay_set(bk_relay_t *r, int32_t partition, const wsc_progress_t *p,
    const char *flag);

/* Ends a transaction; commands: those gathered since and with MULTI. */
bk_relay_rc_e bk_relay_exec(bk_relay_t *r, size_t commands);

/* A key as the next word; chat_id NULL: one of the partition. */
void bk_relay_word(bk_relay_t *r, int32_t partition, const char *kind,
    const wsc_str_t *chat_id);


#define BK_RELAY_KEY  512        /* octets of a key, at most */


#endif /* _BK_RELAY_INT_H_INCLUDED_ */

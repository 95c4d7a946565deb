
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Who is kept out, of a chat or of all, and until when; and who was
 * disconnected, for those who hear of it later.  Each comes as a note of its
 * news (wsc_news.h).  Of one user there may be several with different ends:
 * each is kept, and taken back, by its own.
 */


#ifndef _WSC_BANS_H_INCLUDED_
#define _WSC_BANS_H_INCLUDED_


#include "wsc_news.h"


typedef struct wsc_ban_s  wsc_ban_t;


struct wsc_ban_s {
    wsc_ban_t          *next;         /* of a bucket */
    uint64_t            end;          /* ms since 1970 */
    uint64_t            time;         /* when it was told */
    uint32_t            hash;         /* of the user */
    unsigned            type:8;       /* wsc_news_e */
    unsigned            old:1;        /* was here before the last mark() */
    wsc_str_t           user;         /* behind this struct */
    wsc_str_t           chat_id;      /* empty: of all chats */
    u_char              data[];
};


typedef struct {
    const wsc_alloc_t  *alloc;
    wsc_ban_t         **table;        /* NULL: empty */
    size_t              mask;
    size_t              n;
    size_t              max;
} wsc_bans_t;


/* Empty; nothing is allocated. */
void wsc_bans_init(wsc_bans_t *b, const wsc_alloc_t *alloc, size_t max);

/*
 * Takes a note: adds what it says, or removes it (n[0] is 0).  WSC_OK;
 * WSC_DECLINED: nothing is new; WSC_ERROR: there are max, or no memory.
 */
ssize_t wsc_bans_take(wsc_bans_t *b, unsigned type, const wsc_note_t *note);

/* The end of the user's last ban from the chat, or from all; 0: none. */
uint64_t wsc_bans_end(const wsc_bans_t *b, const wsc_str_t *chat_id,
    const wsc_str_t *user);

/* The one behind ban, in no order; NULL: the first; none: NULL. */
wsc_ban_t *wsc_bans_next(const wsc_bans_t *b, const wsc_ban_t *ban);

/* 1: the same type, chat and user. */
int wsc_ban_is(const wsc_ban_t *ban, unsigned type, const wsc_str_t *chat_id,
    const wsc_str_t *user);

/* Marks all as old; removes those that were not told again since then. */
void wsc_bans_mark(wsc_bans_t *b);
void wsc_bans_sweep(wsc_bans_t *b);

/* Frees all; empty again. */
void wsc_bans_free(wsc_bans_t *b);


#endif /* _WSC_BANS_H_INCLUDED_ */

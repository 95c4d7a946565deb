
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * News: what workers and nodes tell each other and no log holds.  Each carries
 * notes, which are about one user or one name each; what the parts of a note
 * mean depends on the type:
 *
 *     type        key    sender  value     n
 *     MESSAGE     -      sender  message   timestamp
 *     DISCONNECT  user   -       -         as of BAN
 *     SIGNAL      name   user    data      1: kept
 *     TYPING      user   -       -         ms since 1970 up to when; 0: off
 *     PRESENCE    user   worker  info      connections that the worker has
 *     BEAT        -      worker  -         - (to the zone: it lives)
 *     MARK        user   worker  -         delivered: epoch, seq; read: epoch,
 *                                          seq; all 0: it is kept no more
 *     BAN         user   chat_id -         up to when, ms since 1970 (0: it
 *                                          is taken back, which ended at
 *                                          n[1]); n[2]: when this was told
 *     SETTLED     cid    sender  -         epoch, seq
 *
 * A type that is not known is handed on and ignored by who gets it.  Some are
 * kept, the last one of each key, for who comes later.
 */


#ifndef _WSC_NEWS_H_INCLUDED_
#define _WSC_NEWS_H_INCLUDED_


#include "wsc_value.h"


#define WSC_NEWS_NOTES    32      /* at most */
#define WSC_NEWS_TYPES    64      /* types are below it */
#define WSC_NEWS_NUMBERS  4
#define WSC_MAX_NOTE_KEY  192
#define WSC_MAX_NOTE_FIELD  (WSC_MAX_NOTE_KEY + WSC_MAX_USER + 40)


typedef enum {
    WSC_TO_CHAT = 1,              /* whoever listens to the chat `name` */
    WSC_TO_USER,                  /* every client of the user `name` */
    WSC_TO_ZONE                   /* every client; the name is empty */
} wsc_to_e;


typedef enum {
    WSC_NEWS_MESSAGE = 1,         /* a message of no chat */
    WSC_NEWS_DISCONNECT,          /* close with 4009 who came before */
    WSC_NEWS_SIGNAL,
    WSC_NEWS_TYPING,
    WSC_NEWS_PRESENCE,
    WSC_NEWS_BEAT,
    WSC_NEWS_MARK,
    WSC_NEWS_BAN,

    WSC_NEWS_SETTLED = 32         /* of the relay: the sender's cid was stored
                                     before, at that position */
} wsc_news_e;


/* What becomes of a note that was told. */

typedef enum {
    WSC_KEEP_NOT = 0,
    WSC_KEEP_SET,                 /* it is the last one of its field */
    WSC_KEEP_DROP                 /* nothing is kept in its field any more */
} wsc_keep_e;


/* Octets belong to whoever made the note. */

typedef struct {
    wsc_str_t           key;
    wsc_str_t           sender;
    wsc_value_t         value;
    uint64_t            n[WSC_NEWS_NUMBERS];    /* below 2^53 */
} wsc_note_t;


typedef struct {
    unsigned            type;         /* wsc_news_e */
    wsc_to_e            to;
    wsc_str_t           name;
    const wsc_note_t   *notes;
    size_t              count;
} wsc_news_t;


/* 1: its value is JSON's null. */
int wsc_news_null(const wsc_note_t *note);

/* The positions that the note of a MARK has. */
void wsc_news_mark(const wsc_note_t *note, wsc_pos_t *delivered,
    wsc_pos_t *read);

wsc_keep_e wsc_news_keep(unsigned type, const wsc_note_t *note);

/* 1: it may be forgotten when memory is short. */
int wsc_news_soft(unsigned type);

/* 1: it is not told unless it is kept. */
int wsc_news_hard(unsigned type);

/* 1: who tells it has taken it already, and needs to hear nothing of it. */
int wsc_news_known(unsigned type);

/*
 * Writes the field in which a note is kept: at most WSC_MAX_NOTE_FIELD octets,
 * returned is how many.
 */
size_t wsc_news_field(u_char *p, unsigned type, const wsc_note_t *note);


#endif /* _WSC_NEWS_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * News: what workers and nodes tell each other and no log holds.  Each carries
 * notes, which are about one user or one name each; what the parts of a note
 * mean depends on the type:
 *
 *     type        key    sender  value     n
 *     MESSAGE     -      sender  message   timestamp
 *     DISCONNECT  -      -       -         -
 *     SIGNAL      name   user    data      -
 *
 * A type that is not known is handed on and ignored by who gets it.
 */


#ifndef _WSC_NEWS_H_INCLUDED_
#define _WSC_NEWS_H_INCLUDED_


#include "wsc_value.h"


#define WSC_NEWS_NOTES    16      /* at most */
#define WSC_NEWS_TYPES    64      /* types are below it */
#define WSC_NEWS_NUMBERS  4
#define WSC_MAX_NOTE_KEY  192


typedef enum {
    WSC_TO_CHAT = 1,              /* whoever listens to the chat `name` */
    WSC_TO_USER,                  /* every client of the user `name` */
    WSC_TO_ZONE                   /* every client; the name is empty */
} wsc_to_e;


typedef enum {
    WSC_NEWS_MESSAGE = 1,         /* a message of no chat */
    WSC_NEWS_DISCONNECT,          /* close with 4009 */
    WSC_NEWS_SIGNAL
} wsc_news_e;


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


#endif /* _WSC_NEWS_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What nodes put into Redis for each other, as msgpack: an array that begins
 * with the version and the kind; elements behind the known ones are ignored,
 * so that a newer node may add some.
 *
 *     entry    [1, 1, timestamp, sender, cid, message] in the chat's stream,
 *              and prev epoch, prev seq in the first one of an epoch
 *     message  [1, 2, timestamp, sender, cid, message, epoch, seq,
 *              prev epoch, prev seq] published as it is stored, with the
 *              position that its writer expects, see wsc_follow.h
 *     hint     [1, 3, n] published: n messages were stored
 *     canary   [1, 4, n] published by a node to itself
 *     change   [1, 6, timestamp, by, epoch, seq, retracted (0 or 1), message,
 *              at epoch, at seq] of a message, kept beside the stream and
 *              published; message is empty when retracted is 1
 *     news     [1, 5, type, to, name, count, count times (key, sender, value,
 *              n, n, n, n)] published, stored nowhere
 *
 * A message is JSON text as str, or octets as bin; so is a value, where the
 * empty str stands for none.
 */


#ifndef _WSC_ENVELOPE_H_INCLUDED_
#define _WSC_ENVELOPE_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_news.h"


#define WSC_ENVELOPE_VERSION  1


typedef enum {
    WSC_ENVELOPE_ENTRY = 1,
    WSC_ENVELOPE_MESSAGE,
    WSC_ENVELOPE_HINT,
    WSC_ENVELOPE_CANARY,
    WSC_ENVELOPE_NEWS,
    WSC_ENVELOPE_CHANGE
} wsc_envelope_e;


typedef struct {
    wsc_envelope_e      kind;
    wsc_entry_t         entry;        /* strings: in the envelope */
    uint64_t            n;            /* of a hint or canary */
    unsigned            has_prev:1;
    wsc_change_t        change;       /* strings: in the envelope */
    wsc_news_t          news;         /* its notes: below */
    wsc_note_t          notes[WSC_NEWS_NOTES];
} wsc_envelope_t;


/*
 * Append to the buffer; a lack of memory shows in its failed flag.  An entry
 * carries e->prev if first.
 */
void wsc_envelope_entry(wsc_buf_t *b, const wsc_entry_t *e, int first);
void wsc_envelope_message(wsc_buf_t *b, const wsc_entry_t *e);
void wsc_envelope_number(wsc_buf_t *b, wsc_envelope_e kind, uint64_t n);
void wsc_envelope_news(wsc_buf_t *b, const wsc_news_t *news);
void wsc_envelope_change(wsc_buf_t *b, const wsc_change_t *change);

/*
 * Reads one.  Everything is checked as if a client had sent it.  WSC_OK;
 * WSC_DECLINED with *reason (static); WSC_ERROR: no memory.
 */
ssize_t wsc_envelope_read(const wsc_alloc_t *alloc, const wsc_str_t *s,
    wsc_envelope_t *v, const char **reason);

/* The same where one kind is looked for: 1, it is a good one of it, or 0. */
int wsc_envelope_is(const wsc_alloc_t *alloc, const wsc_str_t *s,
    wsc_envelope_e kind, wsc_envelope_t *v);


#endif /* _WSC_ENVELOPE_H_INCLUDED_ */

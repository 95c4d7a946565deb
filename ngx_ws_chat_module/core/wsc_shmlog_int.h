
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * How the embedded store's area looks.  Private to wsc_shmlog*.c.
 *
 *     area header | board: u32[] | chats: u32[] | dedupe: u32[] | chunks 1..n
 *
 * Fields marked * are authoritative; the others are rebuilt by repair.
 */


#ifndef _WSC_SHMLOG_INT_H_INCLUDED_
#define _WSC_SHMLOG_INT_H_INCLUDED_


#include "wsc_shmlog.h"


#define WSC_SHMLOG_MAGIC  0x32676f6c6d687377ULL    /* "wshmlog2" */
#define WSC_SHMLOG_CHUNK  256
#define WSC_SHMLOG_WORDS  (WSC_SHMLOG_SLOTS / 64)


/* Types of chunks; the store of CHAT makes a chat, that of FREE ends it. */

#define WSC_SHMLOG_FREE   0
#define WSC_SHMLOG_CHAT   1
#define WSC_SHMLOG_ENTRY  2
#define WSC_SHMLOG_MORE   3


/* Lists of chats, least recently used first. */

#define WSC_SHMLOG_EMPTY  0    /* nobody listens, no entries: evicted first */
#define WSC_SHMLOG_IDLE   1    /* nobody listens: may be evicted */
#define WSC_SHMLOG_BUSY   2    /* has entries to trim */
#define WSC_SHMLOG_BARE   3    /* somebody listens, nothing to trim */
#define WSC_SHMLOG_LISTS  4


typedef struct {
    uint32_t            first;
    uint32_t            last;
    uint64_t            count;
} wsc_shmlog_list_t;


typedef struct {
    uint64_t            magic;        /* * stored last */
    uint64_t            seed;         /* * of the hash tables */
    uint64_t            chunks;       /* * offset of the first chunk */
    uint64_t            epoch;        /* * the last one given */
    uint64_t            notices;      /* * sequence of the next notice */
    uint64_t            evicted;
    uint64_t            repairs;      /* * also marks what repair reached */
    uint64_t            stamp;        /* of the last use of a chat */
    uint64_t            messages;
    uint32_t            n;            /* * number of chunks */
    uint32_t            used;         /* * chunks behind were never in use */
    uint32_t            board_mask;   /* * */
    uint32_t            hash_mask;    /* * of both tables */
    uint32_t            free;         /* list of free chunks, up to used */
    uint32_t            nfree;        /* all free chunks */
    wsc_shmlog_list_t   lists[WSC_SHMLOG_LISTS];
} wsc_shmlog_area_t;


/* What each chunk begins with; the hash fields mean nothing in MORE. */

typedef struct {
    uint32_t            type;         /* * CHAT: alive */
    uint32_t            more;         /* * the record's next chunk; FREE: the
                                         next free one */
    uint32_t            mark;
    uint32_t            hash;         /* * */
    uint32_t            link;         /* in the hash table */
} wsc_shmlog_chunk_t;


typedef struct {
    wsc_shmlog_chunk_t  chunk;
    uint32_t            first;        /* * oldest entry */
    uint64_t            epoch;        /* * */
    uint64_t            head;         /* * repaired if the last entry's seq is
                                         greater; never ahead of it */
    uint64_t            stamp;        /* * of the last use */
    uint64_t            rev;          /* * number of changes of entries */
    uint64_t            mask[WSC_SHMLOG_WORDS];      /* * */
    uint32_t            last;
    uint32_t            count;        /* entries */
    uint32_t            chunks;       /* of these */
    uint32_t            list;
    uint32_t            older;        /* in the list */
    uint32_t            newer;
    uint8_t             len;          /* * */
    u_char              name[WSC_MAX_CHAT_ID];       /* * */
} wsc_shmlog_rec_t;


/* Published by the store of its index to the entry before, or to the chat. */

typedef struct {
    wsc_shmlog_chunk_t  chunk;
    uint32_t            chat;         /* * */
    uint64_t            seq;          /* * */
    uint64_t            prev;         /* * seq of the message before, also if
                                         that is not kept; 0: none */
    uint64_t            timestamp;    /* * */
    uint64_t            rev;          /* * of its last change; 0: none */
    uint64_t            since;        /* * the chat's head then */
    uint32_t            len;          /* * of the message */
    uint32_t            chunks;       /* * all of it takes */
    uint32_t            next;         /* * */
    uint32_t            older;
    uint8_t             sender;       /* * length */
    uint8_t             cid;          /* * length */
    uint8_t             binary;       /* * */
    uint8_t             edited;       /* * */
    uint8_t             retracted;    /* * the store of 1 retracts it: what is
                                         behind sender and cid is no more */
    u_char              data[];       /* * sender, cid, message; goes on in
                                         chunk.more */
} wsc_shmlog_entry_t;


typedef struct {
    wsc_shmlog_chunk_t  chunk;
    u_char              data[];
} wsc_shmlog_more_t;


#define WSC_SHMLOG_ENTRY_DATA                                                 \
    (WSC_SHMLOG_CHUNK - offsetof(wsc_shmlog_entry_t, data))
#define WSC_SHMLOG_MORE_DATA                                                  \
    (WSC_SHMLOG_CHUNK - offsetof(wsc_shmlog_more_t, data))


#endif /* _WSC_SHMLOG_INT_H_INCLUDED_ */

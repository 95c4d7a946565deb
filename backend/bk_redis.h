
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * A connection to Redis: commands are gathered, sent at once, and answered in
 * order.  Whatever fails closes it.
 */


#ifndef _BK_REDIS_H_INCLUDED_
#define _BK_REDIS_H_INCLUDED_


#include "wsc_base.h"
#include "bk_opt.h"


#define BK_REDIS_WORDS  256      /* of a command, at most */


struct redisReply;
typedef struct bk_redis_s  bk_redis_t;


extern const bk_opt_t  bk_redis_options[];


/* Not connected yet.  NULL: no memory, or bad options, which is logged. */
bk_redis_t *bk_redis_create(void);
void bk_redis_free(bk_redis_t *r);

/* Connects if it is not.  0, or -1: it is logged why not. */
int bk_redis_connect(bk_redis_t *r);
void bk_redis_close(bk_redis_t *r);

/* The words of the next command; then it is gathered.  Words are copied. */
void bk_redis_begin(bk_redis_t *r, const char *name);
void bk_redis_word(bk_redis_t *r, const char *word);
void bk_redis_octets(bk_redis_t *r, const void *p, size_t len);
void bk_redis_number(bk_redis_t *r, uint64_t n);
void bk_redis_end(bk_redis_t *r);

/*
 * The next reply, which is the caller's until the next call; what was gathered
 * is sent first.  NULL: the connection broke, it is logged why.  An error of
 * Redis is a reply, too.
 */
const struct redisReply *bk_redis_reply(bk_redis_t *r);

/*
 * The same, but an error is logged and closes, too: who it comes from may be
 * no master any more, and nobody waits for what else was asked.
 */
const struct redisReply *bk_redis_good(bk_redis_t *r, const char *what);

/* Takes and forgets so many good replies; 0, or -1: one was not. */
int bk_redis_skip(bk_redis_t *r, size_t n);

/* Logs that Redis refused something. */
void bk_redis_refused(const char *what, const struct redisReply *reply);

/* The octets of a string or status; NULL for all else. */
const wsc_str_t *bk_redis_str(const struct redisReply *reply, wsc_str_t *s);


#endif /* _BK_REDIS_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Structured logs to standard error: one line an event, as text or as a JSON
 * object.
 *
 *     bk_log(BK_LOG_WARN, "PostgreSQL is gone",
 *            bk_str("error", text), bk_num("retry_ms", ms));
 */


#ifndef _BK_LOG_H_INCLUDED_
#define _BK_LOG_H_INCLUDED_


#include <stdint.h>


typedef enum {
    BK_LOG_ERROR = 0,
    BK_LOG_WARN,
    BK_LOG_INFO,
    BK_LOG_DEBUG
} bk_log_level_e;


typedef struct {
    const char    *key;          /* NULL: behind the last one */
    const char    *text;         /* NULL: it is the number */
    int64_t        number;
} bk_field_t;


#define bk_str(key, text)    { key, text, 0 }
#define bk_num(key, number)  { key, NULL, number }

#define bk_log(level, message, ...)                                           \
    bk_log_fields(level, message, (const bk_field_t[]) {                      \
        { "", "", 0 }, ##__VA_ARGS__, { NULL, NULL, 0 } })


/* Lines above the level are left out; the program's name is static. */
void bk_log_init(const char *program, bk_log_level_e level, int json);

/* Thread-safe.  The first field is skipped: see bk_log(). */
void bk_log_fields(bk_log_level_e level, const char *message,
    const bk_field_t *fields);


#endif /* _BK_LOG_H_INCLUDED_ */

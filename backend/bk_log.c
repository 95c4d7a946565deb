
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wsc_json.h"
#include "wsc_number.h"
#include "wsc_utf8.h"
#include "bk_log.h"
#include "bk_mem.h"
#include "wsc_time.h"


static void bk_log_text(wsc_buf_t *b, const char *level, const u_char *stamp,
    const char *message, const bk_field_t *f);
static void bk_log_json(wsc_buf_t *b, const char *level, const u_char *stamp,
    const char *message, const bk_field_t *f);
static void bk_log_quoted(wsc_buf_t *b, const char *text);
static void bk_log_number(wsc_buf_t *b, int64_t n);
static void bk_log_add(wsc_buf_t *b, const char *s);


static const char      *bk_log_program = "";
static bk_log_level_e   bk_log_level = BK_LOG_INFO;
static int              bk_log_is_json;

static const char *const  bk_log_levels[] = {
    "error", "warn", "info", "debug"
};


void
bk_log_init(const char *program, bk_log_level_e level, int json)
{
    bk_log_program = program;
    bk_log_level = level;
    bk_log_is_json = json;
}


void
bk_log_fields(bk_log_level_e level, const char *message,
    const bk_field_t *fields)
{
    u_char     stamp[WSC_TIME_LEN + 1];
    ssize_t    rc;
    wsc_buf_t  b;

    if (level > bk_log_level) {
        return;
    }

    wsc_time_print(stamp, bk_now());
    stamp[WSC_TIME_LEN] = '\0';

    wsc_buf_init(&b, &bk_alloc);

    if (bk_log_is_json) {
        bk_log_json(&b, bk_log_levels[level], stamp, message, fields + 1);

    } else {
        bk_log_text(&b, bk_log_levels[level], stamp, message, fields + 1);
    }

    if (!b.failed) {
        /* one write: lines of threads do not mix; there is no other log */
        rc = write(STDERR_FILENO, b.data, b.len);
        (void) rc;
    }

    wsc_buf_free(&b);
}


static void
bk_log_text(wsc_buf_t *b, const char *level, const u_char *stamp,
    const char *message, const bk_field_t *f)
{
    bk_log_add(b, (const char *) stamp);
    bk_log_add(b, " [");
    bk_log_add(b, level);
    bk_log_add(b, "] ");
    bk_log_add(b, message);

    for ( /* void */ ; f->key != NULL; f++) {
        wsc_buf_byte(b, ' ');
        bk_log_add(b, f->key);
        wsc_buf_byte(b, '=');

        if (f->text == NULL) {
            bk_log_number(b, f->number);

        } else if (f->text[0] == '\0' || strpbrk(f->text, " \"\n\r\t=")) {
            bk_log_quoted(b, f->text);

        } else {
            bk_log_add(b, f->text);
        }
    }

    wsc_buf_byte(b, '\n');
}


static void
bk_log_json(wsc_buf_t *b, const char *level, const u_char *stamp,
    const char *message, const bk_field_t *f)
{
    bk_log_add(b, "{\"time\":");
    bk_log_quoted(b, (const char *) stamp);
    bk_log_add(b, ",\"level\":");
    bk_log_quoted(b, level);
    bk_log_add(b, ",\"program\":");
    bk_log_quoted(b, bk_log_program);
    bk_log_add(b, ",\"message\":");
    bk_log_quoted(b, message);

    for ( /* void */ ; f->key != NULL; f++) {
        wsc_buf_byte(b, ',');
        bk_log_quoted(b, f->key);
        wsc_buf_byte(b, ':');

        if (f->text == NULL) {
            bk_log_number(b, f->number);

        } else {
            bk_log_quoted(b, f->text);
        }
    }

    bk_log_add(b, "}\n");
}


static void
bk_log_quoted(wsc_buf_t *b, const char *text)
{
    wsc_str_t  s;

    s.data = (u_char *) text;
    s.len = strlen(text);

    while (s.len && s.data[s.len - 1] == '\n') {
        s.len--;
    }

    if (!wsc_utf8_valid(s.data, s.len)) {
        bk_log_add(b, "\"(not UTF-8)\"");
        return;
    }

    wsc_json_string(b, &s);
}


static void
bk_log_number(wsc_buf_t *b, int64_t n)
{
    u_char  buf[WSC_NUMBER_LEN];

    wsc_buf_add(b, buf, wsc_number_print_int(buf, n));
}


static void
bk_log_add(wsc_buf_t *b, const char *s)
{
    wsc_buf_add(b, s, strlen(s));
}

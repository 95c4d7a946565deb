
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Checks JSON text (RFC 8259) and finds values in it without changing a byte;
 * control fields are then read by jansson, which cannot tell where a value
 * stands in its text.
 */


#ifndef _WSC_JSON_H_INCLUDED_
#define _WSC_JSON_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_value.h"


#define WSC_JSON_LEVELS   64     /* the largest max_depth */
#define WSC_JSON_NESTING  1024   /* what nests deeper is not read at all */


/*
 * Checks one JSON value that fills [p, p + len) but for white space: UTF-8,
 * no \u0000, no lone surrogates, no duplicate keys in an object, depth at
 * most max_depth, numbers that a double can hold.  WSC_OK; WSC_DECLINED with
 * *reason (static); WSC_ERROR: no memory (keys are compared through alloc).
 */
ssize_t wsc_json_check(const wsc_alloc_t *alloc, const u_char *p, size_t len,
    unsigned max_depth, const char **reason);

/*
 * The same, but tells text that is not JSON (WSC_DECLINED, scan->reason) from
 * JSON that breaks a rule above (WSC_OK, scan->rule is not NULL), of which
 * other parts can still be read.
 */
ssize_t wsc_json_scan(const wsc_alloc_t *alloc, const u_char *p, size_t len,
    unsigned max_depth, wsc_scan_t *scan);

/*
 * Iterates over the members of the object, or elements of the array, that
 * checked text at *p begins with (*p stands before '{' or '[' at the first
 * call, with *it == 0).  WSC_OK: value is the next value's text without white
 * space around it, and key its raw key text without quotes (empty in an
 * array); WSC_DONE: no more; WSC_DECLINED: neither object nor array.
 */
ssize_t wsc_json_next(const u_char **p, const u_char *last, int *it,
    wsc_str_t *key, wsc_str_t *value);

/* Moves p behind white space. */
const u_char *wsc_json_space(const u_char *p, const u_char *last);

/* Appends s as a JSON string with quotes; s must be valid UTF-8. */
void wsc_json_string(wsc_buf_t *b, const wsc_str_t *s);


#endif /* _WSC_JSON_H_INCLUDED_ */

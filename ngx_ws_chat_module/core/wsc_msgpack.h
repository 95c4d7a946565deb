
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * msgpack: a bounded check before msgpack-c may unpack (its 4.0.0 allocates
 * whatever a header claims), and the two ways between msgpack and JSON.
 */


#ifndef _WSC_MSGPACK_H_INCLUDED_
#define _WSC_MSGPACK_H_INCLUDED_


#include "wsc_buf.h"
#include "wsc_value.h"


#define WSC_MSGPACK_LEVELS   64    /* the largest max_depth */
#define WSC_MSGPACK_NESTING  128   /* what nests deeper is not read at all */


typedef enum {
    WSC_MSGPACK_NIL = 0,
    WSC_MSGPACK_BOOL,
    WSC_MSGPACK_INTEGER,
    WSC_MSGPACK_FLOAT,
    WSC_MSGPACK_STR,
    WSC_MSGPACK_BIN,
    WSC_MSGPACK_EXT,
    WSC_MSGPACK_ARRAY,
    WSC_MSGPACK_MAP
} wsc_msgpack_type_e;


typedef struct {
    wsc_msgpack_type_e  type;
    size_t              head;     /* octets before the contents */
    size_t              n;        /* octets, elements or pairs of these */
} wsc_msgpack_item_t;


/*
 * Checks that [p, p + len) is exactly one msgpack object: counts are held
 * against the bytes left, depth at most max_depth, strings are UTF-8, map keys
 * are strings and not repeated, no ext; bin only where bin_depth allows: as
 * a whole value at depth <= bin_depth (0: nowhere; 1: the object itself; 2: or
 * a value directly in it).  WSC_OK; WSC_DECLINED with *reason (static);
 * WSC_ERROR: no memory.
 */
ssize_t wsc_msgpack_check(const wsc_alloc_t *alloc, const u_char *p,
    size_t len, unsigned max_depth, unsigned bin_depth, const char **reason);

/*
 * The same, but tells what is not one object (WSC_DECLINED, scan->reason) from
 * one that breaks a rule above (WSC_OK, scan->rule is not NULL), of which
 * other parts can still be read.
 */
ssize_t wsc_msgpack_scan(const wsc_alloc_t *alloc, const u_char *p,
    size_t len, unsigned max_depth, unsigned bin_depth, wsc_scan_t *scan);

/*
 * Reads the header at p.  WSC_OK: the contents' n octets are there, or at
 * least one octet for each element; WSC_DECLINED: not so.
 */
ssize_t wsc_msgpack_read(const u_char *p, const u_char *last,
    wsc_msgpack_item_t *item);

/* Behind the checked object at p. */
const u_char *wsc_msgpack_skip(const u_char *p, const u_char *last);

/*
 * Appends the JSON text of one checked msgpack object (no bin inside).
 * WSC_OK; WSC_DECLINED with *reason: it has no JSON form (NaN, infinity,
 * U+0000 in a string).  A lack of memory shows in out->failed.
 */
ssize_t wsc_msgpack_to_json(const u_char *p, size_t len, wsc_buf_t *out,
    const char **reason);

/*
 * Appends checked JSON text as msgpack: integers that fit 64 bits as
 * integers, other numbers as doubles.  WSC_OK or WSC_ERROR (no memory).
 */
ssize_t wsc_json_to_msgpack(const u_char *p, size_t len, wsc_buf_t *out);


#endif /* _WSC_MSGPACK_H_INCLUDED_ */

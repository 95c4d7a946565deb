
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Inside wsc_jwt only: reading checked JSON text (see wsc_json_check()).
 */


#ifndef _WSC_JWT_JSON_H_INCLUDED_
#define _WSC_JWT_JSON_H_INCLUDED_


#include "wsc_base.h"


typedef struct {
    const char         *name;         /* plain ASCII */
    wsc_str_t           value;        /* its text; data NULL: absent */
} wsc_jwt_member_t;


/*
 * Finds the values of n members of an object by the names in there.  WSC_OK,
 * or WSC_DECLINED: not an object.
 */
ssize_t wsc_jwt_members(const wsc_str_t *text, wsc_jwt_member_t *members,
    size_t n);

/*
 * Writes what the text of a string means to out (max octets) and sets *s to
 * it.  WSC_OK, or WSC_DECLINED: not a string, or too long.
 */
ssize_t wsc_jwt_text(const wsc_str_t *value, u_char *out, size_t max,
    wsc_str_t *s);

/* 1 if the text is that of a string, which means exactly this. */
int wsc_jwt_is(const wsc_str_t *value, const char *meaning);

/*
 * Goes on with the strings of an array, like wsc_json_next().  WSC_OK: value
 * is the next one's text; WSC_DONE: no more; WSC_DECLINED: not an array, or
 * something else is in it.
 */
ssize_t wsc_jwt_strings(const u_char **p, const u_char *last, int *it,
    wsc_str_t *value);


#endif /* _WSC_JWT_JSON_H_INCLUDED_ */

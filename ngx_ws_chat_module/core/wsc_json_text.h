
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What the text of a JSON string between its quotes means, RFC 8259 section 7.
 */


#ifndef _WSC_JSON_TEXT_H_INCLUDED_
#define _WSC_JSON_TEXT_H_INCLUDED_


#include "wsc_base.h"


#define WSC_JSON_CHAR  4         /* most octets of wsc_json_unescape() */


/*
 * Takes one character of checked string text, or one octet of it, from *p and
 * writes what it means to out: the number of octets, 1 .. WSC_JSON_CHAR.
 */
size_t wsc_json_unescape(const u_char **p, const u_char *last, u_char *out);

/* Reads the four digits of a \u escape: WSC_OK or WSC_DECLINED. */
ssize_t wsc_json_hex(const u_char *p, const u_char *last, uint32_t *code);

/* Behind octets that are neither quote, backslash nor control character. */
const u_char *wsc_json_plain(const u_char *p, const u_char *last);

/* p stands at a quote: behind the quote that ends the string. */
const u_char *wsc_json_string_end(const u_char *p, const u_char *last);

/*
 * Compares what two checked string texts without quotes mean, as memcmp()
 * would: < 0, 0, > 0.
 */
int wsc_json_cmp(const wsc_str_t *a, const wsc_str_t *b);


#endif /* _WSC_JSON_TEXT_H_INCLUDED_ */


/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a reader of events sends back, as an id of one chat and as a cursor of
 * as many as the first octet says.  What is accepted is what is written again.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_sse.h"
#include "wsc_value.h"


#define fuzz_require(condition)  if (!(condition)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i, n;
    u_char      hash[WSC_SSE_MAX_CURSOR], again[WSC_SSE_MAX_CURSOR];
    u_char      cursor[WSC_SSE_HASH + 1024];
    wsc_pos_t   pos[WSC_SSE_MAX_CHATS];
    wsc_str_t   text, chats[WSC_SSE_MAX_CHATS];

    if (size < 1 || size > 1024) {
        return 0;
    }

    text.data = (u_char *) data + 1;
    text.len = size - 1;

    if (wsc_sse_pos_read(&text, pos) == WSC_OK) {
        fuzz_require(pos->epoch < WSC_MAX_INTEGER);
        fuzz_require(pos->seq < WSC_MAX_INTEGER);
    }

    n = 1 + data[0] % WSC_SSE_MAX_CHATS;

    for (i = 0; i < n; i++) {
        chats[i].data = (u_char *) "abcdefghijklmnopqrstuvwxyzabcdef" + i;
        chats[i].len = 1;
    }

    /* nobody guesses the hash: it is put before the rest */

    memset(pos, 0, sizeof(pos));
    (void) wsc_sse_cursor_write(hash, chats, pos, n);

    memcpy(cursor, hash, WSC_SSE_HASH);
    memcpy(cursor + WSC_SSE_HASH, data + 1, size - 1);

    text.data = cursor;
    text.len = WSC_SSE_HASH + size - 1;

    if (wsc_sse_cursor_read(&text, chats, pos, n) != WSC_OK) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        fuzz_require(pos[i].epoch < WSC_MAX_INTEGER);
        fuzz_require(pos[i].seq < WSC_MAX_INTEGER);
    }

    fuzz_require(wsc_sse_cursor_write(again, chats, pos, n) <= text.len);

    return 0;
}

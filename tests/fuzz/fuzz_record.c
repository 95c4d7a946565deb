
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Fuzzes the decoding of Kafka records.  The first octet says which headers
 * there are and how long each and the key is; what follows them is the value.
 * A record that is taken must be one that PostgreSQL and members can take.
 */


#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wsc_json.h"
#include "bk_record.h"
#include "wsc_time.h"


#define FUZZ_TIME  253402300800000

#define fuzz_assert(x)  if (!(x)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void *
fuzz_alloc_malloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
fuzz_alloc_free(void *ctx, void *p)
{
    free(p);
}


static const wsc_alloc_t  fuzz_alloc = {
    fuzz_alloc_malloc, fuzz_alloc_free, NULL
};


static void
fuzz_take(const uint8_t **data, size_t *size, wsc_str_t *s)
{
    s->len = (*size) ? **data % 32 : 0;

    if (*size == 0) {
        return;
    }

    (*data)++;
    (*size)--;

    if (s->len > *size) {
        s->len = *size;
    }

    s->data = (u_char *) *data;
    *data += s->len;
    *size -= s->len;
}


static void
fuzz_good(const bk_record_t *r)
{
    u_char         stamp[WSC_TIME_LEN];
    ssize_t        rc;
    uint64_t       ms;
    wsc_buf_t      b;
    wsc_str_t      s;
    wsc_scan_t     scan;
    wsc_value_t    v;

    fuzz_assert(wsc_chat_id_valid(&r->chat_id));
    fuzz_assert(wsc_user_valid(&r->sender));
    fuzz_assert(r->cid.len == 0 || wsc_cid_valid(&r->cid));
    fuzz_assert(r->timestamp < FUZZ_TIME);
    fuzz_assert(!r->has_prev || wsc_pos_cmp(r->prev, r->pos) < 0);

    rc = wsc_json_scan(&fuzz_alloc, r->message.data, r->message.len,
                       WSC_MAX_DEPTH, &scan);
    fuzz_assert(rc == WSC_OK && (scan.rule == NULL) == (r->rule == NULL));

    wsc_buf_init(&b, &fuzz_alloc);
    fuzz_assert(bk_record_value(r, &b, &v) == WSC_OK);
    fuzz_assert(v.binary == r->base64);
    wsc_buf_free(&b);

    wsc_time_print(stamp, r->timestamp);
    s.data = stamp;
    s.len = WSC_TIME_LEN;
    fuzz_assert(wsc_time_parse(&s, &ms) == WSC_OK && ms == r->timestamp);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned      i, which;
    ssize_t       rc;
    bk_raw_t      raw;
    bk_record_t   r;
    const char   *reason;

    memset(&raw, 0, sizeof(raw));
    raw.timestamp = 1700000000000;

    which = size ? *data : 0;

    if (size) {
        data++;
        size--;
    }

    for (i = 0; i < BK_HEADER_N; i++) {
        if (which & (1 << i)) {
            fuzz_take(&data, &size, &raw.headers[i]);
        }
    }

    if (which & (1 << BK_HEADER_N)) {
        fuzz_take(&data, &size, &raw.key);
    }

    raw.value.data = (u_char *) data;
    raw.value.len = size;

    reason = NULL;
    rc = bk_record_read(&fuzz_alloc, &raw, &r, &reason);

    fuzz_assert(rc == WSC_OK || (rc == WSC_DECLINED && reason));

    if (rc == WSC_OK) {
        fuzz_good(&r);
    }

    bk_record_free(&r);

    return 0;
}

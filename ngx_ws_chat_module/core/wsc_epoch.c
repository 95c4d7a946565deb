
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_epoch.h"
#include "wsc_info.h"
#include "wsc_number.h"
#include "wsc_value.h"


#define WSC_MURMUR_SEED  0x9747b28c
#define WSC_MURMUR_M     0x5bd1e995


static ssize_t wsc_epoch_number(const u_char **p, const u_char *last,
    uint64_t *v);
static ssize_t wsc_epoch_pair(const wsc_str_t *s, u_char separator,
    uint64_t *a, uint64_t *b);
static size_t wsc_epoch_pair_print(u_char *buf, uint64_t a, u_char separator,
    uint64_t b);
static ssize_t wsc_inc_parse(const wsc_str_t *value, wsc_inc_t *inc);


ssize_t
wsc_replid_find(const wsc_str_t *info, u_char *replid)
{
    wsc_str_t  value;

    if (wsc_info_find(info, "master_replid", &value) != WSC_OK
        || value.len != WSC_REPLID_LEN)
    {
        return WSC_DECLINED;
    }

    memcpy(replid, value.data, WSC_REPLID_LEN);

    return WSC_OK;
}


ssize_t
wsc_inc_decide(const wsc_str_t *value, const u_char *replid, uint64_t now,
    uint64_t seen, wsc_inc_t *inc)
{
    inc->epoch = 0;

    if (wsc_inc_parse(value, inc) == WSC_OK
        && memcmp(inc->replid, replid, WSC_REPLID_LEN) == 0)
    {
        return WSC_OK;
    }

    memcpy(inc->replid, replid, WSC_REPLID_LEN);

    inc->epoch++;

    if (inc->epoch <= seen) {
        inc->epoch = seen + 1;
    }

    if (inc->epoch < now) {
        inc->epoch = now;
    }

    return WSC_AGAIN;
}


static ssize_t
wsc_inc_parse(const wsc_str_t *value, wsc_inc_t *inc)
{
    uint64_t       epoch;
    const u_char  *p, *last;

    if (value == NULL || value->len < WSC_REPLID_LEN + 2
        || value->data[WSC_REPLID_LEN] != ' ')
    {
        return WSC_DECLINED;
    }

    p = value->data + WSC_REPLID_LEN + 1;
    last = value->data + value->len;

    if (wsc_epoch_number(&p, last, &epoch) != WSC_OK || p != last) {
        return WSC_DECLINED;
    }

    memcpy(inc->replid, value->data, WSC_REPLID_LEN);
    inc->epoch = epoch;

    return WSC_OK;
}


size_t
wsc_inc_print(u_char *buf, const wsc_inc_t *inc)
{
    memcpy(buf, inc->replid, WSC_REPLID_LEN);
    buf[WSC_REPLID_LEN] = ' ';

    return WSC_REPLID_LEN + 1
           + wsc_number_print_uint(buf + WSC_REPLID_LEN + 1, inc->epoch);
}


ssize_t
wsc_epoch_decide(const wsc_str_t *value, uint64_t inc, uint64_t *epoch)
{
    const u_char  *p;

    if (value == NULL) {
        return WSC_AGAIN;
    }

    p = value->data;

    if (wsc_epoch_number(&p, value->data + value->len, epoch) != WSC_OK
        || p != value->data + value->len
        || *epoch < inc)
    {
        return WSC_AGAIN;
    }

    return WSC_OK;
}


uint64_t
wsc_epoch_next(uint64_t now, uint64_t inc, uint64_t seen, wsc_pos_t top)
{
    uint64_t  epoch;

    epoch = (now > inc) ? now : inc;

    if (epoch <= seen) {
        epoch = seen + 1;
    }

    if (top.seq && epoch <= top.epoch) {
        epoch = top.epoch + 1;
    }

    return epoch;
}


size_t
wsc_epoch_print(u_char *buf, uint64_t epoch)
{
    return wsc_number_print_uint(buf, epoch);
}


ssize_t
wsc_stream_id_parse(const wsc_str_t *id, wsc_pos_t *pos)
{
    if (wsc_epoch_pair(id, '-', &pos->epoch, &pos->seq) != WSC_OK) {
        return WSC_DECLINED;
    }

    pos->seq++;

    return (pos->seq < WSC_MAX_INTEGER) ? WSC_OK : WSC_DECLINED;
}


size_t
wsc_stream_id_print(u_char *buf, wsc_pos_t pos)
{
    return wsc_epoch_pair_print(buf, pos.epoch, '-', pos.seq - 1);
}


ssize_t
wsc_stream_prev(wsc_pos_t pos, wsc_pos_t *prev)
{
    if (pos.seq < 2) {
        return WSC_DECLINED;
    }

    prev->epoch = pos.epoch;
    prev->seq = pos.seq - 1;

    return WSC_OK;
}


ssize_t
wsc_dedupe_parse(const wsc_str_t *value, wsc_dedupe_t *d)
{
    d->placed = 1;

    if (wsc_epoch_pair(value, '-', &d->pos.epoch, &d->pos.seq) == WSC_OK) {
        return d->pos.seq ? WSC_OK : WSC_DECLINED;
    }

    d->placed = 0;

    return wsc_epoch_pair(value, ' ', &d->pos.epoch, &d->pos.seq);
}


size_t
wsc_dedupe_print(u_char *buf, const wsc_dedupe_t *d)
{
    return wsc_epoch_pair_print(buf, d->pos.epoch, d->placed ? '-' : ' ',
                                d->pos.seq);
}


static ssize_t
wsc_epoch_pair(const wsc_str_t *s, u_char separator, uint64_t *a, uint64_t *b)
{
    const u_char  *p, *last;

    p = s->data;
    last = p + s->len;

    if (wsc_epoch_number(&p, last, a) != WSC_OK
        || p == last
        || *p++ != separator
        || wsc_epoch_number(&p, last, b) != WSC_OK
        || p != last)
    {
        return WSC_DECLINED;
    }

    return WSC_OK;
}


static size_t
wsc_epoch_pair_print(u_char *buf, uint64_t a, u_char separator, uint64_t b)
{
    size_t  n;

    n = wsc_number_print_uint(buf, a);
    buf[n++] = separator;

    return n + wsc_number_print_uint(buf + n, b);
}


static ssize_t
wsc_epoch_number(const u_char **p, const u_char *last, uint64_t *v)
{
    const u_char  *start;

    start = *p;
    *v = 0;

    for ( /* void */ ; *p != last && **p >= '0' && **p <= '9'; (*p)++) {
        *v = *v * 10 + (**p - '0');

        if (*v >= WSC_MAX_INTEGER) {
            return WSC_DECLINED;
        }
    }

    return (*p == start) ? WSC_DECLINED : WSC_OK;
}


uint32_t
wsc_shard(const wsc_str_t *chat_id, uint32_t shards)
{
    size_t         left;
    uint32_t       h, k;
    const u_char  *p;

    p = chat_id->data;
    h = WSC_MURMUR_SEED ^ (uint32_t) chat_id->len;

    for (left = chat_id->len; left >= 4; left -= 4) {
        k = p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
            | (uint32_t) p[3] << 24;
        k *= WSC_MURMUR_M;
        k ^= k >> 24;
        k *= WSC_MURMUR_M;

        h *= WSC_MURMUR_M;
        h ^= k;
        p += 4;
    }

    if (left > 2) {
        h ^= (uint32_t) p[2] << 16;
    }

    if (left > 1) {
        h ^= (uint32_t) p[1] << 8;
    }

    if (left) {
        h ^= p[0];
        h *= WSC_MURMUR_M;
    }

    h ^= h >> 13;
    h *= WSC_MURMUR_M;
    h ^= h >> 15;

    return (h & 0x7fffffff) % shards;
}

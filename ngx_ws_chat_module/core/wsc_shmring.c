
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records lie one behind the other and go on at the front: cursors count
 * octets ever written.
 */


#include <string.h>

#include "wsc_shmring.h"


#define WSC_SHMRING_MAGIC  0x31676e69726d6873ULL    /* "shmring1" */
#define WSC_SHMRING_ALIGN  8


struct wsc_shmring_s {
    uint64_t            magic;        /* stored last */
    uint64_t            size;
    uint64_t            end;          /* readers go up to here */
    uint64_t            taken;        /* what lies a size before is gone:
                                         stored before a record is written */
};


typedef struct {
    uint32_t            len;
    uint32_t            tag;
} wsc_shmring_head_t;


static size_t wsc_shmring_whole(size_t len);
static void wsc_shmring_write(wsc_shmring_t *r, uint64_t at, const void *p,
    size_t len);
static void wsc_shmring_read(const wsc_shmring_t *r, uint64_t at, void *p,
    size_t len);


wsc_shmring_t *
wsc_shmring_init(void *area, size_t size)
{
    wsc_shmring_t  *r;

    if (size < WSC_SHMRING_MIN_SIZE) {
        return NULL;
    }

    r = area;

    r->size = (size - sizeof(wsc_shmring_t))
              & ~((size_t) WSC_SHMRING_ALIGN - 1);
    r->end = 0;
    r->taken = 0;
    __atomic_store_n(&r->magic, WSC_SHMRING_MAGIC, __ATOMIC_RELEASE);

    return r;
}


wsc_shmring_t *
wsc_shmring_open(void *area)
{
    wsc_shmring_t  *r;

    r = area;

    return (r->magic == WSC_SHMRING_MAGIC) ? r : NULL;
}


size_t
wsc_shmring_max(const wsc_shmring_t *r)
{
    return r->size / 4;
}


ssize_t
wsc_shmring_put(wsc_shmring_t *r, uint32_t tag, const u_char *data,
    size_t len)
{
    wsc_shmring_head_t  head;

    if (len > wsc_shmring_max(r)) {
        return WSC_DECLINED;
    }

    head.len = len;
    head.tag = tag;

    __atomic_store_n(&r->taken, r->end + wsc_shmring_whole(len),
                     __ATOMIC_SEQ_CST);

    wsc_shmring_write(r, r->end, &head, sizeof(wsc_shmring_head_t));
    wsc_shmring_write(r, r->end + sizeof(wsc_shmring_head_t), data, len);

    __atomic_store_n(&r->end, r->taken, __ATOMIC_SEQ_CST);

    return WSC_OK;
}


uint64_t
wsc_shmring_end(const wsc_shmring_t *r)
{
    return r->end;
}


ssize_t
wsc_shmring_look(const wsc_shmring_t *r, uint64_t *cursor, uint32_t *tag,
    size_t *len)
{
    wsc_shmring_head_t  head;

    if (*cursor == r->end) {
        return WSC_DONE;
    }

    if (r->taken - *cursor > r->size) {
        *cursor = r->end;
        return WSC_DECLINED;
    }

    wsc_shmring_read(r, *cursor, &head, sizeof(wsc_shmring_head_t));

    *tag = head.tag;
    *len = head.len;

    return WSC_OK;
}


void
wsc_shmring_copy(const wsc_shmring_t *r, uint64_t cursor, u_char *buf)
{
    wsc_shmring_head_t  head;

    wsc_shmring_read(r, cursor, &head, sizeof(wsc_shmring_head_t));
    wsc_shmring_read(r, cursor + sizeof(wsc_shmring_head_t), buf, head.len);
}


void
wsc_shmring_skip(const wsc_shmring_t *r, uint64_t *cursor)
{
    wsc_shmring_head_t  head;

    wsc_shmring_read(r, *cursor, &head, sizeof(wsc_shmring_head_t));

    *cursor += wsc_shmring_whole(head.len);
}


static size_t
wsc_shmring_whole(size_t len)
{
    len += sizeof(wsc_shmring_head_t);

    return (len + WSC_SHMRING_ALIGN - 1) & ~((size_t) WSC_SHMRING_ALIGN - 1);
}


static void
wsc_shmring_write(wsc_shmring_t *r, uint64_t at, const void *p, size_t len)
{
    size_t   n, from;
    u_char  *data;

    data = (u_char *) (r + 1);
    from = at % r->size;
    n = (len < r->size - from) ? len : r->size - from;

    memcpy(data + from, p, n);
    memcpy(data, (const u_char *) p + n, len - n);
}


static void
wsc_shmring_read(const wsc_shmring_t *r, uint64_t at, void *p, size_t len)
{
    size_t         n, from;
    const u_char  *data;

    data = (const u_char *) (r + 1);
    from = at % r->size;
    n = (len < r->size - from) ? len : r->size - from;

    memcpy(p, data + from, n);
    memcpy((u_char *) p + n, data, len - n);
}

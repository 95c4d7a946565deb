
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Incremental UTF-8 validation.  A state holds what may come next: the number
 * of octets still missing and the range of the next one:
 *
 *   23     16 15      8 7       0
 *  +---------+---------+---------+
 *  | missing | lowest  | highest |      0: at a boundary
 *  +---------+---------+---------+
 *
 * Only the second octet has ranges other than 80..BF (Unicode table 3-7).
 */


#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "wsc_utf8.h"


#define WSC_UTF8_BAD  0xffffffff

#define wsc_utf8_state(missing, low, high)                                    \
    ((uint32_t) (missing) << 16 | (low) << 8 | (high))


static inline uint32_t wsc_utf8_step(uint32_t s, u_char ch);
static uint32_t wsc_utf8_lead(u_char ch);
static const u_char *wsc_utf8_skip_ascii(const u_char *p, const u_char *last);


ssize_t
wsc_utf8_check(uint32_t *state, const u_char *p, size_t len)
{
    uint32_t       s;
    const u_char  *last;

    s = *state;
    last = p + len;

    while (p < last) {

        if (s == WSC_UTF8_ACCEPT && *p < 0x80) {
            p = wsc_utf8_skip_ascii(p, last);
            continue;
        }

        s = wsc_utf8_step(s, *p++);
        if (s == WSC_UTF8_BAD) {
            return WSC_ERROR;
        }
    }

    *state = s;

    return WSC_OK;
}


ssize_t
wsc_utf8_check_portable(uint32_t *state, const u_char *p, size_t len)
{
    size_t    i;
    uint32_t  s;

    s = *state;

    for (i = 0; i < len; i++) {
        s = wsc_utf8_step(s, p[i]);
        if (s == WSC_UTF8_BAD) {
            return WSC_ERROR;
        }
    }

    *state = s;

    return WSC_OK;
}


int
wsc_utf8_valid(const u_char *p, size_t len)
{
    uint32_t  state;

    state = WSC_UTF8_ACCEPT;

    return wsc_utf8_check(&state, p, len) == WSC_OK
           && state == WSC_UTF8_ACCEPT;
}


static inline uint32_t
wsc_utf8_step(uint32_t s, u_char ch)
{
    if (s == WSC_UTF8_ACCEPT) {
        return (ch < 0x80) ? WSC_UTF8_ACCEPT : wsc_utf8_lead(ch);
    }

    if (ch < (s >> 8 & 0xff) || ch > (s & 0xff)) {
        return WSC_UTF8_BAD;
    }

    return (s >> 16 == 1) ? WSC_UTF8_ACCEPT
                          : wsc_utf8_state((s >> 16) - 1, 0x80, 0xbf);
}


/* The state after the first octet of several. */

static uint32_t
wsc_utf8_lead(u_char ch)
{
    if (ch < 0xc2 || ch > 0xf4) {
        return WSC_UTF8_BAD;
    }

    if (ch < 0xe0) {
        return wsc_utf8_state(1, 0x80, 0xbf);
    }

    switch (ch) {

    case 0xe0:                      /* not shorter */
        return wsc_utf8_state(2, 0xa0, 0xbf);

    case 0xed:                      /* not a surrogate */
        return wsc_utf8_state(2, 0x80, 0x9f);

    case 0xf0:                      /* not shorter */
        return wsc_utf8_state(3, 0x90, 0xbf);

    case 0xf4:                      /* not above U+10FFFF */
        return wsc_utf8_state(3, 0x80, 0x8f);
    }

    return wsc_utf8_state((ch < 0xf0) ? 2 : 3, 0x80, 0xbf);
}


static const u_char *
wsc_utf8_skip_ascii(const u_char *p, const u_char *last)
{
#ifdef __SSE2__

    __m128i  block;

    while (last - p >= 16) {
        block = _mm_loadu_si128((const __m128i *) p);

        if (_mm_movemask_epi8(block)) {
            break;
        }

        p += 16;
    }

#else

    uint64_t  block;

    while (last - p >= 8) {
        memcpy(&block, p, 8);

        if (block & 0x8080808080808080) {
            break;
        }

        p += 8;
    }

#endif

    while (p < last && *p < 0x80) {
        p++;
    }

    return p;
}

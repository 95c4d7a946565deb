
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Masking by blocks.
 */


#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "wsc_mask.h"


static size_t wsc_mask_wide(u_char *p, size_t len, uint64_t mask);


void
wsc_mask_portable(u_char *p, size_t len, const u_char *key, size_t offset)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        p[i] ^= key[(offset + i) & 3];
    }
}


void
wsc_mask(u_char *p, size_t len, const u_char *key, size_t offset)
{
    size_t    i;
    u_char    turned[8];
    uint64_t  word, mask;

    for (i = 0; i < sizeof(turned); i++) {
        turned[i] = key[(offset + i) & 3];
    }

    memcpy(&mask, turned, sizeof(mask));
    i = wsc_mask_wide(p, len, mask);

    for ( /* void */ ; len - i >= 8; i += 8) {
        memcpy(&word, p + i, sizeof(word));
        word ^= mask;
        memcpy(p + i, &word, sizeof(word));
    }

    /* the blocks were multiples of four: the turned key still fits */
    wsc_mask_portable(p + i, len - i, turned, 0);
}


/* Does blocks of 16 where the machine has them; returns the octets done. */

static size_t
wsc_mask_wide(u_char *p, size_t len, uint64_t mask)
{
#ifdef __SSE2__

    size_t   i;
    __m128i  wide, block;

    wide = _mm_set1_epi64x((long long) mask);

    for (i = 0; len - i >= 16; i += 16) {
        block = _mm_loadu_si128((const __m128i *) (p + i));
        _mm_storeu_si128((__m128i *) (p + i), _mm_xor_si128(block, wide));
    }

    return i;

#else

    return 0;

#endif
}

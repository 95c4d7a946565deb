
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Fuzzes the decoding of msgpack commands, and the checker against msgpack-c,
 * which must take whatever passed.
 */


#include <msgpack.h>

#include "fuzz_cmd.h"


/* msgpack-c nests no deeper than 32. */
#define FUZZ_DEPTH  30


static void
fuzz_msgpack(const uint8_t *data, size_t size)
{
    size_t                  off;
    ssize_t                 rc;
    const char             *reason;
    msgpack_zone            zone;
    msgpack_object          o;
    msgpack_unpack_return   ret;

    rc = wsc_msgpack_check(&fuzz_alloc, data, size, FUZZ_DEPTH, 1, &reason);

    if (rc != WSC_OK) {
        fuzz_assert(rc == WSC_DECLINED && reason);
        return;
    }

    fuzz_assert(wsc_msgpack_skip(data, data + size) == data + size);

    off = 0;
    msgpack_zone_init(&zone, 4096);
    ret = msgpack_unpack((const char *) data, size, &off, &zone, &o);
    msgpack_zone_destroy(&zone);

    fuzz_assert(ret == MSGPACK_UNPACK_SUCCESS && off == size);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_msgpack(data, size);
    fuzz_commands(WSC_ENC_MSGPACK, data, size);

    return 0;
}

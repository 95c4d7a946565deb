
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Fuzzes the decoding of JSON commands, and the checker against jansson: on
 * the whole input both must agree (but jansson takes a zero for the end).
 */


#include "fuzz_cmd.h"


static void
fuzz_jansson(const uint8_t *data, size_t size)
{
    json_t      *v;
    ssize_t      rc;
    const char  *reason;

    rc = wsc_json_check(&fuzz_alloc, data, size, WSC_MAX_DEPTH, &reason);
    v = json_loadb((const char *) data, size, FUZZ_JANSSON, NULL);

    fuzz_assert(rc == WSC_OK || rc == WSC_DECLINED);

    if (size && memchr(data, '\0', size)) {
        fuzz_assert(rc == WSC_DECLINED);

    } else if (rc == WSC_OK || strncmp(reason, "nested", 6) != 0) {
        fuzz_assert((rc == WSC_OK) == (v != NULL));
    }

    json_decref(v);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_jansson(data, size);
    fuzz_commands(WSC_ENC_JSON, data, size);

    return 0;
}

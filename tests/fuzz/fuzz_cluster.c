
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What a node of Redis Cluster says about itself and others.  A map that is
 * accepted must make sense.
 */


#include <stdlib.h>
#include <string.h>

#include "wsc_cluster.h"


#define fuzz_require(condition)  if (!(condition)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned                  i;
    wsc_str_t                 text;
    wsc_cluster_owner_t      *o;
    static wsc_cluster_map_t  map;

    text.data = (u_char *) data;
    text.len = size;

    fuzz_require(wsc_cluster_slot(&text) < WSC_CLUSTER_SLOTS);

    (void) wsc_cluster_ok(&text);
    (void) wsc_cluster_error(&text);

    if (wsc_cluster_read(&text, &map) != WSC_OK) {
        return 0;
    }

    fuzz_require(map.n <= WSC_CLUSTER_OWNERS);

    for (i = 0; i < map.n; i++) {
        o = &map.owners[i];

        fuzz_require(o->port != 0);
        fuzz_require(o->ip.data >= data
                     && o->ip.data + o->ip.len <= data + size);
        fuzz_require(o->host.len == 0
                     || (o->host.data >= data
                         && o->host.data + o->host.len <= data + size));
    }

    for (i = 0; i < WSC_CLUSTER_SLOTS; i++) {
        fuzz_require(map.slots[i] <= map.n);
    }

    return 0;
}

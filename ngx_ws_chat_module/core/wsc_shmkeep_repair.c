
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <string.h>

#include "wsc_shmkeep_int.h"


static void wsc_shmkeep_repair_rec(wsc_shmkeep_t *k, uint32_t at);
static void wsc_shmkeep_repair_free(wsc_shmkeep_t *k);


/* Chunks that no record holds are free, whatever they say. */

void
wsc_shmkeep_repair(wsc_shmkeep_t *k)
{
    uint32_t            i;
    wsc_shmkeep_rec_t  *rec;

    memset((u_char *) k + k->fields, 0,
           2 * ((size_t) k->mask + 1) * sizeof(uint32_t));

    k->records = 0;

    for (i = 1; i <= k->n; i++) {
        rec = wsc_shmkeep_rec(k, i);

        if (rec->chunk.type == WSC_SHMKEEP_MORE) {
            rec->chunk.type = WSC_SHMKEEP_FREE;
        }
    }

    for (i = 1; i <= k->n; i++) {
        if (wsc_shmkeep_rec(k, i)->chunk.type == WSC_SHMKEEP_HEAD) {
            wsc_shmkeep_repair_rec(k, i);
        }
    }

    wsc_shmkeep_repair_free(k);
}


/* Of two with the same name and field the older one had to be removed. */

static void
wsc_shmkeep_repair_rec(wsc_shmkeep_t *k, uint32_t at)
{
    u_char              buf[WSC_SHMKEEP_MAX_NAME + WSC_SHMKEEP_MAX_FIELD];
    uint32_t            old;
    wsc_str_t           name, field;
    wsc_shmkeep_rec_t  *rec;

    rec = wsc_shmkeep_rec(k, at);

    if (rec->stamp > k->stamp) {
        k->stamp = rec->stamp;
    }

    name.data = buf;
    name.len = rec->name;
    field.data = buf + rec->name;
    field.len = rec->field;

    wsc_shmkeep_io(k, at, 0, buf, name.len + field.len, 0);

    old = wsc_shmkeep_lookup(k, &name, &field, rec->hash);

    if (old && wsc_shmkeep_rec(k, old)->stamp > rec->stamp) {
        rec->chunk.type = WSC_SHMKEEP_FREE;
        return;
    }

    if (old) {
        wsc_shmkeep_remove(k, old);
    }

    wsc_shmkeep_link(k, at);

    for (at = rec->chunk.more; at; at = wsc_shmkeep_rec(k, at)->chunk.more) {
        wsc_shmkeep_rec(k, at)->chunk.type = WSC_SHMKEEP_MORE;
    }
}


static void
wsc_shmkeep_repair_free(wsc_shmkeep_t *k)
{
    uint32_t            i;
    wsc_shmkeep_rec_t  *rec;

    k->free = 0;
    k->nfree = 0;

    for (i = k->n; i; i--) {
        rec = wsc_shmkeep_rec(k, i);

        if (rec->chunk.type == WSC_SHMKEEP_FREE) {
            rec->chunk.more = k->free;
            k->free = i;
            k->nfree++;
        }
    }
}

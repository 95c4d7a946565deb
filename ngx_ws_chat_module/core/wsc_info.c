
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_info.h"

#include <string.h>




ssize_t
wsc_info_find(const wsc_str_t *info, const char *name, wsc_str_t *value)
{
    size_t         len;
    const u_char  *p, *end, *last;

    len = strlen(name);
    last = info->data + info->len;

    for (p = info->data; p < last; p = end + 1) {
        end = memchr(p, '\n', last - p);

        if (end == NULL) {
            end = last;
        }

        if ((size_t) (end - p) > len && p[len] == ':'
            && memcmp(p, name, len) == 0)
        {
            value->data = (u_char *) p + len + 1;
            value->len = end - value->data;

            if (value->len && value->data[value->len - 1] == '\r') {
                value->len--;
            }

            return WSC_OK;
        }
    }

    return WSC_DECLINED;
}


int
wsc_info_evicts(const wsc_str_t *info, wsc_str_t *policy)
{
    wsc_str_t  max;

    return wsc_info_find(info, "maxmemory", &max) == WSC_OK
           && !wsc_str_is(&max, "0")
           && wsc_info_find(info, "maxmemory_policy", policy) == WSC_OK
           && !wsc_str_is(policy, "noeviction");
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "wsbench_tpl.h"


static size_t wb_tpl_variable(wsc_buf_t *out, const char *p,
    const wb_vars_t *vars);
static void wb_tpl_value(wsc_buf_t *out, unsigned which,
    const wb_vars_t *vars);
static ssize_t wb_tag_hex(const u_char *p, size_t len, u_char end,
    uint64_t *value);


enum {
    WB_VAR_ROOM = 0,
    WB_VAR_I,
    WB_VAR_SEQ,
    WB_VAR_TIME,
    WB_VAR_CID,
    WB_VAR_TAG,
    WB_VAR_PAD,
    WB_VAR_LINE,
    WB_VARS
};


static const char  *wb_var_names[WB_VARS] = {
    "{room}", "{i}", "{seq}", "{time}", "{cid}", "{tag}", "{pad}",
    "{line}"
};


void
wb_tpl_render(wsc_buf_t *out, const char *tpl, const wb_vars_t *vars)
{
    size_t       n;
    const char  *p;

    for (p = tpl; *p; p += n) {
        n = strcspn(p, "{");

        if (n) {
            wsc_buf_add(out, p, n);
            continue;
        }

        n = wb_tpl_variable(out, p, vars);

        if (n == 0) {
            wsc_buf_byte(out, '{');
            n = 1;
        }
    }
}


/* The length of the variable at p, or 0 if there is none. */

static size_t
wb_tpl_variable(wsc_buf_t *out, const char *p, const wb_vars_t *vars)
{
    size_t    len;
    unsigned  i;

    for (i = 0; i < WB_VARS; i++) {
        len = strlen(wb_var_names[i]);

        if (strncmp(p, wb_var_names[i], len) == 0) {
            wb_tpl_value(out, i, vars);
            return len;
        }
    }

    return 0;
}


static void
wb_tpl_value(wsc_buf_t *out, unsigned which, const wb_vars_t *vars)
{
    int   n;
    char  text[64];

    n = 0;

    switch (which) {

    case WB_VAR_ROOM:
        n = sprintf(text, "%" PRIu32, vars->room);
        break;

    case WB_VAR_I:
        n = sprintf(text, "%" PRIu32, vars->i);
        break;

    case WB_VAR_SEQ:
        n = sprintf(text, "%" PRIu32, vars->seq);
        break;

    case WB_VAR_TIME:
        n = sprintf(text, "%" PRIu64, vars->time);
        break;

    case WB_VAR_CID:
        n = sprintf(text, "%08" PRIx32 "-%" PRIx32 "-%" PRIx32, vars->run,
                    vars->publisher, vars->seq);
        break;

    case WB_VAR_TAG:
        wsc_buf_add(out, vars->marker, strlen(vars->marker));
        n = sprintf(text, "%08" PRIx32 ":%08" PRIx32 ":%016" PRIx64 ";",
                    vars->publisher, vars->seq, vars->time);
        break;

    case WB_VAR_PAD:
        wsc_buf_add(out, vars->pad, strlen(vars->pad));
        break;

    case WB_VAR_LINE:
        wsc_buf_add(out, vars->line, strlen(vars->line));
        break;
    }

    wsc_buf_add(out, text, n);
}


ssize_t
wb_tag_parse(wb_tag_t *tag, const u_char *p, size_t len)
{
    uint64_t  publisher, seq;

    if (len < WB_TAG_LEN
        || wb_tag_hex(p, 8, ':', &publisher) != WSC_OK
        || wb_tag_hex(p + 9, 8, ':', &seq) != WSC_OK
        || wb_tag_hex(p + 18, 16, ';', &tag->time) != WSC_OK)
    {
        return WSC_DECLINED;
    }

    tag->publisher = (uint32_t) publisher;
    tag->seq = (uint32_t) seq;

    return WSC_OK;
}


static ssize_t
wb_tag_hex(const u_char *p, size_t len, u_char end, uint64_t *value)
{
    u_char    ch;
    size_t    i;
    uint64_t  v;

    v = 0;

    for (i = 0; i < len; i++) {
        ch = p[i];

        if (ch >= '0' && ch <= '9') {
            v = v << 4 | (ch - '0');

        } else if (ch >= 'a' && ch <= 'f') {
            v = v << 4 | (ch - 'a' + 10);

        } else {
            return WSC_DECLINED;
        }
    }

    *value = v;

    return (p[len] == end) ? WSC_OK : WSC_DECLINED;
}


/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_log.h"


#define NGX_WS_CHAT_LOG_PAUSE   60      /* s between complaints */

/* numbers, names of fields and punctuation; zone, user and addr come on top */
#define NGX_WS_CHAT_LOG_LINE    512

/* what escaping makes of an octet at most: \u0000 */
#define NGX_WS_CHAT_LOG_ESCAPE  6


struct ngx_ws_chat_log_s {
    ngx_open_file_t            *file;
    time_t                      complained;
    ngx_uint_t                  json;
};


static u_char *ngx_ws_chat_log_text(u_char *p,
    const ngx_ws_chat_log_line_t *line);
static u_char *ngx_ws_chat_log_json(u_char *p,
    const ngx_ws_chat_log_line_t *line);
static u_char *ngx_ws_chat_log_word(u_char *p, const wsc_str_t *s);
static u_char *ngx_ws_chat_log_string(u_char *p, const char *name,
    const wsc_str_t *s);


char *
ngx_ws_chat_log_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_main_conf_t  *mcf = conf;

    ngx_str_t          *value;
    ngx_ws_chat_log_t  *log;

    if (mcf->log != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0 && cf->args->nelts == 2) {
        mcf->log = NULL;
        return NGX_CONF_OK;
    }

    log = ngx_pcalloc(cf->pool, sizeof(ngx_ws_chat_log_t));
    if (log == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "json") == 0) {
            log->json = 1;

        } else if (ngx_strcmp(value[2].data, "text") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the format of \"ws_chat_log\" must be "
                               "\"text\" or \"json\", not \"%V\"", &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    if (value[1].len == 0) {
        return "needs a path or \"off\"";
    }

    log->file = ngx_conf_open_file(cf->cycle, &value[1]);
    if (log->file == NULL) {
        return NGX_CONF_ERROR;
    }

    mcf->log = log;

    return NGX_CONF_OK;
}


void
ngx_ws_chat_log_write(ngx_ws_chat_log_t *log,
    const ngx_ws_chat_log_line_t *line, ngx_log_t *err)
{
    u_char   *start, *p;
    size_t    size;
    ssize_t   n;

    size = NGX_WS_CHAT_LOG_LINE
           + NGX_WS_CHAT_LOG_ESCAPE * (line->zone.len + line->user.len
                                       + line->addr.len);

    start = ngx_alloc(size, err);
    if (start == NULL) {
        return;
    }

    p = log->json ? ngx_ws_chat_log_json(start, line)
                  : ngx_ws_chat_log_text(start, line);

    n = ngx_write_fd(log->file->fd, start, p - start);

    if (n != p - start
        && ngx_time() - log->complained >= NGX_WS_CHAT_LOG_PAUSE)
    {
        log->complained = ngx_time();

        ngx_log_error(NGX_LOG_ALERT, err, (n == -1) ? ngx_errno : 0,
                      ngx_write_fd_n " to \"%V\" failed: %z of %uz octets",
                      &log->file->name, n, p - start);
    }

    ngx_free(start);
}


static u_char *
ngx_ws_chat_log_text(u_char *p, const ngx_ws_chat_log_line_t *line)
{
    p = ngx_sprintf(p, "%V ", &ngx_cached_http_log_iso8601);
    p = ngx_ws_chat_log_word(p, &line->user);
    p = ngx_ws_chat_log_word(p, &line->addr);
    p = ngx_ws_chat_log_word(p, &line->zone);

    return ngx_sprintf(p, "%016xL %ui %ui %ui %uL %uL %T %ui\n",
                       line->session, line->chats, line->messages_in,
                       line->messages_out, line->bytes_in, line->bytes_out,
                       line->seconds, line->code);
}


/* One word and a space: what would end it or is not ASCII becomes \xHH. */

static u_char *
ngx_ws_chat_log_word(u_char *p, const wsc_str_t *s)
{
    size_t  i;
    u_char  ch;

    if (s->len == 0) {
        *p++ = '-';
    }

    for (i = 0; i < s->len; i++) {
        ch = s->data[i];

        if (ch <= ' ' || ch >= 0x7f || ch == '\\' || ch == '"') {
            p = ngx_sprintf(p, "\\x%02XD", (uint32_t) ch);

        } else {
            *p++ = ch;
        }
    }

    *p++ = ' ';

    return p;
}


static u_char *
ngx_ws_chat_log_json(u_char *p, const ngx_ws_chat_log_line_t *line)
{
    p = ngx_sprintf(p, "{\"time\":\"%V\",", &ngx_cached_http_log_iso8601);
    p = ngx_ws_chat_log_string(p, "user", &line->user);
    p = ngx_ws_chat_log_string(p, "addr", &line->addr);
    p = ngx_ws_chat_log_string(p, "zone", &line->zone);

    return ngx_sprintf(p, "\"session\":\"%016xL\",\"chats\":%ui,"
                       "\"messages_in\":%ui,\"messages_out\":%ui,"
                       "\"bytes_in\":%uL,\"bytes_out\":%uL,"
                       "\"seconds\":%T,\"code\":%ui}\n",
                       line->session, line->chats, line->messages_in,
                       line->messages_out, line->bytes_in, line->bytes_out,
                       line->seconds, line->code);
}


static u_char *
ngx_ws_chat_log_string(u_char *p, const char *name, const wsc_str_t *s)
{
    p = ngx_sprintf(p, "\"%s\":\"", name);
    p = (u_char *) ngx_escape_json(p, s->data, s->len);

    return ngx_cpymem(p, "\",", 2);
}
